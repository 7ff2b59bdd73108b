//! Files made in the test: pictures, certificates with fixed keys, signed pictures.

use image::{ImageEncoder, codecs::jpeg::JpegEncoder};
use media::{Limits, Media, Name};
use provenance::{
    Credential, Profile, SignRequest, Signed, Statement, Timestamp, Validity,
    keys::{ChainRequest, DevelopmentChain, Secrets, development_chain},
    sign,
};
use verdict::{Report, schema};

use crate::support::NOW;

const DAY: i64 = 86_400;

pub(crate) fn chain() -> DevelopmentChain {
    let request = ChainRequest {
        name: "Signer 7",
        organisation: "Example Cameras",
        validity: Validity {
            not_before: Timestamp(NOW.0 - DAY),
            // The library signs by this machine's clock, so the certificate has to outlive `NOW` by years.
            not_after: Timestamp(NOW.0 + 20 * 365 * DAY),
        },
    };
    development_chain(&request, &Secrets::dangerous_fixed([1; 32], [2; 32])).unwrap()
}

pub(crate) fn media(name: &str, bytes: Vec<u8>) -> Media {
    Media::from_bytes(Name::from_text(name), None, bytes, &Limits::default()).unwrap()
}

/// 32 by 32 pixels: under the models' domain.
pub(crate) fn jpeg() -> Vec<u8> {
    jpeg_of(32)
}

/// A square picture with texture everywhere.
pub(crate) fn jpeg_of(side: u32) -> Vec<u8> {
    let rgb: Vec<u8> = (0..side * side * 3)
        .map(|at| u8::try_from(at.wrapping_mul(2_654_435_761) >> 24).unwrap())
        .collect();
    let mut bytes = Vec::new();
    JpegEncoder::new(&mut bytes)
        .write_image(&rgb, side, side, image::ExtendedColorType::Rgb8)
        .unwrap();
    bytes
}

pub(crate) fn signed(statement: Statement) -> Vec<u8> {
    sign_as(statement, jpeg(), false).media.into_bytes()
}

/// Signs with the one chain of these tests; `sidecar` keeps the manifest out of the picture.
pub(crate) fn sign_as(statement: Statement, bytes: Vec<u8>, sidecar: bool) -> Signed {
    let chain = chain();
    let credential = Credential::from_pem(
        chain.signer_key_pem.as_bytes(),
        chain.signer_chain_pem.as_bytes(),
    )
    .unwrap();
    let profile = Profile::of(statement);
    let request = SignRequest {
        sidecar,
        ..SignRequest::new(&profile, NOW)
    };
    sign(&media("a.jpg", bytes), &request, &credential, None).unwrap()
}

/// Every report of these tests is valid against the schema and survives a round trip.
pub(crate) fn checked(report: Report) -> Report {
    let value = serde_json::to_value(&report).unwrap();
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let complaints: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| error.to_string())
        .collect();
    assert!(complaints.is_empty(), "{complaints:?}\n{value:#}");
    assert_eq!(serde_json::from_value::<Report>(value).unwrap(), report);
    report
}
