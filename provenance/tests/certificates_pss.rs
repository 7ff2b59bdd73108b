//! Chains whose CAs sign with RSASSA-PSS.
//!
//! `certificates/pss/` was made with `openssl ca` (3.0.19) and `-sigopt rsa_padding_mode:pss`: a root of itself and an
//! intermediate CA signed by it, RSA 2048, and a certificate for the Ed25519 key of `forge::SIGNER_SEED`; the root and
//! `leaf.pem` with SHA-256, `middle.pem` with SHA-384, all with a salt as long as the hash, and `long.pem` with the longest
//! salt there is. The CAs' keys were thrown away.

use provenance::{
    Timestamp, TrustStore,
    keys::{ChainCheck, Outcome, check_chain},
};

const ROOT: &str = include_str!("certificates/pss/root.pem");
const MIDDLE: &str = include_str!("certificates/pss/middle.pem");
const LEAF: &str = include_str!("certificates/pss/leaf.pem");
const LONG_SALT: &str = include_str!("certificates/pss/long.pem");

fn check(chain: &str) -> ChainCheck {
    let mut trust = TrustStore::empty();
    trust.add_anchors_pem("root", ROOT.as_bytes()).unwrap();
    check_chain(chain.as_bytes(), None, trust, Timestamp(1_795_600_000)).unwrap()
}

/// The broken rules, each with what was found.
fn broken(check: &ChainCheck) -> Vec<(&'static str, String)> {
    let findings = check.findings.iter();
    findings
        .filter_map(|finding| match &finding.outcome {
            Outcome::Broken { found, .. } => Some((finding.code, found.clone())),
            Outcome::Holds | Outcome::Unadvised { .. } => None,
        })
        .collect()
}

#[test]
fn a_chain_signed_with_rsassa_pss_is_sound() {
    let found = check(&format!("{LEAF}{MIDDLE}"));
    assert!(found.holds(), "{:?}", broken(&found));
    assert_eq!(found.anchored.unwrap().list, "root");
}

#[test]
fn a_byte_changed_in_such_a_chain_is_found() {
    // The last letters before the end of the signature.
    let at = LEAF.rfind("\n-----END").unwrap() - 12;
    let mut letters = LEAF.as_bytes().to_vec();
    letters[at] = if letters[at] == b'A' { b'B' } else { b'A' };
    let found = check(&format!("{}{MIDDLE}", String::from_utf8(letters).unwrap()));
    let codes: Vec<&str> = broken(&found).iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, ["chain_signatures", "trusted"]);
}

#[test]
fn a_salt_that_readers_do_not_take_is_named() {
    let found = broken(&check(&format!("{LONG_SALT}{MIDDLE}")));
    let codes: Vec<&str> = found.iter().map(|(code, _)| *code).collect();
    assert_eq!(
        codes,
        ["signature_algorithm", "chain_signatures", "trusted"]
    );
    assert!(found[0].1.contains("a salt of 222 bytes"), "{found:?}");
}
