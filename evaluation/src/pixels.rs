//! What happens to pictures on their way: shrinking, saving, blurring, noise. Each is a pure function of the pixels
//! and, for noise, of a seed.

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};
use image::{
    ExtendedColorType, ImageEncoder as _, RgbImage,
    codecs::{jpeg::JpegEncoder, png::PngEncoder},
    imageops,
};
use media::{Limits, Media, Name, Picture};

use crate::chance::Chance;

/// A picture on its way, with the file it would be if it were stored now.
pub(crate) struct Parcel {
    pub(crate) picture: Picture,
    /// `None` after a step that changes pixels and does not save.
    pub(crate) file: Option<Vec<u8>>,
}

/// A step on the way. Sizes are in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Shrinks to this longest side; a smaller picture stays as it is.
    Fit(u32),
    /// Scales both sides to this many per cent.
    Scale(u32),
    /// Cuts this many pixels off the left and the top, which moves the grid of an earlier JPEG.
    Shift(u32),
    /// Cuts this many per cent off every side.
    Margin(u32),
    /// Gaussian blur, standard deviation in tenths of a pixel.
    Blur(u16),
    /// The median of three by three pixels, per channel: what simple noise reduction does.
    Median,
    /// Gaussian noise, standard deviation in tenths of a grey level.
    Noise(u16),
    /// Saves as JPEG of this quality, 4:4:4, and opens it again.
    Jpeg(u8),
    /// Saves as PNG and opens it again.
    Png,
}

/// Takes a picture through `steps`. `None` when nothing would be left of it, or our own encoder fails.
pub(crate) fn deliver(start: &Picture, steps: &[Step], seed: u64) -> Option<Parcel> {
    let mut parcel = Parcel {
        picture: start.clone(),
        file: None,
    };
    for step in steps {
        parcel = take(parcel, *step, seed)?;
    }
    Some(parcel)
}

/// A rectangle of `picture`; `None` when it does not lie inside.
pub(crate) fn cut(picture: &Picture, x: u32, y: u32, width: u32, height: u32) -> Option<Picture> {
    let inside =
        x.checked_add(width)? <= picture.width() && y.checked_add(height)? <= picture.height();
    if !inside {
        return None;
    }
    let whole = RgbImage::from_raw(picture.width(), picture.height(), picture.rgb().to_vec())?;
    let part = imageops::crop_imm(&whole, x, y, width, height).to_image();
    Picture::new(width, height, part.into_raw())
}

/// Scales to exactly this size. Shrinking averages; enlarging is cubic.
pub(crate) fn scaled(picture: &Picture, width: u32, height: u32) -> Option<Picture> {
    let source = ImageRef::new(
        picture.width(),
        picture.height(),
        picture.rgb(),
        PixelType::U8x3,
    )
    .ok()?;
    let mut target = Image::new(width, height, PixelType::U8x3);
    let filter = match width > picture.width() {
        true => FilterType::CatmullRom,
        false => FilterType::Bilinear,
    };
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter));
    Resizer::new().resize(&source, &mut target, &options).ok()?;
    Picture::new(width, height, target.into_vec())
}

fn take(parcel: Parcel, step: Step, seed: u64) -> Option<Parcel> {
    let picture = &parcel.picture;
    let (width, height) = (picture.width(), picture.height());
    let changed = match step {
        Step::Fit(side) if width.max(height) <= side => return Some(parcel),
        Step::Fit(side) => {
            let long = width.max(height);
            scaled(picture, part(width, side, long)?, part(height, side, long)?)
        }
        Step::Scale(per_cent) => scaled(
            picture,
            part(width, per_cent, 100)?,
            part(height, per_cent, 100)?,
        ),
        Step::Shift(pixels) => cut(
            picture,
            pixels,
            pixels,
            width.checked_sub(pixels)?,
            height.checked_sub(pixels)?,
        ),
        Step::Margin(per_cent) => {
            let (x, y) = (width * per_cent / 100, height * per_cent / 100);
            cut(picture, x, y, width - 2 * x, height - 2 * y)
        }
        Step::Blur(tenths) => blurred(picture, f32::from(tenths) / 10.0),
        Step::Median => median(picture),
        Step::Noise(tenths) => noisy(picture, f32::from(tenths) / 10.0, seed),
        Step::Jpeg(quality) => return saved(jpeg(picture, quality)?),
        Step::Png => return saved(png(picture)?),
    };
    Some(Parcel {
        picture: changed?,
        file: None,
    })
}

/// `side * to / from`, rounded down, at least 1.
fn part(side: u32, to: u32, from: u32) -> Option<u32> {
    let scaled = u64::from(side) * u64::from(to) / u64::from(from);
    u32::try_from(scaled.max(1)).ok()
}

/// Opens a file of our own the way an upload is opened.
fn saved(file: Vec<u8>) -> Option<Parcel> {
    let limits = Limits {
        max_bytes: u64::MAX,
        ..Limits::default()
    };
    let media = Media::from_bytes(Name::from_text("delivery"), None, file, &limits).ok()?;
    let picture = media.decode(&limits).ok()?;
    Some(Parcel {
        picture,
        file: Some(media.bytes().to_vec()),
    })
}

