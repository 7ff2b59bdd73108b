//! The service answers with the same report as scan, and stops politely.

use std::{fs, io::Write as _, time::Duration};

use crate::support::{
    AT, assert_valid, comparable, fixture,
    http::{Answer, connect, get, post, post_form, receive},
    root, run, schema,
    server::Server,
    test_root, text,
};

#[test]
fn it_is_alive_and_ready() {
    let server = Server::start(&[]);
    for path in ["/healthz", "/readyz"] {
        let answer = get(server.address, path);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}

#[test]
fn a_service_without_models_is_alive_and_not_ready() {
    let elsewhere = crate::support::folder();
    let models = elsewhere.path().join("models");
    fs::create_dir(&models).unwrap();
    // A named folder without a model is a wrong set-up; the one that is merely looked in is not.
    let named = run([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--models",
        text(&models),
    ]);
    named.assert_refused(2, "no model is installed");
    let installed = root().join("models");
    let server = Server::start_in(elsewhere.path(), &["--models", text(&installed)]);
    assert_eq!(get(server.address, "/healthz").status, 200);
    get(server.address, "/readyz").assert_problem(503, "no_runtime");
    let bytes = fs::read(fixture("ai_declared_active.jpg")).unwrap();
    let answer = post(server.address, "/v1/analyses", "image/jpeg", &bytes);
    assert_eq!(answer.json()["report"]["verdict"]["code"], "declared_ai");
    assert_eq!(answer.json()["report"]["detection"]["reason"], "no_runtime");
}

#[test]
fn every_fixture_gets_the_same_report_from_scan_and_over_http() {
    let (server, schema, anchor) = (Server::start(&[]), schema(), test_root());
    let scan = [
        "scan",
        "--format",
        "jsonl",
        "--trust",
        text(&anchor),
        "fixtures/media",
    ];
    let reports = run(scan).by_name();
    for (name, expected) in &reports {
        let bytes = fs::read(root().join("fixtures/media").join(name)).unwrap();
        if bytes.is_empty() {
            continue;
        }
        let path = format!("/v1/analyses?name={name}");
        let kind = "application/octet-stream";
        let answer = post(server.address, &path, kind, &bytes);
        assert_eq!(answer.status, 201, "{name}: {answer:?}");
        let analysis = answer.json();
        assert_valid(&schema, &analysis["report"]);
        assert_eq!(
            comparable(&analysis["report"]),
            comparable(expected),
            "{name}"
        );
        assert_eq!(analysis["report"]["media"]["name"], name.as_str());
        let failed = !expected["error"].is_null();
        assert_eq!(
            analysis["status"],
            if failed { "failed" } else { "done" },
            "{name}"
        );
        let id = analysis["id"].as_str().unwrap();
        let location = format!("/v1/analyses/{id}");
        assert_eq!(answer.header("location"), Some(location.as_str()));
        assert!(analysis["external_id"].is_null());
        assert!(analysis["created_at"].as_str().unwrap() > AT);
        assert_eq!(get(server.address, &location).json(), analysis, "{name}");
    }
}

#[test]
fn a_form_gives_the_same_report_as_a_raw_body() {
    let server = Server::start(&[]);
    let bytes = fs::read(fixture("signed_trusted.jpg")).unwrap();
    let raw = post(server.address, "/v1/analyses", "image/jpeg", &bytes);
    let form = post_form(
        server.address,
        &[
            ("name=\"external_id\"", b"case 17"),
            ("name=\"file\"; filename=\"signed.jpg\"", &bytes),
        ],
    );
    assert_eq!(form.status, 201, "{form:?}");
    let (raw, form) = (raw.json(), form.json());
    assert_eq!(comparable(&raw["report"]), comparable(&form["report"]));
    assert_eq!(form["external_id"], "case 17");
    assert_eq!(form["report"]["media"]["name"], "signed.jpg");
    assert_ne!(raw["id"], form["id"]);
}

#[test]
fn a_declared_type_that_disagrees_is_noted() {
    let server = Server::start(&[]);
    let bytes = fs::read(fixture("unsigned.jpg")).unwrap();
    let declared = |path, kind| {
        let answer: Answer = post(server.address, path, kind, &bytes);
        answer.json()["report"]["media"]["declared_kind"].clone()
    };
    assert_eq!(declared("/v1/analyses", "image/png"), "image/png");
    assert!(declared("/v1/analyses", "image/jpeg").is_null());
    assert_eq!(
        declared("/v1/analyses?name=a.png", "application/octet-stream"),
        "image/png"
    );
}

#[test]
fn it_refuses_to_serve_other_machines_without_keys() {
    for listen in ["0.0.0.0:0", "[::]:0"] {
        run(["serve", "--listen", listen]).assert_refused(2, "no API key is configured");
    }
}

#[test]
fn an_address_that_is_taken_is_told() {
    let server = Server::start(&[]);
    let taken = run(["serve", "--listen", &server.address.to_string()]);
    assert_eq!(taken.code, Some(2), "{taken:?}");
    assert!(taken.err.contains("cannot be listened on"), "{taken:?}");
}

#[cfg(unix)]
#[test]
fn a_request_that_is_under_way_is_finished_before_it_stops() {
    let server = Server::start(&[]);
    let address = server.address;
    let bytes = fs::read(fixture("unsigned.jpg")).unwrap();
    let head = format!(
        "POST /v1/analyses HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n",
        bytes.len()
    );
    let mut stream = connect(address);
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&bytes[..100]).unwrap();
    // The head has to be there before the signal is; nothing tells when it is.
    std::thread::sleep(Duration::from_millis(300));
    server.terminate();
    std::thread::sleep(Duration::from_millis(300));
    assert!(
        std::net::TcpStream::connect(address).is_err(),
        "nobody new gets in"
    );
    stream.write_all(&bytes[100..]).unwrap();
    // Accepted for good; it is examined after the next start, if there is one.
    assert_eq!(receive(&mut stream).status, 202);
    assert_eq!(server.wait(Duration::from_secs(10)), Some(0));
}
