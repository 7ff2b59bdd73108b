//! `bonafide admin`: keys are shown once and kept as hashes, and what is wrong is told with what to do.

use std::path::Path;

use crate::support::{Run, folder, run, text};

/// A data folder that is not there yet.
fn data(parent: &Path) -> String {
    text(&parent.join("data")).to_owned()
}

fn admin(data: &str, args: &[&str]) -> Run {
    let start = ["admin", "--data-dir", data];
    run(start.iter().chain(args))
}

/// Makes a key and gives its text.
fn new_key(data: &str, tenant: &str, scopes: &str) -> String {
    let made = admin(
        data,
        &["keys", "new", "--tenant", tenant, "--scopes", scopes],
    );
    assert_eq!(made.code, Some(0), "{made:?}");
    made.out.lines().last().unwrap().to_owned()
}

/// The id in a key's text.
fn id(key: &str) -> &str {
    key.split('_').nth(1).unwrap()
}

fn lines(run: &Run) -> Vec<&str> {
    assert_eq!(run.code, Some(0), "{run:?}");
    run.out.lines().collect()
}

#[test]
fn a_key_is_shown_once_alone_and_kept_as_a_hash() {
    let parent = folder();
    let data = data(parent.path());
    let made = admin(
        &data,
        &[
            "keys",
            "new",
            "--tenant",
            "acme",
            "--scopes",
            "read,analyse",
        ],
    );
    assert_eq!(lines(&made).len(), 1, "the key alone: {made:?}");
    let key = made.out.trim();
    assert_eq!(key.len(), "bonafide_".len() + 12 + 1 + 64);
    let listed = admin(&data, &["keys", "list", "--tenant", "acme"]);
    let line = lines(&listed)[0];
    assert!(
        line.starts_with(id(key)) && line.ends_with("live"),
        "{line}"
    );
    assert!(line.contains("analyse,read"), "{line}");
    let secret = key.rsplit('_').next().unwrap();
    for entry in std::fs::read_dir(&data).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        assert!(
            !bytes
                .windows(16)
                .any(|part| part == &secret.as_bytes()[..16]),
            "{} holds the key",
            path.display()
        );
    }
    assert_ne!(new_key(&data, "acme", "read"), key);
}

#[cfg(unix)]
#[test]
fn the_data_folder_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let parent = folder();
    let data = data(parent.path());
    new_key(&data, "acme", "read");
    let mode = std::fs::metadata(&data).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn keys_are_rotated_and_revoked() {
    let parent = folder();
    let data = data(parent.path());
    let old = new_key(&data, "acme", "analyse");
    let rotated = admin(&data, &["keys", "rotate", "--tenant", "acme", id(&old)]);
    let new = lines(&rotated)[0].to_owned();
    assert_ne!(new, old);
    let revoked = admin(&data, &["keys", "revoke", "--tenant", "acme", id(&new)]);
    assert!(lines(&revoked).is_empty());
    let listed = admin(&data, &["keys", "list", "--tenant", "acme"]);
    let of = |key: &str| {
        let all = lines(&listed);
        let line = all.iter().find(|line| line.starts_with(id(key)));
        line.copied().unwrap().to_owned()
    };
    assert!(of(&old).contains("  ends 2"), "{listed:?}");
    assert!(of(&new).contains("  revoked 2"), "{listed:?}");
    assert!(
        of(&new).contains("  analyse "),
        "the scopes go on: {listed:?}"
    );
    let again = admin(&data, &["keys", "revoke", "--tenant", "acme", id(&new)]);
    again.assert_refused(2, "there is no live key");
    // The key of one tenant is nothing to another.
    new_key(&data, "other", "read");
    let theirs = ["keys", "revoke", "--tenant", "other", id(&old)];
    admin(&data, &theirs).assert_refused(2, "there is no live key");
    let theirs = ["keys", "rotate", "--tenant", "other", id(&old)];
    admin(&data, &theirs).assert_refused(2, "there is no live key");
}

#[test]
fn tenants_are_listed_and_their_retention_is_set() {
    let parent = folder();
    let data = data(parent.path());
    for name in ["beta", "acme", "acme"] {
        let made = admin(&data, &["tenants", "new", name]);
        assert!(lines(&made)[0].ends_with(name));
    }
    let listed = admin(&data, &["tenants", "list"]);
    let names: Vec<_> = lines(&listed)
        .iter()
        .map(|line| line.rsplit(' ').next().unwrap())
        .collect();
    assert_eq!(names, ["acme", "beta"]);
    let retention = |args: &[&str]| {
        let args = [&["tenants", "retention", "--tenant", "acme"], args].concat();
        let told = admin(&data, &args);
        lines(&told)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert!(retention(&[])[0].ends_with("30 days, the default"));
    retention(&["--days", "7"]);
    let rules = retention(&["--verdict", "altered", "--days", "90"]);
    assert_eq!(rules.len(), 2, "{rules:?}");
    assert!(rules[0].starts_with("all others") && rules[0].ends_with(" 7 days"));
    assert!(rules[1].starts_with("altered") && rules[1].ends_with(" 90 days"));
}

#[test]
fn the_keys_of_webhooks_are_shown_and_rotated() {
    let parent = folder();
    let data = data(parent.path());
    lines(&admin(&data, &["tenants", "new", "acme"]));
    let first = admin(&data, &["webhooks", "keys", "--tenant", "acme"]);
    let first = lines(&first)[0].split(' ').next().unwrap().to_owned();
    assert!(first.starts_with("whpk_"), "{first}");
    let rotated = admin(&data, &["webhooks", "rotate", "--tenant", "acme"]);
    let all = lines(&rotated);
    assert_eq!(all.len(), 2);
    assert!(
        all[1].starts_with(&first) && all[1].contains("  ends 2"),
        "{all:?}"
    );
    assert!(all[0].ends_with("  live"), "{all:?}");
}

#[test]
fn what_is_wrong_is_told() {
    let parent = folder();
    let data = data(parent.path());
    let list = ["keys", "list", "--tenant", "acme"];
    admin(&data, &list).assert_refused(2, "is no data folder");
    assert!(!Path::new(&data).exists(), "asking makes nothing");
    run(["admin", "keys", "list", "--tenant", "acme"]).assert_refused(2, "no data folder");
    new_key(&data, "beta", "read");
    admin(&data, &list).assert_refused(2, "there is no tenant");
    let file = parent.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let in_a_file = ["keys", "new", "--tenant", "acme", "--scopes", "read"];
    admin(text(&file), &in_a_file).assert_refused(2, "cannot be used");
    for wrong in [
        &["keys", "new", "--tenant", "Acme", "--scopes", "read"][..],
        &["keys", "new", "--tenant", "acme", "--scopes", "write"],
        &["keys", "new", "--tenant", "acme"],
        &[
            "keys",
            "revoke",
            "--tenant",
            "acme",
            "bonafide_0123456789ab_secret",
        ],
        &[
            "tenants",
            "retention",
            "--tenant",
            "beta",
            "--verdict",
            "altered",
        ],
    ] {
        let refused = admin(&data, wrong);
        assert_eq!(
            (refused.code, refused.out.as_str()),
            (Some(2), ""),
            "{refused:?}"
        );
        assert!(!refused.err.contains("cannot be used"), "{refused:?}");
    }
}
