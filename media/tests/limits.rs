//! Limits, each against a file that is allowed and one that is not. All but the first of each pair
//! are headers without pixels: nothing there could be decoded.

use image::{ImageFormat, RgbImage};
use media::{LimitKind, Limits, MediaError};

use crate::build::{
    DECODABLE, anmf, bmp_header, encode, gif_animation, gif_header, jpeg_header, media,
    png_animation, png_chunk, png_header, png_with, progressive_jpeg, red_blue, riff, scene,
    tiff_header, vp8l, vp8x, webp_animation, webp_header,
};

/// The limit a file exceeds, with what was found and what is allowed.
fn exceeded(bytes: &[u8], limits: &Limits) -> Option<(LimitKind, u64, u64)> {
    match media(bytes).decode(limits) {
        Ok(_) => None,
        Err(MediaError::LimitExceeded {
            which,
            found,
            limit,
        }) => Some((which, found, limit)),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn side_and_pixels_are_checked_from_the_header() {
    for (width, height, expected) in [
        (20_000, 1, (LimitKind::Side, 20_000, 16_384)),
        (1, 20_000, (LimitKind::Side, 20_000, 16_384)),
        (10_000, 9_000, (LimitKind::Pixels, 90_000_000, 50_000_000)),
    ] {
        for file in [
            jpeg_header(width, height),
            png_header(u32::from(width), u32::from(height)),
            gif_header(width, height),
            bmp_header(i32::from(width), i32::from(height)),
            bmp_header(i32::from(width), -i32::from(height)),
            tiff_header(u32::from(width), u32::from(height)),
        ] {
            assert_eq!(exceeded(&file, &Limits::default()), Some(expected));
        }
    }
    // WebP cannot state a side over 16,384 in a plain bitstream.
    assert_eq!(
        exceeded(&webp_header(10_000, 9_000), &Limits::default()),
        Some((LimitKind::Pixels, 90_000_000, 50_000_000))
    );
}

#[test]
fn the_limit_itself_is_allowed() {
    let limits = Limits {
        max_pixels: 600,
        max_side: 30,
        ..Limits::default()
    };
    for (_, format) in DECODABLE {
        assert_eq!(exceeded(&encode(scene(30, 20), format), &limits), None);
        assert_eq!(
            exceeded(&encode(scene(31, 1), format), &limits),
            Some((LimitKind::Side, 31, 30))
        );
        assert_eq!(
            exceeded(&encode(scene(30, 21), format), &limits),
            Some((LimitKind::Pixels, 630, 600))
        );
    }
}

#[test]
fn memory_is_reckoned_before_it_is_taken() {
    let picture = scene(30, 20);
    let limits = Limits {
        max_alloc: 1_799,
        ..Limits::default()
    };
    for (_, format) in DECODABLE {
        match exceeded(&encode(picture.clone(), format), &limits) {
            Some((LimitKind::Memory, _, 1_799)) => {}
            other => panic!("{format:?}: {other:?}"),
        }
    }
}

#[test]
fn coefficients_of_a_progressive_picture_count() {
    let limits = |max_alloc| Limits {
        max_alloc,
        ..Limits::default()
    };
    // 64 grey samples and as many coefficients of two bytes.
    assert_eq!(exceeded(&progressive_jpeg(), &limits(192)), None);
    assert_eq!(
        exceeded(&progressive_jpeg(), &limits(191)),
        Some((LimitKind::Memory, 192, 191))
    );
}

#[test]
fn frames_are_counted_not_decoded() {
    let limits = |max_frames| Limits {
        max_frames,
        ..Limits::default()
    };
    let frame = anmf((0, 0), (2, 1), &vp8l(&red_blue()));
    for file in [
        gif_animation(&[red_blue(), red_blue(), red_blue()]),
        webp_animation((2, 1), &[frame.clone(), frame.clone(), frame]),
        png_animation(&red_blue(), 3, 3),
    ] {
        assert_eq!(exceeded(&file, &limits(3)), None);
        assert_eq!(exceeded(&file, &limits(2)), Some((LimitKind::Frames, 3, 2)));
    }
}

#[test]
fn a_canvas_too_large_is_refused_though_its_frames_are_small() {
    let frame = anmf((0, 0), (2, 1), &vp8l(&red_blue()));
    let bomb = webp_animation((16_384, 16_384), &[frame.clone(), frame.clone(), frame]);
    assert!(bomb.len() < 1_000);
    assert_eq!(
        exceeded(&bomb, &Limits::default()),
        Some((LimitKind::Pixels, 268_435_456, 50_000_000))
    );
}

#[test]
fn a_bitstream_larger_than_its_canvas_is_refused() {
    let picture = [vp8x(0, 2, 1), webp_header(16_000, 16_000)[12..].to_vec()];
    assert_eq!(
        exceeded(&riff(&picture), &Limits::default()),
        Some((LimitKind::Pixels, 256_000_000, 50_000_000))
    );
    let frame = anmf((0, 0), (2, 1), &webp_header(16_000, 16_000)[12..]);
    assert!(matches!(
        media(webp_animation((2, 1), &[frame])).decode(&Limits::default()),
        Err(MediaError::Damaged { .. })
    ));
}

#[test]
fn a_gif_frame_larger_than_its_canvas_is_refused() {
    let mut file = gif_animation(&[red_blue()]);
    let frame = file.iter().position(|byte| *byte == b',').unwrap();
    file[frame + 5..frame + 9].copy_from_slice(&[0xFF; 4]);
    assert_eq!(
        exceeded(&file, &Limits::default()),
        Some((LimitKind::Side, 65_535, 16_384))
    );
}

#[test]
fn metadata_does_not_count_against_the_picture() {
    // 200 kB of nothing in a profile: the decoder would inflate it within the same budget.
    let mut raw = b"\x78\x01".to_vec();
    for _ in 0..4 {
        raw.extend_from_slice(&[0, 0x50, 0xC3, 0xAF, 0x3C]);
        raw.extend_from_slice(&[0; 50_000]);
    }
    let profile = [&b"icc\0\0"[..], &raw].concat();
    let text = [&b"parameters\0"[..], &[b'a'; 100_000]].concat();
    let chunks = [png_chunk(b"iCCP", &profile), png_chunk(b"tEXt", &text)];
    let file = png_with(&encode(scene(30, 20), ImageFormat::Png), &chunks);
    let limits = Limits {
        max_alloc: 20_000,
        ..Limits::default()
    };
    assert_eq!(exceeded(&file, &limits), None);
}

#[test]
fn a_picture_too_short_for_its_size_is_refused() {
    match media(png_header(7_000, 7_000)).decode(&Limits::default()) {
        Err(MediaError::Damaged { detail }) => assert_eq!(detail, "it is too short for its size"),
        other => panic!("{other:?}"),
    }
    let blank = RgbImage::from_pixel(3_000, 3_000, image::Rgb([9; 3]));
    assert_eq!(
        exceeded(&encode(blank, ImageFormat::Png), &Limits::default()),
        None
    );
}

#[test]
fn sentences_name_number_and_limit() {
    let words = |file: &[u8]| media(file).decode(&Limits::default()).unwrap_err();
    let side = words(&jpeg_header(20_000, 1));
    assert_eq!(
        side.to_string(),
        "the file has 20000 pixels on its longest side, the limit is 16384"
    );
    assert_eq!(side.code(), "limit_exceeded:side");
}
