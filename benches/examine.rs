//! What one examination costs, stage by stage and as a whole, for a 1 MP and a 12 MP JPEG.
//!
//! `cargo xtask bench` measures; `--smoke` runs every stage once, which is how CI keeps this file alive.
//! Before anything is measured the stages are checked to do the real work: the signed picture must come
//! out intact and trusted, and the detector must have looked.

#![allow(clippy::print_stdout, reason = "the table is what a bench is for")]

mod clock;
mod picture;
mod stages;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clock::measure;
use detector::{Batching, Detection, Detector, Provider, Settings};
use media::{Kind, Limits, Media, Name, Picture};
use provenance::keys::{ChainRequest, Secrets, development_chain};
use provenance::{
    Credential, Judge, Profile, SignRequest, Statement, Timestamp, TrustStore, ValidationState,
    Validity, sign,
};
use stages::{Place, Stage, print_table};
use verdict::{DetectorSlot, Examiner, Options, Policy};

/// Width, height and name of the two pictures.
const SIZES: [(u32, u32, &str); 2] = [(1_000, 1_000, "1 MP"), (4_000, 3_000, "12 MP")];

/// Runs of each stage; the stages take turns, so that a slow moment of the machine hits all of them.
const ROUNDS: usize = 25;

/// 2026-11-25T00:00:00Z: signing and judging happen at a fixed time.
const NOW: Timestamp = Timestamp(1_795_564_800);

type Failure = Box<dyn Error>;

