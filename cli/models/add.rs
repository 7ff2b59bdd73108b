//! `bonafide models add`: a model that somebody else made becomes one of the installed ones.
//!
//! Nothing appears in the models folder before the file has passed every check and a test inference, and it got its
//! calibration. Beside the model only its card decides how it is fed and read.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use detector::{CheckedModel, Detector};
use evaluation::{Fit, Fitted, MANY_WINDOWS, Manifest, calibrate};
use media::Digest;
use toml::{Table, Value};

use crate::{
    args::AddArgs,
    exit::{Exit, Failure},
    models::eval::counter,
    output::{cannot_write, say, shown, write_whole},
    settings::{DetectorPlaces, Settings},
};

/// Runs the command.
pub(crate) fn run(args: &AddArgs, settings: &Settings) -> Result<Exit, Failure> {
    let places = settings.detector(&args.detector)?;
    fs::create_dir_all(&places.models).map_err(|error| cannot_write(&places.models, &error))?;
    let model = read(&args.file, MAX_MODEL_BYTES)?;
    let mut card = card(args, &model)?;
    let name = name(&card)?;
    let kept =
        [format!("{name}.onnx"), format!("{name}.toml")].map(|file| places.models.join(file));
    if let Some(there) = kept.iter().find(|path| path.exists() && !args.force) {
        return Err(Failure::usage(
            format!("{} is there already", there.display()),
            "give the card another name, or replace the model with --force",
        ));
    }
    let stage = tempfile::tempdir_in(&places.models)
        .map_err(|error| cannot_write(&places.models, &error))?;
    let staged = places.staged(stage.path());
    put(&stage.path().join(format!("{name}.onnx")), &model)?;
    let staged_card = stage.path().join(format!("{name}.toml"));
    put(&staged_card, card.to_string().as_bytes())?;
    checked(&staged)?;
    if let Some(list) = &args.calibrate {
        let fitted = fitted(list, args, settings, &staged)?;
        card.insert("calibration".to_owned(), table(&fitted)?);
        put(&staged_card, card.to_string().as_bytes())?;
    }
    let found = checked(&staged)?;
    let [model_path, card_path] = kept;
    put(&model_path, &model)?;
    // The card last: with it the model exists.
    put(&card_path, card.to_string().as_bytes())?;
    writeln!(
        io::stdout().lock(),
        "added    {}@{}  sha256 {}  {:.1} ms per crop",
        found.card.name,
        found.card.version,
        found.digest,
        found.window_ms
    )?;
    Ok(Exit::Done)
}

/// The card with the file and its digest filled in. Without a calibration of its own it gets one that proves nothing,
/// which `--calibrate` replaces.
fn card(args: &AddArgs, model: &[u8]) -> Result<Table, Failure> {
    let refused = |detail: String| {
        Failure::usage(
            format!("the card {} cannot be used: {detail}", args.card.display()),
            "docs/DETECTION.md has a whole card to start from",
        )
    };
    let bytes = read(&args.card, MAX_CARD_BYTES)?;
    let text = String::from_utf8(bytes).map_err(|_| refused("it is not UTF-8".to_owned()))?;
    let mut card: Table = text
        .parse()
        .map_err(|error: toml::de::Error| refused(error.message().to_owned()))?;
    let name = name(&card)?;
    card.insert("file".to_owned(), Value::String(format!("{name}.onnx")));
    card.insert(
        "sha256".to_owned(),
        Value::String(Digest::of(model).to_string()),
    );
    if !card.contains_key("calibration") {
        if args.calibrate.is_none() {
            return Err(refused("it has no [calibration], and without one a score means nothing; add --calibrate with labelled pictures".to_owned()));
        }
        card.insert("calibration".to_owned(), Value::Table(unproven()));
    }
    Ok(card)
}

fn name(card: &Table) -> Result<String, Failure> {
    let name = card.get("name").and_then(Value::as_str).unwrap_or_default();
    let plain = |letter: char| {
        letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_-".contains(letter)
    };
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        return Err(Failure::usage(
            format!("the card's name is {name:?}"),
            "give it 1 to 64 lower-case letters, digits, - or _",
        ));
    }
    Ok(name.to_owned())
}

/// Loads the staged model and runs it once.
fn checked(staged: &DetectorPlaces) -> Result<CheckedModel, Failure> {
    let mut models = detector::check_models(&staged.settings(1))?;
    match models.pop() {
        Some((_, outcome)) => Ok(outcome?),
        None => Err(Failure::usage(
            "the card was not read",
            "please report this",
        )),
    }
}

