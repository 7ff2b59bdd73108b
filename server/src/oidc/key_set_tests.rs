//! Which key sets are taken, and what is said of the others.

use serde_json::{Value, json};

use super::*;

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn ed25519(id: &str) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": encoded(&[7; 32]) })
}

fn p256() -> Value {
    json!({ "kty": "EC", "crv": "P-256", "x": encoded(&[1; 32]), "y": encoded(&[2; 32]) })
}

fn rsa(n: &[u8]) -> Value {
    json!({ "kty": "RSA", "kid": "r", "n": encoded(n), "e": "AQAB" })
}

fn with(mut key: Value, member: &str, value: Value) -> Value {
    key[member] = value;
    key
}

fn parse(keys: &[Value]) -> Result<usize, KeySetError> {
    let set = json!({ "keys": keys, "whatever": 1 }).to_string();
    KeySet::parse(set.as_bytes()).map(|set| set.count())
}

#[test]
fn keys_for_signatures_are_taken_and_others_left_out() {
    let n = [0xff; 256];
    assert_eq!(parse(&[ed25519("a"), p256(), rsa(&n)]), Ok(3));
    let zeros_in_front = [&[0, 0], &n[..]].concat();
    assert_eq!(parse(&[rsa(&zeros_in_front)]), Ok(1));
    let signing = with(ed25519("b"), "use", json!("sig"));
    let verifying = with(ed25519("c"), "key_ops", json!(["verify"]));
    assert_eq!(parse(&[signing, verifying]), Ok(2));
    for other in [
        with(rsa(&n), "use", json!("enc")),
        with(rsa(&n), "alg", json!("RSA-OAEP")),
        with(rsa(&n), "alg", json!("RS512")),
        with(rsa(&n), "key_ops", json!(["encrypt"])),
        with(p256(), "crv", json!("P-384")),
        with(ed25519("x"), "crv", json!("X25519")),
        with(p256(), "kty", json!("AKP")),
    ] {
        assert_eq!(parse(&[ed25519("a"), other.clone()]), Ok(1), "{other}");
        assert_eq!(parse(&[other]), Err(KeySetError::NoneUsable));
    }
}

#[test]
fn keys_that_are_private_or_broken_are_named() {
    let refused = |key: Value, error: KeySetError| {
        assert_eq!(parse(&[ed25519("a"), key.clone()]), Err(error), "{key}");
    };
    for name in PRIVATE {
        let key = with(p256(), name, json!("AA"));
        refused(key, KeySetError::Private(2));
    }
    let secret = json!({ "kty": "oct", "k": "AAAA", "alg": "HS256" });
    refused(secret, KeySetError::Private(2));
    let malformed = |member| KeySetError::Malformed { at: 2, member };
    refused(with(p256(), "x", json!("AA")), malformed("x"));
    refused(with(p256(), "y", Value::Null), malformed("y"));
    refused(with(ed25519("b"), "x", json!("+/==")), malformed("x"));
    refused(with(ed25519("b"), "kty", json!(1)), malformed("kty"));
    refused(with(ed25519("b"), "alg", json!("ES256")), malformed("alg"));
    refused(rsa(&[0xff; 255]), malformed("n"));
    // One bit too short for 2,048.
    refused(rsa(&[&[0x7f], &[0xff; 255][..]].concat()), malformed("n"));
    refused(rsa(&[0xff; 1025]), malformed("n"));
    refused(with(rsa(&[0xff; 256]), "e", json!("")), malformed("e"));
    refused(
        with(rsa(&[0xff; 256]), "e", json!("AQABAQAB")),
        malformed("e"),
    );
    refused(ed25519("a"), KeySetError::Twice);
}

#[test]
fn what_is_no_set_of_keys_is_refused_without_being_repeated() {
    for wrong in ["", "[]", "{}", "{\"keys\": {}}", "{\"keys\": [\"hush\"]}"] {
        let error = KeySet::parse(wrong.as_bytes()).unwrap_err();
        assert!(matches!(error, KeySetError::NotKeys { .. }), "{wrong}");
        assert!(!error.to_string().contains("hush"));
    }
    let twice = "{\"keys\": [{\"kty\": \"EC\", \"kty\": \"OKP\"}]}";
    let error = KeySet::parse(twice.as_bytes()).unwrap_err();
    assert!(
        matches!(error, KeySetError::NotKeys { line: 1, .. }),
        "{error}"
    );
    assert_eq!(parse(&[]), Err(KeySetError::NoneUsable));
    let many: Vec<Value> = (0..=MAX_KEYS).map(|at| ed25519(&at.to_string())).collect();
    assert_eq!(parse(&many), Err(KeySetError::TooMany));
    let long = " ".repeat(KeySet::MAX_BYTES + 1);
    assert_eq!(
        KeySet::parse(long.as_bytes()).unwrap_err(),
        KeySetError::TooLong
    );
}

#[test]
fn a_token_means_the_key_it_names_or_the_only_one_that_fits() {
    let n = [0xff; 256];
    let keys = json!({ "keys": [
        ed25519("a"),
        ed25519("b"),
        with(rsa(&n), "alg", json!("PS256")),
    ] });
    let keys = KeySet::parse(keys.to_string().as_bytes()).unwrap();
    let found = |id, algorithm| keys.find(id, algorithm).map(|key| key.id.clone().unwrap());
    assert_eq!(found(Some("b"), Algorithm::EdDsa).as_deref(), Some("b"));
    assert_eq!(found(Some("c"), Algorithm::EdDsa), None);
    assert_eq!(found(None, Algorithm::EdDsa), None, "two would fit");
    assert_eq!(found(None, Algorithm::Ps256).as_deref(), Some("r"));
    assert_eq!(found(Some("r"), Algorithm::Rs256), None, "it is for PS256");
    assert_eq!(found(Some("a"), Algorithm::Es256), None);
}
