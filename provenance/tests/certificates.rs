//! The certificate doctor: one certificate per rule that breaks it and nothing else, and good ones. What the
//! doctor lets pass, the library must sign with.

mod forge;

use forge::{Spec, ca, good_leaf, key_usage, name, public_key, purposes, tlv};
use provenance::{
    Algorithm, Credential, PrivateKey, SignerStatus, Statement, Timestamp, TrustStore,
    keys::{ChainRequest, Outcome, Secrets, certificate_request, check_chain, development_chain},
    sign,
};

use crate::signing::{chain, media, picture, request};

/// 2026-11-25.
const AT: Timestamp = Timestamp(1_795_600_000);

/// The codes of the rules that `pem` breaks and of those it is advised against, trusting the test CA.
fn broken(pem: &str, key: Option<&PrivateKey>) -> Vec<String> {
    let mut trust = TrustStore::empty();
    trust
        .add_anchors_pem("test", self_signed(&ca()).as_bytes())
        .unwrap();
    let check = check_chain(pem.as_bytes(), key, trust, AT).unwrap();
    let broken: Vec<String> = check
        .findings
        .iter()
        .filter_map(|finding| match &finding.outcome {
            Outcome::Holds => None,
            Outcome::Unadvised { ask, .. } => {
                assert!(!ask.is_empty());
                Some(format!("({})", finding.code))
            }
            Outcome::Broken { ask, .. } => {
                assert!(!ask.is_empty() && !finding.rule.is_empty());
                Some(finding.code.to_owned())
            }
        })
        .collect();
    let holds = broken.iter().all(|code| code.starts_with('('));
    assert_eq!(check.holds(), holds);
    broken
}

fn self_signed(spec: &Spec) -> String {
    spec.pem()
}

/// Whether the library signs with a certificate of the test signer's key.
fn library_signs(pem: &str) -> bool {
    let key = PrivateKey::from_pem(signer_key().as_bytes(), None).unwrap();
    let chain = provenance::Chain::from_pem(pem.as_bytes()).unwrap();
    let credential = Credential::new(key, chain).unwrap();
    let picture = media("a.jpg", picture(image::ImageFormat::Jpeg));
    sign(&picture, &request(Statement::Photo), &credential, None).is_ok()
}

/// PKCS#8 of the test signer's Ed25519 key.
fn signer_key() -> String {
    let der = [
        &[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03][..],
        &[0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20],
        &forge::SIGNER_SEED,
    ]
    .concat();
    pem::encode(&pem::Pem::new("PRIVATE KEY", der))
}

