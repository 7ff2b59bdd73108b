//! Time stamps (RFC 3161): what is asked of an authority, and whether its answer may be embedded. How the
//! question travels is the business of a [`TimeStamper`](crate::TimeStamper).

use media::Digest;
use x509_parser::{
    asn1_rs::{Any, Tag},
    prelude::{FromDer, X509Certificate},
};

use crate::{cms, error::SignError, read::authority, time::Timestamp};

/// A question to a time-stamping authority: when was this message there?
pub struct StampRequest<'a> {
    message: &'a [u8],
    now: Timestamp,
    nonce: [u8; 8],
    digest: Digest,
}

impl<'a> StampRequest<'a> {
    /// Asks for a stamp on `message`; `now` is when the run began: what the answer's time
    /// is held against.
    ///
    /// # Errors
    ///
    /// [`SignError::Random`] when the system gives no nonce.
    pub fn new(message: &'a [u8], now: Timestamp) -> Result<Self, SignError> {
        let mut nonce = [0; 8];
        getrandom::fill(&mut nonce).map_err(|error| SignError::Random(error.to_string()))?;
        // A positive integer of exactly eight bytes, so that there is one way to encode it.
        if let Some(first) = nonce.first_mut() {
            *first = *first & 0x7f | 0x40;
        }
        Ok(Self {
            message,
            now,
            nonce,
            digest: Digest::of(message),
        })
    }

    /// `TimeStampReq` in DER, 69 bytes: SHA-256, a nonce, and the request for certificates (RFC 3161,
    /// section 2.4.1).
    pub fn der(&self) -> Vec<u8> {
        [
            &REQUEST_HEAD[..],
            self.digest.as_bytes(),
            &[0x02, 0x08],
            &self.nonce,
            &[0x01, 0x01, 0xff],
        ]
        .concat()
    }

    /// The time in `response` (`TimeStampResp`, DER), if everything in it holds: it was granted, it is
    /// about this message and this question, the authority signed it with a certificate that may stamp
    /// and nothing else, and its clock and ours agree. Whether the authority is on a list is for whoever
    /// judges the file.
    ///
    /// # Errors
    ///
    /// [`SignError::TimeStamp`] with what is wrong.
    pub fn check(&self, response: &[u8]) -> Result<Timestamp, SignError> {
        if response.len() > MAX_RESPONSE_BYTES {
            return refused("the answer is too long");
        }
        let status = status(response);
        if !matches!(status, Some(0 | 1)) {
            return refused(match status {
                Some(_) => "the authority refused",
                None => "the answer is no time-stamp response",
            });
        }
        let Some(info) = cms::tst_info(response) else {
            return refused("the answer holds no time stamp");
        };
        if info.nonce.as_deref() != Some(&self.nonce[..]) {
            return refused("the answer belongs to another question");
        }
        if info.imprint != self.digest.as_bytes() {
            return refused("the stamp is for another message");
        }
        let Some(stamp) = authority(response, self.message) else {
            return refused("the authority's signature does not hold");
        };
        if !may_only_stamp(&stamp.certificate) {
            return refused("the authority's certificate is not one for time stamping");
        }
        if !is_plausible(stamp.time, self.now) {
            return Err(SignError::TimeStamp(format!(
                "the authority says it is {}, this machine {}",
                stamp.time, self.now
            )));
        }
        Ok(stamp.time)
    }
}

fn is_plausible(time: Timestamp, now: Timestamp) -> bool {
    let earliest = now.0.saturating_sub(MAX_CLOCK_DIFFERENCE_S);
    let latest = now.0.saturating_add(MAX_RUN_S + MAX_CLOCK_DIFFERENCE_S);
    (earliest..=latest).contains(&time.0)
}

fn refused<T>(why: &str) -> Result<T, SignError> {
    Err(SignError::TimeStamp(why.to_owned()))
}

