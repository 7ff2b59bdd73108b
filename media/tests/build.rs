//! Files for the tests, made in memory.

use std::io::Cursor;

use image::codecs::gif::GifEncoder;
use image::{DynamicImage, Frame, ImageFormat, Rgb, RgbImage};
use media::{Kind, Limits, Media, Name};

/// Kinds that this build decodes, with an encoder for each.
pub(crate) const DECODABLE: [(Kind, ImageFormat); 6] = [
    (Kind::Jpeg, ImageFormat::Jpeg),
    (Kind::Png, ImageFormat::Png),
    (Kind::WebP, ImageFormat::WebP),
    (Kind::Gif, ImageFormat::Gif),
    (Kind::Tiff, ImageFormat::Tiff),
    (Kind::Bmp, ImageFormat::Bmp),
];

pub(crate) const RED: Rgb<u8> = Rgb([255, 0, 0]);
pub(crate) const BLUE: Rgb<u8> = Rgb([0, 0, 255]);
pub(crate) const WHITE: Rgb<u8> = Rgb([255, 255, 255]);

/// Opens bytes under the default limits, undeclared.
pub(crate) fn media(bytes: impl Into<Vec<u8>>) -> Media {
    Media::from_bytes(
        Name::from_text("test"),
        None,
        bytes.into(),
        &Limits::default(),
    )
    .unwrap()
}

/// A picture in which no row and no column equals another.
pub(crate) fn scene(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let mixed = (x * 7919 + y * 104_729) ^ (x * y);
        Rgb([(x * 5) as u8, (y * 9) as u8, (mixed % 251) as u8])
    })
}

/// Half red on the left, half blue on the right: one pixel each.
pub(crate) fn red_blue() -> RgbImage {
    RgbImage::from_fn(2, 1, |x, _| if x == 0 { RED } else { BLUE })
}

pub(crate) fn encode(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    picture.into().write_to(&mut file, format).unwrap();
    file.into_inner()
}

/// A PNG chunk with its length and checksum.
pub(crate) fn png_chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [&name[..], data].concat();
    let mut crc = u32::MAX;
    for byte in &body {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
        }
    }
    let length = (data.len() as u32).to_be_bytes();
    [&length[..], &body, &(!crc).to_be_bytes()].concat()
}

/// Puts chunks right after the header chunk of a PNG file.
pub(crate) fn png_with(file: &[u8], chunks: &[Vec<u8>]) -> Vec<u8> {
    let (head, rest) = file.split_at(33);
    [head, &chunks.concat(), rest].concat()
}

/// A PNG that is all header: RGB8 of the given size without pixels.
pub(crate) fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut data = Vec::new();
    data.extend_from_slice(&width.to_be_bytes());
    data.extend_from_slice(&height.to_be_bytes());
    data.extend_from_slice(&[8, 2, 0, 0, 0]);
    [
        b"\x89PNG\r\n\x1A\n".to_vec(),
        png_chunk(b"IHDR", &data),
        png_chunk(b"IDAT", &[0x78, 0x9C]),
        png_chunk(b"IEND", &[]),
    ]
    .concat()
}

/// A JPEG that is all header.
pub(crate) fn jpeg_header(width: u16, height: u16) -> Vec<u8> {
    let mut file = b"\xFF\xD8\xFF\xC0\x00\x11\x08".to_vec();
    file.extend_from_slice(&height.to_be_bytes());
    file.extend_from_slice(&width.to_be_bytes());
    file.extend_from_slice(b"\x03\x01\x11\x00\x02\x11\x00\x03\x11\x00\xFF\xD9");
    file
}

/// A GIF that is all header.
pub(crate) fn gif_header(width: u16, height: u16) -> Vec<u8> {
    let mut file = b"GIF89a".to_vec();
    file.extend_from_slice(&width.to_le_bytes());
    file.extend_from_slice(&height.to_le_bytes());
    file.extend_from_slice(b"\0\0\0;");
    file
}

/// A BMP that is all header, 24 bits a pixel.
pub(crate) fn bmp_header(width: i32, height: i32) -> Vec<u8> {
    let mut file = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    file.extend_from_slice(&width.to_le_bytes());
    file.extend_from_slice(&height.to_le_bytes());
    file.extend_from_slice(b"\x01\0\x18\0");
    file.resize(54, 0);
    file
}

/// A TIFF that is all header: its directory has nothing but the size.
pub(crate) fn tiff_header(width: u32, height: u32) -> Vec<u8> {
    let mut file = b"II*\0\x08\0\0\0\x02\0".to_vec();
    for (tag, value) in [(256_u16, width), (257, height)] {
        file.extend_from_slice(&tag.to_le_bytes());
        file.extend_from_slice(b"\x04\0\x01\0\0\0");
        file.extend_from_slice(&value.to_le_bytes());
    }
    file.extend_from_slice(&[0; 4]);
    file
}

