//! Which conforming product signed, by the C2PA's list of them.
//!
//! The certification authorities of the official list may only issue to a product of this list, and the
//! subject of the certificate has to match its record there (C2PA Certificate Policy 0.2, "The Use of
//! Meaningful Names"). So the answer is only worth something for a chain that the official list vouches
//! for; this module does not know chains and leaves that question to `judge.rs`.
//!
//! The rule: common name, organisation, unit and country of the subject equal those of a record, compared as
//! X.509 compares names (RFC 5280, section 7.1: case and surplus white space do not count); absent and empty
//! are the same. A subject that has one of the four twice matches nothing. Where the certificate names its
//! record (extension `c2pa-cpl-record`) and the list has it, no other record will do. The list gives the
//! highest assurance level that a product's certificates may have; a certificate may state its own
//! (extension `c2pa-al`), and then the lower one counts.
//!
//! Source: `conforming-products-list.json` of 2026-08-20, by the C2PA, CC-BY-4.0; see
//! `provenance/trust/README.md`.

use std::sync::LazyLock;

use serde::Deserialize;
use x509_parser::{
    der_parser::{Oid, oid},
    prelude::{AttributeTypeAndValue, FromDer, X509Certificate},
};

use crate::display::clean;

/// A product that may sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    /// What the list calls it, cleaned for display.
    pub(crate) name: String,
    /// Assurance level of the signature, 1 or 2: the product's highest, or the certificate's own where
    /// that is lower.
    pub(crate) assurance_level: Option<u8>,
}

/// The conforming generator product that the DER certificate `leaf` was issued to. `None` for every
/// other certificate, and for a product that has lost its conformance.
pub(crate) fn find(leaf: &[u8]) -> Option<Product> {
    find_in(&RECORDS, &Subject::read(leaf)?)
}

fn find_in(records: &[Record], subject: &Subject) -> Option<Product> {
    let named = |record: &&Record| Some(&record.id) == subject.record.as_ref();
    let by_name = |record: &&Record| record.subject == subject.name;
    let matching: Vec<&Record> = match records.iter().find(named) {
        Some(record) => vec![record],
        None => records.iter().collect(),
    };
    matching
        .into_iter()
        .filter(|record| by_name(record) && record.may_sign)
        // A product has several records, one for each set of versions; which of them the certificate
        // falls under is not known here, so the least is claimed.
        .min_by_key(|record| record.level)
        .map(|record| Product {
            name: clean(&record.label),
            assurance_level: [record.level, subject.level].into_iter().flatten().min(),
        })
}

/// The four parts of a name that the list gives, normalised for comparing; empty when absent.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    common: String,
    organisation: String,
    unit: String,
    country: String,
}

/// What a certificate says about the product it was issued to.
struct Subject {
    name: Name,
    /// Identifier of its record in the list.
    record: Option<String>,
    /// Its own assurance level.
    level: Option<u8>,
}

impl Subject {
    fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let subject = certificate.subject();
        let extension = |wanted: &Oid<'_>| {
            let mut all = certificate.extensions().iter();
            all.find(|extension| extension.oid == *wanted)
        };
        Some(Self {
            name: Name {
                common: only(subject.iter_common_name())?,
                organisation: only(subject.iter_organization())?,
                unit: only(subject.iter_organizational_unit())?,
                country: only(subject.iter_country())?,
            },
            record: extension(&RECORD_EXTENSION).and_then(|extension| utf8_string(extension.value)),
            level: extension(&LEVEL_EXTENSION).and_then(|extension| level(extension.value)),
        })
    }
}

/// The one value, empty when there is none; `None` when there are several or it is not text.
fn only<'a>(mut values: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>) -> Option<String> {
    match (values.next(), values.next()) {
        (None, _) => Some(String::new()),
        (Some(value), None) => value.as_str().ok().map(normalised),
        (Some(_), Some(_)) => None,
    }
}

/// A short DER UTF8String (X.690, section 8.23).
fn utf8_string(der: &[u8]) -> Option<String> {
    let [UTF8_STRING, length, text @ ..] = der else {
        return None;
    };
    (usize::from(*length) == text.len()).then_some(())?;
    String::from_utf8(text.to_vec()).ok()
}

/// The level that an object identifier below `c2pa-al` stands for, in DER.
fn level(der: &[u8]) -> Option<u8> {
    match Oid::from_der(der) {
        Ok(([], level)) if level == LEVEL_1 => Some(1),
        Ok(([], level)) if level == LEVEL_2 => Some(2),
        Ok(_) | Err(_) => None,
    }
}

