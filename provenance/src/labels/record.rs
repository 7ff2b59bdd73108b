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
    let has = |word: &str| memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    let any = |words: &[&str]| words.iter().any(|word| has(word));
    let all = |words: &[&str]| words.iter().all(|word| has(word));
    let partly = || {
        if any(&INPAINTING) {
            AiStatus::DeclaredPart
        } else {
            AiStatus::DeclaredFull
        }
    };
    let record = |generator| {
        Some(Record {
            generator,
            ai: Some(partly()),
        })
    };
    if !text.trim_start().starts_with('{') {
        let is_run = has("Steps:") && any(&["Sampler", "Seed"]);
        return if is_run {
            record("Stable Diffusion")
        } else {
            None
        };
    }
    if any(&["\"class_type\"", "\"last_node_id\""]) {
        let ai = any(&SAMPLERS).then(partly);
        let generator = "ComfyUI";
        return Some(Record { generator, ai });
    }
    if has("\"sui_image_params\"") {
        return record("SwarmUI");
    }
    if any(&["\"generation_mode\"", "\"app_id\"", "\"app_version\""])
        && any(&["invoke-ai/InvokeAI", "\"positive_prompt\"", "\"txt2img\""])
    {
        return record("InvokeAI");
    }
    if has("Fooocus") && any(&["\"Seed\"", "\"seed\""]) {
        return record("Fooocus");
    }
    if all(&["\"uc\"", "\"sampler\"", "\"seed\"", "\"c\""]) {
        return record("Draw Things");
    }
    if all(&["\"uc\"", "\"sampler\"", "\"seed\""]) {
        return record("NovelAI");
    }
    None
}

/// InvokeAI's first format: the prompt in quotes, then its settings as on a command line.
pub(super) fn is_dream(text: &str) -> bool {
    text.contains('"') && text.contains(" -s") && text.contains(" -S")
}

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
        check("Steps: first mix flour", None);
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
