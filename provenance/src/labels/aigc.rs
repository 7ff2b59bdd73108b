//! The AIGC label of TC260 (GB 45438-2025): a JSON object of up to seven texts.
//!
//! Real files break the standard: the outer object is missing, the JSON is escaped once too often, `Label`
//! is a number or a word. All that is read; only `Label` 1 says that the content is generated.

use serde_json::{Map, Value};

use super::label;
use crate::finding::{AiStatus, LabelKind, UnsignedLabel};

/// The label that stands under a key named for it. What cannot be read is shown as it is.
pub(super) fn named(place: &str, text: &str) -> Option<UnsignedLabel> {
    let text = text.trim_matches(|letter: char| letter == '\0' || letter.is_whitespace());
    if text.is_empty() {
        return None;
    }
    Some(object(text).map_or_else(
        || label(LabelKind::Aigc, place, text),
        |fields| report(place, &fields),
    ))
}

/// The label in a field that may hold anything: only where it calls itself AIGC or has the fields of one.
pub(super) fn anywhere(place: &str, text: &str) -> Option<UnsignedLabel> {
    let text = text.trim_matches(|letter: char| letter == '\0' || letter.is_whitespace());
    let calls_itself = text.starts_with("AIGC") || text.contains("\"AIGC\"");
    let may_be = text.starts_with('{') && text.contains("ContentProducer");
    if !calls_itself && !may_be {
        return None;
    }
    let fields = object(text)?;
    let is_label =
        fields.contains_key("Label") && (calls_itself || fields.contains_key("ContentProducer"));
    is_label.then(|| report(place, &fields))
}

/// The object with the label's fields.
fn object(text: &str) -> Option<Map<String, Value>> {
    if text.len() > MAX_JSON {
        return None;
    }
    let bare = text.strip_prefix("AIGC").unwrap_or(text);
    let bare = bare.trim_start_matches([':', '=', ' ']);
    let value = serde_json::from_str(bare)
        .or_else(|_| serde_json::from_str(&unescaped(bare)))
        .ok()?;
    unwrapped(value, 0)
}

/// The label may stand under `AIGC` in an outer object, and as text that holds JSON.
fn unwrapped(value: Value, depth: usize) -> Option<Map<String, Value>> {
    if depth > MAX_WRAPPERS {
        return None;
    }
    match value {
        Value::Object(mut fields) => match fields.remove("AIGC") {
            Some(inner) => unwrapped(inner, depth.saturating_add(1)),
            None => Some(fields),
        },
        Value::String(text) => {
            unwrapped(serde_json::from_str(&text).ok()?, depth.saturating_add(1))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

/// JSON that was escaped for XML once more than it was read.
fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

fn report(place: &str, fields: &Map<String, Value>) -> UnsignedLabel {
    let word = |key: &str| fields.get(key).and_then(word);
    // Signatures are long and come last, so that the cut spares what people read.
    let shown = KEYS.iter().filter_map(|key| {
        let value = Value::String(word(key)?);
        Some(format!("\"{key}\":{value}"))
    });
    let text = format!("{{{}}}", shown.collect::<Vec<_>>().join(","));
    let says_so = word("Label").is_some_and(|label| label == "1" || label == "AIGC");
    let producer = word("ContentProducer").or_else(|| word("ServiceProvider"));
    let producer = producer.filter(|name| !is_code(name));
    label(LabelKind::Aigc, place, &text)
        .made_by(producer.as_deref())
        .saying(says_so.then_some(AiStatus::DeclaredFull))
}

fn word(value: &Value) -> Option<String> {
    let word = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    (!word.is_empty()).then_some(word)
}

/// The standard's producer code: digits and capitals, no name.
fn is_code(name: &str) -> bool {
    name.len() >= 18
        && name
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

/// The seven of the standard and two that Tencent writes.
const KEYS: [&str; 9] = [
    "Label",
    "ContentProducer",
    "ProduceID",
    "ContentPropagator",
    "PropagateID",
    "ServiceProvider",
    "ServiceUser",
    "ReservedCode1",
    "ReservedCode2",
];
/// Longest JSON read; real labels are under 2 kB.
const MAX_JSON: usize = 64 << 10;
/// Objects and texts around the label.
const MAX_WRAPPERS: usize = 4;

#[cfg(test)]
mod tests {
    use super::{anywhere, named};
    use crate::finding::AiStatus;

    fn check(text: &str, shown: &str, declared: bool) {
        let found = named("here", text).map(|label| (label.text, label.ai.is_some()));
        assert_eq!(found, Some((shown.to_owned(), declared)), "{text}");
    }

    #[test]
    fn every_wrapping_is_read() {
        let shown = "{\"Label\":\"1\",\"ContentProducer\":\"X\"}";
        let plain = r#"{"Label":"1","ContentProducer":"X"}"#;
        check(plain, shown, true);
        check(&format!("{{\"AIGC\":{plain}}}"), shown, true);
        check(&format!("AIGC{plain}"), shown, true);
        check(&plain.replace('"', "&quot;"), shown, true);
        let text = serde_json::Value::String(plain.to_owned());
        check(&format!("{{\"AIGC\":{text}}}"), shown, true);
        check("{\"ContentProducer\":\"X\",\"Label\":1}", shown, true);
    }

    #[test]
    fn only_label_one_says_so() {
        check("{\"Label\":\"2\"}", "{\"Label\":\"2\"}", false);
        check("{\"Label\":\"3\"}", "{\"Label\":\"3\"}", false);
        check("{\"Label\":\"AIGC\"}", "{\"Label\":\"AIGC\"}", true);
        check("{\"Label\":\"\"}", "{}", false);
        check("not json", "not json", false);
        assert_eq!(named("here", " \0"), None);
    }

    #[test]
    fn a_label_elsewhere_needs_its_fields() {
        assert_eq!(anywhere("here", "{\"Label\":\"1\"}"), None);
        assert_eq!(anywhere("here", "about AIGC and \"Label\""), None);
        for text in [
            "AIGC{\"Label\":\"1\"}",
            "{\"AIGC\":{\"Label\":\"1\"}}",
            "{\"Label\":\"1\",\"ContentProducer\":\"X\"}",
        ] {
            let found = anywhere("here", text).and_then(|label| label.ai);
            assert_eq!(found, Some(AiStatus::DeclaredFull), "{text}");
        }
    }
}
