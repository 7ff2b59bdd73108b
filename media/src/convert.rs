//! Turns the samples of a decoder into RGB8, in place where the result is not larger.
//!
//! Transparency is shown on white: that is what a person sees on a page. Dropping it would let an
//! uploader hide another picture under transparent pixels and have that one judged. No colour
//! profile is applied: it would change native samples, and profiles are not read at all.

use image::ColorType;

/// `samples` in the layout of `color`, native byte order, to three bytes per pixel. `None` for a
/// layout that no decoder of this build gives.
pub(crate) fn to_rgb8(color: ColorType, samples: Vec<u8>) -> Option<Vec<u8>> {
    Some(match color {
        ColorType::Rgb8 => samples,
        ColorType::L8 => each_pixel::<1>(samples, |[grey]| [grey; 3]),
        ColorType::La8 => each_pixel::<2>(samples, |[grey, alpha]| [on_white(grey, alpha); 3]),
        ColorType::Rgba8 => each_pixel::<4>(samples, |[red, green, blue, alpha]| {
            [red, green, blue].map(|sample| on_white(sample, alpha))
        }),
        ColorType::L16 => each_pixel::<2>(samples, |[a, b]| [narrow(a, b); 3]),
        ColorType::La16 => each_pixel::<4>(samples, |[a, b, c, d]| {
            [on_white(narrow(a, b), narrow(c, d)); 3]
        }),
        ColorType::Rgb16 => each_pixel::<6>(samples, |[a, b, c, d, e, f]| {
            [narrow(a, b), narrow(c, d), narrow(e, f)]
        }),
        ColorType::Rgba16 => each_pixel::<8>(samples, |[a, b, c, d, e, f, g, h]| {
            [narrow(a, b), narrow(c, d), narrow(e, f)].map(|sample| on_white(sample, narrow(g, h)))
        }),
        ColorType::Rgb32F => each_pixel::<12>(samples, |pixel| floats::<12, 3>(pixel).map(unit)),
        ColorType::Rgba32F => each_pixel::<16>(samples, |pixel| {
            let [red, green, blue, alpha] = floats::<16, 4>(pixel).map(unit);
            [red, green, blue].map(|sample| on_white(sample, alpha))
        }),
        _ => return None,
    })
}

/// Replaces each pixel of `N` bytes by three. From three bytes on the result fits in front of what
/// is still to be read.
fn each_pixel<const N: usize>(mut samples: Vec<u8>, pixel: impl Fn([u8; N]) -> [u8; 3]) -> Vec<u8> {
    if N < 3 {
        let (pixels, _) = samples.as_chunks::<N>();
        return pixels.iter().flat_map(|bytes| pixel(*bytes)).collect();
    }
    let count = samples.len() / N;
    for index in 0..count {
        let bytes = samples.get(index * N..).and_then(<[u8]>::first_chunk::<N>);
        let Some(rgb) = bytes.map(|bytes| pixel(*bytes)) else {
            break;
        };
        if let Some(place) = samples
            .get_mut(index * 3..)
            .and_then(<[u8]>::first_chunk_mut::<3>)
        {
            *place = rgb;
        }
    }
    samples.truncate(count * 3);
    samples.shrink_to_fit();
    samples
}

fn on_white(sample: u8, alpha: u8) -> u8 {
    if alpha == u8::MAX {
        return sample;
    }
    let (sample, alpha) = (u32::from(sample), u32::from(alpha));
    low_byte((sample * alpha + 255 * (255 - alpha) + 127) / 255)
}

/// A 16-bit sample, rounded to 8 bits.
fn narrow(first: u8, second: u8) -> u8 {
    let wide = u32::from(u16::from_ne_bytes([first, second]));
    low_byte((wide + 128) / 257)
}

/// Both callers divide down to 0..=255.
fn low_byte(value: u32) -> u8 {
    value.to_le_bytes()[0]
}

fn floats<const N: usize, const SAMPLES: usize>(pixel: [u8; N]) -> [f32; SAMPLES] {
    let (quads, _) = pixel.as_chunks::<4>();
    std::array::from_fn(|sample| {
        quads
            .get(sample)
            .map_or(0.0, |quad| f32::from_ne_bytes(*quad))
    })
}

/// A sample in 0.0..=1.0 as a byte; what lies outside is clipped, not a number becomes 0.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float has no other conversion to an integer; the value is clipped to the range"
)]
fn unit(sample: f32) -> u8 {
    (sample.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
}

#[cfg(test)]
mod tests {
    use image::ColorType;

    use super::to_rgb8;

    fn check(color: ColorType, samples: &[u8], expected: &[u8]) {
        assert_eq!(to_rgb8(color, samples.to_vec()).as_deref(), Some(expected));
    }

    fn wide(samples: &[u16]) -> Vec<u8> {
        samples
            .iter()
            .flat_map(|sample| sample.to_ne_bytes())
            .collect()
    }

    #[test]
    fn eight_bits() {
        check(ColorType::Rgb8, &[1, 2, 3], &[1, 2, 3]);
        check(ColorType::L8, &[7, 9], &[7, 7, 7, 9, 9, 9]);
        check(ColorType::La8, &[7, 255, 7, 0], &[7, 7, 7, 255, 255, 255]);
        check(
            ColorType::Rgba8,
            &[10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 255, 128],
            &[10, 20, 30, 255, 255, 255, 127, 177, 255],
        );
    }

    #[test]
    fn sixteen_bits_are_rounded() {
        check(
            ColorType::L16,
            &wide(&[0, 128, 129, 65_535]),
            &[0, 0, 0, 0, 0, 0, 1, 1, 1, 255, 255, 255],
        );
        check(ColorType::Rgb16, &wide(&[257, 514, 65_535]), &[1, 2, 255]);
        check(ColorType::La16, &wide(&[257, 65_535]), &[1, 1, 1]);
        check(
            ColorType::Rgba16,
            &wide(&[257, 514, 771, 0]),
            &[255, 255, 255],
        );
    }

    #[test]
    fn floats_are_clipped() {
        let samples: Vec<u8> = [-1.0_f32, 0.5, 7.0, f32::NAN, 1.0, 0.0]
            .iter()
            .flat_map(|sample| sample.to_ne_bytes())
            .collect();
        check(ColorType::Rgb32F, &samples, &[0, 128, 255, 0, 255, 0]);
    }
}
