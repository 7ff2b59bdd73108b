//! An assertion of the signer's own: a label and JSON. Labels that the standards define are refused,
//! because what stands under them is ours to get right.

use serde_json::Value;

use crate::error::SignError;

/// A checked label with its JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    label: String,
    data: Value,
}

impl Assertion {
    /// `json` under `label`, a reversed domain name such as `org.example.assignment`.
    ///
    /// # Errors
    ///
    /// [`SignError::Assertion`] when the label is reserved or malformed, or `json` is no object, too long
    /// (over [`MAX_ASSERTION_BYTES`]) or no JSON.
    pub fn new(label: &str, json: &str) -> Result<Self, SignError> {
        let refused = |detail: String| SignError::Assertion {
            label: crate::display::clean(label),
            detail,
        };
        check_label(label).map_err(|detail| refused(detail.to_owned()))?;
        if json.len() > MAX_ASSERTION_BYTES {
            return Err(refused(format!(
                "its JSON is longer than {MAX_ASSERTION_BYTES} bytes"
            )));
        }
        // The parser refuses nesting past 128 levels.
        let data: Value = serde_json::from_str(json).map_err(|error| refused(error.to_string()))?;
        if !data.is_object() {
            return Err(refused("its JSON is no object".to_owned()));
        }
        Ok(Self {
            label: label.to_owned(),
            data,
        })
    }

    /// Its label.
    pub fn label(&self) -> &str {
        &self.label
    }

    pub(crate) fn data(&self) -> &Value {
        &self.data
    }
}

fn check_label(label: &str) -> Result<(), &'static str> {
    if label.len() > MAX_LABEL_BYTES {
        return Err("its label is longer than 128 bytes");
    }
    let parts: Vec<&str> = label.split('.').collect();
    let is_word = |part: &&str| {
        !part.is_empty()
            && !part.contains("__")
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if parts.len() < 3 || !parts.iter().all(is_word) {
        return Err("its label is no reversed domain name such as org.example.assignment");
    }
    if RESERVED.iter().any(|reserved| {
        parts
            .first()
            .is_some_and(|first| first.eq_ignore_ascii_case(reserved))
    }) {
        return Err("its label belongs to a standard; use a domain of your own");
    }
    Ok(())
}

/// First words that C2PA 2.2 (section 6.2) and CAWG keep for themselves.
const RESERVED: [&str; 5] = ["c2pa", "cawg", "stds", "font", "jumbf"];

/// Longest JSON of an assertion: a manifest is read again by everybody who looks at the file.
pub const MAX_ASSERTION_BYTES: usize = 64 << 10;

/// Most assertions of one's own in a manifest.
pub const MAX_ASSERTIONS: usize = 32;

const MAX_LABEL_BYTES: usize = 128;

#[cfg(test)]
mod tests {
    use super::{Assertion, MAX_ASSERTION_BYTES};

    #[test]
    fn own_labels_pass_and_reserved_and_malformed_ones_do_not() {
        for (label, passes) in [
            ("org.example.assignment", true),
            ("com.example-news.desk_2", true),
            ("c2pa.actions.v2", false),
            ("C2PA.actions.v2", false),
            ("cawg.metadata.x", false),
            ("stds.exif.x", false),
            ("example", false),
            ("org.example", false),
            ("org..example", false),
            ("org.example.a/b", false),
            ("org.example.a__1", false),
            ("org.example.\u{e4}", false),
        ] {
            assert_eq!(Assertion::new(label, "{}").is_ok(), passes, "{label}");
        }
    }

    #[test]
    fn json_is_bounded_and_an_object() {
        let check = |json: &str| Assertion::new("org.example.a", json).map(|_| ()).is_ok();
        assert!(check("{\"a\":[1,{\"b\":null}]}"));
        assert!(!check("[1]"));
        assert!(!check("{"));
        let nested = |depth| format!("{{\"a\":{}1{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(check(&nested(100)) && !check(&nested(200)));
        let filled = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length - 8));
        assert!(check(&filled(MAX_ASSERTION_BYTES)));
        assert!(!check(&filled(MAX_ASSERTION_BYTES + 1)));
    }
}
