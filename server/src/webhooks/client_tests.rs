//! The client against resolvers that lie and receivers that misbehave, all on loopback.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Instant,
};

use super::*;

/// A resolver with an answer for every name, which counts how often it is asked.
#[derive(Debug, Clone)]
struct Stub {
    addresses: Vec<SocketAddr>,
    asked: Arc<AtomicUsize>,
}

impl Resolver for Stub {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut found = self.empty();
        for address in &self.addresses {
            found.push(*address);
        }
        Ok(found)
    }
}

fn stub(addresses: &[&str], port: u16) -> Stub {
    Stub {
        addresses: addresses
            .iter()
            .map(|ip| SocketAddr::new(ip.parse::<IpAddr>().unwrap(), port))
            .collect(),
        asked: Arc::default(),
    }
}

fn send(client: &Client, address: &str, reach: Reach) -> Outcome {
    let post = Post {
        id: "msg_1".to_owned(),
        timestamp: "1795564800".to_owned(),
        signature: "v1a,AAAA".to_owned(),
        body: "{\"id\":1}",
    };
    client.post(&Target::parse(address, reach).unwrap(), &post)
}

/// A receiver that hands each connection to `answer`; it reports what it was sent.
fn receiver(
    answer: impl Fn(&mut TcpStream) + Send + 'static,
) -> (SocketAddr, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (heard, hear) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 4096];
            let mut request = String::new();
            while !request.ends_with("{\"id\":1}") {
                match stream.read(&mut bytes).unwrap() {
                    0 => break,
                    length => request.push_str(&String::from_utf8_lossy(&bytes[..length])),
                }
            }
            let _ = heard.send(request);
            answer(&mut stream);
        }
    });
    (address, hear)
}

fn answering(text: &'static str) -> (SocketAddr, mpsc::Receiver<String>) {
    receiver(move |stream| {
        let _ = stream.write_all(text.as_bytes());
    })
}

fn post_to(address: SocketAddr) -> Outcome {
    let reach = Reach::DangerousLoopback;
    send(
        &Client::new(reach),
        &format!("http://{address}/hook?a=1"),
        reach,
    )
}

#[test]
fn a_name_that_leads_inside_is_not_connected_to() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    for addresses in [
        &["127.0.0.1"][..],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["10.0.0.1"],
        &["169.254.169.254"],
        &["100.64.0.1"],
        &["64:ff9b::7f00:1"],
        &["1.1.1.1", "127.0.0.1"],
        &["127.0.0.1", "1.1.1.1"],
    ] {
        let names = stub(addresses, port);
        let client = Client::with_parts(Reach::Public, names.clone(), RootCerts::WebPki);
        let outcome = send(&client, "https://rebind.example/", Reach::Public);
        assert_eq!(
            outcome,
            Outcome::Unreached(Unreached::NotPublic),
            "{addresses:?}"
        );
        assert_eq!(names.asked.load(Ordering::SeqCst), 1, "{addresses:?}");
    }
    assert!(listener.accept().is_err(), "somebody connected");
}

#[test]
fn a_name_is_looked_up_once_and_connected_to_where_it_led() {
    let (address, heard) = answering("HTTP/1.1 204 No Content\r\n\r\n");
    let names = stub(&["127.0.0.1"], address.port());
    let reach = Reach::DangerousLoopback;
    let client = Client::with_parts(reach, names.clone(), RootCerts::WebPki);
    let outcome = send(
        &client,
        &format!("http://localhost:{}/", address.port()),
        reach,
    );
    assert_eq!(outcome, Outcome::Delivered(StatusCode::NO_CONTENT));
    assert_eq!(names.asked.load(Ordering::SeqCst), 1);
    assert!(heard.recv().unwrap().contains("host: localhost:"));
}

#[test]
fn a_receiver_gets_the_three_headers_and_the_body_as_signed() {
    let (address, heard) = answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(post_to(address), Outcome::Delivered(StatusCode::OK));
    let request = heard.recv().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /hook?a=1 HTTP/1.1\r\n"), "{head}");
    for line in [
        "webhook-id: msg_1",
        "webhook-timestamp: 1795564800",
        "webhook-signature: v1a,AAAA",
        "content-type: application/json",
    ] {
        assert!(
            head.lines().any(|found| found == line),
            "no {line} in {head}"
        );
    }
    assert_eq!(body, "{\"id\":1}");
}

#[test]
fn a_redirect_is_an_answer_and_not_a_way() {
    let (inside, heard_inside) = answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let (address, _heard) = receiver(move |stream| {
        let moved = format!(
            "HTTP/1.1 307 Moved\r\nlocation: http://{inside}/\r\ncontent-length: 0\r\n\r\n"
        );
        let _ = stream.write_all(moved.as_bytes());
    });
    let outcome = post_to(address);
    assert_eq!(
        outcome,
        Outcome::Refused(StatusCode::TEMPORARY_REDIRECT, None)
    );
    assert!(heard_inside.try_recv().is_err(), "it was followed");
}

#[test]
fn statuses_are_told_apart() {
    for (answer, expected) in [
        (
            "HTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n",
            Outcome::Gone,
        ),
        (
            "HTTP/1.1 503 Busy\r\nretry-after: 120\r\ncontent-length: 0\r\n\r\n",
            Outcome::Refused(
                StatusCode::SERVICE_UNAVAILABLE,
                Some(Duration::from_secs(120)),
            ),
        ),
        (
            "HTTP/1.1 500 No\r\nretry-after: Wed, 25 Nov 2026\r\ncontent-length: 0\r\n\r\n",
            Outcome::Refused(StatusCode::INTERNAL_SERVER_ERROR, None),
        ),
        ("nonsense\r\n\r\n", Outcome::Unreached(Unreached::Broken)),
        ("", Outcome::Unreached(Unreached::Broken)),
    ] {
        let (address, _heard) = answering(answer);
        assert_eq!(post_to(address), expected, "{answer}");
    }
}

#[test]
fn a_receiver_cannot_make_us_read_without_end() {
    let started = Instant::now();
    let (address, _heard) = receiver(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n");
        while stream.write_all(&[b'a'; 65_536]).is_ok() {}
    });
    assert_eq!(post_to(address), Outcome::Delivered(StatusCode::OK));
    let (address, _heard) = receiver(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream
            .write_all(b"x-more: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")
            .is_ok()
        {}
    });
    assert_eq!(post_to(address), Outcome::Unreached(Unreached::Broken));
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn plain_http_is_refused_to_public_hosts() {
    let client = Client::with_parts(Reach::Public, stub(&["1.1.1.1"], 80), RootCerts::WebPki);
    let target = Target::parse("http://127.0.0.1:1/", Reach::DangerousLoopback).unwrap();
    let post = Post {
        id: String::new(),
        timestamp: String::new(),
        signature: String::new(),
        body: "",
    };
    let outcome = client.post(&target, &post);
    assert_eq!(outcome, Outcome::Unreached(Unreached::Broken));
}
