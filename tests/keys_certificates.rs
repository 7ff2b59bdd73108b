//! `bonafide keys`: new keys of both kinds, encrypted ones, requests and the certificate doctor; and what is
//! said when a key or a certificate cannot be used.

use std::fs;

use provenance::{
    Algorithm, Timestamp, Validity,
    keys::{ChainRequest, Secrets, development_chain},
};

use crate::support::{
    finish, folder, run, system, text,
    workshop::{Workshop, files, holds},
};

const PHOTO: [&str; 5] = ["--profile", "photo", "--out", "out", "a.jpg"];

fn write_secret(workshop: &Workshop, name: &str, secret: &str) -> String {
    let path = workshop.path(name);
    fs::write(&path, secret).unwrap();
    set_mode(workshop, name, 0o600);
    text(&path).to_owned()
}

#[cfg(unix)]
fn set_mode(workshop: &Workshop, name: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(workshop.path(name), fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_: &Workshop, _: &str, _: u32) {}

#[test]
fn keys_of_both_kinds_sign_and_pass_the_doctor() {
    for algorithm in ["ed25519", "es256"] {
        let workshop = Workshop::of(algorithm);
        let keys = workshop.path("keys");
        let signed = workshop.sign(&PHOTO);
        assert_eq!(signed.code, Some(0), "{signed:?}");
        let found = workshop.verify(&workshop.path("out/a.jpg"), &[]);
        assert!(holds(&found), "{found}");

        let (chain, ca) = (keys.join("signer-chain.pem"), keys.join("ca-cert.pem"));
        let key = keys.join("signer-key.pem");
        let trusted = [
            "keys",
            "check",
            text(&chain),
            "--key",
            text(&key),
            "--trust",
            text(&ca),
        ];
        let good = run(trusted);
        assert_eq!(good.code, Some(0), "{good:?}");
        assert!(
            good.out.contains("only readers with ca-cert.pem"),
            "{good:?}"
        );
        assert!(!good.out.contains("FAIL"), "{good:?}");
        // Nobody knows the CA; and a year later nothing is valid.
        let unknown = run(["keys", "check", text(&chain)]);
        assert_eq!(unknown.code, Some(1), "{unknown:?}");
        let failed = |run: &crate::support::Run| run.out.matches("FAIL ").count();
        assert_eq!(failed(&unknown), 1, "{unknown:?}");
        assert!(unknown.out.contains("FAIL trusted: "), "{unknown:?}");
        let later = run([&trusted[..], &["--at", "2099-01-01T00:00:00Z"]].concat());
        assert_eq!(later.code, Some(1), "{later:?}");
        assert!(
            later
                .out
                .contains("FAIL validity: it is valid now (it ended on "),
            "{later:?}"
        );
        // A CA is no signer.
        let wrong = run(["keys", "check", text(&ca), "--trust", text(&ca)]);
        assert_eq!(wrong.code, Some(1), "{wrong:?}");
        for code in [
            "not_a_ca",
            "not_self_signed",
            "no_cert_sign",
            "extended_key_usage",
        ] {
            assert!(
                wrong.out.contains(&format!("FAIL {code}: ")),
                "{code}: {wrong:?}"
            );
        }
        let other = keys.join("ca-key.pem");
        let mismatch = run([
            "keys",
            "check",
            text(&chain),
            "--key",
            text(&other),
            "--trust",
            text(&ca),
        ]);
        assert!(mismatch.out.contains("FAIL key_matches: "), "{mismatch:?}");
    }
}

#[test]
fn what_is_no_chain_is_wrong_usage() {
    let folder = folder();
    let path = folder.path().join("x.pem");
    for (content, word) in [
        ("", "no certificate"),
        ("hello", "no certificate"),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "cannot be used",
        ),
    ] {
        fs::write(&path, content).unwrap();
        run(["keys", "check", text(&path)]).assert_refused(2, word);
    }
    fs::write(&path, vec![b'x'; 300_000]).unwrap();
    run(["keys", "check", text(&path)]).assert_refused(2, "too long");
    run(["keys", "check", "/nowhere/x.pem"]).assert_refused(2, "cannot be read");
}

