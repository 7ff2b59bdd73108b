//! `bonafide scan`: walks, examines on as many threads as there are cores, reports as it goes. One bad
//! file is one line; the scan goes on.

use std::{
    io::{self, IsTerminal as _},
    path::Path,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use media::{Media, Name};
use provenance::Timestamp;
use verdict::{Code, Examiner, Options, Report, Scope};

use crate::{
    args::{Format, ScanArgs, Side},
    clock,
    engine::{self, Pixels},
    exit::{Exit, Failure},
    heatmap::Drawings,
    journal::{Finished, Journal},
    output::{Output, say},
    progress::Progress,
    reports::Reports,
    settings::Settings,
    sidecar,
    tally::Tally,
    walk::{Found, walk},
};

/// Runs the command.
pub(crate) fn run(args: &ScanArgs, settings: &Settings) -> Result<Exit, Failure> {
    let format = format(args)?;
    let fail_on = settings.fail_on(&args.verdict)?;
    let scope = scope(&args.only);
    let examiner = examiner(args, settings, scope)?;
    let (journal, finished) = match &args.resume {
        Some(path) => Journal::open(path).map(|(journal, finished)| (Some(journal), finished))?,
        None => (None, Finished::default()),
    };
    let output = match (&args.output, &args.resume) {
        (Some(path), Some(_)) => Output::growing(path)?,
        (path, _) => Output::whole(path.as_deref())?,
    };
    let desk = Desk {
        reports: Reports::start(format, output)?,
        journal,
        tally: Tally::new(fail_on),
        progress: Progress::new("examined", None),
    };
    let heatmap = args.heatmap.as_deref();
    let work = Work {
        args,
        drawings: heatmap.map(Drawings::into_folder).transpose()?,
        examiner: &examiner,
        finished: &finished,
        scope,
        now: args.trust.at.unwrap_or_else(clock::now),
    };
    work.scan(settings.jobs(args.jobs), desk)
}

fn format(args: &ScanArgs) -> Result<Format, Failure> {
    let format = args
        .format
        .unwrap_or(match args.output.is_none() && io::stdout().is_terminal() {
            true => Format::Table,
            false => Format::Jsonl,
        });
    if format == Format::Html {
        return Err(Failure::usage(
            "the html format is not in this version",
            "use --format table, jsonl or csv",
        ));
    }
    if format != Format::Jsonl && args.output.is_some() && args.resume.is_some() {
        return Err(Failure::usage(
            "--resume adds to the output line by line, which only jsonl allows",
            "use --format jsonl, or leave out --resume",
        ));
    }
    Ok(format)
}

fn scope(only: &[Side]) -> Scope {
    match (
        only.contains(&Side::Provenance),
        only.contains(&Side::Detection),
    ) {
        (true, false) => Scope::Provenance,
        (false, true) => Scope::Detection,
        (true, true) | (false, false) => Scope::Both,
    }
}

fn examiner(args: &ScanArgs, settings: &Settings, scope: Scope) -> Result<Examiner, Failure> {
    let trust = settings.trust(&args.trust.anchors)?;
    let policy = settings.policy(&args.policy)?;
    let pixels = match scope {
        Scope::Provenance => Pixels::No,
        Scope::Detection => Pixels::Required,
        Scope::Both => Pixels::IfInstalled,
    };
    let places = settings.detector(&args.detector)?;
    let slot = engine::detector(&places, pixels, settings.jobs(args.jobs))?;
    engine::examiner(trust, policy, settings.limits(&args.limits), slot)
}

/// What all threads of a scan share.
struct Work<'a> {
    args: &'a ScanArgs,
    drawings: Option<Drawings>,
    examiner: &'a Examiner,
    finished: &'a Finished,
    scope: Scope,
    now: Timestamp,
}

/// Where results arrive; one thread sits at it.
struct Desk {
    reports: Reports,
    journal: Option<Journal>,
    tally: Tally,
    progress: Progress,
}

/// What arrives there. `place` is the file's place in the walk.
enum Event {
    Report {
        place: u64,
        report: Box<Report>,
    },
    Resumed {
        place: u64,
        code: Code,
        had_error: bool,
    },
    Skipped(String),
}

type Task = (u64, Found);

