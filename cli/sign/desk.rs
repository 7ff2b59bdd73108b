//! Where the answers of a run arrive, one at a time: a report line for each file, a sentence for each that
//! failed, and the sum at the end.

use std::io::{self, IsTerminal as _, Write as _};

use provenance::UnsignedLabels;
use verdict::{
    Report,
    report::{Provenance, SignerStatus},
};

use crate::{
    exit::Exit,
    jsonl,
    output::{say, shown},
    progress::Progress,
    sign::work::{Done, Outcome, Refusal},
    words::word,
};

/// The desk.
pub(crate) struct Desk {
    dry_run: bool,
    total: u64,
    progress: Progress,
    signed: u64,
    manifest_bytes: u64,
    output_bytes: u64,
    /// Of the signed ones, those whose signer no trust list knows.
    unvouched: u64,
    /// Of the signed ones, those without a label that their profile asks for.
    unlabelled: u64,
    before: u64,
    left_out: u64,
    failed: u64,
    /// Whether the set-up failed in the middle of the run.
    set_up_failed: bool,
    /// Whether nobody reads the lines any more.
    unread: bool,
}

impl Desk {
    /// A desk at which `total` answers are awaited.
    pub(crate) fn new(total: u64, dry_run: bool) -> Self {
        Self {
            dry_run,
            total,
            progress: Progress::new("done", Some(total)),
            signed: 0,
            manifest_bytes: 0,
            output_bytes: 0,
            unvouched: 0,
            unlabelled: 0,
            before: 0,
            left_out: 0,
            failed: 0,
            set_up_failed: false,
            unread: false,
        }
    }

    /// Takes one answer; false when no further file should be begun.
    pub(crate) fn take(&mut self, outcome: Outcome) -> io::Result<bool> {
        self.progress.clear();
        match outcome {
            Outcome::Signed(done) => {
                self.signed += 1;
                let signer = done.report.provenance.signer.status;
                self.unvouched += u64::from(signer == SignerStatus::Unknown);
                self.output_bytes += u64::try_from(done.bytes).unwrap_or(0);
                self.manifest_bytes += u64::try_from(done.manifest_bytes).unwrap_or(0);
                self.unlabelled += u64::from(done.unsigned_labels == UnsignedLabels::NoPlace);
                let told = self.tell(&done);
                self.heard(told)?;
            }
            Outcome::Before => self.before += 1,
            Outcome::LeftOut(line) => {
                self.left_out += 1;
                say(&line);
            }
            Outcome::Failed(refusal) => {
                self.failed += 1;
                self.set_up_failed |= refusal.set_up;
                let told = self.complain(&refusal);
                self.heard(told)?;
            }
        }
        if self.total > 1 {
            self.progress.show(self.answered());
        }
        Ok(!self.set_up_failed)
    }

    /// The sum, where it says more than the line of a single file, and the exit code.
    pub(crate) fn close(mut self) -> Exit {
        self.progress.clear();
        if self.total > 1 || self.dry_run {
            say(&self.summary());
        }
        if self.set_up_failed && self.signed == 0 {
            Exit::Usage
        } else if self.failed > 0 || self.answered() < self.total {
            Exit::Partial
        } else {
            Exit::Done
        }
    }

    fn answered(&self) -> u64 {
        self.signed + self.before + self.left_out + self.failed
    }

    /// When the reader of the lines goes away, signing goes on: half a folder is of no use to anybody.
    fn heard(&mut self, told: io::Result<()>) -> io::Result<()> {
        match told {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.unread = true;
                Ok(())
            }
            told => told,
        }
    }

    fn tell(&self, done: &Done) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if !out.is_terminal() {
            return self.line(out, &done.report);
        }
        let word = if self.dry_run { "would sign" } else { "signed" };
        writeln!(
            out,
            "{word} {} -> {} ({} bytes, {} of them the credential; {})",
            shown(&done.source.to_string_lossy()),
            shown(&done.target.to_string_lossy()),
            done.bytes,
            done.manifest_bytes,
            axes(&done.report.provenance),
        )
    }

    /// A sentence for people, and a report for programs.
    fn complain(&self, refusal: &Refusal) -> io::Result<()> {
        say(&shown(&format!(
            "error: {}: {}",
            refusal.source.display(),
            refusal.message
        )));
        let out = io::stdout().lock();
        match out.is_terminal() {
            true => Ok(()),
            false => self.line(out, &refusal.report),
        }
    }

    fn line(&self, mut out: io::StdoutLock<'_>, report: &Report) -> io::Result<()> {
        match self.unread {
            true => Ok(()),
            false => jsonl::line(&mut out, report),
        }
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
            (
                self.unvouched,
                "by a signer that no list in force vouches for",
            ),
            (
                self.unlabelled,
                "without the unsigned label of the profile, for which there is no place",
            ),
            (self.before, "done before"),
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

/// What a reader will find, axis by axis, in the words of the report.
fn axes(found: &Provenance) -> String {
    format!(
        "content {}, signature {}, time {}, signer {}, history {}",
        word(&found.content),
        word(&found.signature),
        word(&found.time),
        word(&found.signer.status),
        word(&found.history.status),
    )
}
