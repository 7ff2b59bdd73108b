//! Cursors: where a page of a list starts, as text that means nothing to callers. It is only ever used
//! together with the tenant of the key, so a made-up one opens nothing.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::store::AnalysisId;

/// The text for the page that starts at `id`.
pub(crate) fn write(id: AnalysisId) -> String {
    let mut bytes = [VERSION; 17];
    bytes[1..].copy_from_slice(id.0.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Where the page starts; `None` for a text that [`write`] did not make.
pub(crate) fn read(text: &str) -> Option<AnalysisId> {
    let mut bytes = [0; 17];
    // The slice form refuses what does not fit, so a long text costs nothing.
    let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
    let (version, id) = bytes.get(..length)?.split_first()?;
    let id = Uuid::from_slice(id).ok()?;
    (*version == VERSION).then_some(AnalysisId(id))
}

/// The first byte, so that another form can come later.
const VERSION: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_nothing_else_is() {
        let id = AnalysisId::new();
        let text = write(id);
        assert_eq!(read(&text), Some(id));
        let other = format!("B{}", &text[1..]);
        for wrong in [
            "",
            "x",
            &text[1..],
            &format!("{text}A"),
            &other,
            &id.to_string(),
        ] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }
}
