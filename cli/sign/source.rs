//! What may be signed: which files of a folder are media at all, and which of them may make way for their
//! signed successors. Looks at names, first bytes and rights, never at manifests.

use std::{
    fs::{File, Metadata},
    io::Read as _,
    path::Path,
};

use media::Kind;

use crate::sign::trouble::Trouble;

/// By its name, or by how it begins.
pub(crate) fn may_be_media(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    if extension.and_then(Kind::from_extension).is_some() {
        return true;
    }
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(SNIFFED_BYTES).read_to_end(&mut start));
    // A file that cannot be read has to be spoken of.
    read.is_err() || Kind::sniff(&start) != Kind::Unknown
}

/// A file with a second name would go on unsigned under that name, and one that is read-only is meant to
/// stay as it is.
pub(crate) fn may_be_replaced(metadata: &Metadata) -> Result<(), Trouble> {
    if metadata.permissions().readonly() {
        return Err(Trouble::file(
            "read_only",
            "it is read-only; allow writing with chmod u+w, or use --out",
        ));
    }
    match names(metadata) {
        0 | 1 => Ok(()),
        names => Err(Trouble::file(
            "hard_links",
            format!(
                "it has {names} names (hard links), and the others would stay unsigned; use --out"
            ),
        )),
    }
}

#[cfg(unix)]
fn names(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

#[cfg(not(unix))]
fn names(_: &Metadata) -> u64 {
    1
}

/// Enough for every kind that is told by how it begins.
const SNIFFED_BYTES: u64 = 64 << 10;
