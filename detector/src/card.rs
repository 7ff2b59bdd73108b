//! The model card: everything a model needs to be run, believed and used lawfully, in one TOML file beside it.
//!
//! Without a card no model runs. Reading is strict (`card/raw.rs`). The card knows nothing of sessions or of a policy's
//! thresholds.

mod raw;

use media::Digest;
use serde::Deserialize;

use crate::calibration::Calibration;

pub(crate) use raw::MAX_CLASSES;
use raw::{RawCard, one_line};

/// One model's card, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// `[a-z0-9_-]`, at most 64; also the card's file name without `.toml`.
    pub name: String,
    /// For example `1.0.0`; `[0-9A-Za-z.+-]`, at most 32.
    pub version: String,
    /// What the model was trained to tell apart.
    pub task: Task,
    /// The model file beside the card: a plain name ending in `.onnx`.
    pub file: String,
    /// SHA-256 of the model file.
    pub sha256: Digest,
    /// SPDX expression, or words.
    pub license: String,
    /// What the model is, for the person who installs it.
    pub description: String,
    /// How a crop becomes the model's input.
    pub input: Input,
    /// Where the model's answer is.
    pub output: Output,
    /// How a logit becomes evidence.
    pub calibration: Calibration,
    /// How the logit of a picture of many windows does, where that was measured.
    pub many: Option<Many>,
    /// What it was trained on; free form, only for reading.
    pub training: toml::Table,
    /// How it was measured; free form, only for reading.
    pub evaluation: toml::Table,
}

/// What a model was trained to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Wholly generated pictures against photographs and hand-made ones.
    SyntheticImage,
}

/// How a crop becomes the model's input.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// Name of the graph's only input.
    pub name: String,
    /// Element type with its normalisation.
    pub element: Element,
    /// Order of the axes.
    pub layout: Layout,
    /// Side of the square window in pixels, in 32..=1024.
    pub side_px: u16,
}

/// Element type of the input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Element {
    /// The bytes of the crop; the graph normalises.
    Uint8,
    /// `(byte / 255 - mean) / std` per channel, in the order red, green, blue.
    Float32 {
        /// Subtracted; finite.
        mean: [f32; 3],
        /// Divided by; finite, above 0.
        std: [f32; 3],
    },
}

/// Order of the input's four axes. Channels are red, green, blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// `[1, side, side, 3]`.
    Nhwc,
    /// `[1, 3, side, side]`.
    Nchw,
}

/// Where the model's answer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Name of the output that is read, `float32`.
    pub name: String,
    /// What its numbers mean.
    pub meaning: Meaning,
    /// Name of the output with one `float32` logit per patch, when the graph has one.
    pub patch_logits: Option<String>,
}

/// What the numbers of an output mean. Each becomes one logit; above 0 speaks for synthetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// `logit = "name"`: one logit per crop.
    Logit,
    /// `probability = "name"`: one chance of synthetic per crop, in 0.0..=1.0.
    Probability,
    /// `class_logits = "name"`, `class = N`: one number per class before the softmax, of which N, from 0, is synthetic.
    ClassLogits(u16),
    /// `class_probabilities = "name"`, `class = N`: the same after the softmax.
    ClassProbabilities(u16),
}

/// The calibration of pictures that show many windows.
///
/// A picture's logit is the mean of its windows' logits, and the mean of several spreads less than one: what is rare
/// for one window is much rarer for eight, and the same step of the logit is worth more.
#[derive(Debug, Clone, PartialEq)]
pub struct Many {
    /// From how many windows on; at least 2.
    pub windows: u8,
    /// Fitted on such pictures.
    pub calibration: Calibration,
}

impl Card {
    /// The calibration for a picture of so many windows.
    pub fn calibration_of(&self, windows: usize) -> &Calibration {
        let many = self.many.as_ref();
        let fits = many.filter(|many| windows >= usize::from(many.windows));
        fits.map_or(&self.calibration, |many| &many.calibration)
    }

    /// Reads the card in `text`, which lies in the file `<stem>.toml`.
    ///
    /// # Errors
    ///
    /// The broken rule in words: not TOML, a field missing, unknown or of the wrong type, or a value out of range.
    pub fn parse(stem: &str, text: &str) -> Result<Self, String> {
        let raw: RawCard = toml::from_str(text).map_err(|error| one_line(&error.to_string()))?;
        let card = raw.check()?;
        if card.name != stem {
            return Err(format!(
                "name is \"{}\", but the card's file is called {stem}.toml",
                card.name
            ));
        }
        Ok(card)
    }
}

#[cfg(test)]
mod tests {
    use super::{Card, Element, Layout, Meaning};

