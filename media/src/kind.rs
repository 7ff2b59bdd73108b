//! The kind of a medium: its names and which of them agree. `sniff` decides it from the bytes.

/// What the bytes are. Names lie; magic bytes decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// image/jpeg
    Jpeg,
    /// image/png
    Png,
    /// image/webp
    WebP,
    /// image/gif
    Gif,
    /// image/tiff
    Tiff,
    /// image/x-adobe-dng: TIFF with DNG tags; told from TIFF by its tags.
    Dng,
    /// image/bmp
    Bmp,
    /// image/avif
    Avif,
    /// image/heic
    Heic,
    /// image/heif
    Heif,
    /// image/jxl
    Jxl,
    /// image/svg+xml
    Svg,
    /// video/mp4
    Mp4,
    /// video/quicktime
    QuickTime,
    /// audio/mp4
    M4a,
    /// video/x-msvideo
    Avi,
    /// audio/mpeg
    Mp3,
    /// audio/wav
    Wav,
    /// audio/flac
    Flac,
    /// application/pdf
    Pdf,
    /// application/c2pa: a bare manifest store.
    C2pa,
    /// application/octet-stream: none of the above.
    Unknown,
}

impl Kind {
    /// The kind of `bytes` by their magic bytes; [`Kind::Unknown`] when none fits.
    pub fn sniff(bytes: &[u8]) -> Self {
        crate::sniff::sniff(bytes)
    }

    /// The media type used in reports.
    pub fn mime(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Gif => "image/gif",
            Self::Tiff => "image/tiff",
            Self::Dng => "image/x-adobe-dng",
            Self::Bmp => "image/bmp",
            Self::Avif => "image/avif",
            Self::Heic => "image/heic",
            Self::Heif => "image/heif",
            Self::Jxl => "image/jxl",
            Self::Svg => "image/svg+xml",
            Self::Mp4 => "video/mp4",
            Self::QuickTime => "video/quicktime",
            Self::M4a => "audio/mp4",
            Self::Avi => "video/x-msvideo",
            Self::Mp3 => "audio/mpeg",
            Self::Wav => "audio/wav",
            Self::Flac => "audio/flac",
            Self::Pdf => "application/pdf",
            Self::C2pa => "application/c2pa",
            Self::Unknown => "application/octet-stream",
        }
    }

    /// The kind that a file extension, without its dot and in any case, declares; `None` when it
    /// declares none that we know.
    pub fn from_extension(extension: &str) -> Option<Self> {
        Some(match extension.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" | "jpe" | "jfif" | "mpo" => Self::Jpeg,
            "png" | "apng" => Self::Png,
            "webp" => Self::WebP,
            "gif" => Self::Gif,
            "tif" | "tiff" => Self::Tiff,
            "dng" => Self::Dng,
            "bmp" | "dib" => Self::Bmp,
            "avif" | "avifs" => Self::Avif,
            "heic" | "heics" => Self::Heic,
            "heif" | "heifs" | "hif" => Self::Heif,
            "jxl" => Self::Jxl,
            "svg" => Self::Svg,
            "mp4" | "m4v" => Self::Mp4,
            "mov" | "qt" => Self::QuickTime,
            "m4a" => Self::M4a,
            "avi" => Self::Avi,
            "mp3" => Self::Mp3,
            "wav" => Self::Wav,
            "flac" => Self::Flac,
            "pdf" => Self::Pdf,
            "c2pa" => Self::C2pa,
            _ => return None,
        })
    }

    /// The kind that a `Content-Type` value declares, parameters ignored; `None` when it declares
    /// none that we know, `application/octet-stream` included.
    pub fn from_mime(mime: &str) -> Option<Self> {
        let essence = mime.split(';').next().unwrap_or_default().trim();
        Some(match essence.to_ascii_lowercase().as_str() {
            "image/jpeg" | "image/jpg" | "image/pjpeg" => Self::Jpeg,
            "image/png" | "image/x-png" | "image/apng" | "image/vnd.mozilla.apng" => Self::Png,
            "image/webp" => Self::WebP,
            "image/gif" => Self::Gif,
            "image/tiff" | "image/tif" => Self::Tiff,
            "image/x-adobe-dng" | "image/dng" => Self::Dng,
            "image/bmp" | "image/x-bmp" | "image/x-ms-bmp" => Self::Bmp,
            "image/avif" => Self::Avif,
            "image/heic" | "image/heic-sequence" => Self::Heic,
            "image/heif" | "image/heif-sequence" => Self::Heif,
            "image/jxl" => Self::Jxl,
            "image/svg+xml" => Self::Svg,
            "video/mp4" | "video/x-m4v" | "application/mp4" => Self::Mp4,
            "video/quicktime" => Self::QuickTime,
            "audio/mp4" | "audio/x-m4a" | "audio/m4a" => Self::M4a,
            "video/x-msvideo" | "video/avi" | "video/msvideo" => Self::Avi,
            "audio/mpeg" | "audio/mp3" => Self::Mp3,
            "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => Self::Wav,
            "audio/flac" | "audio/x-flac" => Self::Flac,
            "application/pdf" => Self::Pdf,
            "application/c2pa" | "application/x-c2pa-manifest-store" => Self::C2pa,
            _ => return None,
        })
    }

    /// Whether this build turns the kind into pixels.
    ///
    /// DNG is not: its first directory is as a rule a small preview, and judging that as the picture
    /// would mislead.
    pub fn is_decodable(self) -> bool {
        match self {
            Self::Jpeg | Self::Png | Self::WebP | Self::Gif | Self::Tiff | Self::Bmp => true,
            Self::Dng
            | Self::Avif
            | Self::Heic
            | Self::Heif
            | Self::Jxl
            | Self::Svg
            | Self::Mp4
            | Self::QuickTime
            | Self::M4a
            | Self::Avi
            | Self::Mp3
            | Self::Wav
            | Self::Flac
            | Self::Pdf
            | Self::C2pa
            | Self::Unknown => false,
        }
    }

    /// Whether a file of this kind may honestly be declared as `declared`: the same kind, or one is
    /// a flavour of the other (DNG of TIFF; HEIC and AVIF of HEIF; MP4, QuickTime and M4A of one
    /// container).
    pub fn agrees_with(self, declared: Kind) -> bool {
        self == declared
            || self
                .family()
                .is_some_and(|family| declared.family() == Some(family))
    }

    /// The container that kinds share which are told apart by a brand or a tag only.
    fn family(self) -> Option<Family> {
        match self {
            Self::Tiff | Self::Dng => Some(Family::Tiff),
            Self::Heic | Self::Heif | Self::Avif => Some(Family::Heif),
            Self::Mp4 | Self::QuickTime | Self::M4a => Some(Family::Movie),
            Self::Jpeg
            | Self::Png
            | Self::WebP
            | Self::Gif
            | Self::Bmp
            | Self::Jxl
            | Self::Svg
            | Self::Avi
            | Self::Mp3
            | Self::Wav
            | Self::Flac
            | Self::Pdf
            | Self::C2pa
            | Self::Unknown => None,
        }
    }
}

