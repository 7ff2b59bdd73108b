//! Renders the pictures the benches work on. They are made here, so that a bench needs no file.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder as _, ImageError};

/// Encodes a rendered picture as a baseline JPEG of quality 90.
///
/// It has soft areas, edges and fine noise, about as costly to decode as a photograph of its size.
///
/// # Errors
///
/// What the encoder says.
pub(crate) fn jpeg(width: u32, height: u32) -> Result<Vec<u8>, ImageError> {
    let mut rgb = Vec::new();
    for y in 0..height {
        for x in 0..width {
            rgb.extend([0, 1, 2].map(|channel| shade(x, y, channel)));
        }
    }
    let mut bytes = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut bytes, 90).write_image(
        &rgb,
        width,
        height,
        ExtendedColorType::Rgb8,
    )?;
    Ok(bytes.into_inner())
}

/// Two crossing waves, a slanted edge and up to four bits of noise.
fn shade(x: u32, y: u32, channel: u32) -> u8 {
    let broad = triangle(3 * x + 2 * y + 97 * channel, 2_039);
    let narrow = triangle(x + 5 * y, 311) / 3;
    let edge = if ((x + 2 * y) / 700).is_multiple_of(2) {
        40
    } else {
        0
    };
    let grain = scatter(x, y, channel) & 0x0f;
    u8::try_from((broad / 2 + narrow + edge + grain).min(255)).unwrap_or(u8::MAX)
}

/// 0 to 255 and back over `period`.
fn triangle(position: u32, period: u32) -> u32 {
    let at = position % period;
    let rising = at.min(period - at);
    rising * 2 * 255 / period
}

/// A number that looks random and is the same on every machine.
fn scatter(x: u32, y: u32, channel: u32) -> u32 {
    let mut state = x.wrapping_mul(0x9e37_79b1)
        ^ y.wrapping_mul(0x85eb_ca77)
        ^ channel.wrapping_mul(0xc2b2_ae3d);
    state ^= state >> 15;
    state = state.wrapping_mul(0x2c1b_3c6d);
    state ^ (state >> 13)
}
