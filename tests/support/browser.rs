//! A headless Chromium behind its own WebDriver, spoken to over loopback. Both come from the system; a machine
//! without them has no browser, and a test says so.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    process::{Child, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::http::{Answer, connect, parse};

/// One session; the browser ends with the value.
pub(crate) struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    /// Kept open: the driver ends when it cannot write its log.
    _stdout: BufReader<ChildStdout>,
}

impl Browser {
    /// A browser, or `None` where there is none.
    pub(crate) fn start() -> Option<Self> {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut stdout = BufReader::new(driver.stdout.take().unwrap());
        // "ChromeDriver was started successfully on port N."
        let port = stdout
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, port) = line.split_once("started successfully on port ")?;
                port.trim_end_matches('.').parse().ok()
            });
        let mut browser = Self {
            driver,
            address: SocketAddr::from(([127, 0, 0, 1], port.unwrap_or(0))),
            session: String::new(),
            _stdout: stdout,
        };
        port?;
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "goog:loggingPrefs": {"browser": "ALL"},
            "goog:chromeOptions": {"args": [
                "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server",
            ]},
        }}});
        let made = browser.ask("POST", "/session", &wanted);
        let session = made.json()["value"]["sessionId"].as_str()?.to_owned();
        browser.session = session;
        Some(browser)
    }

    /// Opens an address and waits until it is loaded.
    pub(crate) fn open(&self, address: &str) {
        self.call("POST", "/url", &json!({"url": address}));
    }

    /// The visible text of the element that `selector` finds.
    pub(crate) fn text(&self, selector: &str) -> String {
        self.of(selector, "text")
    }

    /// An attribute of an element.
    pub(crate) fn attribute(&self, selector: &str, name: &str) -> String {
        self.of(selector, &format!("attribute/{name}"))
    }

    /// A computed style of an element.
    pub(crate) fn style(&self, selector: &str, name: &str) -> String {
        self.of(selector, &format!("css/{name}"))
    }

    /// The same as [`Self::attribute`], once the element is there.
    pub(crate) fn wait_for_attribute(&self, selector: &str, name: &str) -> String {
        let started = Instant::now();
        while self.find(selector).is_none() {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "{selector} never came"
            );
            thread::sleep(Duration::from_millis(100));
        }
        self.attribute(selector, name)
    }

    /// Clicks on an element.
    pub(crate) fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.call("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// Types into an element; for a file field, the path of a file.
    pub(crate) fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.call(
            "POST",
            &format!("/element/{element}/value"),
            &json!({"text": text}),
        );
    }

    /// What the browser's console has to complain about: blocked styles and scripts, missing files, errors.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = self.call("POST", "/se/log", &json!({"type": "browser"}));
        let lines = log.as_array().unwrap().iter();
        lines.map(|line| line["message"].to_string()).collect()
    }

    fn of(&self, selector: &str, what: &str) -> String {
        let element = self.element(selector);
        let value = self.call("GET", &format!("/element/{element}/{what}"), &json!({}));
        value.as_str().unwrap_or_default().to_owned()
    }

    fn element(&self, selector: &str) -> String {
        self.find(selector)
            .unwrap_or_else(|| panic!("no {selector} on the page"))
    }

    fn find(&self, selector: &str) -> Option<String> {
        let by = json!({"using": "css selector", "value": selector});
        let path = format!("/session/{}/element", self.session);
        let found = self.ask("POST", &path, &by).json()["value"].clone();
        // The key under which WebDriver names an element.
        found["element-6066-11e4-a52e-4f735466cecf"]
            .as_str()
            .map(str::to_owned)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.ask(method, &format!("/session/{}{path}", self.session), body);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()["value"].clone()
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = match method {
            "GET" => String::new(),
            _ => body.to_string(),
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = connect(self.address);
        stream.write_all(request.as_bytes()).unwrap();
        receive_exactly(&mut stream)
    }
}

/// The driver leaves connections open, so the length in the head says where an answer ends.
fn receive_exactly(stream: &mut TcpStream) -> Answer {
    let (mut bytes, mut block) = (Vec::new(), [0; 8192]);
    loop {
        let count = stream.read(&mut block).unwrap();
        assert!(count > 0, "the driver broke off");
        bytes.extend_from_slice(&block[..count]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head.split("content-length:").nth(1).unwrap();
        let length: usize = length.lines().next().unwrap().trim().parse().unwrap();
        if bytes.len() >= end + 4 + length {
            return parse(&bytes);
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            self.ask("DELETE", &format!("/session/{}", self.session), &json!({}));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