#[derive(PartialEq, Eq)]
enum Family {
    Tiff,
    Heif,
    Movie,
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn extensions_and_media_types_declare() {
        for (declared, expected) in [
            (Kind::from_extension("JPG"), Some(Kind::Jpeg)),
            (Kind::from_extension("hif"), Some(Kind::Heif)),
            (Kind::from_extension("exe"), None),
            (Kind::from_mime("Image/JPEG; charset=x"), Some(Kind::Jpeg)),
            (Kind::from_mime("audio/x-wav"), Some(Kind::Wav)),
            (Kind::from_mime("application/octet-stream"), None),
            (Kind::from_mime(""), None),
        ] {
            assert_eq!(declared, expected);
        }
        for kind in [
            Kind::Jpeg,
            Kind::WebP,
            Kind::Dng,
            Kind::QuickTime,
            Kind::C2pa,
        ] {
            assert_eq!(Kind::from_mime(kind.mime()), Some(kind));
        }
    }

    #[test]
    fn a_flavour_is_no_disagreement() {
        for (kind, declared, expected) in [
            (Kind::Jpeg, Kind::Jpeg, true),
            (Kind::Jpeg, Kind::Png, false),
            (Kind::Dng, Kind::Tiff, true),
            (Kind::Tiff, Kind::Dng, true),
            (Kind::Heic, Kind::Heif, true),
            (Kind::M4a, Kind::Mp4, true),
            (Kind::Heic, Kind::Mp4, false),
            (Kind::Unknown, Kind::Jpeg, false),
        ] {
            assert_eq!(
                kind.agrees_with(declared),
                expected,
                "{kind:?} as {declared:?}"
            );
        }
    }
}
