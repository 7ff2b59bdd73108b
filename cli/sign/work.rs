//! Signs one file from its bytes to its name. The original makes way only for a successor that was read
//! back from the disk and verified, and only if it is still the file that was signed.

use std::{
    fs::{self, Metadata},
    io,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use media::{Digest, Limits, Media, Name};
use provenance::{
    BrokenHistory, Profile, SignError, SignRequest, Signed, TimeStamper, UnsignedLabels,
    signer::Signer,
};
use tempfile::NamedTempFile;
use verdict::{
    Examiner, Options, Report, Scope,
    report::{ContentState, Problem, SignatureState, TimeState},
};

use crate::{
    args::PlaceArgs,
    clock,
    output::{folder_of, shown},
    sign::{
        journal::Journal,
        place::{self, Existing},
        plan::{Item, Job},
        source::{may_be_media, may_be_replaced},
        trouble::{Trouble, in_the_way, no_journal, not_read, not_written},
    },
};

/// What all threads of a run share.
pub(crate) struct Work<'a> {
    pub(crate) signer: &'a dyn Signer,
    pub(crate) stamper: Option<&'a dyn TimeStamper>,
    pub(crate) deed: Deed<'a>,
    pub(crate) places: &'a PlaceArgs,
    pub(crate) dry_run: bool,
    pub(crate) journal: Option<Journal>,
    pub(crate) examiner: &'a Examiner,
    /// Held by whoever signs a large file.
    pub(crate) large: Mutex<()>,
}

/// What is done to every file.
pub(crate) enum Deed<'a> {
    /// A manifest of its own.
    Sign(Box<Statement<'a>>),
    /// A time stamp for the manifest that it carries.
    StampLater(&'a dyn TimeStamper),
}

/// What is stated about every file.
pub(crate) struct Statement<'a> {
    pub(crate) profile: Profile,
    pub(crate) broken_history: BrokenHistory,
    pub(crate) title: Option<&'a str>,
    pub(crate) author: Option<&'a str>,
    pub(crate) no_train: bool,
    pub(crate) parent: Option<Media>,
}

/// What became of one file.
pub(crate) enum Outcome {
    /// Signed, or, in a dry run, as it would be.
    Signed(Box<Done>),
    /// An earlier run with this journal signed it, or it is stamped already.
    Before,
    /// No medium and not named; a line for people.
    LeftOut(String),
    /// Nothing was written.
    Failed(Box<Refusal>),
}

/// A signed file.
pub(crate) struct Done {
    pub(crate) source: PathBuf,
    pub(crate) target: PathBuf,
    /// Bytes of the target.
    pub(crate) bytes: usize,
    /// Bytes of the manifest store, alone or in the target.
    pub(crate) manifest_bytes: usize,
    pub(crate) unsigned_labels: UnsignedLabels,
    pub(crate) report: Report,
}

/// A file that could not be signed: a report on it as it is, with the error in it.
pub(crate) struct Refusal {
    pub(crate) source: PathBuf,
    pub(crate) message: String,
    pub(crate) report: Report,
    /// Whether no other file will fare better.
    pub(crate) set_up: bool,
}

