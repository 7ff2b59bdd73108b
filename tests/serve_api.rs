//! The contract of the API: what is answered, with which status, and in which shape.

use std::{
    fs,
    io::{Read as _, Write as _},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{
    fixture,
    http::{Answer, ask, connect, get, post, post_form, receive},
    run,
    server::Server,
    text,
};

const UPLOADS: &str = "/v1/analyses";

fn signed() -> Vec<u8> {
    fs::read(fixture("signed_trusted.jpg")).unwrap()
}

fn upload(server: &Server, headers: &str, bytes: &[u8]) -> Answer {
    let headers = format!("Content-Type: image/jpeg\r\n{headers}");
    ask(server.address, "POST", UPLOADS, &headers, bytes)
}

/// Asks until the analysis is finished.
fn finished(server: &Server, id: &str) -> Value {
    let started = Instant::now();
    loop {
        let analysis = get(server.address, &format!("{UPLOADS}/{id}")).json();
        if ["done", "failed"].contains(&analysis["status"].as_str().unwrap()) {
            return analysis;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{analysis}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The head and the body of an answer whose body is no text.
fn get_bytes(server: &Server, path: &str) -> (String, Vec<u8>) {
    let mut stream = connect(server.address);
    let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let mut starts = answer.windows(4);
    let split = starts.position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&answer[..split]).into_owned();
    (head, answer.split_off(split + 4))
}

#[test]
fn an_upload_is_accepted_at_once_and_finished_later() {
    let server = Server::start(&[]);
    let accepted = upload(&server, "", &signed());
    assert_eq!(accepted.status, 202, "{accepted:?}");
    let analysis = accepted.json();
    let id = analysis["id"].as_str().unwrap();
    assert_eq!(
        accepted.header("location"),
        Some(format!("{UPLOADS}/{id}").as_str())
    );
    assert!(["queued", "running"].contains(&analysis["status"].as_str().unwrap()));
    assert_eq!(analysis["report"], Value::Null);
    assert_eq!(analysis["cached"], false);
    let analysis = finished(&server, id);
    assert_eq!(analysis["report"]["schema"], "bonafide.report/1");
    assert_eq!(analysis["report"]["media"]["name"], "upload");
}

#[test]
fn whoever_waits_gets_the_finished_analysis_and_the_wait_is_told() {
    let server = Server::start(&[]);
    let answer = upload(&server, "Prefer: respond-async, wait=3600\r\n", &signed());
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.header("preference-applied"), Some("wait=30"));
    assert_eq!(answer.json()["status"], "done");
    // No time at all is not enough, and the same bytes are answered from the cache.
    let bytes = fs::read(fixture("unsigned.jpg")).unwrap();
    assert_eq!(upload(&server, "Prefer: wait=0\r\n", &bytes).status, 202);
    let again = upload(&server, "Prefer: wait=0\r\n", &signed());
    assert_eq!(again.status, 201, "{again:?}");
    assert_eq!(again.json()["cached"], true);
    assert_ne!(again.json()["id"], answer.json()["id"]);
}

#[test]
fn what_stands_beside_the_file_is_given_back() {
    let server = Server::start(&[]);
    let bytes = signed();
    let expected = json!({ "case": [17], "ü": null });
    let metadata = expected.to_string();
    let form = post_form(
        server.address,
        &[
            ("name=\"external_id\"", b"case 17"),
            ("name=\"declared_ai\"", b"true"),
            ("name=\"metadata\"", metadata.as_bytes()),
            ("name=\"file\"; filename=\"a.jpg\"", &bytes),
        ],
    );
    let query = "name=b.jpg&external_id=case+18&declared_ai=false&metadata=%7B%7D";
    let raw = post(
        server.address,
        &format!("{UPLOADS}?{query}"),
        "image/jpeg",
        &bytes,
    );
    let (form, raw) = (form.json(), raw.json());
    assert_eq!(form["metadata"], expected);
    assert_eq!(
        (&form["external_id"], &form["declared_ai"]),
        (&json!("case 17"), &json!(true))
    );
    assert_eq!(form["report"]["media"]["name"], "a.jpg");
    assert_eq!(raw["metadata"], json!({}));
    assert_eq!(
        (&raw["external_id"], &raw["declared_ai"]),
        (&json!("case 18"), &json!(false))
    );
    assert_eq!(raw["report"]["media"]["name"], "b.jpg");
}

#[test]
fn a_repeated_request_is_the_same_analysis_and_another_one_is_refused() {
    let server = Server::start(&[]);
    let key = "Idempotency-Key: \"order-17\"\r\n";
    let first = upload(&server, key, &signed());
    assert_eq!(first.status, 202, "{first:?}");
    let id = first.json()["id"].as_str().unwrap().to_owned();
    finished(&server, &id);
    let again = upload(&server, key, &signed());
    assert_eq!(again.json()["id"], id.as_str());
    assert_eq!(again.json()["status"], "done");
    let other = fs::read(fixture("unsigned.jpg")).unwrap();
    upload(&server, key, &other).assert_problem(422, "idempotency_key_reused");
    let headers = format!("Content-Type: image/jpeg\r\n{key}");
    let renamed = ask(
        server.address,
        "POST",
        "/v1/analyses?name=b.jpg",
        &headers,
        &signed(),
    );
    renamed.assert_problem(422, "idempotency_key_reused");
    let list = get(server.address, UPLOADS).json();
    assert_eq!(list["analyses"].as_array().unwrap().len(), 1, "{list}");
}

#[test]
fn a_list_is_read_page_by_page_and_filtered() {
    let server = Server::start(&[]);
    let mut ids = Vec::new();
    for (name, external_id) in [
        ("signed_trusted.jpg", "a"),
        ("unsigned.jpg", "b"),
        ("ai_declared_active.jpg", "b"),
    ] {
        let bytes = fs::read(fixture(name)).unwrap();
        let path = format!("{UPLOADS}?external_id={external_id}");
        let analysis = post(server.address, &path, "image/jpeg", &bytes).json();
        ids.insert(0, analysis["id"].as_str().unwrap().to_owned());
    }
    let page = |query: &str| {
        let page = get(server.address, &format!("{UPLOADS}?{query}")).json();
        let found: Vec<String> = page["analyses"]
            .as_array()
            .unwrap_or_else(|| panic!("{query}: {page}"))
            .iter()
            .map(|analysis| analysis["id"].as_str().unwrap().to_owned())
            .collect();
        (found, page["next"].as_str().map(str::to_owned))
    };
    assert_eq!(page(""), (ids.clone(), None));
    let (first, next) = page("limit=2");
    assert_eq!(first, ids[..2]);
    let cursor = next.unwrap();
    assert!(!cursor.contains(&ids[1]), "cursors mean nothing to callers");
    assert_eq!(
        page(&format!("limit=2&cursor={cursor}")),
        (ids[2..].to_vec(), None)
    );
    assert_eq!(page("external_id=b").0, ids[..2]);
    assert_eq!(page("verdict=declared_ai").0, ids[..1]);
    assert_eq!(page("since=2026-01-01T00:00:00Z").0, ids);
    assert!(page("since=2999-01-01T00:00:00Z").0.is_empty());
    for query in [
        "cursor=x",
        "limit=0",
        "limit=101",
        "verdict=fake",
        "since=now",
        "page=2",
    ] {
        let answer = get(server.address, &format!("{UPLOADS}?{query}"));
        answer.assert_problem(400, "bad_parameter");
    }
}

#[test]
fn what_is_erased_is_gone_and_its_id_says_so() {
    let server = Server::start(&[]);
    let analysis = post(
        server.address,
        "/v1/analyses?name=secret.jpg",
        "image/jpeg",
        &signed(),
    )
    .json();
    let path = format!("{UPLOADS}/{}", analysis["id"].as_str().unwrap());
    for _ in 0..2 {
        let answer = ask(server.address, "DELETE", &path, "", b"");
        assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    }
    for path in [
        path.clone(),
        format!("{path}/events"),
        format!("{path}/manifest"),
        format!("{path}/heatmap"),
    ] {
        get(server.address, &path).assert_problem(410, "erased");
    }
    let list = get(server.address, UPLOADS);
    assert_eq!(list.json()["analyses"], json!([]));
    let unknown = format!("{UPLOADS}/01930000-0000-7000-8000-000000000000");
    ask(server.address, "DELETE", &unknown, "", b"").assert_problem(404, "not_found");
}

#[test]
fn the_manifest_comes_out_as_the_file_carries_it() {
    let server = Server::start(&[]);
    let bytes = signed();
    let id = |bytes: &[u8]| {
        let analysis = post(server.address, UPLOADS, "image/jpeg", bytes).json();
        analysis["id"].as_str().unwrap().to_owned()
    };
    let path = |id: &str| format!("{UPLOADS}/{id}/manifest");
    let (head, store) = get_bytes(&server, &path(&id(&bytes)));
    assert!(
        head.starts_with("HTTP/1.1 200 ") && head.contains("content-type: application/c2pa"),
        "{head}"
    );
    // A JPEG segment holds at most 64 KiB, so that a small store stands in the file in one piece.
    assert_eq!(&store[4..8], b"jumb");
    assert!(bytes.windows(store.len()).any(|window| window == store));
    // And it says the same when it is sent as a file of its own.
    let alone = post(server.address, UPLOADS, "application/c2pa", &store).json();
    let manifests = &alone["report"]["provenance"]["manifests"];
    assert!(!manifests.as_array().unwrap().is_empty(), "{alone}");

    let unsigned = id(&fs::read(fixture("unsigned.jpg")).unwrap());
    get(server.address, &path(&unsigned)).assert_problem(404, "no_manifest");
}

#[test]
fn a_heat_map_is_drawn_of_finished_pictures_whose_pixels_were_scored() {
    let server = Server::start(&["--jobs", "1"]);
    let path = |id: &Value| format!("{UPLOADS}/{}/heatmap", id.as_str().unwrap());
    let analysis = post(server.address, UPLOADS, "image/jpeg", &signed()).json();
    if analysis["report"]["engine"]["models"] == json!([]) {
        println!("SKIPPED in part: no model is installed, so no heat map was drawn");
    } else {
        let (head, png) = get_bytes(&server, &path(&analysis["id"]));
        let is_png = head.contains("content-type: image/png") && png.starts_with(b"\x89PNG\r\n");
        assert!(head.starts_with("HTTP/1.1 200 ") && is_png, "{head}");
    }
    let damaged = post(server.address, UPLOADS, "image/jpeg", b"no picture").json();
    get(server.address, &path(&damaged["id"])).assert_problem(404, "no_heatmap");
    let unknown = json!("01930000-0000-7000-8000-000000000000");
    get(server.address, &path(&unknown)).assert_problem(404, "not_found");
    let slow = upload(&server, "", &large_picture()).json();
    get(server.address, &path(&slow["id"])).assert_problem(409, "unfinished");
}

#[test]
fn a_stream_tells_each_step_and_ends_with_the_last() {
    let server = Server::start(&[]);
    let accepted = upload(&server, "", &signed()).json();
    let path = format!("{UPLOADS}/{}/events", accepted["id"].as_str().unwrap());
    let answer = get(server.address, &path);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let told: Vec<&str> = answer
        .body
        .lines()
        .filter_map(|line| line.strip_prefix("event: "))
        .collect();
    let steps = ["queued", "running", "done"];
    let at: Vec<usize> = told
        .iter()
        .map(|word| steps.iter().position(|step| step == word).unwrap())
        .collect();
    assert!(at.is_sorted_by(|before, after| before < after), "{told:?}");
    assert_eq!(told.last(), Some(&"done"));
    let data = answer
        .body
        .lines()
        .rfind(|line| line.starts_with("data: "))
        .unwrap();
    let analysis: Value = serde_json::from_str(&data["data: ".len()..]).unwrap();
    assert_eq!(analysis["report"]["schema"], "bonafide.report/1");
    let unknown = format!("{UPLOADS}/01930000-0000-7000-8000-000000000000/events");
    get(server.address, &unknown).assert_problem(404, "not_found");
}

#[test]
fn a_full_queue_refuses_before_the_body_is_there() {
    let server = Server::start(&["--queue", "0", "--jobs", "1"]);
    let slow = large_picture();
    assert_eq!(upload(&server, "", &slow).status, 202);
    let refused = upload(&server, "", &signed());
    refused.assert_problem(503, "busy");
    assert_eq!(refused.header("retry-after"), Some("1"));
    let mut stream = connect(server.address);
    let head = "POST /v1/analyses HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: image/jpeg\r\nContent-Length: 1000000\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    receive(&mut stream).assert_problem(503, "busy");
    let id = get(server.address, UPLOADS).json()["analyses"][0]["id"].clone();
    finished(&server, id.as_str().unwrap());
    assert_eq!(upload(&server, "", &signed()).status, 202, "it recovers");
}

/// Keeps an examiner busy for some hundred milliseconds at least.
fn large_picture() -> Vec<u8> {
    let pixel = |x: u32, y: u32| image::Luma([(x.wrapping_mul(y) >> 3).to_le_bytes()[0]]);
    let picture = image::GrayImage::from_fn(6000, 5000, pixel);
    let mut bytes = Vec::new();
    picture
        .write_to(
            &mut std::io::Cursor::new(&mut bytes),
            image::ImageFormat::Bmp,
        )
        .unwrap();
    bytes
}

#[test]
fn whoever_asks_too_often_is_told_when_to_come_back() {
    let server = Server::start(&["--requests-per-minute", "3"]);
    for left in ["2", "1", "0"] {
        let answer = get(server.address, UPLOADS);
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(
            answer.header("ratelimit-policy"),
            Some("\"requests\";q=3;w=60")
        );
        let now = answer.header("ratelimit").unwrap();
        assert!(
            now.starts_with(&format!("\"requests\";r={left};t=")),
            "{now}"
        );
    }
    let stopped = get(server.address, UPLOADS);
    stopped.assert_problem(429, "rate_limited");
    let wait: u64 = stopped.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    // The service itself is always there.
    assert_eq!(get(server.address, "/healthz").status, 200);
}

#[test]
fn a_web_site_in_a_browser_is_nobody_on_this_machine() {
    let server = Server::start(&[]);
    let kind = "Content-Type: image/jpeg\r\nSec-Fetch-Site: cross-site\r\n";
    let foreign = ask(server.address, "POST", UPLOADS, kind, &signed());
    foreign.assert_problem(401, "unauthorized");
    let mut stream = connect(server.address);
    let rebound = "GET /v1/analyses HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    stream.write_all(rebound.as_bytes()).unwrap();
    receive(&mut stream).assert_problem(401, "unauthorized");
}

#[test]
fn every_problem_says_what_to_do_in_one_shape() {
    let server = Server::start(&[]);
    let address = server.address;
    let unknown = "/v1/analyses/01930000-0000-7000-8000-000000000000";
    for (answer, expected) in [
        (
            get(address, unknown),
            json!({
                "type": "https://bonafide.invalid/problems/not-found",
                "title": "Not found",
                "status": 404,
                "code": "not_found",
                "detail": "There is nothing at this address.",
            }),
        ),
        (
            ask(address, "POST", unknown, "", b""),
            json!({
                "type": "https://bonafide.invalid/problems/method-not-allowed",
                "title": "Method not allowed",
                "status": 405,
                "code": "method_not_allowed",
                "detail": "This address does not take this method.",
            }),
        ),
        (
            get(address, "/v1/analyses?limit=0"),
            json!({
                "type": "https://bonafide.invalid/problems/bad-parameter",
                "title": "Parameter not understood",
                "status": 400,
                "code": "bad_parameter",
                "detail": "A page has 1 to 100 analyses.",
                "pointer": "/limit",
            }),
        ),
        (
            ask(
                address,
                "GET",
                UPLOADS,
                "Authorization: Bearer nothing\r\n",
                b"",
            ),
            json!({
                "type": "https://bonafide.invalid/problems/unauthorized",
                "title": "Not authenticated",
                "status": 401,
                "code": "unauthorized",
                "detail": "The request carries no valid key. Send it as \"Authorization: Bearer KEY\".",
            }),
        ),
        (
            post(address, UPLOADS, "image/jpeg", b""),
            json!({
                "type": "https://bonafide.invalid/problems/empty",
                "title": "Nothing uploaded",
                "status": 400,
                "code": "empty",
                "detail": "The upload has no bytes. Send the file as the body, or as the multipart field \"file\".",
                "pointer": "/file",
            }),
        ),
    ] {
        assert_eq!(answer.json(), expected, "{answer:?}");
        answer.assert_problem(
            u16::try_from(expected["status"].as_u64().unwrap()).unwrap(),
            expected["code"].as_str().unwrap(),
        );
        assert!(answer.header("x-request-id").is_some(), "{answer:?}");
    }
}

#[test]
fn the_first_tenant_closes_the_open_door() {
    let folder = crate::support::folder();
    let data = text(folder.path());
    let server = Server::start(&["--data-dir", data]);
    assert_eq!(get(server.address, UPLOADS).status, 200);
    let made = run([
        "admin",
        "keys",
        "new",
        "--data-dir",
        data,
        "--tenant",
        "acme",
        "--scopes",
        "read",
    ]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let key = made.out.lines().last().unwrap();
    let refused = get(server.address, UPLOADS);
    refused.assert_problem(401, "unauthorized");
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    for header in [
        format!("Authorization: Bearer {key}\r\n"),
        format!("X-API-Key: {key}\r\n"),
    ] {
        assert_eq!(
            ask(server.address, "GET", UPLOADS, &header, b"").status,
            200
        );
    }
}
