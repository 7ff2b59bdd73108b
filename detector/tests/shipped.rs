//! The models of this repository, as they are shipped.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use detector::{Batching, Detection, Detector, Provider, Settings, check_models, watermarks};

use crate::shop::{noise, runtime};

fn settings(workers: usize) -> Settings {
    let models_dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    Settings {
        models_dir,
        runtime: Some(runtime()),
        provider: Provider::Cpu,
        workers,
        batching: Batching::NONE,
    }
}

#[test]
fn every_shipped_model_passes_its_checks() {
    for (name, outcome) in check_models(&settings(1)).unwrap() {
        let checked = outcome.unwrap_or_else(|error| panic!("{name}: {error}"));
        println!(
            "{name}: {:.1} ms per window, test logit {:.4}",
            checked.window_ms,
            checked.logit.value()
        );
        assert!(
            !checked.card.training.is_empty() && !checked.card.evaluation.is_empty(),
            "{name} does not say enough"
        );
    }
}

#[test]
fn a_shipped_score_is_the_same_with_one_worker_and_with_two() {
    let picture = noise(1_200, 900, 128, 60);
    let llr = |workers| {
        let detector = Detector::load(&settings(workers)).unwrap();
        detector.warm_up().unwrap();
        let started = Instant::now();
        let Detection::Scored(score) = detector.detect(&picture) else {
            panic!("no score")
        };
        println!(
            "{workers} worker(s): {:.0} ms for a picture of 1 MP",
            started.elapsed().as_secs_f64() * 1_000.0
        );
        let native = score
            .models
            .iter()
            .map(|model| model.views[0].logit.value());
        (score.llr.value(), native.collect::<Vec<_>>())
    };
    let (one, two) = (llr(1), llr(2));
    assert!((one.0 - two.0).abs() < 1e-3, "{one:?} {two:?}");
    assert!(
        one.1
            .iter()
            .zip(&two.1)
            .all(|(one, two)| (one - two).abs() < 1e-3),
        "{one:?} {two:?}"
    );
}

/// What an accelerator is given: windows of several pictures in one run.
#[test]
fn a_shipped_score_is_the_same_when_windows_of_several_pictures_run_together() {
    let pictures: Vec<_> = [(1_200, 900), (700, 500), (300, 280)]
        .map(|(width, height)| noise(width, height, 128, 60))
        .into();
    let logits = |batching| {
        let settings = Settings {
            batching,
            ..settings(1)
        };
        let detector = Detector::load(&settings).unwrap();
        thread::scope(|scope| {
            let detect = |picture| detector.detect(picture);
            let running: Vec<_> = pictures
                .iter()
                .map(|picture| scope.spawn(move || detect(picture)))
                .collect();
            let views = |detection| {
                let Detection::Scored(score) = detection else {
                    panic!("no score")
                };
                score.models[0].views.clone()
            };
            let joined = running
                .into_iter()
                .map(|thread| views(thread.join().unwrap()));
            joined
                .flatten()
                .map(|view| view.logit.value())
                .collect::<Vec<_>>()
        })
    };
    let together = Batching {
        most: 5,
        wait: Duration::from_millis(50),
    };
    let (alone, together) = (logits(Batching::NONE), logits(together));
    assert_eq!((alone.len(), together.len()), (6, 6));
    for (alone, together) in alone.iter().zip(&together) {
        assert!((alone - together).abs() < 1e-3, "{alone} {together}");
    }
}

#[test]
fn the_shipped_model_says_where_it_looked_and_noise_has_no_watermark() {
    let picture = noise(1_200, 900, 128, 60);
    let detector = Detector::load(&settings(1)).unwrap();
    let map = detector.heat_map(&picture).unwrap().unwrap();
    let places = (0..900)
        .step_by(8)
        .flat_map(|y| (0..1_200).step_by(8).map(move |x| (x, y)));
    let seen: Vec<f32> = places.filter_map(|(x, y)| map.at(x, y)).collect();
    // Eight windows of 256 pixels that share less than half their area with each other.
    assert!(seen.len() > 4 * 32 * 32, "{}", seen.len());
    assert!(
        seen.iter().any(|logit| *logit != seen[0]),
        "every patch says the same"
    );
    let started = Instant::now();
    assert!(watermarks(&picture).is_empty());
    println!(
        "watermarks: {:.1} ms for a picture of 1 MP",
        started.elapsed().as_secs_f64() * 1_000.0
    );
}
