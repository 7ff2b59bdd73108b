//! The least that each format can be: files of our own making, with which signing is tried, here and by the program's own
//! tests.

use std::io::Cursor;

use image::ImageFormat;

/// A name and the bytes of an unsigned file of every kind that can be signed.
pub(crate) fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a.jpg", picture(ImageFormat::Jpeg)),
        ("a.png", picture(ImageFormat::Png)),
        ("a.webp", picture(ImageFormat::WebP)),
        ("a.gif", picture(ImageFormat::Gif)),
        ("a.tif", picture(ImageFormat::Tiff)),
        ("a.dng", dng()),
        ("a.svg", svg()),
        ("a.avif", still(b"avif", b"av01", 0)),
        ("a.heic", still(b"heic", b"hvc1", 1)),
        ("a.heif", still(b"mif1", b"av01", 2)),
        ("a.jxl", jxl()),
        ("a.mp4", movie(b"isom")),
        ("a.mov", movie(b"qt  ")),
        ("a.m4a", movie(b"M4A ")),
        ("a.mp3", mp3()),
        ("a.wav", wav()),
        ("a.avi", riff(b"AVI ", &chunk(b"JUNK", &[0; 64]))),
        ("a.flac", flac()),
    ]
}

/// A small picture in one of the formats that there is an encoder for.
pub(crate) fn picture(format: ImageFormat) -> Vec<u8> {
    let pixels = image::RgbImage::from_fn(96, 64, |x, y| {
        image::Rgb([(x * 2) as u8, (y * 3) as u8, (x * y) as u8])
    });
    let mut bytes = Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn svg() -> Vec<u8> {
    b"<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"8\" height=\"8\">\
      <rect width=\"8\" height=\"8\"/></svg>"
        .to_vec()
}

/// A grey 4 by 4 picture with the tag that makes a TIFF a DNG (DNGVersion).
fn dng() -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        [
            &tag.to_le_bytes()[..],
            &kind.to_le_bytes(),
            &count.to_le_bytes(),
            &value.to_le_bytes(),
        ]
        .concat()
    };
    let entries = [
        entry(0x0100, 3, 1, 4),
        entry(0x0101, 3, 1, 4),
        entry(0x0102, 3, 1, 8),
        entry(0x0103, 3, 1, 1),
        entry(0x0106, 3, 1, 1),
        entry(0x0111, 4, 1, 8),
        entry(0x0115, 3, 1, 1),
        entry(0x0116, 3, 1, 4),
        entry(0x0117, 4, 1, 16),
        entry(0xc612, 1, 4, 0x0000_0401),
    ];
    let count = u16::try_from(entries.len()).unwrap();
    [
        &b"II\x2a\0\x18\0\0\0"[..],
        &[7; 16],
        &count.to_le_bytes(),
        &entries.concat(),
        &[0; 4],
    ]
    .concat()
}

/// A JPEG XL container whose code stream is a few bytes: nobody decodes it here.
fn jxl() -> Vec<u8> {
    [
        boxed(b"JXL ", b"\r\n\x87\n"),
        boxed(b"ftyp", b"jxl \0\0\0\0jxl "),
        boxed(b"jxlc", b"\xff\x0a\0\x10\x30"),
    ]
    .concat()
}

/// A file-type box, a list of one item, and its data, which nobody decodes here: 256 times 7. `version` is that of the box
/// which says where items lie; each has its numbers elsewhere.
pub(crate) fn still(brand: &[u8; 4], coding: &[u8; 4], version: u8) -> Vec<u8> {
    let file_type = boxed(b"ftyp", &[&brand[..], b"\0\0\0\0", brand, b"miaf"].concat());
    let list = |at: u32| {
        let name = [&[2, 0, 0, 0, 0, 1, 0, 0], &coding[..], b"\0"].concat();
        let inner = [
            boxed(b"hdlr", &[&[0; 8][..], b"pict", &[0; 13]].concat()),
            boxed(b"pitm", &[0, 0, 0, 0, 0, 1]),
            boxed(
                b"iinf",
                &[&[0, 0, 0, 0, 0, 1][..], &boxed(b"infe", &name)].concat(),
            ),
            boxed(b"iloc", &place(version, at)),
        ];
        boxed(b"meta", &[&[0; 4][..], &inner.concat()].concat())
    };
    let at = u32::try_from(file_type.len() + list(0).len() + 8).unwrap();
    [file_type, list(at), boxed(b"mdat", &[7; 256])].concat()
}