#[test]
fn an_encrypted_key_opens_with_its_passphrase_alone() {
    let workshop = Workshop::new();
    let keys = workshop.path("keys");
    fs::remove_dir_all(&keys).unwrap();
    let right = write_secret(&workshop, "right", "correct horse\n");
    let wrong = write_secret(&workshop, "wrong", "incorrect horse\n");
    let empty = write_secret(&workshop, "empty", "\n");
    let short = write_secret(&workshop, "short", "horse\n");
    let new = |file: &str| {
        run([
            "keys",
            "new",
            "--passphrase-file",
            file,
            "--out",
            text(&keys),
        ])
    };
    new(&short).assert_refused(2, "fewer than 8");
    let made = new(&right);
    assert_eq!(made.code, Some(0), "{made:?}");
    for name in ["ca-key.pem", "signer-key.pem"] {
        let pem = fs::read_to_string(keys.join(name)).unwrap();
        assert!(
            pem.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"),
            "{name}"
        );
    }
    let sign = |more: &[&str]| workshop.sign(&[&PHOTO[..], more].concat());
    sign(&[]).assert_refused(2, "no terminal to ask on");
    sign(&["--passphrase-file", &wrong]).assert_refused(2, "does not open the signing key");
    sign(&["--passphrase-file", &empty]).assert_refused(2, "is empty");
    sign(&["--passphrase-env", "NOT_SET_ANYWHERE"]).assert_refused(2, "is not set");
    assert!(!workshop.path("out").exists());
    let mut by_variable = workshop.command(&PHOTO);
    by_variable
        .args(["--passphrase-env", "PRESS_KEY"])
        .env("PRESS_KEY", "correct horse");
    let signed = finish(&mut by_variable);
    assert_eq!(signed.code, Some(0), "{signed:?}");
    let again = sign(&["--force", "--passphrase-file", &right]);
    assert_eq!(again.code, Some(0), "{again:?}");
    for run in [&signed, &again, &made] {
        assert!(
            !run.out.contains("correct") && !run.err.contains("correct"),
            "{run:?}"
        );
    }
    set_mode(&workshop, "right", 0o640);
    #[cfg(unix)]
    sign(&["--force", "--passphrase-file", &right]).assert_refused(2, "may be read by others");
}

#[test]
fn openssl_reads_our_keys_and_we_read_those_of_openssl() {
    if !system("openssl", &["version"]) {
        eprintln!("SKIPPED: openssl_reads_our_keys: there is no openssl");
        return;
    }
    let workshop = Workshop::new();
    let pass = write_secret(&workshop, "pass", "correct horse\n");
    // OpenSSL takes the second line of a file that it is to read twice.
    let same = write_secret(&workshop, "same", "correct horse\n");
    let (from_file, into_file) = (format!("file:{pass}"), format!("file:{same}"));
    for algorithm in ["ed25519", "es256"] {
        let keys = workshop.path(algorithm);
        let made = run([
            "keys",
            "new",
            "--algorithm",
            algorithm,
            "--passphrase-file",
            &pass,
            "--out",
            text(&keys),
        ]);
        assert_eq!(made.code, Some(0), "{made:?}");
        let key = keys.join("signer-key.pem");
        assert!(system(
            "openssl",
            &["pkey", "-in", text(&key), "-passin", &from_file, "-noout"]
        ));
        // The other way round, in OpenSSL's own encryption.
        let theirs = keys.join("theirs.pem");
        let converted = [
            "pkcs8",
            "-topk8",
            "-v2",
            "aes-256-cbc",
            "-in",
            text(&key),
            "-passin",
        ];
        let out = [
            &from_file[..],
            "-passout",
            &into_file,
            "-out",
            text(&theirs),
        ];
        assert!(system("openssl", &[&converted[..], &out].concat()));
        set_mode(&workshop, &format!("{algorithm}/theirs.pem"), 0o600);
        let (chain, ca) = (keys.join("signer-chain.pem"), keys.join("ca-cert.pem"));
        let check = run([
            "keys",
            "check",
            text(&chain),
            "--trust",
            text(&ca),
            "--key",
            text(&theirs),
            "--passphrase-file",
            &pass,
        ]);
        assert_eq!(check.code, Some(0), "{check:?}");
        assert!(check.out.contains("ok   key_matches"), "{check:?}");
    }
}

