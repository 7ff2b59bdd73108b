//! Records of a generator's run: prompt, steps, sampler, seed.
//!
//! Recognised by words and keys, not parsed: generators write broken JSON (`NaN`), and nothing is needed
//! of a record but that it is one.

use memchr::memmem;

use crate::finding::AiStatus;

/// A record that was recognised.
pub(super) struct Record {
    /// The tool, as people know it.
    pub(super) generator: &'static str,
    /// `None` for a record of a run in which no picture was generated, such as a workflow that only scales.
    pub(super) ai: Option<AiStatus>,
}

/// The record that `text` is, wherever it stood.
pub(super) fn in_text(text: &str) -> Option<Record> {
    let words = Words(text);
    let generator = if text.trim_start().starts_with('{') {
        words.json_generator()?
    } else {
        let is_run =
            words.has_number("Steps:") && (words.any(&["Sampler:"]) || words.has_number("Seed:"));
        is_run.then_some("Stable Diffusion")?
    };
    // A graph of ComfyUI may do anything; the other records are only written for a run.
    let is_run = generator != COMFY_UI || words.any(&SAMPLERS);
    let extent = if words.any(&INPAINTING) {
        AiStatus::DeclaredPart
    } else {
        AiStatus::DeclaredFull
    };
    Some(Record {
        generator,
        ai: is_run.then_some(extent),
    })
}

struct Words<'a>(&'a str);

impl Words<'_> {
    fn has(&self, word: &str) -> bool {
        memmem::find(self.0.as_bytes(), word.as_bytes()).is_some()
    }

    fn any(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.has(word))
    }

    fn all(&self, words: &[&str]) -> bool {
        words.iter().all(|word| self.has(word))
    }

    /// Whether a number follows `key` somewhere: recipes have steps and gardens have seeds.
    fn has_number(&self, key: &str) -> bool {
        let bytes = self.0.as_bytes();
        memmem::find_iter(bytes, key.as_bytes()).any(|at| {
            let after = bytes.get(at.saturating_add(key.len())..);
            let after = after.unwrap_or_default();
            let value = after.strip_prefix(b" ").unwrap_or(after);
            value.first().is_some_and(u8::is_ascii_digit)
        })
    }

    fn json_generator(&self) -> Option<&'static str> {
        if self.any(&["\"class_type\"", "\"last_node_id\""]) {
            return Some(COMFY_UI);
        }
        if self.has("\"sui_image_params\"") {
            return Some("SwarmUI");
        }
        if self.any(&["\"generation_mode\"", "\"app_id\"", "\"app_version\""])
            && self.any(&["invoke-ai/InvokeAI", "\"positive_prompt\"", "\"txt2img\""])
        {
            return Some("InvokeAI");
        }
        if self.has("Fooocus") && self.any(&["\"Seed\"", "\"seed\""]) {
            return Some("Fooocus");
        }
        if !self.all(&["\"uc\"", "\"sampler\"", "\"seed\""]) {
            return None;
        }
        Some(if self.has("\"c\"") {
            "Draw Things"
        } else {
            "NovelAI"
        })
    }
}

/// InvokeAI's first format: the prompt in quotes, then its settings as on a command line.
pub(super) fn is_dream(text: &str) -> bool {
    text.contains('"') && text.contains(" -s") && text.contains(" -S")
}

const COMFY_UI: &str = "ComfyUI";
/// Nodes of a ComfyUI graph that make a picture out of noise all have such names.
const SAMPLERS: [&str; 2] = ["KSampler", "SamplerCustom"];
/// Settings that exist only where a part of a given picture was painted over.
const INPAINTING: [&str; 7] = [
    "Mask blur:",
    "Inpaint area:",
    "VAEEncodeForInpaint",
    "InpaintModelConditioning",
    "\"inpaint\"",
    "\"outpaint\"",
    "\"Inpaint",
];

#[cfg(test)]
mod tests {
    use super::{in_text, is_dream};
    use crate::finding::AiStatus::{self, DeclaredFull, DeclaredPart};

    fn check(text: &str, expected: Option<(&str, Option<AiStatus>)>) {
        let found = in_text(text).map(|record| (record.generator, record.ai));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn runs_are_told_from_ordinary_words() {
        check("", None);
        check("Steps: first mix flour. Seed: one poppy", None);
        check("prompt and seed", None);
        check("{\"prompt\": \"a cat\"}", None);
        check("{\"c\": 1, \"seed\": 2}", None);
        let full = Some(DeclaredFull);
        check(
            "a cat\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, Seed: 7",
            Some(("Stable Diffusion", full)),
        );
        check(
            "a cat\nSteps: 20, Seed: 7, Mask blur: 4",
            Some(("Stable Diffusion", Some(DeclaredPart))),
        );
        check(
            "{\"3\": {\"class_type\": \"KSampler\", \"is_changed\": [NaN]}}",
            Some(("ComfyUI", full)),
        );
        check(
            "{\"3\": {\"class_type\": \"LoadImage\"}}",
            Some(("ComfyUI", None)),
        );
        check(
            "{\"generation_mode\":\"txt2img\",\"positive_prompt\":\"cat\"}",
            Some(("InvokeAI", full)),
        );
        check(
            "{\"prompt\":\"cat\",\"uc\":\"dog\",\"sampler\":\"k_euler\",\"seed\":1}",
            Some(("NovelAI", full)),
        );
    }

    #[test]
    fn dream_needs_its_settings() {
        assert!(is_dream("\"a cat\" -s 50 -S 123 -W 512"));
        assert!(!is_dream("\"a cat\" by somebody"));
    }
}