/// Item 1 lies at `at`, 256 bytes long: in version 0 by its base, in the others by its offset. "Version 3" is version 1 with
/// two such items and bases, which no file of [`all`] has.
fn place(version: u8, at: u32) -> Vec<u8> {
    let (at, length) = (at.to_be_bytes(), 256_u32.to_be_bytes());
    let parts: &[&[u8]] = match version {
        0 => &[
            &[0, 0, 0, 0, 0x44, 0x40],
            &[0, 1, 0, 1, 0, 0],
            &at,
            &[0, 1, 0, 0, 0, 0],
        ],
        1 => &[&[1, 0, 0, 0, 0x44, 0], &[0, 1, 0, 1, 0, 0, 0, 0, 0, 1], &at],
        3 => &[
            &[1, 0, 0, 0, 0x44, 0x40],
            &[0, 2, 0, 1, 0, 0, 0, 0],
            &at,
            &[0, 1, 0, 0, 0, 0],
            &length,
            &[0, 2, 0, 0, 0, 0],
            &at,
            &[0, 1, 0, 0, 0, 0],
        ],
        _ => &[
            &[2, 0, 0, 0, 0x44, 0],
            &[0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1],
            &at,
        ],
    };
    [&parts.concat()[..], &length].concat()
}

/// A file-type box, a movie box with its header, and some media data.
pub(crate) fn movie(brand: &[u8; 4]) -> Vec<u8> {
    let file_type = [&brand[..], b"\0\0\x02\0", brand].concat();
    [
        boxed(b"ftyp", &file_type),
        boxed(b"moov", &boxed(b"mvhd", &[0; 100])),
        boxed(b"mdat", &[7; 512]),
    ]
    .concat()
}

fn boxed(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len() + 8).unwrap();
    [&length.to_be_bytes()[..], kind, payload].concat()
}

/// Four silent frames of MPEG-1 Layer III, 128 kbit/s at 44.1 kHz: 417 bytes each.
fn mp3() -> Vec<u8> {
    let mut frame = vec![0; 417];
    frame[..4].copy_from_slice(&[0xff, 0xfb, 0x90, 0x64]);
    frame.repeat(4)
}

/// Sixteen samples of silence, 8 bits at 8 kHz.
fn wav() -> Vec<u8> {
    let format = b"\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0";
    let data = [chunk(b"fmt ", format), chunk(b"data", &[128; 16])].concat();
    riff(b"WAVE", &data)
}

fn riff(form: &[u8; 4], chunks: &[u8]) -> Vec<u8> {
    chunk(b"RIFF", &[&form[..], chunks].concat())
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap();
    [&kind[..], &length.to_le_bytes(), data].concat()
}

/// The stream information block alone: 44.1 kHz, one channel, 16 bits, no samples.
fn flac() -> Vec<u8> {
    let mut info = [0; 34];
    info[..4].copy_from_slice(&[0x10, 0, 0x10, 0]);
    info[10..14].copy_from_slice(&[0x0a, 0xc4, 0x40, 0xf0]);
    [&b"fLaC\x80\0\0\x22"[..], &info].concat()
}

/// A photograph-like JPEG of this many pixels a side.
pub(crate) fn jpeg(side: u32) -> Vec<u8> {
    let pixels = image::RgbImage::from_fn(side, side, |x, y| {
        image::Rgb([(x * y) as u8, x as u8, y as u8])
    });
    let mut bytes = Cursor::new(Vec::new());
    pixels.write_to(&mut bytes, ImageFormat::Jpeg).unwrap();
    bytes.into_inner()
}
