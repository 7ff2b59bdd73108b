//! The arguments of `bonafide keys`.

use std::path::PathBuf;

use clap::{ArgGroup, Args as Group, Subcommand, ValueEnum};
use provenance::Algorithm;

use super::{PassphraseArgs, TrustArgs};

#[derive(Group)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a development CA and a signing certificate that nobody trusts yet
    New(KeysNewArgs),
    /// Make a request that a real CA turns into a signing certificate
    #[command(after_help = CSR_EXAMPLES)]
    Csr(KeysCsrArgs),
    /// Say which rule of the C2PA certificate profile a chain breaks, and which trust list it ends in
    #[command(after_help = CHECK_EXAMPLES)]
    Check(KeysCheckArgs),
}

#[derive(Group)]
pub(crate) struct KeysNewArgs {
    /// Folder for ca-cert.pem, ca-key.pem, signer-key.pem and signer-chain.pem
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,

    /// Common name of the signing certificate
    #[arg(long, default_value = "bonafide development signer")]
    pub(crate) name: String,

    /// Organisation in both certificates
    #[arg(long, default_value = "bonafide development")]
    pub(crate) organisation: String,

    /// Days until both certificates end
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..=3650))]
    pub(crate) days: u16,

    #[command(flatten)]
    pub(crate) key: NewKeyArgs,
}

/// How a new key is made and kept.
#[derive(Group)]
pub(crate) struct NewKeyArgs {
    /// Kind of key
    #[arg(long, value_enum, default_value = "ed25519")]
    pub(crate) algorithm: KeyKind,

    /// Encrypt new keys with a passphrase; a prompt asks for it where none is given
    #[arg(long)]
    pub(crate) encrypt: bool,

    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,
}

#[derive(Group)]
#[command(group = ArgGroup::new("which").required(true).args(["key", "new_key"]))]
pub(crate) struct KeysCsrArgs {
    /// The key to have certified, PEM (PKCS#8), mode 0600
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,

    /// Make the key and write it to FILE, which must not be there yet
    #[arg(long, value_name = "FILE")]
    pub(crate) new_key: Option<PathBuf>,

    /// Common name to ask for
    #[arg(long)]
    pub(crate) name: String,

    /// Organisation to ask for
    #[arg(long)]
    pub(crate) organisation: String,

    /// Write the request to FILE, which must not be there yet [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) fresh: NewKeyArgs,
}

#[derive(Group)]
pub(crate) struct KeysCheckArgs {
    /// The certificates, PEM, the signing certificate first
    #[arg(value_name = "CHAIN.pem")]
    pub(crate) chain: PathBuf,

    /// The key that should belong to them, PEM (PKCS#8), mode 0600
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,

    #[command(flatten)]
    pub(crate) trust: TrustArgs,
}

/// A kind of key.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyKind {
    /// Ed25519
    Ed25519,
    /// ECDSA on P-256 with SHA-256, which most devices and CAs know
    Es256,
}

impl From<KeyKind> for Algorithm {
    fn from(kind: KeyKind) -> Self {
        match kind {
            KeyKind::Ed25519 => Self::Ed25519,
            KeyKind::Es256 => Self::Es256,
        }
    }
}

const CSR_EXAMPLES: &str = "\
Examples:
  bonafide keys csr --new-key key.pem --encrypt --name 'Jane Doe' --organisation 'A Newsroom' --out request.csr
  bonafide keys csr --key key.pem --name 'Jane Doe' --organisation 'A Newsroom' > request.csr";

const CHECK_EXAMPLES: &str = "\
Examples:
  bonafide keys check chain.pem
  bonafide keys check chain.pem --key key.pem --trust my-ca.pem --at 2027-01-01T00:00:00Z";
