//! Hostile bytes: small files of our own with every byte changed and every length, and a corpus of
//! real crash, hang and bomb files where it is at hand.

use std::path::Path;
use std::time::{Duration, Instant};

use media::{Limits, Media};

use crate::build::{
    DECODABLE, anmf, encode, exif, gif_animation, jpeg_with, media, png_animation, red_blue, scene,
    vp8l, webp_animation,
};

/// Small files that take every path of the walks.
fn seeds() -> Vec<Vec<u8>> {
    let mut files: Vec<_> = DECODABLE
        .iter()
        .map(|(_, format)| encode(scene(12, 9), *format))
        .collect();
    let jpeg = encode(scene(12, 9), image::ImageFormat::Jpeg);
    let frame = anmf((0, 0), (2, 1), &vp8l(&red_blue()));
    files.push(jpeg_with(
        &jpeg,
        0xE1,
        &[&b"Exif\0\0"[..], &exif(6)].concat(),
    ));
    files.push(gif_animation(&[red_blue(), red_blue()]));
    files.push(png_animation(&red_blue(), 2, 2));
    files.push(webp_animation((4, 4), &[frame.clone(), frame]));
    files
}

/// Opens and decodes; what comes out has to fit what the header said.
fn exercise(bytes: Vec<u8>) {
    let medium = media(bytes);
    if let Ok(picture) = medium.decode(&Limits::default()) {
        let stated = (medium.header.width, medium.header.height);
        assert_eq!((Some(picture.width()), Some(picture.height())), stated);
    }
}

#[test]
fn no_length_of_a_file_panics() {
    for file in seeds() {
        for length in 0..file.len() {
            exercise(file[..length].to_vec());
        }
    }
}

#[test]
fn no_changed_byte_panics() {
    for file in seeds() {
        for at in 0..file.len() {
            for flip in [0x01, 0x80, 0xFF] {
                let mut changed = file.clone();
                changed[at] ^= flip;
                exercise(changed);
            }
        }
    }
}

#[test]
fn the_hostile_corpus_is_survived() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/hostile/files");
    let Ok(entries) = std::fs::read_dir(&corpus) else {
        eprintln!("SKIPPED the_hostile_corpus_is_survived: no ../shared/corpus/hostile/files");
        return;
    };
    let limits = Limits::default();
    let mut opened = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        let start = Instant::now();
        let Ok(medium) = Media::open(&path, &limits) else {
            continue;
        };
        opened += 1;
        if let Ok(picture) = medium.decode(&limits) {
            let pixels = u64::from(picture.width()) * u64::from(picture.height());
            assert!(pixels <= limits.max_pixels, "{}", path.display());
        }
        let took = start.elapsed();
        assert!(
            took < Duration::from_secs(2),
            "{} took {took:?}",
            path.display()
        );
    }
    assert!(opened > 300, "only {opened} files were opened");
    assert_eq!(memory_over(1 << 20), None);
}

/// The largest resident size of this process in KiB, where it is over `limit_kib` and known.
fn memory_over(limit_kib: u64) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let peak = line.split_whitespace().nth(1)?.parse().ok()?;
    (peak > limit_kib).then_some(peak)
}
