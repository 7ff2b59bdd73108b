//! The rules for the signing certificate itself.

use x509_parser::{
    extensions::{ExtendedKeyUsage, KeyUsage, ParsedExtension},
    x509::X509Version,
};

use super::{Patient, Rule, Weight, algorithms};
use crate::signer::PublicKey;

/// In the order of RFC 5280.
pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "version",
        text: "it is an X.509 certificate of version 3",
        ask: "ask for an X.509 version 3 certificate",
        weight: Weight::Required,
        breach: |patient| {
            let version = patient.leaf.version();
            (version != X509Version::V3).then(|| format!("version {}", version.0.saturating_add(1)))
        },
    },
    Rule {
        code: "serial_number",
        text: "its serial number is positive and at most 20 bytes long",
        ask: "ask for a certificate with a serial number as RFC 5280, section 4.1.2.2 has it",
        weight: Weight::Advised,
        breach: serial_number,
    },
    Rule {
        code: "signature_algorithm",
        text: "the CA signed it with an algorithm that C2PA allows, and says so twice alike",
        ask: "ask for a signature with ECDSA or RSA and SHA-256, SHA-384 or SHA-512, or with Ed25519",
        weight: Weight::Required,
        breach: |patient| algorithms::signature_breach(patient.leaf),
    },
    Rule {
        code: "validity",
        text: "it is valid now",
        ask: "ask for a renewed certificate, or check the clock",
        weight: Weight::Required,
        breach: validity,
    },
    Rule {
        code: "name",
        text: "it names its owner",
        ask: "ask for a certificate with an organisation or a common name in its subject",
        weight: Weight::Required,
        breach: name,
    },
    Rule {
        code: "key_algorithm",
        text: "its key is one that C2PA allows: Ed25519, P-256, P-384, P-521, or RSA of 2048 bits and more",
        ask: "make a new key (bonafide keys csr --algorithm ed25519) and have that certified",
        weight: Weight::Required,
        breach: |patient| algorithms::key_breach(patient.leaf),
    },
    Rule {
        code: "key_usable_here",
        text: "its key is one that bonafide signs with: Ed25519 or P-256",
        ask: "make a new key (bonafide keys csr --algorithm ed25519) and have that certified",
        weight: Weight::Required,
        breach: |patient| {
            let der = patient.ders.first()?;
            let usable = PublicKey::of(der).is_ok();
            (!usable).then(|| algorithms::key_name(patient.leaf))
        },
    },
    Rule {
        code: "unique_ids",
        text: "it has no unique identifiers of issuer or subject, which nobody uses any more",
        ask: "ask for a certificate without issuerUniqueID and subjectUniqueID",
        weight: Weight::Required,
        breach: |patient| {
            let leaf = patient.leaf;
            let has = leaf.issuer_uid.is_some() || leaf.subject_uid.is_some();
            has.then(|| "it has one".to_owned())
        },
    },
    Rule {
        code: "not_a_ca",
        text: "it is not the certificate of a CA",
        ask: "ask for an end-entity certificate (basicConstraints with cA false)",
        weight: Weight::Required,
        breach: |patient| {
            let is_ca = patient.leaf.is_ca();
            is_ca.then(|| "basicConstraints says cA true".to_owned())
        },
    },
    Rule {
        code: "not_self_signed",
        text: "somebody else issued it",
        ask: "nobody trusts a self-signed certificate: make a request (bonafide keys csr) and send it to a CA",
        weight: Weight::Required,
        breach: |patient| {
            let own = patient.leaf.subject() == patient.leaf.issuer();
            own.then(|| "it is self-signed".to_owned())
        },
    },
    Rule {
        code: "key_usage",
        text: "its key usage is there, is critical and allows digital signatures",
        ask: "ask for the critical extension keyUsage with digitalSignature",
        weight: Weight::Required,
        breach: |patient| key_usage(patient, key_usage_breach),
    },
    Rule {
        code: "no_cert_sign",
        text: "its key usage does not allow to issue certificates",
        ask: "ask for a keyUsage without keyCertSign",
        weight: Weight::Required,
        breach: |patient| {
            key_usage(patient, |usage, _| {
                usage
                    .is_some_and(KeyUsage::key_cert_sign)
                    .then(|| "keyCertSign".to_owned())
            })
        },
    },
    Rule {
        code: "extended_key_usage",
        text: "its extended key usage names a purpose that C2PA readers accept",
        ask: "ask for extendedKeyUsage with c2pa-kp-claimSigning (1.3.6.1.4.1.62558.2.1), emailProtection or documentSigning",
        weight: Weight::Required,
        breach: |patient| extended_key_usage(patient, purpose_breach),
    },
    Rule {
        code: "no_any_purpose",
        text: "its extended key usage does not allow just anything",
        ask: "ask for an extendedKeyUsage without anyExtendedKeyUsage",
        weight: Weight::Required,
        breach: |patient| {
            extended_key_usage(patient, |usage| {
                usage?.any.then(|| "anyExtendedKeyUsage".to_owned())
            })
        },
    },
    Rule {
        code: "signs_claims_only",
        text: "it may neither stamp times nor answer for revocation",
        ask: "ask for an extendedKeyUsage without timeStamping and OCSPSigning, which must stand alone",
        weight: Weight::Required,
        breach: |patient| extended_key_usage(patient, other_duty),
    },
    Rule {
        code: "authority_key_identifier",
        text: "it names the key of its CA",
        ask: "ask for the extension authorityKeyIdentifier",
        weight: Weight::Required,
        breach: |patient| {
            let is_it =
                |e: &ParsedExtension<'_>| matches!(e, ParsedExtension::AuthorityKeyIdentifier(_));
            (!has_extension(patient, is_it))
                .then(|| "there is no authorityKeyIdentifier".to_owned())
        },
    },
    Rule {
        code: "subject_key_identifier",
        text: "it names its own key",
        ask: "ask for the extension subjectKeyIdentifier",
        weight: Weight::Advised,
        breach: |patient| {
            let is_it =
                |e: &ParsedExtension<'_>| matches!(e, ParsedExtension::SubjectKeyIdentifier(_));
            (!has_extension(patient, is_it)).then(|| "there is no subjectKeyIdentifier".to_owned())
        },
    },
    Rule {
        code: "critical_extensions",
        text: "it has no critical extension that readers do not know",
        ask: "ask for a certificate without it, or with it as not critical",
        weight: Weight::Required,
        breach: unknown_critical,
    },
];

