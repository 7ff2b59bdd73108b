//! Reading a folder of signed pictures with every list loaded: our judge against the plain c2pa reader
//! with the same lists, file by file in turn, in one run.
//!
//! `cargo bench -p provenance` uses `../shared/corpus` where it is; else pictures signed here. `--smoke`
//! goes through the files once.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::disallowed_methods,
    reason = "a bench"
)]

use std::{fs, hint::black_box, io::Cursor, path::PathBuf, sync::Arc, time::Instant};

use media::{Kind, Limits, Media, Name};
use provenance::{
    Credential, Judge, Profile, SignRequest, Statement, Timestamp, TrustStore, Validity,
    keys::{ChainRequest, Secrets, development_chain},
    sign,
};

fn main() {
    let rounds = if std::env::args().any(|argument| argument == "--smoke") {
        1
    } else {
        15
    };
    let judge = Judge::new(TrustStore::bundled().unwrap()).unwrap();
    let now = now();
    let plain = plain_context();
    let bare = Arc::new(c2pa::Context::new());
    let (mut ours, mut theirs, mut without) = (Vec::new(), Vec::new(), Vec::new());
    let pictures = pictures();
    once(&pictures, now);
    for media in &pictures {
        let mut best = [f64::INFINITY; 3];
        for _ in 0..rounds {
            let costs = [
                milliseconds(|| drop(black_box(judge.judge(media, None, now)))),
                milliseconds(|| read_plainly(&plain, media)),
                milliseconds(|| read_plainly(&bare, media)),
            ];
            for (best, cost) in best.iter_mut().zip(costs) {
                *best = best.min(cost);
            }
        }
        ours.push(best[0]);
        theirs.push(best[1]);
        without.push(best[2]);
    }
    println!("plain reader without lists {:.2} ms", median(&mut without));
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    println!(
        "median CPU per file: judge {ours:.2} ms, plain reader {theirs:.2} ms, ratio {:.2}",
        theirs / ours
    );
    unsigned(&judge, now, rounds);
}

/// Every file once, by a judge that has seen no file before: what chains and authorities cost when they
/// are met for the first time is in it.
fn once(pictures: &[Media], now: Timestamp) {
    let judge = Judge::new(TrustStore::bundled().unwrap()).unwrap();
    let costs = pictures
        .iter()
        .map(|media| milliseconds(|| drop(black_box(judge.judge(media, None, now)))));
    let mut costs: Vec<f64> = costs.collect();
    println!(
        "median of one pass by a new judge {:.2} ms",
        median(&mut costs)
    );
}

/// The clock's time, which the library reads as well.
fn now() -> Timestamp {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    Timestamp(i64::try_from(since.as_secs()).unwrap())
}

/// An unsigned JPEG of 2 MB against hashing and scanning its bytes.
fn unsigned(judge: &Judge, now: Timestamp, rounds: usize) {
    let mut bytes = jpeg(64);
    let scan = bytes.split_off(bytes.len() - 2);
    bytes.resize((2 << 20) - 2, 0x55);
    bytes.extend(scan);
    let media = open("unsigned.jpg", bytes.clone());
    let (mut judged, mut floor) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..rounds.saturating_mul(4) {
        judged = judged.min(milliseconds(|| {
            let media = open("unsigned.jpg", bytes.clone());
            drop(black_box(judge.judge(&media, None, now)));
        }));
        floor = floor.min(milliseconds(|| {
            let copy = black_box(bytes.clone());
            black_box(media::Digest::of(&copy));
            black_box(copy.iter().filter(|byte| **byte == 0xff).count());
        }));
    }
    let _ = media;
    println!(
        "unsigned 2 MB JPEG: open and judge {judged:.2} ms, hash and scan {floor:.2} ms, ratio {:.2}",
        judged / floor
    );
}

