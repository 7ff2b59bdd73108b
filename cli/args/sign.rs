//! The arguments of `bonafide sign`.

use std::{num::NonZeroUsize, path::PathBuf};

use clap::Args as Group;

use super::{AnchorArgs, SignerArgs, StampArgs};

/// What is signed, by whom, what is said about it and where it goes.
#[derive(Group)]
#[command(group = clap::ArgGroup::new("place").required(true).args(["out", "in_place", "sidecar"]))]
pub(crate) struct SignArgs {
    /// Files and folders; folders are walked with everything in them
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    #[command(flatten)]
    pub(crate) signer: SignerArgs,

    #[command(flatten)]
    pub(crate) stamp: StampArgs,

    /// Add a time stamp to files that were signed without one, and state nothing new
    #[arg(
        long,
        requires = "timestamp",
        conflicts_with_all = ["profile", "title", "author", "no_train", "parent", "accept_broken_history", "sidecar"]
    )]
    pub(crate) timestamp_later: bool,

    /// What the file is: photo, ai, ai-edit, edit or publish, or a profile file (docs/SIGNING.md)
    #[arg(
        long,
        value_name = "NAME|FILE.toml",
        required_unless_present = "timestamp_later"
    )]
    pub(crate) profile: Option<String>,

    /// Title that the manifest gives the file [default: its name]
    #[arg(long)]
    pub(crate) title: Option<String>,

    /// Author that the manifest names
    #[arg(long)]
    pub(crate) author: Option<String>,

    /// State that training and data mining are not allowed
    #[arg(long)]
    pub(crate) no_train: bool,

    /// The file this one was made from; for one file at a time
    #[arg(long, value_name = "FILE")]
    pub(crate) parent: Option<PathBuf>,

    /// Sign over a credential or history that does not hold; readers will see that it does not
    #[arg(long)]
    pub(crate) accept_broken_history: bool,

    #[command(flatten)]
    pub(crate) place: PlaceArgs,

    #[command(flatten)]
    pub(crate) anchors: AnchorArgs,

    /// Sign and verify in memory, write nothing, and say what would be written
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Journal of this run; a second run with the same journal skips what is signed already
    #[arg(long, value_name = "FILE")]
    pub(crate) resume: Option<PathBuf>,

    /// Files signed at the same time [default: the number of cores]
    #[arg(long, env = "BONAFIDE_JOBS", value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,

    /// Largest file in bytes [default: 268435456]
    #[arg(long, env = "BONAFIDE_MAX_BYTES", value_name = "N")]
    pub(crate) max_bytes: Option<u64>,
}

/// Where signed files go.
#[derive(Group)]
pub(crate) struct PlaceArgs {
    /// Write signed files into this folder, in the same tree as they are found
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Replace each file once its signed successor is verified
    #[arg(long)]
    pub(crate) in_place: bool,

    /// Leave each file as it is and write its manifest beside it, as NAME.c2pa
    #[arg(long)]
    pub(crate) sidecar: bool,

    /// Replace existing outputs
    #[arg(long)]
    pub(crate) force: bool,
}
