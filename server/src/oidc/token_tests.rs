//! What a token must say, at a fixed moment. Tokens are signed here by a key made here; `tests/serve_oidc.rs` tries the
//! other algorithms through the real service.

use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::*;
use crate::{
    oidc::{Bearer, Issuer},
    store::{Scope, Scopes},
};

const NOW: i64 = 1_800_000_000;

const ISSUER: &str = "https://login.example/realms/news";

fn pair() -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap()
}

fn issuer() -> Issuer {
    let x = URL_SAFE_NO_PAD.encode(pair().public_key());
    let keys = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "one", "x": x }] });
    let keys = KeySet::parse(keys.to_string().as_bytes()).unwrap();
    Issuer::new(ISSUER, "bonafide-api", "bonafide_tenant", keys).unwrap()
}

fn header() -> Value {
    json!({ "typ": "at+jwt", "alg": "EdDSA", "kid": "one" })
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "bonafide-api", "exp": NOW + 300, "iat": NOW, "sub": "ada", "jti": "1",
        "bonafide_tenant": "acme", "scope": "openid bonafide:analyse bonafide:read",
    })
}

fn signed(header: &str, claims: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = pair().sign(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn verify(token: &str) -> Result<Bearer, Refusal> {
    issuer().verify(token, Timestamp(NOW))
}

/// What becomes of a token with other members; `null` takes one away.
fn outcome(headers: Value, changed: Value) -> Result<Bearer, Refusal> {
    let merged = |mut object: Value, changes: Value| {
        for (name, value) in changes.as_object().unwrap() {
            match value.is_null() {
                true => drop(object.as_object_mut().unwrap().remove(name)),
                false => object[name] = value.clone(),
            }
        }
        object.to_string()
    };
    verify(&signed(
        &merged(header(), headers),
        &merged(claims(), changed),
    ))
}

#[track_caller]
fn accepted(headers: Value, changed: Value) -> Bearer {
    outcome(headers, changed).unwrap()
}

#[track_caller]
fn refused(headers: Value, changed: Value, why: Refusal) {
    let shown = format!("{headers} {changed}");
    assert_eq!(outcome(headers, changed), Err(why), "{shown}");
}

#[test]
fn a_token_says_which_tenant_and_what_for() {
    let bearer = accepted(json!({}), json!({}));
    assert_eq!(bearer.tenant.as_str(), "acme");
    assert_eq!(bearer.scopes, Scopes::of(&[Scope::Analyse, Scope::Read]));
    assert!(bearer.subject.to_string().starts_with("oidc:"));
    let none = accepted(json!({}), json!({ "scope": null, "sub": null }));
    assert_eq!(none.scopes, Scopes::default());
    assert_eq!(none.subject.to_string(), "oidc");
}

#[test]
fn only_scopes_with_our_name_in_front_count() {
    let check = |scope: &str, expected: &[Scope]| {
        let bearer = accepted(json!({}), json!({ "scope": scope }));
        assert_eq!(bearer.scopes, Scopes::of(expected), "{scope:?}");
    };
    check("bonafide:sign bonafide:admin", &[Scope::Sign, Scope::Admin]);
    check(" bonafide:read  bonafide:read ", &[Scope::Read]);
    check("read admin", &[]);
    check(
        "bonafide:write BONAFIDE:read bonafide:Read xbonafide:read",
        &[],
    );
    check("bonafide:read,bonafide:admin", &[]);
    check("bonafide:", &[]);
    refused(
        json!({}),
        json!({ "scope": ["bonafide:read"] }),
        Refusal::Claim,
    );
}

#[test]
fn a_token_has_its_time_and_a_minute_for_clocks_that_differ() {
    let exp = |exp: i64| outcome(json!({}), json!({ "exp": exp })).map(|_| ());
    assert_eq!(exp(NOW - 59), Ok(()));
    assert_eq!(exp(NOW - 60), Err(Refusal::Expired));
    assert_eq!(exp(i64::MIN), Err(Refusal::Expired));
    assert_eq!(exp(i64::MAX), Ok(()));
    let nbf = |nbf: i64| outcome(json!({}), json!({ "nbf": nbf })).map(|_| ());
    assert_eq!(nbf(NOW + 60), Ok(()));
    assert_eq!(nbf(NOW + 61), Err(Refusal::NotYet));
    assert_eq!(nbf(i64::MIN), Ok(()));
    refused(json!({}), json!({ "exp": null }), Refusal::Claim);
    refused(json!({}), json!({ "exp": "1900000000" }), Refusal::Claim);
    refused(json!({}), json!({ "nbf": "0" }), Refusal::Claim);
}

#[test]
fn issuer_audience_and_tenant_must_be_ours() {
    let refused = |changed, why| refused(json!({}), changed, why);
    accepted(json!({}), json!({ "aud": ["account", "bonafide-api"] }));
    refused(json!({ "aud": "account" }), Refusal::Audience);
    refused(json!({ "aud": null }), Refusal::Audience);
    refused(json!({ "aud": [["bonafide-api"]] }), Refusal::Audience);
    refused(json!({ "iss": format!("{ISSUER}/") }), Refusal::Issuer);
    refused(
        json!({ "iss": "https://LOGIN.example/realms/news" }),
        Refusal::Issuer,
    );
    refused(json!({ "iss": null }), Refusal::Issuer);
    refused(json!({ "iss": [ISSUER] }), Refusal::Claim);
    refused(json!({ "bonafide_tenant": null }), Refusal::Claim);
    refused(json!({ "bonafide_tenant": ["acme"] }), Refusal::Claim);
    for name in ["", "ACME", "acme ", "a/b", "../acme"] {
        refused(json!({ "bonafide_tenant": name }), Refusal::UnknownTenant);
    }
}

#[test]
fn the_header_names_a_token_an_algorithm_and_a_key_of_ours() {
    let refused = |headers, why| refused(headers, json!({}), why);
    for typ in ["JWT", "jwt", "AT+JWT", "application/at+jwt"] {
        accepted(json!({ "typ": typ }), json!({}));
    }
    accepted(json!({ "alg": "Ed25519" }), json!({}));
    accepted(json!({ "kid": null }), json!({}));
    for typ in ["logout+jwt", "dpop+jwt", "secevent+jwt", "", "JWT "] {
        refused(json!({ "typ": typ }), Refusal::OtherType);
    }
    refused(json!({ "typ": null }), Refusal::OtherType);
    for alg in [
        "none", "None", "HS256", "ES384", "ES256K", "RS512", "eddsa", "",
    ] {
        refused(json!({ "alg": alg }), Refusal::Algorithm);
    }
    refused(json!({ "alg": null }), Refusal::Algorithm);
    refused(json!({ "alg": ["EdDSA"] }), Refusal::NotAToken);
    for alg in ["ES256", "RS256", "PS256"] {
        refused(json!({ "alg": alg }), Refusal::UnknownKey);
    }
    refused(json!({ "kid": "two" }), Refusal::UnknownKey);
    refused(json!({ "kid": 1 }), Refusal::NotAToken);
    for crit in [json!(["exp"]), json!([]), json!("b64")] {
        refused(json!({ "crit": crit, "b64": false }), Refusal::Critical);
    }
}

#[test]
fn a_key_that_a_token_brings_along_counts_for_nothing() {
    let theirs = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
    let x = URL_SAFE_NO_PAD.encode(theirs.public_key());
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "one", "x": x });
    let mut header = header();
    header["jwk"] = jwk;
    header["jku"] = json!("http://127.0.0.1:1/keys");
    header["x5u"] = json!("http://127.0.0.1:1/chain");
    // Beside a signature of ours they do no harm.
    let token = signed(&header.to_string(), &claims().to_string());
    verify(&token).unwrap();
    let (payload, _) = token.rsplit_once('.').unwrap();
    let forged = URL_SAFE_NO_PAD.encode(theirs.sign(payload.as_bytes()));
    assert_eq!(
        verify(&format!("{payload}.{forged}")),
        Err(Refusal::Signature)
    );
}

