//! Which of the certificates that travel outside the signature are vouched for by another one.
//!
//! The unprotected header of a COSE signature carries certificates that a validator may ignore. A byte
//! changed in one of those changes nothing it looks at, so it is room to hide in: here it is found.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use c2pa_raw_crypto::{Oid, validator_for_sig_and_hash_algs};
use media::Digest;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::StoreReader;
use crate::{cose::CoseSign1, pss::Pss};

/// Answers kept; the same issuers sign nearly everything in a batch.
const MAX_ANSWERS: usize = 4_096;

/// Whether one certificate issued another, remembered by the digests of both.
#[derive(Default)]
pub(super) struct Cache(Mutex<HashMap<(Digest, Digest), bool>>);

impl StoreReader {
    /// The certificates outside the signature of `cose` that neither an anchor nor another of them
    /// signed, and that are no anchors themselves.
    pub(crate) fn unvouched<'a>(&self, cose: &'a CoseSign1) -> Vec<&'a Vec<u8>> {
        let carried = &cose.loose;
        let selection = self.named_in(carried.iter().map(Vec::as_slice));
        let anchors: Vec<&[u8]> = selection
            .0
            .iter()
            .filter_map(|handle| self.lists.get(handle.0)?.anchors.get(handle.1))
            .map(|anchor| anchor.der.as_slice())
            .collect();
        // Each is parsed once: a token has four of them, and every pair is looked at.
        let issuers: Vec<(&[u8], X509Certificate<'_>)> = anchors
            .iter()
            .copied()
            .chain(carried.iter().map(Vec::as_slice))
            .filter_map(|der| Some((der, X509Certificate::from_der(der).ok()?.1)))
            .collect();
        let is_vouched_for = |der: &Vec<u8>| {
            let Ok((_, certificate)) = X509Certificate::from_der(der) else {
                return false;
            };
            issuers.iter().any(|(issuer_der, issuer)| {
                issuer.subject() == certificate.issuer() && self.issued.ask(issuer_der, der)
            })
        };
        carried
            .iter()
            .filter(|der| !anchors.contains(&der.as_slice()) && !is_vouched_for(der))
            .collect()
    }
}

impl Cache {
    fn ask(&self, issuer: &[u8], certificate: &[u8]) -> bool {
        let key = (Digest::of(issuer), Digest::of(certificate));
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = lock().get(&key) {
            return *answer;
        }
        let answer = is_signed_by(issuer, certificate).unwrap_or(false);
        let mut answers = lock();
        if answers.len() >= MAX_ANSWERS {
            answers.clear();
        }
        answers.insert(key, answer);
        answer
    }
}

/// Whether the key of `issuer` signed `certificate`, both DER. `None` when one does not parse or the algorithm
/// is unknown.
pub(crate) fn is_signed_by(issuer: &[u8], certificate: &[u8]) -> Option<bool> {
    let (_, issuer) = X509Certificate::from_der(issuer).ok()?;
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let algorithm = &certificate.signature_algorithm;
    // RSASSA-PSS names its hash apart; elsewhere one word stands for both.
    let pss = Pss::of(algorithm);
    let hash = pss.as_ref().map_or(&algorithm.algorithm, |pss| &pss.hash);
    let [algorithm, hash] = [&algorithm.algorithm, hash].map(|oid| Oid::new(oid.as_bytes()));
    let validator = validator_for_sig_and_hash_algs(&algorithm, &hash)?;
    let signature = certificate.signature_value.data.as_ref();
    let signed = certificate.tbs_certificate.as_ref();
    let answer = validator.validate(signature, signed, issuer.public_key().raw);
    Some(answer.is_ok())
}
