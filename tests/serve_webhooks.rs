//! A caller is told when an analysis is finished: signed, more than once if need be, and never inside.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;

use crate::support::{
    fixture,
    http::{Answer, ask, get, post},
    run,
    server::Server,
    text,
};

/// One request as a receiver got it.
struct Told {
    head: String,
    body: String,
}

impl Told {
    fn header(&self, name: &str) -> &str {
        self.head
            .lines()
            .find_map(|line| {
                let (found, value) = line.split_once(": ")?;
                found.eq_ignore_ascii_case(name).then_some(value)
            })
            .unwrap_or_else(|| panic!("no {name} in {}", self.head))
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// How many of the signatures `key` has made.
    fn signatures_by(&self, key: &str) -> usize {
        let bytes = STANDARD.decode(key.strip_prefix("whpk_").unwrap()).unwrap();
        let key = VerifyingKey::from_bytes(&bytes.try_into().unwrap()).unwrap();
        let (id, at) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        let signed = format!("{id}.{at}.{}", self.body);
        let header = self.header("webhook-signature");
        header
            .split(' ')
            .filter(|signature| {
                let encoded = signature.strip_prefix("v1a,").unwrap();
                let bytes: [u8; 64] = STANDARD.decode(encoded).unwrap().try_into().unwrap();
                key.verify_strict(signed.as_bytes(), &Signature::from_bytes(&bytes))
                    .is_ok()
            })
            .count()
    }
}

/// A receiver that answers with these statuses in turn, and with the last one from then on.
fn receiver(statuses: &'static [u16]) -> (SocketAddr, Receiver<Told>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            let request = read_request(&mut stream);
            let status = statuses[number.min(statuses.len() - 1)];
            let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes());
            if tell.send(request).is_err() {
                return;
            }
        }
    });
    (address, told)
}

fn read_request(stream: &mut std::net::TcpStream) -> Told {
    let mut bytes = Vec::new();
    let mut block = [0; 8192];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_lowercase();
            let length = length.split("content-length: ").nth(1).unwrap();
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            if body.len() >= length {
                return Told {
                    head: head.to_owned(),
                    body: body.to_owned(),
                };
            }
        }
        let count = stream.read(&mut block).unwrap();
        assert!(count > 0, "the request ended early");
        bytes.extend_from_slice(&block[..count]);
    }
}

fn next(told: &Receiver<Told>) -> Told {
    told.recv_timeout(Duration::from_secs(30))
        .expect("no webhook came")
}

fn start(data: &tempfile::TempDir) -> Server {
    Server::start(&[
        "--data-dir",
        text(data.path()),
        "--dangerous-webhooks-to-loopback",
    ])
}

fn upload(server: &Server, name: &str, callback: &str) -> Answer {
    let bytes = fs::read(fixture(name)).unwrap();
    let path = format!("/v1/analyses?callback_url={callback}");
    post(server.address, &path, "image/jpeg", &bytes)
}

fn public_keys(answer: &Answer) -> Vec<String> {
    let keys = answer.json()["keys"].as_array().unwrap().clone();
    keys.iter()
        .map(|key| key["key"].as_str().unwrap().to_owned())
        .collect()
}

fn with_key(server: &Server, method: &str, path: &str, key: &str) -> Answer {
    let headers = format!("Authorization: Bearer {key}\r\n");
    ask(server.address, method, path, &headers, b"")
}

fn new_key(data: &tempfile::TempDir, tenant: &str) -> String {
    let made = run([
        "admin",
        "keys",
        "new",
        "--data-dir",
        text(data.path()),
        "--tenant",
        tenant,
        "--scopes",
        "analyse,read,admin",
    ]);
    assert_eq!(made.code, Some(0), "{made:?}");
    made.out.lines().last().unwrap().to_owned()
}

#[test]
fn a_finished_analysis_is_told_as_the_api_gives_it_and_signed() {
    let data = crate::support::folder();
    let server = start(&data);
    let (address, told) = receiver(&[204]);
    let accepted = upload(
        &server,
        "ai_declared_active.jpg",
        &format!("http://{address}/hook"),
    );
    assert_eq!(accepted.status, 201, "{accepted:?}");
    let told = next(&told);
    let mut event = told.json();
    assert_eq!(event["type"], "analysis.completed");
    assert!(event["timestamp"].is_string());
    let fields = event.as_object_mut().unwrap();
    fields.remove("type");
    fields.remove("timestamp");
    let id = accepted.json()["id"].as_str().unwrap().to_owned();
    let given = get(server.address, &format!("/v1/analyses/{id}")).json();
    assert_eq!(event, given);
    assert_eq!(given["report"]["verdict"]["code"], "declared_ai");
    let keys = public_keys(&get(server.address, "/v1/webhook-keys"));
    assert_eq!(keys.len(), 1);
    assert_eq!(told.signatures_by(&keys[0]), 1);
}

