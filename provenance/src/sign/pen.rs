//! A signer and a time stamper in the library's hand.

use std::sync::{Mutex, PoisonError};

use c2pa::SigningAlg;

use super::library;
use crate::{
    error::SignError,
    signer::{Algorithm, Signer, TimeStamper, checked_signature},
    stamp::StampRequest,
    time::Timestamp,
};

/// The library keeps only the text of an error; the error itself waits here.
pub(super) struct Pen<'a> {
    signer: &'a dyn Signer,
    stamper: Option<&'a dyn TimeStamper>,
    now: Timestamp,
    failure: Mutex<Option<SignError>>,
}

impl<'a> Pen<'a> {
    pub(super) fn new(
        signer: &'a dyn Signer,
        stamper: Option<&'a dyn TimeStamper>,
        now: Timestamp,
    ) -> Self {
        Self {
            signer,
            stamper,
            now,
            failure: Mutex::new(None),
        }
    }

    /// Keeps what went wrong on our side.
    fn keep(&self, error: SignError) -> c2pa::Error {
        let text = error.to_string();
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        c2pa::Error::OtherError(text.into())
    }

    /// What went wrong: our own error where there is one.
    pub(super) fn failure(self, error: c2pa::Error) -> SignError {
        let kept = self.failure.into_inner();
        kept.unwrap_or_else(PoisonError::into_inner)
            .unwrap_or_else(|| library(error))
    }

    fn stamp(&self, stamper: &dyn TimeStamper, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let request = StampRequest::new(message, self.now)?;
        let response = stamper.stamp(&request)?;
        request.check(&response)?;
        Ok(response)
    }
}

impl c2pa::Signer for Pen<'_> {
    fn sign(&self, data: &[u8]) -> c2pa::Result<Vec<u8>> {
        checked_signature(self.signer, data).map_err(|error| self.keep(error))
    }

    fn alg(&self) -> SigningAlg {
        match self.signer.algorithm() {
            Algorithm::Ed25519 => SigningAlg::Ed25519,
            Algorithm::Es256 => SigningAlg::Es256,
        }
    }

    fn certs(&self) -> c2pa::Result<Vec<Vec<u8>>> {
        Ok(self.signer.chain().to_vec())
    }

    fn reserve_size(&self) -> usize {
        let chain = self.signer.chain().iter().map(Vec::len);
        let stamp = self.stamper.map_or(0, |_| STAMP_BYTES);
        chain.fold(COSE_OVERHEAD_BYTES + stamp, usize::saturating_add)
    }

    fn time_authority_url(&self) -> Option<String> {
        None
    }

    /// The library's own request would open a socket outside our settings.
    fn send_timestamp_request(&self, message: &[u8]) -> Option<c2pa::Result<Vec<u8>>> {
        let stamper = self.stamper?;
        let response = self.stamp(stamper, message);
        Some(response.map_err(|error| self.keep(error)))
    }
}

/// Room for a COSE_Sign1 beside its certificates. Measured: 256 is too little, the default of 10,000
/// wastes 9 KB a file.
const COSE_OVERHEAD_BYTES: usize = 1_024;

/// Room for a time stamp with its authority's certificates; those of public authorities take 5 to 8 KB.
const STAMP_BYTES: usize = 10_240;
