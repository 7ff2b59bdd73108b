//! The one place that turns bytes into pixels.
//!
//! Every limit is checked from the header first; each decoder then gets limits of its own, set by
//! hand, because some begin with none. PNG and WebP reach their decoder without metadata and
//! animation, the two things they allocate without regard to limits; that of JPEG, GIF and TIFF is
//! copied at most, never inflated, and so bounded by the size of the file. No frames are iterated.

use std::error::Error as _;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::codecs::{
    bmp::BmpDecoder, gif::GifDecoder, jpeg::JpegDecoder, png::PngDecoder, tiff::TiffDecoder,
    webp::WebPDecoder,
};
use image::error::LimitErrorKind;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, RgbImage};

use crate::bytes::{count, index};
use crate::convert::to_rgb8;
use crate::walk::jpeg::{self, Layout};
use crate::walk::{gif, png, webp};
use crate::{Kind, LimitKind, Limits, Media, MediaError, Picture};

/// Longest text taken over from a decoder.
const MAX_DETAIL_CHARS: usize = 200;
/// Deflate cannot do better than this (RFC 1951: 258 bytes for two bits).
const MAX_DEFLATE_RATIO: u64 = 1032;

/// Decodes the first frame of `media`.
pub(crate) fn decode(media: &Media, limits: &Limits) -> Result<Picture, MediaError> {
    if media.bytes().is_empty() {
        return Err(damaged("the file is empty"));
    }
    if !media.kind.is_decodable() {
        return Err(MediaError::UnsupportedKind { kind: media.kind });
    }
    let size = media
        .stored_size
        .ok_or_else(|| damaged("its header states no size"))?;
    check_size(size, limits)?;
    check_limit(
        LimitKind::Frames,
        u64::from(media.header.frames),
        u64::from(limits.max_frames),
    )?;
    // Decoders of hostile bytes have panicked before. They share nothing with us but these bytes, so
    // nothing is left half-changed, and one bad file must not take the others down with it.
    catch_unwind(AssertUnwindSafe(|| pixels(media, size, limits)))
        .unwrap_or_else(|_| Err(damaged("the decoder gave up on these bytes")))
}

fn pixels(media: &Media, size: (u32, u32), limits: &Limits) -> Result<Picture, MediaError> {
    let job = Job {
        kind: media.kind,
        size,
        has_end: media.has_end,
        limits,
    };
    let rgb = match media.kind {
        Kind::Jpeg => job.jpeg(media.bytes()),
        Kind::Png => job.png(media.bytes()),
        Kind::WebP => job.webp(media.bytes()),
        Kind::Gif => job.gif(media.bytes()),
        Kind::Tiff => job.tiff(media.bytes()),
        Kind::Bmp => job.bmp(media.bytes()),
        Kind::Dng
        | Kind::Avif
        | Kind::Heic
        | Kind::Heif
        | Kind::Jxl
        | Kind::Svg
        | Kind::Mp4
        | Kind::QuickTime
        | Kind::M4a
        | Kind::Avi
        | Kind::Mp3
        | Kind::Wav
        | Kind::Flac
        | Kind::Pdf
        | Kind::C2pa
        | Kind::Unknown => Err(MediaError::UnsupportedKind { kind: media.kind }),
    }?;
    turned(size, rgb, media.orientation)
}

/// One decoding: what is to be decoded and what it may cost.
struct Job<'a> {
    kind: Kind,
    /// As the header states it, before orientation; within the limits.
    size: (u32, u32),
    /// Whether the walk found the end of the picture.
    has_end: bool,
    limits: &'a Limits,
}

