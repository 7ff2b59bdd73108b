//! Where a request begins and ends: what two parsers could read differently, a proxy's and ours, is no request.

use std::{
    io::{Read as _, Write as _},
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::support::{
    http::{ask, connect},
    server::Server,
};

/// The request that must not come out of the end of another.
const SMUGGLED: &str = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Everything that comes back for these bytes until the service closes the connection.
fn answers(address: SocketAddr, request: &str) -> String {
    let mut stream = connect(address);
    // It may be refused before all of it is sent, and what was answered by then counts.
    let _ = stream.write_all(request.as_bytes());
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[track_caller]
fn assert_one_answer(address: SocketAddr, request: &str, status: &str) {
    let found = answers(address, request);
    let count = found.matches("HTTP/1.1 ").count();
    assert!(
        count == 1 && found.starts_with(&format!("HTTP/1.1 {status}")),
        "{request:?}: {found}"
    );
}

#[test]
fn ambiguous_lengths_and_chunks_are_refused() {
    let server = Server::start(&[]);
    for framing in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "Content-Length: 1, 1\r\n\r\nx",
        "Content-Length: x\r\n\r\nabc",
        "Content-Length: +1\r\n\r\nx",
        "Content-Length: -1\r\n\r\nx",
        "Content-Length: 0x1\r\n\r\nx",
        "Content-Length: \r\n\r\nx",
        "Content-Length: 18446744073709551617\r\n\r\nx",
        "Content-Length : 1\r\n\r\nx",
        "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "Transfer-Encoding: \u{b}chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3;a\nabc\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabcX0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "X: a\r\n b\r\nContent-Length: 1\r\n\r\nx",
    ] {
        let head = "POST /v1/analyses HTTP/1.1\r\nHost: localhost\r\n";
        let request = format!("{head}{framing}{SMUGGLED}");
        assert_one_answer(server.address, &request, "400");
    }
}

#[test]
fn request_lines_and_headers_of_another_shape_are_refused() {
    let server = Server::start(&[]);
    for request in [
        "GET  /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GE T /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /healthz\r\n\r\n",
        "GET /healthz HTTP/1.2\r\nHost: localhost\r\n\r\n",
        "GET /healthz HTTP/3.0\r\nHost: localhost\r\n\r\n",
        "GET /healthz HTTP/1.1\r\n Host: localhost\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n",
    ] {
        assert_one_answer(server.address, &format!("{request}{SMUGGLED}"), "400");
    }
}

#[test]
fn a_body_that_nobody_reads_is_not_the_next_request() {
    let server = Server::start(&[]);
    let length = SMUGGLED.len();
    let head = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n";
    let request = format!("{head}Content-Length: {length}\r\n\r\n{SMUGGLED}");
    assert_one_answer(server.address, &request, "200");
}

#[test]
fn a_request_has_one_host() {
    let server = Server::start(&[]);
    let ask = |head: &str| answers(server.address, &format!("{head}Connection: close\r\n\r\n"));
    for none_or_two in ["", "Host: localhost\r\nHost: evil.example\r\n"] {
        let found = ask(&format!("GET /v1/analyses HTTP/1.1\r\n{none_or_two}"));
        assert!(found.starts_with("HTTP/1.1 400"), "{found}");
        assert!(found.contains("\"pointer\":\"/Host\""), "{found}");
    }
    let old = ask("GET /healthz HTTP/1.0\r\n");
    assert!(old.starts_with("HTTP/1.0 200"), "{old}");
}

#[test]
fn http_2_ends_at_once_and_is_never_switched_to() {
    let server = Server::start(&[]);
    let mut stream = connect(server.address);
    // The preface and empty SETTINGS, as a client with prior knowledge begins.
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    stream.write_all(preface).unwrap();
    let started = Instant::now();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(
        rest.is_empty() || rest.starts_with(b"HTTP/1.1 400"),
        "{rest:?}"
    );

    let upgrade = "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n";
    let answer = ask(server.address, "GET", "/healthz", upgrade, b"");
    assert!(answer.head.starts_with("HTTP/1.1 200"), "{answer:?}");
    assert_eq!(answer.header("upgrade"), None);
}
