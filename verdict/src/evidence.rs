//! What was found about one file, gathered for [`crate::decide`]. It holds no bytes and no pixels.

use detector::{Detection, Watermark};
use media::Kind;
use provenance::Provenance;

/// Everything that was found about one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Evidence {
    /// What the decision needs to know about the medium.
    pub subject: Subject,
    /// What the file says.
    pub provenance: Provenance,
    /// What the pixels show.
    pub detection: Detection,
    /// Watermarks in the pixels whose keys are public: hints, for anyone can write them.
    pub watermarks: Vec<Watermark>,
    /// Matches in lists of known files. No list is built into this version.
    pub known: Vec<Known>,
}

impl Evidence {
    /// The first match in a list of known forgeries.
    pub fn known_fake(&self) -> Option<&Known> {
        self.known
            .iter()
            .find(|known| known.kind == KnownKind::Fake)
    }
}

/// What the decision and its sentences need to know about the medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// What the bytes are.
    pub kind: Kind,
    /// What the name or the caller says they are, only when that disagrees.
    pub declared_kind: Option<Kind>,
    /// Frames: 1 for a still, the declared count for an animation.
    pub frames: u32,
    /// Bytes after the end of the picture.
    pub trailing_bytes: u64,
}

impl Subject {
    /// The word a reader knows it by: `picture` for images, else `file`.
    pub fn noun(self) -> &'static str {
        match self.kind {
            Kind::Jpeg
            | Kind::Png
            | Kind::WebP
            | Kind::Gif
            | Kind::Tiff
            | Kind::Dng
            | Kind::Bmp
            | Kind::Avif
            | Kind::Heic
            | Kind::Heif
            | Kind::Jxl
            | Kind::Svg => "picture",
            Kind::Mp4
            | Kind::QuickTime
            | Kind::M4a
            | Kind::Avi
            | Kind::Mp3
            | Kind::Wav
            | Kind::Flac
            | Kind::Pdf
            | Kind::C2pa
            | Kind::Unknown => "file",
        }
    }
}

/// A match in a list of known files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Name of the list.
    pub list: String,
    /// What the list holds.
    pub kind: KnownKind,
    /// How it was matched.
    pub matched: KnownMatch,
    /// What the list calls the entry.
    pub label: Option<String>,
}

/// What a list of known files holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownKind {
    /// Known forgeries.
    Fake,
    /// Files somebody vouches for. Such a match never clears a file.
    Trusted,
}

/// How a known file was matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownMatch {
    /// The same bytes.
    Sha256,
    /// A similar picture, by perceptual hash.
    Pdq {
        /// Bits of 256 that differ.
        distance: u16,
    },
}