/// The rule for the key, where one is given.
pub(super) const KEY_MATCHES: Rule = Rule {
    code: "key_matches",
    text: "the key given belongs to it",
    ask: "give the key that the request was made with",
    weight: Weight::Required,
    breach: |patient| {
        let key = patient.key?;
        let is_ours = patient.leaf.public_key().subject_public_key.data == key.public();
        (!is_ours).then(|| "it is for another key".to_owned())
    },
};

fn serial_number(patient: &Patient<'_>) -> Option<String> {
    let serial = patient.leaf.raw_serial();
    match serial {
        [first, ..] if first & 0x80 != 0 => Some("it is negative".to_owned()),
        _ if serial.iter().all(|byte| *byte == 0) => Some("it is zero".to_owned()),
        _ if serial.len() > 20 => Some(format!("it has {} bytes", serial.len())),
        _ => None,
    }
}

fn validity(patient: &Patient<'_>) -> Option<String> {
    let validity = patient.validity;
    if patient.at > validity.not_after {
        return Some(format!("it ended on {}", validity.not_after));
    }
    (patient.at < validity.not_before).then(|| format!("it begins on {}", validity.not_before))
}

fn name(patient: &Patient<'_>) -> Option<String> {
    let subject = patient.leaf.subject();
    let named = subject
        .iter_common_name()
        .chain(subject.iter_organization());
    let is_there = named
        .filter_map(|name| name.as_str().ok())
        .any(|name| !name.trim().is_empty());
    (!is_there).then(|| "its subject has neither".to_owned())
}

fn key_usage(
    patient: &Patient<'_>,
    breach: fn(Option<&KeyUsage>, bool) -> Option<String>,
) -> Option<String> {
    match patient.leaf.key_usage() {
        Ok(Some(usage)) => breach(Some(usage.value), usage.critical),
        Ok(None) => breach(None, false),
        Err(_) => Some("keyUsage is there twice".to_owned()),
    }
}

fn key_usage_breach(usage: Option<&KeyUsage>, critical: bool) -> Option<String> {
    match usage {
        None => Some("there is no keyUsage".to_owned()),
        Some(usage) if !usage.digital_signature() => Some(format!("keyUsage is {usage}")),
        Some(_) if !critical => Some("keyUsage is not critical".to_owned()),
        Some(_) => None,
    }
}

fn extended_key_usage(
    patient: &Patient<'_>,
    breach: fn(Option<&ExtendedKeyUsage<'_>>) -> Option<String>,
) -> Option<String> {
    match patient.leaf.extended_key_usage() {
        Ok(usage) => breach(usage.map(|usage| usage.value)),
        Err(_) => Some("extendedKeyUsage is there twice".to_owned()),
    }
}

fn purpose_breach(usage: Option<&ExtendedKeyUsage<'_>>) -> Option<String> {
    let Some(usage) = usage else {
        return Some("there is no extendedKeyUsage".to_owned());
    };
    let others: Vec<String> = usage.other.iter().map(|oid| oid.to_id_string()).collect();
    let accepted = usage.email_protection
        || others
            .iter()
            .any(|oid| ACCEPTED_PURPOSES.contains(&oid.as_str()));
    (!accepted).then(|| match others.is_empty() {
        true => "it names none of them".to_owned(),
        false => format!("it names {}", others.join(", ")),
    })
}

fn other_duty(usage: Option<&ExtendedKeyUsage<'_>>) -> Option<String> {
    let usage = usage?;
    match (usage.time_stamping, usage.ocsp_signing) {
        (true, _) => Some("timeStamping".to_owned()),
        (false, true) => Some("OCSPSigning".to_owned()),
        (false, false) => None,
    }
}

fn has_extension(patient: &Patient<'_>, is_it: fn(&ParsedExtension<'_>) -> bool) -> bool {
    let mut extensions = patient.leaf.extensions().iter();
    extensions.any(|extension| is_it(extension.parsed_extension()))
}

fn unknown_critical(patient: &Patient<'_>) -> Option<String> {
    let unknown = patient.leaf.extensions().iter().find(|extension| {
        extension.critical
            && matches!(
                extension.parsed_extension(),
                ParsedExtension::UnsupportedExtension { .. }
                    | ParsedExtension::ParseError { .. }
                    | ParsedExtension::Unparsed
            )
    });
    unknown.map(|extension| extension.oid.to_id_string())
}

/// documentSigning (RFC 9336), Microsoft's C2PA signing, and c2pa-kp-claimSigning.
const ACCEPTED_PURPOSES: [&str; 3] = [
    "1.3.6.1.5.5.7.3.36",
    "1.3.6.1.4.1.311.76.59.1.9",
    "1.3.6.1.4.1.62558.2.1",
];
