//! What was acknowledged stays: through kills at any moment, repeated requests, and the janitor.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::support::{
    folder,
    http::{ask, get},
    run,
    server::Server,
    text,
};

/// How often the service is killed, and over how many uploads; CI takes few, a release takes 20 and 1,000.
fn size(variable: &str, default: usize) -> usize {
    match std::env::var(variable) {
        Ok(text) => text.parse().expect("a number"),
        Err(_) => default,
    }
}

/// A service without models: its work is quick, and the queue is what is tried here.
fn start(folder: &Path) -> Server {
    let data = folder.join("data");
    Server::start_in(
        folder,
        &[
            "--data-dir",
            text(&data),
            "--queue",
            "5000",
            "--no-bundled-trust",
        ],
    )
}

/// A small picture, different for each number. Every tenth has so much behind it that the service does not
/// keep it in memory while it comes in.
fn picture(number: usize) -> Vec<u8> {
    let pixel = |x: u32, y: u32| {
        let mix = u64::from(x * 31 + y * 17) + u64::try_from(number).unwrap() * 2_654_435_761;
        let byte = |shift: u32| u8::try_from((mix >> shift) & 0xff).unwrap();
        image::Rgb([byte(0), byte(8), byte(16)])
    };
    let picture = image::RgbImage::from_fn(16, 16, pixel);
    let mut bytes = Vec::new();
    picture
        .write_to(
            &mut std::io::Cursor::new(&mut bytes),
            image::ImageFormat::Png,
        )
        .unwrap();
    if number.is_multiple_of(10) {
        bytes.resize(1 << 20, 0);
    }
    bytes
}

/// Sends an upload; `None` when the service went away before its answer was complete.
fn post(address: SocketAddr, key: &str, bytes: &[u8]) -> Option<(u16, Value)> {
    post_with(address, &format!("Idempotency-Key: {key}\r\n"), bytes)
}

fn post_with(address: SocketAddr, headers: &str, bytes: &[u8]) -> Option<(u16, Value)> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .ok()?;
    let head = format!(
        "POST /v1/analyses HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: image/png\r\n{headers}Content-Length: {}\r\n\r\n",
        bytes.len()
    );
    stream.write_all(&[head.as_bytes(), bytes].concat()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_str(body).ok()?))
}

/// Sends one upload until it is acknowledged, as a careful client does: same key, same bytes.
fn deliver(address: &Mutex<SocketAddr>, number: usize) -> String {
    let (key, bytes) = (format!("upload-{number}"), picture(number));
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(120) {
        let address = *address.lock().unwrap();
        match post(address, &key, &bytes) {
            Some((201 | 202, answer)) => return answer["id"].as_str().unwrap().to_owned(),
            Some((429 | 503, _)) | None => thread::sleep(Duration::from_millis(20)),
            Some(other) => panic!("upload {number}: {other:?}"),
        }
    }
    panic!("upload {number} was never acknowledged");
}

fn get_with(address: SocketAddr, path: &str, headers: &str) -> Value {
    let answer = ask(address, "GET", path, headers, b"");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

fn analysis(address: SocketAddr, id: &str) -> Value {
    let answer = get(address, &format!("/v1/analyses/{id}"));
    assert_eq!(answer.status, 200, "{id} was acknowledged: {answer:?}");
    answer.json()
}

/// Waits until each of these has its verdict, and gives all analyses there are.
fn verdicts(
    address: SocketAddr,
    ids: &BTreeSet<String>,
    limit: Duration,
) -> BTreeMap<String, Value> {
    let started = Instant::now();
    loop {
        let all = listed(address);
        let is_final = |id: &String| {
            let status = all.get(id).map(|analysis| analysis["status"].as_str());
            matches!(status, Some(Some("done" | "failed")))
        };
        let missing = ids.iter().filter(|id| !is_final(id)).count();
        if missing == 0 {
            return all;
        }
        assert!(
            started.elapsed() < limit,
            "{missing} without a verdict after {limit:?}"
        );
        thread::sleep(Duration::from_millis(200));
    }
}

/// Every analysis there is. An id that is listed twice is a failure.
fn listed(address: SocketAddr) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    let mut path = "/v1/analyses?limit=100".to_owned();
    loop {
        let page = get(address, &path).json();
        for analysis in page["analyses"].as_array().unwrap() {
            let id = analysis["id"].as_str().unwrap().to_owned();
            assert!(
                all.insert(id, analysis.clone()).is_none(),
                "{analysis} is listed twice"
            );
        }
        match page["next"].as_str() {
            Some(cursor) => path = format!("/v1/analyses?limit=100&cursor={cursor}"),
            None => return all,
        }
    }
}

fn blobs(folder: &Path) -> usize {
    std::fs::read_dir(folder.join("data/blobs"))
        .unwrap()
        .count()
}

