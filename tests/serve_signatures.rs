//! `POST /v1/signatures`: a tenant's own key signs what the tenant sends, and nothing else is signed. Every refusal is
//! tried beside a request that is granted.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::support::{
    Run, command, finish, fixture, folder,
    http::{Answer, ask, ask_bytes},
    run,
    server::Server,
    text,
    workshop::holds,
};

/// A folder with what two tenants sign with. It vanishes with the test.
struct Press {
    folder: tempfile::TempDir,
}

/// A profile of a tenant's own.
const DESK: &str = "statement = \"ai\"\nrights = \"The desk\"\n[generator]\nname = \"Painter\"\n";

impl Press {
    /// `acme` may publish and label its AI pictures, `brick` may publish; `chalk` has no signer.
    fn new() -> Self {
        let press = Self { folder: folder() };
        for tenant in ["acme", "brick"] {
            let (organisation, out) = (format!("{tenant} press"), press.path(tenant));
            let made = run([
                "keys",
                "new",
                "--organisation",
                &organisation,
                "--out",
                text(&out),
            ]);
            assert_eq!(made.code, Some(0), "{made:?}");
        }
        fs::write(press.path("acme/desk.toml"), DESK).unwrap();
        let tables = [
            table("acme", "[\"publish\", \"acme/desk.toml\"]"),
            table("brick", "[\"publish\"]"),
        ];
        press.configure(&tables.concat());
        press
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self, tables: &str) {
        fs::write(self.path("bonafide.toml"), tables).unwrap();
    }

    /// A new API key.
    fn key(&self, tenant: &str, scopes: &str) -> String {
        let data = self.path("data");
        let made = run([
            "admin",
            "keys",
            "new",
            "--data-dir",
            text(&data),
            "--tenant",
            tenant,
            "--scopes",
            scopes,
        ]);
        assert_eq!(made.code, Some(0), "{made:?}");
        made.out.lines().last().unwrap().to_owned()
    }

    fn arguments(&self) -> [String; 4] {
        let path = |name: &str| text(&self.path(name)).to_owned();
        let (config, data) = (path("bonafide.toml"), path("data"));
        ["--config".to_owned(), config, "--data-dir".to_owned(), data]
    }

    /// The service, without models: it only signs here.
    fn serve(&self, more: &[&str]) -> Server {
        let own = self.arguments();
        let own = own.iter().map(String::as_str);
        let all: Vec<&str> = own.chain(more.iter().copied()).collect();
        Server::start_in(self.folder.path(), &all)
    }

    /// A start that is expected to fail.
    fn refused(&self) -> Run {
        let mut serve = command();
        serve
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(self.arguments());
        finish(&mut serve)
    }

    /// What a reader finds who trusts the CA of `tenant`.
    fn verify(&self, file: &Path, tenant: &str) -> serde_json::Value {
        let anchor = self.path(tenant).join("ca-cert.pem");
        let run = run(["verify", "--json", "--trust", text(&anchor), text(file)]);
        assert_eq!(run.code, Some(0), "{run:?}");
        serde_json::from_str(&run.out).unwrap()
    }
}

fn table(tenant: &str, profiles: &str) -> String {
    format!(
        "[serve.signers.{tenant}]\nkey = \"{tenant}/signer-key.pem\"\nchain = \"{tenant}/signer-chain.pem\"\nprofiles = {profiles}\n"
    )
}

fn headers(key: &str, kind: &str) -> String {
    format!("Authorization: Bearer {key}\r\nContent-Type: {kind}\r\n")
}

/// Asks for a signature that is expected to be refused.
fn post(server: &Server, key: &str, query: &str, body: &[u8]) -> Answer {
    let (path, headers) = (format!("/v1/signatures{query}"), headers(key, "image/jpeg"));
    ask(server.address, "POST", &path, &headers, body)
}

/// Has `body` signed and puts the result at `to`; its headers.
fn signed(server: &Server, key: &str, query: &str, body: &[u8], to: &Path) -> Answer {
    let (path, headers) = (format!("/v1/signatures{query}"), headers(key, "image/jpeg"));
    let (answer, bytes) = ask_bytes(server.address, "POST", &path, &headers, body);
    assert_eq!(answer.status, 200, "{}: {}", answer.head, answer.body);
    fs::write(to, bytes).unwrap();
    answer
}

