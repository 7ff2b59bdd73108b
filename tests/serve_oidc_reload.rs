//! The keys of an issuer change while the service runs: new ones are taken over at a signal, and bad ones are not.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    folder,
    http::{Answer, ask},
    issuer::{Issuer, SigningKey, claims},
    run,
    server::Server,
    text,
};

#[test]
fn keys_are_rotated_without_a_restart() {
    let folder = folder();
    let (data, log) = (folder.path().join("data"), folder.path().join("log"));
    let made = run(["admin", "--data-dir", text(&data), "tenants", "new", "acme"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let issuer = Issuer::new(folder.path());
    let mut args = vec!["--data-dir", text(&data)];
    args.extend(issuer.args());
    let server = Server::start_in_logging(folder.path(), &log, &args);
    let (first, second) = (&issuer.key, SigningKey::p256("second"));
    let claims = claims("acme", &["read"]);
    let status = |key: &SigningKey| list(&server, &key.token(&claims)).status;
    assert_eq!((status(first), status(&second)), (200, 401));

    issuer.publish(&[first, &second]);
    assert_eq!(status(&second), 401, "nobody looks at the file unasked");
    server.reload();
    wait_for(&log, "took over the rules", 1);
    assert_eq!((status(first), status(&second)), (200, 200));

    issuer.publish(&[&second]);
    server.reload();
    wait_for(&log, "took over the rules", 2);
    assert_eq!((status(first), status(&second)), (401, 200));

    issuer.write("{\"keys\": []}");
    server.reload();
    wait_for(&log, "kept the rules in force", 1);
    assert_eq!((status(first), status(&second)), (401, 200));
}

fn list(server: &Server, token: &str) -> Answer {
    let headers = format!("Authorization: Bearer {token}\r\n");
    ask(server.address, "GET", "/v1/analyses", &headers, b"")
}

fn wait_for(log: &Path, words: &str, times: usize) {
    let started = Instant::now();
    let seen = || fs::read_to_string(log).unwrap_or_default();
    while seen().matches(words).count() < times {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "never logged: {words}"
        );
        thread::sleep(Duration::from_millis(20));
    }
}
