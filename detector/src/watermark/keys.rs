//! The public keys, as the programs that write them spell them.

/// Whose key a watermark has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WatermarkKey {
    /// Stable Diffusion XL: its own code and the diffusers library.
    Sdxl,
    /// FLUX.1 and FLUX.2.
    Flux,
    /// Stable Diffusion 1, as first published.
    Sd1,
    /// Stable Diffusion 2, as first published.
    Sd2,
    /// InvokeAI's default.
    InvokeAi,
}

impl WatermarkKey {
    /// Every key.
    pub const ALL: [Self; 5] = [Self::Sdxl, Self::Flux, Self::Sd1, Self::Sd2, Self::InvokeAi];

    /// Its word in reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sdxl => "sdxl",
            Self::Flux => "flux",
            Self::Sd1 => "sd1",
            Self::Sd2 => "sd2",
            Self::InvokeAi => "invokeai",
        }
    }

    /// The program in words.
    pub fn program(self) -> &'static str {
        match self {
            Self::Sdxl => "Stable Diffusion XL",
            Self::Flux => "FLUX",
            Self::Sd1 => "Stable Diffusion 1",
            Self::Sd2 => "Stable Diffusion 2",
            Self::InvokeAi => "InvokeAI",
        }
    }

    /// How often a key repeats a pattern of its own. Letters begin with the same bits, so keys that are text look alike
    /// every eight bits, and so does any picture whose texture repeats as often.
    pub(super) fn period(self) -> usize {
        match self {
            Self::Sdxl | Self::Flux => 1,
            Self::Sd1 | Self::Sd2 | Self::InvokeAi => 8,
        }
    }

    /// The bits in the order in which the blocks carry them, each 0 or 1.
    pub(crate) fn bits(self) -> &'static [u8] {
        match self {
            Self::Sdxl => &SDXL,
            Self::Flux => &FLUX,
            Self::Sd1 => &SD1,
            Self::Sd2 => &SD2,
            Self::InvokeAi => &INVOKE_AI,
        }
    }
}

/// The lowest `N` bits of the bytes, the highest first.
const fn bits<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut bits = [0; N];
    let skipped = bytes.len() * 8 - N;
    let mut place = 0;
    while place < N {
        let at = place + skipped;
        bits[place] = (bytes[at / 8] >> (7 - at % 8)) & 1;
        place += 1;
    }
    bits
}

/// Source: `WATERMARK_MESSAGE` of the diffusers library.
static SDXL: [u8; 48] = bits(&[0xb3, 0xec, 0x90, 0x7b, 0xb1, 0x9e]);

/// Source: `WATERMARK_MESSAGE` of FLUX.1. Its 48 bits begin with two zeros, which its writer drops, so 46 are written.
static FLUX: [u8; 46] = bits(&[0x2a, 0xfe, 0x87, 0x9c, 0xf5, 0x2e]);

/// Source: `txt2img.py` of CompVis.
static SD1: [u8; 136] = bits(b"StableDiffusionV1");

/// Source: `txt2img.py` of Stability AI.
static SD2: [u8; 32] = bits(b"SDV2");

/// Source: the watermark node of InvokeAI.
static INVOKE_AI: [u8; 64] = bits(b"InvokeAI");

#[cfg(test)]
mod tests {
    use super::WatermarkKey;

    fn text(key: WatermarkKey) -> String {
        key.bits().iter().map(u8::to_string).collect()
    }

    #[test]
    fn the_bits_are_those_that_the_programs_write() {
        assert_eq!(
            text(WatermarkKey::Sdxl),
            "101100111110110010010000011110111011000110011110"
        );
        assert_eq!(
            text(WatermarkKey::Flux),
            "1010101111111010000111100111001111010100101110"
        );
        assert_eq!(WatermarkKey::Sd1.bits().len(), 17 * 8);
        assert!(text(WatermarkKey::Sd1).starts_with("0101001101110100"));
        assert_eq!(text(WatermarkKey::Sd2), "01010011010001000101011000110010");
    }
}
