//! Passphrases typed at a terminal: the right one signs, a wrong one does not, and none is ever shown.

use std::{fs, process::Command};

use crate::support::{
    command, finish,
    terminal::Terminal,
    workshop::{Workshop, files, holds},
};

/// A terminal with `command` at it, or a word that there is none.
fn at_a_terminal(command: &Command) -> Option<Terminal> {
    let terminal = Terminal::start(command);
    if terminal.is_none() {
        eprintln!("SKIPPED: keys_prompt: there is no script(1) of util-linux");
    }
    terminal
}

/// `keys new --encrypt`, which asks.
fn new_keys(workshop: &Workshop) -> Command {
    let mut command = command();
    command
        .current_dir(workshop.path(""))
        .args(["keys", "new", "--encrypt", "--out", "secret"]);
    command
}

/// `sign` with those keys, which asks too.
fn sign(workshop: &Workshop) -> Command {
    let signer = [
        "--key",
        "secret/signer-key.pem",
        "--chain",
        "secret/signer-chain.pem",
    ];
    workshop.command_by(&signer, &["--profile", "photo", "--out", "out", "a.jpg"])
}

const NEW: &str = "Passphrase for the new keys: ";
const AGAIN: &str = "The same again: ";
const SIGNER: &str = "Passphrase of secret/signer-key.pem: ";

#[test]
fn a_passphrase_typed_at_a_terminal_opens_the_key_and_is_never_shown() {
    let workshop = Workshop::new();
    // This terminal shows what is typed unless somebody hides it.
    let mut shell = Command::new("sh");
    shell.args(["-c", "printf \"say: \"; read word"]);
    let Some(mut terminal) = at_a_terminal(&shell) else {
        return;
    };
    terminal.answer("say: ", "open sesame");
    assert!(terminal.finish().1.contains("open sesame"));

    let mut terminal = at_a_terminal(&new_keys(&workshop)).unwrap();
    terminal.answer(NEW, "correct horse");
    terminal.answer(AGAIN, "correct horse");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(0), "{screen}");
    assert!(!screen.contains("correct horse"), "{screen}");
    let key = fs::read_to_string(workshop.path("secret/signer-key.pem")).unwrap();
    assert!(key.starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----"));

    let mut terminal = at_a_terminal(&sign(&workshop)).unwrap();
    terminal.answer(SIGNER, "wrong horse");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(2), "{screen}");
    assert!(screen.contains("does not open the signing key"), "{screen}");
    assert!(!screen.contains("wrong horse"), "{screen}");
    assert!(!workshop.path("out").exists());

    let mut terminal = at_a_terminal(&sign(&workshop)).unwrap();
    terminal.answer(SIGNER, "correct horse");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(0), "{screen}");
    assert!(!screen.contains("correct horse"), "{screen}");
    assert!(holds(&workshop.verify(&workshop.path("out/a.jpg"), &[])));
}

#[test]
fn a_new_passphrase_is_typed_alike_twice_and_is_not_short() {
    for (first, second, word) in [
        (
            "correct horse",
            "correct house",
            "the two passphrases differ",
        ),
        ("horse", "horse", "fewer than 8 characters"),
    ] {
        let workshop = Workshop::new();
        let Some(mut terminal) = at_a_terminal(&new_keys(&workshop)) else {
            return;
        };
        terminal.answer(NEW, first);
        terminal.answer(AGAIN, second);
        let (code, screen) = terminal.finish();
        assert_eq!(code, Some(2), "{screen}");
        assert!(screen.contains(word), "{screen}");
        assert!(!workshop.path("secret").exists() || files(&workshop.path("secret")).is_empty());
    }
}

#[test]
fn without_a_terminal_nobody_is_asked() {
    let workshop = Workshop::new();
    finish(&mut new_keys(&workshop)).assert_refused(2, "there is no terminal to ask on");
}
