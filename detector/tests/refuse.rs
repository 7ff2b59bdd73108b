//! What does not load, and in which words. Each case starts from a folder that does load.

use std::{fs, path::Path};

use detector::{
    Detector, DetectorError, Provider, Settings, available_providers, check_models, list_models,
    runtime_version,
};
use media::{Digest, Fault};

use crate::{
    onnx::{FLOAT, Graph, OPEN, UINT8, integer},
    shop::{BYTES, PLANES, Shop, brightness, not_a_number, planes, runtime},
};

fn good() -> Shop {
    let shop = Shop::with("bright", &brightness(), BYTES);
    assert!(shop.load().is_ok());
    shop
}

fn load(settings: &Settings) -> DetectorError {
    let error = Detector::load(settings).expect_err("the settings were accepted");
    assert_eq!(error.fault(), Fault::Operator);
    error
}

#[test]
fn a_missing_runtime_says_how_to_get_one() {
    let shop = good();
    for runtime in [
        None,
        Some(shop.path().join("none.so")),
        Some(shop.path().into()),
    ] {
        let error = load(&Settings {
            runtime,
            ..shop.settings(1)
        });
        assert!(
            matches!(error, DetectorError::RuntimeMissing { .. }),
            "{error}"
        );
        assert!(error.to_string().contains("cargo xtask setup"), "{error}");
    }
}

#[test]
fn a_second_runtime_in_one_process_is_refused() {
    let shop = good();
    let copy = shop.path().join("other.so");
    fs::write(&copy, b"not even a library").unwrap();
    let error = load(&Settings {
        runtime: Some(copy),
        ..shop.settings(1)
    });
    assert!(
        matches!(error, DetectorError::RuntimeInUse { .. }),
        "{error}"
    );
}

#[test]
fn a_provider_that_cannot_start_is_an_error_and_not_the_cpu() {
    let shop = good();
    for provider in [Provider::Cuda(0), Provider::TensorRt(0)] {
        let error = load(&Settings {
            provider,
            ..shop.settings(1)
        });
        assert!(
            matches!(error, DetectorError::Provider { provider: named, .. } if named == provider),
            "{error}"
        );
    }
}

#[test]
fn a_folder_without_models_says_so() {
    let shop = Shop::new();
    assert!(matches!(shop.refusal(), DetectorError::NoModels { .. }));
    let settings = Settings {
        models_dir: shop.path().join("none"),
        ..shop.settings(1)
    };
    assert!(matches!(
        load(&settings),
        DetectorError::ModelsDirMissing { .. }
    ));
}

#[test]
fn a_broken_card_is_named() {
    let shop = good();
    let card = shop.path().join("bright.toml");
    let text = fs::read_to_string(&card).unwrap();
    for (from, to) in [
        ("slope = 1.0", "slope = 0.0"),
        ("bright.onnx", "../bright.onnx"),
        ("[output]", "[outputs]"),
    ] {
        fs::write(&card, text.replace(from, to)).unwrap();
        let error = shop.refusal();
        assert!(
            matches!(&error, DetectorError::CardInvalid { path, .. } if *path == card),
            "{error}"
        );
    }
    fs::write(&card, [0xff, 0xfe]).unwrap();
    assert!(matches!(shop.refusal(), DetectorError::CardInvalid { .. }));
    fs::write(&card, " ".repeat(300_000)).unwrap();
    assert!(
        matches!(shop.refusal(), DetectorError::CardInvalid { detail, .. } if detail.contains("longer"))
    );
}

#[test]
fn a_missing_model_file_is_named() {
    let shop = good();
    let file = shop.path().join("bright.onnx");
    fs::remove_file(&file).unwrap();
    assert!(matches!(shop.refusal(), DetectorError::ModelMissing { path, .. } if path == file));
    fs::create_dir(&file).unwrap();
    assert!(matches!(shop.refusal(), DetectorError::ModelMissing { .. }));
}

#[test]
fn one_flipped_bit_anywhere_is_found() {
    let shop = good();
    let (file, bytes) = (shop.path().join("bright.onnx"), brightness());
    for index in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[index] ^= 1 << (index % 8);
        fs::write(&file, &flipped).unwrap();
        let error = shop.refusal();
        let DetectorError::ModelDigest {
            expected, found, ..
        } = error
        else {
            panic!("{error}")
        };
        assert_eq!(
            (expected, found),
            (Digest::of(&bytes), Digest::of(&flipped))
        );
    }
}