fn jpeg(picture: &Picture, quality: u8) -> Option<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, quality);
    encoder
        .encode(
            picture.rgb(),
            picture.width(),
            picture.height(),
            ExtendedColorType::Rgb8,
        )
        .ok()?;
    Some(file)
}

fn png(picture: &Picture) -> Option<Vec<u8>> {
    let mut file = Vec::new();
    PngEncoder::new(&mut file)
        .write_image(
            picture.rgb(),
            picture.width(),
            picture.height(),
            ExtendedColorType::Rgb8,
        )
        .ok()?;
    Some(file)
}

fn blurred(picture: &Picture, sigma: f32) -> Option<Picture> {
    let whole = RgbImage::from_raw(picture.width(), picture.height(), picture.rgb().to_vec())?;
    let soft = imageops::blur(&whole, sigma);
    Picture::new(picture.width(), picture.height(), soft.into_raw())
}

fn median(picture: &Picture) -> Option<Picture> {
    let width = usize::try_from(picture.width()).ok()?;
    let height = usize::try_from(picture.height()).ok()?;
    let rgb = picture.rgb();
    let mut out = Vec::with_capacity(rgb.len());
    for y in 0..height {
        let rows = [y.saturating_sub(1), y, (y + 1).min(height - 1)];
        for x in 0..width {
            let columns = [x.saturating_sub(1), x, (x + 1).min(width - 1)];
            for channel in 0..3 {
                let mut values = [0_u8; 9];
                let places = rows
                    .into_iter()
                    .flat_map(|row| columns.map(|column| (row * width + column) * 3 + channel));
                for (value, place) in values.iter_mut().zip(places) {
                    *value = rgb.get(place).copied()?;
                }
                values.sort_unstable();
                out.push(values[4]);
            }
        }
    }
    Picture::new(picture.width(), picture.height(), out)
}

fn noisy(picture: &Picture, sigma: f32, seed: u64) -> Option<Picture> {
    let mut chance = Chance::new(seed);
    let noisy = picture
        .rgb()
        .iter()
        .map(|value| byte(f32::from(*value) + sigma * chance.normal()));
    Picture::new(picture.width(), picture.height(), noisy.collect())
}

/// The nearest grey level.
#[expect(
    clippy::as_conversions,
    reason = "floats have no TryFrom; the value is in 0..=255, and the cast saturates"
)]
fn byte(value: f32) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use media::Picture;

    use super::{Step, deliver};

    fn ramp(width: u32, height: u32) -> Picture {
        let values =
            (0..height).flat_map(|y| (0..width).flat_map(move |x| [x * 3 % 256, y * 5 % 256, 90]));
        let rgb = values.map(|value| u8::try_from(value).unwrap()).collect();
        Picture::new(width, height, rgb).unwrap()
    }

    fn after(steps: &[Step]) -> Picture {
        deliver(&ramp(200, 100), steps, 7).unwrap().picture
    }

    #[test]
    fn sizes_follow_the_step() {
        let check = |step, size: (u32, u32)| {
            let picture = after(&[step]);
            assert_eq!((picture.width(), picture.height()), size, "{step:?}");
        };
        check(Step::Fit(100), (100, 50));
        check(Step::Fit(500), (200, 100));
        check(Step::Scale(150), (300, 150));
        check(Step::Shift(3), (197, 97));
        check(Step::Margin(10), (160, 80));
        check(Step::Blur(8), (200, 100));
        check(Step::Median, (200, 100));
    }

    #[test]
    fn only_saving_leaves_a_file_and_png_changes_no_pixel() {
        let png = deliver(&ramp(200, 100), &[Step::Png], 7).unwrap();
        assert!(png.file.is_some() && png.picture == ramp(200, 100));
        let jpeg = deliver(&ramp(200, 100), &[Step::Jpeg(50)], 7).unwrap();
        assert!(jpeg.file.is_some() && jpeg.picture != ramp(200, 100));
        let soft = deliver(&ramp(200, 100), &[Step::Jpeg(50), Step::Blur(9)], 7).unwrap();
        assert!(soft.file.is_none());
        assert!(deliver(&ramp(2, 2), &[Step::Shift(3)], 7).is_none());
    }

    #[test]
    fn noise_has_its_strength_and_the_median_removes_single_pixels() {
        let grey = Picture::new(100, 100, vec![128; 30_000]).unwrap();
        let noisy = deliver(&grey, &[Step::Noise(50)], 7).unwrap().picture;
        let squares: f32 = noisy
            .rgb()
            .iter()
            .map(|value| (f32::from(*value) - 128.0).powi(2))
            .sum();
        let sigma = (squares / 30_000.0).sqrt();
        assert!((4.8..5.2).contains(&sigma), "{sigma}");
        assert_eq!(
            noisy,
            deliver(&grey, &[Step::Noise(50)], 7).unwrap().picture
        );
        let mut spotted = vec![128; 30_000];
        spotted[15_150] = 255;
        let spotted = Picture::new(100, 100, spotted).unwrap();
        assert_eq!(deliver(&spotted, &[Step::Median], 7).unwrap().picture, grey);
    }
}