#[test]
fn a_request_is_made_from_a_new_key_or_an_old_one() {
    let workshop = Workshop::new();
    let (key, csr) = (workshop.path("new.pem"), workshop.path("new.csr"));
    let names = ["--name", "A photographer", "--organisation", "A newsroom"];
    let new = [
        "keys",
        "csr",
        "--algorithm",
        "es256",
        "--new-key",
        text(&key),
        "--out",
        text(&csr),
    ];
    let made = run([&new[..], &names].concat());
    assert_eq!(made.code, Some(0), "{made:?}");
    assert_eq!(
        files(workshop.path("").as_path()),
        ["a.jpg", "keys", "new.csr", "new.pem"]
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(
            fs::metadata(&key).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
    run([&new[..], &names].concat()).assert_refused(2, "never replaced");
    // To standard output, from the key that is there: nothing but the request.
    let again = run([&["keys", "csr", "--key", text(&key)][..], &names].concat());
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(
        again.out.starts_with("-----BEGIN CERTIFICATE REQUEST-----"),
        "{again:?}"
    );
    if !system("openssl", &["req", "-verify", "-noout", "-in", text(&csr)]) {
        eprintln!("SKIPPED: a_request_is_made: openssl does not look at it");
    }
    for refused in [
        &["keys", "csr"][..],
        &["keys", "csr", "--key", "a", "--new-key", "b"],
    ] {
        let run = run([refused, &names].concat());
        assert_eq!(run.code, Some(2), "{run:?}");
    }
}

#[test]
fn a_certificate_that_has_ended_signs_nothing() {
    let workshop = Workshop::new();
    let chain = |from: i64, to: i64| {
        let request = ChainRequest {
            name: "A",
            organisation: "B",
            validity: Validity {
                not_before: Timestamp(from),
                not_after: Timestamp(to),
            },
        };
        let secrets = Secrets::random(Algorithm::Ed25519).unwrap();
        let chain = development_chain(&request, &secrets).unwrap();
        fs::write(
            workshop.path("keys/signer-key.pem"),
            chain.signer_key_pem.as_bytes(),
        )
        .unwrap();
        fs::write(
            workshop.path("keys/signer-chain.pem"),
            chain.signer_chain_pem,
        )
        .unwrap();
    };
    chain(1_600_000_000, 1_700_000_000);
    workshop
        .sign(&PHOTO)
        .assert_refused(2, "ended on 2023-11-14T22:13:20Z");
    chain(4_000_000_000, 4_100_000_000);
    workshop
        .sign(&PHOTO)
        .assert_refused(2, "not valid before 2096-");
    chain(1_600_000_000, 4_100_000_000);
    assert_eq!(workshop.sign(&PHOTO).code, Some(0));
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_replace_or_redirect_is_refused() {
    let workshop = Workshop::new();
    let key = workshop.path("keys/signer-key.pem");
    let moved = workshop.path("keys/moved.pem");
    fs::rename(&key, &moved).unwrap();
    std::os::unix::fs::symlink(&moved, &key).unwrap();
    workshop
        .sign(&PHOTO)
        .assert_refused(2, "not a regular file");
    fs::remove_file(&key).unwrap();
    assert!(system("mkfifo", &["-m", "600", text(&key)]));
    workshop
        .sign(&PHOTO)
        .assert_refused(2, "not a regular file");
    fs::remove_file(&key).unwrap();
    fs::create_dir(&key).unwrap();
    workshop
        .sign(&PHOTO)
        .assert_refused(2, "not a regular file");
    fs::remove_dir(&key).unwrap();
    fs::rename(&moved, &key).unwrap();
    for mode in [0o640, 0o604, 0o660, 0o601] {
        set_mode(&workshop, "keys/signer-key.pem", mode);
        workshop
            .sign(&PHOTO)
            .assert_refused(2, "may be read by others");
    }
    set_mode(&workshop, "keys/signer-key.pem", 0o600);
    if system("chown", &["65534", text(&key)]) {
        workshop
            .sign(&PHOTO)
            .assert_refused(2, "belongs to another user");
        assert!(system("chown", &["0", text(&key)]));
    } else {
        eprintln!("SKIPPED: a_key_that_others_can_replace: only root gives files away");
    }
    assert_eq!(workshop.sign(&PHOTO).code, Some(0));
}
