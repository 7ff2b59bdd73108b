//! Strings out of files, made fit for people: no control, escape or direction characters, bounded.
//!
//! Whoever made the file chose these strings; a terminal, a log line and a page are their targets.

/// Longest text shown, in characters.
pub const MAX_TEXT_CHARS: usize = 200;

/// `text` without control and bidirectional formatting characters, cut at [`MAX_TEXT_CHARS`] with an
/// ellipsis. Runs of white space, line breaks included, become one space.
pub fn clean(text: &str) -> String {
    let mut shown = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        if length > 0 && length < MAX_TEXT_CHARS {
            shown.push(' ');
            length += 1;
        }
        for letter in word.chars().filter(|letter| is_shown(*letter)) {
            if length == MAX_TEXT_CHARS {
                shown.push('…');
                return shown;
            }
            shown.push(letter);
            length += 1;
        }
    }
    shown.truncate(shown.trim_end().len());
    shown
}

/// [`clean`] of a text that may be absent; empty after cleaning counts as absent.
pub(crate) fn clean_option(text: Option<&str>) -> Option<String> {
    text.map(clean).filter(|text| !text.is_empty())
}

/// Whether a terminal may be given this character: U+202A–202E and U+2066–2069 reorder text, U+200B–200F
/// and U+FEFF hide in it, U+E0000–E007F are invisible tags.
pub fn is_shown(letter: char) -> bool {
    !letter.is_control()
        && !matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        && !matches!(letter, '\u{feff}' | '\u{61c}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::{MAX_TEXT_CHARS, clean};

    #[test]
    fn escapes_and_direction_marks_vanish_and_length_is_bounded() {
        assert_eq!(clean("a\u{1b}[31mred\u{7}\u{9b}"), "a[31mred");
        assert_eq!(clean("ev\u{202e}il\u{2066} name"), "evil name");
        assert_eq!(clean("  two\nlines\t "), "two lines");
        assert_eq!(clean("\u{200b}"), "");
        let long = clean(&"é".repeat(MAX_TEXT_CHARS + 1));
        assert_eq!(long.chars().count(), MAX_TEXT_CHARS + 1);
        assert!(long.ends_with('…'));
    }
}
