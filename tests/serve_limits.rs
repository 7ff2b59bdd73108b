//! The service under senders that are too big, too slow, or do not follow the rules.

use std::{
    fs,
    io::{Read as _, Write as _},
    time::{Duration, Instant},
};

use crate::support::{
    fixture,
    http::{ask, connect, get, post, post_chunked, post_form, receive, send},
    server::Server,
};

#[test]
fn a_body_over_the_limit_is_refused_with_and_without_a_length() {
    let server = Server::start(&["--max-bytes", "20000"]);
    let address = server.address;
    let fits = post(address, "/v1/analyses", "image/jpeg", &[0; 20_000]);
    assert_eq!(fits.status, 201, "exactly the limit: {fits:?}");
    let chunked = post_chunked(address, "/v1/analyses", &[0; 20_000]);
    assert_eq!(chunked.status, 201, "the same in chunks: {chunked:?}");

    post(address, "/v1/analyses", "image/jpeg", &[0; 20_001]).assert_problem(413, "too_large");
    post_chunked(address, "/v1/analyses", &[0; 20_001]).assert_problem(413, "too_large");
    post_form(address, &[("name=\"file\"", &[0; 20_001])]).assert_problem(413, "too_large");
    post_form(address, &[("name=\"file\"", &[0; 200_000])]).assert_problem(413, "too_large");
}

#[test]
fn a_length_over_the_limit_is_refused_before_the_body_comes() {
    let server = Server::start(&[]);
    let head =
        b"POST /v1/analyses HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n";
    let started = Instant::now();
    send(server.address, head).assert_problem(413, "too_large");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn slow_headers_are_cut_off() {
    let server = Server::start(&["--header-timeout-s", "1"]);
    for sent in ["", "GET /healthz HTTP/1.1\r\nHost: lo"] {
        let mut stream = connect(server.address);
        stream.write_all(sent.as_bytes()).unwrap();
        let started = Instant::now();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        let waited = started.elapsed();
        assert!(waited >= Duration::from_millis(900), "{waited:?}");
        assert!(waited < Duration::from_secs(5), "{waited:?}");
    }
    assert_eq!(get(server.address, "/healthz").status, 200);
}

#[test]
fn a_body_that_stops_coming_is_cut_off() {
    let server = Server::start(&["--body-timeout-s", "1"]);
    let mut stream = connect(server.address);
    let head = "POST /v1/analyses HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1000\r\n\r\nabc";
    stream.write_all(head.as_bytes()).unwrap();
    let started = Instant::now();
    receive(&mut stream).assert_problem(408, "too_slow");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn whoever_asks_and_never_reads_is_cut_off() {
    let server = Server::start(&["--write-timeout-s", "1"]);
    let whole = get(server.address, "/openapi.json").body.len();
    let mut stream = connect(server.address);
    let request = "GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream
        .write_all(request.repeat(ANSWERS).as_bytes())
        .unwrap();
    // What the system's buffers take is sent; then nothing moves for longer than the service waits.
    std::thread::sleep(Duration::from_secs(4));
    let mut taken = Vec::new();
    let _ = stream.read_to_end(&mut taken);
    assert!(taken.len() > whole, "{} bytes", taken.len());
    assert!(taken.len() < whole * ANSWERS, "every answer was sent");
    assert_eq!(get(server.address, "/healthz").status, 200);
}

/// Far more bytes than two sockets on one machine hold.
const ANSWERS: usize = 1000;

#[test]
fn a_connection_more_than_allowed_waits_its_turn() {
    let server = Server::start(&["--max-connections", "1", "--header-timeout-s", "1"]);
    // This one holds the only place until its header times out.
    let idle = connect(server.address);
    let started = Instant::now();
    assert_eq!(get(server.address, "/healthz").status, 200);
    assert!(started.elapsed() >= Duration::from_millis(500));
    drop(idle);
}

#[test]
fn requests_that_make_no_sense_are_told_so() {
    let server = Server::start(&[]);
    let address = server.address;
    post(address, "/v1/analyses", "image/jpeg", b"").assert_problem(400, "empty");
    post_form(address, &[("name=\"file\"", b"")]).assert_problem(400, "empty");
    post_form(address, &[("name=\"name\"", b"a.jpg")]).assert_problem(400, "empty");
    post_form(address, &[("name=\"fiel\"", b"x")]).assert_problem(400, "bad_multipart");
    let twice: [(&str, &[u8]); 2] = [("name=\"file\"", b"x"), ("name=\"file\"", b"y")];
    post_form(address, &twice).assert_problem(400, "bad_parameter");
    let many = [("name=\"name\"", &b"x"[..]); 9];
    assert_eq!(post_form(address, &many).status, 400);
    let long = [b'x'; 300];
    post_form(address, &[("name=\"name\"", &long)]).assert_problem(400, "bad_parameter");
    let torn = post(
        address,
        "/v1/analyses",
        "multipart/form-data; boundary=x",
        b"--x\r\nConten",
    );
    torn.assert_problem(400, "bad_multipart");
    let none = post(address, "/v1/analyses", "multipart/form-data", b"--x--");
    none.assert_problem(400, "bad_multipart");
    post(address, "/v1/analyses?nmae=a", "image/jpeg", b"x").assert_problem(400, "bad_parameter");
    get(address, "/v1/analyses/0190").assert_problem(404, "not_found");
    get(address, "/v2/analyses").assert_problem(404, "not_found");
    let wrong = ask(address, "PUT", "/v1/analyses", "", b"");
    wrong.assert_problem(405, "method_not_allowed");
    assert_eq!(wrong.header("allow"), Some("POST,GET,HEAD"));
    for kind in [
        "application/zip",
        "text/html",
        "application/x-www-form-urlencoded",
    ] {
        post(address, "/v1/analyses", kind, b"PK").assert_problem(415, "unsupported_media_type");
    }
}

#[test]
fn a_form_field_with_endless_headers_is_cut_off() {
    let server = Server::start(&[]);
    let mut body = b"--x\r\nContent-Disposition: form-data; name=\"file\"\r\nX-Long: ".to_vec();
    body.resize(2_000_000, b'a');
    let kind = "multipart/form-data; boundary=x";
    post(server.address, "/v1/analyses", kind, &body).assert_problem(400, "bad_multipart");
}

#[test]
fn two_lengths_and_chunks_beside_a_length_are_no_request() {
    let server = Server::start(&[]);
    let head = "POST /v1/analyses HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    for framing in [
        "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "Content-Length: x\r\n\r\nabc",
        "Transfer-Encoding: chunked, identity\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    ] {
        let answer = send(server.address, format!("{head}{framing}").as_bytes());
        assert_eq!(answer.status, 400, "{framing:?}: {answer:?}");
    }
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

#[test]
fn hostile_names_stay_names() {
    let server = Server::start(&[]);
    let bytes = fs::read(fixture("unsigned.jpg")).unwrap();
    for (sent, shown) in [
        ("..%2f..%2fetc%2fpasswd", "../../etc/passwd"),
        (
            "%1b%5d0%3bx%07%0d%0aSet-Cookie:%20a",
            "\u{1b}]0;x\u{7}\r\nSet-Cookie: a",
        ),
    ] {
        let path = format!("/v1/analyses?name={sent}");
        let answer = post(server.address, &path, "image/jpeg", &bytes);
        assert_eq!(answer.json()["report"]["media"]["name"], shown);
        assert_eq!(answer.header("set-cookie"), None);
        assert!(
            !answer.body.contains('\u{1b}'),
            "JSON escapes control characters"
        );
    }
}
