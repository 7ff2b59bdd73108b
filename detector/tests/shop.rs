//! What the tests share: a folder of models, pictures, and the runtime that set-up installed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use detector::{Batching, Detector, DetectorError, Provider, Settings};
use media::{Digest, Picture};
use tempfile::TempDir;

use crate::onnx::{FLOAT, Graph, OPEN, UINT8, integer, integers};

/// Window side of every test model.
pub(crate) const SIDE: u32 = 64;

/// The library that `cargo xtask setup` installs, or the one `ORT_DYLIB_PATH` names.
///
/// Panics when there is none: a skipped test would look like a passed one.
pub(crate) fn runtime() -> PathBuf {
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH") {
        return path.into();
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/onnxruntime");
    let libraries = fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path());
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libonnxruntime.") && (name.contains(".so") || name.contains(".dylib"))
    };
    libraries
        .into_iter()
        .find(named)
        .expect("no ONNX Runtime: run `cargo xtask setup` or set ORT_DYLIB_PATH")
}

/// A folder of models, removed with the value.
pub(crate) struct Shop(TempDir);

impl Shop {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub(crate) fn with(name: &str, model: &[u8], input: &str) -> Self {
        let shop = Self::new();
        shop.install(name, model, input, "");
        shop
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes the model and a card whose `[input]` table ends with `input` and whose calibration ends with `rates`.
    pub(crate) fn install(&self, name: &str, model: &[u8], input: &str, rates: &str) {
        fs::write(self.path().join(format!("{name}.onnx")), model).unwrap();
        fs::write(
            self.path().join(format!("{name}.toml")),
            card(name, Digest::of(model), input, rates),
        )
        .unwrap();
    }

    pub(crate) fn settings(&self, workers: usize) -> Settings {
        Settings {
            models_dir: self.path().into(),
            runtime: Some(runtime()),
            provider: Provider::Cpu,
            workers,
            batching: Batching::NONE,
        }
    }

    pub(crate) fn load(&self) -> Result<Detector, DetectorError> {
        Detector::load(&self.settings(1))
    }

    pub(crate) fn detector(&self) -> Detector {
        self.load().unwrap()
    }

    /// The error of a folder that must not load.
    pub(crate) fn refusal(&self) -> DetectorError {
        self.load().expect_err("the folder was accepted")
    }
}

fn card(name: &str, digest: Digest, input: &str, rates: &str) -> String {
    format!(
        r#"
name = "{name}"
version = "0.1.0"
task = "synthetic_image"
file = "{name}.onnx"
sha256 = "{digest}"
license = "CC0-1.0"
description = "A graph of a few operators, for tests."
[input]
name = "x"
{input}
[output]
logit = "logit"
[calibration]
slope = 1.0
intercept = 0.0
real_pictures = 999
synthetic_pictures = 999
{rates}
"#
    )
}

/// `[input]` of a model that takes bytes.
pub(crate) const BYTES: &str = "element = \"uint8\"\nlayout = \"nhwc\"\nside_px = 64";

/// `[input]` of a model that takes normalised planes.
pub(crate) const PLANES: &str = "element = \"float32\"\nlayout = \"nchw\"\nside_px = 64\nmean = [0.5, 0.5, 0.5]\nstd = [0.25, 0.25, 0.25]";

fn bytes_in() -> Graph {
    let side = SIDE.into();
    Graph::new("x", UINT8, &[OPEN, side, side, 3]).node(
        "Cast",
        &["x"],
        "f",
        &[integer("to", FLOAT)],
    )
}

fn mean(graph: Graph, of: &str, output: &str) -> Graph {
    graph.node(
        "ReduceMean",
        &[of],
        output,
        &[integers("axes", &[1, 2, 3]), integer("keepdims", 0)],
    )
}

/// Logit: (mean of all bytes - 128) / 16.
pub(crate) fn brightness() -> Vec<u8> {
    mean(bytes_in(), "f", "m")
        .weight("grey", 128.0)
        .weight("unit", 1.0 / 16.0)
        .node("Sub", &["m", "grey"], "d", &[])
        .node("Mul", &["d", "unit"], "logit", &[])
        .output("logit", FLOAT, &[OPEN])
        .build()
}

/// Logit: mean squared distance from grey, over 1,000.
pub(crate) fn contrast() -> Vec<u8> {
    let squares = bytes_in()
        .weight("grey", 128.0)
        .weight("unit", 1e-3)
        .node("Sub", &["f", "grey"], "d", &[])
        .node("Mul", &["d", "d"], "s", &[]);
    mean(squares, "s", "m")
        .node("Mul", &["m", "unit"], "logit", &[])
        .output("logit", FLOAT, &[OPEN])
        .build()
}

/// Logit: mean of the normalised planes.
pub(crate) fn planes() -> Vec<u8> {
    let side = SIDE.into();
    mean(Graph::new("x", FLOAT, &[1, 3, side, side]), "x", "logit")
        .output("logit", FLOAT, &[1])
        .build()
}

/// Logit: the root of a negative number.
pub(crate) fn not_a_number() -> Vec<u8> {
    let negative = mean(bytes_in(), "f", "m").node("Neg", &["m"], "n", &[]);
    negative
        .node("Sqrt", &["n"], "logit", &[])
        .output("logit", FLOAT, &[OPEN])
        .build()
}

/// Grey noise around `level`, up to `strength` to either side; the same for the same arguments.
pub(crate) fn noise(width: u32, height: u32, level: u8, strength: u8) -> Picture {
    let mut state = 7_u32;
    let length = usize::try_from(width * height * 3).unwrap();
    let bytes = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [high, ..] = state.to_be_bytes();
        level - strength + high % (2 * strength + 1)
    });
    Picture::new(width, height, bytes.take(length).collect()).unwrap()
}

/// Mean of all bytes.
pub(crate) fn mean_of(picture: &Picture) -> f64 {
    let sum: u32 = picture.rgb().iter().map(|byte| u32::from(*byte)).sum();
    f64::from(sum) / f64::from(u32::try_from(picture.rgb().len()).unwrap())
}
