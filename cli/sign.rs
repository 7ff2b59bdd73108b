//! `bonafide sign`: signs one file. The result is read back from the disk and verified before it gets
//! its name, so the original is never lost and a bad output never seen.

use std::{
    fs,
    io::{self, IsTerminal as _, Write as _},
    path::{Path, PathBuf},
};

use media::{Media, Name};
use provenance::{Credential, SignRequest, Signed, Timestamp};
use verdict::{
    Examiner, Options, Policy, Report, Scope,
    report::{ContentState, SignatureState},
};

use crate::{
    args::SignArgs,
    clock, engine,
    exit::{Exit, Failure},
    jsonl,
    output::{self, Existing, shown},
    settings::Settings,
    words,
};

/// Runs the command.
pub(crate) fn run(args: &SignArgs, settings: &Settings) -> Result<Exit, Failure> {
    if args.path.is_dir() {
        return Err(Failure::usage(
            format!(
                "{} is a folder; this version signs one file at a time",
                args.path.display()
            ),
            "name a file",
        ));
    }
    let credential = Credential::load(&args.key, &args.chain)?;
    let trust = settings.trust(&crate::args::AnchorArgs {
        trust: Vec::new(),
        no_bundled_trust: false,
    })?;
    let limits = settings.limits(&args.limits);
    let examiner = engine::provenance_only(trust, Policy::default(), limits)?;
    let job = Job {
        args,
        examiner: &examiner,
        now: clock::now(),
        target: target(args)?,
    };
    job.run(&credential)
}

/// Where the output goes.
fn target(args: &SignArgs) -> Result<PathBuf, Failure> {
    let name = args.path.file_name().ok_or_else(|| {
        Failure::usage(
            format!("{} names no file", args.path.display()),
            "name a file",
        )
    })?;
    let target = match &args.out {
        Some(folder) => folder.join(name),
        None if args.sidecar => args.path.with_extension("c2pa"),
        None => return Ok(args.path.clone()),
    };
    if is_same_file(&target, &args.path) {
        return Err(Failure::usage(
            format!(
                "{} would be replaced by its own output",
                args.path.display()
            ),
            "give --out another folder, or say --in-place",
        ));
    }
    if target.exists() && !args.force {
        return Err(exists(&target));
    }
    Ok(target)
}

struct Job<'a> {
    args: &'a SignArgs,
    examiner: &'a Examiner,
    now: Timestamp,
    target: PathBuf,
}

impl Job<'_> {
    fn run(&self, credential: &Credential) -> Result<Exit, Failure> {
        let media = self.open(&self.args.path)?;
        let parent = self
            .args
            .parent
            .as_deref()
            .map(|path| self.open(path))
            .transpose()?;
        let name = file_name(&self.args.path);
        let request = SignRequest {
            title: Some(self.args.title.as_deref().unwrap_or(&name)),
            author: self.args.author.as_deref(),
            no_train: self.args.no_train,
            parent: parent.as_ref(),
            sidecar: self.args.sidecar,
            ..SignRequest::new(&self.args.profile, self.now)
        };
        let signed = provenance::sign(&media, &request, credential, None)?;
        let report = match self.args.dry_run {
            true => self.verified(
                &media,
                signed.media.bytes().to_vec(),
                self.args.sidecar.then_some(signed.manifest.as_slice()),
            )?,
            false => self.write(&media, &signed)?,
        };
        self.tell(&report)?;
        Ok(Exit::Done)
    }

    /// Writes beside the target, reads back, verifies, and only then gives the name.
    fn write(&self, media: &Media, signed: &Signed) -> Result<Report, Failure> {
        let refused = |error: io::Error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                return exists(&self.target);
            }
            output::cannot_write(&self.target, &error)
        };
        if let Some(folder) = &self.args.out {
            fs::create_dir_all(folder).map_err(refused)?;
        }
        let content = match self.args.sidecar {
            true => signed.manifest.as_slice(),
            false => signed.media.bytes(),
        };
        let mut file = output::temporary_beside(&self.target).map_err(refused)?;
        file.write_all(content).map_err(refused)?;
        file.as_file().sync_all().map_err(refused)?;
        let on_disk = fs::read(file.path()).map_err(refused)?;
        let report = match self.args.sidecar {
            true => self.verified(media, media.bytes().to_vec(), Some(&on_disk))?,
            false => self.verified(media, on_disk, None)?,
        };
        let existing = match self.args.in_place || self.args.force {
            true => Existing::Replace,
            false => Existing::Keep,
        };
        if self.args.in_place {
            self.check_unchanged(media)?;
        }
        output::publish(file, &self.target, existing).map_err(refused)?;
        Ok(report)
    }

    /// What a reader finds: `asset` with its manifest, or with the one beside it.
    fn verified(
        &self,
        media: &Media,
        asset: Vec<u8>,
        sidecar: Option<&[u8]>,
    ) -> Result<Report, Failure> {
        let name = match self.args.sidecar {
            true => media.name.clone(),
            false => Name::from_path(&self.target),
        };
        let output = Media::from_bytes(name, None, asset, self.examiner.limits())
            .map_err(|error| Failure::media(&self.target, &error))?;
        let options = Options {
            scope: Scope::Provenance,
            sidecar,
            ..Options::at(self.now)
        };
        let report = self.examiner.examine(&output, &options);
        let found = &report.provenance;
        if found.content == ContentState::Intact && found.signature == SignatureState::Ok {
            return Ok(report);
        }
        Err(Failure::file(
            format!(
                "the signed file does not pass verification: {}",
                found.codes.failure.join(", ")
            ),
            "nothing was written; check the disk, and please report this",
        ))
    }

    /// The original makes way only if it is still the file that was signed.
    fn check_unchanged(&self, media: &Media) -> Result<(), Failure> {
        match self.open(&self.args.path)?.digest == media.digest {
            true => Ok(()),
            false => Err(Failure::file(
                format!(
                    "{} was changed while it was signed",
                    self.args.path.display()
                ),
                "nothing was written; sign it again",
            )),
        }
    }

    fn open(&self, path: &Path) -> Result<Media, Failure> {
        Media::open(path, self.examiner.limits()).map_err(|error| Failure::media(path, &error))
    }

    fn tell(&self, report: &Report) -> io::Result<()> {
        let mut out = io::stdout().lock();
        if !out.is_terminal() {
            return jsonl::line(&mut out, report);
        }
        let done = if self.args.dry_run {
            "would sign"
        } else {
            "signed"
        };
        writeln!(
            out,
            "{done} {} -> {} ({})",
            shown(&self.args.path.to_string_lossy()),
            shown(&self.target.to_string_lossy()),
            words::credential(&report.provenance),
        )
    }
}

fn exists(path: &Path) -> Failure {
    Failure::usage(
        format!("{} exists already", path.display()),
        "give another place, or say --force to replace it",
    )
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        // One of them does not exist.
        _ => false,
    }
}
