//! An OpenID Connect issuer as the service knows one: keys made in the test, a file with their public halves, and
//! tokens. It has no address; nobody asks it anything.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    hmac,
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
        RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaKeyPair,
    },
};
use rsa::{RsaPrivateKey, pkcs1::EncodeRsaPrivateKey as _, rand_core::OsRng};
use serde_json::{Value, json};

use super::text;

/// What tokens have as `iss`.
pub(crate) const ISSUER: &str = "https://login.example/realms/news";

/// What tokens for the service have as `aud`.
pub(crate) const AUDIENCE: &str = "bonafide-api";

/// The year 2100: the service has the clock of this machine.
pub(crate) const LATER: i64 = 4_102_444_800;

/// One key that signs tokens.
pub(crate) struct SigningKey {
    id: String,
    pair: Pair,
}

enum Pair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(Box<RsaKeyPair>),
}

impl SigningKey {
    pub(crate) fn p256(id: &str) -> Self {
        let (how, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let made = EcdsaKeyPair::generate_pkcs8(how, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(how, made.as_ref(), &random).unwrap();
        Self::new(id, Pair::P256(pair))
    }

    pub(crate) fn ed25519(id: &str) -> Self {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(made.as_ref()).unwrap();
        Self::new(id, Pair::Ed25519(pair))
    }

    /// The same key each time: making one takes a while.
    pub(crate) fn rsa(id: &str) -> Self {
        static MADE: OnceLock<Vec<u8>> = OnceLock::new();
        let made = MADE.get_or_init(|| {
            let key = RsaPrivateKey::new(&mut OsRng, 2048).unwrap();
            key.to_pkcs1_der().unwrap().as_bytes().to_vec()
        });
        let pair = RsaKeyPair::from_der(made).unwrap();
        Self::new(id, Pair::Rsa(Box::new(pair)))
    }

    fn new(id: &str, pair: Pair) -> Self {
        let id = id.to_owned();
        Self { id, pair }
    }

    /// The public half, as RFC 7517 has it.
    pub(crate) fn public(&self) -> Value {
        let mut key = match &self.pair {
            Pair::P256(pair) => {
                let point = pair.public_key().as_ref();
                json!({ "kty": "EC", "crv": "P-256", "x": encoded(&point[1..33]), "y": encoded(&point[33..]) })
            }
            Pair::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(pair.public_key()) })
            }
            Pair::Rsa(pair) => {
                let PublicKeyComponents { n, e } =
                    PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({ "kty": "RSA", "n": encoded(n), "e": encoded(e) })
            }
        };
        key["kid"] = json!(self.id);
        key["use"] = json!("sig");
        key
    }

    /// The algorithm it is used with unless one is named.
    pub(crate) fn algorithm(&self) -> &'static str {
        match &self.pair {
            Pair::P256(_) => "ES256",
            Pair::Ed25519(_) => "EdDSA",
            Pair::Rsa(_) => "RS256",
        }
    }

    /// A token with the usual header.
    pub(crate) fn token(&self, claims: &Value) -> String {
        let header = json!({ "typ": "at+jwt", "alg": self.algorithm(), "kid": self.id });
        self.token_with(&header, claims)
    }

    /// A token with any header. An RSA key signs PSS when that says so.
    pub(crate) fn token_with(&self, header: &Value, claims: &Value) -> String {
        let signed = unsigned(header, claims);
        let (message, random) = (signed.as_bytes(), SystemRandom::new());
        let signature = match &self.pair {
            Pair::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let padding: &dyn ring::signature::RsaEncoding = match header["alg"] == "PS256" {
                    true => &RSA_PSS_SHA256,
                    false => &RSA_PKCS1_SHA256,
                };
                pair.sign(padding, &random, message, &mut signature)
                    .unwrap();
                signature
            }
        };
        format!("{signed}.{}", encoded(signature))
    }
}

/// A token whose `secret` both sides would have to know.
pub(crate) fn hs256(secret: &[u8], id: &str, claims: &Value) -> String {
    let header = json!({ "typ": "JWT", "alg": "HS256", "kid": id });
    let signed = unsigned(&header, claims);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    format!("{signed}.{}", encoded(hmac::sign(&key, signed.as_bytes())))
}

/// Header and claims, without a signature.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        encoded(header.to_string()),
        encoded(claims.to_string())
    )
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The claims of somebody who works for `tenant`.
pub(crate) fn claims(tenant: &str, scopes: &[&str]) -> Value {
    let scopes: Vec<String> = scopes
        .iter()
        .map(|word| format!("bonafide:{word}"))
        .collect();
    json!({
        "iss": ISSUER,
        "aud": ["account", AUDIENCE],
        "exp": LATER,
        "sub": format!("{tenant}-somebody"),
        "bonafide_tenant": tenant,
        "scope": format!("openid {}", scopes.join(" ")),
    })
}

/// The issuer with one key, and the file that a service is given.
pub(crate) struct Issuer {
    file: PathBuf,
    pub(crate) key: SigningKey,
}

impl Issuer {
    /// Writes its file into `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        let issuer = Self {
            file: folder.join("issuer.json"),
            key: SigningKey::ed25519("first"),
        };
        issuer.publish(&[&issuer.key]);
        issuer
    }

    /// From now on these are in the file.
    pub(crate) fn publish(&self, keys: &[&SigningKey]) {
        let keys: Vec<Value> = keys.iter().map(|key| key.public()).collect();
        self.write(&json!({ "keys": keys }).to_string());
    }

    /// Any text as the file.
    pub(crate) fn write(&self, text: &str) {
        fs::write(&self.file, text).unwrap();
    }

    /// The arguments that make a service know it.
    pub(crate) fn args(&self) -> [&str; 6] {
        [
            "--oidc-issuer",
            ISSUER,
            "--oidc-audience",
            AUDIENCE,
            "--oidc-keys",
            text(&self.file),
        ]
    }

    /// A token for `tenant`.
    pub(crate) fn token(&self, tenant: &str, scopes: &[&str]) -> String {
        self.key.token(&claims(tenant, scopes))
    }
}
