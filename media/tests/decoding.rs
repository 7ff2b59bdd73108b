//! Pixels: every sample layout, orientation, first frames, damage.

use image::{DynamicImage, GrayImage, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use media::{Kind, Limits, MediaError, Picture};

use crate::build::{
    BLUE, DECODABLE, RED, WHITE, anmf, chunk, encode, exif, gif_animation, jpeg_with, media,
    png_animation, png_chunk, png_with, progressive_jpeg, red_blue, riff, scene, vp8l, vp8x,
    webp_animation,
};

fn decode(bytes: &[u8]) -> Picture {
    media(bytes).decode(&Limits::default()).unwrap()
}

fn damage(bytes: &[u8]) -> String {
    match media(bytes).decode(&Limits::default()) {
        Err(MediaError::Damaged { detail }) => detail,
        other => panic!("{other:?}"),
    }
}

/// Compares with a picture of ours.
fn check(found: &Picture, expected: &RgbImage) {
    assert_eq!((found.width(), found.height()), expected.dimensions());
    assert_eq!(found.rgb(), expected.as_raw());
}

#[test]
fn lossless_kinds_give_back_every_sample() {
    for (kind, format) in DECODABLE {
        let found = decode(&encode(scene(30, 20), format));
        if matches!(kind, Kind::Jpeg | Kind::Gif) {
            let expected = scene(30, 20);
            let far = found.rgb().iter().zip(expected.as_raw());
            let mean = far.map(|(a, b)| f64::from(a.abs_diff(*b))).sum::<f64>() / 1_800.0;
            assert!(mean < 30.0, "{kind:?} is off by {mean} on average");
        } else {
            check(&found, &scene(30, 20));
        }
    }
}

#[test]
fn grey_wide_and_palette_samples() {
    let grey = GrayImage::from_fn(4, 2, |x, y| Luma([(x * 60 + y) as u8]));
    let expected = DynamicImage::ImageLuma8(grey.clone()).into_rgb8();
    for format in [ImageFormat::Png, ImageFormat::Tiff, ImageFormat::Bmp] {
        check(&decode(&encode(grey.clone(), format)), &expected);
    }
    let wide = DynamicImage::ImageRgb8(scene(5, 4)).into_rgb16();
    check(
        &decode(&encode(wide.clone(), ImageFormat::Png)),
        &scene(5, 4),
    );
    check(&decode(&encode(wide, ImageFormat::Tiff)), &scene(5, 4));
}

#[test]
fn a_palette_png_is_expanded() {
    // Two pixels, one bit each, indices 0 and 1: a stored deflate block of two bytes.
    let header = b"\0\0\0\x02\0\0\0\x01\x01\x03\0\0\0";
    let rows = b"\x78\x01\x01\x02\0\xFD\xFF\x00\x40\x00\x42\x00\x41";
    let file = [
        b"\x89PNG\r\n\x1A\n".to_vec(),
        png_chunk(b"IHDR", header),
        png_chunk(b"PLTE", &[255, 0, 0, 0, 0, 255]),
        png_chunk(b"IDAT", rows),
        png_chunk(b"IEND", &[]),
    ];
    check(&decode(&file.concat()), &red_blue());
}

#[test]
fn transparency_is_shown_on_white() {
    let mut picture = RgbaImage::from_pixel(3, 1, Rgba([10, 20, 30, 255]));
    picture.put_pixel(1, 0, Rgba([10, 20, 30, 0]));
    picture.put_pixel(2, 0, Rgba([0, 100, 255, 128]));
    for format in [ImageFormat::Png, ImageFormat::WebP, ImageFormat::Tiff] {
        let found = decode(&encode(picture.clone(), format));
        assert_eq!(
            found.rgb(),
            [10, 20, 30, 255, 255, 255, 127, 177, 255],
            "{format:?}"
        );
    }
}

/// One 8 x 8 block of four flat components in Adobe's inverted CMYK: no ink but full magenta.
fn cmyk_jpeg() -> Vec<u8> {
    let mut file = b"\xFF\xD8\xFF\xEE\0\x0EAdobe\0\x64\0\0\0\0\0".to_vec();
    file.extend_from_slice(b"\xFF\xDB\0\x43\0");
    file.extend_from_slice(&[8; 64]);
    file.extend_from_slice(b"\xFF\xC0\0\x14\x08\0\x08\0\x08\x04");
    for component in 1..=4 {
        file.extend_from_slice(&[component, 0x11, 0]);
    }
    // DC: categories 7 and 8 in one bit and two; AC: end of block in one bit.
    file.extend_from_slice(b"\xFF\xC4\0\x15\x00\x01\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x07\x08");
    file.extend_from_slice(b"\xFF\xC4\0\x14\x10\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x00");
    file.extend_from_slice(b"\xFF\xDA\0\x0E\x04\x01\0\x02\0\x03\0\x04\0\0\x3F\0");
    // Category 7 as "0", then 127 as 1111111; category 8 as "10", then -128 as 01111111; end "0".
    let bits = "0 1111111 0  10 01111111 0  0 1111111 0  0 1111111 0".replace(' ', "");
    for byte in bits.as_bytes().chunks(8) {
        let text = format!("{:1<8}", std::str::from_utf8(byte).unwrap());
        let value = u8::from_str_radix(&text, 2).unwrap();
        file.push(value);
        if value == 0xFF {
            file.push(0);
        }
    }
    file.extend_from_slice(b"\xFF\xD9");
    file
}

#[test]
fn cmyk_is_turned_into_rgb() {
    let found = decode(&cmyk_jpeg());
    assert_eq!((found.width(), found.height()), (8, 8));
    let [red, green, blue] = *found.rgb().first_chunk::<3>().unwrap();
    assert!(red > 250 && green < 5 && blue > 250, "{red} {green} {blue}");
}

#[test]
fn orientation_is_applied() {
    // Red left, blue right; turned clockwise, red comes to the top.
    let png = |orientation| {
        let file = encode(red_blue(), ImageFormat::Png);
        decode(&png_with(&file, &[png_chunk(b"eXIf", &exif(orientation))]))
    };
    let column = |top, bottom| RgbImage::from_fn(1, 2, |_, y| if y == 0 { top } else { bottom });
    let row = |left, right| RgbImage::from_fn(2, 1, |x, _| if x == 0 { left } else { right });
    for (orientation, expected) in [
        (1, row(RED, BLUE)),
        (2, row(BLUE, RED)),
        (3, row(BLUE, RED)),
        (4, row(RED, BLUE)),
        (5, column(RED, BLUE)),
        (6, column(RED, BLUE)),
        (7, column(BLUE, RED)),
        (8, column(BLUE, RED)),
    ] {
        check(&png(orientation), &expected);
    }
    let parts = [vp8x(8, 2, 1), vp8l(&red_blue()), chunk(b"EXIF", &exif(6))];
    check(&decode(&riff(&parts)), &column(RED, BLUE));
    let jpeg = encode(scene(30, 20), ImageFormat::Jpeg);
    let turned = jpeg_with(&jpeg, 0xE1, &[&b"Exif\0\0"[..], &exif(6)].concat());
    let found = decode(&turned);
    assert_eq!((found.width(), found.height()), (20, 30));
}

#[test]
fn an_animation_gives_its_first_frame() {
    let other = RgbImage::from_pixel(2, 1, Rgb([0, 255, 0]));
    check(
        &decode(&gif_animation(&[red_blue(), other.clone()])),
        &red_blue(),
    );
    check(&decode(&png_animation(&red_blue(), 2, 2)), &red_blue());
    let frames = [
        anmf((0, 0), (2, 1), &vp8l(&red_blue())),
        anmf((0, 0), (2, 1), &vp8l(&other)),
    ];
    check(&decode(&webp_animation((2, 1), &frames)), &red_blue());
}

#[test]
fn a_first_frame_smaller_than_its_canvas_stands_on_white() {
    let frames = [anmf((2, 2), (2, 1), &vp8l(&red_blue()))];
    let mut expected = RgbImage::from_pixel(5, 4, WHITE);
    image::imageops::replace(&mut expected, &red_blue(), 2, 2);
    check(&decode(&webp_animation((5, 4), &frames)), &expected);
    let outside = [anmf((4, 0), (2, 1), &vp8l(&red_blue()))];
    assert_eq!(
        damage(&webp_animation((5, 4), &outside)),
        "its first frame lies outside the canvas"
    );
}

#[test]
fn a_picture_that_ends_too_early_is_damaged() {
    for (kind, format) in DECODABLE {
        let file = encode(scene(64, 64), format);
        assert!(
            media(&file[..]).decode(&Limits::default()).is_ok(),
            "{kind:?}"
        );
        let cut = media(&file[..file.len() / 2]).decode(&Limits::default());
        assert!(
            matches!(cut, Err(MediaError::Damaged { .. })),
            "{kind:?}: {cut:?}"
        );
    }
}

#[test]
fn a_jpeg_that_lacks_only_its_end_marker_is_whole() {
    let file = encode(scene(64, 64), ImageFormat::Jpeg);
    assert_eq!(decode(&file[..file.len() - 2]), decode(&file));
}

/// A grey row of two pixels with its width stated twice.
fn tiff_of_two_widths(first: u8, second: u8) -> Vec<u8> {
    let mut file = b"II*\0\x08\0\0\0\x0A\0".to_vec();
    let entries = [
        (256_u16, first),
        (256, second),
        (257, 1),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 134),
        (277, 1),
        (278, 1),
        (279, 2),
    ];
    for (tag, value) in entries {
        file.extend_from_slice(&tag.to_le_bytes());
        file.extend_from_slice(&[3, 0, 1, 0, 0, 0, value, 0, 0, 0]);
    }
    file.extend_from_slice(b"\0\0\0\0\x05\x07");
    file
}

#[test]
fn a_size_that_the_decoder_reads_otherwise_is_damage() {
    let sound = decode(&tiff_of_two_widths(2, 2));
    assert_eq!(sound.rgb(), [5, 5, 5, 7, 7, 7]);
    assert_eq!(
        damage(&tiff_of_two_widths(1, 2)),
        "its header can be read in two ways"
    );
}

#[test]
fn a_progressive_picture_without_its_end_may_lack_scans() {
    let file = progressive_jpeg();
    assert_eq!(decode(&file).rgb(), [255; 192]);
    assert_eq!(damage(&file[..file.len() - 2]), "it ends too early");
}
