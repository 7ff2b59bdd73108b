//! The journal of `sign --resume`: one JSON line per file, written before the signed file gets its name.
//!
//! A line alone therefore proves nothing. What counts is a file on the disk whose bytes are those that a line
//! names as a result: then it was signed, by this credential and with these statements, and is not signed
//! again. Paths are noted for people only, so a folder may be moved between two runs.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufRead as _, BufReader},
    path::Path,
    sync::{Mutex, PoisonError},
};

use media::{Digest, Name};
use serde::{Deserialize, Serialize};

use crate::{exit::Failure, jsonl, output};

/// A journal that is read once and appended to by every thread.
pub(crate) struct Journal {
    /// `None` where nothing may be written.
    file: Option<Mutex<File>>,
    /// What this run signs with and states: its lines carry it, and lines with another do not count.
    by: String,
    /// From the digest of a result to that of the file it was made of.
    before: HashMap<String, String>,
}

/// One line.
#[derive(Serialize, Deserialize)]
struct Entry {
    path: String,
    sha256: String,
    /// Of the signed file, or of the manifest store where that is a file of its own.
    signed_sha256: String,
    by: String,
}

impl Journal {
    /// Opens or makes the journal at `path`; a dry run only reads it.
    pub(crate) fn open(path: &Path, by: String, dry_run: bool) -> Result<Self, Failure> {
        // Read before anything is cut off: only a file that is a journal throughout is touched.
        let before = read(path, &by)?;
        let file = match dry_run {
            true => None,
            false => Some(Mutex::new(output::append_lines(path, ENTRY_START)?)),
        };
        Ok(Self { file, by, before })
    }

    /// Whether `result` was made in an earlier run.
    pub(crate) fn made(&self, result: &Digest) -> bool {
        self.before.contains_key(&result.to_string())
    }

    /// Whether `result` was made of `source` in an earlier run.
    pub(crate) fn made_of(&self, result: &Digest, source: &Digest) -> bool {
        let made_of = self.before.get(&result.to_string());
        made_of.is_some_and(|made_of| *made_of == source.to_string())
    }

    /// Notes a result that is about to get its name, and brings the line to the disk first.
    pub(crate) fn note(&self, name: &Name, source: &Digest, result: &Digest) -> io::Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let entry = Entry {
            path: name.display.clone(),
            sha256: source.to_string(),
            signed_sha256: result.to_string(),
            by: self.by.clone(),
        };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        jsonl::line(&mut *file, &entry)?;
        file.sync_data()
    }
}

fn read(path: &Path, by: &str) -> Result<HashMap<String, String>, Failure> {
    let refused = |error: io::Error| output::cannot_write(path, &error);
    let mut before = HashMap::new();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(before),
        Err(error) => return Err(refused(error)),
    };
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).map_err(refused)? > 0 {
        // The last line may be torn; `append_lines` cuts it off.
        if line.ends_with(b"\n") {
            let entry: Entry = serde_json::from_slice(&line).map_err(|_| not_ours(path))?;
            if entry.by == by {
                before.insert(entry.signed_sha256, entry.sha256);
            }
        }
        line.clear();
    }
    Ok(before)
}

fn not_ours(path: &Path) -> Failure {
    Failure::usage(
        format!("{} is no journal of sign", path.display()),
        "give --resume a new file, or the one of the run that was interrupted",
    )
}

/// How a line of the journal begins.
const ENTRY_START: &str = "{\"path\":\"";
