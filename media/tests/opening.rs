//! Opening: names, digests, declared kinds, files that are none.

use std::fs;
use std::path::{Path, PathBuf};

use image::ImageFormat;
use media::{Digest, Fault, Kind, LimitKind, Limits, Media, MediaError, Name};

use crate::build::{encode, media, scene};

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("bonafide-media-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn open(path: &Path) -> Result<Media, MediaError> {
    Media::open(path, &Limits::default())
}

#[test]
fn an_extension_counts_only_where_the_bytes_disagree() {
    let folder = Folder::new("extension");
    let jpeg = encode(scene(8, 8), ImageFormat::Jpeg);
    let right = open(&folder.file("a.JPEG", &jpeg)).unwrap();
    assert_eq!((right.kind, right.declared_kind), (Kind::Jpeg, None));
    assert_eq!(right.digest, Digest::of(&jpeg));
    assert_eq!(right.bytes(), jpeg);
    let wrong = open(&folder.file("a.png", &jpeg)).unwrap();
    assert_eq!(
        (wrong.kind, wrong.declared_kind),
        (Kind::Jpeg, Some(Kind::Png))
    );
    let silent = open(&folder.file("a.upload", &jpeg)).unwrap();
    assert_eq!((silent.kind, silent.declared_kind), (Kind::Jpeg, None));
}

#[test]
fn an_empty_file_is_a_medium_without_a_picture() {
    let folder = Folder::new("empty");
    let empty = open(&folder.file("empty.jpg", b"")).unwrap();
    assert_eq!(
        (empty.kind, empty.declared_kind),
        (Kind::Unknown, Some(Kind::Jpeg))
    );
    match empty.decode(&Limits::default()) {
        Err(MediaError::Damaged { detail }) => assert_eq!(detail, "the file is empty"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_regular_files_are_opened() {
    let folder = Folder::new("regular");
    assert!(matches!(open(&folder.0), Err(MediaError::NotAFile)));
    assert!(matches!(
        open(Path::new("/dev/null")),
        Err(MediaError::NotAFile)
    ));
    let missing = open(&folder.0.join("missing.jpg")).unwrap_err();
    assert!(matches!(missing, MediaError::Io(_)));
    assert_eq!(
        (missing.fault(), missing.code().as_str()),
        (Fault::Caller, "unreadable")
    );
}

#[cfg(unix)]
#[test]
fn a_link_is_not_followed() {
    let folder = Folder::new("link");
    let target = folder.file("target.jpg", &encode(scene(8, 8), ImageFormat::Jpeg));
    let link = folder.0.join("link.jpg");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    assert!(open(&target).is_ok());
    assert!(matches!(open(&link), Err(MediaError::NotAFile)));
}

#[test]
fn size_is_checked_before_reading() {
    let folder = Folder::new("size");
    let path = folder.file("a.jpg", &[0; 100]);
    let limits = |max_bytes| Limits {
        max_bytes,
        ..Limits::default()
    };
    assert!(Media::open(&path, &limits(100)).is_ok());
    for refused in [
        Media::open(&path, &limits(99)),
        Media::from_bytes(Name::from_text("a"), None, vec![0; 100], &limits(99)),
    ] {
        assert!(matches!(
            refused,
            Err(MediaError::LimitExceeded {
                which: LimitKind::Bytes,
                found: 100,
                limit: 99
            })
        ));
    }
}

#[test]
fn a_file_too_large_is_not_read() {
    let folder = Folder::new("sparse");
    let path = folder.file("huge.jpg", b"");
    // All hole: it takes no room on disk, and reading it would take minutes.
    let length = 1 << 40;
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(length)
        .unwrap();
    match open(&path) {
        Err(MediaError::LimitExceeded { which, found, .. }) => {
            assert_eq!((which, found), (LimitKind::Bytes, length));
        }
        other => panic!("{other:?}"),
    }
}

#[cfg(unix)]
#[test]
fn a_name_that_is_no_text_keeps_its_bytes() {
    use std::os::unix::ffi::OsStrExt as _;

    let name = Name::from_path(Path::new(std::ffi::OsStr::from_bytes(b"a\xFF.jpg")));
    assert_eq!(name.display, "a\u{FFFD}.jpg");
    assert_eq!(name.hex.as_deref(), Some("61ff2e6a7067"));
    assert_eq!(
        Name::from_path(Path::new("ä.jpg")),
        Name::from_text("ä.jpg")
    );
}

#[test]
fn what_is_recognised_but_not_decoded_says_so() {
    let pdf = media(&b"%PDF-1.7"[..]);
    assert_eq!(pdf.header.width, None);
    let refused = pdf.decode(&Limits::default()).unwrap_err();
    assert!(matches!(
        refused,
        MediaError::UnsupportedKind { kind: Kind::Pdf }
    ));
    assert_eq!(refused.code(), "unsupported_kind");
}
