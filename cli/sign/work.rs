//! Signs one file from its bytes to its name. The original makes way only for a successor that was read
//! back from the disk and verified, and only if it is still the file that was signed.

use std::{
    fs::{self, File, Metadata},
    io::{self, Read as _},
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};

use media::{Digest, Kind, Media, Name};
use provenance::{
    BrokenHistory, Profile, SignError, SignRequest, Signed, TimeStamper, Timestamp, signer::Signer,
};
use tempfile::NamedTempFile;
use verdict::{
    Examiner, Options, Report, Scope,
    report::{ContentState, ManifestState, Problem, SignatureState},
};

use crate::{
    args::PlaceArgs,
    output::{Existing, folder_of, shown},
    sign::{
        journal::Journal,
        place,
        plan::{Item, Job},
    },
};

/// What all threads of a run share.
pub(crate) struct Work<'a> {
    pub(crate) signer: &'a dyn Signer,
    pub(crate) stamper: Option<&'a dyn TimeStamper>,
    pub(crate) statement: Statement<'a>,
    pub(crate) places: &'a PlaceArgs,
    pub(crate) dry_run: bool,
    pub(crate) journal: Option<Journal>,
    pub(crate) examiner: &'a Examiner,
    pub(crate) now: Timestamp,
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
    /// An earlier run with this journal signed it.
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

/// Why one file could not be signed.
struct Trouble {
    code: &'static str,
    message: String,
    set_up: bool,
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
            Item::File(job) => match Media::open(&job.source, self.examiner.limits()) {
                Ok(media) => self.answer(job, &media),
                Err(error) => self.unread(&job.source, &error),
            },
        }
    }

    fn unread(&self, name: &Path, error: &media::MediaError) -> Outcome {
        let report = self
            .examiner
            .refuse(&Name::from_path(name), error, self.now);
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

    /// `None` when an earlier run signed it.
    fn sign(&self, job: &Job, media: &Media) -> Result<Option<Done>, Trouble> {
        if self.is_signed_before(job, media) {
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

    fn is_signed_before(&self, job: &Job, media: &Media) -> bool {
        let Some(journal) = &self.journal else {
            return false;
        };
        if self.places.in_place {
            return journal.made(&media.digest);
        }
        fs::read(&job.target).is_ok_and(|found| journal.made_of(&Digest::of(&found), &media.digest))
    }

    fn signed(&self, media: &Media) -> Result<Signed, Trouble> {
        let name = Path::new(&media.name.display)
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let said = &self.statement;
        let request = SignRequest {
            title: said.title.or(said.profile.title.as_deref()).or(Some(&name)),
            author: said.author,
            no_train: said.no_train,
            parent: said.parent.as_ref(),
            sidecar: self.places.sidecar,
            broken_history: said.broken_history,
            ..SignRequest::new(&said.profile, self.now)
        };
        // A parser that panics costs one file; nothing of the broken state is looked at afterwards.
        panic::catch_unwind(AssertUnwindSafe(|| {
            provenance::sign(media, &request, self.signer, self.stamper)
        }))
        .unwrap_or_else(|_| Err(SignError::Library("it failed on this file".to_owned())))
        .map_err(Trouble::from)
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
        match place::read_back(&mut file)? == content {
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
        if self.places.sidecar && found.manifest != ManifestState::Sidecar {
            return Err(Trouble::file(
                "already_signed",
                "it carries a credential, which readers prefer to one beside it; use --out or --in-place",
            ));
        }
        if found.content == ContentState::Intact && found.signature == SignatureState::Ok {
            return Ok(report);
        }
        Err(SignError::NotVerified(found.codes.failure.join(", ")).into())
    }

    fn options<'a>(&self, sidecar: Option<&'a [u8]>) -> Options<'a> {
        Options {
            scope: Scope::Provenance,
            sidecar,
            ..Options::at(self.now)
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

impl Trouble {
    fn file(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            set_up: false,
        }
    }
}

impl From<SignError> for Trouble {
    fn from(error: SignError) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
            set_up: error.fault() == media::Fault::Operator,
        }
    }
}

/// By its name, or by how it begins.
fn may_be_media(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    if extension.and_then(Kind::from_extension).is_some() {
        return true;
    }
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(SNIFFED_BYTES).read_to_end(&mut start));
    // A file that cannot be read has to be spoken of.
    read.is_err() || Kind::sniff(&start) != Kind::Unknown
}

/// A file with a second name would go on unsigned under that name, and one that is read-only is meant to
/// stay as it is.
fn may_be_replaced(metadata: &Metadata) -> Result<(), Trouble> {
    if metadata.permissions().readonly() {
        return Err(Trouble::file(
            "read_only",
            "it is read-only; allow writing with chmod u+w, or use --out",
        ));
    }
    match names(metadata) {
        0 | 1 => Ok(()),
        names => Err(Trouble::file(
            "hard_links",
            format!(
                "it has {names} names (hard links), and the others would stay unsigned; use --out"
            ),
        )),
    }
}

#[cfg(unix)]
fn names(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata)
}

#[cfg(not(unix))]
fn names(_: &Metadata) -> u64 {
    1
}

fn not_read(error: &io::Error) -> Trouble {
    Trouble::file("unreadable", format!("it cannot be read: {error}"))
}

fn not_written(target: &Path, error: &io::Error) -> Trouble {
    if error.kind() == io::ErrorKind::AlreadyExists {
        return in_the_way(target);
    }
    Trouble::file(
        "not_written",
        format!(
            "{} cannot be written: {error}; the original is as it was",
            target.display()
        ),
    )
}

fn in_the_way(target: &Path) -> Trouble {
    Trouble::file(
        "exists",
        format!(
            "{} exists already; say --force to replace it",
            target.display()
        ),
    )
}

/// Without its line a second run could not tell that the file is done.
fn no_journal(error: &io::Error) -> Trouble {
    Trouble {
        set_up: true,
        ..Trouble::file(
            "journal",
            format!("the journal cannot be written: {error}; the original is as it was"),
        )
    }
}

/// Enough for every kind that is told by how it begins.
const SNIFFED_BYTES: u64 = 64 << 10;
