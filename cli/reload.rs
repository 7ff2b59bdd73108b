//! SIGHUP: the configuration file, the policy, the trust lists and the keys of an issuer are read again, and the service
//! judges and lets in by them from then on. What cannot be used changes nothing and is told in the log. Models stay as
//! they were loaded: a changed model is a changed service, and wants a restart.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{Receiver, Sender},
    },
};

use provenance::Judge;
use server::{ExaminerCell, IssuerCell};

use crate::{
    args::ServeArgs, exit::Failure, output::shown, serve::issuer::issuer, settings::Settings,
};

/// What a signal replaces.
pub(crate) struct Rules {
    /// Who judges.
    pub(crate) examiner: Arc<ExaminerCell>,
    /// Whose tokens count.
    pub(crate) issuer: Arc<IssuerCell>,
}

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
pub(crate) fn obey(told: &Receiver<()>, rules: &Rules, args: &ServeArgs, settings: &Settings) {
    for () in told {
        match read_again(rules, args, settings) {
            Ok(()) => {
                let examiner = rules.examiner.current();
                let issuer = rules.issuer.current();
                tracing::info!(
                    policy = examiner.engine().policy,
                    issuer.keys = issuer.map(|issuer| issuer.key_count()),
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

fn read_again(rules: &Rules, args: &ServeArgs, settings: &Settings) -> Result<(), Failure> {
    let settings = settings.read_again()?;
    let judge = Judge::new(settings.trust(&args.anchors)?)?;
    let policy = settings.policy(&args.policy)?;
    // All of them are read before one is taken over.
    let issuer = issuer(&args.oidc, &settings)?;
    let examiner = rules.examiner.current().with_rules(judge, policy);
    rules.examiner.replace(examiner.into());
    rules.issuer.replace(issuer);
    Ok(())
}
