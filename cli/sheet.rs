//! Reports for spreadsheets: the columns a moderator sorts by, one row each.

use std::io::{self, Write};

use verdict::Report;

use crate::words::word;

/// The column names. Columns are added at the end, never renamed.
pub(crate) const COLUMNS: [&str; 20] = [
    "name",
    "sha256",
    "kind",
    "width",
    "height",
    "verdict",
    "review",
    "priority",
    "summary",
    "manifest",
    "content",
    "signature",
    "time",
    "signer_status",
    "signer",
    "ai",
    "detection",
    "reason",
    "probability",
    "error",
];

/// Writes the column names.
pub(crate) fn head(out: &mut impl Write) -> io::Result<()> {
    record(out, &COLUMNS.map(str::to_owned))
}

/// Writes one report.
pub(crate) fn row(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let provenance = &report.provenance;
    let signer = &provenance.signer;
    let fields = [
        text(Some(&report.media.name)),
        word(&report.media.sha256),
        word(&report.media.kind),
        word(&report.media.width),
        word(&report.media.height),
        word(&report.verdict.code),
        report.verdict.review.to_string(),
        report.verdict.priority.to_string(),
        text(Some(&report.verdict.summary)),
        word(&provenance.manifest),
        word(&provenance.content),
        word(&provenance.signature),
        word(&provenance.time),
        word(&signer.status),
        text(signer.organisation.as_deref().or(signer.name.as_deref())),
        word(&provenance.ai.status),
        word(&report.detection.status),
        word(&report.detection.reason),
        word(&report.detection.probability),
        text(
            report
                .error
                .as_ref()
                .map(|problem| problem.message.as_str()),
        ),
    ];
    record(out, &fields)
}

fn record(out: &mut impl Write, fields: &[String; 20]) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().from_writer(out);
    writer.write_record(fields)?;
    writer.flush()
}

/// Text that strangers chose. A spreadsheet runs cells that begin like a formula, so those get an
/// apostrophe in front.
fn text(text: Option<&str>) -> String {
    let text = text.unwrap_or_default();
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn formulas_become_text() {
        assert_eq!(text(Some("=1+1")), "'=1+1");
        assert_eq!(text(Some("@sum")), "'@sum");
        assert_eq!(text(Some("a=1")), "a=1");
        assert_eq!(text(None), "");
    }
}
