//! Prints the small signed picture that `Examiner::check` validates, committed as `src/readiness.jpg`.
//!
//! Its keys exist only while this runs, so nobody can sign another file in the same name.

use std::{
    error::Error,
    io::{self, Write},
};

use image::{ImageEncoder, codecs::jpeg::JpegEncoder};
use media::{Limits, Media, Name};
use provenance::{
    Credential, Profile, SignRequest, Statement, Timestamp, Validity,
    keys::{ChainRequest, Secrets, development_chain},
    sign,
};

const SIDE_PX: u32 = 16;

fn main() -> Result<(), Box<dyn Error>> {
    let now = time("2026-11-25T00:00:00Z")?;
    let chain = development_chain(
        &ChainRequest {
            name: "bonafide readiness check",
            organisation: "bonafide",
            validity: Validity {
                not_before: time("2026-01-01T00:00:00Z")?,
                not_after: time("2036-01-01T00:00:00Z")?,
            },
        },
        &Secrets::random(provenance::Algorithm::Ed25519)?,
    )?;
    let credential = Credential::from_pem(
        chain.signer_key_pem.as_bytes(),
        chain.signer_chain_pem.as_bytes(),
    )?;
    let name = Name::from_text("readiness.jpg");
    let media = Media::from_bytes(name, None, picture()?, &Limits::default())?;
    let profile = Profile::of(Statement::Capture);
    let request = SignRequest::new(&profile, now);
    let signed = sign(&media, &request, &credential, None)?;
    io::stdout().write_all(signed.media.bytes())?;
    Ok(())
}

fn time(text: &str) -> Result<Timestamp, Box<dyn Error>> {
    Timestamp::parse_rfc3339(text).ok_or_else(|| format!("{text} is no time").into())
}

/// A diagonal ramp.
fn picture() -> Result<Vec<u8>, Box<dyn Error>> {
    let mut rgb = Vec::new();
    for y in 0..SIDE_PX {
        for x in 0..SIDE_PX {
            let level = u8::try_from((x + y) * 8)?;
            rgb.extend([level, level, 255 - level]);
        }
    }
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 75).write_image(
        &rgb,
        SIDE_PX,
        SIDE_PX,
        image::ExtendedColorType::Rgb8,
    )?;
    Ok(jpeg)
}
