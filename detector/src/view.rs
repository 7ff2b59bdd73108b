//! The two ways of looking at a picture: as it came, and as a platform would have delivered it.
//!
//! A score that changes when a picture is merely passed on says little about the picture. The second view finds
//! that out; it is never a vote of its own.

use std::{borrow::Cow, io::Cursor};

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};
use image::{
    ExtendedColorType, ImageDecoder,
    codecs::jpeg::{JpegDecoder, JpegEncoder},
};
use media::Picture;
use ndarray::{ArrayView3, ShapeError};

use crate::error::DetectorError;

/// Name of the view at native resolution.
pub(crate) const NATIVE: &str = "native";

/// Name of the view as a platform delivers it.
pub(crate) const WEB: &str = "web";

/// The pixels of one view: RGB8, row-major.
pub(crate) struct Look<'p> {
    width: u32,
    height: u32,
    rgb: Cow<'p, [u8]>,
}

impl<'p> Look<'p> {
    /// The picture as it is.
    pub(crate) fn native(picture: &'p Picture) -> Self {
        Self {
            width: picture.width(),
            height: picture.height(),
            rgb: picture.rgb().into(),
        }
    }

    /// The picture after a platform: shorter side at most [`WEB_SIDE_PX`], saved as JPEG at [`WEB_QUALITY`], 4:4:4.
    ///
    /// A smaller picture is not enlarged, only saved.
    ///
    /// # Errors
    ///
    /// [`DetectorError::Inference`] when our own encoder or decoder fails, which is a bug.
    pub(crate) fn web(picture: &'p Picture) -> Result<Self, DetectorError> {
        let Self { width, height, rgb } = shrunk(picture)?;
        let rgb = resaved(&rgb, width, height).map_err(|error| failed(&error))?;
        Ok(Self {
            width,
            height,
            rgb: rgb.into(),
        })
    }

    /// The pixels as `[H, W, 3]`.
    pub(crate) fn pixels(&self) -> Result<ArrayView3<'_, u8>, DetectorError> {
        let shape = (length(self.height)?, length(self.width)?, 3);
        ArrayView3::from_shape(shape, &self.rgb).map_err(|error: ShapeError| failed(&error))
    }
}

fn shrunk(picture: &Picture) -> Result<Look<'_>, DetectorError> {
    let (width, height) = (picture.width(), picture.height());
    let short = width.min(height);
    if short <= WEB_SIDE_PX {
        return Ok(Look::native(picture));
    }
    let scaled = |side: u32| {
        let side = u64::from(side) * u64::from(WEB_SIDE_PX) / u64::from(short);
        u32::try_from(side).map_err(|error| failed(&error))
    };
    let source = ImageRef::new(width, height, picture.rgb(), PixelType::U8x3)
        .map_err(|error| failed(&error))?;
    let mut small = Image::new(scaled(width)?, scaled(height)?, PixelType::U8x3);
    // The filter widens with the factor, so it averages like the scalers of platforms do; it does not alias.
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    Resizer::new()
        .resize(&source, &mut small, &options)
        .map_err(|error| failed(&error))?;
    Ok(Look {
        width: small.width(),
        height: small.height(),
        rgb: small.into_vec().into(),
    })
}

fn resaved(rgb: &[u8], width: u32, height: u32) -> Result<Vec<u8>, image::ImageError> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, WEB_QUALITY).encode(
        rgb,
        width,
        height,
        ExtendedColorType::Rgb8,
    )?;
    let decoder = JpegDecoder::new(Cursor::new(jpeg))?;
    let mut pixels = vec![0; rgb.len()];
    decoder.read_image(&mut pixels)?;
    Ok(pixels)
}

fn length(side: u32) -> Result<usize, DetectorError> {
    usize::try_from(side).map_err(|error| failed(&error))
}

fn failed(error: &dyn std::error::Error) -> DetectorError {
    DetectorError::Inference(format!(
        "the view of the picture could not be made: {error}"
    ))
}

/// Shorter side, in pixels, of a delivered picture. Source: the web tier of our evaluation.
const WEB_SIDE_PX: u32 = 512;

/// JPEG quality of a delivered picture. Source: as above.
const WEB_QUALITY: u8 = 85;

#[cfg(test)]
mod tests {
    use media::Picture;

    use super::Look;

    fn picture(width: u32, height: u32) -> Picture {
        let pixels = (0..height)
            .flat_map(|y| (0..width).flat_map(move |x| [x % 251, y % 241, (x + y) % 239]));
        Picture::new(
            width,
            height,
            pixels.map(|value| u8::try_from(value).unwrap()).collect(),
        )
        .unwrap()
    }

    #[test]
    fn delivery_shrinks_to_the_shorter_side_and_keeps_the_shape() {
        let (wide, small) = (picture(2_048, 1_024), picture(200, 130));
        assert_eq!(
            Look::web(&wide).unwrap().pixels().unwrap().dim(),
            (512, 1_024, 3)
        );
        assert_eq!(
            Look::web(&small).unwrap().pixels().unwrap().dim(),
            (130, 200, 3)
        );
        assert_eq!(
            Look::native(&wide).pixels().unwrap().dim(),
            (1_024, 2_048, 3)
        );
    }

    #[test]
    fn delivery_changes_pixels_little_but_does_change_them() {
        let small = picture(200, 130);
        let (native, web) = (Look::native(&small), Look::web(&small).unwrap());
        let apart: u32 = native
            .rgb
            .iter()
            .zip(web.rgb.iter())
            .map(|(a, b)| u32::from(a.abs_diff(*b)))
            .sum();
        let values = u32::try_from(native.rgb.len()).unwrap();
        assert!(apart > 0 && apart < 8 * values, "{apart} over {values}");
    }
}