#[test]
fn a_tenant_s_file_comes_back_signed_and_the_log_knows() {
    let press = Press::new();
    let (acme, brick) = (press.key("acme", "sign"), press.key("brick", "sign"));
    let log = press.path("log");
    let arguments = press.arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let server = Server::start_logging(&log, &arguments);
    let original = fs::read(fixture("unsigned.jpg")).unwrap();
    let (made, published) = (press.path("made.jpg"), press.path("published.jpg"));

    let query = "?profile=desk&title=Harbour%20at%20noon&author=Jo%20Doe&no_train=true";
    let answer = signed(&server, &acme, query, &original, &made);
    assert_eq!(answer.header("content-type"), Some("image/jpeg"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let found = press.verify(&made, "acme");
    assert!(holds(&found), "{found}");
    assert_eq!(found["signer"]["status"], "local");
    assert_eq!(found["signer"]["organisation"], "acme press");
    assert_eq!(found["ai"]["status"], "declared_full");
    assert_eq!(found["manifests"][0]["title"], "Harbour at noon");
    assert_eq!(press.verify(&made, "brick")["signer"]["status"], "unknown");

    // Another tenant signs over it, with its own key and its first profile.
    let bytes = fs::read(&made).unwrap();
    signed(&server, &brick, "?name=harbour.jpg", &bytes, &published);
    let found = press.verify(&published, "brick");
    assert!(holds(&found), "{found}");
    assert_eq!(found["signer"]["organisation"], "brick press");
    assert_eq!(found["history"]["status"], "ok");
    assert_eq!(found["history"]["manifests"], 2);
    assert_eq!(found["manifests"][0]["title"], "harbour.jpg");

    drop(server);
    let log = fs::read_to_string(log).unwrap();
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("signed a file"))
        .collect();
    assert_eq!(lines.len(), 2, "{log}");
    for (line, key, profile) in [(lines[0], &acme, "desk"), (lines[1], &brick, "publish")] {
        for part in [
            key.split('_').nth(1).unwrap(),
            profile,
            "request.id",
            "tenant.id",
        ] {
            assert!(line.contains(part), "no {part} in {line}");
        }
    }
    let digest = |path: &Path| media::Digest::of(&fs::read(path).unwrap()).to_string();
    assert!(
        lines[0].contains(&digest(&fixture("unsigned.jpg"))),
        "{}",
        lines[0]
    );
    assert!(lines[0].contains(&digest(&made)) && lines[1].contains(&digest(&made)));
    for secret in [
        &acme[..],
        &brick,
        "PRIVATE",
        "Harbour",
        "Jo Doe",
        "harbour.jpg",
    ] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn nobody_signs_for_another() {
    let press = Press::new();
    let acme = press.key("acme", "sign");
    let brick = press.key("brick", "sign");
    let chalk = press.key("chalk", "sign");
    let reader = press.key("acme", "analyse,read,admin");
    let server = press.serve(&[]);
    let picture = fs::read(fixture("unsigned.jpg")).unwrap();
    let to = press.path("a.jpg");
    signed(&server, &acme, "?profile=desk", &picture, &to);
    signed(&server, &brick, "?profile=publish", &picture, &to);
    post(&server, &chalk, "", &picture).assert_problem(404, "no_signer");
    post(&server, &reader, "", &picture).assert_problem(403, "forbidden_scope");
    post(&server, "nobody", "", &picture).assert_problem(401, "unauthorized");
    // What one tenant may state is nobody else's.
    for query in [
        "?profile=desk",
        "?profile=photo",
        "?profile=../acme/desk",
        "?tenant=acme",
    ] {
        post(&server, &brick, query, &picture).assert_problem(400, "bad_parameter");
    }
}

#[test]
fn a_service_without_signers_signs_nothing() {
    let press = Press::new();
    press.configure("");
    let key = press.key("acme", "sign");
    let server = press.serve(&[]);
    let picture = fs::read(fixture("unsigned.jpg")).unwrap();
    post(&server, &key, "", &picture).assert_problem(404, "no_signer");
}

#[test]
fn what_cannot_be_signed_has_a_code() {
    let press = Press::new();
    press.key("brick", "sign");
    let key = press.key("acme", "sign");
    let server = press.serve(&["--max-bytes", "200000"]);
    let bytes = |name: &str| fs::read(fixture(name)).unwrap();
    let to = press.path("a.jpg");
    for good in ["unsigned.jpg", "signed_trusted.png", "film.mp4"] {
        signed(&server, &key, "", &bytes(good), &to);
    }
    let cases = [
        ("", b"BM and nothing more".to_vec(), 422, "unsupported_kind"),
        ("", b"%PDF-1.4\n%%EOF\n".to_vec(), 422, "unsupported_kind"),
        ("", b"words".to_vec(), 422, "unsupported_kind"),
        (
            "",
            bytes("altered_after_signing.jpg"),
            422,
            "broken_history",
        ),
        (
            "?profile=desk",
            bytes("signed_trusted.jpg"),
            422,
            "already_signed",
        ),
        // What cannot be parsed may hide a credential.
        (
            "",
            bytes("unsigned.jpg")[..30].to_vec(),
            422,
            "broken_history",
        ),
        ("", vec![0xff; 200_001], 413, "too_large"),
        ("", Vec::new(), 400, "empty"),
        ("?capture=true", bytes("unsigned.jpg"), 400, "bad_parameter"),
    ];
    for (query, body, status, code) in cases {
        post(&server, &key, query, &body).assert_problem(status, code);
    }
    for kind in ["application/zip", "multipart/form-data; boundary=x"] {
        let headers = headers(&key, kind);
        let answer = ask(server.address, "POST", "/v1/signatures", &headers, b"x");
        answer.assert_problem(415, "unsupported_media_type");
    }
}

/// A service has to hold its keys. It holds each once, without the text of its file, and writes no memory to a disk.
#[cfg(target_os = "linux")]
#[test]
fn an_idle_service_holds_a_key_once_and_dumps_no_core() {
    let press = Press::new();
    let key = press.key("acme", "sign");
    press.key("brick", "sign");
    let server = press.serve(&[]);
    let picture = fs::read(fixture("unsigned.jpg")).unwrap();
    signed(&server, &key, "", &picture, &press.path("a.jpg"));
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let cores = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let words: Vec<&str> = cores.unwrap().split_whitespace().collect();
    assert_eq!(words[4..6], ["0", "0"]);
    for tenant in ["acme", "brick"] {
        let needles = crate::sign_memory::Needles::of(&press.path(tenant));
        let found = needles.copies(server.id().parse().unwrap());
        assert!(
            found.is_none_or(|found| found == [1, 0]),
            "{tenant}: {found:?}"
        );
    }
}

#[test]
fn a_service_that_could_sign_wrongly_does_not_start() {
    let press = Press::new();
    press.key("acme", "sign");
    press.key("brick", "sign");
    drop(press.serve(&[]));
    let refused = |tables: &str, word: &str| {
        press.configure(tables);
        press.refused().assert_refused(2, word);
    };
    let capture = "statement = \"photo\"\ncapture = true\n";
    fs::write(press.path("camera.toml"), capture).unwrap();
    let acme = |profiles: &str| table("acme", profiles);
    refused(
        &acme("[\"publish\", \"camera.toml\"]"),
        "a camera took the file",
    );
    refused(&acme("[]"), "no profile");
    refused(&acme("[\"publish\", \"publish\"]"), "two profiles");
    refused(&acme("[\"holiday\"]"), "is no profile");
    refused(&table("nobody", "[\"publish\"]"), "cannot be read");
    let mixed = acme("[\"publish\"]").replace("acme/signer-chain", "brick/signer-chain");
    refused(&mixed, "belongs to another key");
    let stranger = acme("[\"publish\"]").replace("signers.acme", "signers.stranger");
    refused(&stranger, "no tenant \"stranger\"");
    readable_by_others(&press.path("acme/signer-key.pem"));
    refused(&acme("[\"publish\"]"), "may be read by others");
}

#[cfg(unix)]
fn readable_by_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
}
