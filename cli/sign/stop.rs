//! Ctrl-C and a request to terminate: the files at work are finished, no further one is begun. A second
//! signal ends the program at once, which loses no file either; the next run sweeps what is left.

use std::{
    future, io, process,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crate::output::say;

/// Whether somebody wants the run to stop. Clones are one and the same.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens to signals for as long as the program runs.
    pub(crate) fn listen() -> io::Result<Self> {
        let stop = Self::default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let told = stop.clone();
        // The handlers are in place before the first file is touched.
        let mut signals = runtime.block_on(async { Signals::listen() })?;
        thread::Builder::new().spawn(move || {
            runtime.block_on(async {
                signals.wait().await;
                told.request();
                say("stopping when the files at work are done; a second signal stops at once");
                signals.wait().await;
                process::exit(SIGNALLED);
            });
        })?;
        Ok(stop)
    }

    /// Asks the run to stop.
    pub(crate) fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was asked to.
    pub(crate) fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn wait(&mut self) {
        let arrived = tokio::select! {
            arrived = self.interrupt.recv() => arrived,
            arrived = self.terminate.recv() => arrived,
        };
        if arrived.is_none() {
            future::pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    async fn wait(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            future::pending::<()>().await;
        }
    }
}

/// What shells report for a program that Ctrl-C ended.
const SIGNALLED: i32 = 130;
