//! The card as it is written, and the rules it must keep to become a [`Card`].
//!
//! An unknown field is an error: a misspelt one would otherwise change scores without a word.

use media::Digest;
use serde::Deserialize;

use super::{Card, Element, Input, Layout, Many, Meaning, Output, Task};
use crate::calibration::{Calibration, FalseAlarm, Fit};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCard {
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
    many: Option<RawMany>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMany {
    windows: u8,
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
    pub(super) fn check(self) -> Result<Card, String> {
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
        let (calibration, many) = self.calibration.check()?;
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
            calibration,
            many,
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
    fn check(self) -> Result<(Calibration, Option<Many>), String> {
        let many = self.many.map(RawMany::check).transpose()?;
        let calibration = Calibration::new(Fit {
            slope: self.slope,
            intercept: self.intercept,
            real_pictures: self.real_pictures,
            synthetic_pictures: self.synthetic_pictures,
            false_alarms: rows(self.false_alarm),
        })?;
        Ok((calibration, many))
    }
}

impl RawMany {
    fn check(self) -> Result<Many, String> {
        if self.windows < 2 {
            return Err("calibration.many.windows must be at least 2".to_owned());
        }
        let calibration = Calibration::new(Fit {
            slope: self.slope,
            intercept: self.intercept,
            real_pictures: self.real_pictures,
            synthetic_pictures: self.synthetic_pictures,
            false_alarms: rows(self.false_alarm),
        });
        Ok(Many {
            windows: self.windows,
            calibration: calibration.map_err(|rule| format!("calibration.many: {rule}"))?,
        })
    }
}

fn rows(rows: Vec<RawFalseAlarm>) -> Vec<FalseAlarm> {
    let row = |raw: RawFalseAlarm| FalseAlarm {
        llr: raw.llr,
        rate: raw.rate,
    };
    rows.into_iter().map(row).collect()
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

pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Sides a window may have: a smaller one shows too little, a larger one is no window.
const SIDE_PX: std::ops::RangeInclusive<u16> = 32..=1024;

/// Most classes of a model: past this the output is no choice between kinds of pictures.
pub(crate) const MAX_CLASSES: u16 = 1_000;

/// Longest text field of a card; printed whole by `bonafide models list`.
const MAX_TEXT_BYTES: usize = 4_096;
