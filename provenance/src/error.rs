//! Why judging or signing cannot start, and who has to act. A broken manifest is never an error here.

use std::{io, path::PathBuf};

use media::Fault;

use crate::time::Timestamp;

/// The judge cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum ProvenanceError {
    /// A trust list cannot be parsed. Nothing of it is used.
    #[error(
        "the trust list \"{name}\" cannot be used: {detail}; give a PEM file of CA certificates"
    )]
    TrustList {
        /// Name of the list.
        name: String,
        /// What is wrong.
        detail: String,
    },
    /// A deny list has a line that is no digest. Nothing of it is used.
    #[error(
        "line {line} of the deny list \"{name}\" is no SHA-256 in hex; give one digest of a DER certificate a line"
    )]
    DenyList {
        /// Name of the list.
        name: String,
        /// Number of the line, from 1.
        line: usize,
    },
    /// The library refused our own configuration.
    #[error("the C2PA reader refused its configuration: {0}")]
    Configuration(String),
}

impl ProvenanceError {
    /// Who must act.
    pub fn fault(&self) -> Fault {
        match self {
            Self::TrustList { .. } | Self::DenyList { .. } => Fault::Operator,
            Self::Configuration(_) => Fault::Bug,
        }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TrustList { .. } => "trust_list",
            Self::DenyList { .. } => "deny_list",
            Self::Configuration(_) => "c2pa_configuration",
        }
    }
}

/// Nothing was signed. No variant carries key material.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// A key or certificate file cannot be read.
    #[error("{} cannot be read: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others may read the key.
    #[error("{} may be read by others (mode {mode:03o}); run chmod 600 on it", .path.display())]
    KeyMode {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A key must be a file of its own, not a link to one.
    #[error("{} is not a regular file; give the key file itself", .path.display())]
    KeyNotAFile {
        /// The path given.
        path: PathBuf,
    },
    /// Whoever owns the file can put another key in its place.
    #[error("{} belongs to another user; make a copy of your own and run chmod 600 on it", .path.display())]
    KeyOwner {
        /// The key file.
        path: PathBuf,
    },
    /// The key does not parse.
    #[error(
        "the signing key is damaged or in another format; give PKCS#8 PEM (openssl pkcs8 -topk8)"
    )]
    KeyDamaged,
    /// The key needs a passphrase and none was given.
    #[error("the signing key is encrypted; give its passphrase")]
    KeyEncrypted,
    /// The passphrase does not open the key.
    #[error("the passphrase does not open the signing key; try again, it is not stored anywhere")]
    PassphraseWrong,
    /// The chain does not parse or is empty.
    #[error(
        "the certificate chain cannot be used: {0}; give the signing certificate first, then its issuers, as PEM"
    )]
    Chain(String),
    /// The first certificate belongs to another key.
    #[error(
        "the first certificate of the chain belongs to another key; give the chain that was issued for this key"
    )]
    KeyMismatch,
    /// The signing certificate has ended.
    #[error("the signing certificate ended on {0}; ask its CA for a new one")]
    CertificateEnded(Timestamp),
    /// The signing certificate is not valid yet.
    #[error("the signing certificate is not valid before {0}; check the clock of this machine")]
    CertificateEarly(Timestamp),
    /// The key is of a kind that this build does not sign with.
    #[error("the key is neither Ed25519 nor P-256; make one that is, and have it certified")]
    KeyKind,
    /// The device, command or service that holds the key gave no signature.
    #[error("the signer gave no signature: {0}; check that it runs and may use this key")]
    Signer(String),
    /// What the signer returned is no signature by the certificate's key.
    #[error(
        "the signer returned a signature that its certificate does not verify; give the chain of the key it signs with"
    )]
    SignatureWrong,
    /// No authority gave a time stamp that holds.
    #[error("there is no time stamp: {0}; name another authority, or sign without one")]
    TimeStamp(String),
    /// No shipped profile has this name.
    #[error(
        "\"{0}\" is no profile; use photo, ai, ai-edit, edit, publish or the path of a profile file"
    )]
    UnknownProfile(String),
    /// The profile says something that makes no sense or is not known.
    #[error("the profile cannot be used: {0}")]
    Profile(String),
    /// An assertion of the signer's own cannot go into a manifest.
    #[error("the assertion \"{label}\" cannot be used: {detail}")]
    Assertion {
        /// Its label.
        label: String,
        /// What is wrong, and what to do.
        detail: String,
    },
    /// The file's own metadata leaves no way to add the unsigned labels that the profile asks for.
    #[error(
        "the unsigned labels cannot be written: {0}; repair or remove the file's XMP, or use a profile with unsigned_labels = false"
    )]
    Labels(&'static str),
    /// The kind of file cannot carry a manifest.
    #[error("{mime} files cannot be signed by this build")]
    UnsupportedKind {
        /// Sniffed kind.
        mime: &'static str,
    },
    /// The file is signed, and this profile would drop that history.
    #[error(
        "the file already carries a credential, so it did not begin here; use the profile photo, edit, ai-edit or publish, which keeps it as the parent"
    )]
    AlreadySigned,
    /// Readers prefer the credential inside a file to one beside it.
    #[error(
        "the file carries a credential, which readers prefer to one beside it; write into the file or into a copy of it"
    )]
    CredentialInside,
    /// What began here was made from nothing.
    #[error(
        "a file that began here has no parent; use the profile edit or ai-edit, or name no parent"
    )]
    NoParent,
    /// Another parent would drop the file's own history.
    #[error(
        "the file carries a credential of its own, which becomes its parent; sign it without naming another"
    )]
    TwoParents,
    /// A later time stamp needs a credential that it can stamp.
    #[error("the file carries no credential that could be stamped; sign it first")]
    NothingToStamp,
    /// What was written does not verify; it must not be used.
    #[error("the signed file does not verify ({0}); nothing was kept")]
    NotVerified(String),
    /// The file's own history is broken.
    #[error(
        "the credential that the file or its parent carries does not hold ({0}); nothing was signed: find the file as it was, or accept the broken history"
    )]
    BrokenHistory(String),
    /// The library failed to build the manifest.
    #[error("the manifest could not be written: {0}")]
    Library(String),
    /// The certificates could not be made.
    #[error("the development certificates could not be made: {0}")]
    Certificate(String),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes: {0}")]
    Random(String),
}

