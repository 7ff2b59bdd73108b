//! What an operator needs: figures, readiness, and new rules without a restart.

use std::{
    fs,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::support::{
    fixture,
    http::{ask, get, post},
    run,
    server::Server,
    system, text,
};

fn metrics(server: &Server) -> String {
    let answer = get(server.address, "/metrics");
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

fn value(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(series))?;
    line.rsplit_once(' ')?.1.parse().ok()
}

fn upload(server: &Server, name: &str, comment: &str) -> serde_json::Value {
    let bytes = fs::read(fixture("ai_declared_active.jpg")).unwrap();
    let path = format!("/v1/analyses?name={name}&external_id={comment}");
    let answer = post(server.address, &path, "image/jpeg", &bytes);
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

#[test]
fn what_was_done_is_counted_and_no_label_is_a_stranger_s() {
    let server = Server::start(&[]);
    upload(&server, "XYZZY.jpg", "XYZZY");
    get(server.address, "/XYZZY?XYZZY");
    let text = metrics(&server);
    let verdict = "bonafide_verdicts_total{verdict=\"declared_ai\"}";
    assert_eq!(value(&text, verdict), Some(1.0), "{text}");
    let stage = "bonafide_stage_seconds_count{stage=\"provenance\"}";
    assert_eq!(value(&text, stage), Some(1.0));
    let answered =
        "bonafide_http_requests_total{method=\"POST\",route=\"/v1/analyses\",status=\"201\"}";
    assert_eq!(value(&text, answered), Some(1.0));
    assert_eq!(
        value(&text, "bonafide_backlog{what=\"jobs_waiting\"}"),
        Some(0.0)
    );
    assert!(value(&text, "bonafide_data_free_bytes").unwrap() > 0.0);
    assert!(value(&text, "bonafide_blob_bytes").unwrap() > 0.0);
    assert!(!text.contains("XYZZY"), "{text}");
}

#[test]
fn figures_are_for_administrators_once_there_are_tenants() {
    let data = crate::support::folder();
    let key = |scopes| {
        let made = run([
            "admin",
            "keys",
            "new",
            "--data-dir",
            text(data.path()),
            "--tenant",
            "one",
            "--scopes",
            scopes,
        ]);
        made.out.lines().last().unwrap().to_owned()
    };
    let (reader, admin) = (key("analyse,read"), key("admin"));
    let server = Server::start(&["--data-dir", text(data.path())]);
    get(server.address, "/metrics").assert_problem(401, "unauthorized");
    let figures = |key: &str| {
        let headers = format!("Authorization: Bearer {key}\r\n");
        ask(server.address, "GET", "/metrics", &headers, b"")
    };
    figures(&reader).assert_problem(403, "forbidden_scope");
    assert_eq!(figures(&admin).status, 200);
}

#[test]
fn readiness_says_what_it_looked_at() {
    let server = Server::start(&[]);
    let ready = get(server.address, "/readyz");
    assert_eq!(ready.status, 200, "{ready:?}");
    let ready = ready.json();
    assert_eq!(ready["status"], "ready");
    assert!(!ready["models"].as_array().unwrap().is_empty(), "{ready}");
    assert!(
        ready["trust_lists"]
            .as_array()
            .unwrap()
            .iter()
            .any(|list| list["name"] == "c2pa"),
        "{ready}"
    );
    assert!(ready["free_bytes"].as_u64().unwrap() > 0, "{ready}");
}

#[test]
fn a_service_without_room_on_its_disk_is_not_ready() {
    let server = Server::start(&["--min-free-bytes", "18446744073709551615"]);
    get(server.address, "/readyz").assert_problem(503, "disk_full");
}

#[cfg(target_os = "linux")]
#[test]
fn a_crash_leaves_no_picture_of_its_memory() {
    let server = Server::start(&[]);
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let fields: Vec<&str> = core.unwrap().split_whitespace().collect();
    assert_eq!(fields[4..6], ["0", "0"], "{fields:?}");
}

#[cfg(unix)]
#[test]
fn new_rules_are_taken_over_without_a_restart_and_bad_ones_are_not() {
    let folder = crate::support::folder();
    let policy = folder.path().join("policy.toml");
    let write = |text: &str| fs::write(&policy, text).unwrap();
    let log = folder.path().join("log");
    write(&policy_text("first"));
    let server = Server::start_logging(&log, &["--policy", text(&policy)]);
    let name = |at: usize| {
        let report = upload(&server, "a.jpg", &at.to_string());
        report["report"]["engine"]["policy"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(name(0).starts_with("first@"));
    write(&policy_text("second"));
    server.reload();
    wait_for(&log, "took over");
    assert!(name(1).starts_with("second@"));
    write("nonsense = [");
    server.reload();
    wait_for(&log, "kept the rules in force");
    assert!(name(2).starts_with("second@"));
    let checked = system("kill", &["-0", &server.id()]);
    assert!(checked, "the service ended");
}

fn policy_text(name: &str) -> String {
    format!("name = \"{name}\"\n")
}

fn wait_for(log: &Path, words: &str) {
    let started = Instant::now();
    while !fs::read_to_string(log).unwrap_or_default().contains(words) {
        assert!(
            started.elapsed() < Duration::from_secs(20),
            "never logged: {words}"
        );
        thread::sleep(Duration::from_millis(20));
    }
}
