//! What an RSASSA-PSS signature names beside itself (RFC 4055, section 3.1). Other signature algorithms are one word; this
//! one has its hash and the length of its salt apart.

use x509_parser::{
    der_parser::oid::Oid, signature_algorithm::RsaSsaPssParams, x509::AlgorithmIdentifier,
};

/// The parameters of one signature.
pub(crate) struct Pss {
    /// The hash, which the mask is made with as well.
    pub(crate) hash: Oid<'static>,
    /// Bytes of the salt.
    pub(crate) salt_bytes: u32,
}

impl Pss {
    /// `None` for another algorithm, for parameters that do not parse, and for a mask with another hash.
    pub(crate) fn of(algorithm: &AlgorithmIdentifier<'_>) -> Option<Self> {
        if algorithm.algorithm.to_id_string() != RSA_PSS {
            return None;
        }
        let named = RsaSsaPssParams::try_from(algorithm.parameters.as_ref()?).ok()?;
        let hash = named.hash_algorithm_oid();
        let mask = named.mask_gen_algorithm().ok()?;
        (mask.hash == *hash).then(|| Self {
            hash: hash.to_owned(),
            salt_bytes: named.salt_length(),
        })
    }
}

/// RFC 4055, section 3.1.
pub(crate) const RSA_PSS: &str = "1.2.840.113549.1.1.10";
