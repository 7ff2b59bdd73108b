//! No tenant ever sees another's: every operation of the served description is tried with every key and with a token of
//! every tenant, so that a new route is covered on the day it is added.

use std::{collections::BTreeMap, fs};

use serde_json::Value;

use crate::support::{
    fixture, folder,
    http::{Answer, ask, get},
    issuer::Issuer,
    run,
    server::Server,
    text,
};

const SCOPES: [&str; 4] = ["analyse", "read", "sign", "admin"];
const TENANTS: [&str; 3] = ["acme", "brick", "chalk"];

/// One operation of the description.
#[derive(Debug, Clone)]
struct Operation {
    method: String,
    path: String,
    /// Scopes a key must have; `None` where no key is asked for.
    scopes: Option<Vec<String>>,
}

/// A tenant with one finished upload.
struct Tenant {
    key: String,
    /// Of an issuer, with every scope.
    token: String,
    /// The public part of a second key, which may be rotated.
    spare: String,
    id: String,
    /// Texts that only this tenant may ever be shown.
    marks: Vec<String>,
}

fn operations(server: &Server) -> Vec<Operation> {
    let description = get(server.address, "/openapi.json").json();
    let paths = description["paths"].as_object().unwrap().clone();
    let mut found = Vec::new();
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().unwrap() {
            let scopes = operation["security"][0]["key"].as_array().map(|scopes| {
                scopes
                    .iter()
                    .map(|scope| scope.as_str().unwrap().to_owned())
                    .collect()
            });
            let (method, path) = (method.to_uppercase(), path.clone());
            found.push(Operation {
                method,
                path,
                scopes,
            });
        }
    }
    found
}

fn new_key(data: &str, tenant: &str, scopes: &[&str]) -> String {
    let scopes = scopes.join(",");
    let made = run([
        "admin",
        "keys",
        "new",
        "--data-dir",
        data,
        "--tenant",
        tenant,
        "--scopes",
        &scopes,
    ]);
    assert_eq!(made.code, Some(0), "{made:?}");
    made.out.lines().last().unwrap().to_owned()
}

/// `ids` are those of an analysis and of a key.
fn call(server: &Server, operation: &Operation, ids: [&str; 2], key: Option<&str>) -> Answer {
    let path = operation
        .path
        .replace("{id}", ids[0])
        .replace("{key_id}", ids[1]);
    assert!(
        !path.contains('{'),
        "{operation:?} names something that this test does not know"
    );
    let key = key.map(|key| format!("Authorization: Bearer {key}\r\n"));
    ask(
        server.address,
        &operation.method,
        &path,
        &key.unwrap_or_default(),
        b"",
    )
}

fn tenant(server: &Server, issuer: &Issuer, data: &str, name: &str) -> Tenant {
    let key = new_key(data, name, &SCOPES);
    let spare = new_key(data, name, &["read"]);
    let spare = spare.split('_').nth(1).unwrap().to_owned();
    let bytes = fs::read(fixture("signed_trusted.jpg")).unwrap();
    let external_id = format!("{name}-case");
    let metadata = format!("%7B%22who%22:%22{name}-note%22%7D");
    let path =
        format!("/v1/analyses?name={name}-file.jpg&external_id={external_id}&metadata={metadata}");
    let headers =
        format!("Authorization: Bearer {key}\r\nContent-Type: image/jpeg\r\nPrefer: wait=30\r\n");
    let answer = ask(server.address, "POST", &path, &headers, &bytes);
    assert_eq!(answer.status, 201, "{answer:?}");
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let marks = vec![
        id.clone(),
        spare.clone(),
        external_id,
        format!("{name}-file"),
        format!("{name}-note"),
    ];
    // The same bytes were new to each of them: nobody learns what others have sent.
    assert_eq!(answer.json()["cached"], false);
    Tenant {
        key,
        token: issuer.token(name, &SCOPES),
        spare,
        id,
        marks,
    }
}

fn set_up() -> (tempfile::TempDir, Server, BTreeMap<&'static str, Tenant>) {
    let folder = folder();
    let data = text(folder.path());
    // The service must find tenants when it starts, or it would be open.
    new_key(data, "zero", &["read"]);
    let issuer = Issuer::new(folder.path());
    let server = Server::start(&[&["--data-dir", data][..], &issuer.args()].concat());
    let tenants = TENANTS
        .into_iter()
        .map(|name| (name, tenant(&server, &issuer, data, name)))
        .collect();
    (folder, server, tenants)
}

