//! Where the answers of a run arrive, one at a time: a report line for each file, a sentence for each that
//! failed, and the sum at the end.

use std::io::{self, IsTerminal as _, Write as _};

use crate::{
    exit::Exit,
    jsonl,
    output::{say, shown},
    progress::Progress,
    sign::work::{Done, Outcome, Refusal},
    words,
};

/// The desk.
pub(crate) struct Desk {
    dry_run: bool,
    total: u64,
    progress: Progress,
    signed: u64,
    manifest_bytes: u64,
    output_bytes: u64,
    before: u64,
    left_out: u64,
    failed: u64,
}

impl Desk {
    /// A desk at which `total` answers are awaited.
    pub(crate) fn new(total: u64, dry_run: bool) -> Self {
        Self {
            dry_run,
            total,
            progress: Progress::new(if dry_run { "tried" } else { "signed" }, Some(total)),
            signed: 0,
            manifest_bytes: 0,
            output_bytes: 0,
            before: 0,
            left_out: 0,
            failed: 0,
        }
    }

    /// Takes one answer; false when no further file should be begun.
    pub(crate) fn take(&mut self, outcome: Outcome) -> io::Result<bool> {
        self.progress.clear();
        let goes_on = match outcome {
            Outcome::Signed(done) => {
                self.signed += 1;
                self.output_bytes += u64::try_from(done.bytes).unwrap_or(0);
                self.manifest_bytes += u64::try_from(done.manifest_bytes).unwrap_or(0);
                self.tell(&done)?;
                true
            }
            Outcome::Before => {
                self.before += 1;
                true
            }
            Outcome::LeftOut(line) => {
                self.left_out += 1;
                say(&line);
                true
            }
            Outcome::Failed(refusal) => {
                self.failed += 1;
                complain(&refusal)?;
                !refusal.set_up
            }
        };
        self.progress.show(self.answered());
        Ok(goes_on)
    }

    /// The sum, where it says more than the line of a single file, and the exit code.
    pub(crate) fn close(mut self) -> Exit {
        self.progress.clear();
        if self.total > 1 || self.dry_run {
            say(&self.summary());
        }
        match self.failed > 0 || self.answered() < self.total {
            true => Exit::Partial,
            false => Exit::Done,
        }
    }

    fn answered(&self) -> u64 {
        self.signed + self.before + self.left_out + self.failed
    }

    fn tell(&self, done: &Done) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if !out.is_terminal() {
            return jsonl::line(&mut out, &done.report);
        }
        let word = if self.dry_run { "would sign" } else { "signed" };
        writeln!(
            out,
            "{word} {} -> {} ({} bytes, {} of them the credential; {})",
            shown(&done.source.to_string_lossy()),
            shown(&done.target.to_string_lossy()),
            done.bytes,
            done.manifest_bytes,
            words::credential(&done.report.provenance),
        )
    }

    fn summary(&self) -> String {
        let verb = if self.dry_run {
            "would be signed"
        } else {
            "signed"
        };
        let files = if self.total == 1 { "file" } else { "files" };
        let mut line = format!("{} {files}: {} {verb}", self.total, self.signed);
        if self.signed > 0 {
            line.push_str(&format!(
                " ({} bytes, {} of them credentials)",
                self.output_bytes, self.manifest_bytes
            ));
        }
        let waiting = self.total.saturating_sub(self.answered());
        for (count, what) in [
            (self.before, "signed before by this journal"),
            (self.left_out, "left out"),
            (self.failed, "could not be signed"),
            (waiting, "not looked at, because the run was stopped"),
        ] {
            if count > 0 {
                line.push_str(&format!("; {count} {what}"));
            }
        }
        line
    }
}

/// One sentence for people, and a report for programs.
fn complain(refusal: &Refusal) -> io::Result<()> {
    say(&shown(&format!(
        "error: {}: {}",
        refusal.source.display(),
        refusal.message
    )));
    let mut out = io::stdout().lock();
    match out.is_terminal() {
        true => Ok(()),
        false => jsonl::line(&mut out, &refusal.report),
    }
}
