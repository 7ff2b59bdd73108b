//! A small HTTP/1.1 client that can also misbehave: it sends exactly the bytes it is given.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::Value;

/// One answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// Asserts an RFC 9457 problem with this status and code.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        let problem = self.json();
        assert_eq!(problem["code"], code, "{self:?}");
        assert_eq!(problem["status"], status);
        let slug = code.replace('_', "-");
        assert_eq!(
            problem["type"],
            format!("https://bonafide.invalid/problems/{slug}")
        );
        assert!(problem["title"].is_string() && problem["detail"].is_string());
    }
}

/// Opens a connection whose reads and writes give up after half a minute.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    let limit = Some(Duration::from_secs(30));
    stream.set_read_timeout(limit).unwrap();
    stream.set_write_timeout(limit).unwrap();
    stream
}

/// Sends `bytes` on a connection of its own and reads the answer.
pub(crate) fn send(address: SocketAddr, bytes: &[u8]) -> Answer {
    let mut stream = connect(address);
    // A refused upload may be answered, and the connection closed, before all of it is sent.
    let _ = stream.write_all(bytes);
    receive(&mut stream)
}

/// Reads to the end of the connection.
pub(crate) fn receive(stream: &mut TcpStream) -> Answer {
    parse(&read_all(stream))
}

fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut block = [0; 4096];
    loop {
        match stream.read(&mut block) {
            Ok(0) => break,
            Ok(length) => bytes.extend_from_slice(&block[..length]),
            // A process that was stopped and goes on.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // A reset after an early answer; what was read before it counts.
            Err(_) if !bytes.is_empty() => break,
            Err(error) => panic!("no answer: {error}"),
        }
    }
    bytes
}

/// Reads one whole answer.
pub(crate) fn parse(bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Answer {
        status: status.unwrap_or_else(|| panic!("no status: {text}")),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// One request that ends its connection. `headers` are whole lines, each with its line end.
pub(crate) fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> Answer {
    send(address, &request(method, path, headers, body))
}

/// The same for an answer that is no text: its body beside it, byte for byte.
pub(crate) fn ask_bytes(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &[u8],
) -> (Answer, Vec<u8>) {
    let mut stream = connect(address);
    let _ = stream.write_all(&request(method, path, headers, body));
    let bytes = read_all(&mut stream);
    let end = bytes.windows(4).position(|part| part == b"\r\n\r\n");
    (parse(&bytes), bytes[end.unwrap() + 4..].to_vec())
}

fn request(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// A GET.
pub(crate) fn get(address: SocketAddr, path: &str) -> Answer {
    ask(address, "GET", path, "", b"")
}

/// A POST of raw bytes with a length, which waits for the finished analysis.
pub(crate) fn post(address: SocketAddr, path: &str, kind: &str, body: &[u8]) -> Answer {
    let headers = format!("{WAIT}Content-Type: {kind}\r\n");
    ask(address, "POST", path, &headers, body)
}

/// A POST of raw bytes in chunks, without a length.
pub(crate) fn post_chunked(address: SocketAddr, path: &str, body: &[u8]) -> Answer {
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{WAIT}Content-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    .into_bytes();
    for chunk in body.chunks(1000) {
        request.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        request.extend_from_slice(chunk);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"0\r\n\r\n");
    send(address, &request)
}

/// A form of (head of the part after `form-data; `, body) pairs.
pub(crate) fn post_form(address: SocketAddr, parts: &[(&str, &[u8])]) -> Answer {
    let mut body = Vec::new();
    for (head, content) in parts {
        body.extend_from_slice(
            format!("--xxBOUNDARYxx\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes(),
        );
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--xxBOUNDARYxx--\r\n");
    let kind = "multipart/form-data; boundary=xxBOUNDARYxx";
    post(address, "/v1/analyses", kind, &body)
}

/// Far longer than any fixture takes.
const WAIT: &str = "Prefer: wait=30\r\n";
