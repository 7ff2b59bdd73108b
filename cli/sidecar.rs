//! The manifest store that lies beside a picture: `photo.c2pa` for `photo.jpg` (C2PA 2.2, section 11.4).

use std::path::Path;

use media::{Kind, Limits, Media};

/// The store beside `path`, if there is one. A file of that name that holds no store is none.
pub(crate) fn beside(path: &Path, limits: &Limits) -> Option<Media> {
    let sidecar = path.with_extension("c2pa");
    if sidecar == path {
        return None;
    }
    let store = Media::open(&sidecar, limits).ok()?;
    (store.kind == Kind::C2pa).then_some(store)
}
