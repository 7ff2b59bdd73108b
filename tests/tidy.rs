//! The walls of the house as tests: which file may know what, as docs/ARCHITECTURE.md has it.
//!
//! It reads source text and nothing else. Each check is first tried on a text that breaks its rule, so that
//! a check which finds nothing because it cannot find anything does not pass.

#![allow(
    clippy::unwrap_used,
    reason = "a broken source tree should stop these tests with a line number"
)]

mod source;

use std::collections::BTreeSet;

use source::{Source, code_of, names, rust_sources, sources, uses_crate};

/// Crates below `server`: they never wait and know no sockets.
const BELOW_SERVER: [&str; 6] = [
    "media",
    "detector",
    "provenance",
    "verdict",
    "evaluation",
    "fixtures",
];

/// Crates of an asynchronous service.
const ASYNCHRONOUS: [&str; 6] = ["tokio", "axum", "hyper", "tower", "tower-http", "futures"];

/// What each member may depend on among the members; a new edge is the rarest, most reviewed change.
const EDGES: [(&str, &[&str]); 8] = [
    ("media", &[]),
    ("detector", &["media"]),
    ("provenance", &["media"]),
    ("verdict", &["media", "detector", "provenance"]),
    ("evaluation", &["media", "detector", "verdict"]),
    ("server", &["media", "provenance", "verdict"]),
    ("fixtures", &["media", "provenance"]),
    ("xtask", &[]),
];

/// Who may name the c2pa crates: two doors of `provenance`, and its own tests and benches, which make the
/// manifests that it must judge.
const NAME_C2PA: [&str; 6] = [
    "provenance/src/read.rs",
    "provenance/src/read/",
    "provenance/src/sign.rs",
    "provenance/src/sign/",
    "provenance/tests/",
    "provenance/benches/",
];

/// Who may name the crate that opens connections to others: the command line, for signers and time-stamping
/// authorities, and the service's webhooks with their tests.
const NAME_UREQ: [&str; 3] = [
    "cli/http.rs",
    "server/src/webhooks/client.rs",
    "server/src/webhooks/client_tests.rs",
];

/// Longest file that needs no reason.
const MAX_LINES: usize = 500;

/// Longer files with the reason why they are one file.
const LONG_FILES: [(&str, &str); 0] = [];

#[test]
fn only_the_session_names_ort() {
    assert!(uses_crate(
        "let s = ort::session::Session::builder()",
        "ort"
    ));
    assert!(uses_crate("use ort as engine;", "ort"));
    assert!(!uses_crate(
        "report::Report, crate::ort::x, sort::by",
        "ort"
    ));
    assert_eq!(files_using("ort"), set(&["detector/src/session.rs"]));
}

#[test]
fn only_reading_and_signing_name_c2pa() {
    assert!(uses_crate("fn read() -> ::c2pa::Reader", "c2pa"));
    for name in ["c2pa", "c2pa_cbor", "c2pa_raw_crypto"] {
        let strangers: Vec<String> = files_using(name)
            .into_iter()
            .filter(|path| !NAME_C2PA.iter().any(|allowed| path.starts_with(allowed)))
            .collect();
        assert!(strangers.is_empty(), "{name} is named in {strangers:?}");
    }
}

#[test]
fn nothing_that_reads_a_file_can_open_a_connection() {
    assert!(uses_crate("use ureq::Agent;", "ureq"));
    let found = files_using("ureq");
    let strangers: Vec<&String> = found
        .iter()
        .filter(|path| !NAME_UREQ.contains(&path.as_str()))
        .collect();
    assert!(strangers.is_empty(), "ureq is named in {strangers:?}");
    for manifest in manifests() {
        let may = ["Cargo.toml", "server/Cargo.toml"].contains(&manifest.path.as_str());
        let does = dependencies(&manifest.text, Kinds::All).contains("ureq");
        assert!(may || !does, "{} depends on an HTTP client", manifest.path);
    }
    assert_eq!(files_using("cryptoki"), set(&["cli/sign/signer/pkcs11.rs"]));
}

