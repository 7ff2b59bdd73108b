//! SIGHUP: the configuration file, the policy and the trust lists are read again, and the service judges by
//! them from then on. What cannot be used changes nothing and is told in the log. Models stay as they were
//! loaded: a changed model is a changed service, and wants a restart.

use std::{
    io,
    sync::mpsc::{Receiver, Sender},
};

use provenance::Judge;
use server::ExaminerCell;

use crate::{args::ServeArgs, exit::Failure, output::shown, settings::Settings};

/// Begins to pass each SIGHUP on, inside a runtime. Before this, the signal ends the process.
#[cfg(unix)]
pub(crate) fn notice(tell: Sender<()>) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move { while hangup.recv().await.is_some() && tell.send(()).is_ok() {} });
    Ok(())
}

/// There is no such signal here.
#[cfg(not(unix))]
pub(crate) fn notice(_: Sender<()>) -> io::Result<()> {
    Ok(())
}

/// Reads the rules again each time it is told to, until nobody can tell it any more.
pub(crate) fn obey(
    told: &Receiver<()>,
    cell: &ExaminerCell,
    args: &ServeArgs,
    settings: &Settings,
) {
    for () in told {
        match read_again(cell, args, settings) {
            Ok(()) => {
                let examiner = cell.current();
                tracing::info!(
                    policy = examiner.engine().policy,
                    "took over the rules as they are now"
                );
            }
            Err(failure) => {
                let reason = shown(failure.message());
                tracing::error!(
                    reason,
                    "kept the rules in force, because the new ones cannot be used"
                );
            }
        }
    }
}

fn read_again(cell: &ExaminerCell, args: &ServeArgs, settings: &Settings) -> Result<(), Failure> {
    let settings = settings.read_again()?;
    let judge = Judge::new(settings.trust(&args.anchors)?)?;
    let policy = settings.policy(&args.policy)?;
    cell.replace(cell.current().with_rules(judge, policy).into());
    Ok(())
}
