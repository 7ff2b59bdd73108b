//! A service that holds the key: the bytes to sign are posted, the signature comes back, raw.

use std::time::Duration;

use super::{Hand, MAX_SIGNATURE_BYTES};
use crate::{
    exit::Failure,
    http::{Plain, Service},
    secret::Secret,
};

/// The service.
pub(super) struct Remote(Service);

impl Remote {
    pub(super) fn new(
        url: &str,
        token: Option<Secret>,
        timeout: Duration,
    ) -> Result<Self, Failure> {
        let service = Service::new(
            url,
            "--signer-url",
            Plain::Loopback,
            "application/octet-stream",
            timeout,
        )?;
        Ok(Self(match token {
            Some(token) => service.with_token(token),
            None => service,
        }))
    }
}

impl Hand for Remote {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        let answer = self.0.post(message, MAX_SIGNATURE_BYTES);
        answer.map_err(|why| format!("{}: {why}", self.0.host()))
    }
}