#[test]
fn only_the_sqlite_store_knows_sql_and_only_blobs_know_their_place() {
    for (name, home) in [
        ("sqlx", "server/src/store/sqlite/"),
        ("object_store", "server/src/blobs.rs"),
    ] {
        let files = files_using(name);
        assert!(!files.is_empty(), "nobody uses {name}");
        let strangers: Vec<_> = files
            .iter()
            .filter(|file| !file.starts_with(home))
            .collect();
        assert!(strangers.is_empty(), "{strangers:?} name {name}");
    }
}

#[test]
fn only_one_crate_depends_on_ort_and_one_on_c2pa() {
    for (dependency, owner) in [
        ("ort", "detector"),
        ("c2pa", "provenance"),
        ("c2pa_cbor", "provenance"),
        ("c2pa_raw_crypto", "provenance"),
    ] {
        let owners: Vec<String> = manifests()
            .into_iter()
            .filter(|manifest| dependencies(&manifest.text, Kinds::All).contains(dependency))
            .map(|manifest| manifest.path)
            .collect();
        assert_eq!(
            owners,
            [format!("{owner}/Cargo.toml")],
            "who depends on {dependency}"
        );
    }
}

#[test]
fn nothing_below_the_server_is_asynchronous() {
    let broken = "[dependencies]\nmedia.workspace = true\ntokio = { version = \"1\" }\n[lints]\nworkspace = true\n";
    assert!(dependencies(broken, Kinds::All).contains("tokio"));
    for member in BELOW_SERVER {
        let found = dependencies(&manifest(member).text, Kinds::All);
        for crate_name in ASYNCHRONOUS {
            assert!(
                !found.contains(crate_name),
                "{member} depends on {crate_name}"
            );
        }
    }
}

#[test]
fn a_crate_imports_only_crates_to_its_left() {
    let members: BTreeSet<String> = EDGES
        .iter()
        .map(|(member, _)| (*member).to_owned())
        .collect();
    for (member, allowed) in EDGES {
        let found = dependencies(&manifest(member).text, Kinds::Shipped);
        let edges: Vec<&String> = found.intersection(&members).collect();
        for edge in edges {
            assert!(
                allowed.contains(&edge.as_str()),
                "{member} must not depend on {edge}"
            );
        }
    }
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() {
    for manifest in manifests() {
        assert!(
            manifest.text.contains("[lints]\nworkspace = true"),
            "{} sets its own lints",
            manifest.path
        );
    }
}

#[test]
fn decide_is_a_total_match_without_a_catch_all() {
    assert!(has_catch_all("match x { A => 1, _ => 2 }"));
    assert!(has_catch_all("match x { A | _ => 2 }"));
    assert!(has_catch_all(
        "match x { A => 1,\n _ if late => 2, B => 3 }"
    ));
    assert!(!has_catch_all(
        "match x { (A, _) => 1, Some(_) => 2, B { .. } => 3, last_ => 4 }"
    ));
    assert!(
        !has_catch_all(&decide().code()),
        "verdict/src/decide.rs has an arm that hides new states"
    );
}

#[test]
fn decide_reads_no_clock_no_file_and_no_socket() {
    let outside = [
        "Instant",
        "SystemTime",
        "now",
        "fs",
        "net",
        "env",
        "io",
        "Path",
        "serde",
        "Serialize",
    ];
    assert!(names("std::time::Instant::now()", "Instant") && !names("known", "now"));
    let code = decide().code();
    for word in outside {
        assert!(!names(&code, word), "verdict/src/decide.rs names {word}");
    }
}

#[test]
fn no_finding_is_serialised_but_the_report() {
    assert!(names("#[derive(Debug, Serialize)]", "Serialize"));
    assert!(!names("#[derive(Debug, Deserialize)]", "Serialize"));
    let found: Vec<String> = rust_sources()
        .into_iter()
        .filter(|file| {
            ["media/src", "detector/src", "provenance/src", "verdict/src"]
                .iter()
                .any(|src| file.is_under(src))
        })
        .filter(|file| file.path != "verdict/src/report.rs" && !file.is_under("verdict/src/report"))
        .filter(|file| names(&file.code(), "Serialize"))
        .map(|file| file.path)
        .collect();
    assert!(
        found.is_empty(),
        "only the report has a wire shape: {found:?}"
    );
}

#[test]
fn every_module_says_why_it_exists() {
    let silent: Vec<String> = rust_sources()
        .into_iter()
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| file.path)
        .collect();
    assert!(
        silent.is_empty(),
        "these files do not open with //!: {silent:?}"
    );
}