#[test]
fn no_operation_shows_one_tenant_to_another() {
    let (_folder, server, tenants) = set_up();
    let mut operations = operations(&server);
    operations.retain(|operation| operation.scopes.is_some());
    assert!(operations.len() >= 6, "{operations:?}");
    // Erasures come last, so that there is something to be found until then.
    operations.sort_by_key(|operation| operation.method == "DELETE");
    for operation in &operations {
        for (asking, caller) in &tenants {
            for (asked, owner) in &tenants {
                if asking == asked && operation.method == "DELETE" {
                    continue;
                }
                let ids = [&*owner.id, &owner.spare];
                for credential in [&caller.key, &caller.token] {
                    let answer = call(&server, operation, ids, Some(credential));
                    check(operation, &answer, asking == asked);
                    for other in tenants.iter().filter(|(name, _)| *name != asking) {
                        assert_tells_nothing(&answer, other.1, operation);
                    }
                }
            }
        }
    }
    for (name, owner) in &tenants {
        let path = format!("/v1/analyses/{}", owner.id);
        let key = format!("Authorization: Bearer {}\r\n", owner.key);
        assert_eq!(
            ask(server.address, "GET", &path, &key, b"").status,
            200,
            "{name} is still there"
        );
    }
}

/// The address a caller wrote itself is no news to it.
fn assert_tells_nothing(answer: &Answer, of: &Tenant, operation: &Operation) {
    for mark in &of.marks {
        let told = answer.body.contains(mark.as_str()) || answer.head.contains(mark.as_str());
        assert!(!told, "{mark} is told by {operation:?}: {answer:?}");
    }
}

/// Its owner reaches an id, and for everybody else it was never there.
fn check(operation: &Operation, answer: &Answer, is_own: bool) {
    if !operation.path.contains('{') {
        return;
    }
    if is_own {
        assert!(
            (200..300).contains(&answer.status),
            "{operation:?}: {answer:?}"
        );
    } else {
        answer.assert_problem(404, "not_found");
    }
}

#[test]
fn every_operation_asks_for_a_key_with_its_scope() {
    let folder = folder();
    let data = text(folder.path());
    let mut without: BTreeMap<&str, String> = BTreeMap::new();
    for scope in SCOPES {
        let others: Vec<&str> = SCOPES.into_iter().filter(|other| *other != scope).collect();
        without.insert(scope, new_key(data, "acme", &others));
    }
    let issuer = Issuer::new(folder.path());
    let server = Server::start(&[&["--data-dir", data][..], &issuer.args()].concat());
    for operation in operations(&server) {
        let Some(scopes) = operation.scopes.clone() else {
            let open = ["/healthz", "/readyz", "/openapi.json"];
            assert!(
                open.contains(&operation.path.as_str()),
                "{operation:?} is open"
            );
            continue;
        };
        call(&server, &operation, NOBODY_S, None).assert_problem(401, "unauthorized");
        let forged = format!("bonafide_{}_{}", "0".repeat(12), "0".repeat(64));
        call(&server, &operation, NOBODY_S, Some(&forged)).assert_problem(401, "unauthorized");
        assert!(!scopes.is_empty(), "{operation:?} names no scope");
        for scope in &scopes {
            let key = &without[scope.as_str()];
            call(&server, &operation, NOBODY_S, Some(key)).assert_problem(403, "forbidden_scope");
            let others: Vec<&str> = SCOPES.into_iter().filter(|other| other != scope).collect();
            let token = issuer.token("acme", &others);
            let answer = call(&server, &operation, NOBODY_S, Some(&token));
            answer.assert_problem(403, "forbidden_scope");
        }
    }
}

#[test]
fn a_revoked_key_opens_nothing_from_the_next_request_on() {
    let folder = folder();
    let data = text(folder.path());
    let key = new_key(data, "acme", &["read"]);
    let server = Server::start(&["--data-dir", data]);
    let header = format!("Authorization: Bearer {key}\r\n");
    let list = || ask(server.address, "GET", "/v1/analyses", &header, b"");
    assert_eq!(list().status, 200);
    let id = key.split('_').nth(1).unwrap();
    let revoked = run([
        "admin",
        "keys",
        "revoke",
        "--data-dir",
        data,
        "--tenant",
        "acme",
        id,
    ]);
    assert_eq!(revoked.code, Some(0), "{revoked:?}");
    list().assert_problem(401, "unauthorized");
}

#[test]
fn a_description_names_only_what_is_there() {
    let server = Server::start(&[]);
    for operation in operations(&server) {
        let answer = call(&server, &operation, NOBODY_S, None);
        if operation.path.contains('{') {
            let code: Value = answer.json()["code"].clone();
            let is_known = ["not_found", "forbidden_scope"].contains(&code.as_str().unwrap());
            assert!(is_known, "{operation:?}: {answer:?}");
        } else {
            let is_there = ![404, 405].contains(&answer.status);
            assert!(is_there, "{operation:?}: {answer:?}");
        }
    }
}

/// An analysis and a key that are not there.
const NOBODY_S: [&str; 2] = ["01930000-0000-7000-8000-000000000000", "0123456789ab"];
