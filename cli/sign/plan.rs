//! What a run will sign and where each result goes, settled before the first byte is written: two results
//! for one name, or one in the way, stop the run here. Knows paths, never what is in a file.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use media::{Kind, MediaError};
use walkdir::WalkDir;

use crate::{
    args::PlaceArgs,
    exit::Failure,
    output::shown,
    sign::place::{self, Existing},
    walk::{Found, look, refuse},
};

/// What is to be done, in the order of the walk.
pub(crate) struct Plan {
    pub(crate) items: Vec<Item>,
    /// Lines about what is left out.
    pub(crate) left_out: Vec<String>,
}

/// One thing that gets an answer.
pub(crate) enum Item {
    /// A file to sign.
    File(Job),
    /// Something that was named or found and cannot be looked at.
    Refused { name: PathBuf, error: MediaError },
}

/// One file to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) source: PathBuf,
    pub(crate) target: PathBuf,
    /// What to do when the target is there by the time of publishing.
    pub(crate) existing: Existing,
    /// Whether the caller named the file itself; one found in a folder that is no medium is left out.
    pub(crate) named: bool,
}

/// Walks `paths` and settles the targets. With `resuming`, a target that is there may be one of the
/// interrupted run; whoever signs looks into it.
pub(crate) fn plan(paths: &[PathBuf], places: &PlaceArgs, resuming: bool) -> Result<Plan, Failure> {
    let mut planner = Planner {
        places,
        resuming,
        out: places
            .out
            .as_deref()
            .and_then(|out| out.canonicalize().ok()),
        plan: Plan {
            items: Vec::new(),
            left_out: Vec::new(),
        },
        sources: HashSet::new(),
        targets: HashMap::new(),
    };
    for path in paths {
        planner.walk(path)?;
    }
    Ok(planner.plan)
}

struct Planner<'a> {
    places: &'a PlaceArgs,
    resuming: bool,
    /// The output folder, when it is there already: what is in it is no input.
    out: Option<PathBuf>,
    plan: Plan,
    sources: HashSet<PathBuf>,
    /// By target, the file it is for.
    targets: HashMap<PathBuf, PathBuf>,
}

impl Planner<'_> {
    fn walk(&mut self, root: &Path) -> Result<(), Failure> {
        let out = self.out.clone();
        if root.is_dir() && out.is_some() && root.canonicalize().ok() == out {
            return Err(own_output(root));
        }
        let is_output = |entry: &walkdir::DirEntry| {
            out.is_some() && entry.file_type().is_dir() && entry.path().canonicalize().ok() == out
        };
        let entries = WalkDir::new(root)
            .follow_root_links(false)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|entry| !is_output(entry));
        for entry in entries {
            let named = entry.as_ref().is_ok_and(|entry| entry.depth() == 0);
            let found = match entry {
                Ok(entry) => look(entry),
                Err(error) => Some(refuse(root, error)),
            };
            match found {
                Some(Found::File { name, .. }) => self.add(root, name, named)?,
                Some(Found::Refused { name, error }) => {
                    self.plan.items.push(Item::Refused { name, error });
                }
                Some(Found::Skipped(line)) => self.plan.left_out.push(line),
                None => {}
            }
        }
        Ok(())
    }

    fn add(&mut self, root: &Path, source: PathBuf, named: bool) -> Result<(), Failure> {
        if !named && (place::is_temporary(&source) || is_store(&source)) {
            return Ok(());
        }
        // A file that is named twice, or by name and by folder, is signed once.
        let real = source.canonicalize().unwrap_or_else(|_| source.clone());
        if !self.sources.insert(real.clone()) {
            return Ok(());
        }
        let (target, key) = self.target(root, &source, &real, named)?;
        if !self.places.in_place {
            self.check(&source, &real, &target)?;
        }
        if let Some(other) = self.targets.insert(key, source.clone()) {
            return Err(collision(&other, &source, &target));
        }
        // With --force, only what was there when the run began makes way.
        let is_there = self.places.force && target.symlink_metadata().is_ok();
        let existing = match self.places.in_place || is_there {
            true => Existing::Replace,
            false => Existing::Keep,
        };
        self.plan.items.push(Item::File(Job {
            source,
            target,
            existing,
            named,
        }));
        Ok(())
    }

    /// The target as it is shown, and what tells it from every other.
    fn target(
        &self,
        root: &Path,
        source: &Path,
        real: &Path,
        named: bool,
    ) -> Result<(PathBuf, PathBuf), Failure> {
        if let Some(out) = &self.places.out {
            let inside = match named {
                true => source.file_name().map(Path::new),
                false => source.strip_prefix(root).ok(),
            };
            let target = out.join(inside.ok_or_else(|| no_name(source))?);
            return Ok((target.clone(), target));
        }
        Ok(match self.places.sidecar {
            true => (source.with_extension(STORE), real.with_extension(STORE)),
            false => (source.to_owned(), real.to_owned()),
        })
    }

    /// A target that is the source itself, or that is there already.
    fn check(&self, source: &Path, real: &Path, target: &Path) -> Result<(), Failure> {
        let Ok(found) = target.symlink_metadata() else {
            return Ok(());
        };
        if target.canonicalize().is_ok_and(|target| target == real) {
            return Err(own_output(source));
        }
        if found.is_dir() {
            return Err(Failure::usage(
                format!("{} is a folder", target.display()),
                "give --out another folder",
            ));
        }
        match self.places.force || self.resuming {
            true => Ok(()),
            false => Err(exists(target)),
        }
    }
}

/// A manifest store lies beside its file and is signed already.
fn is_store(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.and_then(Kind::from_extension) == Some(Kind::C2pa)
}

/// The refusal of a target that is there.
pub(crate) fn exists(target: &Path) -> Failure {
    Failure::usage(
        format!("{} exists already", target.display()),
        "give another place, say --force to replace it, or --resume with the journal of the run that made it",
    )
}

fn own_output(source: &Path) -> Failure {
    Failure::usage(
        format!("{} would be replaced by its own output", source.display()),
        "give --out another folder, or say --in-place",
    )
}

fn collision(one: &Path, other: &Path, target: &Path) -> Failure {
    Failure::usage(
        format!(
            "{} and {} would both become {}",
            shown(&one.to_string_lossy()),
            shown(&other.to_string_lossy()),
            target.display()
        ),
        "sign them in two runs, into two folders",
    )
}

fn no_name(path: &Path) -> Failure {
    Failure::usage(
        format!("{} names no file", path.display()),
        "name a file or a folder",
    )
}

/// The extension of a manifest store (C2PA 2.2, section 11.4).
const STORE: &str = "c2pa";
