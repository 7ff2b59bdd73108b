//! Tokens of an OpenID Connect issuer beside our own keys: who gets in, who does not, and that nobody is told why. Every
//! refusal is tried beside a token that is accepted.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use crate::support::{
    Run, command, finish, fixture, folder,
    http::{Answer, ask, get},
    issuer::{AUDIENCE, ISSUER, Issuer, SigningKey, claims, hs256, unsigned},
    run,
    server::Server,
    text,
};

/// A folder with a tenant and an issuer. It vanishes with the test.
struct House {
    folder: tempfile::TempDir,
    issuer: Issuer,
}

impl House {
    fn new() -> Self {
        let folder = folder();
        let house = Self {
            issuer: Issuer::new(folder.path()),
            folder,
        };
        let made = run(house.admin(&["tenants", "new", "acme"]));
        assert_eq!(made.code, Some(0), "{made:?}");
        house
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn data(&self) -> String {
        text(&self.path("data")).to_owned()
    }

    fn admin(&self, args: &[&str]) -> Vec<String> {
        let data = self.data();
        let own = ["admin", "--data-dir", &data];
        own.iter()
            .chain(args)
            .map(|arg| (*arg).to_owned())
            .collect()
    }

    fn key(&self, scopes: &str) -> String {
        let made = run(self.admin(&["keys", "new", "--tenant", "acme", "--scopes", scopes]));
        made.out.lines().last().unwrap().to_owned()
    }

    /// The service, without models, and its log.
    fn serve(&self, more: &[&str]) -> (Server, PathBuf) {
        let (data, log) = (self.data(), self.path("log"));
        let mut args = vec!["--data-dir", &data];
        args.extend(self.issuer.args());
        args.extend(more);
        let server = Server::start_in_logging(self.folder.path(), &log, &args);
        (server, log)
    }
}

fn list(server: &Server, token: &str) -> Answer {
    let headers = format!("Authorization: Bearer {token}\r\n");
    ask(server.address, "GET", "/v1/analyses", &headers, b"")
}

#[track_caller]
fn assert_refused(answer: &Answer) {
    answer.assert_problem(401, "invalid_token");
    let challenge = answer.header("www-authenticate");
    assert_eq!(challenge, Some("Bearer error=\"invalid_token\""));
}

#[test]
fn a_token_by_each_algorithm_opens_the_api_and_so_does_a_key() {
    let house = House::new();
    let keys = [
        SigningKey::p256("elliptic"),
        SigningKey::ed25519("edwards"),
        SigningKey::rsa("rivest"),
    ];
    house.issuer.publish(&keys.iter().collect::<Vec<_>>());
    let (server, _) = house.serve(&[]);
    let claims = claims("acme", &["read"]);
    for key in &keys {
        let answer = list(&server, &key.token(&claims));
        assert_eq!(answer.status, 200, "{}: {answer:?}", key.algorithm());
        assert!(answer.header("ratelimit").is_some());
    }
    let header = json!({ "typ": "JWT", "alg": "PS256", "kid": "rivest" });
    let answer = list(&server, &keys[2].token_with(&header, &claims));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(list(&server, &house.key("read")).status, 200);
}

#[test]
fn what_is_no_token_of_the_issuer_is_refused_and_nobody_is_told_why() {
    let house = House::new();
    let (ours, other) = (SigningKey::p256("ours"), SigningKey::p256("ours"));
    let rsa = SigningKey::rsa("rivest");
    house.issuer.publish(&[&ours, &rsa]);
    let (server, log) = house.serve(&[]);
    let right = claims("acme", &["read"]);
    let token = ours.token(&right);
    assert_eq!(list(&server, &token).status, 200);

    let with = |name: &str, value: Value| {
        let mut claims = right.clone();
        claims[name] = value;
        ours.token(&claims)
    };
    let header = |alg: &str, id: &str| json!({ "typ": "at+jwt", "alg": alg, "kid": id });
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let (_, changed) = unsigned(&json!({}), &claims("acme", &["admin"]))
        .split_once('.')
        .map(|(header, claims)| (header.to_owned(), claims.to_owned()))
        .unwrap();
    let public = ours.public();
    let cases = [
        (
            "algorithm",
            format!("{}.", unsigned(&header("none", "ours"), &right)),
        ),
        (
            "algorithm",
            format!("{}.{signature}", unsigned(&header("none", "ours"), &right)),
        ),
        (
            "algorithm",
            hs256(public.to_string().as_bytes(), "ours", &right),
        ),
        (
            "algorithm",
            hs256(public["x"].as_str().unwrap().as_bytes(), "ours", &right),
        ),
        (
            "algorithm",
            ours.token_with(&header("ES384", "ours"), &right),
        ),
        (
            "issuer",
            with("iss", json!("https://login.example/realms/other")),
        ),
        ("audience", with("aud", json!("account"))),
        ("audience", with("aud", json!([]))),
        ("expired", with("exp", json!(1_500_000_000))),
        ("claim", with("exp", json!(null))),
        ("not_yet_valid", with("nbf", json!(4_000_000_000_i64))),
        (
            "unknown_key",
            ours.token_with(&header("ES256", "theirs"), &right),
        ),
        (
            "unknown_key",
            ours.token_with(&header("ES256", "rivest"), &right),
        ),
        (
            "unknown_key",
            ours.token_with(&header("RS256", "ours"), &right),
        ),
        ("signature", other.token(&right)),
        (
            "signature",
            format!("{signed}.{}", &signature[..signature.len() - 2]),
        ),
        ("signature", format!("{signed}.")),
        (
            "signature",
            format!(
                "{}.{changed}.{signature}",
                signed.split_once('.').unwrap().0
            ),
        ),
        ("unknown_tenant", with("bonafide_tenant", json!("brick"))),
        ("unknown_tenant", with("bonafide_tenant", json!(""))),
        (
            "unknown_tenant",
            with(
                "bonafide_tenant",
                json!("00000000-0000-0000-0000-000000000000"),
            ),
        ),
        ("claim", with("bonafide_tenant", json!(["acme"]))),
        ("not_a_token", "hush".to_owned()),
        ("not_a_token", format!("{token}.{signature}")),
        (
            "other_type",
            ours.token_with(
                &json!({ "typ": "logout+jwt", "alg": "ES256", "kid": "ours" }),
                &right,
            ),
        ),
        (
            "critical_header",
            ours.token_with(
                &json!({ "typ": "JWT", "alg": "ES256", "kid": "ours", "crit": ["exp"] }),
                &right,
            ),
        ),
        ("too_long", with("note", json!("x".repeat(8192)))),
    ];
    let mut told = Vec::new();
    for (reason, token) in &cases {
        let answer = list(&server, token);
        assert_eq!(answer.status, 401, "{reason}: {answer:?}");
        assert_refused(&answer);
        told.push(answer.body);
    }
    assert!(told.iter().all(|body| *body == told[0]), "{told:?}");
    // Longer than any request header may be: nobody reads it to its end.
    assert_eq!(list(&server, &"x".repeat(1 << 20)).status, 431);
    assert_eq!(
        list(&server, &token).status,
        200,
        "and the right one still opens"
    );

    let log = fs::read_to_string(log).unwrap();
    let reasons: Vec<String> = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|line| find(&line, "reason"))
        .collect();
    let expected: Vec<&str> = cases.iter().map(|(reason, _)| *reason).collect();
    assert_eq!(reasons, expected);
    for secret in [signed, signature, "hush", "somebody", &*changed] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

/// A text member of a line of the log.
fn find(line: &Value, name: &str) -> Option<String> {
    line.get(name)?.as_str().map(str::to_owned)
}

#[test]
fn a_token_may_do_what_its_scopes_say_and_nothing_else() {
    let house = House::new();
    let (server, _) = house.serve(&[]);
    let bytes = fs::read(fixture("unsigned.jpg")).unwrap();
    let upload = |token: &str| {
        let headers = format!("Authorization: Bearer {token}\r\nContent-Type: image/jpeg\r\n");
        ask(server.address, "POST", "/v1/analyses", &headers, &bytes)
    };
    let both = house.issuer.token("acme", &["analyse", "read"]);
    assert_eq!(upload(&both).status, 202);
    assert_eq!(
        list(&server, &both).json()["analyses"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let reader = house.issuer.token("acme", &["read"]);
    upload(&reader).assert_problem(403, "forbidden_scope");
    for scope in [
        json!(null),
        json!(""),
        json!("read analyse admin"),
        json!("bonafide:admin"),
    ] {
        let mut claims = claims("acme", &[]);
        match scope.is_null() {
            true => drop(claims.as_object_mut().unwrap().remove("scope")),
            false => claims["scope"] = scope,
        }
        let answer = list(&server, &house.issuer.key.token(&claims));
        answer.assert_problem(403, "forbidden_scope");
    }
}

#[test]
fn a_token_is_no_key_and_a_key_is_no_token() {
    let house = House::new();
    let token = house.issuer.token("acme", &["read"]);
    let key = house.key("read");
    let (server, _) = house.serve(&[]);
    assert_eq!(list(&server, &token).status, 200);
    let named = format!("X-API-Key: {token}\r\n");
    let answer = ask(server.address, "GET", "/v1/analyses", &named, b"");
    answer.assert_problem(401, "unauthorized");
    let both = format!("Authorization: Bearer {token}\r\nX-API-Key: {key}\r\n");
    let answer = ask(server.address, "GET", "/v1/analyses", &both, b"");
    answer.assert_problem(401, "unauthorized");
    let answer = list(&server, &format!("bonafide_{token}"));
    answer.assert_problem(401, "unauthorized");
    assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    get(server.address, "/v1/analyses").assert_problem(401, "unauthorized");
    drop(server);

    let without = Server::start_in(house.folder.path(), &["--data-dir", &house.data()]);
    list(&without, &token).assert_problem(401, "unauthorized");
    assert_eq!(list(&without, &key).status, 200);
}

#[test]
fn keys_and_tokens_of_a_tenant_share_its_allowance() {
    let house = House::new();
    let key = house.key("read");
    let token = house.issuer.token("acme", &["read"]);
    let (server, _) = house.serve(&["--requests-per-minute", "3"]);
    assert_eq!(list(&server, &key).status, 200);
    assert_eq!(list(&server, &token).status, 200);
    let other = SigningKey::ed25519("first").token(&claims("acme", &["read"]));
    assert_refused(&list(&server, &other));
    let last = list(&server, &token);
    assert_eq!(last.header("ratelimit"), Some("\"requests\";r=0;t=60"));
    let stopped = list(&server, &token);
    stopped.assert_problem(429, "rate_limited");
    assert!(stopped.header("retry-after").is_some());
}

#[test]
fn an_issuer_shuts_the_door_that_is_open_without_tenants() {
    let folder = folder();
    let open = Server::start_in(folder.path(), &[]);
    assert_eq!(get(open.address, "/v1/analyses").status, 200);
    let issuer = Issuer::new(folder.path());
    let shut = Server::start_in(folder.path(), &issuer.args());
    get(shut.address, "/v1/analyses").assert_problem(401, "unauthorized");
    assert_ne!(get(shut.address, "/").status, 200, "the page");
    assert_refused(&list(&shut, &issuer.token("acme", &["read"])));
}

#[test]
fn what_was_done_with_a_token_is_told_apart_in_the_log_and_names_nobody() {
    let house = House::new();
    let made = run(["keys", "new", "--out", text(&house.path("press"))]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let table = "[serve.signers.acme]\nkey = \"press/signer-key.pem\"\nchain = \"press/signer-chain.pem\"\nprofiles = [\"publish\"]\n";
    fs::write(house.path("bonafide.toml"), table).unwrap();
    let config = house.path("bonafide.toml");
    let (server, log) = house.serve(&["--config", text(&config)]);
    let token = house.issuer.token("acme", &["sign", "admin"]);
    let headers = format!("Authorization: Bearer {token}\r\nContent-Type: image/jpeg\r\n");
    let bytes = fs::read(fixture("unsigned.jpg")).unwrap();
    for (path, body, status) in [
        ("/v1/signatures", &*bytes, 200),
        ("/v1/keys?scopes=read", &b""[..], 201),
    ] {
        let answer = ask(server.address, "POST", path, &headers, body);
        assert_eq!(answer.status, status, "{}: {}", answer.head, answer.body);
    }
    let log = fs::read_to_string(log).unwrap();
    for (words, field) in [("signed a file", "key.id"), ("made an API key", "by")] {
        let line = log.lines().find(|line| line.contains(words)).unwrap();
        let who = find(&serde_json::from_str(line).unwrap(), field).unwrap();
        let digest = who
            .strip_prefix("oidc:")
            .unwrap_or_else(|| panic!("{line}"));
        assert!(digest.len() == 16 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    assert!(!log.contains("somebody"));
}

/// A start that is expected to fail.
fn refused(args: &[&str]) -> Run {
    let mut serve = command();
    serve.args(["serve", "--listen", "127.0.0.1:0"]).args(args);
    finish(&mut serve)
}

#[test]
fn a_service_that_could_not_check_tokens_does_not_start() {
    let folder = folder();
    let issuer = Issuer::new(folder.path());
    let with = |at: usize, value: &str| {
        let mut args = issuer.args().map(str::to_owned);
        args[at] = value.to_owned();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        refused(&args)
    };
    with(1, "http://login.example/realms/news").assert_refused(2, "https address");
    with(1, "login.example").assert_refused(2, "--oidc-issuer");
    with(3, "").assert_refused(2, "audience");
    with(5, "no-such.json").assert_refused(2, "no-such.json");
    for half in [
        &issuer.args()[..2],
        &issuer.args()[..4],
        &issuer.args()[2..],
    ] {
        refused(half).assert_refused(2, "--oidc-audience");
    }
    refused(&["--oidc-tenant-claim", "org"]).assert_refused(2, "--oidc-issuer");
    let private = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "hush" }] });
    let secret = json!({ "keys": [{ "kty": "oct", "k": "hush" }] });
    let unsupported = json!({ "keys": [{ "kty": "EC", "crv": "P-521", "x": "AA", "y": "AA" }] });
    for (file, word) in [
        ("", "JWK Set"),
        ("{\"keys\": \"hush\"}", "line 1"),
        (&*private.to_string(), "key 1 has a private"),
        (&*secret.to_string(), "key 1 has a private"),
        (&*unsupported.to_string(), "ES256"),
        (&*" ".repeat(300_000), "more than"),
    ] {
        issuer.write(file);
        let run = refused(&issuer.args());
        run.assert_refused(2, word);
        assert!(!run.err.contains("hush"), "{run:?}");
    }
}

#[test]
fn the_configuration_file_names_an_issuer_as_well() {
    let house = House::new();
    let text_of_file = format!(
        "[serve]\noidc_issuer = \"{ISSUER}\"\noidc_audience = \"{AUDIENCE}\"\noidc_keys = \"issuer.json\"\noidc_tenant_claim = \"https://example.com/desk\"\n"
    );
    let config = house.path("bonafide.toml");
    fs::write(&config, text_of_file).unwrap();
    let args = ["--config", text(&config), "--data-dir", &house.data()];
    let server = Server::start_in(house.folder.path(), &args);
    let mut claims = claims("nobody", &["read"]);
    assert_refused(&list(&server, &house.issuer.key.token(&claims)));
    claims["https://example.com/desk"] = json!("acme");
    let answer = list(&server, &house.issuer.key.token(&claims));
    assert_eq!(answer.status, 200, "{answer:?}");
}
