//! `bonafide models`: what the cards say, and whether the files behind them hold it.

use std::{
    ffi::OsStr,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use detector::{Card, DetectorError};

use crate::{
    args::{DetectorArgs, ModelsArgs, ModelsCommand},
    exit::{Exit, Failure},
    output::{say, shown},
    settings::Settings,
};

/// Runs the command.
pub(crate) fn run(args: &ModelsArgs, settings: &Settings) -> Result<Exit, Failure> {
    match &args.command {
        ModelsCommand::List(args) => list(args, settings),
        ModelsCommand::Check(args) => check(args, settings),
    }
}

fn list(args: &DetectorArgs, settings: &Settings) -> Result<Exit, Failure> {
    let places = settings.detector(args)?;
    let mut out = io::stdout().lock();
    for path in card_files(&places.models)? {
        let card = read_card(&path)?;
        writeln!(out, "{}@{}  {}", card.name, card.version, card.file)?;
        writeln!(out, "  sha256   {}", card.sha256)?;
        writeln!(out, "  license  {}", shown(&card.license))?;
        writeln!(out, "  {}", shown(card.description.trim()))?;
        for (title, table) in [
            ("training", &card.training),
            ("evaluation", &card.evaluation),
        ] {
            writeln!(out, "  {title}")?;
            for (key, value) in table {
                writeln!(out, "    {} = {}", shown(key), shown(&value.to_string()))?;
            }
        }
    }
    Ok(Exit::Done)
}

fn check(args: &DetectorArgs, settings: &Settings) -> Result<Exit, Failure> {
    let places = settings.detector(args)?;
    let models = detector::check_models(&places.settings(1))?;
    if models.is_empty() {
        return Err(DetectorError::NoModels {
            path: places.models,
        }
        .into());
    }
    let mut exit = Exit::Done;
    let mut out = io::stdout().lock();
    for (name, outcome) in models {
        match outcome {
            Ok(model) => writeln!(
                out,
                "ok       {}@{}  sha256 {}  {:.1} ms per crop",
                model.card.name, model.card.version, model.digest, model.window_ms
            )?,
            Err(error) => {
                exit = Exit::Usage;
                writeln!(
                    out,
                    "damaged  {}  {}",
                    shown(&name),
                    shown(&error.to_string())
                )?;
            }
        }
    }
    if exit != Exit::Done {
        say("hint: install the damaged models again; no scan starts with them");
    }
    Ok(exit)
}

fn card_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(folder).map_err(|error| DetectorError::ModelsDirMissing {
        path: folder.to_owned(),
        detail: error.to_string(),
    })?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension() == Some(OsStr::new("toml")))
        .collect();
    files.sort();
    match files.is_empty() {
        true => Err(DetectorError::NoModels {
            path: folder.to_owned(),
        }
        .into()),
        false => Ok(files),
    }
}

fn read_card(path: &Path) -> Result<Card, Failure> {
    let invalid = |detail| DetectorError::CardInvalid {
        path: path.to_owned(),
        detail,
    };
    let text = fs::read_to_string(path).map_err(|error| invalid(error.to_string()))?;
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    Ok(Card::parse(&stem, &text).map_err(invalid)?)
}
