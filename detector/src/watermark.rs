//! Reads the invisible watermarks that programs of the Stable Diffusion family write into what they generate.
//!
//! The keys are public: a watermark shows that somebody ran a writer with that key over the pixels, not who, and
//! not that the picture is generated. It needs no model and knows no policy; whether a hint counts is decided
//! elsewhere.
//!
//! The writers quantise one coefficient in every four by four block of a wavelet band of the blue-difference plane,
//! which the reader repeats. Most of them work on floating-point colour, whose plane is centred on 0.5, and the usual
//! reader on bytes, centred on 128, which loses most of the marks; here both are read. Instead of counting right
//! bits, the mean of all blocks that carry a bit is correlated with the key.
//!
//! False alarms: for a key that the picture knows nothing of, `z / √bits` is a correlation by chance, so `z` above
//! [`MIN_Z`] has a chance of 1e-7 for the longest key and less for the others, under 1e-6 for all keys and both
//! readings together. Source: the dwtDct method of the invisible-watermark package, measured again.

mod blocks;
mod keys;

use media::Picture;

pub use keys::WatermarkKey;

use blocks::{Blocks, STEP};

/// A watermark that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Watermark {
    /// Whose key it is.
    pub key: WatermarkKey,
    /// Standard deviations above what chance gives; above 5, at most the root of the key's bits.
    pub z: f32,
}

/// The watermarks in a picture, at most one per key, in the order of [`WatermarkKey::ALL`].
///
/// Reads one value per 64 pixels; a picture that the writers would not mark has none.
pub fn watermarks(picture: &Picture) -> Vec<Watermark> {
    let Some(blocks) = Blocks::of(picture) else {
        return Vec::new();
    };
    let strongest = |key: WatermarkKey| {
        let z = |values: &[f32]| correlation(values, key);
        z(&blocks.float).max(z(&blocks.byte))
    };
    WatermarkKey::ALL
        .into_iter()
        .map(|key| Watermark {
            key,
            z: strongest(key),
        })
        .filter(|found| found.z > MIN_Z)
        .collect()
}

/// How well the blocks repeat a key, in standard deviations of chance.
///
/// The spread of the means counts as at least what chance alone gives it, so that a picture of few colours, whose
/// blocks all say the same, does not divide by next to nothing.
fn correlation(values: &[f32], key: WatermarkKey) -> f32 {
    let bits = key.bits();
    let signs: Vec<f32> = bits.iter().map(|bit| f32::from(*bit) * 2.0 - 1.0).collect();
    let expected = centred(&signs, key.period());
    let found = centred(&means(values, bits.len()), key.period());
    let norm = |values: &[f32]| values.iter().map(|value| value * value).sum::<f32>().sqrt();
    let count = small(bits.len());
    let per_bit = small(values.len()) / count;
    let spread = (norm(&found) / count.sqrt()).max(0.5 / per_bit.max(1.0).sqrt());
    let product: f32 = expected
        .iter()
        .zip(&found)
        .map(|(expected, found)| expected * found)
        .sum();
    product / (norm(&expected).max(f32::MIN_POSITIVE) * spread)
}

/// Takes from each value the mean of all that are whole periods away: what repeats so often is no key.
fn centred(values: &[f32], period: usize) -> Vec<f32> {
    let mut sums = vec![(0.0_f32, 0.0_f32); period];
    for row in values.chunks(period.max(1)) {
        for (value, (sum, count)) in row.iter().zip(&mut sums) {
            *sum += value;
            *count += 1.0;
        }
    }
    let means = sums.iter().map(|(sum, count)| sum / count.max(1.0)).cycle();
    values
        .iter()
        .zip(means)
        .map(|(value, mean)| value - mean)
        .collect()
}

/// For each bit of a key the share of its blocks that say 1.
fn means(values: &[f32], bits: usize) -> Vec<f32> {
    let mut ones = vec![(0.0_f32, 0.0_f32); bits];
    for row in values.chunks(bits.max(1)) {
        for (value, (sum, count)) in row.iter().zip(&mut ones) {
            *sum += if value.abs() % STEP > STEP / 2.0 {
                1.0
            } else {
                0.0
            };
            *count += 1.0;
        }
    }
    ones.into_iter()
        .map(|(sum, count)| sum / count.max(1.0))
        .collect()
}

/// Counts of blocks: the largest picture that is decoded has 800,000.
fn small(count: usize) -> f32 {
    let high = u16::try_from(count >> 16).map_or(f32::from(u16::MAX), f32::from);
    let low = u16::try_from(count & 0xffff).map_or(0.0, f32::from);
    high * 65_536.0 + low
}

/// What a watermark must exceed. See the module for the chance of a false alarm.
const MIN_Z: f32 = 5.0;

#[cfg(test)]
mod tests {
    use media::Picture;

    use super::{Watermark, WatermarkKey, blocks::embed, watermarks};

    /// Smooth colours with some noise, the same for the same seed.
    fn scene(width: u32, height: u32, seed: u32) -> Picture {
        let mut state = seed;
        let mut noise = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 27
        };
        let mut rgb = Vec::new();
        for y in 0..height {
            for x in 0..width {
                for colour in [x / 5 + y / 7, x * y / (width * 2), 250 - y / 4] {
                    rgb.push(u8::try_from((20 + colour % 200 + noise()).min(255)).unwrap());
                }
            }
        }
        Picture::new(width, height, rgb).unwrap()
    }

    #[test]
    fn every_key_is_read_back_in_both_kinds_of_colour_and_no_other_is() {
        for key in WatermarkKey::ALL {
            for centre in [0.5, 128.0] {
                let marked = embed(&scene(640, 512, 3), key.bits(), centre);
                let found = watermarks(&marked);
                assert!(
                    matches!(found.as_slice(), [Watermark { key: read, z }] if *read == key && *z > 5.0),
                    "{key:?} at {centre}: {found:?}"
                );
            }
        }
    }

    #[test]
    fn unmarked_flat_and_small_pictures_have_none() {
        for seed in 1..40 {
            assert_eq!(watermarks(&scene(384, 320, seed)), []);
        }
        for grey in [0, 90, 128, 255] {
            let flat = Picture::new(512, 512, vec![grey; 512 * 512 * 3]).unwrap();
            assert_eq!(watermarks(&flat), []);
        }
        assert_eq!(watermarks(&scene(255, 600, 1)), []);
        assert_eq!(watermarks(&scene(1, 1, 1)), []);
    }

    #[test]
    fn a_moved_grid_loses_the_mark() {
        let marked = embed(&scene(640, 512, 3), WatermarkKey::Sdxl.bits(), 0.5);
        let moved: Vec<u8> = marked
            .rgb()
            .chunks(640 * 3)
            .skip(1)
            .flat_map(|row| row[3..].to_vec())
            .collect();
        assert_eq!(watermarks(&Picture::new(639, 511, moved).unwrap()), []);
    }
}
