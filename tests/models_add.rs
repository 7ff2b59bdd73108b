//! `bonafide models add`: a model becomes an installed one with nothing but its file, a card and labelled pictures.
//!
//! The labels are made from the model's own scores, so that the fitted line is known to rise whatever the model is.

use std::{
    fs,
    path::{Path, PathBuf},
};

use image::{GrayImage, Luma};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Run, command, finish};

const OURS: &str = r#"
name = "theirs"
version = "2.0.0"
task = "synthetic_image"
license = "MIT OR Apache-2.0"
description = "The shipped model under another name."
[input]
name = "crop"
element = "uint8"
layout = "nhwc"
side_px = 256
[output]
logit = "logit"
patch_logits = "patch_logits"
"#;

const PEER: &str = r#"
name = "ferretnet-s"
version = "1.0.0"
task = "synthetic_image"
license = "Apache-2.0"
description = "FerretNet-S, as published."
[input]
name = "x"
element = "float32"
layout = "nchw"
side_px = 256
mean = [0.48145466, 0.4578275, 0.40821073]
std = [0.26862954, 0.26130258, 0.27577711]
[output]
logit = "logit"
"#;

const CALIBRATION: &str =
    "[calibration]\nslope = 1.0\nintercept = 0.0\nreal_pictures = 9\nsynthetic_pictures = 9\n";

/// Pictures of each class.
const EACH: usize = 20;

struct Place {
    folder: TempDir,
    model: PathBuf,
}

impl Place {
    fn new(model: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            folder,
            model: model.into(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn add(&self, card: &str, more: &[&str]) -> Run {
        fs::write(self.path("card.toml"), card).unwrap();
        let mut command = command();
        command.args(["models", "add"]).arg(&self.model);
        command.arg("--card").arg(self.path("card.toml"));
        command.arg("--models").arg(self.path("models")).args(more);
        finish(&mut command)
    }

    /// Pictures of more and more noise, and the native logit of each.
    fn scored(&self) -> Vec<(f64, PathBuf)> {
        let pictures = self.path("pictures");
        fs::create_dir(&pictures).unwrap();
        for place in 0..EACH * 2 {
            draw(u32::try_from(place).unwrap())
                .save(pictures.join(format!("{place}.png")))
                .unwrap();
        }
        let mut command = command();
        command.args([
            "scan",
            "--fail-on",
            "none",
            "--only",
            "detection",
            "--format",
            "jsonl",
        ]);
        let run = finish(
            command
                .arg("--models")
                .arg(self.path("models"))
                .arg(&pictures),
        );
        let scored = |report: &Value| {
            let logit = report["detection"]["models"][0]["views"][0]["logit"].as_f64();
            let name = report["media"]["name"].as_str().unwrap();
            (
                logit.unwrap_or_else(|| panic!("{report:#}")),
                PathBuf::from(name),
            )
        };
        run.reports().iter().map(scored).collect()
    }
}

fn draw(seed: u32) -> GrayImage {
    let mut state = seed + 1;
    GrayImage::from_fn(160, 160, |x, y| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (state >> 24) % (4 + seed * 2);
        Luma([u8::try_from((x + y / 2 + noise).min(255)).unwrap()])
    })
}

fn move_to(folder: &Path, pictures: &[(f64, PathBuf)]) {
    fs::create_dir_all(folder).unwrap();
    for (_, path) in pictures {
        fs::rename(path, folder.join(path.file_name().unwrap())).unwrap();
    }
}

fn a_model_is_added_and_calibrated(model: &str, card: &str) {
    let place = Place::new(model);
    let added = place.add(&format!("{card}{CALIBRATION}"), &[]);
    assert_eq!(added.code, Some(0), "{added:?}");
    let again = place.add(&format!("{card}{CALIBRATION}"), &[]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.err.contains("is there already"), "{again:?}");

    let mut pictures = place.scored();
    pictures.sort_by(|a, b| a.0.total_cmp(&b.0));
    move_to(&place.path("list/real"), &pictures[..EACH]);
    move_to(&place.path("list/synthetic"), &pictures[EACH..]);
    let list = place.path("list");
    let calibrated = place.add(card, &["--force", "--calibrate", list.to_str().unwrap()]);
    assert_eq!(calibrated.code, Some(0), "{calibrated:?}");
    assert!(
        calibrated.err.contains("20 real and 20 synthetic")
            && calibrated.err.contains("fewer than 99")
    );

    let models = fs::read_dir(place.path("models")).unwrap();
    let mut names: Vec<String> = models
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let [onnx, toml] = names.as_slice() else {
        panic!("{names:?}")
    };
    assert!(
        onnx.ends_with(".onnx") && toml.ends_with(".toml"),
        "{names:?}"
    );
    let text = fs::read_to_string(place.path("models").join(toml)).unwrap();
    let written: toml::Table = text.parse().unwrap();
    let calibration = &written["calibration"];
    assert_eq!(calibration["real_pictures"].as_integer(), Some(20));
    assert!(calibration["slope"].as_float().unwrap() > 0.0, "{text}");
    let rows = calibration["false_alarm"].as_array().unwrap();
    // A rate is (k + 1) / 21, with the k that the model's scores allow.
    let whole = |rate: f64| ((rate * 21.0).round() - rate * 21.0).abs() < 1e-3 && rate > 0.047;
    let rates = rows.iter().map(|row| row["rate"].as_float().unwrap());
    assert!(!rows.is_empty() && rates.clone().all(whole), "{text}");
    assert!(rates.is_sorted(), "{text}");

    let check = finish(
        command()
            .args(["models", "check", "--models"])
            .arg(place.path("models")),
    );
    assert_eq!(check.code, Some(0), "{check:?}");
}

#[test]
fn a_model_of_this_repository_is_added_under_another_name() {
    a_model_is_added_and_calibrated("models/synth.onnx", OURS);
}

#[test]
fn a_public_detector_is_added() {
    let model = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/data/peers/ferretnet-s.onnx"
    );
    match Path::new(model).exists() {
        true => a_model_is_added_and_calibrated(model, PEER),
        false => println!("SKIPPED: the public detector is not here"),
    }
}

#[test]
fn what_does_not_fit_its_card_leaves_nothing_behind() {
    let place = Place::new("models/synth.onnx");
    let refused = |card: &str, words: &str| {
        let run = place.add(card, &[]);
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.err.contains(words), "{words}: {run:?}");
        assert_eq!(
            fs::read_dir(place.path("models")).unwrap().count(),
            0,
            "{run:?}"
        );
    };
    refused(OURS, "has no [calibration]");
    let whole = format!("{OURS}{CALIBRATION}");
    refused(
        &whole.replace("side_px = 256", "side_px = 128"),
        "does not fit its card",
    );
    refused(
        &whole.replace("\"logit\"", "\"score\""),
        "no output \"score\"",
    );
    refused(
        &whole.replace("logit = \"logit\"", "class_logits = \"logit\"\nclass = 1"),
        "there is no class 1",
    );
    refused(
        &whole.replace("name = \"theirs\"", "name = \"../theirs\""),
        "name is",
    );
    refused("name = ", "cannot be used");

    let wrong = Place::new("README.md");
    let run = wrong.add(&whole, &[]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.err.contains("is refused"), "{run:?}");
}
