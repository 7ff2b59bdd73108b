//! The `media` part of the report: what arrived.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What arrived. Everything but the name is `null` for a file that could not be opened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Media {
    /// The name as given, lossy UTF-8.
    pub name: String,
    /// The raw name in hex; only present when it was not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_hex: Option<String>,
    /// SHA-256 of the bytes, 64 hex digits.
    pub sha256: Option<String>,
    /// Length in bytes.
    pub bytes: Option<u64>,
    /// Media type sniffed from the bytes.
    pub kind: Option<String>,
    /// Media type by extension or `Content-Type`, only when it disagrees with the bytes.
    pub declared_kind: Option<String>,
    /// Pixels across, orientation applied; `null` when the header does not say.
    pub width: Option<u32>,
    /// Pixels down, orientation applied; `null` when the header does not say.
    pub height: Option<u32>,
    /// Frames: 1 for a still, the declared count for an animation.
    pub frames: Option<u32>,
    /// Duration in seconds of moving or sounding media.
    pub duration_s: Option<f64>,
    /// Bytes after the end of the picture.
    pub trailing_bytes: Option<u64>,
}
