//! The public keys of an issuer, out of a JWK Set (RFC 7517) that the operator provides. It takes the keys that
//! verify signatures by the four algorithms of [`Algorithm`], and knows neither tokens nor where the text came from.
//!
//! `ring` verifies, because it is in the program anyway, under the TLS of webhooks, and has all four algorithms.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use serde::Deserialize;

use super::members::Members;

/// How a signature is made. All of them are asymmetric: no key of ours could sign a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSA PKCS #1 1.5 with SHA-256.
    Rs256,
    /// RSA PSS with SHA-256.
    Ps256,
}

/// The keys of an issuer that can be used here; at least one.
#[derive(Debug, Clone)]
pub struct KeySet(Vec<Key>);

/// One public key.
#[derive(Debug, Clone)]
pub(super) struct Key {
    id: Option<String>,
    /// The one algorithm it is for, where it says so.
    only: Option<Algorithm>,
    material: Material,
}

#[derive(Debug, Clone)]
enum Material {
    /// `04`, x, y.
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
    /// Modulus and exponent, big-endian, without leading zeros.
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

/// The text is no set of keys that could be used. Nothing of the text is repeated: it may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeySetError {
    /// Over [`KeySet::MAX_BYTES`].
    #[error("it has more than {max} bytes", max = KeySet::MAX_BYTES)]
    TooLong,
    /// No JSON of the right shape.
    #[error(
        "it is no JWK Set, a JSON object with the list \"keys\" (line {line}, column {column})"
    )]
    NotKeys {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// More keys than an issuer has.
    #[error("it has more than {max} keys", max = MAX_KEYS)]
    TooMany,
    /// A key that has no business outside the issuer.
    #[error("key {0} has a private or secret part, which belongs to the issuer alone")]
    Private(usize),
    /// A key of a known type that is not well formed.
    #[error("key {at} has no usable \"{member}\"")]
    Malformed {
        /// From 1.
        at: usize,
        /// The member concerned.
        member: &'static str,
    },
    /// Which of them a token means could not be told.
    #[error("two keys for the same algorithm have the same \"kid\", or none")]
    Twice,
    /// Keys, and none for us.
    #[error(
        "none of its keys is for signatures by ES256, EdDSA (Ed25519), RS256 or PS256 (RSA of 2,048 to 8,192 bits)"
    )]
    NoneUsable,
}

impl Algorithm {
    /// Reads `alg` (RFC 7518, section 3.1, RFC 8037, and RFC 9864 for the newer name of EdDSA with this curve).
    pub(super) fn named(alg: &str) -> Option<Self> {
        match alg {
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            "RS256" => Some(Self::Rs256),
            "PS256" => Some(Self::Ps256),
            _ => None,
        }
    }
}

impl KeySet {
    /// Bytes of a whole set; those of large issuers have some 10 KiB.
    pub const MAX_BYTES: usize = 256 << 10;

    /// Reads a JWK Set. Keys for other purposes and of other types are left out, as RFC 7517, section 5, asks.
    ///
    /// # Errors
    ///
    /// [`KeySetError`].
    pub fn parse(text: &[u8]) -> Result<Self, KeySetError> {
        if text.len() > Self::MAX_BYTES {
            return Err(KeySetError::TooLong);
        }
        let set: Set = serde_json::from_slice(text).map_err(|error| KeySetError::NotKeys {
            line: error.line(),
            column: error.column(),
        })?;
        if set.keys.len() > MAX_KEYS {
            return Err(KeySetError::TooMany);
        }
        let mut keys: Vec<Key> = Vec::new();
        for (at, members) in (1..).zip(&set.keys) {
            if PRIVATE.iter().any(|name| members.get(name).is_some()) {
                return Err(KeySetError::Private(at));
            }
            let key = Key::read(members).map_err(|member| KeySetError::Malformed { at, member })?;
            let Some(key) = key else { continue };
            if keys.iter().any(|other| other.clashes(&key)) {
                return Err(KeySetError::Twice);
            }
            keys.push(key);
        }
        match keys.is_empty() {
            true => Err(KeySetError::NoneUsable),
            false => Ok(Self(keys)),
        }
    }

    /// How many keys can be used.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The one key that a token means: the one of its name, or, where it names none, the only one that fits.
    pub(super) fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&Key> {
        let mut fitting = self
            .0
            .iter()
            .filter(|key| key.fits(algorithm) && id.is_none_or(|id| key.id.as_deref() == Some(id)));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => Some(key),
            (Some(_), Some(_)) | (None, _) => None,
        }
    }
}