/// One thing changed, and the rules that must break by it.
fn cases() -> Vec<(&'static str, Spec, &'static [&'static str])> {
    let leaf = good_leaf();
    let sha1 = tlv(0x30, &tlv(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1]));
    let ec = |curve: &[u8]| {
        let parts = [
            tlv(0x06, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1]),
            tlv(0x06, curve),
        ];
        tlv(0x30, &parts.concat())
    };
    let rsa = tlv(
        0x30,
        &[
            tlv(0x06, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1]),
            vec![5, 0],
        ]
        .concat(),
    );
    let modulus = |bytes: usize| {
        let number = [&[0][..], &vec![0xc1; bytes]].concat();
        tlv(0x30, &[tlv(2, &number), tlv(2, &[1, 0, 1])].concat())
    };
    let with_parameters = tlv(0x30, &[tlv(6, &[0x2b, 0x65, 0x70]), vec![5, 0]].concat());
    let unknown = (vec![0x2a, 3, 4], true, tlv(0x04, b"x"));
    let not_critical = {
        let (oid, _, value) = key_usage(&[7, 0x80]);
        (oid, false, value)
    };
    let set = |change: fn(&mut Spec)| {
        let mut spec = leaf.clone();
        change(&mut spec);
        spec
    };
    vec![
        ("good", leaf.clone(), &[]),
        (
            "claim signing",
            leaf.clone().with(purposes(&[&forge::CLAIM_SIGNING])),
            &[],
        ),
        (
            "documents",
            leaf.clone().with(purposes(&[&forge::DOCUMENT_SIGNING])),
            &[],
        ),
        (
            "version 1",
            set(|spec| {
                spec.version = None;
                spec.extensions.clear();
            }),
            &[
                "version",
                "key_usage",
                "extended_key_usage",
                "authority_key_identifier",
                "(subject_key_identifier)",
            ],
        ),
        (
            "version 2",
            set(|spec| spec.version = Some(1)),
            &["version"],
        ),
        (
            "negative serial",
            set(|spec| spec.serial = vec![0x80, 1]),
            &["(serial_number)"],
        ),
        (
            "long serial",
            set(|spec| spec.serial = vec![1; 21]),
            &["(serial_number)"],
        ),
        (
            "zero serial",
            set(|spec| spec.serial = vec![0]),
            &["(serial_number)"],
        ),
        (
            "two algorithms",
            {
                let mut spec = leaf.clone();
                spec.inner = sha1.clone();
                spec
            },
            &["signature_algorithm"],
        ),
        (
            "parameters",
            {
                let mut spec = leaf.clone();
                spec.inner = with_parameters.clone();
                spec.outer = with_parameters;
                spec
            },
            &["signature_algorithm"],
        ),
        (
            "sha-1",
            {
                let mut spec = leaf.clone();
                spec.inner = sha1.clone();
                spec.outer = sha1;
                spec
            },
            &["signature_algorithm", "trusted"],
        ),
        (
            "ended",
            set(|spec| spec.span.1 = "20261001000000Z"),
            &["validity", "trusted"],
        ),
        (
            "early",
            set(|spec| spec.span.0 = "20271001000000Z"),
            &["validity", "trusted"],
        ),
        (
            "no name",
            set(|spec| spec.subject = tlv(0x30, &[])),
            &["name"],
        ),
        (
            "blank name",
            set(|spec| spec.subject = name("  ")),
            &["name"],
        ),
        (
            "p-384",
            {
                let mut spec = leaf.clone();
                spec.key = public_key(ec(&[0x2b, 0x81, 4, 0, 0x22]), &[4; 97]);
                spec
            },
            &["key_usable_here"],
        ),
        (
            "secp256k1",
            {
                let mut spec = leaf.clone();
                spec.key = public_key(ec(&[0x2b, 0x81, 4, 0, 0x0a]), &[4; 65]);
                spec
            },
            &["key_algorithm", "key_usable_here"],
        ),
        (
            "rsa 2048",
            {
                let mut spec = leaf.clone();
                spec.key = public_key(rsa.clone(), &modulus(256));
                spec
            },
            &["key_usable_here"],
        ),
        (
            "rsa 1024",
            {
                let mut spec = leaf.clone();
                spec.key = public_key(rsa, &modulus(128));
                spec
            },
            &["key_algorithm", "key_usable_here"],
        ),
        (
            "unique id",
            set(|spec| spec.unique_id = tlv(0x82, &[0, 1])),
            &["unique_ids"],
        ),
        (
            "ca",
            leaf.clone().with(forge::basic_constraints(true, None)),
            &["not_a_ca"],
        ),
        (
            "self-signed",
            set(|spec| spec.issuer = spec.subject.clone()),
            &["not_self_signed", "trusted"],
        ),
        (
            "no usage",
            leaf.clone().without(&forge::KEY_USAGE),
            &["key_usage"],
        ),
        (
            "usage not critical",
            leaf.clone().with(not_critical),
            &["key_usage"],
        ),
        (
            "key encipherment",
            leaf.clone().with(key_usage(&[5, 0x20])),
            &["key_usage"],
        ),
        (
            "issues too",
            leaf.clone().with(key_usage(&[2, 0x84])),
            &["no_cert_sign"],
        ),
        (
            "no purpose",
            leaf.clone().without(&forge::PURPOSES),
            &["extended_key_usage"],
        ),
        (
            "web server",
            leaf.clone().with(purposes(&[&forge::SERVER_AUTH])),
            &["extended_key_usage"],
        ),
        (
            "any purpose",
            leaf.clone()
                .with(purposes(&[&forge::EMAIL_PROTECTION, &forge::ANY_PURPOSE])),
            &["no_any_purpose"],
        ),
        (
            "stamps too",
            leaf.clone()
                .with(purposes(&[&forge::EMAIL_PROTECTION, &forge::TIME_STAMPING])),
            &["signs_claims_only"],
        ),
        (
            "answers ocsp",
            leaf.clone()
                .with(purposes(&[&forge::EMAIL_PROTECTION, &forge::OCSP_SIGNING])),
            &["signs_claims_only"],
        ),
        (
            "no authority key",
            leaf.clone().without(&forge::AUTHORITY_KEY),
            &["authority_key_identifier"],
        ),
        (
            "no subject key",
            leaf.clone().without(&forge::SUBJECT_KEY),
            &["(subject_key_identifier)"],
        ),
        (
            "unknown critical",
            leaf.with(unknown),
            &["critical_extensions"],
        ),
    ]
}