/// `PKIStatus`, the first number of the first sequence.
fn status(response: &[u8]) -> Option<u8> {
    let outer = cms::children(response)?;
    let first = outer.first().filter(|first| first.tag() == Tag::Sequence)?;
    let (_, status) = Any::from_der(first.data).ok()?;
    match (status.tag(), status.data) {
        (Tag::Integer, [value]) => Some(*value),
        _ => None,
    }
}

/// RFC 3161, section 2.3: the extended key usage is critical and is `timeStamping` alone.
fn may_only_stamp(certificate: &[u8]) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else {
        return false;
    };
    let Ok(Some(usage)) = certificate.extended_key_usage() else {
        return false;
    };
    let value = usage.value;
    usage.critical
        && value.time_stamping
        && value.other.is_empty()
        && ![
            value.any,
            value.server_auth,
            value.client_auth,
            value.code_signing,
            value.email_protection,
            value.ocsp_signing,
        ]
        .contains(&true)
}

/// SEQUENCE { version 1, SEQUENCE { SEQUENCE { SHA-256, NULL }, OCTET STRING of 32 bytes … } … }.
const REQUEST_HEAD: [u8; 24] = [
    0x30, 0x43, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
    0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20,
];

/// Real answers are 1.5 to 8 KB.
const MAX_RESPONSE_BYTES: usize = 65_536;
/// How far two honest clocks may lie apart.
const MAX_CLOCK_DIFFERENCE_S: i64 = 600;
/// How long a run that signs a whole folder may take; `now` is when it began.
const MAX_RUN_S: i64 = 86_400;

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, CustomExtension};

    use super::{StampRequest, Timestamp, may_only_stamp, status};
    use crate::{private_key::PrivateKey, signer::Algorithm};

    const STAMPING: [u8; 10] = [0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 3, 8];
    const EMAIL: [u8; 10] = [0x06, 0x08, 0x2b, 6, 1, 5, 5, 7, 3, 4];
    const OTHER: [u8; 5] = [0x06, 0x03, 0x2a, 3, 4];

    #[test]
    fn an_authority_may_stamp_and_nothing_else() {
        let check = |purposes: &[&[u8]], critical, accepted| {
            let purposes = purposes.concat();
            let length = u8::try_from(purposes.len()).unwrap();
            let content = [&[0x30, length][..], &purposes].concat();
            let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 37], content);
            extension.set_criticality(critical);
            let mut params = CertificateParams::default();
            params.custom_extensions = vec![extension];
            params.serial_number = Some(1.into());
            let key = PrivateKey::random(Algorithm::Es256).unwrap();
            let certificate = params.self_signed(&key).unwrap();
            assert_eq!(
                may_only_stamp(certificate.der()),
                accepted,
                "{purposes:?} {critical}"
            );
        };
        check(&[&STAMPING], true, true);
        check(&[&STAMPING], false, false);
        check(&[&STAMPING, &EMAIL], true, false);
        check(&[&STAMPING, &OTHER], true, false);
        check(&[&EMAIL], true, false);
        assert!(!may_only_stamp(b"no certificate"));
    }

    #[test]
    fn a_request_is_der_of_one_length_with_a_nonce_of_its_own() {
        let one = StampRequest::new(b"x", Timestamp(0)).unwrap().der();
        let other = StampRequest::new(b"x", Timestamp(0)).unwrap().der();
        assert_eq!((one.len(), other.len()), (69, 69));
        assert_eq!(usize::from(one[1]), one.len() - 2);
        assert_eq!(one[..56], other[..56]);
        assert_ne!(one[58..66], other[58..66]);
    }

    #[test]
    fn a_status_is_read_or_it_is_none() {
        assert_eq!(status(&[0x30, 5, 0x30, 3, 2, 1, 2]), Some(2));
        for bytes in [
            &[][..],
            b"\x30\x00",
            &[0x30, 3, 2, 1, 0],
            &[0x30, 4, 0x30, 2, 2, 0],
        ] {
            assert_eq!(status(bytes), None, "{bytes:?}");
        }
    }
}
