//! Why an evaluation cannot begin. A picture that cannot be read is no error: it is counted and named in the result.

use std::{fmt, path::PathBuf};

use media::Fault;

/// Why an evaluation cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// The manifest is no readable table.
    #[error(
        "the manifest {} cannot be read ({detail}); give a CSV or TSV file whose first line names the columns path and label", .path.display()
    )]
    Unreadable {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// Rows of the manifest break a rule; nothing is examined until they are corrected.
    #[error(
        "the manifest {} has rows that cannot be used: {}; correct or remove them", .path.display(), Listed(.rows, *.more)
    )]
    Rows {
        /// The manifest.
        path: PathBuf,
        /// The first bad rows.
        rows: Vec<BadRow>,
        /// How many more there are.
        more: usize,
    },
    /// A calibration needs more pictures with a score.
    #[error(
        "{real} real and {synthetic} synthetic pictures of the list have a score, a calibration needs {needed} of each; add pictures"
    )]
    TooFew {
        /// Real pictures with a score.
        real: usize,
        /// Synthetic pictures with a score.
        synthetic: usize,
        /// How many it takes.
        needed: usize,
    },
    /// Higher outputs of the model do not speak for synthetic.
    #[error(
        "on this list higher outputs of the model do not speak for synthetic (slope {slope:.3}); check the class that the card's [output] names, and the labels"
    )]
    WrongWay {
        /// The fitted slope.
        slope: f64,
    },
    /// Figures need both classes.
    #[error(
        "the manifest has {real} real and {synthetic} synthetic pictures; it needs at least one of each"
    )]
    OneSided {
        /// Real rows.
        real: usize,
        /// Synthetic rows.
        synthetic: usize,
    },
}

/// A row of a manifest that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRow {
    /// Line in the file, from 1.
    pub line: u64,
    /// The rule, in words.
    pub problem: String,
}

impl EvaluationError {
    /// Who must act: always whoever wrote the manifest.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Unreadable { .. }
            | Self::Rows { .. }
            | Self::OneSided { .. }
            | Self::TooFew { .. }
            | Self::WrongWay { .. } => Fault::Operator,
        }
    }

    /// The stable word for this error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "manifest_unreadable",
            Self::Rows { .. } => "manifest_rows",
            Self::OneSided { .. } => "manifest_one_sided",
            Self::TooFew { .. } => "calibration_too_few",
            Self::WrongWay { .. } => "calibration_wrong_way",
        }
    }
}

struct Listed<'a>(&'a [BadRow], usize);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, row) in self.0.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}line {} {}", row.line, row.problem)?;
        }
        match self.1 {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}
