//! The signature on a time-stamp response, checked by the library for the side that asks for one.

use c2pa::{
    crypto::{
        cose::CertificateTrustPolicy,
        time_stamp::{tsa_signer_cert_der_from_token, verify_time_stamp},
    },
    status_tracker::StatusTracker,
};

use crate::time::Timestamp;

/// A stamp whose signature holds.
pub(crate) struct SignedStamp {
    /// `genTime`, cut to seconds.
    pub(crate) time: Timestamp,
    /// DER certificate of the authority. No list has vouched for it.
    pub(crate) certificate: Vec<u8>,
}

/// The stamp in `response`, if it is one of `message` and its signature and digest hold.
pub(crate) fn authority(response: &[u8], message: &[u8]) -> Option<SignedStamp> {
    let mut log = StatusTracker::default();
    let nobody = CertificateTrustPolicy::new();
    let info = verify_time_stamp(response, message, &nobody, &mut log, false).ok()?;
    let time: chrono::DateTime<chrono::Utc> = info.gen_time.into();
    Some(SignedStamp {
        time: Timestamp(time.timestamp()),
        certificate: tsa_signer_cert_der_from_token(response).ok()??,
    })
}
