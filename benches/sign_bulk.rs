//! Signing a folder of pictures: 1,000 different JPEGs of 200 to 400 KB with the profile `photo`, on as
//! many threads as there are cores, without a time stamp.
//!
//! Measured twice: from bytes to verified bytes in this process, and by the real command from a folder to
//! a folder, with every file read back, flushed to the disk and renamed. `cargo xtask bench` measures;
//! `--smoke` signs a few files by both ways, which is how CI keeps this file alive. Every result is looked
//! at again before a figure is printed.

#![allow(clippy::print_stdout, reason = "the figures are what a bench is for")]

mod picture;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use media::{Kind, Limits, Media, Name};
use provenance::keys::{ChainRequest, DevelopmentChain, Secrets, development_chain};
use provenance::{
    Content, Credential, Judge, Profile, SignRequest, Timestamp, TrustStore, ValidationState,
    Validity, sign,
};

/// Files signed in a full run.
const FILES: usize = 1_000;

/// Sides of the pictures that the files are made of; at this size and quality they come to 200 to 400 KB.
const SIDES: [u32; 5] = [920, 980, 1_040, 1_100, 1_160];

/// What a file may weigh.
const BYTES: std::ops::RangeInclusive<usize> = 200_000..=400_000;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let smoke = std::env::args().any(|argument| argument == "--smoke");
    match run(if smoke { 10 } else { FILES }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("the bench could not run: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(files: usize) -> Result<(), Failure> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let bench = Bench::set_up(files)?;
    let bytes: usize = bench.files.iter().map(Vec::len).sum();
    println!(
        "{} with {threads} cores, profile {}: {files} JPEGs, {:.0} KB on average, photo, Ed25519",
        processor(),
        if cfg!(debug_assertions) {
            "dev"
        } else {
            "optimised"
        },
        as_f64(bytes / files) / 1_000.0,
    );
    let (cost, manifest_bytes) = bench.in_process(threads)?;
    cost.report("in process, bytes to verified bytes", files);
    println!("manifest: {manifest_bytes} bytes a file");
    let cost = bench.command(threads)?;
    cost.report("the command, folder to folder", files);
    Ok(())
}

/// A signer, and pictures that differ from each other in one comment.
struct Bench {
    chain: DevelopmentChain,
    credential: Credential,
    judge: Judge,
    files: Vec<Vec<u8>>,
    now: Timestamp,
}

impl Bench {
    fn set_up(files: usize) -> Result<Self, Failure> {
        let now = now()?;
        let validity = Validity {
            not_before: Timestamp(now.0 - 86_400),
            not_after: Timestamp(now.0 + 86_400),
        };
        let request = ChainRequest {
            name: "Bench",
            organisation: "bonafide benches",
            validity,
        };
        let chain = development_chain(&request, &Secrets::random(provenance::Algorithm::Ed25519)?)?;
        let mut trust = TrustStore::empty();
        trust.add_anchors_pem("bench", chain.ca_cert_pem.as_bytes())?;
        let key = chain.signer_key_pem.as_bytes();
        Ok(Self {
            credential: Credential::from_pem(key, chain.signer_chain_pem.as_bytes())?,
            judge: Judge::new(trust)?,
            files: pictures(files)?,
            chain,
            now,
        })
    }

    /// Opens, signs and verifies every file; what it cost, and the size of the largest manifest.
    fn in_process(&self, threads: usize) -> Result<(Cost, usize), Failure> {
        let profile = Profile::shipped("photo")?;
        let next = AtomicUsize::new(0);
        let work = || -> Result<usize, Failure> {
            let mut largest = 0;
            while let Some(bytes) = self.files.get(next.fetch_add(1, Ordering::Relaxed)) {
                let media = open(bytes.clone())?;
                let request = SignRequest::new(&profile, self.now);
                let signed = sign(&media, &request, &self.credential, None)?;
                largest = largest.max(signed.manifest.len());
            }
            Ok(largest)
        };
        let meter = Meter::start();
        let largest: Result<Vec<usize>, Failure> = thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            workers
                .into_iter()
                .map(|worker| worker.join().map_err(|_| "a thread panicked")?)
                .collect()
        });
        let cost = meter.stop();
        Ok((cost, largest?.into_iter().max().unwrap_or_default()))
    }

    /// Runs the command over a folder, and judges what it wrote.
    fn command(&self, threads: usize) -> Result<Cost, Failure> {
        let folder = tempfile::tempdir()?;
        let [source, out] = ["in", "out"].map(|name| folder.path().join(name));
        fs::create_dir(&source)?;
        for (number, bytes) in self.files.iter().enumerate() {
            fs::write(source.join(format!("{number}.jpg")), bytes)?;
        }
        let [key, chain] = ["key.pem", "chain.pem"].map(|name| folder.path().join(name));
        write_key(&key, self.chain.signer_key_pem.as_bytes())?;
        fs::write(&chain, &self.chain.signer_chain_pem)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_bonafide"));
        command
            .args(["sign", "--profile", "photo", "--jobs"])
            // Two for each core: while one waits for the disk, the other signs.
            .arg(threads.saturating_mul(2).to_string())
            .arg("--key")
            .args([&key, Path::new("--chain"), &chain])
            .args([Path::new("--out"), &out, &source])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let meter = Meter::start();
        let status = command.status()?;
        let cost = meter.stop();
        if !status.success() {
            return Err(format!("the command ended with {status}").into());
        }
        self.check(&out)?;
        Ok(cost)
    }

    /// Signing that fails would look fast.
    fn check(&self, out: &Path) -> Result<(), Failure> {
        let mut checked = 0;
        for entry in files_below(out)? {
            let media = open(fs::read(&entry)?)?;
            let found = self.judge.judge(&media, None, self.now);
            let trusted = found.validation_state == Some(ValidationState::Trusted);
            if found.content != Content::Intact || !trusted {
                return Err(format!("{} does not hold: {found:?}", entry.display()).into());
            }
            checked += 1;
        }
        if checked != self.files.len() {
            return Err(format!("{checked} of {} files were signed", self.files.len()).into());
        }
        Ok(())
    }
}