impl Work<'_> {
    /// Walks on one thread, examines on `jobs`, writes on this one. When writing fails the channels
    /// close one after the other, and every thread ends at its next hand-over.
    fn scan(&self, jobs: usize, mut desk: Desk) -> Result<Exit, Failure> {
        let (tasks, waiting) = mpsc::sync_channel::<Task>(jobs.saturating_mul(4));
        let (events, arriving) = mpsc::sync_channel::<Event>(jobs.saturating_mul(4));
        // Owned by the examiners alone: when the last one ends, the walk ends too.
        let waiting = Arc::new(Mutex::new(waiting));
        let written = thread::scope(|scope| {
            let skipped = events.clone();
            scope.spawn(move || self.walk(&tasks, &skipped));
            for _ in 0..jobs {
                let (waiting, events) = (Arc::clone(&waiting), events.clone());
                scope.spawn(move || self.examine_all(&waiting, &events));
            }
            drop((waiting, events));
            arriving.into_iter().try_for_each(|event| desk.take(event))
        });
        desk.close(written)
    }

    fn walk(&self, tasks: &mpsc::SyncSender<Task>, events: &mpsc::SyncSender<Event>) {
        let mut place = 0;
        walk(
            &self.args.paths,
            self.args.follow_links,
            |found| match found {
                Found::Skipped(line) => events.send(Event::Skipped(line)).is_ok(),
                found @ (Found::File { .. } | Found::Refused { .. }) => {
                    place += 1;
                    tasks.send((place - 1, found)).is_ok()
                }
            },
        );
    }

    fn examine_all(&self, waiting: &Mutex<mpsc::Receiver<Task>>, events: &mpsc::SyncSender<Event>) {
        loop {
            let task = waiting
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .recv();
            let Ok((place, found)) = task else { return };
            if events.send(self.examine(place, found)).is_err() {
                return;
            }
        }
    }

    fn examine(&self, place: u64, found: Found) -> Event {
        let report = |report| Event::Report {
            place,
            report: Box::new(report),
        };
        match found {
            Found::Skipped(line) => Event::Skipped(line),
            Found::Refused { name, error } => report(self.refuse(&name, &error)),
            Found::File { name, open } => {
                let started = Instant::now();
                match Media::open(&open, self.examiner.limits()) {
                    Err(error) => report(self.refuse(&name, &error)),
                    Ok(mut media) => {
                        let read = started.elapsed();
                        media.name = Name::from_path(&name);
                        match self.finished.verdict(&media.name, &media.digest) {
                            Some((code, had_error)) => Event::Resumed {
                                place,
                                code,
                                had_error,
                            },
                            None => report(self.judge(&open, &media, read)),
                        }
                    }
                }
            }
        }
    }

    fn refuse(&self, name: &Path, error: &media::MediaError) -> Report {
        self.examiner
            .refuse(&Name::from_path(name), error, self.now)
    }

    fn judge(&self, path: &Path, media: &Media, read: Duration) -> Report {
        let sidecar = sidecar::beside(path, self.examiner.limits());
        let options = Options {
            scope: self.scope,
            read: Some(read),
            sidecar: sidecar.as_ref().map(Media::bytes),
            ..Options::at(self.now)
        };
        let mut report = self.examiner.examine(media, &options);
        if let Some(drawings) = &self.drawings {
            drawings.add(self.examiner, media, &mut report);
        }
        report
    }
}

impl Desk {
    fn take(&mut self, event: Event) -> io::Result<()> {
        match event {
            Event::Skipped(line) => {
                self.progress.clear();
                say(&line);
            }
            Event::Resumed {
                place,
                code,
                had_error,
            } => {
                self.tally.add_resumed(code, had_error);
                self.write(place, None)?;
            }
            Event::Report { place, report } => {
                self.tally.add(&report);
                self.write(place, Some(report))?;
            }
        }
        self.progress.show(self.tally.files());
        Ok(())
    }

    fn write(&mut self, place: u64, report: Option<Box<Report>>) -> io::Result<()> {
        self.progress.clear();
        for report in self.reports.take(place, report)? {
            if let Some(journal) = &mut self.journal {
                journal.note(&report)?;
            }
        }
        Ok(())
    }

    fn close(mut self, written: io::Result<()>) -> Result<Exit, Failure> {
        self.progress.clear();
        let written = written.and_then(|()| self.reports.finish());
        match written {
            Ok(()) => say(&self.tally.summary()),
            // The reader has seen enough; what was examined so far still decides the code.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) => return Err(error.into()),
        }
        Ok(self.tally.exit())
    }
}
