//! The values that carry bits: one coefficient for each block of eight by eight pixels.
//!
//! One level of the Haar transform halves the plane; in each four by four block of its low band the largest
//! coefficient but the first is the carrier.

use media::Picture;

/// The carriers of a picture, block by block from the top left, signed.
pub(super) struct Blocks {
    /// For writers on floating-point colour.
    pub(super) float: Vec<f32>,
    /// For writers on bytes.
    pub(super) byte: Vec<f32>,
}

impl Blocks {
    /// `None` for a picture under [`MIN_SIDE_PX`], which no writer marks.
    pub(super) fn of(picture: &Picture) -> Option<Self> {
        if picture.width().min(picture.height()) < MIN_SIDE_PX {
            return None;
        }
        let row = usize::try_from(picture.width()).ok()? * 3;
        // The writers cut the plane to whole fours and then the band to whole blocks: whole eights in all.
        let columns = row / 3 / 8;
        let (mut float, mut byte) = (Vec::new(), Vec::new());
        for rows in picture.rgb().chunks_exact(row * 8) {
            for column in 0..columns {
                let (floats, bytes) = band(rows, row, column * 24)?;
                float.push(carrier(&floats));
                byte.push(carrier(&bytes));
            }
        }
        Some(Self { float, byte })
    }
}

/// The low band of one block of eight by eight pixels, on floating-point colour and on bytes.
fn band(rows: &[u8], row: usize, left: usize) -> Option<([f32; 16], [f32; 16])> {
    let (mut float, mut byte) = ([0.0; 16], [0.0; 16]);
    for y in 0..8 {
        let start = y * row + left;
        for (x, pixel) in rows.get(start..start + 24)?.chunks_exact(3).enumerate() {
            let difference = blue_difference(pixel);
            let place = y / 2 * 4 + x / 2;
            // The low band is half the sum of two by two values.
            float[place] += (difference + FLOAT_CENTRE) / 2.0;
            byte[place] += (difference + BYTE_CENTRE).round().clamp(0.0, 255.0) / 2.0;
        }
    }
    Some((float, byte))
}

/// U of YUV without its centre. Source: the factors of OpenCV, with which the writers convert.
fn blue_difference(pixel: &[u8]) -> f32 {
    let &[red, green, blue] = pixel else {
        return 0.0;
    };
    let (red, green, blue) = (f32::from(red), f32::from(green), f32::from(blue));
    0.492_111 * (blue - (0.299 * red + 0.587 * green + 0.114 * blue))
}

/// The first of the largest coefficients, the very first one aside.
fn carrier(band: &[f32; 16]) -> f32 {
    let mut largest = band[1];
    for value in &band[2..] {
        if value.abs() > largest.abs() {
            largest = *value;
        }
    }
    largest
}

/// Centre of U on floating-point colour.
const FLOAT_CENTRE: f32 = 0.5;

/// Centre of U on bytes.
const BYTE_CENTRE: f32 = 128.0;

/// The step of the writers' quantisation.
pub(super) const STEP: f32 = 36.0;

/// Shorter side under which the writers mark nothing.
const MIN_SIDE_PX: u32 = 256;

/// Writes a mark as the programs do: the carriers of each block are moved to a quarter or three quarters of a step,
/// and the change is spread over the four pixels under a coefficient through the blue channel's inverse.
#[cfg(test)]
pub(super) fn embed(picture: &Picture, bits: &[u8], centre: f32) -> Picture {
    let row = usize::try_from(picture.width()).unwrap() * 3;
    let mut rgb: Vec<f32> = picture
        .rgb()
        .iter()
        .map(|value| f32::from(*value))
        .collect();
    let mut block = 0;
    for top in (0..picture.rgb().len() / row / 8).map(|block| block * 8) {
        for left in (0..row / 24).map(|block| block * 24) {
            let mut band = [0.0_f32; 16];
            for (y, x) in (0..8).flat_map(|y| (0..8).map(move |x| (y, x))) {
                let pixel = &picture.rgb()[(top + y) * row + left + x * 3..][..3];
                band[y / 2 * 4 + x / 2] += (blue_difference(pixel) + centre) / 2.0;
            }
            let place = (2..16).fold(1, |best, place| {
                if band[place].abs() > band[best].abs() {
                    place
                } else {
                    best
                }
            });
            let value = band[place];
            let bit = f32::from(bits[block % bits.len()]);
            let moved = ((value.abs() / STEP).floor() + 0.25 + 0.5 * bit) * STEP;
            let change = (moved.copysign(value) - value) / 2.0;
            for (y, x) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let pixel = (top + place / 4 * 2 + y) * row + left + (place % 4 * 2 + x) * 3;
                // Y stays, so green and blue share what U gains. Source: OpenCV's inverse.
                rgb[pixel + 1] -= 0.394 * change;
                rgb[pixel + 2] += 2.032 * change;
            }
            block += 1;
        }
    }
    #[expect(
        clippy::as_conversions,
        reason = "floats have no TryFrom; the cast saturates"
    )]
    let bytes = rgb.into_iter().map(|value| value.round() as u8).collect();
    Picture::new(picture.width(), picture.height(), bytes).unwrap()
}