/// Waits for the janitor to bring the blobs to this number.
fn assert_blobs(folder: &Path, expected: usize) {
    let started = Instant::now();
    while blobs(folder) != expected {
        let count = blobs(folder);
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "{count} blobs, {expected} expected"
        );
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_was_acknowledged_survives_kills_and_gets_exactly_one_verdict() {
    let (rounds, uploads) = (
        size("BONAFIDE_KILL_ROUNDS", 3),
        size("BONAFIDE_KILL_UPLOADS", 90),
    );
    let folder = folder();
    let server = start(folder.path());
    let address = Mutex::new(server.address);
    let next = AtomicUsize::new(0);
    let acknowledged = Mutex::new(Vec::new());
    let server = thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= uploads {
                        return;
                    }
                    let id = deliver(&address, number);
                    acknowledged.lock().unwrap().push(id);
                }
            });
        }
        kill_often(server, folder.path(), &address, rounds, || {
            acknowledged.lock().unwrap().len() * rounds / uploads
        })
    });
    let acknowledged = acknowledged.into_inner().unwrap();
    let ids: BTreeSet<String> = acknowledged.iter().cloned().collect();
    assert_eq!(ids.len(), uploads, "each upload has an id of its own");
    let found = verdicts(server.address, &ids, Duration::from_secs(60));
    for id in &ids {
        let code = &found[id]["report"]["verdict"]["code"];
        assert!(code.is_string(), "{id}: {}", found[id]);
        assert_eq!(
            analysis(server.address, id),
            found[id],
            "it no longer changes"
        );
    }
    assert_eq!(
        found.len(),
        uploads,
        "no duplicates and nothing that nobody was told of"
    );
    assert_blobs(folder.path(), uploads);
    assert!(
        ids.contains(&deliver(&address, 0)),
        "a repeated request finds it"
    );
}

/// Kills and restarts the service `rounds` times, spread over the uploads by `progress`.
fn kill_often(
    mut server: Server,
    folder: &Path,
    address: &Mutex<SocketAddr>,
    rounds: usize,
    progress: impl Fn() -> usize,
) -> Server {
    for round in 0..rounds {
        let started = Instant::now();
        while progress() < round && started.elapsed() < Duration::from_secs(60) {
            thread::sleep(Duration::from_millis(5));
        }
        // Not always at the same point of the work.
        thread::sleep(Duration::from_millis(
            u64::try_from(round * 37 % 101).unwrap(),
        ));
        // Dropping kills without a word.
        drop(server);
        let started = Instant::now();
        server = start(folder);
        assert_eq!(get(server.address, "/healthz").status, 200);
        let took = started.elapsed();
        assert!(took < Duration::from_secs(5), "the restart took {took:?}");
        *address.lock().unwrap() = server.address;
    }
    server
}

#[test]
fn a_hundred_parallel_repeats_of_one_request_are_one_analysis() {
    let folder = folder();
    let server = start(folder.path());
    let bytes = picture(0);
    let ids: BTreeSet<String> = thread::scope(|scope| {
        let posts: Vec<_> = (0..100)
            .map(|_| scope.spawn(|| post(server.address, "same", &bytes).unwrap()))
            .collect();
        let answers = posts.into_iter().map(|post| post.join().unwrap());
        answers
            .map(|(status, answer)| {
                assert!(matches!(status, 201 | 202), "{status}: {answer}");
                answer["id"].as_str().unwrap().to_owned()
            })
            .collect()
    });
    assert_eq!(ids.len(), 1);
    verdicts(server.address, &ids, Duration::from_secs(20));
    assert_eq!(listed(server.address).len(), 1);
    assert_blobs(folder.path(), 1);
    let (status, problem) = post(server.address, "same", &picture(1)).unwrap();
    assert_eq!(status, 422, "{problem}");
    assert_blobs(folder.path(), 1);
}

#[test]
fn two_services_do_not_share_a_folder() {
    let folder = folder();
    let _server = start(folder.path());
    let data = folder.path().join("data");
    let second = run([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        text(&data),
    ]);
    second.assert_refused(2, "is in use by another");
}

#[test]
fn a_file_goes_when_its_time_is_over_and_its_report_stays() {
    let folder = folder();
    let data = folder.path().join("data");
    let admin = |args: &[&str]| {
        let start = ["admin", "--data-dir", text(&data)];
        let run = run(start.iter().chain(args));
        assert_eq!(run.code, Some(0), "{run:?}");
        run.out.trim().to_owned()
    };
    // The key is made while the service runs, and so is the rule.
    let server = start(folder.path());
    let key = admin(&[
        "keys",
        "new",
        "--tenant",
        "acme",
        "--scopes",
        "analyse,read",
    ]);
    let headers = format!("Authorization: Bearer {key}\r\n");
    let (status, answer) = post_with(server.address, &headers, &picture(0)).unwrap();
    assert!(matches!(status, 201 | 202), "{status}: {answer}");
    let path = format!("/v1/analyses/{}", answer["id"].as_str().unwrap());
    let finished = || {
        let started = Instant::now();
        loop {
            let answer = get_with(server.address, &path, &headers);
            if !answer["report"].is_null() {
                return answer;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "{answer}");
            thread::sleep(Duration::from_millis(20));
        }
    };
    let report = finished();
    admin(&["tenants", "retention", "--tenant", "acme", "--days", "0"]);
    assert_blobs(folder.path(), 1);
    drop(server);
    let server = start(folder.path());
    assert_blobs(folder.path(), 0);
    assert_eq!(get_with(server.address, &path, &headers), report);
}