#[test]
fn no_other_bytes_have_the_signature() {
    let token = signed(&header().to_string(), &claims().to_string());
    verify(&token).unwrap();
    for at in 0..token.len() {
        let mut other = token.clone().into_bytes();
        other[at] = if other[at] == b'A' { b'B' } else { b'A' };
        assert!(verify(&String::from_utf8(other).unwrap()).is_err(), "{at}");
        assert!(verify(&token[..at]).is_err(), "{at}");
    }
    for wrong in [
        format!("{token}."),
        format!(".{token}"),
        format!("{token}="),
        format!("{token}A"),
        token.replacen('.', "..", 1),
        token.replace('.', ""),
    ] {
        assert!(verify(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_member_that_is_there_twice_is_no_token() {
    let twice =
        |text: &Value, member: &str| text.to_string().replacen('{', &format!("{{{member},"), 1);
    for member in ["\"alg\":\"none\"", "\"kid\":\"one\"", "\"typ\":\"JWT\""] {
        let token = signed(&twice(&header(), member), &claims().to_string());
        assert_eq!(verify(&token), Err(Refusal::NotAToken), "{member}");
    }
    for member in [
        "\"exp\":9999999999",
        "\"bonafide_tenant\":\"brick\"",
        "\"jti\":\"2\"",
    ] {
        let token = signed(&header().to_string(), &twice(&claims(), member));
        assert_eq!(verify(&token), Err(Refusal::NotAToken), "{member}");
    }
    for wrong in [
        "",
        "[]",
        "null",
        "\"EdDSA\"",
        "[\"EdDSA\", \"JWT\", \"one\"]",
    ] {
        assert_eq!(
            verify(&signed(wrong, "{}")),
            Err(Refusal::NotAToken),
            "{wrong}"
        );
        let token = signed(&header().to_string(), wrong);
        assert_eq!(verify(&token), Err(Refusal::NotAToken), "{wrong}");
    }
}

#[test]
fn a_token_that_is_too_long_is_not_read() {
    let long = "A".repeat(MAX_TOKEN_BYTES + 1);
    assert_eq!(verify(&long), Err(Refusal::TooLong));
    let padded = json!({ "note": "x".repeat(MAX_TOKEN_BYTES) });
    refused(json!({}), padded, Refusal::TooLong);
}
