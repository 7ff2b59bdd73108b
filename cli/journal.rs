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
        // Read before anything is cut off: only a file that is a journal throughout is touched.
        let finished = Finished::read(path)?;
        let file = output::append_lines(path, ENTRY_START)?;
        Ok((Self { file }, finished))
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
    fn read(path: &Path) -> Result<Self, Failure> {
        let refused = |error: io::Error| output::cannot_write(path, &error);
        let mut finished = HashMap::new();
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self(finished)),
            Err(error) => return Err(refused(error)),
        };
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).map_err(refused)? > 0 {
            // The last line may be torn; `append_lines` cuts it off.
            if line.ends_with(b"\n") {
                let entry: Entry = serde_json::from_slice(&line).map_err(|_| not_ours(path))?;
                finished.insert(entry.path.clone(), entry);
            }
            line.clear();
        }
        Ok(Self(finished))
    }

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

fn not_ours(path: &Path) -> Failure {
    Failure::usage(
        format!("{} is no journal of this program", path.display()),
        "give --resume a new file, or the one of the run that was interrupted",
    )
}

/// How a line of the journal begins.
const ENTRY_START: &str = "{\"path\":\"";
