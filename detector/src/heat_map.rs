//! Where in a picture a model sees something, drawn over a grey copy of it.
//!
//! Red speaks for synthetic and blue against it, on a scale that is the same for every picture, so a picture in which
//! nothing was seen stays pale. Places that no window covered are darker. Patch logits are not calibrated: the map
//! shows where to look, never how much a place proves.

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};
use image::{ExtendedColorType, ImageEncoder as _, codecs::png::PngEncoder};
use media::Picture;
use ndarray::Array2;

use crate::{crops::Spot, error::DetectorError};

/// The patch logits of the windows that a model looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct HeatMap {
    tiles: Vec<Tile>,
}

/// One window with its patches, rows from the top.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tile {
    pub(crate) spot: Spot,
    pub(crate) side: usize,
    pub(crate) patches: Array2<f32>,
}

impl HeatMap {
    /// `None` for no tiles.
    pub(crate) fn new(tiles: Vec<Tile>) -> Option<Self> {
        (!tiles.is_empty()).then_some(Self { tiles })
    }

    /// Mean patch logit of the windows over a place of the picture, in pixels from the top left; `None` where no window
    /// looked.
    pub fn at(&self, x: usize, y: usize) -> Option<f32> {
        let mut seen = self
            .tiles
            .iter()
            .filter_map(|tile| tile.at(x, y))
            .peekable();
        seen.peek()?;
        let (sum, count) = seen.fold((0.0, 0.0), |(sum, count), logit| (sum + logit, count + 1.0));
        Some(sum / count)
    }

    /// The map over `picture`, as a PNG file whose longer side is at most 1,024.
    ///
    /// # Errors
    ///
    /// [`DetectorError::Inference`] when our own scaler or encoder fails, which is a bug.
    pub fn png(&self, picture: &Picture) -> Result<Vec<u8>, DetectorError> {
        let (width, height, grey) = small_grey(picture)?;
        let mut rgb = Vec::with_capacity(grey.len());
        let mut pixels = grey.chunks_exact(3);
        for y in 0..height {
            let row = scaled(y, picture.height(), height)?;
            for x in 0..width {
                let logit = self.at(scaled(x, picture.width(), width)?, row);
                rgb.extend(tinted(pixels.next().unwrap_or_default(), logit));
            }
        }
        let mut file = Vec::new();
        PngEncoder::new(&mut file)
            .write_image(&rgb, width, height, ExtendedColorType::Rgb8)
            .map_err(|error| failed(&error))?;
        Ok(file)
    }
}

impl Tile {
    fn at(&self, x: usize, y: usize) -> Option<f32> {
        let (x, y) = (x.checked_sub(self.spot.x)?, y.checked_sub(self.spot.y)?);
        if x >= self.side || y >= self.side {
            return None;
        }
        let (rows, columns) = self.patches.dim();
        let place = (y * rows / self.side, x * columns / self.side);
        self.patches.get(place).copied()
    }
}

/// A grey copy, as RGB8, with its size.
fn small_grey(picture: &Picture) -> Result<(u32, u32, Vec<u8>), DetectorError> {
    let (width, height) = (picture.width(), picture.height());
    let long = width.max(height);
    let side = |side: u32| {
        let side = u64::from(side) * u64::from(MAX_SIDE_PX.min(long)) / u64::from(long);
        u32::try_from(side.max(1)).map_err(|error| failed(&error))
    };
    let mut small = Image::new(side(width)?, side(height)?, PixelType::U8x3);
    let source = ImageRef::new(width, height, picture.rgb(), PixelType::U8x3)
        .map_err(|error| failed(&error))?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    Resizer::new()
        .resize(&source, &mut small, &options)
        .map_err(|error| failed(&error))?;
    let (width, height) = (small.width(), small.height());
    let mut pixels = small.into_vec();
    for pixel in pixels.chunks_exact_mut(3) {
        let sum: u16 = pixel.iter().map(|value| u16::from(*value)).sum();
        // Compressed towards the middle, so that colour is seen on black and on white.
        pixel.fill(u8::try_from(48 + sum * 5 / 24).unwrap_or(u8::MAX));
    }
    Ok((width, height, pixels))
}