impl Job<'_> {
    fn jpeg(&self, bytes: &[u8]) -> Result<Vec<u8>, MediaError> {
        let layout = jpeg::layout(bytes);
        let working = match layout {
            Layout::Rows => 0,
            // Coefficients have 16 bits.
            Layout::Scans(components) => 2 * u64::from(components) * self.pixels(),
        };
        let rgb = self.read(JpegDecoder::new(Cursor::new(bytes)), working)?;
        let (rows, _) = rgb.as_chunks::<3>();
        let last = rows.rchunks(index(self.size.0)).next().unwrap_or_default();
        // The decoder paints rows that never arrived in this grey; scans it leaves unrefined.
        let is_short = layout != Layout::Rows || last.iter().all(|pixel| *pixel == [128; 3]);
        if !self.has_end && is_short {
            return Err(damaged("it ends too early"));
        }
        Ok(rgb)
    }

    fn png(&self, bytes: &[u8]) -> Result<Vec<u8>, MediaError> {
        let picture = png::picture_only(bytes);
        // At least one bit per pixel has to be in there.
        if self.pixels() / 8 > count(picture.len()).saturating_mul(MAX_DEFLATE_RATIO) {
            return Err(damaged("it is too short for its size"));
        }
        let decoder = PngDecoder::with_limits(Cursor::new(picture), self.image_limits());
        self.read(decoder, 0)
    }

    fn webp(&self, bytes: &[u8]) -> Result<Vec<u8>, MediaError> {
        let still =
            webp::first_still(bytes).ok_or_else(|| damaged("it holds no picture that fits"))?;
        let part = Job {
            size: still.size,
            ..*self
        };
        check_size(part.size, self.limits)?;
        // Luma and chroma planes, or a lossless canvas of four bytes with one more for transparency.
        let rgb = part.read(WebPDecoder::new(Cursor::new(still.file)), 5 * part.pixels())?;
        place(self.size, part.size, still.offset, rgb)
    }

    fn gif(&self, bytes: &[u8]) -> Result<Vec<u8>, MediaError> {
        let frame = gif::first_frame_size(bytes).ok_or_else(|| damaged("it holds no frame"))?;
        check_size(frame, self.limits)?;
        let working = 4 * u64::from(frame.0) * u64::from(frame.1);
        self.read(GifDecoder::new(Cursor::new(bytes)), working)
    }

    fn tiff(&self, bytes: &[u8]) -> Result<Vec<u8>, MediaError> {
        self.read(TiffDecoder::new(Cursor::new(bytes)), 0)
    }

    fn bmp(&self, bytes: &[u8]) -> Result<Vec<u8>, MediaError> {
        self.read(BmpDecoder::new(Cursor::new(bytes)), 0)
    }

    /// Runs a decoder within the limits. `working` is what it allocates beside its result, in bytes.
    fn read(
        &self,
        decoder: Result<impl ImageDecoder, ImageError>,
        working: u64,
    ) -> Result<Vec<u8>, MediaError> {
        let mut decoder = decoder.map_err(|error| self.translate(error))?;
        decoder
            .set_limits(self.image_limits())
            .map_err(|error| self.translate(error))?;
        if decoder.dimensions() != self.size {
            return Err(damaged("its header can be read in two ways"));
        }
        let bytes = decoder.total_bytes();
        check_limit(
            LimitKind::Memory,
            bytes.saturating_add(working),
            self.limits.max_alloc,
        )?;
        let color = decoder.color_type();
        let mut samples = vec![0; index(bytes)];
        decoder
            .read_image(&mut samples)
            .map_err(|error| self.translate(error))?;
        to_rgb8(color, samples).ok_or_else(|| self.flavour(format!("{color:?} samples")))
    }

    fn pixels(&self) -> u64 {
        u64::from(self.size.0) * u64::from(self.size.1)
    }

    fn image_limits(&self) -> image::Limits {
        let mut limits = image::Limits::no_limits();
        limits.max_image_width = Some(self.limits.max_side);
        limits.max_image_height = Some(self.limits.max_side);
        limits.max_alloc = Some(self.limits.max_alloc);
        limits
    }

    fn translate(&self, error: ImageError) -> MediaError {
        match error {
            ImageError::Limits(limit) => self.limit(&limit.kind()),
            ImageError::Unsupported(error) => self.flavour(error.to_string()),
            ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                damaged("it ends too early")
            }
            // Its source is the codec's own sentence, without ours before it.
            ImageError::Decoding(error) => damaged(&match error.source() {
                Some(source) => source.to_string(),
                None => error.to_string(),
            }),
            ImageError::Encoding(_) | ImageError::Parameter(_) | ImageError::IoError(_) => {
                damaged(&error.to_string())
            }
        }
    }

    fn limit(&self, kind: &LimitErrorKind) -> MediaError {
        let (which, limit) = if *kind == LimitErrorKind::DimensionError {
            (LimitKind::Side, u64::from(self.limits.max_side))
        } else {
            (LimitKind::Memory, self.limits.max_alloc)
        };
        MediaError::LimitExceeded {
            which,
            found: 0,
            limit,
        }
    }

    fn flavour(&self, words: String) -> MediaError {
        MediaError::UnsupportedFlavour {
            kind: self.kind,
            detail: bounded(&words),
        }
    }
}

fn check_size((width, height): (u32, u32), limits: &Limits) -> Result<(), MediaError> {
    check_limit(
        LimitKind::Side,
        u64::from(width.max(height)),
        u64::from(limits.max_side),
    )?;
    check_limit(
        LimitKind::Pixels,
        u64::from(width) * u64::from(height),
        limits.max_pixels,
    )
}

fn check_limit(which: LimitKind, found: u64, limit: u64) -> Result<(), MediaError> {
    if found > limit {
        return Err(MediaError::LimitExceeded {
            which,
            found,
            limit,
        });
    }
    Ok(())
}

/// Puts a frame on a white canvas.
fn place(
    canvas: (u32, u32),
    frame: (u32, u32),
    offset: (u32, u32),
    rgb: Vec<u8>,
) -> Result<Vec<u8>, MediaError> {
    if canvas == frame {
        return Ok(rgb);
    }
    let fits = |canvas: u32, frame: u32, offset: u32| {
        u64::from(frame) + u64::from(offset) <= u64::from(canvas)
    };
    let frame = RgbImage::from_raw(frame.0, frame.1, rgb)
        .filter(|_| fits(canvas.0, frame.0, offset.0) && fits(canvas.1, frame.1, offset.1))
        .ok_or_else(|| damaged("its first frame lies outside the canvas"))?;
    let mut page = RgbImage::from_pixel(canvas.0, canvas.1, image::Rgb([u8::MAX; 3]));
    image::imageops::replace(&mut page, &frame, i64::from(offset.0), i64::from(offset.1));
    Ok(page.into_raw())
}

fn turned(
    (width, height): (u32, u32),
    rgb: Vec<u8>,
    orientation: Orientation,
) -> Result<Picture, MediaError> {
    let odd = || damaged("the decoder gave fewer pixels than it said");
    if orientation == Orientation::NoTransforms {
        return Picture::new(width, height, rgb).ok_or_else(odd);
    }
    let stored = RgbImage::from_raw(width, height, rgb).ok_or_else(odd)?;
    let mut picture = DynamicImage::ImageRgb8(stored);
    picture.apply_orientation(orientation);
    let picture = picture.into_rgb8();
    Picture::new(picture.width(), picture.height(), picture.into_raw()).ok_or_else(odd)
}

fn damaged(words: &str) -> MediaError {
    MediaError::Damaged {
        detail: bounded(words),
    }
}

/// A decoder's words may quote the file: no control characters, and not too many of them.
fn bounded(words: &str) -> String {
    words
        .chars()
        .map(|letter| {
            if letter.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                letter
            }
        })
        .take(MAX_DETAIL_CHARS)
        .collect()
}
