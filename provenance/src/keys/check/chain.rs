//! The rules for what follows the signing certificate, and for the list at the end.

use x509_parser::certificate::X509Certificate;

use super::{Anchored, Finding, Outcome, Patient, Rule, Weight, algorithms};
use crate::{display::clean, read::is_signed_by};

pub(super) const RULES: &[Rule] = &[
    Rule {
        code: "chain_order",
        text: "each certificate is followed by that of its issuer",
        ask: "put the signing certificate first, then its CA, then that CA's CA, and nothing else",
        weight: Weight::Required,
        breach: |patient| {
            find_pair(patient, |one, next| {
                (one.issuer() != next.subject()).then(|| {
                    format!(
                        "{} is followed by {}",
                        clean(&one.subject().to_string()),
                        clean(&next.subject().to_string())
                    )
                })
            })
        },
    },
    Rule {
        code: "chain_signatures",
        text: "each certificate is signed by the one that follows",
        ask: "ask for the whole chain again; a CA of the same name with another key is another CA",
        weight: Weight::Required,
        breach: signatures,
    },
    Rule {
        code: "issuers_are_cas",
        text: "every certificate after the first may issue certificates",
        ask: "ask which CA really issued it; this one has basicConstraints or keyUsage against it",
        weight: Weight::Required,
        breach: |patient| find_issuer(patient, not_a_ca),
    },
    Rule {
        code: "path_length",
        text: "no CA has more CAs below it than it allows",
        ask: "ask for a certificate from a CA that may issue it (pathLenConstraint)",
        weight: Weight::Required,
        breach: path_length,
    },
    Rule {
        code: "issuers_valid",
        text: "every CA's certificate is valid now",
        ask: "ask for the CA's current certificate",
        weight: Weight::Required,
        breach: |patient| {
            let at = patient.at.0;
            let ended = patient.certificates.iter().skip(1).find(|issuer| {
                let validity = issuer.validity();
                at < validity.not_before.timestamp() || at > validity.not_after.timestamp()
            });
            ended.map(named)
        },
    },
    Rule {
        code: "issuer_algorithms",
        text: "every CA's key and signature are of a kind that C2PA allows",
        ask: "ask for a certificate from a CA with SHA-2 and a key of today's size",
        weight: Weight::Required,
        breach: |patient| {
            find_issuer(patient, |issuer| {
                algorithms::key_breach(issuer).or_else(|| algorithms::signature_breach(issuer))
            })
        },
    },
    Rule {
        code: "root_left_out",
        text: "the root is not in the file: readers take it from their own list",
        ask: "nothing is needed: bonafide leaves it out when it signs",
        weight: Weight::Advised,
        breach: |patient| {
            find_issuer(patient, |issuer| {
                (issuer.subject() == issuer.issuer()).then(String::new)
            })
        },
    },
];

/// Which list vouches for it.
pub(super) fn trusted(patient: &Patient<'_>, anchored: Option<&Anchored>) -> Finding {
    let outcome = match anchored {
        Some(_) => Outcome::Holds,
        None => Outcome::Broken {
            found: match patient.certificates.last() {
                Some(last) => format!(
                    "it ends at {}, which is on none of them",
                    clean(&last.issuer().to_string())
                ),
                None => "it is empty".to_owned(),
            },
            ask: "ask a CA of the C2PA trust list for a certificate, add the CA's intermediate certificates to the file, or give your readers the root (--trust)",
        },
    };
    Finding {
        code: "trusted",
        rule: "it ends in a trust list",
        outcome,
    }
}

fn find_pair(
    patient: &Patient<'_>,
    breach: impl Fn(&X509Certificate<'_>, &X509Certificate<'_>) -> Option<String>,
) -> Option<String> {
    let next = patient.certificates.iter().skip(1);
    patient
        .certificates
        .iter()
        .zip(next)
        .find_map(|(one, next)| breach(one, next))
}

/// The first issuer with a breach, by its name.
fn find_issuer(
    patient: &Patient<'_>,
    breach: impl Fn(&X509Certificate<'_>) -> Option<String>,
) -> Option<String> {
    patient.certificates.iter().skip(1).find_map(|issuer| {
        let found = breach(issuer)?;
        let name = named(issuer);
        Some(match found.is_empty() {
            true => name,
            false => format!("{name}: {found}"),
        })
    })
}

fn named(certificate: &X509Certificate<'_>) -> String {
    clean(&certificate.subject().to_string())
}

fn signatures(patient: &Patient<'_>) -> Option<String> {
    let next = patient.ders.iter().skip(1);
    let pairs = patient.ders.iter().zip(next).zip(patient.certificates);
    pairs
        .filter(|((one, next), _)| is_signed_by(next, one) != Some(true))
        .map(|(_, certificate)| named(certificate))
        .next()
}

fn not_a_ca(issuer: &X509Certificate<'_>) -> Option<String> {
    if !issuer.is_ca() {
        return Some("basicConstraints does not say cA true".to_owned());
    }
    match issuer.key_usage() {
        Ok(Some(usage)) if usage.value.key_cert_sign() => None,
        Ok(Some(_)) => Some("keyUsage without keyCertSign".to_owned()),
        Ok(None) => Some("no keyUsage".to_owned()),
        Err(_) => Some("keyUsage twice".to_owned()),
    }
}

/// The certificate at position n has n - 1 CAs below it.
fn path_length(patient: &Patient<'_>) -> Option<String> {
    let issuers = patient.certificates.iter().skip(1).enumerate();
    let too_deep = |(below, issuer): &(usize, &X509Certificate<'_>)| {
        let constraint = issuer.basic_constraints().ok().flatten();
        let allowed = constraint.and_then(|constraint| constraint.value.path_len_constraint);
        allowed
            .and_then(|allowed| usize::try_from(allowed).ok())
            .is_some_and(|allowed| *below > allowed)
    };
    issuers
        .filter(too_deep)
        .map(|(_, issuer)| named(issuer))
        .next()
}