impl SignError {
    /// Who must act.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Unreadable { .. }
            | Self::KeyMode { .. }
            | Self::KeyNotAFile { .. }
            | Self::KeyDamaged
            | Self::Chain(_)
            | Self::KeyMismatch
            | Self::KeyOwner { .. }
            | Self::KeyEncrypted
            | Self::PassphraseWrong
            | Self::KeyKind
            | Self::CertificateEnded(_)
            | Self::CertificateEarly(_)
            | Self::Signer(_)
            | Self::SignatureWrong
            | Self::TimeStamp(_)
            | Self::Certificate(_)
            | Self::UnknownProfile(_)
            | Self::Profile(_)
            | Self::Assertion { .. }
            | Self::Random(_) => Fault::Operator,
            Self::UnsupportedKind { .. }
            | Self::CredentialInside
            | Self::NoParent
            | Self::TwoParents
            | Self::NothingToStamp
            | Self::Labels(_)
            | Self::AlreadySigned
            | Self::BrokenHistory(_) => Fault::Caller,
            Self::Library(_) | Self::NotVerified(_) => Fault::Bug,
        }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "unreadable",
            Self::KeyMode { .. } => "key_mode",
            Self::KeyNotAFile { .. } => "key_not_a_file",
            Self::KeyDamaged => "key_damaged",
            Self::Chain(_) => "chain",
            Self::KeyMismatch => "key_mismatch",
            Self::KeyOwner { .. } => "key_owner",
            Self::KeyEncrypted => "key_encrypted",
            Self::PassphraseWrong => "passphrase_wrong",
            Self::KeyKind => "key_kind",
            Self::CertificateEnded(_) => "certificate_ended",
            Self::CertificateEarly(_) => "certificate_early",
            Self::Signer(_) => "signer",
            Self::SignatureWrong => "signature_wrong",
            Self::TimeStamp(_) => "time_stamp",
            Self::UnknownProfile(_) => "unknown_profile",
            Self::Profile(_) => "profile",
            Self::Assertion { .. } => "assertion",
            Self::Labels(_) => "labels",
            Self::UnsupportedKind { .. } => "unsupported_kind",
            Self::AlreadySigned => "already_signed",
            Self::CredentialInside => "already_signed",
            Self::NoParent => "no_parent",
            Self::TwoParents => "two_parents",
            Self::NothingToStamp => "nothing_to_stamp",
            Self::NotVerified(_) => "not_verified",
            Self::BrokenHistory(_) => "broken_history",
            Self::Library(_) => "c2pa",
            Self::Certificate(_) => "certificate",
            Self::Random(_) => "random",
        }
    }
}