#[test]
fn every_rule_is_broken_by_one_certificate_and_by_no_other() {
    let mut seen = std::collections::BTreeSet::new();
    for (what, spec, expected) in cases() {
        let mut found = broken(&spec.pem(), None);
        // A list may refuse what a rule refuses too; what counts here is the rule.
        if !expected.contains(&"trusted") && !expected.is_empty() {
            found.retain(|code| code != "trusted");
        }
        assert_eq!(found, expected, "{what}");
        seen.extend(found);
    }
    assert!(seen.len() >= 19, "{seen:?}");
}

#[test]
fn the_library_signs_with_whatever_the_doctor_lets_pass() {
    let ours = forge::ed25519_key(&forge::SIGNER_SEED);
    let (mut passed, mut refused) = (0, 0);
    for (what, spec, expected) in cases() {
        if spec.key != ours {
            continue;
        }
        let signs = library_signs(&spec.pem());
        if expected.iter().all(|code| code.starts_with('(')) {
            assert!(signs, "{what}: the doctor sees nothing");
            passed += 1;
        } else {
            refused += usize::from(!signs);
        }
    }
    // Names and critical bits are rules that the library does not check.
    assert!(passed >= 6 && refused >= 15, "{passed} {refused}");
}

#[test]
fn what_follows_the_signing_certificate_is_examined_too() {
    let leaf = good_leaf().pem();
    let root = ca().pem();
    assert_eq!(broken(&format!("{leaf}{root}"), None), ["(root_left_out)"]);
    // An intermediate CA of the same name as the root, whose key and rules differ.
    let middle = |change: fn(&mut Spec)| {
        let mut spec = ca();
        spec.issuer = name("Test root");
        change(&mut spec);
        format!("{leaf}{}", spec.signed_by(&[9; 32]))
    };
    assert_eq!(broken(&middle(|_| {}), None), [""; 0]);
    type Change = fn(&mut Spec);
    let cases: [(Change, &str); 6] = [
        (|spec| spec.subject = name("Somebody else"), "chain_order"),
        (
            |spec| spec.key = forge::ed25519_key(&[8; 32]),
            "chain_signatures",
        ),
        (
            |spec| *spec = spec.clone().with(forge::basic_constraints(false, None)),
            "issuers_are_cas",
        ),
        (
            |spec| *spec = spec.clone().with(key_usage(&[7, 0x80])),
            "issuers_are_cas",
        ),
        (|spec| spec.span.1 = "20261001000000Z", "issuers_valid"),
        (
            |spec| spec.outer = tlv(0x30, &tlv(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 1])),
            "issuer_algorithms",
        ),
    ];
    for (change, code) in cases {
        let found = broken(&middle(change), None);
        assert!(found.iter().any(|found| found == code), "{code}: {found:?}");
    }
    let mut lower = ca();
    lower.subject = name("Lower CA");
    let mut leaf = good_leaf();
    leaf.issuer = name("Lower CA");
    let deep = format!("{}{}{root}", leaf.pem(), lower.pem());
    assert!(broken(&deep, None).contains(&"path_length".to_owned()));
}

#[test]
fn the_list_that_vouches_is_named() {
    let chain = chain(40);
    let mut trust = TrustStore::bundled().unwrap();
    let check = |trust| check_chain(chain.signer_chain_pem.as_bytes(), None, trust, AT).unwrap();
    let nobody = check(TrustStore::bundled().unwrap());
    assert_eq!(nobody.anchored, None);
    assert!(!nobody.holds());
    trust
        .add_anchors_pem("mine.pem", chain.ca_cert_pem.as_bytes())
        .unwrap();
    let local = check(trust);
    assert!(local.holds(), "{:?}", local.findings);
    let anchored = local.anchored.unwrap();
    assert_eq!(
        (anchored.list.as_str(), anchored.status),
        ("mine.pem", SignerStatus::Local)
    );
    assert_eq!(local.key, "Ed25519");
    assert!(local.owner.contains("Test signer"), "{}", local.owner);
}

