//! Profiles as people name them: one that is shipped by its name, one of their own by its path.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

use provenance::Profile;

use crate::exit::Failure;

/// The profile that `name` stands for.
pub(crate) fn find(name: &str) -> Result<Profile, Failure> {
    if !is_file(name) {
        return Ok(Profile::shipped(name)?);
    }
    let text = read_text(Path::new(name), MAX_BYTES).map_err(|error| {
        Failure::usage(
            format!("the profile {name} cannot be read: {error}"),
            "docs/SIGNING.md has a profile file to start from",
        )
    })?;
    Ok(Profile::from_toml(&text)?)
}

/// What a request calls the profile `name`: the name of a shipped one, the file's without its extension.
pub(crate) fn short(name: &str) -> &str {
    let stem = Path::new(name).file_stem();
    match stem.and_then(|stem| stem.to_str()) {
        Some(stem) if is_file(name) => stem,
        Some(_) | None => name,
    }
}

/// The same profile as named in a file in `folder`.
pub(crate) fn below(folder: &Path, name: &str) -> String {
    match is_file(name) {
        true => folder.join(name).to_string_lossy().into_owned(),
        false => name.to_owned(),
    }
}

fn is_file(name: &str) -> bool {
    let extension = Path::new(name).extension();
    extension.is_some_and(|extension| extension == "toml")
}

fn read_text(path: &Path, max_bytes: u64) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?
        .take(max_bytes + 1)
        .read_to_string(&mut text)?;
    match u64::try_from(read).is_ok_and(|read| read <= max_bytes) {
        true => Ok(text),
        false => Err(io::Error::other("it is too long")),
    }
}

/// A profile with every field and its assertions takes a few hundred kilobytes at most.
const MAX_BYTES: u64 = 1 << 20;
