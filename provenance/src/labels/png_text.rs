//! Text chunks of PNG (ISO/IEC 15948, section 11.3.3): where picture generators keep their settings.
//!
//! Only chunks whose keyword is known are unpacked. The keyword alone says little (`prompt` and `Comment`
//! are anybody's words): what stands in it decides.

use std::{borrow::Cow, io::Read as _};

use flate2::read::ZlibDecoder;

use super::{Labels, aigc, decode, label, record, tools};
use crate::finding::{AiStatus, LabelKind, UnsignedLabel};

/// One text chunk, still packed.
pub(super) struct TextChunk<'a> {
    keyword: &'a str,
    packed: bool,
    data: &'a [u8],
}

impl<'a> TextChunk<'a> {
    /// Reads the head of a `tEXt`, `zTXt` or `iTXt` chunk.
    pub(super) fn parse(kind: &[u8], data: &'a [u8]) -> Option<Self> {
        let keyword_end = memchr::memchr(0, data.get(..data.len().min(80))?)?;
        let keyword = std::str::from_utf8(data.get(..keyword_end)?).ok()?;
        let rest = data.get(keyword_end.checked_add(1)?..)?;
        let (packed, data) = match kind {
            b"tEXt" => (false, rest),
            b"zTXt" => (true, rest.get(1..)?),
            _ => {
                // Flag, method, language, keyword in that language.
                let packed = *rest.first()? != 0;
                let mut parts = rest.get(2..)?.splitn(3, |byte| *byte == 0);
                (packed, parts.nth(2)?)
            }
        };
        Some(Self {
            keyword,
            packed,
            data,
        })
    }

    /// Bytes as they lie in the file.
    pub(super) fn len(&self) -> usize {
        self.data.len()
    }

    pub(super) fn is_xmp(&self) -> bool {
        self.keyword == "XML:com.adobe.xmp"
    }

    pub(super) fn is_wanted(&self) -> bool {
        KEYWORDS.contains(&self.keyword)
    }

    /// The text; `None` when it is packed and damaged or longer than `limit`.
    pub(super) fn unpacked(&self, limit: usize) -> Option<Cow<'a, [u8]>> {
        if self.packed {
            inflate(self.data, limit).map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(self.data))
        }
    }
}

/// What the text chunks of one file say.
pub(super) fn read(chunks: &[TextChunk<'_>], labels: &mut Labels) {
    let mut budget = MAX_UNPACKED;
    let has = |keyword| chunks.iter().any(|chunk| chunk.keyword == keyword);
    let easy_diffusion = EASY_DIFFUSION.into_iter().any(has);
    for chunk in chunks {
        let Some(bytes) = unpack(chunk, &mut budget) else {
            continue;
        };
        labels.push(read_one(chunk.keyword, &decode(&bytes), easy_diffusion));
    }
}

fn unpack<'a>(chunk: &TextChunk<'a>, budget: &mut usize) -> Option<Cow<'a, [u8]>> {
    let limit = MAX_TEXT.min(*budget);
    let text = chunk.unpacked(limit);
    if chunk.packed {
        // What does not unpack is charged as if it had: finding out cost as much.
        let cost = text.as_ref().map_or(limit, |text| text.len());
        *budget = budget.saturating_sub(cost);
    }
    text
}

/// `None` when the stream is damaged or unpacks to more than `limit` bytes.
fn inflate(data: &[u8], limit: usize) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let most = u64::try_from(limit).ok()?.checked_add(1)?;
    ZlibDecoder::new(data)
        .take(most)
        .read_to_end(&mut text)
        .ok()?;
    (text.len() <= limit).then_some(text)
}

fn read_one(keyword: &str, text: &str, easy_diffusion: bool) -> Option<UnsignedLabel> {
    let place = format!("png:{keyword}");
    let found = |generator, ai| {
        let label = label(LabelKind::PngText, &place, text);
        Some(label.made_by(generator).saying(ai))
    };
    if keyword == "AIGC" {
        return aigc::named(&place, text);
    }
    if let Some(record) = record::in_text(text) {
        return found(Some(record.generator), record.ai);
    }
    match keyword {
        "Dream" if record::is_dream(text) => found(Some("InvokeAI"), Some(AiStatus::DeclaredFull)),
        "Title" | "Software" | "Description" | "Comment" if tools::says_generated(text) => {
            found(tools::named(text), Some(AiStatus::DeclaredFull))
        }
        "Software" | "Source" | "Creator" => found(Some(tools::named(text)?), None),
        "negative_prompt" | "Negative Prompt" if easy_diffusion => {
            found(Some("Easy Diffusion"), Some(AiStatus::DeclaredFull))
        }
        "hf-job-id" => found(Some("Hugging Face"), None),
        _ => None,
    }
}

/// Keywords that generators are known to use.
const KEYWORDS: [&str; 22] = [
    "parameters",
    "prompt",
    "workflow",
    "invokeai_metadata",
    "sd-metadata",
    "Dream",
    "Comment",
    "Description",
    "Title",
    "Software",
    "Source",
    "Creator",
    "negative_prompt",
    "Negative Prompt",
    "num_inference_steps",
    "Steps",
    "seed",
    "Seed",
    "AIGC",
    "hf-job-id",
    "generation_data",
    "UserComment",
];
/// One of these beside a negative prompt makes it a record of a run.
const EASY_DIFFUSION: [&str; 4] = ["num_inference_steps", "Steps", "seed", "Seed"];
/// One text, unpacked.
const MAX_TEXT: usize = 1 << 20;
/// All texts of one file, unpacked.
const MAX_UNPACKED: usize = 8 << 20;
