//! The journal of `scan --resume`: one JSON line per finished file, written after its report.
//!
//! A file counts as finished when its name and its digest are in the journal, so a file that changed
//! is examined again. A crash can tear the last line; it is ignored and cut off.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufRead as _, BufReader},
    path::Path,
};

use media::Digest;
use serde::{Deserialize, Serialize};
use verdict::{Code, Report};

use crate::{exit::Failure, jsonl, output};

/// A journal that is read once and appended to.
pub(crate) struct Journal {
    file: File,
}

/// What the journal held at the start.
#[derive(Default)]
pub(crate) struct Finished(HashMap<String, Entry>);

/// One line.
#[derive(Serialize, Deserialize)]
struct Entry {
    /// The name as given; its raw bytes in hex where it is not UTF-8.
    path: String,
    sha256: String,
    verdict: Code,
    error: bool,
}

impl Journal {
    /// Opens or makes the journal at `path`.
    pub(crate) fn open(path: &Path) -> Result<(Self, Finished), Failure> {
        let refused = |error: &io::Error| output::cannot_write(path, error);
        let file = output::append_lines(path).map_err(|error| refused(&error))?;
        let reader = BufReader::new(File::open(path).map_err(|error| refused(&error))?);
        let mut finished = HashMap::new();
        for line in reader.lines() {
            let line = line.map_err(|error| refused(&error))?;
            let entry: Entry = serde_json::from_str(&line).map_err(|_| {
                Failure::usage(
                    format!("{} is no journal of this program", path.display()),
                    "give --resume a new file, or the one of the run that was interrupted",
                )
            })?;
            finished.insert(entry.path.clone(), entry);
        }
        Ok((Self { file }, Finished(finished)))
    }

    /// Notes a report that has been written out. Files that could not be opened are not noted: the next
    /// run tries them again.
    pub(crate) fn note(&mut self, report: &Report) -> io::Result<()> {
        let Some(sha256) = &report.media.sha256 else {
            return Ok(());
        };
        let entry = Entry {
            path: key(&report.media.name, report.media.name_hex.as_deref()),
            sha256: sha256.clone(),
            verdict: report.verdict.code,
            error: report.error.is_some(),
        };
        jsonl::line(&mut self.file, &entry)
    }
}

impl Finished {
    /// The verdict noted for this file, and whether it had an error.
    pub(crate) fn verdict(&self, name: &media::Name, digest: &Digest) -> Option<(Code, bool)> {
        let entry = self.0.get(&key(&name.display, name.hex.as_deref()))?;
        (entry.sha256 == digest.to_string()).then_some((entry.verdict, entry.error))
    }
}

fn key(display: &str, hex: Option<&str>) -> String {
    match hex {
        Some(hex) => format!("hex:{hex}"),
        None => display.to_owned(),
    }
}