#[test]
fn no_file_is_too_long_to_read() {
    let long: Vec<String> = rust_sources()
        .into_iter()
        .filter(|file| LONG_FILES.iter().all(|(path, _)| *path != file.path))
        .map(|file| (file.text.lines().count(), file.path))
        .filter(|(lines, _)| *lines > MAX_LINES)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    assert!(
        long.is_empty(),
        "over {MAX_LINES} lines, split them or give a reason: {long:?}"
    );
}

#[test]
fn no_file_names_a_folder_of_one_machine() {
    // Written in two parts, or this file would find itself.
    let folders = [
        concat!("/wo", "rk/"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
        concat!("/ro", "ot/"),
    ];
    let found: Vec<String> = sources()
        .into_iter()
        .filter(|file| folders.iter().any(|folder| file.text.contains(folder)))
        .map(|file| file.path)
        .collect();
    assert!(found.is_empty(), "paths of one machine: {found:?}");
}

#[test]
fn prose_and_literals_are_not_code() {
    let text =
        "a /* ort:: /* x */ ort:: */ b // ort::\n\"ort::\\\"\" r#\"ort::\"# b'\"' 'x' <'life> c";
    let code = code_of(text);
    assert!(!uses_crate(&code, "ort"), "{code}");
    assert_eq!(
        code.split_whitespace().collect::<Vec<_>>(),
        ["a", "b", "<'life>", "c"]
    );
}

fn files_using(crate_name: &str) -> BTreeSet<String> {
    rust_sources()
        .into_iter()
        .filter(|file| uses_crate(&file.code(), crate_name))
        .map(|file| file.path)
        .collect()
}

fn set(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|path| (*path).to_owned()).collect()
}

fn decide() -> Source {
    rust_sources()
        .into_iter()
        .find(|file| file.path == "verdict/src/decide.rs")
        .unwrap()
}

/// Whether a `match` has an arm that takes every value left: `_ =>`, `… | _ =>` or `_ if … =>`.
fn has_catch_all(code: &str) -> bool {
    let is_arm = |before: &str| before.is_empty() || before.ends_with(['{', '}', ',', '|', ';']);
    code.match_indices('_').any(|(at, _)| {
        let (before, after) = (code[..at].trim_end(), code[at + 1..].trim_start());
        let alone =
            !code[at + 1..].starts_with(source::is_word) && !code[..at].ends_with(source::is_word);
        alone && is_arm(before) && (after.starts_with("=>") || after.starts_with("if "))
    })
}

fn manifests() -> Vec<Source> {
    sources()
        .into_iter()
        .filter(|file| file.path.ends_with("Cargo.toml"))
        .collect()
}

fn manifest(member: &str) -> Source {
    let path = format!("{member}/Cargo.toml");
    sources()
        .into_iter()
        .find(|file| file.path == path)
        .unwrap()
}

/// Which tables of a manifest count.
#[derive(Clone, Copy)]
enum Kinds {
    /// `[dependencies]` and `[build-dependencies]`, also of one target: what a user of the crate gets.
    Shipped,
    /// Those and `[dev-dependencies]`.
    All,
}

/// Names of the dependencies a member's manifest lists. The workspace's own table is no dependency.
fn dependencies(manifest: &str, kinds: Kinds) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut counts = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(table) = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            let (parent, last) = table.rsplit_once('.').unwrap_or(("", table));
            let is_wanted = |name: &str| match name.rsplit('.').next() {
                Some("dependencies") => !name.starts_with("workspace"),
                Some("build-dependencies") => true,
                Some("dev-dependencies") => matches!(kinds, Kinds::All),
                Some(_) | None => false,
            };
            counts = is_wanted(table);
            if is_wanted(parent) {
                // `[dependencies.name]` is a table of its own.
                found.insert(last.to_owned());
            }
        } else if counts && !line.starts_with('#') {
            let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
            if !name.is_empty() {
                found.insert(name.trim_matches('"').to_owned());
            }
        }
    }
    found
}