    const GOOD: &str = r#"
name = "synth"
version = "0.1.0"
task = "synthetic_image"
file = "synth.onnx"
sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
license = "MIT OR Apache-2.0"
description = "A test card."
[input]
name = "x"
element = "float32"
layout = "nchw"
side_px = 256
mean = [0.5, 0.5, 0.5]
std = [0.25, 0.25, 0.25]
[output]
logit = "logit"
[calibration]
slope = 0.5
intercept = -0.25
real_pictures = 500
synthetic_pictures = 600
false_alarm = [{ llr = 2.0, rate = 0.01 }, { llr = 0.0, rate = 0.3 }]
[training]
sources = ["anything"]
[evaluation]
auc = 0.6
"#;

    #[test]
    fn a_whole_card_is_read() {
        let card = Card::parse("synth", GOOD).unwrap();
        assert_eq!(
            card.input.element,
            Element::Float32 {
                mean: [0.5; 3],
                std: [0.25; 3]
            }
        );
        assert_eq!(card.input.layout, Layout::Nchw);
        assert_eq!(card.calibration.bound_nats(), 501.0_f32.ln());
        assert!(card.training.contains_key("sources"));
    }

    const MANY: &str = "[calibration.many]\nwindows = 4\nslope = 2.0\nintercept = 0.0\nreal_pictures = 9\nsynthetic_pictures = 9\n[training]";

    #[test]
    fn a_picture_of_many_windows_has_its_own_calibration() {
        let few = Card::parse("synth", GOOD).unwrap();
        assert_eq!(few.calibration_of(8), &few.calibration);
        let both = Card::parse("synth", &GOOD.replacen("[training]", MANY, 1)).unwrap();
        assert_eq!(both.calibration_of(3), &both.calibration);
        assert_eq!(
            both.calibration_of(4),
            &both.many.as_ref().unwrap().calibration
        );
        assert_ne!(both.calibration_of(4), both.calibration_of(3));
    }

    #[test]
    fn an_output_may_mean_four_things() {
        let check = |words: &str, meaning| {
            let text = GOOD.replacen("logit = \"logit\"", words, 1);
            let output = Card::parse("synth", &text).unwrap().output;
            assert_eq!((output.name.as_str(), output.meaning), ("o", meaning));
        };
        check("logit = \"o\"", Meaning::Logit);
        check("probability = \"o\"", Meaning::Probability);
        check("class_logits = \"o\"\nclass = 1", Meaning::ClassLogits(1));
        check(
            "class_probabilities = \"o\"\nclass = 0",
            Meaning::ClassProbabilities(0),
        );
    }

    #[test]
    fn every_broken_rule_is_refused_by_its_name() {
        let refused = |from: &str, to: &str, word: &str| {
            assert!(GOOD.contains(from), "{from}");
            let error = Card::parse("synth", &GOOD.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(word), "{to}: {error}");
        };
        refused("name = \"synth\"", "name = \"Synth\"", "name");
        refused("name = \"synth\"", "name = \"other\"", "synth.toml");
        refused("0.1.0", "0.1 \\n", "version");
        refused("synthetic_image", "face", "synthetic_image");
        refused("ba78", "ba7", "sha256");
        refused("MIT OR Apache-2.0", " ", "license");
        refused("[training]", "[trainning]", "trainning");
        refused("\"x\"", "\"\"", "input.name");
        refused("side_px = 256", "side_px = 16", "side_px");
        refused("std = [0.25, 0.25, 0.25]", "std = [0.25, 0.0, 0.25]", "std");
        refused("mean = [0.5, 0.5, 0.5]", "mean = [nan, 0.5, 0.5]", "mean");
        refused("\"float32\"", "\"uint8\"", "mean");
        refused("\"float32\"", "\"float16\"", "float16");
        refused("logit = \"logit\"", "", "output must name");
        refused(
            "logit = \"logit\"",
            "probability = \"p\"\nlogit = \"l\"",
            "output must name",
        );
        refused(
            "logit = \"logit\"",
            "class_logits = \"c\"",
            "output must name",
        );
        refused(
            "logit = \"logit\"",
            "class_logits = \"c\"\nclass = 1000",
            "output.class",
        );
        refused("slope = 0.5", "slope = -0.5", "slope");
        refused("slope = 0.5", "slope = inf", "slope");
        refused("rate = 0.3", "rate = 0.3, extra = 1", "extra");
        refused(
            "[training]",
            &MANY.replace("windows = 4", "windows = 1"),
            "windows",
        );
        refused(
            "[training]",
            &MANY.replace("slope = 2.0", "slope = 0.0"),
            "slope",
        );
        refused("[training]", &MANY.replace("windows = 4", ""), "windows");
    }

    #[test]
    fn a_file_name_leads_nowhere_else() {
        for file in [
            "../synth.onnx",
            "a/b.onnx",
            "a\\\\b.onnx",
            "/etc/passwd",
            ".onnx",
            "..onnx",
            "synth.ort",
            "",
            "c:x.onnx",
        ] {
            let text = GOOD.replacen("file = \"synth.onnx\"", &format!("file = \"{file}\""), 1);
            let error = Card::parse("synth", &text).unwrap_err();
            assert!(error.contains("file"), "{file}: {error}");
        }
    }
}
