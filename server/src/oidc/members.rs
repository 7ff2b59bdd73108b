//! One JSON object as tokens and key sets are made of: an object and nothing else, no member twice.
//!
//! RFC 7515, section 4, and RFC 7519, section 4, leave it to a reader to refuse a repeated member or to take the
//! last one. It is refused here, so that no two readers can take one token for two.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};
use serde_json::Value;

/// The members by name.
pub(super) struct Members(BTreeMap<String, Value>);

/// A member is there and is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WrongType;

impl Members {
    /// Reads a whole text; `None` when it is anything else than one such object.
    pub(super) fn read(text: &[u8]) -> Option<Self> {
        serde_json::from_slice(text).ok()
    }

    /// Any member.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A member that is a text.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, WrongType> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(WrongType),
        }
    }

    /// Whether a member is this text, or a list of texts with this one in it.
    pub(super) fn names(&self, name: &str, wanted: &str) -> bool {
        match self.get(name) {
            Some(Value::String(text)) => text == wanted,
            Some(Value::Array(texts)) => {
                texts.iter().all(Value::is_string)
                    && texts.iter().any(|text| text.as_str() == Some(wanted))
            }
            Some(_) | None => false,
        }
    }

    /// A member that is a NumericDate (RFC 7519, section 2), in whole seconds since 1970: what comes after the point
    /// is cut off.
    pub(super) fn moment(&self, name: &str) -> Result<Option<i64>, WrongType> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Number(number)) => {
                let text = number.to_string();
                let whole = text.split_once('.').map_or(&*text, |(whole, _)| whole);
                whole.parse().map(Some).map_err(|_| WrongType)
            }
            Some(_) => Err(WrongType),
        }
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(ByName)
    }
}

struct ByName;

impl<'de> Visitor<'de> for ByName {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut found = BTreeMap::new();
        while let Some((name, value)) = map.next_entry()? {
            if found.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is there twice"));
            }
        }
        Ok(Members(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_an_object_without_repetitions_or_nothing() {
        assert!(Members::read(b"{}").is_some());
        assert!(Members::read(b" {\"a\": {\"b\": [1]}} ").is_some());
        for wrong in [
            "",
            "[]",
            "[\"ES256\"]",
            "null",
            "{\"a\": 1, \"a\": 1}",
            "{\"a\": 1, \"\\u0061\": 1}",
            "{} {}",
            "{",
        ] {
            assert!(Members::read(wrong.as_bytes()).is_none(), "{wrong:?}");
        }
        assert!(Members::read(&b"[".repeat(8000)).is_none());
    }

    #[test]
    fn an_audience_is_one_text_or_a_list_of_them() {
        let check = |aud: &str, expected| {
            let members = Members::read(format!("{{\"aud\": {aud}}}").as_bytes()).unwrap();
            assert_eq!(members.names("aud", "us"), expected, "{aud}");
        };
        check("\"us\"", true);
        check("[\"them\", \"us\"]", true);
        for wrong in [
            "\"US\"",
            "\"us them\"",
            "[]",
            "[[\"us\"]]",
            "[\"us\", 1]",
            "{\"us\": 1}",
            "null",
        ] {
            check(wrong, false);
        }
    }

    #[test]
    fn a_moment_is_a_number_of_seconds() {
        let check = |exp: &str, expected| {
            let members = Members::read(format!("{{\"exp\": {exp}}}").as_bytes()).unwrap();
            assert_eq!(members.moment("exp"), expected, "{exp}");
        };
        check("1700000000", Ok(Some(1_700_000_000)));
        check("1700000000.75", Ok(Some(1_700_000_000)));
        check("-1", Ok(Some(-1)));
        for wrong in [
            "\"1700000000\"",
            "null",
            "true",
            "1e300",
            "18446744073709551615",
        ] {
            check(wrong, Err(WrongType));
        }
        let none = Members::read(b"{}").unwrap();
        assert_eq!(none.moment("exp"), Ok(None));
    }
}
