//! Where results go, and how text out of files is shown to people.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek as _, SeekFrom, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use crate::exit::Failure;

/// One line for people. Standard error may be closed; then there is nobody to tell.
pub(crate) fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// `text` as a terminal may get it: whatever controls, hides or reorders text becomes U+FFFD.
///
/// JSON output does not pass here; it is exact.
pub(crate) fn shown(text: &str) -> String {
    text.chars()
        .map(|letter| match provenance::is_shown(letter) {
            true => letter,
            false => char::REPLACEMENT_CHARACTER,
        })
        .collect()
}

/// Where reports go.
pub(crate) enum Output {
    /// Standard output.
    Terminal(io::Stdout),
    /// A file that appears under its name when it is complete.
    Whole(io::BufWriter<NamedTempFile>, PathBuf),
    /// A file that grows line by line, beside a journal.
    Growing(File),
}

impl Output {
    /// `None` is standard output.
    pub(crate) fn whole(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else {
            return Ok(Self::Terminal(io::stdout()));
        };
        let file = temporary_beside(path).map_err(|error| cannot_write(path, &error))?;
        Ok(Self::Whole(io::BufWriter::new(file), path.to_owned()))
    }

    /// Appends to the reports in `path`, after cutting off a last line that a crash left torn.
    pub(crate) fn growing(path: &Path) -> Result<Self, Failure> {
        append_lines(path, REPORT_START).map(Self::Growing)
    }

    /// Completes the output.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::Terminal(mut stdout) => stdout.flush(),
            Self::Growing(mut file) => file.flush(),
            Self::Whole(buffer, path) => {
                let file = buffer
                    .into_inner()
                    .map_err(io::IntoInnerError::into_error)?;
                publish(file, &path)
            }
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Terminal(stdout) => stdout.write(bytes),
            Self::Whole(buffer, _) => buffer.write(bytes),
            Self::Growing(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Terminal(stdout) => stdout.flush(),
            Self::Whole(buffer, _) => buffer.flush(),
            Self::Growing(file) => file.flush(),
        }
    }
}

/// A temporary file in the folder of `path`, so that it can be renamed to it.
pub(crate) fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".bonafide-")
        .tempfile_in(folder_of(path))
}

/// Writes a file that is there whole or not at all; one of the same name makes way.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = temporary_beside(path)?;
    file.write_all(bytes)?;
    publish(file, path)
}

/// Brings a temporary file to the disk and then to its name; a file of that name makes way.
fn publish(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.as_file().sync_all()?;
    allow_readers(file.as_file(), path)?;
    file.persist(path).map_err(|error| error.error)?;
    sync_folder(path);
    Ok(())
}

/// Brings the name of `path` to the disk. Not every system can do this, and the file is whole anyway.
pub(crate) fn sync_folder(path: &Path) {
    if let Ok(folder) = File::open(folder_of(path)) {
        let _ = folder.sync_all();
    }
}

/// Opens `path` for appending whole lines; a torn last line is cut off. A file whose first line does not
/// begin with `start` was written by somebody else and is left as it is.
pub(crate) fn append_lines(path: &Path, start: &str) -> Result<File, Failure> {
    let refused = |error: io::Error| cannot_write(path, &error);
    let mut file = OpenOptions::new()
        .create(true)
        .read(true)
        .append(true)
        .open(path)
        .map_err(refused)?;
    let mut found = Vec::new();
    let length = u64::try_from(start.len()).unwrap_or(u64::MAX);
    Read::by_ref(&mut file)
        .take(length)
        .read_to_end(&mut found)
        .map_err(refused)?;
    // The first line may itself be torn, even to nothing.
    if !start.as_bytes().starts_with(&found) {
        return Err(Failure::usage(
            format!(
                "{} holds something else and is left as it is",
                path.display()
            ),
            "give a new file, or the one of the run that was interrupted",
        ));
    }
    let whole = end_of_last_line(&mut file).map_err(refused)?;
    file.set_len(whole).map_err(refused)?;
    Ok(file)
}

/// The offset after the last line feed, searched from the end: such files grow large.
fn end_of_last_line(file: &mut File) -> io::Result<u64> {
    let mut end = file.metadata()?.len();
    let mut block = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(BLOCK_BYTES);
        block.clear();
        file.seek(SeekFrom::Start(start))?;
        Read::by_ref(file)
            .take(end - start)
            .read_to_end(&mut block)?;
        if let Some(last) = block.iter().rposition(|byte| *byte == b'\n') {
            return Ok(start + u64::try_from(last).unwrap_or(0) + 1);
        }
        end = start;
    }
    Ok(0)
}

/// The failure of a place that cannot be written to.
pub(crate) fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(
        format!("{} cannot be written: {error}", path.display()),
        "give another place, or check the rights of this one",
    )
}

/// The folder that `path` is in.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    }
}

/// Temporary files are private; results get the rights of what they replace, else those of any new file.
#[cfg(unix)]
fn allow_readers(file: &File, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path).map_or(0o644, |old| old.permissions().mode() & 0o777);
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn allow_readers(_: &File, _: &Path) -> io::Result<()> {
    Ok(())
}

/// How a line of reports begins.
const REPORT_START: &str = "{\"schema\":\"bonafide.report/1\"";

/// Bytes read at a time when the end of the last line is searched.
const BLOCK_BYTES: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::{append_lines, shown};
    use std::{fs, io::Write as _};

    #[test]
    fn a_terminal_gets_no_control_or_direction_characters() {
        assert_eq!(shown("a\u{1b}]0;x\u{7}b"), "a\u{fffd}]0;x\u{fffd}b");
        assert_eq!(shown("ev\u{202e}il"), "ev\u{fffd}il");
        assert_eq!(shown("two\nlines"), "two\u{fffd}lines");
        assert_eq!(shown("größe 日本.png"), "größe 日本.png");
    }

    #[test]
    fn a_torn_last_line_is_cut_off_before_appending() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        let appended_to = |before: &str| {
            fs::write(&path, before).unwrap();
            let mut file = append_lines(&path, "line ").unwrap();
            file.write_all(b"line three\n").unwrap();
            fs::read_to_string(&path).unwrap()
        };
        assert_eq!(
            appended_to("line one\nline two\nline thr"),
            "line one\nline two\nline three\n"
        );
        assert_eq!(appended_to("lin"), "line three\n");
        assert_eq!(appended_to(""), "line three\n");
        let long = format!("line {}\nli", "x".repeat(200_000));
        assert!(appended_to(&long).ends_with("x\nline three\n"));
    }

    #[test]
    fn a_file_of_somebody_else_is_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture");
        for bytes in [&b"\xff\xd8 a picture\n without its end"[..], b"linen\nx"] {
            fs::write(&path, bytes).unwrap();
            assert!(append_lines(&path, "line ").is_err());
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
    }
}
