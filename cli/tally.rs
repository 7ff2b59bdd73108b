//! Counts verdicts and decides the exit code of a scan.

use std::collections::{BTreeMap, BTreeSet};

use verdict::{Code, Report};

use crate::exit::Exit;

/// What was seen so far.
pub(crate) struct Tally {
    fail_on: BTreeSet<Code>,
    verdicts: BTreeMap<Code, u64>,
    errors: u64,
    resumed: u64,
}

impl Tally {
    /// Nothing seen; the verdicts of `fail_on` make the exit code 1.
    pub(crate) fn new(fail_on: BTreeSet<Code>) -> Self {
        Self {
            fail_on,
            verdicts: BTreeMap::new(),
            errors: 0,
            resumed: 0,
        }
    }

    /// Counts a report.
    pub(crate) fn add(&mut self, report: &Report) {
        *self.verdicts.entry(report.verdict.code).or_default() += 1;
        self.errors += u64::from(report.error.is_some());
    }

    /// Counts a file that the journal holds: its verdict is part of the answer, though not printed again.
    pub(crate) fn add_resumed(&mut self, code: Code, had_error: bool) {
        *self.verdicts.entry(code).or_default() += 1;
        self.errors += u64::from(had_error);
        self.resumed += 1;
    }

    /// Files seen.
    pub(crate) fn files(&self) -> u64 {
        self.verdicts.values().sum()
    }

    /// A file that could not be examined outweighs findings: the answer is incomplete.
    pub(crate) fn exit(&self) -> Exit {
        if self.errors > 0 {
            Exit::Partial
        } else if self.verdicts.keys().any(|code| self.fail_on.contains(code)) {
            Exit::Found
        } else {
            Exit::Done
        }
    }

    /// One line for people.
    pub(crate) fn summary(&self) -> String {
        let mut line = match self.files() {
            1 => "1 file".to_owned(),
            files => format!("{files} files"),
        };
        for (place, (code, count)) in self.verdicts.iter().enumerate() {
            let separator = if place == 0 { ": " } else { ", " };
            line.push_str(&format!("{separator}{count} {code}"));
        }
        if self.errors > 0 {
            line.push_str(&format!("; {} could not be examined fully", self.errors));
        }
        if self.resumed > 0 {
            line.push_str(&format!("; {} were in the journal already", self.resumed));
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::{Exit, Tally};
    use verdict::Code;

    #[test]
    fn an_incomplete_answer_outweighs_a_finding() {
        let mut tally = Tally::new([Code::Altered].into());
        tally.add_resumed(Code::Inconclusive, false);
        assert_eq!(tally.exit(), Exit::Done);
        tally.add_resumed(Code::Altered, false);
        assert_eq!(tally.exit(), Exit::Found);
        tally.add_resumed(Code::NotAnalysed, true);
        assert_eq!(tally.exit(), Exit::Partial);
        assert_eq!(
            tally.summary(),
            "3 files: 1 altered, 1 inconclusive, 1 not_analysed; 1 could not be examined fully; 3 were in the journal already"
        );
    }
}
