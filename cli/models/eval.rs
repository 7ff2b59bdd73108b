//! `bonafide models eval`: figures of the installed detector on a labelled list. The work is done in `evaluation`.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
    sync::{Mutex, PoisonError},
};

use detector::Detector;
use evaluation::{Depth, Evaluation, EvaluationError, Manifest, Plan, evaluate};

use crate::{
    args::{EvalArgs, EvalFormat},
    exit::{Exit, Failure},
    output::{cannot_write, say, shown, write_whole},
    progress::Progress,
    settings::Settings,
};

/// Runs the command.
pub(crate) fn run(args: &EvalArgs, settings: &Settings) -> Result<Exit, Failure> {
    let mut manifest = Manifest::read(&args.manifest)?;
    if let Some(most) = args.sample {
        manifest = manifest.sample(most.get());
    }
    let policy = settings.policy(&args.policy)?;
    let jobs = settings.jobs(args.jobs);
    let detector = Detector::load(&settings.detector(&args.detector)?.settings(jobs))?;
    let plan = Plan {
        jobs,
        limits: settings.limits(&args.limits),
        depth: match (args.tiers_only, args.sweep) {
            (true, _) => Depth::Tiers,
            (false, false) => Depth::Usual,
            (false, true) => Depth::Sweep,
        },
    };
    let found = counter(|count| evaluate(&detector, &policy, &manifest, &plan, count));
    if let Some(folder) = &args.out {
        write_all(folder, &found)?;
    }
    io::stdout()
        .lock()
        .write_all(text(&found, args.format)?.as_bytes())?;
    Ok(told(&found))
}

/// Runs `work`, which counts the pictures that are done, with a counter on the terminal.
pub(super) fn counter<T>(work: impl FnOnce(&(dyn Fn(usize) + Sync)) -> T) -> T {
    let progress = Mutex::new(Progress::new("measured", None));
    let locked = || progress.lock().unwrap_or_else(PoisonError::into_inner);
    let result = work(&|done| locked().show(u64::try_from(done).unwrap_or(u64::MAX)));
    locked().clear();
    result
}

/// Pictures that could not be examined are named; they make the answer incomplete.
fn told(found: &Evaluation) -> Exit {
    for unread in found.unread.iter().take(SHOWN_UNREAD) {
        say(&shown(&format!("{}: {}", unread.name, unread.reason)));
    }
    match found.unread.len() {
        0 => Exit::Done,
        count => {
            say(&format!(
                "{count} pictures could not be examined; the report names them"
            ));
            Exit::Partial
        }
    }
}

fn write_all(folder: &Path, found: &Evaluation) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
    for (name, format) in [
        ("evaluation.md", EvalFormat::Markdown),
        ("evaluation.html", EvalFormat::Html),
        ("evaluation.json", EvalFormat::Json),
    ] {
        let path = folder.join(name);
        let text = text(found, format)?;
        write_whole(&path, text.as_bytes()).map_err(|error| cannot_write(&path, &error))?;
    }
    Ok(())
}

fn text(found: &Evaluation, format: EvalFormat) -> Result<String, Failure> {
    match format {
        EvalFormat::Markdown => Ok(found.markdown()),
        EvalFormat::Html => Ok(found.html()),
        EvalFormat::Json => {
            let mut text = serde_json::to_string_pretty(found).map_err(io::Error::other)?;
            text.push('\n');
            Ok(text)
        }
    }
}

impl From<EvaluationError> for Failure {
    fn from(error: EvaluationError) -> Self {
        Self::from_fault(error.fault(), &error)
    }
}

/// Pictures that are named one by one on standard error; the report has more.
const SHOWN_UNREAD: usize = 10;
