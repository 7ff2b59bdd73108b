//! `bonafide models`: what the cards say, whether the files behind them hold it, and how well they do.

mod add;
mod eval;

use std::io::{self, Write as _};

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
        ModelsCommand::Eval(args) => eval::run(args, settings),
        ModelsCommand::Add(args) => add::run(args, settings),
    }
}

fn list(args: &DetectorArgs, settings: &Settings) -> Result<Exit, Failure> {
    let places = settings.detector(args)?;
    let mut exit = Exit::Done;
    let mut out = io::stdout().lock();
    for (name, card) in detector::list_models(&places.models)? {
        match card {
            Ok(card) => write_card(&mut out, &card)?,
            Err(error) => {
                exit = Exit::Usage;
                write_damaged(&mut out, &name, &error)?;
            }
        }
    }
    Ok(exit)
}

fn write_damaged(out: &mut impl io::Write, name: &str, error: &DetectorError) -> io::Result<()> {
    let error = error.to_string();
    writeln!(out, "damaged  {}  {}", shown(name), shown(&error))
}

fn write_card(out: &mut impl io::Write, card: &Card) -> io::Result<()> {
    writeln!(out, "{}@{}  {}", card.name, card.version, card.file)?;
    writeln!(out, "  sha256   {}", card.sha256)?;
    writeln!(out, "  license  {}", shown(&card.license))?;
    writeln!(out, "  {}", shown(card.description.trim()))?;
    let auc = |tier: &str| card.evaluation.get(tier)?.get("auc")?.as_float();
    for tier in ["clean", "web", "hard"] {
        if let Some(auc) = auc(tier) {
            writeln!(
                out,
                "  AUC {tier:5} {auc:.2}  (the card has it for every source)"
            )?;
        }
    }
    Ok(())
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
                write_damaged(&mut out, &name, &error)?;
            }
        }
    }
    if exit != Exit::Done {
        say("hint: install the damaged models again; no scan starts with them");
    }
    Ok(exit)
}
