//! Reads the source tree for the checks in `tidy.rs`: the files, and their code without comments and text.

use std::fs;
use std::path::{Path, PathBuf};

/// One file of the repository that people write.
pub(super) struct Source {
    /// Path below the repository's root, with `/` between its parts.
    pub(super) path: String,
    /// The whole text.
    pub(super) text: String,
}

impl Source {
    /// The text without comments and with empty string literals, so that a word in prose is no finding.
    pub(super) fn code(&self) -> String {
        code_of(&self.text)
    }

    /// Whether the file is Rust source.
    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether the file lies in `folder`, given without a slash at its end.
    pub(super) fn is_under(&self, folder: &str) -> bool {
        self.path
            .strip_prefix(folder)
            .is_some_and(|rest| rest.starts_with('/'))
    }
}

/// Every file of the repository that people write, in the order of their paths.
pub(super) fn sources() -> Vec<Source> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(&root, &root, &mut found);
    found.sort_by(|left, right| left.path.cmp(&right.path));
    assert!(
        found.iter().any(|file| file.path == "Cargo.toml"),
        "the walk missed the repository's root"
    );
    found
}

/// The Rust files among [`sources`].
pub(super) fn rust_sources() -> Vec<Source> {
    sources().into_iter().filter(Source::is_rust).collect()
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let hidden = name.starts_with('.') && name != ".ci" && name != ".cargo";
            if !hidden && !BUILT.contains(&name.as_str()) {
                walk(root, &path, found);
            }
        } else if is_text(&name)
            && let Ok(text) = fs::read_to_string(&path)
        {
            let below = path
                .strip_prefix(root)
                .unwrap()
                .to_string_lossy()
                .replace('\\', "/");
            found.push(Source { path: below, text });
        }
    }
}

/// Whether people write such files. Pictures, models and training data would only cost time.
fn is_text(name: &str) -> bool {
    match name.rsplit_once('.') {
        Some((_, extension)) => TEXT.contains(&extension),
        None => true,
    }
}

/// Folders that tools fill.
const BUILT: [&str; 4] = ["target", "__pycache__", "cache", "runs"];

/// Extensions of the files that people write.
const TEXT: [&str; 12] = [
    "css", "html", "json", "md", "py", "rs", "sh", "sql", "toml", "txt", "yaml", "yml",
];

/// Rust code without its comments and without what its string and character literals hold.
pub(super) fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = skip_comment(rest).or_else(|| skip_literal(rest, &code));
        match skipped {
            Some(length) => {
                // Line ends stay, so that a finding can be counted in lines.
                code.extend(rest[..length].chars().filter(|letter| *letter == '\n'));
                code.push(' ');
                rest = &rest[length..];
            }
            None => {
                code.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    code
}

/// Length of the comment that `rest` begins with.
fn skip_comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if !rest.starts_with("/*") {
        return None;
    }
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        let here = &rest[at..];
        if here.is_empty() {
            return Some(at);
        } else if here.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if here.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += here.chars().next().map_or(1, char::len_utf8);
        }
    }
}

/// Length of the string or character literal that `rest` begins with; `before` is the code so far.
fn skip_literal(rest: &str, before: &str) -> Option<usize> {
    let inside_word = before.ends_with(is_word);
    let unprefixed = rest
        .strip_prefix(['b', 'c'])
        .filter(|_| !inside_word)
        .unwrap_or(rest);
    let prefix = rest.len() - unprefixed.len();
    if let Some(raw) = unprefixed.strip_prefix('r').filter(|_| !inside_word) {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            let body = &raw[hashes + 1..];
            let closing = body.find(&end).map_or(body.len(), |at| at + end.len());
            return Some(prefix + 1 + hashes + 1 + closing);
        }
    }
    match unprefixed.chars().next()? {
        '"' => Some(prefix + quoted(unprefixed, '"')),
        // A lifetime has no closing quote right after one (possibly escaped) character.
        '\'' if is_character(unprefixed) => Some(prefix + quoted(unprefixed, '\'')),
        _ => None,
    }
}

fn is_character(text: &str) -> bool {
    let mut letters = text.chars().skip(1);
    match letters.next() {
        Some('\\') => true,
        Some(_) => letters.next() == Some('\''),
        None => false,
    }
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, letter) in text.char_indices().skip(1) {
        if letter == quote && !escaped {
            return at + 1;
        }
        escaped = letter == '\\' && !escaped;
    }
    text.len()
}

/// Whether a character can be part of a Rust name.
pub(super) fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Whether `code` holds `name` as a whole word.
pub(super) fn names(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        !code[..at].ends_with(is_word) && !code[at + name.len()..].starts_with(is_word)
    })
}

/// Whether `code` uses the crate `name`: `name::…`, `use name;`, `use name as …` or `extern crate name`.
pub(super) fn uses_crate(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let (before, after) = (&code[..at], &code[at + name.len()..]);
        let before = before
            .strip_suffix("::")
            .filter(|rest| !rest.ends_with(is_word))
            .unwrap_or(before);
        if before.ends_with(is_word) || before.ends_with("::") || after.starts_with(is_word) {
            return false;
        }
        let imported =
            before.trim_end().ends_with("use") || before.trim_end().ends_with("extern crate");
        let is_path = after.starts_with("::");
        is_path || (imported && (after.starts_with(';') || after.starts_with(" as ")))
    })
}
