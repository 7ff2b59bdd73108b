//! Chance that repeats: the same seed gives the same numbers in every release, which a crate does not promise.
//!
//! Source: SplitMix64 (Steele, Lea and Flood, 2014). Not for secrets.

/// A stream of numbers.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A seed of a name, by the 64-bit FNV-1a hash.
    pub(crate) fn seed_of(name: &str) -> u64 {
        name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }

    /// 64 even bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// An even number under `end`, or 0 when `end` is 0. The bias is under `end` in 2^64.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let product = u128::from(self.bits()) * u128::try_from(end).unwrap_or_default();
        usize::try_from(product >> 64).unwrap_or_default()
    }

    /// Nearly normal, mean 0 and standard deviation 1: the sum of four even numbers.
    pub(crate) fn normal(&mut self) -> f32 {
        let sum: u32 = self
            .bits()
            .to_be_bytes()
            .chunks_exact(2)
            .map(|pair| {
                pair.iter()
                    .fold(0, |value, byte| value << 8 | u32::from(*byte))
            })
            .sum();
        // Four even numbers in 0..65,536 have the mean 131,070 and the standard deviation 65,536 / √3.
        let sum = u16::try_from(sum >> 3).map_or(0.0, f32::from) * 8.0;
        (sum - 131_070.0) / (65_536.0 / 3.0_f32.sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn the_stream_is_that_of_splitmix64() {
        let mut chance = Chance::new(1_234_567);
        assert_eq!(chance.bits(), 6_457_827_717_110_365_317);
        assert_eq!(chance.bits(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn numbers_below_an_end_are_even() {
        let mut chance = Chance::new(1);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[chance.below(7)] += 1;
        }
        assert!(
            counts.iter().all(|count| (9_600..10_400).contains(count)),
            "{counts:?}"
        );
        assert_eq!(chance.below(0), 0);
    }
}
