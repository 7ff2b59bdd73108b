//! Arguments as they are typed; `settings.rs` resolves them. Each flag with a `BONAFIDE_*` variable names
//! it here, and nowhere else.

pub(crate) mod admin;
mod keys;
mod oidc;
mod sign;
mod signer;

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args as Group, Parser, Subcommand, ValueEnum};
use detector::Provider;
use provenance::Timestamp;

pub(crate) use self::{
    keys::{KeysArgs, KeysCheckArgs, KeysCommand, KeysCsrArgs, KeysNewArgs, NewKeyArgs},
    oidc::OidcArgs,
    sign::{PlaceArgs, SignArgs},
    signer::{PassphraseArgs, SignerArgs, StampArgs},
};

/// One trust verdict per file: what it says, what its pixels show, and what follows.
#[derive(Parser)]
#[command(name = "bonafide", version, about, after_help = EXAMPLES, propagate_version = true)]
pub(crate) struct Args {
    /// TOML file with defaults; variables and flags win over it
    #[arg(long, global = true, env = "BONAFIDE_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// What to log to standard error, for example info or server=debug [serve: info, else off]
    #[arg(long, global = true, env = "BONAFIDE_LOG", value_name = "LEVEL")]
    pub(crate) log: Option<String>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Examine files and folders, one report each
    #[command(after_help = SCAN_EXAMPLES)]
    Scan(Box<ScanArgs>),
    /// Say in words what one file says about where it came from
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(Box<VerifyArgs>),
    /// Sign files and folders before they are published
    #[command(after_help = SIGN_EXAMPLES)]
    Sign(Box<SignArgs>),
    /// Make keys, request certificates, and say what is wrong with one
    Keys(KeysArgs),
    /// Answer over HTTP
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Box<ServeArgs>),
    /// Manage tenants, API keys and retention of a service's data folder
    #[command(after_help = ADMIN_EXAMPLES)]
    Admin(Box<admin::AdminArgs>),
    /// List, check, measure and add models
    Models(ModelsArgs),
    /// Say what is installed and what is missing
    Doctor(DoctorArgs),
}

#[derive(Group)]
pub(crate) struct ScanArgs {
    /// Files and folders; folders are walked in the order of their names
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// How to print reports [default: table on a terminal, else jsonl]
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,

    /// Write reports to FILE, whole or not at all
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Files examined at the same time [default: the number of cores]
    #[arg(long, env = "BONAFIDE_JOBS", value_name = "N")]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,

    /// Examine only this side of a file; repeatable
    #[arg(long, value_enum)]
    pub(crate) only: Vec<Side>,

    /// Journal of finished files; a second run with the same journal skips them
    #[arg(long, value_name = "FILE")]
    pub(crate) resume: Option<PathBuf>,

    /// Draw where the pixels speak for AI: one PNG per scored picture in DIR, named by its SHA-256
    #[arg(long, value_name = "DIR")]
    pub(crate) heatmap: Option<PathBuf>,

    /// Follow symbolic links; loops are noticed
    #[arg(long)]
    pub(crate) follow_links: bool,

    #[command(flatten)]
    pub(crate) verdict: VerdictArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) detector: DetectorArgs,
}

#[derive(Group)]
pub(crate) struct VerifyArgs {
    /// The file
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Print the `provenance` object of the report
    #[arg(long)]
    pub(crate) json: bool,

    /// Manifest store that lies beside the file
    #[arg(long, value_name = "FILE")]
    pub(crate) sidecar: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) verdict: VerdictArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    #[command(flatten)]
    pub(crate) trust: TrustArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
}

#[derive(Group)]
pub(crate) struct ServeArgs {
    /// Address and port; port 0 lets the system choose [default: 127.0.0.1:8080]
    #[arg(long, env = "BONAFIDE_LISTEN", value_name = "ADDRESS")]
    pub(crate) listen: Option<SocketAddr>,

