//! Every byte of a signed file changed once: what is still believed may only be what cannot matter.
//!
//! The bytes that remain are named in `docs/PROVENANCE.md`, section "What no hash covers".

use media::Media;
use provenance::{Origin, Statement, sign};

use crate::signing::{NOW, chain, credential, judge, media, picture, request};

/// What must not change while a file is believed: its pixels or media data, and what its claims say.
fn substance(media: &Media, claims: String) -> (Vec<u8>, String) {
    let pixels = media.decode(&media::Limits::default());
    let content = pixels.map_or_else(|_| media_data(media.bytes()), |one| one.rgb().to_vec());
    (content, claims)
}

/// The payload of the `mdat` and `moov` boxes of an MP4.
fn media_data(bytes: &[u8]) -> Vec<u8> {
    let mut data = Vec::new();
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + 8) {
        let length = u32::from_be_bytes(head[..4].try_into().unwrap()) as usize;
        let Some(found) = bytes.get(at..at + length.max(8)) else {
            break;
        };
        if matches!(&head[4..], b"mdat" | b"moov") {
            data.extend_from_slice(found);
        }
        at += length.max(8);
    }
    data
}

fn sweep(name: &str, bytes: Vec<u8>, most: usize) {
    let chain = chain(1);
    let source = media(name, bytes);
    let signed = sign(
        &source,
        &request(Statement::Capture),
        &credential(&chain),
        None,
    )
    .unwrap();
    let judge = judge(&chain);
    let look = |bytes: Vec<u8>| {
        let media = media(name, bytes);
        let found = judge.judge(&media, None, NOW);
        let believed = matches!(found.origin(), Origin::Claimed(Some(_)));
        believed.then(|| substance(&media, format!("{:?} {:?}", found.manifests, found.ai)))
    };
    let original = look(signed.media.bytes().to_vec()).expect("the untouched file is believed");
    let mut accepted = 0;
    for offset in 0..signed.media.bytes().len() {
        let mut changed = signed.media.bytes().to_vec();
        changed[offset] ^= 0x01;
        if let Some(substance) = look(changed) {
            assert!(
                substance == original,
                "{name}: byte {offset} changes what is believed"
            );
            accepted += 1;
        }
    }
    println!(
        "{name}: {accepted} of {} changed bytes are still believed",
        signed.media.bytes().len()
    );
    assert!(accepted <= most, "{name}: {accepted}");
}

#[test]
fn in_a_jpeg() {
    sweep("a.jpg", picture(image::ImageFormat::Jpeg), 22);
}

#[test]
fn in_a_png() {
    sweep("a.png", picture(image::ImageFormat::Png), 20);
}

#[test]
fn in_an_mp4() {
    sweep("a.mp4", movie(), 60);
}

/// The least an MP4 can be: a header box, a movie box with its header, and some media data.
fn movie() -> Vec<u8> {
    let boxed = |kind: &[u8; 4], payload: &[u8]| {
        let length = u32::try_from(payload.len() + 8).unwrap();
        [&length.to_be_bytes()[..], kind, payload].concat()
    };
    let header = boxed(b"ftyp", b"isom\0\0\x02\0isomiso2mp41");
    let movie = boxed(b"moov", &boxed(b"mvhd", &[0; 100]));
    let data = boxed(b"mdat", &[7; 512]);
    [header, movie, data].concat()
}