fn main() -> ExitCode {
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    match run(if smoke { 1 } else { ROUNDS }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("the bench could not run: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(rounds: usize) -> Result<(), Failure> {
    let bench = Bench::set_up()?;
    bench.describe(rounds);
    for (width, height, name) in SIZES {
        let case = Case::new(&bench, width, height)?;
        case.check(&bench)?;
        let mut stages = case.stages(&bench);
        for _ in 0..rounds {
            for stage in &mut stages {
                stage.run();
            }
        }
        println!(
            "\n{name}: {width} x {height}, {} bytes unsigned, {} signed",
            case.unsigned.len(),
            case.signed.len()
        );
        print_table(&stages);
    }
    Ok(())
}

/// Everything that is loaded once.
struct Bench {
    credential: Credential,
    judge: Judge,
    detector: Detector,
    examiner: Examiner,
    limits: Limits,
}

impl Bench {
    fn set_up() -> Result<Self, Failure> {
        let validity = Validity {
            not_before: NOW,
            // The library signs by this machine's clock, so the certificate has to outlive `NOW` by years.
            not_after: Timestamp(NOW.0 + 20 * 365 * 86_400),
        };
        let request = ChainRequest {
            name: "Bench",
            organisation: "bonafide benches",
            validity,
        };
        let chain = development_chain(&request, &Secrets::random(provenance::Algorithm::Ed25519)?)?;
        let judge = || -> Result<Judge, Failure> {
            let mut trust = TrustStore::bundled()?;
            trust.add_anchors_pem("bench", chain.ca_cert_pem.as_bytes())?;
            Ok(Judge::new(trust)?)
        };
        let limits = Limits::default();
        let slot = DetectorSlot::Ready(load_detector()?);
        Ok(Self {
            credential: Credential::from_pem(
                chain.signer_key_pem.as_bytes(),
                chain.signer_chain_pem.as_bytes(),
            )?,
            judge: judge()?,
            detector: load_detector()?,
            examiner: Examiner::new(judge()?, slot, Policy::default(), limits),
            limits,
        })
    }

    /// What a figure is worth nothing without: the machine, the profile, the provider and the models.
    fn describe(&self, rounds: usize) {
        let profile = if cfg!(debug_assertions) {
            "dev"
        } else {
            "optimised"
        };
        println!("machine: {}, {}", processor(), std::env::consts::ARCH);
        println!(
            "profile: {profile}, {rounds} interleaved rounds, provider {:?}",
            self.detector.provider()
        );
        for card in self.detector.models() {
            println!(
                "model: {}@{} sha256 {}",
                card.name, card.version, card.sha256
            );
        }
    }

    fn open(&self, bytes: Vec<u8>) -> Result<Media, Failure> {
        Ok(Media::from_bytes(
            Name::from_text("bench.jpg"),
            Some(Kind::Jpeg),
            bytes,
            &self.limits,
        )?)
    }
}

/// One picture, unsigned and signed, with what the later stages start from.
struct Case {
    unsigned: Vec<u8>,
    signed: Vec<u8>,
    unsigned_media: Media,
    signed_media: Media,
    picture: Picture,
}

impl Case {
    fn new(bench: &Bench, width: u32, height: u32) -> Result<Self, Failure> {
        let unsigned = picture::jpeg(width, height)?;
        let unsigned_media = bench.open(unsigned.clone())?;
        let profile = Profile::of(Statement::Capture);
        let request = SignRequest::new(&profile, NOW);
        let signed = sign(&unsigned_media, &request, &bench.credential, None)?
            .media
            .into_bytes();
        let signed_media = bench.open(signed.clone())?;
        let picture = unsigned_media.decode(&bench.limits)?;
        Ok(Self {
            unsigned,
            signed,
            unsigned_media,
            signed_media,
            picture,
        })
    }

    /// A bench of work that fails early would look fast.
    fn check(&self, bench: &Bench) -> Result<(), Failure> {
        let detection = bench.detector.detect(&self.picture);
        if !matches!(detection, Detection::Scored(_)) {
            return Err(format!("the detector did not look: {detection:?}").into());
        }
        let provenance = bench.judge.judge(&self.signed_media, None, NOW);
        if provenance.validation_state != Some(ValidationState::Trusted) {
            return Err(format!("the signed picture is not trusted: {provenance:?}").into());
        }
        for media in [&self.unsigned_media, &self.signed_media] {
            if let Some(error) = bench.examiner.examine(media, &Options::at(NOW)).error {
                return Err(format!("the examination failed: {error:?}").into());
            }
        }
        Ok(())
    }

    fn stages<'a>(&'a self, bench: &'a Bench) -> Vec<Stage<'a>> {
        let whole = |bytes: &Vec<u8>| {
            let bytes = bytes.clone();
            measure(|| {
                bench
                    .open(bytes)
                    .map(|media| bench.examiner.examine(&media, &Options::at(NOW)))
            })
            .1
        };
        vec![
            Stage::new("open: hash, kind, header", Place::Both, || {
                let bytes = self.unsigned.clone();
                measure(|| bench.open(bytes)).1
            }),
            Stage::new("provenance, unsigned", Place::Unsigned, || {
                measure(|| bench.judge.judge(&self.unsigned_media, None, NOW)).1
            }),
            Stage::new("provenance, signed", Place::Signed, || {
                measure(|| bench.judge.judge(&self.signed_media, None, NOW)).1
            }),
            Stage::new("decode", Place::Both, || {
                measure(|| self.unsigned_media.decode(&bench.limits)).1
            }),
            Stage::new("inference", Place::Both, || {
                measure(|| bench.detector.detect(&self.picture)).1
            }),
            Stage::new("whole, unsigned", Place::WholeUnsigned, move || {
                whole(&self.unsigned)
            }),
            Stage::new("whole, signed", Place::WholeSigned, move || {
                whole(&self.signed)
            }),
        ]
    }
}

fn load_detector() -> Result<Detector, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let settings = Settings {
        models_dir: root.join("models"),
        runtime: std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from),
        provider: Provider::Cpu,
        workers: 1,
        batching: Batching::NONE,
    };
    let detector = Detector::load(&settings)?;
    detector.warm_up()?;
    Ok(detector)
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| {
        line.strip_prefix("model name")?
            .split_once(": ")
            .map(|(_, name)| name)
    });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{} with {cores} cores", name.unwrap_or("unknown processor"))
}
