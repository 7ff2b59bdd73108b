//! Decoded pixels.

use std::fmt;

/// One decoded frame, RGB8, row-major, orientation applied, native resolution.
///
/// Transparent pixels are shown on white, as a page would show them.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    width: u32,
    height: u32,
    rgb: Vec<u8>,
}

impl Picture {
    /// Takes `width * height * 3` bytes, red first, rows from the top, without padding. `None` when
    /// a side is 0 or the length does not fit.
    pub fn new(width: u32, height: u32, rgb: Vec<u8>) -> Option<Self> {
        let needed = usize::try_from(width)
            .ok()?
            .checked_mul(usize::try_from(height).ok()?)?
            .checked_mul(3)?;
        (needed > 0 && needed == rgb.len()).then_some(Self { width, height, rgb })
    }

    /// Pixels in a row; at least 1.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows; at least 1.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// `width * height * 3` bytes, red first, rows from the top, without padding.
    pub fn rgb(&self) -> &[u8] {
        &self.rgb
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({} x {})", self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::Picture;

    #[test]
    fn the_length_must_fit_the_sides() {
        assert!(Picture::new(2, 1, vec![0; 6]).is_some());
        assert!(Picture::new(2, 1, vec![0; 5]).is_none());
        assert!(Picture::new(0, 1, Vec::new()).is_none());
        assert!(Picture::new(u32::MAX, u32::MAX, Vec::new()).is_none());
    }
}
