//! Reports as a table for people: one line each, the name last because it may be long.

use std::io::{self, Write};

use verdict::Report;

use crate::{output::shown, words};

/// Writes the column heads.
pub(crate) fn head(out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:<18}  {:>9}  {:<14}  {:<6}  FILE",
        "VERDICT", "SYNTHETIC", "CREDENTIAL", "REVIEW"
    )
}

/// Writes one report.
pub(crate) fn row(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let synthetic = match report.detection.probability {
        Some(probability) => format!("{:.0} %", probability * 100.0),
        None => "-".to_owned(),
    };
    let review = if report.verdict.review { "yes" } else { "-" };
    writeln!(
        out,
        "{:<18}  {synthetic:>9}  {:<14}  {review:<6}  {}",
        report.verdict.code,
        words::credential(&report.provenance),
        shown(&report.media.name),
    )?;
    if let Some(problem) = &report.error {
        writeln!(out, "{:<18}  error: {}", "", shown(&problem.message))?;
    }
    Ok(())
}
