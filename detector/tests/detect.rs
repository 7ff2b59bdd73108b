//! Pictures in, odds out.

use std::{thread, time::Duration};

use detector::{
    Applicability, Batching, Detection, Detector, Failure, Inapplicable, Provider, Score, Settings,
};
use media::{Digest, Picture};

use crate::shop::{
    BYTES, PLANES, SIDE, Shop, brightness, contrast, mean_of, noise, not_a_number, planes,
};

fn score(detector: &Detector, picture: &Picture) -> Score {
    let detection = detector.detect(picture);
    let Detection::Scored(score) = detection else {
        panic!("{detection:?}")
    };
    score
}

/// View names and logits of the first model.
fn views(score: &Score) -> Vec<(&'static str, f64)> {
    score.models[0]
        .views
        .iter()
        .map(|view| (view.name, view.logit.value().into()))
        .collect()
}

fn close(a: impl Into<f64>, b: impl Into<f64>) {
    let (a, b) = (a.into(), b.into());
    assert!((a - b).abs() < 1e-3, "{a} is not {b}");
}

#[test]
fn the_very_pixels_reach_a_model_that_takes_bytes() {
    let model = brightness();
    let detector = Shop::with("bright", &model, BYTES).detector();
    let picture = noise(128, 128, 150, 40);
    let score = score(&detector, &picture);
    let reading = &score.models[0];
    assert_eq!(
        (reading.name.as_str(), reading.version.as_str()),
        ("bright", "0.1.0")
    );
    assert_eq!(
        (reading.digest, reading.provider),
        (Digest::of(&model), Provider::Cpu)
    );
    assert_eq!(reading.applicability, Applicability::InDomain);
    // The windows of noise differ in the mean by a fraction of a grey level.
    let expected = (mean_of(&picture) - 128.0) / 16.0;
    let views = views(&score);
    assert_eq!(
        views.iter().map(|view| view.0).collect::<Vec<_>>(),
        ["native", "web"]
    );
    for (_, logit) in &views {
        assert!(
            (logit - expected).abs() < 0.05,
            "{logit} is not near {expected}"
        );
    }
    close(score.llr.value(), views[0].1);
    close(score.probability.value(), 1.0 / (1.0 + (-views[0].1).exp()));
    assert_eq!(score.false_alarm_rate, None);
}

#[test]
fn a_model_that_takes_planes_gets_them_normalised() {
    let detector = Shop::with("planes", &planes(), PLANES).detector();
    let one = window(&noise(128, 128, 150, 40));
    let expected = (mean_of(&one) / 255.0 - 0.5) / 0.25;
    let tiled = tile(&one);
    close(views(&score(&detector, &tiled))[0].1, expected);
}

/// The top left window of a picture.
fn window(picture: &Picture) -> Picture {
    let (width, side) = (
        usize::try_from(picture.width()).unwrap() * 3,
        usize::try_from(SIDE).unwrap(),
    );
    let rows = picture.rgb().chunks_exact(width).take(side);
    Picture::new(
        SIDE,
        SIDE,
        rows.flat_map(|row| &row[..side * 3]).copied().collect(),
    )
    .unwrap()
}

/// The window twice in either direction, so that every window of the picture holds each pixel once.
fn tile(window: &Picture) -> Picture {
    let row = usize::try_from(window.width()).unwrap() * 3;
    let wide: Vec<u8> = window
        .rgb()
        .chunks_exact(row)
        .flat_map(|row| [row, row].concat())
        .collect();
    Picture::new(
        window.width() * 2,
        window.height() * 2,
        [wide.clone(), wide].concat(),
    )
    .unwrap()
}

/// A graph that takes one window only, and one bad window among good ones.
#[test]
fn together_or_alone_every_window_gets_its_own_answer() {
    let batching = Batching {
        most: 16,
        wait: Duration::from_millis(50),
    };
    for (name, model, input) in [
        ("bright", brightness(), BYTES),
        ("planes", planes(), PLANES),
    ] {
        let shop = Shop::with(name, &model, input);
        let picture = noise(700, 500, 128, 100);
        let alone = score(&shop.detector(), &picture);
        let settings = Settings {
            batching,
            ..shop.settings(1)
        };
        let together = score(&Detector::load(&settings).unwrap(), &picture);
        assert_eq!(views(&alone).len(), views(&together).len());
        for (one, other) in views(&alone).iter().zip(views(&together)) {
            close(one.1, other.1);
        }
    }
}