    /// Folder for everything that is kept; made if missing [default: a temporary one, removed at the end]
    #[arg(long, env = "BONAFIDE_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Threads that examine [default: the number of cores]
    #[arg(long, env = "BONAFIDE_JOBS", value_name = "N")]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,

    /// Uploads of one tenant that may wait to be examined [default: 64]
    #[arg(long, env = "BONAFIDE_QUEUE", value_name = "N")]
    pub(crate) queue: Option<usize>,

    /// Open connections [default: 256]
    #[arg(long, env = "BONAFIDE_MAX_CONNECTIONS", value_name = "N")]
    pub(crate) max_connections: Option<usize>,

    /// Requests that one tenant may send per minute [default: 6000]
    #[arg(long, env = "BONAFIDE_REQUESTS_PER_MINUTE", value_name = "N")]
    pub(crate) requests_per_minute: Option<std::num::NonZeroU32>,

    /// Requests that one tenant may have open at one time [default: 192]
    #[arg(long, env = "BONAFIDE_MAX_OPEN_REQUESTS", value_name = "N")]
    pub(crate) max_open_requests: Option<usize>,

    /// Bytes on the disk below which the service is not ready and takes no uploads [default: 268435456]
    #[arg(long, env = "BONAFIDE_MIN_FREE_BYTES", value_name = "N")]
    pub(crate) min_free_bytes: Option<u64>,

    /// Seconds in which a request header must arrive [default: 10]
    #[arg(long, env = "BONAFIDE_HEADER_TIMEOUT_S", value_name = "SECONDS")]
    pub(crate) header_timeout_s: Option<u64>,

    /// Seconds of silence after which a body is given up [default: 10]
    #[arg(long, env = "BONAFIDE_BODY_TIMEOUT_S", value_name = "SECONDS")]
    pub(crate) body_timeout_s: Option<u64>,

    /// Seconds in which a peer may take nothing of its answer [default: 30]
    #[arg(long, env = "BONAFIDE_WRITE_TIMEOUT_S", value_name = "SECONDS")]
    pub(crate) write_timeout_s: Option<u64>,

    /// Seconds open requests get to finish after a signal to stop [default: 20]
    #[arg(long, env = "BONAFIDE_DRAIN_TIMEOUT_S", value_name = "SECONDS")]
    pub(crate) drain_timeout_s: Option<u64>,

    /// Collector to send spans to, by OTLP over HTTP; in a build with the feature otel [default: none]
    #[arg(long, env = "BONAFIDE_OTLP_ENDPOINT", value_name = "URL")]
    pub(crate) otlp_endpoint: Option<String>,

    /// Let webhooks reach this machine itself over HTTP, for trying them out
    #[arg(long)]
    pub(crate) dangerous_webhooks_to_loopback: bool,

    #[command(flatten)]
    pub(crate) oidc: OidcArgs,
    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    #[command(flatten)]
    pub(crate) anchors: AnchorArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) detector: DetectorArgs,
}

#[derive(Group)]
pub(crate) struct ModelsArgs {
    #[command(subcommand)]
    pub(crate) command: ModelsCommand,
}

#[derive(Subcommand)]
pub(crate) enum ModelsCommand {
    /// Print what each model card says
    List(DetectorArgs),
    /// Check hashes and run each model once
    Check(DetectorArgs),
    /// Measure the installed models on labelled pictures
    #[command(after_help = EVAL_EXAMPLES)]
    Eval(Box<EvalArgs>),
    /// Install a model of your own with its card
    #[command(after_help = ADD_EXAMPLES)]
    Add(Box<AddArgs>),
}

#[derive(Group)]
pub(crate) struct AddArgs {
    /// The model, an ONNX file
    #[arg(value_name = "FILE.onnx")]
    pub(crate) file: PathBuf,

    /// Its card; file and sha256 are filled in (docs/DETECTION.md)
    #[arg(long, value_name = "FILE.toml")]
    pub(crate) card: PathBuf,

