//! What a header says: size, frames, duration, trailing bytes.

use image::ImageFormat;
use media::{Header, Kind};

use crate::build::{
    DECODABLE, RED, anmf, encode, exif, gif_animation, jpeg_with, media, png_animation, red_blue,
    scene, vp8l, webp_animation,
};
use image::RgbImage;

fn header(bytes: &[u8]) -> Header {
    media(bytes).header
}

#[test]
fn every_decodable_kind_states_its_size() {
    for (kind, format) in DECODABLE {
        let found = media(encode(scene(30, 20), format));
        assert_eq!(found.kind, kind);
        assert!(kind.is_decodable());
        let expected = Header {
            width: Some(30),
            height: Some(20),
            frames: 1,
            duration_s: None,
            trailing_bytes: 0,
        };
        assert_eq!(found.header, expected, "{kind:?}");
    }
}

#[test]
fn bytes_after_the_end_are_counted() {
    for (kind, format) in DECODABLE {
        let file = [encode(scene(30, 21), format), b"<?php".to_vec()].concat();
        let expected = if kind == Kind::Tiff { 0 } else { 5 };
        assert_eq!(header(&file).trailing_bytes, expected, "{kind:?}");
    }
}

#[test]
fn a_thumbnail_inside_a_segment_is_not_the_picture() {
    let thumbnail = encode(scene(4, 3), ImageFormat::Jpeg);
    let picture = encode(scene(30, 20), ImageFormat::Jpeg);
    let body = [&b"Exif\0\0"[..], &exif(1), &thumbnail].concat();
    let found = header(&jpeg_with(&picture, 0xE1, &body));
    assert_eq!((found.width, found.height), (Some(30), Some(20)));
    assert_eq!(found.trailing_bytes, 0);
}

#[test]
fn a_second_picture_is_trailing() {
    let first = encode(scene(30, 20), ImageFormat::Jpeg);
    let second = encode(scene(64, 48), ImageFormat::Jpeg);
    let found = header(&[&first[..], &second].concat());
    assert_eq!((found.width, found.height), (Some(30), Some(20)));
    assert_eq!(found.trailing_bytes, second.len() as u64);
}

#[test]
fn orientation_turns_the_stated_size() {
    let picture = encode(scene(30, 20), ImageFormat::Jpeg);
    for (orientation, expected) in [
        (1, (30, 20)),
        (3, (30, 20)),
        (6, (20, 30)),
        (8, (20, 30)),
        (9, (30, 20)),
    ] {
        let body = [&b"Exif\0\0"[..], &exif(orientation)].concat();
        let found = header(&jpeg_with(&picture, 0xE1, &body));
        assert_eq!(
            (found.width, found.height),
            (Some(expected.0), Some(expected.1))
        );
    }
}

#[test]
fn animations_state_frames_and_duration() {
    let frames = [scene(8, 8), scene(8, 8), scene(8, 8)];
    let gif = header(&gif_animation(&frames));
    assert_eq!((gif.frames, gif.duration_s), (3, Some(0.3)));

    let frame = anmf((0, 0), (2, 1), &vp8l(&red_blue()));
    let webp = header(&webp_animation((2, 1), &[frame.clone(), frame]));
    assert_eq!((webp.frames, webp.duration_s), (2, Some(0.08)));

    let png = header(&png_animation(&red_blue(), 4, 4));
    assert_eq!((png.frames, png.duration_s), (4, Some(0.4)));
}

#[test]
fn a_declared_number_of_frames_cannot_hide_more() {
    assert_eq!(header(&png_animation(&red_blue(), 1, 50)).frames, 50);
    assert_eq!(header(&png_animation(&red_blue(), 50, 1)).frames, 50);
}

#[test]
fn a_size_of_zero_is_no_size() {
    let mut file = encode(RgbImage::from_pixel(1, 1, RED), ImageFormat::Bmp);
    assert_eq!(header(&file).width, Some(1));
    file[18] = 0;
    assert_eq!(header(&file).width, None);
}

#[test]
fn boxes_tell_where_a_film_ends() {
    let film = b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x08mdat";
    assert_eq!(header(film).trailing_bytes, 0);
    assert_eq!(
        header(&[&film[..], &[0xFF; 20]].concat()).trailing_bytes,
        20
    );
}