#[test]
fn a_key_that_does_not_belong_is_named() {
    let chain = chain(42);
    let ours = PrivateKey::from_pem(chain.signer_key_pem.as_bytes(), None).unwrap();
    let other = PrivateKey::from_pem(chain.ca_key_pem.as_bytes(), None).unwrap();
    let pem = &chain.signer_chain_pem;
    assert!(!broken(pem, Some(&ours)).contains(&"key_matches".to_owned()));
    assert!(broken(pem, Some(&other)).contains(&"key_matches".to_owned()));
}

#[test]
fn made_chains_of_both_kinds_pass_and_sign() {
    for algorithm in [Algorithm::Ed25519, Algorithm::Es256] {
        let request_of_chain = ChainRequest {
            name: "A",
            organisation: "B",
            validity: provenance::Validity {
                not_before: Timestamp(1_700_000_000),
                not_after: Timestamp(1_900_000_000),
            },
        };
        let secrets = Secrets::random(algorithm).unwrap();
        let chain = development_chain(&request_of_chain, &secrets).unwrap();
        let mut trust = TrustStore::empty();
        trust
            .add_anchors_pem("ca", chain.ca_cert_pem.as_bytes())
            .unwrap();
        let key = PrivateKey::from_pem(chain.signer_key_pem.as_bytes(), None).unwrap();
        let both = format!("{}{}", chain.signer_chain_pem, chain.ca_cert_pem);
        let check = check_chain(both.as_bytes(), Some(&key), trust, AT).unwrap();
        assert!(check.holds(), "{:?}", check.findings);
        let credential = crate::signing::credential(&chain);
        let picture = media("a.jpg", picture(image::ImageFormat::Jpeg));
        let signed = sign(&picture, &request(Statement::Photo), &credential, None).unwrap();
        assert_eq!(signed.provenance.signature, provenance::Signature::Ok);
    }
}

#[test]
fn a_request_asks_for_what_the_doctor_wants() {
    use x509_parser::prelude::{FromDer, ParsedExtension, X509CertificationRequest};
    let key = PrivateKey::random(Algorithm::Es256).unwrap();
    let request = certificate_request("A photographer", "A newsroom", &key).unwrap();
    let der = pem::parse(request).unwrap().into_contents();
    let (_, request) = X509CertificationRequest::from_der(&der).unwrap();
    let info = &request.certification_request_info;
    assert_eq!(info.subject.to_string(), "O=A newsroom, CN=A photographer");
    let asked: Vec<&ParsedExtension<'_>> = request.requested_extensions().unwrap().collect();
    let usage = asked.iter().any(
        |extension| matches!(extension, ParsedExtension::KeyUsage(usage) if usage.digital_signature()),
    );
    let purpose = asked.iter().any(|extension| {
        matches!(extension, ParsedExtension::ExtendedKeyUsage(usage)
            if usage.other.iter().any(|oid| oid.to_id_string() == "1.3.6.1.4.1.62558.2.1"))
    });
    assert!(usage && purpose, "{asked:?}");
}

#[test]
fn the_certificates_of_the_field_break_hardly_a_rule() {
    let list = include_bytes!("../trust/interim-allowed.pem");
    let mut broken = std::collections::BTreeMap::new();
    for block in pem::parse_many(list).unwrap() {
        let trust = TrustStore::bundled().unwrap();
        let one = pem::encode(&block);
        let check = check_chain(one.as_bytes(), None, trust, AT).unwrap();
        for finding in check.findings {
            if let Outcome::Broken { .. } = finding.outcome {
                *broken.entry(finding.code).or_insert(0) += 1;
            }
        }
    }
    // Most have ended by now, and most keys are RSA, which are allowed and not ours to sign with.
    assert!(broken.remove("validity") > Some(40));
    assert!(broken.remove("key_usable_here") > Some(90));
    assert_eq!(
        broken.into_iter().collect::<Vec<_>>(),
        [("key_usage", 1), ("not_self_signed", 1)],
        "one is not critical, and one is self-signed: as they were published"
    );
}
