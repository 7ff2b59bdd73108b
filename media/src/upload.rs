//! One file as it arrived: its name, digest, kind and what its header says.
//!
//! Opening never fails because of what the bytes mean: a damaged file is still a medium whose
//! provenance can be read. Only its size can be refused here; the other limits belong to decoding.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

use image::metadata::Orientation;

use crate::bytes::count;
use crate::walk::{Walk, walk};
use crate::{Digest, Kind, LimitKind, Limits, MediaError, Picture};

/// A file name as it was given. It is never used as a path again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name as text; bytes that are not UTF-8 are replaced by U+FFFD.
    pub display: String,
    /// The raw bytes as lower-case hex, only when they were not UTF-8.
    pub hex: Option<String>,
}

impl Name {
    /// The name of a file on disk, the whole path as given.
    pub fn from_path(path: &Path) -> Self {
        let hex = path
            .to_str()
            .is_none()
            .then(|| hex(path.as_os_str().as_encoded_bytes()));
        Self {
            display: path.to_string_lossy().into_owned(),
            hex,
        }
    }

    /// A name that is text already.
    pub fn from_text(text: &str) -> Self {
        Self {
            display: text.to_owned(),
            hex: None,
        }
    }
}

/// What the header of the file says, read without decoding a pixel. Unchecked against the pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Header {
    /// Pixels in a row after orientation; `None` for kinds that are not decoded and where the
    /// header is damaged.
    pub width: Option<u32>,
    /// Rows after orientation; `None` as for `width`.
    pub height: Option<u32>,
    /// Frames of an animated GIF, WebP or PNG, by their declared or counted number, whichever is
    /// larger; 1 for everything else.
    pub frames: u32,
    /// Sum of the frame delays of an animation in seconds; `None` for everything else.
    pub duration_s: Option<f64>,
    /// Bytes after the end of the first picture; 0 where the end is not known. A second picture in
    /// an MPO file and a gain map count as trailing: few viewers show them.
    pub trailing_bytes: u64,
}

/// One file, opened and hashed, not decoded.
pub struct Media {
    /// As given.
    pub name: Name,
    /// SHA-256 of all bytes.
    pub digest: Digest,
    /// By the bytes.
    pub kind: Kind,
    /// By the extension or `Content-Type`, only when the bytes disagree with it.
    pub declared_kind: Option<Kind>,
    /// What the header says.
    pub header: Header,
    /// Width and height before orientation; neither is 0.
    pub(crate) stored_size: Option<(u32, u32)>,
    pub(crate) orientation: Orientation,
    /// Whether the header walk came to the end of the picture.
    pub(crate) has_end: bool,
    bytes: Vec<u8>,
}

impl Media {
    /// Takes bytes that are in memory already. `declared` is what the sender says they are.
    ///
    /// # Errors
    ///
    /// [`MediaError::LimitExceeded`] for [`LimitKind::Bytes`], and nothing else.
    pub fn from_bytes(
        name: Name,
        declared: Option<Kind>,
        bytes: Vec<u8>,
        limits: &Limits,
    ) -> Result<Self, MediaError> {
        check_length(count(bytes.len()), limits)?;
        let kind = Kind::sniff(&bytes);
        let found = walk(kind, &bytes);
        Ok(Self {
            name,
            digest: Digest::of(&bytes),
            kind,
            declared_kind: declared.filter(|declared| !kind.agrees_with(*declared)),
            header: header(&found, bytes.len()),
            stored_size: found.size.filter(|_| kind.is_decodable()),
            orientation: found.orientation,
            has_end: found.end.is_some(),
            bytes,
        })
    }

    /// Reads a regular file. Its extension is what it declares to be.
    ///
    /// Whether to follow links is the caller's choice: a path that is a link is refused here.
    ///
    /// # Errors
    ///
    /// [`MediaError::NotAFile`] for links, folders, devices, sockets and pipes;
    /// [`MediaError::LimitExceeded`] for [`LimitKind::Bytes`], before anything is read;
    /// [`MediaError::Io`] when the file cannot be read.
    pub fn open(path: &Path, limits: &Limits) -> Result<Self, MediaError> {
        // Looked at before it is opened: opening a pipe would wait for its writer.
        if !fs::symlink_metadata(path)?.is_file() {
            return Err(MediaError::NotAFile);
        }
        let file = File::open(path)?;
        // Looked at again through the open file, which nobody can swap any more.
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(MediaError::NotAFile);
        }
        check_length(metadata.len(), limits)?;
        let bytes = read_bounded(&file, metadata.len(), limits)?;
        let declared = path
            .extension()
            .and_then(|extension| extension.to_str())
            .and_then(Kind::from_extension);
        Self::from_bytes(Name::from_path(path), declared, bytes, limits)
    }

    /// All bytes, as they arrived.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes themselves, for whoever passes them on.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Decodes the picture, or the first frame of an animation, to RGB8 at native resolution with
    /// its EXIF orientation applied and transparency shown on white.
    ///
    /// For an animated PNG this is its default picture, which a viewer without animation shows.
    ///
    /// # Errors
    ///
    /// [`MediaError::LimitExceeded`] from the header, before pixels are allocated;
    /// [`MediaError::UnsupportedKind`] and [`MediaError::UnsupportedFlavour`] for what this build
    /// does not decode; [`MediaError::Damaged`] when the decoder refuses the bytes or panics.
    pub fn decode(&self, limits: &Limits) -> Result<Picture, MediaError> {
        crate::decode::decode(self, limits)
    }
}

impl fmt::Debug for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media")
            .field("name", &self.name)
            .field("digest", &self.digest)
            .field("kind", &self.kind)
            .field("header", &self.header)
            .finish_non_exhaustive()
    }
}

fn check_length(found: u64, limits: &Limits) -> Result<(), MediaError> {
    if found > limits.max_bytes {
        return Err(MediaError::LimitExceeded {
            which: LimitKind::Bytes,
            found,
            limit: limits.max_bytes,
        });
    }
    Ok(())
}

/// Reads one byte more than allowed at most, so that a file which grows meanwhile is noticed.
fn read_bounded(file: &File, expected: u64, limits: &Limits) -> Result<Vec<u8>, MediaError> {
    let mut bytes = Vec::new();
    bytes
        .try_reserve_exact(usize::try_from(expected).unwrap_or(usize::MAX))
        .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
    file.take(limits.max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    check_length(count(bytes.len()), limits)?;
    Ok(bytes)
}

fn header(found: &Walk, length: usize) -> Header {
    let oriented = found.size.map(|(width, height)| match found.orientation {
        Orientation::Rotate90
        | Orientation::Rotate270
        | Orientation::Rotate90FlipH
        | Orientation::Rotate270FlipH => (height, width),
        Orientation::NoTransforms
        | Orientation::Rotate180
        | Orientation::FlipHorizontal
        | Orientation::FlipVertical => (width, height),
    });
    Header {
        width: oriented.map(|(width, _)| width),
        height: oriented.map(|(_, height)| height),
        frames: found.frames.max(1),
        duration_s: found.duration.map(|duration| duration.as_secs_f64()),
        trailing_bytes: found.end.map_or(0, |end| count(length.saturating_sub(end))),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