fn fitted(
    list: &Path,
    args: &AddArgs,
    settings: &Settings,
    staged: &DetectorPlaces,
) -> Result<Fitted, Failure> {
    let manifest = match list.is_dir() {
        true => Manifest::of_folder(list)?,
        false => Manifest::read(list)?,
    };
    let jobs = settings.jobs(args.jobs);
    let detector = Detector::load(&staged.settings(jobs))?;
    let limits = settings.limits(&args.limits);
    let fitted = counter(|count| calibrate(&detector, &manifest, limits, jobs, count))?;
    for (kind, fit) in [("few", Some(&fitted.few)), ("many", fitted.many.as_ref())] {
        tell(kind, fit);
    }
    say(&format!("{} pictures had no score", fitted.without_score));
    Ok(fitted)
}

fn tell(kind: &str, fit: Option<&Fit>) {
    let Some(fit) = fit else {
        say(&format!(
            "warning: too few pictures of {kind} windows; they share the other calibration"
        ));
        return;
    };
    say(&format!(
        "calibrated for {kind} windows on {} real and {} synthetic pictures",
        fit.real_pictures, fit.synthetic_pictures
    ));
    if fit.false_alarms.is_empty() {
        say(&format!(
            "warning: too few pictures of {kind} windows to count false alarms, so none of their scores raises an alarm"
        ));
    } else if fit.real_pictures < REAL_FOR_ALARMS {
        say(
            "warning: with fewer than 99 real pictures no score can prove a false-alarm rate of 1 %, so the default policy raises no alarm by it",
        );
    }
}

/// The `[calibration]` table of a card.
fn table(fitted: &Fitted) -> Result<Value, Failure> {
    let mut table = fit_table(&fitted.few)?;
    if let Some(many) = &fitted.many {
        let mut many = fit_table(many)?;
        let windows = i64::try_from(MANY_WINDOWS).map_err(io::Error::other)?;
        many.insert("windows".to_owned(), Value::Integer(windows));
        table.insert("many".to_owned(), Value::Table(many));
    }
    Ok(Value::Table(table))
}

fn fit_table(fit: &Fit) -> Result<Table, Failure> {
    let count = |count: usize| {
        i64::try_from(count)
            .map(Value::Integer)
            .map_err(io::Error::other)
    };
    let row = |(llr, rate): &(f64, f64)| {
        Value::Table(Table::from_iter([
            ("llr".to_owned(), Value::Float(*llr)),
            ("rate".to_owned(), Value::Float(*rate)),
        ]))
    };
    let rounded = |value: f64| Value::Float((value * 1e5).round() / 1e5);
    Ok(Table::from_iter([
        ("slope".to_owned(), rounded(fit.slope)),
        ("intercept".to_owned(), rounded(fit.intercept)),
        ("real_pictures".to_owned(), count(fit.real_pictures)?),
        (
            "synthetic_pictures".to_owned(),
            count(fit.synthetic_pictures)?,
        ),
        (
            "false_alarm".to_owned(),
            Value::Array(fit.false_alarms.iter().map(row).collect()),
        ),
    ]))
}

/// One picture of each class and no table: evidence is capped at 0.7 nats, and no alarm can be raised.
fn unproven() -> Table {
    Table::from_iter([
        ("slope".to_owned(), Value::Float(1.0)),
        ("intercept".to_owned(), Value::Float(0.0)),
        ("real_pictures".to_owned(), Value::Integer(1)),
        ("synthetic_pictures".to_owned(), Value::Integer(1)),
    ])
}

fn read(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let refused = |detail: String| {
        Failure::usage(
            shown(&format!("{} cannot be read: {detail}", path.display())),
            "name an ONNX file and its card",
        )
    };
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(|error| refused(error.to_string()))?;
    match u64::try_from(bytes.len()).is_ok_and(|length| length <= most) {
        true => Ok(bytes),
        false => Err(refused(format!("it is longer than {most} bytes"))),
    }
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write_whole(path, bytes).map_err(|error| cannot_write(path, &error))
}

impl DetectorPlaces {
    /// The same with the models of another folder.
    fn staged(&self, folder: &Path) -> Self {
        Self {
            models: PathBuf::from(folder),
            models_named: true,
            runtime: self.runtime.clone(),
            provider: self.provider,
        }
    }
}

/// As the detector has it: a network of 60 million 32-bit weights.
const MAX_MODEL_BYTES: u64 = 256 << 20;

/// As the detector has it.
const MAX_CARD_BYTES: u64 = 256 << 10;

/// Real pictures that it takes to prove a rate of 1 %.
const REAL_FOR_ALARMS: usize = 99;
