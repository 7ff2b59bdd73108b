//! A counter, or a bar where the end is known, on standard error while a run works on a terminal; silent
//! everywhere else.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// The counter.
pub(crate) struct Progress {
    visible: bool,
    /// What happens to the files.
    done: &'static str,
    total: Option<u64>,
    drawn: Option<Instant>,
}

impl Progress {
    /// Counts only where somebody can see it. With a `total` there is a bar.
    pub(crate) fn new(done: &'static str, total: Option<u64>) -> Self {
        Self {
            visible: io::stderr().is_terminal(),
            done,
            total,
            drawn: None,
        }
    }

    /// Shows the number of files done, a few times a second at most.
    pub(crate) fn show(&mut self, files: u64) {
        let is_due = self.drawn.is_none_or(|drawn| drawn.elapsed() >= PACE);
        if self.visible && is_due {
            let _ = write!(
                io::stderr().lock(),
                "\r{}",
                line(files, self.total, self.done)
            );
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

fn line(files: u64, total: Option<u64>, done: &str) -> String {
    let Some(total) = total else {
        return format!("{files} files {done}");
    };
    let cells = files
        .saturating_mul(CELLS)
        .checked_div(total)
        .unwrap_or(CELLS);
    let bar: String = (0..CELLS)
        .map(|cell| if cell < cells { '#' } else { '.' })
        .collect();
    format!("[{bar}] {files} of {total} files {done}")
}

/// Time between two drawings.
const PACE: Duration = Duration::from_millis(200);

/// Characters that a drawing can take.
const WIDTH: usize = 78;

/// Characters of a whole bar.
const CELLS: u64 = 24;

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn a_bar_fills_up_to_its_end_and_no_further() {
        assert_eq!(line(7, None, "examined"), "7 files examined");
        assert_eq!(
            line(1, Some(2), "signed"),
            "[############............] 1 of 2 files signed"
        );
        assert!(line(2, Some(2), "signed").starts_with("[########################] 2"));
        assert!(line(0, Some(0), "signed").starts_with("[########################] 0"));
    }
}
