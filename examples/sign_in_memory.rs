//! Signs a picture that never touches a disk, with a key that the signing thread never sees: what a camera
//! app or a content system does with `provenance::sign`. Bytes in, bytes out.
//!
//! The key lives in a thread of its own and answers questions, as a secure element or a signing service
//! would. Its certificates are made on the spot by a development CA, so the last lines show both what its
//! friends see and what everybody else sees.
//!
//! `cargo run --example sign_in_memory`

#![allow(clippy::print_stdout, reason = "an example shows what it found")]

use std::error::Error;
use std::io::Cursor;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use media::{Limits, Media, Name};
use provenance::keys::{ChainRequest, DevelopmentChain, Secrets, development_chain};
use provenance::signer::Signer;
use provenance::{
    Algorithm, Credential, Judge, Profile, SignError, SignRequest, Timestamp, TrustStore, Validity,
    sign,
};

/// What the owner of the key always says. A real one is a file; see docs/SIGNING.md.
const PROFILE: &str = r#"
    statement = "photo"
    capture = true
    author = "The harbour desk"
    rights = "All rights reserved"
    no_train = true
"#;

fn main() -> Result<(), Box<dyn Error>> {
    let now = Timestamp::parse_rfc3339("2026-11-25T12:00:00Z").ok_or("no time")?;
    let chain = certificates(now)?;
    let key = chain.signer_key_pem.as_bytes();
    let element = Element::start(Credential::from_pem(
        key,
        chain.signer_chain_pem.as_bytes(),
    )?);

    let picture = Media::from_bytes(
        Name::from_text("harbour.jpg"),
        None,
        picture()?,
        &Limits::default(),
    )?;
    let profile = Profile::from_toml(PROFILE)?;
    let request = SignRequest {
        title: Some("Harbour at noon"),
        ..SignRequest::new(&profile, now)
    };
    let signed = sign(&picture, &request, &element, None)?;
    println!(
        "{} bytes in, {} bytes out, {} of them the manifest",
        picture.bytes().len(),
        signed.media.bytes().len(),
        signed.manifest.len()
    );

    let mut friends = TrustStore::empty();
    friends.add_anchors_pem("harbour.pem", chain.ca_cert_pem.as_bytes())?;
    show("whoever trusts the CA", friends, &signed.media, now)?;
    show("everybody else", TrustStore::bundled()?, &signed.media, now)
}

/// A development CA with one signer, valid for a year.
fn certificates(now: Timestamp) -> Result<DevelopmentChain, SignError> {
    let validity = Validity {
        not_before: now,
        not_after: Timestamp(now.0 + 365 * 86_400),
    };
    let request = ChainRequest {
        name: "Camera 1",
        organisation: "Harbour news",
        validity,
    };
    development_chain(&request, &Secrets::random(Algorithm::Ed25519)?)
}

/// What a reader with these trust lists finds.
fn show(who: &str, lists: TrustStore, media: &Media, now: Timestamp) -> Result<(), Box<dyn Error>> {
    let found = Judge::new(lists)?.judge(media, None, now);
    println!(
        "{who}: content {:?}, signature {:?}, signer {:?}, claim {:?}",
        found.content,
        found.signature,
        found.signer.status,
        found.origin()
    );
    Ok(())
}

/// A signer that asks somebody else: the certificates are public, the key is not here.
struct Element {
    algorithm: Algorithm,
    chain: Vec<Vec<u8>>,
    questions: Sender<Question>,
}

/// A message to sign, and where its signature goes.
type Question = (Vec<u8>, Sender<Result<Vec<u8>, SignError>>);

impl Element {
    fn start(credential: Credential) -> Self {
        let (questions, asked) = channel::<Question>();
        let (algorithm, chain) = (credential.algorithm(), credential.chain().to_vec());
        thread::spawn(move || {
            for (message, answer) in asked {
                // Whoever asked may be gone.
                let _ = answer.send(credential.sign(&message));
            }
        });
        Self {
            algorithm,
            chain,
            questions,
        }
    }
}

impl Signer for Element {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let gone = || SignError::Signer("the secure element does not answer".to_owned());
        let (sender, answer) = channel();
        self.questions
            .send((message.to_vec(), sender))
            .map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?
    }
}

/// A ramp from dark to light.
fn picture() -> Result<Vec<u8>, Box<dyn Error>> {
    let mut pixels = image::RgbImage::new(320, 200);
    for (x, y, pixel) in pixels.enumerate_pixels_mut() {
        let light = u8::try_from((x + y) / 3)?;
        *pixel = image::Rgb([light, light / 2, 255 - light]);
    }
    let mut bytes = Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, image::ImageFormat::Jpeg)?;
    Ok(bytes.into_inner())
}
