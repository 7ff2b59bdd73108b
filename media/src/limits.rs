//! What one file may cost, checked before anything is allocated.

/// Bounds on one medium. A limit reports an error; it never truncates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file. Default 32 MiB for any kind; video gets a larger bound once it is decoded.
    pub max_bytes: u64,
    /// Width times height of one frame. Default 50 million, as imgproxy has it.
    pub max_pixels: u64,
    /// Longest side in pixels. Default 16,384, as ImageMagick's web-safe policy family has it.
    pub max_side: u32,
    /// Declared frames of an animation. Default 2,000; more is `limit_exceeded:frames`.
    pub max_frames: u32,
    /// Bytes the pixel decoder may allocate. Default 512 MiB: 50 million pixels of RGBA8 with a
    /// working copy.
    pub max_alloc: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 32 << 20,
            max_pixels: 50_000_000,
            max_side: 16_384,
            max_frames: 2_000,
            max_alloc: 512 << 20,
        }
    }
}