/// A lossless WebP that is all header.
pub(crate) fn webp_header(width: u32, height: u32) -> Vec<u8> {
    let sides = (width - 1) | ((height - 1) << 14);
    riff(&[chunk(
        b"VP8L",
        &[&b"\x2F"[..], &sides.to_le_bytes()].concat(),
    )])
}

pub(crate) fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = chunks.concat();
    let length = (body.len() as u32 + 4).to_le_bytes();
    [&b"RIFF"[..], &length, b"WEBP", &body].concat()
}

pub(crate) fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u32).to_le_bytes();
    let pad = &[0][..data.len() % 2];
    [&name[..], &length, data, pad].concat()
}

fn u24(value: u32) -> [u8; 3] {
    let [a, b, c, _] = value.to_le_bytes();
    [a, b, c]
}

/// The chunk that turns a WebP into an extended one. Flags: 2 animation, 8 EXIF, 16 transparency.
pub(crate) fn vp8x(flags: u8, width: u32, height: u32) -> Vec<u8> {
    let data = [&[flags, 0, 0, 0][..], &u24(width - 1), &u24(height - 1)].concat();
    chunk(b"VP8X", &data)
}

/// The bitstream chunk of a picture.
pub(crate) fn vp8l(picture: &RgbImage) -> Vec<u8> {
    encode(picture.clone(), ImageFormat::WebP)[12..].to_vec()
}

/// A frame of an animated WebP, 40 ms long.
pub(crate) fn anmf(offset: (u32, u32), size: (u32, u32), bitstream: &[u8]) -> Vec<u8> {
    let data = [
        &u24(offset.0 / 2)[..],
        &u24(offset.1 / 2),
        &u24(size.0 - 1),
        &u24(size.1 - 1),
        &u24(40),
        &[0],
        bitstream,
    ];
    chunk(b"ANMF", &data.concat())
}

/// An animated WebP with the given frames.
pub(crate) fn webp_animation(canvas: (u32, u32), frames: &[Vec<u8>]) -> Vec<u8> {
    let mut chunks = vec![vp8x(2, canvas.0, canvas.1), chunk(b"ANIM", &[0; 6])];
    chunks.extend_from_slice(frames);
    riff(&chunks)
}

/// An animated GIF with one frame for each picture, 100 ms each.
pub(crate) fn gif_animation(pictures: &[RgbImage]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = GifEncoder::new(&mut file);
    for picture in pictures {
        let picture = DynamicImage::ImageRgb8(picture.clone()).into_rgba8();
        let delay = image::Delay::from_numer_denom_ms(100, 1);
        encoder
            .encode_frame(Frame::from_parts(picture, 0, 0, delay))
            .unwrap();
    }
    drop(encoder);
    file
}

/// An animated PNG by its control chunks: `frames` declared, 1/10 s for each of `controls`.
pub(crate) fn png_animation(default: &RgbImage, frames: u32, controls: usize) -> Vec<u8> {
    let mut control = vec![0; 26];
    control[21] = 1;
    control[23] = 10;
    let mut chunks = vec![png_chunk(b"acTL", &[frames.to_be_bytes(), [0; 4]].concat())];
    chunks.extend((0..controls).map(|_| png_chunk(b"fcTL", &control)));
    png_with(&encode(default.clone(), ImageFormat::Png), &chunks)
}

/// An EXIF block with nothing but an orientation, little-endian, without the prefix of JPEG.
pub(crate) fn exif(orientation: u8) -> Vec<u8> {
    let mut block = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    block.extend_from_slice(&[orientation, 0, 0, 0, 0, 0, 0, 0]);
    block
}

/// Puts a segment right after the start of a JPEG file.
pub(crate) fn jpeg_with(file: &[u8], marker: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() as u16 + 2).to_be_bytes();
    [&file[..2], &[0xFF, marker], &length, body, &file[2..]].concat()
}

/// A white block of 8 x 8, grey, progressive: a scan for DC and one for AC, which adds nothing.
pub(crate) fn progressive_jpeg() -> Vec<u8> {
    let mut file = b"\xFF\xD8\xFF\xDB\0\x43\0".to_vec();
    file.extend_from_slice(&[8; 64]);
    file.extend_from_slice(b"\xFF\xC2\0\x0B\x08\0\x08\0\x08\x01\x01\x11\0");
    // One code, a single 0 bit, for a difference of seven bits.
    file.extend_from_slice(b"\xFF\xC4\0\x14\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x07");
    file.extend_from_slice(b"\xFF\xDA\0\x08\x01\x01\0\0\0\0\x7F");
    // One code, a single 0 bit, for the end of the block.
    file.extend_from_slice(b"\xFF\xC4\0\x14\x10\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    file.extend_from_slice(b"\xFF\xDA\0\x08\x01\x01\0\x01\x3F\0\x7F\xFF\xD9");
    file
}
