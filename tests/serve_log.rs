//! The log: one event, one line of JSON, and nothing of what strangers write. That letters which are no text
//! would come out escaped is tested beside the writer, in `cli/log.rs`.

use std::{fs, path::Path, time::Duration};

use serde_json::Value;

use crate::support::{
    fixture, folder,
    http::{ask, send},
    run,
    server::Server,
    text,
};

/// What each hostile text carries, to be found again.
const MARK: &str = "XYZZY";

/// Line ends and a whole forged event, escape sequences in both spellings, breakers of JSON, letters that
/// reorder text or hide in it, and more than one line may have.
fn hostile_texts() -> Vec<String> {
    [
        "\r\n{\"level\":\"INFO\",\"message\":\"forged\"}\n",
        "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\u{7f}",
        "\"},{\"a\":\"\\\\\"\\u0000\\",
        "\u{202e}gpj.exe\u{2066}\u{200b}\u{feff}\u{2028}\u{e0041}",
    ]
    .map(|text| format!("{MARK}{text}{MARK}"))
    .to_vec()
}

/// Everything a stranger can write into a request: name, external id, metadata, address, method, headers, an
/// idempotency key, names of form fields and files, and a key.
fn write_everywhere(server: &Server, key: &str) {
    let bytes = fs::read(fixture("unsigned.jpg")).unwrap();
    for hostile in hostile_texts() {
        let quoted = percent(&hostile);
        let metadata = percent(&serde_json::json!({ "a": hostile }).to_string());
        let path = format!("/v1/analyses?name={quoted}&external_id={quoted}&metadata={metadata}");
        let auth = format!("Authorization: Bearer {key}\r\nPrefer: wait=30\r\n");
        let kept = ask(server.address, "POST", &path, &auth, &bytes);
        assert_eq!(kept.status, 201, "{kept:?}");
        let bare: String = hostile
            .chars()
            .filter(|letter| !letter.is_control())
            .collect();
        for header in [
            "User-Agent",
            "Idempotency-Key",
            "X-API-Key",
            "Accept",
            "Host",
            "Prefer",
        ] {
            ask(
                server.address,
                "POST",
                "/v1/analyses",
                &format!("{header}: {bare}\r\n"),
                &bytes,
            );
            let keyed = format!("Authorization: Bearer {key}\r\n{header}: {bare}\r\n");
            ask(server.address, "POST", "/v1/analyses", &keyed, &bytes);
        }
        for address in [
            format!("/{quoted}"),
            format!("/v1/analyses/{quoted}?{quoted}={quoted}"),
        ] {
            ask(server.address, "GET", &address, &auth, b"");
        }
        for field in ["name", "filename"] {
            let form = format!(
                "--x\r\nContent-Disposition: form-data; name=\"file\"; {field}=\"{bare}\"\r\n\r\nx\r\n--x--\r\n"
            );
            let headers = format!("{auth}Content-Type: multipart/form-data; boundary=x\r\n");
            ask(
                server.address,
                "POST",
                "/v1/analyses",
                &headers,
                form.as_bytes(),
            );
        }
        // No request at all: what the HTTP library says of it.
        send(
            server.address,
            format!("{bare} / HTTP/1.1\r\n\r\n").as_bytes(),
        );
    }
    let method = format!("{MARK}{}", "A".repeat(1000));
    ask(server.address, &method, "/healthz", "", b"");
}

fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// The events of a service at `level` to which everything was written; it has ended by then.
fn events(level: &[&str]) -> Vec<Value> {
    let folder = folder();
    let (data, log) = (folder.path().join("data"), folder.path().join("log"));
    let made = run([
        "admin",
        "keys",
        "new",
        "--data-dir",
        text(&data),
        "--tenant",
        "one",
        "--scopes",
        "analyse,read",
    ]);
    let key = made.out.lines().last().unwrap().to_owned();
    let args = [&["--data-dir", text(&data), "--no-bundled-trust"], level].concat();
    let server = Server::start_logging(&log, &args);
    write_everywhere(&server, &key);
    server.terminate();
    assert_eq!(server.wait(Duration::from_secs(30)), Some(0));
    let secret = key.rsplit('_').next().unwrap();
    read(&log, secret)
}

fn read(log: &Path, secret: &str) -> Vec<Value> {
    let text = fs::read_to_string(log).unwrap();
    assert!(!text.contains(secret), "a key is in the log");
    let hides = |letter: char| letter != '\n' && !provenance::is_shown(letter);
    assert_eq!(text.chars().find(|letter| hides(*letter)), None);
    text.lines()
        .map(|line| {
            let event: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
            assert!(
                event["level"].is_string() && event["timestamp"].is_string(),
                "{line}"
            );
            assert_ne!(event["message"], "forged");
            event
        })
        .collect()
}

#[test]
fn what_strangers_write_is_not_logged() {
    let events = events(&[]);
    let answered = events
        .iter()
        .filter(|event| event["message"] == "answered a request");
    assert!(answered.count() > 40);
    assert_nothing_hostile(events);
}

#[test]
fn not_even_when_libraries_tell_all_they_see() {
    let events = events(&["--log", "trace"]);
    let ours = |event: &&Value| event["target"].as_str().unwrap().starts_with("server");
    assert!(events.iter().filter(ours).count() < events.len());
    assert_nothing_hostile(events);
}

fn assert_nothing_hostile(events: Vec<Value>) {
    let all = Value::from(events).to_string();
    assert!(!all.contains(MARK), "{all}");
}