    /// Fit the card's `calibration` table on labelled pictures: a manifest, or a folder with real/ and synthetic/ in it
    #[arg(long, value_name = "MANIFEST|FOLDER")]
    pub(crate) calibrate: Option<PathBuf>,

    /// Replace an installed model of the same name
    #[arg(long)]
    pub(crate) force: bool,

    /// Pictures examined at the same time [default: the number of cores]
    #[arg(long, env = "BONAFIDE_JOBS", value_name = "N")]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,

    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) detector: DetectorArgs,
}

#[derive(Group)]
pub(crate) struct EvalArgs {
    /// CSV or TSV with the columns path and label (real or synthetic), optionally source, group and crop (x,y,w,h)
    #[arg(value_name = "MANIFEST")]
    pub(crate) manifest: PathBuf,

    /// How to print the report
    #[arg(long, value_enum, default_value_t = EvalFormat::Markdown)]
    pub(crate) format: EvalFormat,

    /// Write evaluation.md, evaluation.html and evaluation.json into this folder as well
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Examine at most N pictures of each label, taken from its sources by turns
    #[arg(long, value_name = "N")]
    pub(crate) sample: Option<std::num::NonZeroUsize>,

    /// Measure the three tiers of delivery only, no bias gates and no re-deliveries
    #[arg(long, conflicts_with = "sweep")]
    pub(crate) tiers_only: bool,

    /// Also measure compression, scale, blur and noise in steps
    #[arg(long)]
    pub(crate) sweep: bool,

    /// Pictures examined at the same time [default: the number of cores]
    #[arg(long, env = "BONAFIDE_JOBS", value_name = "N")]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,

    #[command(flatten)]
    pub(crate) policy: PolicyArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) detector: DetectorArgs,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum EvalFormat {
    /// For people and repositories
    Markdown,
    /// One page with drawings
    Html,
    /// For programs
    Json,
}

#[derive(Group)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    pub(crate) anchors: AnchorArgs,
    #[command(flatten)]
    pub(crate) detector: DetectorArgs,
}

/// Which verdicts count.
#[derive(Group)]
pub(crate) struct VerdictArgs {
    /// Verdict codes that make the exit code 1, or none [default: known_fake, altered, conflict, likely_ai, likely_manipulated]
    #[arg(
        long,
        env = "BONAFIDE_FAIL_ON",
        value_name = "CODE",
        value_delimiter = ','
    )]
    pub(crate) fail_on: Option<Vec<String>>,
}

/// Which odds count as clear, and what goes to a person.
#[derive(Group)]
pub(crate) struct PolicyArgs {
    /// Policy file (docs/POLICY.md) [default: the built-in policy]
    #[arg(long, env = "BONAFIDE_POLICY", value_name = "FILE.toml")]
    pub(crate) policy: Option<PathBuf>,
}

/// Who is believed, and as of when.
#[derive(Group)]
pub(crate) struct TrustArgs {
    /// Time of validation, RFC 3339 [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) at: Option<Timestamp>,

    #[command(flatten)]
    pub(crate) anchors: AnchorArgs,
}

/// Who is believed.
#[derive(Group)]
pub(crate) struct AnchorArgs {
    /// PEM file of further anchors and signers, or a folder whose lists replace the built-in ones; repeatable
    #[arg(long, env = "BONAFIDE_TRUST", value_name = "FILE.pem")]
    pub(crate) trust: Vec<PathBuf>,

    /// Believe only what --trust names, not the lists that are built in
    #[arg(long, env = "BONAFIDE_NO_BUNDLED_TRUST")]
    pub(crate) no_bundled_trust: bool,
}

/// What one file may cost.
#[derive(Group)]
pub(crate) struct LimitArgs {
    /// Largest file in bytes [default: 33554432]
    #[arg(long, env = "BONAFIDE_MAX_BYTES", value_name = "N")]
    pub(crate) max_bytes: Option<u64>,

