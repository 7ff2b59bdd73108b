//! The folder of models: finds the cards, reads the files they name and hands on bytes that were checked.
//!
//! What is hashed here is the very buffer that is loaded later; no path is opened twice. Nothing is run here.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use media::Digest;

use crate::{card::Card, error::DetectorError, graph};

/// A model whose bytes are those its card was written for, and hold nothing that [`graph`] refuses.
pub(crate) struct Model {
    pub(crate) card: Card,
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

/// The outcome for every model of a folder, by the name of its card.
pub type PerModel<T> = Vec<(String, Result<T, DetectorError>)>;

/// Reads every `<name>.toml` in `dir`, in the order of the names; a broken card does not hide the others.
///
/// Works without ONNX Runtime and opens no model file.
///
/// # Errors
///
/// [`DetectorError::ModelsDirMissing`] when the folder cannot be read, [`DetectorError::NoModels`] when it holds no
/// card.
pub fn list_models(dir: &Path) -> Result<PerModel<Card>, DetectorError> {
    let unreadable = |error: io::Error| DetectorError::ModelsDirMissing {
        path: dir.into(),
        detail: error.to_string(),
    };
    let mut cards = Vec::new();
    for entry in fs::read_dir(dir).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            cards.push(path);
        }
    }
    if cards.is_empty() {
        return Err(DetectorError::NoModels { path: dir.into() });
    }
    if cards.len() > MAX_MODELS {
        let detail = format!(
            "it holds {} cards, at most {MAX_MODELS} are read",
            cards.len()
        );
        return Err(DetectorError::ModelsDirMissing {
            path: dir.into(),
            detail,
        });
    }
    cards.sort_unstable();
    Ok(cards
        .into_iter()
        .map(|path| (stem(&path), read_card(&path)))
        .collect())
}

/// Reads the model of a card in `dir` and checks its bytes.
///
/// # Errors
///
/// [`DetectorError::ModelMissing`], [`DetectorError::ModelDigest`] or [`DetectorError::ModelDamaged`].
pub(crate) fn read_model(dir: &Path, card: Card) -> Result<Model, DetectorError> {
    // The card's name for the file has no separator in it, so this stays in the folder.
    let path = dir.join(&card.file);
    let bytes = read(&path, MAX_MODEL_BYTES).map_err(|error| DetectorError::ModelMissing {
        path: path.clone(),
        detail: error.to_string(),
    })?;
    let found = Digest::of(&bytes);
    if found != card.sha256 {
        return Err(DetectorError::ModelDigest {
            path,
            expected: card.sha256,
            found,
        });
    }
    match graph::check(&bytes) {
        Ok(()) => Ok(Model { card, path, bytes }),
        Err(detail) => Err(DetectorError::ModelDamaged { path, detail }),
    }
}

fn read_card(path: &Path) -> Result<Card, DetectorError> {
    let invalid = |detail: String| DetectorError::CardInvalid {
        path: path.into(),
        detail,
    };
    let bytes = read(path, MAX_CARD_BYTES).map_err(|error| invalid(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| invalid("it is not UTF-8".to_owned()))?;
    Card::parse(&stem(path), &text).map_err(invalid)
}

/// Reads a regular file whole, or nothing of it when it is longer than `most` bytes.
fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // Asked before opening, because opening a pipe waits for its other end.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= most) {
        Ok(bytes)
    } else {
        Err(io::Error::other(format!("it is longer than {most} bytes")))
    }
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Longest model file: a network of 60 million 32-bit weights. ONNX itself ends at 2 GiB.
const MAX_MODEL_BYTES: u64 = 256 << 20;

/// Longest card: some thousand rows of false alarms and the free tables.
const MAX_CARD_BYTES: u64 = 256 << 10;

/// Most cards in one folder; every one costs a session per thread.
const MAX_MODELS: usize = 16;
