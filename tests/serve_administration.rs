//! A tenant's administrator makes, rotates and revokes the tenant's keys over HTTP, and nobody else's.

use serde_json::Value;

use crate::support::{
    folder,
    http::{Answer, ask},
    run,
    server::Server,
    text,
};

/// A service with two tenants, and an administrator's key of each.
struct House {
    server: Server,
    ours: String,
    theirs: String,
    _folder: tempfile::TempDir,
}

fn house() -> House {
    let folder = folder();
    let key = |tenant: &str| {
        let data = ["admin", "--data-dir", text(folder.path())];
        let new = ["keys", "new", "--tenant", tenant, "--scopes", "admin"];
        run(data.iter().chain(&new)).out.trim().to_owned()
    };
    let (ours, theirs) = (key("ours"), key("theirs"));
    let server = Server::start_in(
        folder.path(),
        &["--data-dir", text(folder.path()), "--no-bundled-trust"],
    );
    House {
        server,
        ours,
        theirs,
        _folder: folder,
    }
}

impl House {
    fn ask(&self, key: &str, method: &str, path: &str) -> Answer {
        let key = format!("Authorization: Bearer {key}\r\n");
        ask(self.server.address, method, path, &key, b"")
    }

    /// The keys of `key`'s tenant by id.
    fn keys(&self, key: &str) -> Vec<Value> {
        let answer = self.ask(key, "GET", "/v1/keys");
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()["keys"].as_array().unwrap().clone()
    }

    /// Makes a key and gives its text and its id.
    fn new_key(&self, path: &str) -> (String, String) {
        let answer = self.ask(&self.ours, "POST", path);
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let made = answer.json();
        let word = |name: &str| made[name].as_str().unwrap().to_owned();
        (word("key"), word("id"))
    }
}

#[test]
fn keys_are_made_used_rotated_and_revoked() {
    let house = house();
    let (key, id) = house.new_key("/v1/keys?scopes=read,analyse");
    assert!(key.contains(&id));
    assert_eq!(house.ask(&key, "GET", "/v1/analyses").status, 200);
    house
        .ask(&key, "GET", "/v1/keys")
        .assert_problem(403, "forbidden_scope");
    let listed = house.keys(&house.ours);
    assert_eq!(listed.len(), 2);
    // Two keys of one second are in no order.
    let made = listed.iter().find(|key| key["id"] == id.as_str()).unwrap();
    assert_eq!(made["scopes"], serde_json::json!(["analyse", "read"]));
    let secret = key.rsplit('_').next().unwrap();
    assert!(!Value::from(listed).to_string().contains(secret));

    let (successor, _) = house.new_key(&format!("/v1/keys/{id}?overlap_hours=0"));
    assert_eq!(house.ask(&successor, "GET", "/v1/analyses").status, 200);
    let ended = house.ask(&key, "GET", "/v1/analyses");
    ended.assert_problem(401, "unauthorized");

    let (last, id) = house.new_key("/v1/keys?scopes=read");
    let path = format!("/v1/keys/{id}");
    assert_eq!(house.ask(&house.ours, "DELETE", &path).status, 204);
    let revoked = house.ask(&last, "GET", "/v1/analyses");
    revoked.assert_problem(401, "unauthorized");
    let again = house.ask(&house.ours, "DELETE", &path);
    again.assert_problem(404, "not_found");
}

#[test]
fn another_tenants_keys_are_not_there() {
    let house = house();
    let id = house.keys(&house.ours)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/v1/keys/{id}");
    for method in ["POST", "DELETE"] {
        let answer = house.ask(&house.theirs, method, &path);
        answer.assert_problem(404, "not_found");
    }
    assert_eq!(house.keys(&house.ours).len(), 1, "and nothing was changed");
    assert_eq!(house.keys(&house.theirs).len(), 1);
}

#[test]
fn retention_is_set_by_tenant_and_verdict() {
    let house = house();
    let put = |path: &str| house.ask(&house.ours, "PUT", path);
    assert_eq!(put("/v1/retention?days=7").status, 200);
    let rules = put("/v1/retention?days=90&verdict=altered").json();
    let expected = serde_json::json!([
        { "verdict": null, "days": 7 },
        { "verdict": "altered", "days": 90 },
    ]);
    assert_eq!(rules["rules"], expected);
    assert_eq!(rules["default_days"], 30);
    let theirs = house.ask(&house.theirs, "GET", "/v1/retention").json();
    assert_eq!(theirs["rules"], serde_json::json!([]));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let house = house();
    for (method, path) in [
        ("POST", "/v1/keys"),
        ("POST", "/v1/keys?scopes=write"),
        ("POST", "/v1/keys?scopes=read&scope=read"),
        ("POST", "/v1/keys?scopes=read&expires_at=tomorrow"),
        ("PUT", "/v1/retention"),
        ("PUT", "/v1/retention?days=-1"),
        ("PUT", "/v1/retention?days=36501"),
        ("PUT", "/v1/retention?days=1&verdict=fake"),
    ] {
        let answer = house.ask(&house.ours, method, path);
        answer.assert_problem(400, "bad_parameter");
    }
    assert_eq!(house.keys(&house.ours).len(), 1);
}
