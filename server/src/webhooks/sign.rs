//! The signature of a webhook: Standard Webhooks 1.0.0, scheme `v1a` (Ed25519).
//!
//! It signs what it is given and knows neither receivers nor where keys are kept.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use provenance::Timestamp;
use uuid::Uuid;

/// What one attempt sends.
pub(crate) struct Message<'a> {
    /// The same for every attempt, so that a receiver can tell a repetition.
    pub(crate) id: Uuid,
    /// The moment of this attempt.
    pub(crate) at: Timestamp,
    /// The body, byte for byte as it is sent.
    pub(crate) body: &'a str,
}

impl Message<'_> {
    /// The value of `webhook-id`. Neither it nor the time can contain the full stop that parts the three.
    pub(crate) fn id(&self) -> String {
        public_id(self.id)
    }

    /// The value of `webhook-signature`: one signature per key with a blank between them, so that a receiver
    /// that knows the old or the new key accepts it.
    pub(crate) fn signatures(&self, keys: &[SigningKey]) -> String {
        let signed = format!("{}.{}.{}", self.id(), self.at.0, self.body);
        keys.iter()
            .map(|key| {
                let signature = key.sign(signed.as_bytes());
                format!("v1a,{}", STANDARD.encode(signature.to_bytes()))
            })
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// The id of a delivery as receivers see it.
pub(crate) fn public_id(id: Uuid) -> String {
    format!("msg_{}", id.simple())
}

/// A public key as receivers are given it.
pub(crate) fn public_text(key: &VerifyingKey) -> String {
    format!("whpk_{}", STANDARD.encode(key.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::Signature;

    /// What a receiver does, after the specification: any signature by any key it trusts.
    fn accepts(trusted: &str, id: &str, at: &str, body: &str, header: &str) -> bool {
        let key = STANDARD
            .decode(trusted.strip_prefix("whpk_").unwrap())
            .unwrap();
        let key = VerifyingKey::from_bytes(&key.try_into().unwrap()).unwrap();
        header.split(' ').any(|signature| {
            let Some(("v1a", encoded)) = signature.split_once(',') else {
                return false;
            };
            let bytes: [u8; 64] = STANDARD.decode(encoded).unwrap().try_into().unwrap();
            let signed = format!("{id}.{at}.{body}");
            key.verify_strict(signed.as_bytes(), &Signature::from_bytes(&bytes))
                .is_ok()
        })
    }

    #[test]
    fn old_and_new_keys_are_accepted_and_changes_are_not() {
        let (old, new, other) = ([1; 32], [2; 32], [3; 32]);
        let keys = [old, new].map(|seed| SigningKey::from_bytes(&seed));
        let message = Message {
            id: Uuid::from_u128(7),
            at: Timestamp(1_795_564_800),
            body: "{\"id\":1}",
        };
        let (id, header) = (message.id(), message.signatures(&keys));
        let public = |seed| public_text(&SigningKey::from_bytes(&seed).verifying_key());
        let (at, body) = ("1795564800", "{\"id\":1}");
        assert!(accepts(&public(old), &id, at, body, &header));
        assert!(accepts(&public(new), &id, at, body, &header));
        assert!(!accepts(&public(other), &id, at, body, &header));
        assert!(!accepts(&public(new), &id, at, "{\"id\":2}", &header));
        assert!(!accepts(&public(new), &id, "1795564801", body, &header));
        assert!(!accepts(&public(new), "msg_8", at, body, &header));
        assert!(!id.contains('.'));
    }

    /// Seed and public key of the first test of RFC 8032, section 7.1.
    #[test]
    fn public_keys_have_the_form_of_the_specification() {
        let hex = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
        let seed: Vec<u8> = (0..32)
            .map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).unwrap())
            .collect();
        let key = SigningKey::from_bytes(&seed.try_into().unwrap());
        assert_eq!(
            public_text(&key.verifying_key()),
            "whpk_11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
        );
    }
}
