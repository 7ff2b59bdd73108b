//! What a piece of work cost: CPU time of the whole process, and wall time beside it.
//!
//! CPU time is the measure, because it repeats within a few per cent on a shared machine while wall time
//! does not. It is read from the kernel's scheduler through `/proc`, thread by thread, so that the
//! detector's own threads count and no crate is needed; a dependency for benches alone would change the
//! features of shared crates and make cargo build the largest of them twice. Where there is no `/proc`,
//! wall time stands in and the table says so.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// CPU and wall time of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Cost {
    /// CPU time of all threads; `None` where the kernel does not tell.
    pub(crate) cpu: Option<Duration>,
    /// Wall time.
    pub(crate) wall: Duration,
}

/// Runs `work` and returns what it made and what it cost.
///
/// Threads must not end while `work` runs: a thread that is gone takes its time with it. The detector's
/// threads live as long as the detector.
pub(crate) fn measure<T>(work: impl FnOnce() -> T) -> (T, Cost) {
    let cpu_before = process_cpu();
    let start = Instant::now();
    let result = work();
    let wall = start.elapsed();
    let cpu = process_cpu()
        .zip(cpu_before)
        .map(|(after, before)| after.saturating_sub(before));
    (result, Cost { cpu, wall })
}

/// Time on a CPU of every living thread of this process.
fn process_cpu() -> Option<Duration> {
    // The kernel adds up a thread's time when it leaves the CPU, so this one leaves it for a moment.
    thread::yield_now();
    let mut sum = Duration::ZERO;
    for task in fs::read_dir("/proc/self/task").ok()? {
        let Ok(text) = fs::read_to_string(task.ok()?.path().join("schedstat")) else {
            continue;
        };
        let nanoseconds = text.split(' ').next()?.parse().ok()?;
        sum += Duration::from_nanos(nanoseconds);
    }
    Some(sum)
}
