//! The model card: everything a model needs to be run, believed and used lawfully, in one TOML file beside it.
//!
//! Without a card no model runs. Reading is strict: an unknown field is an error, because a misspelt one would
//! otherwise change scores without a word. The card knows nothing of sessions or of a policy's thresholds.

use media::Digest;
use serde::Deserialize;

use crate::calibration::{Calibration, FalseAlarm, Fit};

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

impl Card {
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCard {
    name: String,
    version: String,
    task: Task,
    file: String,
    sha256: String,
    license: String,
    description: String,
    input: RawInput,
    output: RawOutput,
    calibration: RawCalibration,
    #[serde(default)]
    training: toml::Table,
    #[serde(default)]
    evaluation: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawInput {
    name: String,
    element: RawElement,
    layout: Layout,
    side_px: u16,
    mean: Option<[f32; 3]>,
    std: Option<[f32; 3]>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawElement {
    Uint8,
    Float32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOutput {
    logit: Option<String>,
    probability: Option<String>,
    class_logits: Option<String>,
    class_probabilities: Option<String>,
    class: Option<u16>,
    patch_logits: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCalibration {
    slope: f32,
    intercept: f32,
    real_pictures: u32,
    synthetic_pictures: u32,
    #[serde(default)]
    false_alarm: Vec<RawFalseAlarm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFalseAlarm {
    llr: f32,
    rate: f32,
}

impl RawCard {
    fn check(self) -> Result<Card, String> {
        check_word("name", &self.name, 64, |c| {
            c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c)
        })?;
        check_word("version", &self.version, 32, |c| {
            c.is_ascii_alphanumeric() || ".+-".contains(c)
        })?;
        check_file_name(&self.file)?;
        check_text("license", &self.license)?;
        check_text("description", &self.description)?;
        let sha256 = Digest::from_hex(&self.sha256).ok_or("sha256 is not 64 hex digits")?;
        Ok(Card {
            name: self.name,
            version: self.version,
            task: self.task,
            file: self.file,
            sha256,
            license: self.license,
            description: self.description,
            input: self.input.check()?,
            output: self.output.check()?,
            calibration: self.calibration.check()?,
            training: self.training,
            evaluation: self.evaluation,
        })
    }
}

impl RawOutput {
    fn check(self) -> Result<Output, String> {
        let class = self.class;
        let (name, meaning) = match (
            self.logit,
            self.probability,
            self.class_logits,
            self.class_probabilities,
            class,
        ) {
            (Some(name), None, None, None, None) => (name, Meaning::Logit),
            (None, Some(name), None, None, None) => (name, Meaning::Probability),
            (None, None, Some(name), None, Some(class)) => (name, Meaning::ClassLogits(class)),
            (None, None, None, Some(name), Some(class)) => {
                (name, Meaning::ClassProbabilities(class))
            }
            (_, _, _, _, _) => {
                return Err(
                    "output must name one of logit and probability, or one of class_logits and class_probabilities \
                     with class, the number of the synthetic class from 0"
                        .to_owned(),
                );
            }
        };
        if class.is_some_and(|class| class >= MAX_CLASSES) {
            return Err(format!("output.class must be under {MAX_CLASSES}"));
        }
        check_text("output", &name)?;
        if let Some(patches) = &self.patch_logits {
            check_text("output.patch_logits", patches)?;
        }
        Ok(Output {
            name,
            meaning,
            patch_logits: self.patch_logits,
        })
    }
}

impl RawInput {
    fn check(self) -> Result<Input, String> {
        check_text("input.name", &self.name)?;
        if !SIDE_PX.contains(&self.side_px) {
            return Err(format!(
                "input.side_px is {}, it must be in {SIDE_PX:?}",
                self.side_px
            ));
        }
        let element = match (self.element, self.mean, self.std) {
            (RawElement::Uint8, None, None) => Element::Uint8,
            (RawElement::Uint8, _, _) => {
                return Err(
                    "input.mean and input.std are for element = \"float32\" only".to_owned(),
                );
            }
            (RawElement::Float32, mean, std) => {
                float32(mean.unwrap_or([0.0; 3]), std.unwrap_or([1.0; 3]))?
            }
        };
        Ok(Input {
            name: self.name,
            element,
            layout: self.layout,
            side_px: self.side_px,
        })
    }
}

impl RawCalibration {
    fn check(self) -> Result<Calibration, String> {
        let row = |raw: RawFalseAlarm| FalseAlarm {
            llr: raw.llr,
            rate: raw.rate,
        };
        Calibration::new(Fit {
            slope: self.slope,
            intercept: self.intercept,
            real_pictures: self.real_pictures,
            synthetic_pictures: self.synthetic_pictures,
            false_alarms: self.false_alarm.into_iter().map(row).collect(),
        })
    }
}

fn float32(mean: [f32; 3], std: [f32; 3]) -> Result<Element, String> {
    if !mean.iter().all(|value| value.is_finite()) {
        return Err(format!("input.mean is {mean:?}, it must be finite"));
    }
    if !std.iter().all(|value| value.is_normal() && *value > 0.0) {
        return Err(format!(
            "input.std is {std:?}, it must be finite and above 0"
        ));
    }
    Ok(Element::Float32 { mean, std })
}

/// A plain name: it can lead to no other folder, no hidden file and no other kind of file.
fn check_file_name(file: &str) -> Result<(), String> {
    check_word("file", file, 128, |c| {
        c.is_ascii_alphanumeric() || "._-".contains(c)
    })?;
    if file.starts_with('.') || !file.ends_with(".onnx") {
        return Err(format!(
            "file is \"{file}\", it must be a plain name that ends in .onnx"
        ));
    }
    Ok(())
}

fn check_word(
    field: &str,
    word: &str,
    most: usize,
    allowed: impl Fn(char) -> bool,
) -> Result<(), String> {
    if word.is_empty() || word.len() > most || !word.chars().all(allowed) {
        return Err(format!(
            "{field} is {word:?}, which is empty, over {most} characters or has a character not allowed there"
        ));
    }
    Ok(())
}

fn check_text(field: &str, text: &str) -> Result<(), String> {
    if text.trim().is_empty() || text.len() > MAX_TEXT_BYTES {
        return Err(format!("{field} is empty or over {MAX_TEXT_BYTES} bytes"));
    }
    Ok(())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Sides a window may have: a smaller one shows too little, a larger one is no window.
const SIDE_PX: std::ops::RangeInclusive<u16> = 32..=1024;

/// Most classes of a model: past this the output is no choice between kinds of pictures.
pub(crate) const MAX_CLASSES: u16 = 1_000;

/// Longest text field of a card; printed whole by `bonafide models list`.
const MAX_TEXT_BYTES: usize = 4_096;

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
