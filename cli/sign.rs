//! `bonafide sign`: files and folders, on as many threads as there are cores. Whatever can be known to be
//! wrong is refused before the first byte is written; after that a bad file is one line, and the rest go on.

mod desk;
mod journal;
mod place;
mod plan;
mod signer;
mod source;
mod stop;
mod trouble;
mod work;

use std::{
    collections::BTreeSet,
    fs, io,
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use media::{Digest, Limits, Media};
use provenance::{BrokenHistory, signer::Signer};
use verdict::{Examiner, Policy};

use crate::{
    args::SignArgs,
    clock, engine,
    exit::{Exit, Failure},
    output::{self, folder_of, say},
    profile,
    settings::Settings,
    sign::{
        desk::Desk,
        journal::Journal,
        plan::{Item, Plan, plan},
        stop::Stop,
        work::{Deed, Outcome, Statement, Work},
    },
};

/// Runs the command.
pub(crate) fn run(args: &SignArgs, settings: &Settings) -> Result<Exit, Failure> {
    let signer = signer::signer(&args.signer, clock::now())?;
    let stamper = signer::stamper(&args.stamp)?;
    let trust = settings.trust(&args.anchors)?;
    let limits = limits(args, settings);
    let examiner = engine::provenance_only(trust, Policy::default(), limits)?;
    let plan = plan(&args.paths, &args.place, args.resume.is_some())?;
    let deed = match (&args.profile, stamper.as_deref()) {
        (Some(profile), _) => Deed::Sign(Box::new(statement(args, profile, &plan, &examiner)?)),
        (None, Some(stamper)) => Deed::StampLater(stamper),
        (None, None) => return Err(no_deed()),
    };
    let by = by(signer.as_ref(), &deed, args);
    if !args.dry_run {
        prepare(&plan, args.place.out.as_deref())?;
    }
    let journal = match &args.resume {
        Some(path) => Some(Journal::open(path, by, args.dry_run)?),
        None => None,
    };
    let work = Work {
        signer: signer.as_ref(),
        stamper: stamper.as_deref(),
        deed,
        places: &args.place,
        dry_run: args.dry_run,
        journal,
        examiner: &examiner,
        large: Mutex::new(()),
    };
    for line in &plan.left_out {
        say(line);
    }
    sign_all(&work, &plan.items, settings.jobs(args.jobs))
}

/// A creator signs whole films more often than a service is sent one.
fn limits(args: &SignArgs, settings: &Settings) -> Limits {
    Limits {
        max_bytes: args
            .max_bytes
            .or(settings.config.max_bytes)
            .unwrap_or(MAX_BYTES),
        ..Limits::default()
    }
}

fn statement<'a>(
    args: &'a SignArgs,
    name: &str,
    plan: &Plan,
    examiner: &Examiner,
) -> Result<Statement<'a>, Failure> {
    if args.parent.is_some() && plan.items.len() > 1 {
        return Err(Failure::usage(
            format!(
                "--parent is for one file, and {} were found",
                plan.items.len()
            ),
            "sign each file with its own parent",
        ));
    }
    let open = |path: &Path| {
        Media::open(path, examiner.limits()).map_err(|error| {
            Failure::usage(
                format!("the parent {} cannot be used: {error}", path.display()),
                "give --parent the file that this one was made from",
            )
        })
    };
    Ok(Statement {
        profile: profile::find(name)?,
        broken_history: match args.accept_broken_history {
            true => BrokenHistory::DangerousAccept,
            false => BrokenHistory::Refuse,
        },
        title: args.title.as_deref(),
        author: args.author.as_deref(),
        no_train: args.no_train,
        parent: args.parent.as_deref().map(open).transpose()?,
    })
}

fn no_deed() -> Failure {
    Failure::usage(
        "it is not said what the files are",
        "give --profile, or --timestamp-later with --timestamp",
    )
}

/// What tells a result of this run from one that was signed by another or says something else.
fn by(signer: &dyn Signer, deed: &Deed<'_>, args: &SignArgs) -> String {
    let said = match deed {
        Deed::StampLater(_) => format!("{:?}", signer.chain()),
        Deed::Sign(said) => format!(
            "{:?}",
            (
                signer.chain(),
                &said.profile,
                said.title,
                said.author,
                said.no_train,
                said.parent.as_ref().map(|parent| parent.digest),
                args.place.sidecar,
            )
        ),
    };
    Digest::of(said.as_bytes()).to_string()
}

/// Finds out whether the output folder can be written to, and sweeps up what killed runs left.
fn prepare(plan: &Plan, out: Option<&Path>) -> Result<(), Failure> {
    if let Some(out) = out {
        fs::create_dir_all(out)
            .and_then(|()| output::temporary_beside(&out.join("x")))
            .map_err(|error| output::cannot_write(out, &error))?;
    }
    let folders: BTreeSet<&Path> = plan
        .items
        .iter()
        .filter_map(|item| match item {
            Item::File(job) => Some(folder_of(&job.target)),
            Item::Refused { .. } => None,
        })
        .collect();
    folders.into_iter().for_each(place::sweep);
    Ok(())
}

/// Signs on `jobs` threads and answers on this one.
fn sign_all(work: &Work<'_>, items: &[Item], jobs: usize) -> Result<Exit, Failure> {
    let stop = Stop::listen()?;
    let total = u64::try_from(items.len()).unwrap_or(u64::MAX);
    let mut desk = Desk::new(total, work.dry_run);
    let next = AtomicUsize::new(0);
    let (answers, arriving) = mpsc::sync_channel::<Outcome>(jobs.saturating_mul(4));
    let written: io::Result<()> = thread::scope(|scope| {
        for _ in 0..jobs.min(items.len()) {
            let (answers, stop, next) = (answers.clone(), stop.clone(), &next);
            scope.spawn(move || {
                while !stop.is_requested()
                    && let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed))
                    && answers.send(work.run(item)).is_ok()
                {}
            });
        }
        drop(answers);
        arriving.into_iter().try_for_each(|answer| {
            if !desk.take(answer)? {
                stop.request();
            }
            Ok(())
        })
    });
    let exit = desk.close();
    // What was signed until the reader of the lines went away is signed.
    written.map(|()| exit).map_err(Failure::from)
}

/// Files of a quarter of a gibibyte: each thread holds up to four copies of one in memory.
const MAX_BYTES: u64 = 256 << 20;