fn read_plainly(context: &Arc<c2pa::Context>, media: &Media) {
    let reader = c2pa::Reader::from_shared_context(context);
    let stream = Cursor::new(media.bytes());
    let _ = black_box(reader.with_stream(media.kind.mime(), stream));
}

/// CPU time of this thread where the kernel tells, else wall time.
fn milliseconds(work: impl FnOnce()) -> f64 {
    let (cpu, start) = (thread_cpu_ms(), Instant::now());
    work();
    match (cpu, thread_cpu_ms()) {
        (Some(before), Some(after)) => after - before,
        _ => start.elapsed().as_secs_f64() * 1_000.0,
    }
}

/// The kernel adds up a thread's time when it leaves the CPU, so it leaves it for a moment.
fn thread_cpu_ms() -> Option<f64> {
    std::thread::yield_now();
    let text = fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(text.split(' ').next()?.parse::<f64>().ok()? / 1e6)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The same lists as the judge's, given to the library in its own way.
fn plain_context() -> Arc<c2pa::Context> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("trust");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let settings = serde_json::json!({
        "trust": {
            "trust_config": read("interim-store.cfg"),
            "anchors": [
                { "trust_anchors": read("c2pa-trust-list.pem"), "trust_uri": "c2pa", "trust_kind": "manifest" },
                { "trust_anchors": read("c2pa-tsa-trust-list.pem"), "trust_uri": "tsa", "trust_kind": "tsa" },
                { "trust_anchors": read("interim-anchors.pem"), "trust_uri": "interim", "trust_kind": "manifest",
                  "allowed_list": read("interim-allowed.pem") },
            ],
        },
        "verify": { "remote_manifest_fetch": false },
    });
    let context = c2pa::Context::new()
        .with_settings(settings.to_string().as_str())
        .unwrap();
    Arc::new(context)
}

/// The corpus's JPEG and PNG files under 2 MB, or a few signed here.
fn pictures() -> Vec<Media> {
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus/c2pa/files");
    let Ok(entries) = fs::read_dir(corpus) else {
        println!("../shared/corpus is not here: using pictures signed for the occasion");
        return (8..16).map(signed).collect();
    };
    let mut files: Vec<Media> = entries
        .filter_map(|entry| Media::open(&entry.ok()?.path(), &Limits::default()).ok())
        .filter(|media| {
            matches!(media.kind, Kind::Jpeg | Kind::Png) && media.bytes().len() < 2 << 20
        })
        .collect();
    files.sort_by(|a, b| a.name.display.cmp(&b.name.display));
    println!("{} files of ../shared/corpus", files.len());
    files
}

fn signed(size: u32) -> Media {
    let validity = Validity {
        not_before: Timestamp(1_700_000_000),
        not_after: Timestamp(1_900_000_000),
    };
    let request = ChainRequest {
        name: "Bench",
        organisation: "Bench",
        validity,
    };
    let chain = development_chain(&request, &Secrets::dangerous_fixed([1; 32], [2; 32])).unwrap();
    let key = chain.signer_key_pem.as_bytes();
    let credential = Credential::from_pem(key, chain.signer_chain_pem.as_bytes()).unwrap();
    let profile = Profile::of(Statement::Capture);
    let request = SignRequest::new(&profile, Timestamp(1_780_000_000));
    let signed = sign(&open("a.jpg", jpeg(size * 16)), &request, &credential, None).unwrap();
    signed.media
}

fn open(name: &str, bytes: Vec<u8>) -> Media {
    Media::from_bytes(Name::from_text(name), None, bytes, &Limits::default()).unwrap()
}

fn jpeg(side: u32) -> Vec<u8> {
    let pixels = image::RgbImage::from_fn(side, side, |x, y| {
        image::Rgb([(x * y) as u8, x as u8, y as u8])
    });
    let mut bytes = Cursor::new(Vec::new());
    pixels
        .write_to(&mut bytes, image::ImageFormat::Jpeg)
        .unwrap();
    bytes.into_inner()
}
