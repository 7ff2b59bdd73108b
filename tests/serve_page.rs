//! The page at `/`, by hand as a browser without scripts would use it, and in a real browser.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    browser::Browser,
    fixture,
    http::{self, Answer, send},
    run,
    server::Server,
    text,
};

/// A request as a browser on this machine sends it, with more header lines.
fn ask(server: &Server, line: &str, more: &str, body: &[u8]) -> Answer {
    let (method, path) = line.split_once(' ').unwrap();
    http::ask(server.address, method, path, more, body)
}

/// The page's own form with one file in it.
fn form(name: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!(
        "--xx\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: image/jpeg\r\n\r\n"
    );
    [head.as_bytes(), bytes, b"\r\n--xx--\r\n"].concat()
}

const FORM: &str = "Content-Type: multipart/form-data; boundary=xx\r\n";

/// Sends the form and follows it to the finished result.
fn result(server: &Server, name: &str, bytes: &[u8]) -> Answer {
    let sent = ask(server, "POST /", FORM, &form(name, bytes));
    assert_eq!(sent.status, 303, "{sent:?}");
    let place = sent.header("location").unwrap().to_owned();
    let started = Instant::now();
    loop {
        let answer = ask(server, &format!("GET {place}"), "", b"");
        assert_eq!(answer.status, 200, "{answer:?}");
        if !answer.body.contains("http-equiv=\"refresh\"") {
            return answer;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{answer:?}");
        thread::sleep(Duration::from_millis(100));
    }
}

fn picture(name: &str) -> Vec<u8> {
    fs::read(fixture(name)).unwrap()
}

#[test]
fn a_form_leads_to_a_verdict_without_a_script() {
    let server = Server::start(&[]);
    let start = ask(&server, "GET /", "", b"");
    assert_eq!(start.status, 200);
    assert!(
        start.body.contains("enctype=\"multipart/form-data\""),
        "{start:?}"
    );
    let page = result(&server, "ai.jpg", &picture("ai_declared_active.jpg"));
    for words in [
        "data-code=\"declared_ai\"",
        "<strong>Says it is AI</strong>",
        "What the file says",
        "What the pixels show",
        "Why",
        "The whole report",
        "bonafide.report/1",
        "ai.jpg",
    ] {
        assert!(page.body.contains(words), "no {words} in {}", page.body);
    }
}

#[test]
fn every_answer_forbids_what_the_page_does_not_need() {
    let server = Server::start(&[]);
    for path in [
        "/",
        "/assets/page.css",
        "/assets/page.js",
        "/results/nothing",
    ] {
        let answer = ask(&server, &format!("GET {path}"), "", b"");
        let policy = answer
            .header("content-security-policy")
            .unwrap_or_else(|| panic!("{path}: {answer:?}"));
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(
            !policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"),
            "{policy}"
        );
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
    }
    for name in [
        "upload.html",
        "frame.html",
        "result.html",
        "waiting.html",
        "message.html",
    ] {
        let template = crate::support::root().join("server/templates").join(name);
        let template = fs::read_to_string(template).unwrap();
        for inline in [
            "style=",
            "<style",
            "onclick",
            "onload",
            "javascript:",
            "|safe",
            "//cdn",
        ] {
            assert!(!template.contains(inline), "{name} has {inline}");
        }
        assert!(
            !template.contains("<script") || template.contains("<script src=\"/assets/"),
            "{name}"
        );
    }
}

#[test]
fn a_hostile_name_is_text_and_nothing_else() {
    let server = Server::start(&[]);
    let name = "</title><script>alert(1)</script>\u{202e}gpj.exe";
    let page = result(&server, name, &picture("unsigned.jpg"));
    assert!(!page.body.contains("<script>"), "{}", page.body);
    assert!(!page.body.contains('\u{202e}'), "{}", page.body);
    assert!(page.body.contains("alert(1)"), "{}", page.body);
}

#[test]
fn what_is_wrong_with_an_upload_is_said_on_the_page() {
    let server = Server::start(&["--max-bytes", "1000"]);
    let empty = ask(&server, "POST /", FORM, &form("a.jpg", b""));
    assert_eq!(empty.status, 400);
    assert!(empty.body.contains("role=\"alert\""), "{empty:?}");
    let large = ask(&server, "POST /", FORM, &form("a.jpg", &[0; 2_000]));
    assert_eq!(large.status, 413);
    assert!(large.body.contains("more than 1000 bytes"), "{large:?}");
    let none = ask(
        &server,
        "GET /results/0197a0b2-0000-7000-8000-000000000000",
        "",
        b"",
    );
    assert_eq!(none.status, 404);
    assert!(none.body.contains("Nothing here"), "{none:?}");
}

#[test]
fn other_sites_and_other_names_get_nothing() {
    let server = Server::start(&[]);
    let body = form("a.jpg", &picture("unsigned.jpg"));
    for more in [
        "Sec-Fetch-Site: cross-site\r\n",
        "Origin: http://evil.example\r\n",
        "Origin: null\r\n",
    ] {
        let answer = ask(&server, "POST /", &format!("{FORM}{more}"), &body);
        assert_eq!(answer.status, 403, "{more}");
    }
    let own = format!("{FORM}Sec-Fetch-Site: same-origin\r\nOrigin: http://localhost\r\n");
    assert_eq!(ask(&server, "POST /", &own, &body).status, 303);
    let rebound = "GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    assert_eq!(send(server.address, rebound.as_bytes()).status, 403);
}

#[test]
fn the_page_is_off_once_there_are_tenants() {
    let data = crate::support::folder();
    let data = text(data.path());
    run([
        "admin",
        "keys",
        "new",
        "--data-dir",
        data,
        "--tenant",
        "one",
        "--scopes",
        "analyse,read",
    ]);
    let server = Server::start(&["--data-dir", data]);
    let start = ask(&server, "GET /", "", b"");
    assert_eq!(start.status, 401);
    assert!(start.body.contains("This page is off"), "{start:?}");
    let sent = ask(
        &server,
        "POST /",
        FORM,
        &form("a.jpg", &picture("unsigned.jpg")),
    );
    assert_eq!(sent.status, 401);
}

#[test]
fn a_person_with_a_browser_gets_a_verdict() {
    let Some(browser) = Browser::start() else {
        eprintln!(
            "SKIPPED: no chromedriver and chromium on this machine, so no page was looked at"
        );
        return;
    };
    let server = Server::start(&[]);
    browser.open(&format!("http://{}/", server.address));
    assert_eq!(
        browser.attribute("html", "class"),
        "scripted",
        "the script did not run"
    );
    assert_eq!(
        browser.text("label[for=file]"),
        "Choose a picture, or drop it here"
    );
    // A style sheet that did not load would leave the border as it is.
    assert_eq!(browser.style("#drop", "border-top-style"), "dashed");
    upload(&browser, &fixture("signed_unknown_ca.jpg"));
    let code = browser.wait_for_attribute("#verdict", "data-code");
    // Which of these it is, is the model's affair.
    assert!(
        ["inconclusive", "no_evidence_found", "likely_ai"].contains(&code.as_str()),
        "{code}"
    );
    let word = browser.text("#verdict strong").to_lowercase();
    assert_eq!(word, code.replace('_', " "));
    for (place, words) in [
        ("#says", "nobody we know vouches for it"),
        ("#shows", "Reading"),
        ("#subject", "signed_unknown_ca.jpg"),
    ] {
        let found = browser.text(place);
        assert!(found.contains(words), "{place}: {found}");
    }
    browser.click("#report summary");
    assert!(
        browser
            .text("#report pre")
            .contains("\"schema\": \"bonafide.report/1\"")
    );
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

fn upload(browser: &Browser, path: &Path) {
    browser.type_into("#file", text(path));
    browser.click("button[type=submit]");
}