fn scaled(place: u32, whole: u32, of: u32) -> Result<usize, DetectorError> {
    let place = u64::from(place) * u64::from(whole) / u64::from(of.max(1));
    usize::try_from(place).map_err(|error| failed(&error))
}

fn tinted(grey: &[u8], logit: Option<f32>) -> [u8; 3] {
    let grey = f32::from(grey.first().copied().unwrap_or_default());
    let Some(logit) = logit else {
        return [byte(grey / 2.0); 3];
    };
    let strength = (logit / FULL_LOGIT).clamp(-1.0, 1.0);
    let towards = |colour: f32| byte(grey + (colour - grey) * strength.abs() * 0.7);
    match strength > 0.0 {
        true => [towards(255.0), towards(40.0), towards(20.0)],
        false => [towards(20.0), towards(90.0), towards(255.0)],
    }
}

#[expect(
    clippy::as_conversions,
    reason = "floats have no TryFrom; the value is in 0..=255, and the cast saturates"
)]
fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

fn failed(error: &dyn std::error::Error) -> DetectorError {
    DetectorError::Inference(format!("the heat map could not be drawn: {error}"))
}

/// Longer side of a drawn map: enough to find a place, and a bound on what a picture of any size costs.
pub(crate) const MAX_SIDE_PX: u32 = 1_024;

/// Patch logit that is drawn in full colour. Source: own choice.
const FULL_LOGIT: f32 = 4.0;

#[cfg(test)]
mod tests {
    use media::{Limits, Media, Name, Picture};
    use ndarray::arr2;

    use super::{HeatMap, Tile};
    use crate::crops::Spot;

    fn map() -> HeatMap {
        let tile = |x, y, patches| Tile {
            spot: Spot { y, x },
            side: 64,
            patches,
        };
        HeatMap::new(vec![
            tile(0, 0, arr2(&[[4.0, -4.0], [0.0, 0.0]])),
            tile(32, 0, arr2(&[[2.0, 2.0], [0.0, 0.0]])),
        ])
        .unwrap()
    }

    #[test]
    fn a_place_has_the_mean_of_the_windows_over_it() {
        let map = map();
        assert_eq!(map.at(0, 0), Some(4.0));
        assert_eq!(map.at(40, 10), Some(-1.0));
        assert_eq!(map.at(70, 10), Some(2.0));
        assert_eq!(map.at(70, 64), None);
        assert_eq!(HeatMap::new(Vec::new()), None);
    }

    #[test]
    fn the_drawing_is_red_where_patches_speak_and_never_large() {
        let decode = |width, height| {
            let grey = Picture::new(
                width,
                height,
                vec![128; usize::try_from(width * height * 3).unwrap()],
            );
            let file = map().png(&grey.unwrap()).unwrap();
            let limits = Limits::default();
            let media = Media::from_bytes(Name::from_text("map.png"), None, file, &limits).unwrap();
            media.decode(&limits).unwrap()
        };
        let drawn = decode(128, 96);
        let pixel = |x: usize, y: usize| &drawn.rgb()[(y * 128 + x) * 3..][..3];
        assert_eq!((drawn.width(), drawn.height()), (128, 96));
        assert!(pixel(4, 4)[0] > pixel(4, 4)[2] + 100, "{:?}", pixel(4, 4));
        assert!(pixel(40, 10)[2] > pixel(40, 10)[0], "{:?}", pixel(40, 10));
        assert!(pixel(120, 90)[0] < pixel(4, 60)[0]);
        let large = decode(3_000, 200);
        assert_eq!((large.width(), large.height()), (1_024, 68));
    }
}