#[test]
fn an_answer_from_the_cache_is_told_as_well() {
    let data = crate::support::folder();
    let server = start(&data);
    let (address, told) = receiver(&[200]);
    for cached in [false, true] {
        let accepted = upload(&server, "unsigned.jpg", &format!("http://{address}/"));
        let event = next(&told).json();
        assert_eq!(event["id"], accepted.json()["id"]);
        assert_eq!(event["cached"], cached);
    }
}

#[test]
fn a_receiver_that_fails_is_told_again_under_the_same_id() {
    let data = crate::support::folder();
    let server = start(&data);
    let (address, told) = receiver(&[500, 200]);
    upload(&server, "unsigned.jpg", &format!("http://{address}/"));
    let first = next(&told);
    let started = Instant::now();
    let second = next(&told);
    assert!(
        started.elapsed() >= Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(first.header("webhook-id"), second.header("webhook-id"));
    assert_eq!(first.body, second.body);
    assert_ne!(
        first.header("webhook-timestamp"),
        second.header("webhook-timestamp")
    );
    let delivery = settled(&server, "delivered");
    assert_eq!(delivery["attempts"], 2);
    assert_eq!(delivery["id"], second.header("webhook-id"));
}

#[test]
fn a_receiver_that_is_gone_is_left_alone() {
    let data = crate::support::folder();
    let server = start(&data);
    let (address, told) = receiver(&[410]);
    upload(&server, "unsigned.jpg", &format!("http://{address}/"));
    next(&told);
    let delivery = settled(&server, "dead");
    assert_eq!(
        (&delivery["attempts"], &delivery["last"]),
        (&1.into(), &"gone".into())
    );
}

/// The only delivery, once it stands like that.
fn settled(server: &Server, state: &str) -> Value {
    let started = Instant::now();
    loop {
        let answer = get(server.address, "/v1/webhook-deliveries").json();
        let deliveries = answer["deliveries"].as_array().unwrap();
        assert_eq!(deliveries.len(), 1, "{answer}");
        if deliveries[0]["state"] == state {
            return deliveries[0].clone();
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{answer}");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn an_inner_address_is_refused_before_anything_is_kept() {
    let server = Server::start(&[]);
    let bytes = fs::read(fixture("unsigned.jpg")).unwrap();
    for callback in [
        "http://example.com/",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:7f00:1]/",
        "https://2130706433/",
        "https://metadata.google.internal/",
        "https://user:pw@example.com/",
        "https://example.com:6379/",
        "gopher://example.com/",
    ] {
        let path = format!("/v1/analyses?callback_url={callback}");
        let answer = post(server.address, &path, "image/jpeg", &bytes);
        answer.assert_problem(400, "bad_parameter");
        assert_eq!(answer.json()["pointer"], "/callback_url", "{callback}");
    }
    let list = get(server.address, "/v1/analyses").json();
    assert_eq!(list["analyses"].as_array().unwrap().len(), 0);
}

#[test]
fn each_tenant_has_keys_of_its_own_and_both_sign_after_a_rotation() {
    let data = crate::support::folder();
    let (one, other) = (new_key(&data, "one"), new_key(&data, "other"));
    let server = start(&data);
    let keys = |key| public_keys(&with_key(&server, "GET", "/v1/webhook-keys", key));
    assert_ne!(keys(&one), keys(&other));
    let rotated = with_key(&server, "POST", "/v1/webhook-keys?overlap_hours=1", &one);
    assert_eq!(rotated.status, 201, "{rotated:?}");
    let both = public_keys(&rotated);
    assert_eq!(both.len(), 2);
    assert_eq!(both, keys(&one));
    let ends = rotated.json()["keys"].clone();
    assert!(
        ends[0]["ends_at"].is_null() && ends[1]["ends_at"].is_string(),
        "{ends}"
    );
    let (address, told) = receiver(&[200]);
    let path = format!("/v1/webhook-deliveries?url=http://{address}/");
    assert_eq!(with_key(&server, "POST", &path, &one).status, 202);
    let told = next(&told);
    assert_eq!(told.json()["type"], "webhook.test");
    assert_eq!(
        both.iter()
            .map(|key| told.signatures_by(key))
            .collect::<Vec<_>>(),
        [1, 1]
    );
    assert_eq!(told.signatures_by(&keys(&other)[0]), 0);
}
