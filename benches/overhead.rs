//! What the service costs beyond the examination itself: the same examiner asked in this process and over
//! HTTP, in turns, for a 1 MP JPEG.
//!
//! The cost of the service is everything between an upload's first byte and its verdict: reading, hashing, the
//! durable write of bytes and job, the queue, the store, the answer. The sender runs in the same process and is
//! counted with it, so the figure is an upper bound. `--smoke` runs one round.

#![allow(clippy::print_stdout, reason = "the figures are what a bench is for")]

mod clock;
mod picture;

use std::{
    collections::BTreeMap,
    error::Error,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};

use clock::{Cost, measure};
use detector::{Batching, Detector, Provider, Settings};
use media::{Kind, Limits, Media, Name};
use provenance::{Judge, Timestamp, TrustStore};
use server::{DataFolder, ExaminerCell, ServeSettings, Service};
use tokio::{runtime::Runtime, sync::oneshot};
use verdict::{DetectorSlot, Examiner, Options, Policy};

type Failure = Box<dyn Error>;

/// Runs of each, in turns, so that a slow moment of the machine hits both.
const ROUNDS: u32 = 40;

/// 2026-11-25T00:00:00Z.
const NOW: Timestamp = Timestamp(1_795_564_800);

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

fn run(rounds: u32) -> Result<(), Failure> {
    let examiner = Arc::new(examiner()?);
    let pictures = Pictures(picture::jpeg(1_000, 1_000)?);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let (address, stop) = serve(&runtime, &examiner)?;
    // Once each for what is only made on first use.
    upload(address, &pictures.number(0))?;
    examine(&examiner, pictures.number(1))?;
    let (mut inside, mut over) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        let (one, other) = (pictures.number(2 * round), pictures.number(2 * round + 1));
        let (done, cost) = measure(|| examine(&examiner, one));
        done?;
        inside.push(cost);
        let (done, cost) = measure(|| upload(address, &other));
        done?;
        over.push(cost);
    }
    let _ = stop.send(());
    print(rounds, &mut inside, &mut over);
    runtime.shutdown_timeout(Duration::from_secs(5));
    Ok(())
}

fn print(rounds: u32, inside: &mut [Cost], over: &mut [Cost]) {
    let middle = |costs: &mut [Cost]| {
        costs.sort();
        let cost = costs[costs.len() / 2];
        cost.cpu.unwrap_or(cost.wall).as_secs_f64() * 1_000.0
    };
    let (inside, over) = (middle(inside), middle(over));
    let profile = if cfg!(debug_assertions) {
        "dev"
    } else {
        "optimised"
    };
    println!(
        "1 MP JPEG, medians of {rounds} rounds in turns, CPU of the whole process, profile {profile}"
    );
    println!("  Examiner in process  {inside:>8.2} ms");
    println!("  over HTTP            {over:>8.2} ms");
    println!(
        "  the service's share  {:>8.2} ms, {:.1} %",
        over - inside,
        (over / inside - 1.0) * 100.0
    );
}

/// A JPEG that can be had in any number of versions which decode alike and differ in a comment.
struct Pictures(Vec<u8>);

impl Pictures {
    fn number(&self, number: u32) -> Vec<u8> {
        let (start, rest) = self.0.split_at(2);
        [start, &[0xff, 0xfe, 0, 6], &number.to_be_bytes(), rest].concat()
    }
}

fn examine(examiner: &Examiner, bytes: Vec<u8>) -> Result<(), Failure> {
    let name = Name::from_text("bench.jpg");
    let media = Media::from_bytes(name, Some(Kind::Jpeg), bytes, examiner.limits())?;
    let report = examiner.examine(&media, &Options::at(NOW));
    match report.error {
        None => Ok(()),
        Some(error) => Err(format!("the examination failed: {error:?}").into()),
    }
}

/// Sends one upload and waits for its verdict.
fn upload(address: SocketAddr, bytes: &[u8]) -> Result<(), Failure> {
    let head = format!(
        "POST /v1/analyses?name=bench.jpg HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nPrefer: wait=30\r\n\
         Content-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
        bytes.len()
    );
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(head.as_bytes())?;
    stream.write_all(bytes)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.starts_with("HTTP/1.1 201 ") && answer.contains("\"status\":\"done\"") {
        true => Ok(()),
        false => Err(format!("no verdict: {}", answer.lines().next().unwrap_or_default()).into()),
    }
}

fn serve(
    runtime: &Runtime,
    examiner: &Arc<Examiner>,
) -> Result<(SocketAddr, oneshot::Sender<()>), Failure> {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let settings = ServeSettings::new(listen, 1, || NOW);
    let cell = Arc::new(ExaminerCell::new(Arc::clone(examiner)));
    let service = runtime.block_on(Service::bind(
        cell,
        DataFolder::temporary()?,
        BTreeMap::new(),
        settings,
    ))?;
    let address = service.address();
    let (stop, stopped) = oneshot::channel();
    runtime.spawn(service.run(async {
        // An error says that the bench ended early; then the service ends as well.
        let _ = stopped.await;
    }));
    Ok((address, stop))
}

fn examiner() -> Result<Examiner, Failure> {
    let detector = Detector::load(&Settings {
        models_dir: Path::new(env!("CARGO_MANIFEST_DIR")).join("models"),
        runtime: std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from),
        provider: Provider::Cpu,
        workers: 1,
        batching: Batching::NONE,
    })?;
    detector.warm_up()?;
    let judge = Judge::new(TrustStore::bundled()?)?;
    let slot = DetectorSlot::Ready(detector);
    Ok(Examiner::new(
        judge,
        slot,
        Policy::default(),
        Limits::default(),
    ))
}