fn normalised(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// One record of the list, ready for comparing.
struct Record {
    id: String,
    subject: Name,
    label: String,
    level: Option<u8>,
    may_sign: bool,
}

impl From<Entry> for Record {
    fn from(entry: Entry) -> Self {
        let product = entry.product;
        Self {
            id: entry.record_id,
            subject: Name {
                common: normalised(&product.dn.cn),
                organisation: normalised(&product.dn.o),
                unit: normalised(&product.dn.ou),
                country: normalised(&product.dn.c),
            },
            label: product.dn.cn,
            level: product
                .assurance
                .map(|assurance| assurance.max_assurance_level),
            may_sign: product.product_type == "generatorProduct" && entry.status == "conformant",
        }
    }
}

/// Parses a list; a list that does not parse names no product.
fn parse(list: &str) -> Vec<Record> {
    let entries: Vec<Entry> = serde_json::from_str(list).unwrap_or_default();
    entries.into_iter().map(Record::from).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    record_id: String,
    product: ListedProduct,
    status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedProduct {
    product_type: String,
    #[serde(rename = "DN")]
    dn: DistinguishedName,
    assurance: Option<Assurance>,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
struct DistinguishedName {
    cn: String,
    o: String,
    #[serde(default)]
    ou: String,
    c: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assurance {
    max_assurance_level: u8,
}

/// The list, parsed once.
static RECORDS: LazyLock<Vec<Record>> =
    LazyLock::new(|| parse(include_str!("../trust/conforming-products-list.json")));

/// `c2pa-cpl-record`: the identifier of the product's record (certificate profiles of the C2PA's
/// conformance programme 0.2).
const RECORD_EXTENSION: Oid<'static> = oid!(1.3.6.1.4.1.62558.4);
/// `c2pa-al`: the assurance level of a claim signing certificate, an object identifier (same source).
const LEVEL_EXTENSION: Oid<'static> = oid!(1.3.6.1.4.1.62558.3);
const LEVEL_1: Oid<'static> = oid!(1.3.6.1.4.1.62558.3.10);
const LEVEL_2: Oid<'static> = oid!(1.3.6.1.4.1.62558.3.20);
const UTF8_STRING: u8 = 0x0c;

#[cfg(test)]
mod tests {
    use rcgen::{
        CertificateParams, CustomExtension, DistinguishedName, DnType, KeyIdMethod, PKCS_ED25519,
        PublicKeyData, SerialNumber, SignatureAlgorithm,
    };

    use super::{Product, RECORDS, Subject, find, find_in, parse};

    /// Certificates here are only read, so nobody needs to be able to verify them.
    struct NoKey;

    impl PublicKeyData for NoKey {
        fn der_bytes(&self) -> &[u8] {
            &[7; 32]
        }

        fn algorithm(&self) -> &'static SignatureAlgorithm {
            &PKCS_ED25519
        }
    }

    impl rcgen::SigningKey for NoKey {
        fn sign(&self, _: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
            Ok(vec![0; 64])
        }
    }

    fn certificate(subject: &[(DnType, &str)], record: Option<&str>) -> Vec<u8> {
        let record = record.map(|record| {
            let length = u8::try_from(record.len()).unwrap();
            let der = [&[0x0c, length], record.as_bytes()].concat();
            CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 62558, 4], der)
        });
        with_extensions(subject, record.into_iter().collect())
    }

    fn with_extensions(subject: &[(DnType, &str)], extensions: Vec<CustomExtension>) -> Vec<u8> {
        let mut name = DistinguishedName::new();
        for (kind, value) in subject {
            name.push(kind.clone(), *value);
        }
        let mut params = CertificateParams::default();
        params.distinguished_name = name;
        params.serial_number = Some(SerialNumber::from(vec![1]));
        params.key_identifier_method = KeyIdMethod::PreSpecified(vec![1]);
        params.custom_extensions = extensions;
        params.self_signed(&NoKey).unwrap().der().to_vec()
    }

    fn pixel(name: &str) -> Vec<(DnType, &str)> {
        vec![
            (DnType::CountryName, "US"),
            (DnType::OrganizationName, "Google LLC"),
            (DnType::CommonName, name),
        ]
    }

    fn product(name: &str, level: u8) -> Option<Product> {
        Some(Product {
            name: name.to_owned(),
            assurance_level: Some(level),
        })
    }

    #[test]
    fn the_bundled_list_is_whole() {
        assert_eq!(RECORDS.len(), 174);
        let may_sign = RECORDS.iter().filter(|record| record.may_sign);
        assert_eq!(may_sign.clone().count(), 153);
        assert!(may_sign.clone().all(|one| matches!(one.level, Some(1 | 2))));
        assert!(may_sign.clone().all(|one| !one.subject.common.is_empty()));
        assert!(parse("{").is_empty());
    }

    #[test]
    fn every_part_of_the_name_counts() {
        let check = |subject: &[(DnType, &str)], expected| {
            assert_eq!(find(&certificate(subject, None)), expected, "{subject:?}");
        };
        check(&pixel("Pixel Camera"), product("Pixel Camera", 2));
        check(&pixel(" pixel  camera"), product("Pixel Camera", 2));
        check(&pixel("Pixel Camera 2"), None);
        check(&pixel("Google Photos"), None);
        let unit = (DnType::OrganizationalUnitName, "Google Photos iOS");
        check(
            &[pixel("Google Photos"), vec![unit.clone()]].concat(),
            product("Google Photos", 1),
        );
        check(&[pixel("Pixel Camera"), vec![unit]].concat(), None);
        check(&pixel("Pixel Camera")[1..], None);
        let place = (DnType::LocalityName, "Mountain View");
        check(
            &[pixel("Pixel Camera"), vec![place]].concat(),
            product("Pixel Camera", 2),
        );
        check(&[], None);
        assert_eq!(find(b"no certificate"), None);
    }

    #[test]
    fn the_record_a_certificate_names_decides() {
        let of = |record| find(&certificate(&pixel("Pixel Camera"), Some(record)));
        let own = "0197aa34-665b-7811-9bbc-317cfd988d0a";
        assert_eq!(of(own), product("Pixel Camera", 2));
        let of_google_photos = "0197ae4d-5c85-739f-91ae-70b0523425a7";
        assert_eq!(of(of_google_photos), None);
        let newer_than_the_list = "ffffffff-665b-7811-9bbc-317cfd988d0a";
        assert_eq!(of(newer_than_the_list), product("Pixel Camera", 2));
    }

    #[test]
    fn the_lower_level_counts() {
        let check = |content: &[u8], level| {
            let oid = [1, 3, 6, 1, 4, 1, 62558, 3];
            let extension = CustomExtension::from_oid_content(&oid, content.to_vec());
            let leaf = with_extensions(&pixel("Pixel Camera"), vec![extension]);
            assert_eq!(find(&leaf), product("Pixel Camera", level), "{content:?}");
        };
        let oid = |last: &[u8]| [b"\x06\x0a\x2b\x06\x01\x04\x01\x83\xe8\x5e\x03", last].concat();
        check(&oid(&[10]), 1);
        check(&oid(&[20]), 2);
        check(&oid(&[30]), 2);
        check(&oid(&[10, 0]), 2);
        check(b"", 2);
        let photos = [
            (DnType::CountryName, "US"),
            (DnType::OrganizationName, "Google LLC"),
            (DnType::OrganizationalUnitName, "Google Photos iOS"),
            (DnType::CommonName, "Google Photos"),
        ];
        let oid = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 62558, 3], oid(&[20]));
        assert_eq!(
            find(&with_extensions(&photos, vec![oid])),
            product("Google Photos", 1)
        );
    }

    fn entry(id: &str, kind: &str, level: u8, status: &str) -> String {
        format!(
            r#"{{"recordId":"{id}","status":"{status}","product":{{"productType":"{kind}",
            "DN":{{"CN":"Camera","O":"Maker","C":"DE"}},"assurance":{{"maxAssuranceLevel":{level}}}}}}}"#
        )
    }

    #[test]
    fn only_a_conforming_generator_is_named_and_never_above_its_least_record() {
        let subject = [
            (DnType::CountryName, "DE"),
            (DnType::OrganizationName, "Maker"),
            (DnType::CommonName, "Camera"),
        ];
        let check = |entries: &[String], record: Option<&str>, expected| {
            let records = parse(&format!("[{}]", entries.join(",")));
            let subject = Subject::read(&certificate(&subject, record)).unwrap();
            assert_eq!(find_in(&records, &subject), expected, "{entries:?}");
        };
        let (old, new) = (
            entry("old", "generatorProduct", 2, "revoked_eol"),
            entry("new", "generatorProduct", 1, "conformant"),
        );
        let both = [old.clone(), new];
        check(&both, None, product("Camera", 1));
        check(&both, Some("new"), product("Camera", 1));
        check(&both, Some("old"), None);
        check(&[old], None, None);
        check(
            &[entry("a", "validatorProduct", 2, "conformant")],
            None,
            None,
        );
        let levels = [
            entry("a", "generatorProduct", 2, "conformant"),
            entry("b", "generatorProduct", 1, "conformant"),
        ];
        check(&levels, None, product("Camera", 1));
        check(&levels, Some("a"), product("Camera", 2));
    }
}