/// Files of different bytes and the sizes that [`BYTES`] allows.
fn pictures(count: usize) -> Result<Vec<Vec<u8>>, Failure> {
    let mut kinds = Vec::new();
    for side in SIDES {
        kinds.push(picture::jpeg(side, side)?);
    }
    let mut files = Vec::new();
    for number in 0..count {
        let base = kinds.get(number % kinds.len()).ok_or("no picture")?;
        let comment = format!("picture {number:012}");
        let length = u16::try_from(comment.len() + 2)?;
        let (start, rest) = base.split_at(2);
        let file = [
            start,
            b"\xff\xfe",
            &length.to_be_bytes(),
            comment.as_bytes(),
            rest,
        ]
        .concat();
        if !BYTES.contains(&file.len()) {
            return Err(format!("a picture has {} bytes", file.len()).into());
        }
        files.push(file);
    }
    Ok(files)
}

fn files_below(folder: &Path) -> Result<Vec<std::path::PathBuf>, Failure> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(folder) {
        let entry = entry?;
        if entry.file_type().is_file() {
            found.push(entry.into_path());
        }
    }
    Ok(found)
}

fn write_key(path: &Path, pem: &[u8]) -> Result<(), Failure> {
    fs::write(path, pem)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

fn open(bytes: Vec<u8>) -> Result<Media, Failure> {
    let name = Name::from_text("bench.jpg");
    Ok(Media::from_bytes(
        name,
        Some(Kind::Jpeg),
        bytes,
        &Limits::default(),
    )?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command reads the clock, and its certificates must be valid then"
)]
fn now() -> Result<Timestamp, Failure> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(Timestamp(i64::try_from(since.as_secs())?))
}

/// Wall time, and CPU time of this process and of children that have ended, which alone repeats on a
/// machine that others use too.
struct Meter {
    start: Instant,
    cpu: Option<Duration>,
}

struct Cost {
    wall: Duration,
    cpu: Option<Duration>,
}

impl Meter {
    fn start() -> Self {
        Self {
            start: Instant::now(),
            cpu: cpu(),
        }
    }

    fn stop(self) -> Cost {
        let cpu = cpu().zip(self.cpu);
        Cost {
            wall: self.start.elapsed(),
            cpu: cpu.map(|(after, before)| after.saturating_sub(before)),
        }
    }
}

impl Cost {
    fn report(&self, what: &str, files: usize) {
        let wall = self.wall.as_secs_f64();
        let rate = as_f64(files) / wall;
        print!("{what}: {wall:.2} s wall, {rate:.0} files/s");
        match self.cpu {
            Some(cpu) => println!(
                ", {:.2} s CPU, {:.2} ms a file",
                cpu.as_secs_f64(),
                cpu.as_secs_f64() * 1_000.0 / as_f64(files)
            ),
            None => println!(),
        }
    }
}

/// In hundredths of a second, as Linux counts them in `/proc`; `None` elsewhere.
fn cpu() -> Option<Duration> {
    let text = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program stands in brackets and may hold anything.
    let fields = text.rsplit(')').next()?.split_whitespace().skip(11).take(4);
    let ticks: Result<Vec<u64>, _> = fields.map(str::parse).collect();
    Some(Duration::from_millis(
        ticks.ok()?.into_iter().sum::<u64>() * 10,
    ))
}

fn as_f64(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| {
        line.strip_prefix("model name")?
            .split_once(": ")
            .map(|(_, name)| name)
    });
    name.unwrap_or("unknown processor").to_owned()
}
