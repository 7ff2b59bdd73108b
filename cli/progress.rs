//! A counter on standard error while a scan runs on a terminal; silent everywhere else.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// The counter.
pub(crate) struct Progress {
    visible: bool,
    drawn: Option<Instant>,
}

impl Progress {
    /// Counts only where somebody can see it.
    pub(crate) fn new() -> Self {
        Self {
            visible: io::stderr().is_terminal(),
            drawn: None,
        }
    }

    /// Shows the number of files done, a few times a second at most.
    pub(crate) fn show(&mut self, files: u64) {
        let is_due = self.drawn.is_none_or(|drawn| drawn.elapsed() >= PACE);
        if self.visible && is_due {
            let _ = write!(io::stderr().lock(), "\r{files} files examined");
            self.drawn = Some(Instant::now());
        }
    }

    /// Makes room for a line; call before anything is printed.
    pub(crate) fn clear(&mut self) {
        if self.drawn.take().is_some() {
            let _ = write!(io::stderr().lock(), "\r{:WIDTH$}\r", "");
        }
    }
}

/// Time between two drawings.
const PACE: Duration = Duration::from_millis(200);

/// Characters that a drawing can take.
const WIDTH: usize = 40;