    /// Largest picture in pixels [default: 50000000]
    #[arg(long, env = "BONAFIDE_MAX_PIXELS", value_name = "N")]
    pub(crate) max_pixels: Option<u64>,
}

/// Where the models are and what runs them.
#[derive(Group)]
pub(crate) struct DetectorArgs {
    /// Folder of model cards [default: models beside the program, else in the current folder]
    #[arg(long, env = "BONAFIDE_MODELS", value_name = "DIR")]
    pub(crate) models: Option<PathBuf>,

    /// The ONNX Runtime library [default: onnxruntime beside the program, else target/onnxruntime]
    #[arg(long, env = "ORT_DYLIB_PATH", value_name = "FILE")]
    pub(crate) runtime: Option<PathBuf>,

    /// Where models run: cpu, cuda, cuda:N, tensorrt or tensorrt:N [default: cpu]
    #[arg(long, env = "BONAFIDE_PROVIDER", value_name = "NAME")]
    pub(crate) provider: Option<Provider>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// One report per line, in the order in which they are finished
    Jsonl,
    /// For spreadsheets
    Csv,
    /// Not in this version
    Html,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Side {
    /// What the file says
    Provenance,
    /// What the pixels show
    Detection,
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse_rfc3339(text)
        .ok_or_else(|| "write the time like 2026-11-23T00:00:00Z (RFC 3339)".to_owned())
}

const EXAMPLES: &str = "\
Examples:
  bonafide scan photos/                 a verdict for every file in a folder
  bonafide verify picture.jpg           who signed it, and what happened to it since
  bonafide doctor                       what is installed and what is missing

Exit codes: 0 done, 1 done and something was found, 2 wrong usage or set-up, 3 a file could not be examined";

const SCAN_EXAMPLES: &str = "\
Examples:
  bonafide scan picture.jpg
  bonafide scan --format jsonl --output reports.jsonl photos/
  bonafide scan --only provenance --trust my-ca.pem photos/
  bonafide scan --fail-on altered,declared_ai inbox/ && echo clean";

const ADD_EXAMPLES: &str = "\
Examples:
  bonafide models add theirs.onnx --card theirs.toml --calibrate labelled/
  bonafide models add theirs.onnx --card theirs.toml --calibrate labelled.csv --models models

The model must pass every check and a test inference before anything appears in the models folder.";

const EVAL_EXAMPLES: &str = "\
Examples:
  bonafide models eval pictures.csv
  bonafide models eval --sample 400 --sweep --out report/ pictures.tsv

The same manifest, models and policy give the same bytes.";

const VERIFY_EXAMPLES: &str = "\
Examples:
  bonafide verify picture.jpg
  bonafide verify --json picture.jpg
  bonafide verify --sidecar picture.c2pa picture.jpg";

const SIGN_EXAMPLES: &str = "\
Examples:
  bonafide keys new --out keys/
  bonafide sign --key keys/signer-key.pem --chain keys/signer-chain.pem --profile photo --out signed/ picture.jpg
  bonafide sign --key key.pem --chain chain.pem --profile photo --out signed/ --resume signed.journal photos/
  bonafide sign --key key.pem --chain chain.pem --profile edit --parent original.jpg --in-place edited.jpg";

const SERVE_EXAMPLES: &str = "\
Examples:
  bonafide serve --data-dir data
  curl -F file=@picture.jpg -H 'Prefer: wait=10' http://127.0.0.1:8080/v1/analyses
  curl --data-binary @picture.jpg -H 'Content-Type: image/jpeg' 'http://127.0.0.1:8080/v1/analyses?name=picture.jpg'";

const ADMIN_EXAMPLES: &str = "\
Examples:
  bonafide admin keys new --data-dir data --tenant acme --scopes analyse,read
  bonafide admin keys list --data-dir data --tenant acme
  bonafide admin keys rotate --data-dir data --tenant acme 0123456789ab
  bonafide admin tenants retention --data-dir data --tenant acme --days 7";