impl Key {
    /// Whether it made `signature` over `message` by `algorithm`.
    pub(super) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let by = |how: &'static dyn VerificationAlgorithm, key: &[u8]| {
            let key = UnparsedPublicKey::new(how, key);
            key.verify(message, signature).is_ok()
        };
        match &self.material {
            Material::P256(point) => {
                algorithm == Algorithm::Es256 && by(&ECDSA_P256_SHA256_FIXED, point)
            }
            Material::Ed25519(point) => algorithm == Algorithm::EdDsa && by(&ED25519, point),
            Material::Rsa { n, e } => {
                let how = match algorithm {
                    Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
                    Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
                    Algorithm::Es256 | Algorithm::EdDsa => return false,
                };
                let key = RsaPublicKeyComponents { n, e };
                key.verify(how, message, signature).is_ok()
            }
        }
    }

    fn fits(&self, algorithm: Algorithm) -> bool {
        self.material.fits(algorithm) && self.only.is_none_or(|only| only == algorithm)
    }

    /// Whether a token that names one of both could mean the other.
    fn clashes(&self, other: &Self) -> bool {
        let both_fit = |algorithm| self.fits(algorithm) && other.fits(algorithm);
        self.id == other.id && ALGORITHMS.into_iter().any(both_fit)
    }

    /// `None` for a key that is not for us, or the member that is wrong with one that is.
    fn read(members: &Members) -> Result<Option<Self>, &'static str> {
        let text = |name| members.text(name).map_err(|_| name);
        let is_for_signatures = text("use")?.is_none_or(|word| word == "sig")
            && (members.get("key_ops").is_none() || members.names("key_ops", "verify"));
        let only = match text("alg")? {
            None => None,
            Some(word) => match Algorithm::named(word) {
                Some(algorithm) => Some(algorithm),
                None => return Ok(None),
            },
        };
        if !is_for_signatures {
            return Ok(None);
        }
        let Some(material) = Material::read(members)? else {
            return Ok(None);
        };
        if only.is_some_and(|only| !material.fits(only)) {
            return Err("alg");
        }
        let id = text("kid")?.map(str::to_owned);
        Ok(Some(Self { id, only, material }))
    }
}

impl Material {
    fn fits(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::P256(_) => algorithm == Algorithm::Es256,
            Self::Ed25519(_) => algorithm == Algorithm::EdDsa,
            Self::Rsa { .. } => matches!(algorithm, Algorithm::Rs256 | Algorithm::Ps256),
        }
    }

    /// RFC 7518, section 6, and RFC 8037, section 2.
    fn read(members: &Members) -> Result<Option<Self>, &'static str> {
        let text = |name| members.text(name).map_err(|_| name);
        match (text("kty")?, text("crv")?) {
            (Some("EC"), Some("P-256")) => {
                let (x, y) = (coordinate(members, "x")?, coordinate(members, "y")?);
                Ok(Some(Self::P256([&[0x04], &*x, &*y].concat())))
            }
            (Some("OKP"), Some("Ed25519")) => Ok(Some(Self::Ed25519(coordinate(members, "x")?))),
            (Some("RSA"), _) => {
                let (n, e) = (number(members, "n")?, number(members, "e")?);
                let is_of_size = RSA_BITS.contains(&bits(&n));
                // No issuer has a longer one than 65,537, and a long one makes each check slow.
                let is_short = (1..=MAX_EXPONENT_BYTES).contains(&e.len());
                match (is_of_size, is_short) {
                    (true, true) => Ok(Some(Self::Rsa { n, e })),
                    (false, _) => Err("n"),
                    (true, false) => Err("e"),
                }
            }
            (Some(_), _) => Ok(None),
            (None, _) => Err("kty"),
        }
    }
}

/// A coordinate of either curve.
fn coordinate(members: &Members, name: &'static str) -> Result<Vec<u8>, &'static str> {
    let bytes = decoded(members, name)?;
    match bytes.len() == COORDINATE_BYTES {
        true => Ok(bytes),
        false => Err(name),
    }
}

/// A number without the zeros that some issuers put in front (RFC 7518, section 6.3.1.1).
fn number(members: &Members, name: &'static str) -> Result<Vec<u8>, &'static str> {
    let bytes = decoded(members, name)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Ok(bytes.into_iter().skip(zeros).collect())
}

fn decoded(members: &Members, name: &'static str) -> Result<Vec<u8>, &'static str> {
    let text = members.text(name).map_err(|_| name)?.ok_or(name)?;
    URL_SAFE_NO_PAD.decode(text).map_err(|_| name)
}

/// Bits of a number without leading zeros in its bytes.
fn bits(number: &[u8]) -> usize {
    let first = number.first().map_or(0, |byte| byte.leading_zeros());
    (8 * number.len()).saturating_sub(usize::try_from(first).unwrap_or_default())
}

/// The outer object; what else stands in it is nobody's business.
#[derive(Deserialize)]
struct Set {
    keys: Vec<Members>,
}

const ALGORITHMS: [Algorithm; 4] = [
    Algorithm::Es256,
    Algorithm::EdDsa,
    Algorithm::Rs256,
    Algorithm::Ps256,
];

/// Members that only private and symmetric keys have (RFC 7518, sections 6.2.2, 6.3.2 and 6.4.1).
const PRIVATE: [&str; 8] = ["d", "k", "p", "q", "dp", "dq", "qi", "oth"];

/// Keys of one set: an issuer has one in use, one to come and some that end.
const MAX_KEYS: usize = 64;

/// Bytes of a coordinate on P-256 and of a point on Curve25519.
const COORDINATE_BYTES: usize = 32;

/// RFC 7518, section 3.3, wants 2,048 at least; `ring` verifies up to 8,192.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// What `ring` takes, rounded down to whole bytes.
const MAX_EXPONENT_BYTES: usize = 4;

#[cfg(test)]
#[path = "key_set_tests.rs"]
mod tests;
