//! "Bring your own model" with a public network that was not made for this program.

use std::{fs, path::Path};

use detector::{Detection, check_models};
use media::Digest;

use crate::shop::{Shop, noise};

/// Where the public FerretNet-S lies when the data sets are there.
const PEER: &str = "../../shared/data/peers/ferretnet-s.onnx";

const INPUT: &str = r#"element = "float32"
layout = "nchw"
side_px = 256
mean = [0.48145466, 0.4578275, 0.40821073]
std = [0.26862954, 0.26130258, 0.27577711]"#;

#[test]
fn a_public_detector_runs_with_nothing_but_a_card() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PEER);
    let Ok(model) = fs::read(&path) else {
        println!("SKIPPED: the peer model is not here");
        return;
    };
    let shop = Shop::with("peer", &model, INPUT);
    let checked = check_models(&shop.settings(1)).unwrap();
    let checked = checked[0].1.as_ref().unwrap();
    println!("FerretNet-S: {:.1} ms per window", checked.window_ms);
    assert_eq!(checked.digest, Digest::of(&model));
    let detector = shop.detector();
    let Detection::Scored(score) = detector.detect(&noise(600, 400, 128, 60)) else {
        panic!("no score")
    };
    assert_eq!(score.models[0].views.len(), 2);
}