impl Work<'_> {
    /// Deals with one item; whatever happens comes out as an answer.
    pub(crate) fn run(&self, item: &Item) -> Outcome {
        match item {
            Item::Refused { name, error } => self.unread(name, error),
            Item::File(job) if !job.named && !may_be_media(&job.source) => {
                Outcome::LeftOut(format!(
                    "left out {}: it is no picture, sound or video",
                    shown(&job.source.to_string_lossy())
                ))
            }
            Item::File(job) => {
                let _turn = self.turn(&job.source);
                match Media::open(&job.source, self.examiner.limits()) {
                    Ok(media) => self.answer(job, &media),
                    Err(error) => self.unread(&job.source, &error),
                }
            }
        }
    }

    /// Waits for the large file that is signed now, where this one is large too.
    fn turn(&self, path: &Path) -> Option<MutexGuard<'_, ()>> {
        let is_large = path
            .symlink_metadata()
            .is_ok_and(|found| found.len() >= LARGE_BYTES);
        is_large.then(|| self.large.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn unread(&self, name: &Path, error: &media::MediaError) -> Outcome {
        let report = self
            .examiner
            .refuse(&Name::from_path(name), error, clock::now());
        Outcome::Failed(Box::new(Refusal {
            source: name.to_owned(),
            message: error.to_string(),
            report,
            set_up: false,
        }))
    }

    fn answer(&self, job: &Job, media: &Media) -> Outcome {
        match self.sign(job, media) {
            Ok(Some(done)) => Outcome::Signed(Box::new(done)),
            Ok(None) => Outcome::Before,
            Err(trouble) => {
                let mut report = self.examiner.examine(media, &self.options(None));
                report.error = Some(Problem {
                    code: trouble.code.to_owned(),
                    message: trouble.message.clone(),
                });
                Outcome::Failed(Box::new(Refusal {
                    source: job.source.clone(),
                    message: trouble.message,
                    report,
                    set_up: trouble.set_up,
                }))
            }
        }
    }

    /// `None` when an earlier run did it.
    fn sign(&self, job: &Job, media: &Media) -> Result<Option<Done>, Trouble> {
        if self.is_done_before(job, media) {
            return Ok(None);
        }
        if job.existing == Existing::Keep && job.target.symlink_metadata().is_ok() {
            return Err(in_the_way(&job.target));
        }
        let metadata = fs::metadata(&job.source).map_err(|error| not_read(&error))?;
        if self.places.in_place {
            may_be_replaced(&metadata)?;
        }
        let signed = self.signed(media)?;
        self.finish(job, media, &metadata, signed).map(Some)
    }

    fn is_done_before(&self, job: &Job, media: &Media) -> bool {
        if let Deed::StampLater(_) = self.deed {
            let found = self.examiner.examine(media, &self.options(None)).provenance;
            if matches!(
                found.time,
                TimeState::TrustedStamp | TimeState::UntrustedStamp
            ) {
                return true;
            }
        }
        let Some(journal) = &self.journal else {
            return false;
        };
        if self.places.in_place {
            return journal.made(&media.digest);
        }
        let limits = Limits {
            max_bytes: self
                .examiner
                .limits()
                .max_bytes
                .saturating_add(GROWTH_BYTES),
            ..*self.examiner.limits()
        };
        // Only a regular file is opened.
        Media::open(&job.target, &limits)
            .is_ok_and(|found| journal.made_of(&found.digest, &media.digest))
    }

    fn signed(&self, media: &Media) -> Result<Signed, Trouble> {
        // A parser that panics costs one file; nothing of the broken state is looked at afterwards.
        panic::catch_unwind(AssertUnwindSafe(|| match &self.deed {
            Deed::Sign(statement) => self.state(media, statement),
            Deed::StampLater(stamper) => {
                provenance::stamp_later(media, clock::now(), self.signer, *stamper)
            }
        }))
        .unwrap_or_else(|_| Err(SignError::Library("it failed on this file".to_owned())))
        .map_err(Trouble::from)
    }

    fn state(&self, media: &Media, said: &Statement<'_>) -> Result<Signed, SignError> {
        let name = Path::new(&media.name.display)
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let request = SignRequest {
            title: said.title.or(said.profile.title.as_deref()).or(Some(&name)),
            author: said.author,
            no_train: said.no_train,
            parent: said.parent.as_ref(),
            sidecar: self.places.sidecar,
            broken_history: said.broken_history,
            // A run may last for hours, and a time stamp must fit.
            ..SignRequest::new(&said.profile, clock::now())
        };
        provenance::sign(media, &request, self.signer, self.stamper)
    }

    /// Writes beside the target, reads back, and only then gives the name.
    fn finish(
        &self,
        job: &Job,
        media: &Media,
        source: &Metadata,
        mut signed: Signed,
    ) -> Result<Done, Trouble> {
        signed.media.name = Name::from_path(&job.target);
        let report = self.verified(media, &signed)?;
        let (content, digest) = match self.places.sidecar {
            true => (signed.manifest.as_slice(), Digest::of(&signed.manifest)),
            false => (signed.media.bytes(), signed.media.digest),
        };
        if !self.dry_run {
            let refused = |error: io::Error| not_written(&job.target, &error);
            let file = self.write(job, source, content).map_err(refused)?;
            if let Some(journal) = &self.journal {
                journal
                    .note(&media.name, &media.digest, &digest)
                    .map_err(|error| no_journal(&error))?;
            }
            if self.places.out.is_none() {
                self.check_unchanged(&job.source, media)?;
            }
            place::publish(file, &job.target, job.existing).map_err(refused)?;
        }
        Ok(Done {
            source: job.source.clone(),
            target: job.target.clone(),
            bytes: content.len(),
            manifest_bytes: signed.manifest.len(),
            unsigned_labels: signed.unsigned_labels,
            report,
        })
    }

    /// A file beside the target that holds `content` when it is read again.
    fn write(&self, job: &Job, source: &Metadata, content: &[u8]) -> io::Result<NamedTempFile> {
        if self.places.out.is_some() {
            fs::create_dir_all(folder_of(&job.target))?;
        }
        let replaced = fs::metadata(&job.target).ok();
        let model = replaced.as_ref().unwrap_or(source);
        let mut file = place::write_beside(&job.target, content, model)?;
        match place::gives_back(&mut file, content)? {
            true => Ok(file),
            false => Err(io::Error::other("the disk gives back other bytes")),
        }
    }

    /// The report that a reader of the signed file gets, once it says that the file holds.
    fn verified(&self, media: &Media, signed: &Signed) -> Result<Report, Trouble> {
        let report = match self.places.sidecar {
            true => self
                .examiner
                .examine(media, &self.options(Some(&signed.manifest))),
            false => self.examiner.examine(&signed.media, &self.options(None)),
        };
        let found = &report.provenance;
        if found.content == ContentState::Intact && found.signature == SignatureState::Ok {
            return Ok(report);
        }
        Err(SignError::NotVerified(found.codes.failure.join(", ")).into())
    }

    fn options<'a>(&self, sidecar: Option<&'a [u8]>) -> Options<'a> {
        Options {
            scope: Scope::Provenance,
            sidecar,
            ..Options::at(clock::now())
        }
    }

    fn check_unchanged(&self, path: &Path, media: &Media) -> Result<(), Trouble> {
        let now = Media::open(path, self.examiner.limits());
        match now.is_ok_and(|now| now.digest == media.digest) {
            true => Ok(()),
            false => Err(Trouble::file(
                "changed",
                "it was changed while it was signed, and nothing was written; sign it again",
            )),
        }
    }
}

/// What signing may add to a file: a store with the stores of its ancestors.
const GROWTH_BYTES: u64 = 64 << 20;

/// Files from this size on are signed one at a time, because each is in memory several times over.
const LARGE_BYTES: u64 = 32 << 20;
