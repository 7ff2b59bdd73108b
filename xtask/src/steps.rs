//! Runs programs and named steps, and says what is being done and how long it took.

use std::io::Write as _;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::error::TaskError;

/// Prints one line of talk. It goes to standard error: standard output belongs to data.
pub(crate) fn say(line: &str) {
    // A closed standard error is no reason to stop a build.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// The steps of one task with their wall times.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    done: Vec<(&'static str, Duration)>,
}

impl Steps {
    /// Runs one step, announcing it and its time; the first failure ends the task.
    ///
    /// # Errors
    ///
    /// What the step returns.
    pub(crate) fn step<T>(
        &mut self,
        name: &'static str,
        action: impl FnOnce() -> Result<T, TaskError>,
    ) -> Result<T, TaskError> {
        say(&format!("==> {name}"));
        let start = Instant::now();
        let outcome = action();
        let elapsed = start.elapsed();
        let word = if outcome.is_ok() { "done" } else { "FAILED" };
        say(&format!("<== {name}: {word} after {}", seconds(elapsed)));
        self.done.push((name, elapsed));
        outcome
    }

    /// Prints the wall time of every step and their sum.
    pub(crate) fn report(&self) {
        say("wall time per step:");
        for (name, elapsed) in &self.done {
            say(&format!("  {:>9}  {name}", seconds(*elapsed)));
        }
        let total: Duration = self.done.iter().map(|(_, elapsed)| *elapsed).sum();
        say(&format!("  {:>9}  in all", seconds(total)));
    }
}

/// Runs a program with our own standard streams.
///
/// # Errors
///
/// [`TaskError::Start`] or [`TaskError::Failed`].
pub(crate) fn run(command: &mut Command) -> Result<(), TaskError> {
    let status = command
        .status()
        .map_err(|source| start_error(command, source))?;
    if status.success() {
        return Ok(());
    }
    Err(TaskError::Failed {
        command: describe(command),
        code: status.code(),
    })
}

/// [`TaskError::Start`] for a program that could not be started.
pub(crate) fn start_error(command: &Command, source: std::io::Error) -> TaskError {
    TaskError::Start {
        program: command.get_program().to_string_lossy().into_owned(),
        source,
    }
}

/// The command line as a person would type it, without quotes.
pub(crate) fn describe(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_name().unwrap_or(command.get_program());
    std::iter::once(name)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

fn seconds(elapsed: Duration) -> String {
    format!("{:.1} s", elapsed.as_secs_f64())
}
