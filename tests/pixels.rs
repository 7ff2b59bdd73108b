//! What the pixels give beside a score: a drawing of where, and public watermarks.

use std::fs;

use serde_json::Value;

use crate::support::{command, finish};

#[test]
fn a_heat_map_is_drawn_for_scored_pictures_only_and_named_in_the_report() {
    let folder = tempfile::tempdir().unwrap();
    let drawings = folder.path().join("maps");
    let run = finish(
        command()
            .args([
                "scan",
                "--fail-on",
                "none",
                "--format",
                "jsonl",
                "--heatmap",
            ])
            .arg(&drawings)
            .args(["fixtures/media/unsigned.jpg", "fixtures/media/film.mp4"]),
    );
    let reports = run.reports();
    let of = |name: &str| -> &Value {
        let named = |report: &&Value| report["media"]["name"].as_str().unwrap().ends_with(name);
        reports.iter().find(named).unwrap()
    };
    assert_eq!(of("film.mp4")["detection"]["map"], Value::Null);
    let report = of("unsigned.jpg");
    let map = drawings.join(format!(
        "{}.png",
        report["media"]["sha256"].as_str().unwrap()
    ));
    assert_eq!(report["detection"]["map"], map.to_str().unwrap());
    let png = image::load_from_memory(&fs::read(&map).unwrap())
        .unwrap()
        .to_rgb8();
    assert_eq!(png.dimensions(), (640, 480));
    assert!(
        png.pixels().any(|pixel| pixel[0] != pixel[2]),
        "nothing is coloured"
    );
    assert_eq!(fs::read_dir(&drawings).unwrap().count(), 1);
}

/// `marked_flux.jpg` is our own scene, marked by the program that FLUX ships (invisible-watermark 0.2.0) and saved as
/// FLUX saves: JPEG 95, 4:4:4.
#[test]
fn a_public_watermark_is_reported_as_a_hint_and_decides_nothing() {
    let scan = |file: &str| {
        let mut command = command();
        command.args([
            "scan",
            "--fail-on",
            "none",
            "--format",
            "jsonl",
            "--only",
            "detection",
            file,
        ]);
        finish(&mut command).reports().remove(0)
    };
    let marked = scan("fixtures/marked_flux.jpg");
    let found = marked["detection"]["watermarks"].as_array().unwrap();
    assert_eq!(found.len(), 1, "{marked:#}");
    assert_eq!(found[0]["key"], "flux");
    assert!(found[0]["z"].as_f64().unwrap() > 5.0);
    let reasons = marked["verdict"]["reasons"].as_array().unwrap();
    let hint = reasons
        .iter()
        .find(|reason| reason["code"] == "public_watermark")
        .unwrap();
    assert!(hint["text"].as_str().unwrap().contains("anyone"), "{hint}");
    assert_ne!(marked["verdict"]["code"], "declared_ai");

    let plain = scan("fixtures/media/unsigned.jpg");
    assert_eq!(plain["detection"]["watermarks"], serde_json::json!([]));
}
