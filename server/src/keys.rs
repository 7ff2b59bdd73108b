//! API keys: made of 256 random bits, shown once, known afterwards by their SHA-256 alone.
//!
//! A key reads `bonafide_ID_SECRET`. The id names it in lists and finds its row; only the hash of the whole
//! key opens anything. Random keys need no slow hash: there is nothing to guess.

use provenance::Timestamp;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::store::{KeyHash, KeyId, NewKey, Scopes};

/// A whole key. It has no `Debug`, is wiped on drop, and is to be shown to its owner and nobody else.
pub struct ApiKeyText(Zeroizing<String>);

impl ApiKeyText {
    /// The text to show, once.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// A new key and what to store of it.
///
/// # Errors
///
/// The system's, when it gives no random bytes.
pub fn generate(
    scopes: Scopes,
    now: Timestamp,
    expires_at: Option<Timestamp>,
) -> Result<(ApiKeyText, NewKey), getrandom::Error> {
    let mut id = [0; ID_BYTES];
    let mut secret = Zeroizing::new([0; SECRET_BYTES]);
    getrandom::fill(&mut id)?;
    getrandom::fill(secret.as_mut_slice())?;
    let id = hex(&id);
    let text = Zeroizing::new(format!("{PREFIX}{}_{}", *id, *hex(secret.as_slice())));
    let key = NewKey {
        id: KeyId(id.to_string()),
        hash: hash(&text),
        scopes,
        created_at: now,
        expires_at,
    };
    Ok((ApiKeyText(text), key))
}

/// The id and the hash of what a caller presents; `None` for what cannot be a key.
pub(crate) fn parse(text: &str) -> Option<(KeyId, KeyHash)> {
    let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
    let is_hex = |part: &str, bytes: usize| {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        part.len() == 2 * bytes && part.bytes().all(is_digit)
    };
    (is_hex(id, ID_BYTES) && is_hex(secret, SECRET_BYTES))
        .then(|| (KeyId(id.to_owned()), hash(text)))
}

/// Whether `text` was meant as a key, right or wrong. No token of an issuer is: it begins with the JSON of its header, and
/// these letters are no base64url of that.
pub(crate) fn is_meant(text: &str) -> bool {
    text.starts_with(PREFIX)
}

/// Whether both are hashes of the same key, in a time that does not tell how much of them agrees.
pub(crate) fn matches(kept: &KeyHash, presented: &KeyHash) -> bool {
    kept.0.ct_eq(&presented.0).into()
}

fn hash(text: &str) -> KeyHash {
    KeyHash(Sha256::digest(text.as_bytes()).into())
}

/// Lower-case hex in one allocation of the right size, so that no copy of a secret is left behind.
fn hex(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len()));
    for nibble in bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]) {
        text.extend(char::from_digit(u32::from(nibble), 16));
    }
    text
}

/// Lets scanners of leaked secrets recognise a key.
const PREFIX: &str = "bonafide_";

/// Enough that ids of one service never meet.
const ID_BYTES: usize = 6;

/// 256 bits.
const SECRET_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> (ApiKeyText, NewKey) {
        generate(Scopes::default(), Timestamp(0), None).unwrap()
    }

    #[test]
    fn a_key_is_found_by_its_id_and_opened_by_its_hash() {
        let (text, key) = new();
        let (id, presented) = parse(text.expose()).unwrap();
        assert_eq!(id, key.id);
        assert!(matches(&key.hash, &presented));
        assert!(!text.expose().contains(&hex(&key.hash.0)[..8]));
    }

    #[test]
    fn one_other_character_opens_nothing() {
        let (text, key) = new();
        let text = text.expose();
        let last = if text.ends_with('0') { '1' } else { '0' };
        let other = format!("{}{last}", &text[..text.len() - 1]);
        let (id, presented) = parse(&other).unwrap();
        assert_eq!(id, key.id);
        assert!(!matches(&key.hash, &presented));
    }

    #[test]
    fn no_two_keys_are_alike() {
        let ((first, a), (second, b)) = (new(), new());
        assert_ne!(first.expose(), second.expose());
        assert_ne!(a.id, b.id);
    }

    #[test]
    fn what_cannot_be_a_key_is_not_hashed() {
        let (text, _) = new();
        let text = text.expose();
        for wrong in [
            "",
            "bonafide_",
            &text[..text.len() - 1],
            &format!("{text}0"),
            &text.to_uppercase(),
            &text.replace("bonafide", "banafide"),
            &text.replacen('_', "-", 1),
        ] {
            assert!(parse(wrong).is_none(), "{wrong:?}");
        }
    }
}