#[test]
fn a_model_that_reaches_outside_or_is_none_is_refused_though_its_digest_fits() {
    let reaching = Graph::new("x", UINT8, &[1, 64, 64, 3])
        .external_weight("w", "../../../etc/hostname")
        .node("Cast", &["x"], "logit", &[integer("to", FLOAT)])
        .output("logit", FLOAT, &[1])
        .build();
    let cut = brightness();
    let cut = &cut[..cut.len() / 2];
    for (bytes, word) in [
        (&reaching[..], "outside the file"),
        (b"<html>", "not an ONNX model"),
        (cut, "cut off"),
    ] {
        let error = Shop::with("bad", bytes, BYTES).refusal();
        assert!(
            matches!(&error, DetectorError::ModelDamaged { detail, .. } if detail.contains(word)),
            "{error}"
        );
    }
    // It passes our own look, and the runtime knows no such operator.
    let unknown = Graph::new("x", UINT8, &[1, 64, 64, 3]).node("Frobnicate", &["x"], "logit", &[]);
    let unknown = unknown.output("logit", FLOAT, &[1]).build();
    assert!(matches!(
        Shop::with("bad", &unknown, BYTES).refusal(),
        DetectorError::ModelDamaged { .. }
    ));
}

#[test]
fn a_graph_that_is_not_as_its_card_says_is_refused() {
    let refused = |model: Vec<u8>, input: &str, word: &str| {
        let error = Shop::with("odd", &model, input).refusal();
        assert!(
            matches!(&error, DetectorError::ModelShape { detail, .. } if detail.contains(word)),
            "{error}"
        );
    };
    refused(brightness(), PLANES, "input");
    refused(planes(), BYTES, "input");
    refused(brightness(), &BYTES.replace("64", "65"), "input");
    refused(planes(), &PLANES.replace("nchw", "nhwc"), "input");
    let cast = |input: &str, output: &str, to, shape: &[u64]| {
        let graph = Graph::new(input, UINT8, &[OPEN, 64, 64, 3]).node(
            "Cast",
            &[input],
            output,
            &[integer("to", to)],
        );
        graph.output(output, to, shape).build()
    };
    refused(
        cast("y", "logit", FLOAT, &[OPEN, 64, 64, 3]),
        BYTES,
        "\"y\"",
    );
    refused(
        cast("x", "score", FLOAT, &[OPEN, 64, 64, 3]),
        BYTES,
        "no output \"logit\"",
    );
    refused(
        cast("x", "logit", FLOAT, &[OPEN, 64, 64, 3]),
        BYTES,
        "not one float32",
    );
    refused(
        cast("x", "logit", UINT8, &[OPEN, 64, 64, 3]),
        BYTES,
        "not one float32",
    );
}

#[test]
fn checking_tells_every_model_apart() {
    let shop = good();
    shop.install("nan", &not_a_number(), BYTES, "");
    shop.install("torn", &planes(), PLANES, "");
    fs::write(shop.path().join("torn.onnx"), b"torn").unwrap();
    fs::write(shop.path().join("void.toml"), b"").unwrap();
    let checked = check_models(&shop.settings(1)).unwrap();
    let names: Vec<_> = checked.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["bright", "nan", "torn", "void"]);
    let bright = checked[0].1.as_ref().unwrap();
    assert_eq!(
        (bright.digest, bright.card.name.as_str()),
        (Digest::of(&brightness()), "bright")
    );
    assert!(bright.window_ms > 0.0);
    let codes: Vec<_> = checked[1..]
        .iter()
        .map(|(_, outcome)| outcome.as_ref().unwrap_err().code())
        .collect();
    assert_eq!(codes, ["not_finite", "model_digest", "card_invalid"]);
}

#[test]
fn listing_needs_no_runtime_and_opens_no_model() {
    let shop = good();
    fs::remove_file(shop.path().join("bright.onnx")).unwrap();
    let cards = list_models(shop.path()).unwrap();
    assert_eq!(
        cards[0].1.as_ref().unwrap().description,
        "A graph of a few operators, for tests."
    );
    assert_eq!(
        list_models(Path::new("/no/such/folder"))
            .unwrap_err()
            .code(),
        "models_dir_missing"
    );
}

#[test]
fn the_runtime_tells_its_build_and_its_providers() {
    let build = runtime_version(&runtime()).unwrap();
    println!("{build}");
    assert!(build.contains("git-commit-id"));
    assert!(
        available_providers(&runtime())
            .unwrap()
            .contains(&Provider::Cpu)
    );
}