#[test]
fn the_same_picture_gets_the_same_score_twice_and_with_any_number_of_workers() {
    let shop = Shop::with("contrast", &contrast(), BYTES);
    let picture = noise(700, 500, 128, 100);
    let one = Detector::load(&shop.settings(1)).unwrap();
    let two = Detector::load(&shop.settings(2)).unwrap();
    let first = score(&one, &picture);
    for again in [
        score(&one, &picture),
        score(&two, &picture),
        score(&two, &picture),
    ] {
        close(again.llr.value(), first.llr.value());
        for (again, first) in views(&again).into_iter().zip(views(&first)) {
            close(again.1, first.1);
        }
    }
}

#[test]
fn many_threads_may_ask_at_once_and_each_gets_its_own_answer() {
    let shop = Shop::with("bright", &brightness(), BYTES);
    let detector = Detector::load(&shop.settings(2)).unwrap();
    thread::scope(|scope| {
        for level in (60..200_u8).step_by(10) {
            let detector = &detector;
            scope.spawn(move || {
                let picture = noise(200, 200, level, 30);
                let expected = (mean_of(&picture) - 128.0) / 16.0;
                let logit = views(&score(detector, &picture))[0].1;
                assert!(
                    (logit - expected).abs() < 0.1,
                    "{logit} is not near {expected}"
                );
            });
        }
    });
}

#[test]
fn two_models_are_averaged_and_both_are_shown() {
    let shop = Shop::new();
    shop.install(
        "bright",
        &brightness(),
        BYTES,
        "false_alarm = [{ llr = 0.0, rate = 0.1 }]",
    );
    shop.install(
        "contrast",
        &contrast(),
        BYTES,
        "false_alarm = [{ llr = 0.0, rate = 0.2 }]",
    );
    let detector = shop.detector();
    let names: Vec<_> = detector
        .models()
        .iter()
        .map(|card| card.name.as_str())
        .collect();
    assert_eq!(names, ["bright", "contrast"]);
    let score = score(&detector, &noise(128, 128, 150, 40));
    let llr = |index: usize| f64::from(score.models[index].llr.unwrap().value());
    close(score.llr.value(), (llr(0) + llr(1)) / 2.0);
    close(score.false_alarm_rate.unwrap(), 0.3);
    close(score.models[1].false_alarm_rate.unwrap(), 0.2);
}

#[test]
fn a_score_that_delivery_changes_is_capped() {
    let detector = Shop::with("contrast", &contrast(), BYTES).detector();
    // Noise of one pixel is averaged away when the picture is shrunk.
    let score = score(&detector, &noise(1_100, 1_100, 128, 120));
    let views = views(&score);
    assert!(views[0].1 > views[1].1 + 2.0, "{views:?}");
    assert_eq!(score.llr.value(), 1.0);
}

#[test]
fn pictures_outside_the_domain_get_no_score() {
    let detector = Shop::with("bright", &brightness(), BYTES).detector();
    let check = |picture: Picture, expected| {
        assert_eq!(
            detector.detect(&picture),
            Detection::NotApplicable(Inapplicable::Domain(expected))
        );
    };
    check(noise(127, 400, 100, 40), Applicability::Tiny);
    check(noise(1, 1, 100, 40), Applicability::Tiny);
    check(noise(128, 1_100, 100, 40), Applicability::ExtremeAspect);
    check(
        Picture::new(512, 512, vec![0; 512 * 512 * 3]).unwrap(),
        Applicability::Flat,
    );
    assert!(matches!(
        detector.detect(&noise(128, 1_024, 100, 40)),
        Detection::Scored(_)
    ));
}

#[test]
fn a_number_that_is_not_finite_is_a_failure_and_never_a_score() {
    let detector = Shop::with("nan", &not_a_number(), BYTES).detector();
    assert_eq!(
        detector.detect(&noise(128, 128, 100, 40)),
        Detection::Failed(Failure::NotFinite)
    );
    assert_eq!(detector.warm_up().unwrap_err().code(), "not_finite");
}

#[test]
fn warming_up_runs_every_model() {
    let shop = Shop::with("bright", &brightness(), BYTES);
    shop.install("planes", &planes(), PLANES, "");
    let detector = shop.detector();
    detector.warm_up().unwrap();
    assert_eq!(detector.provider(), Provider::Cpu);
}
