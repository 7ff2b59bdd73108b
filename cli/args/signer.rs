//! Arguments that name a key and those who sign or stamp with it. No secret is ever an argument: other users
//! of a machine can read those.

use std::{ffi::OsString, path::PathBuf};

use clap::{ArgGroup, Args as Group};

/// Who signs: a key in a file, a command, a service or a device.
#[derive(Group)]
#[command(group = ArgGroup::new("signer").required(true)
    .args(["key", "signer_command", "signer_url", "pkcs11_module"]))]
pub(crate) struct SignerArgs {
    /// Private key, PEM (PKCS#8), mode 0600
    #[arg(long, env = "BONAFIDE_KEY", value_name = "FILE")]
    pub(crate) key: Option<PathBuf>,

    /// Certificate chain of the key, PEM, the signing certificate first
    #[arg(long, env = "BONAFIDE_CHAIN", value_name = "FILE")]
    pub(crate) chain: PathBuf,

    #[command(flatten)]
    pub(crate) passphrase: PassphraseArgs,

    /// Program that signs: bytes on its standard input, the signature on its standard output
    #[arg(long, env = "BONAFIDE_SIGNER_COMMAND", value_name = "PROGRAM")]
    pub(crate) signer_command: Option<PathBuf>,

    /// Argument of that program; repeatable
    #[arg(
        long,
        value_name = "ARGUMENT",
        requires = "signer_command",
        allow_hyphen_values = true
    )]
    pub(crate) signer_arg: Vec<OsString>,

    /// Service that signs: bytes are posted, the signature comes back; https, or http on this machine
    #[arg(long, env = "BONAFIDE_SIGNER_URL", value_name = "URL")]
    pub(crate) signer_url: Option<String>,

    /// File with the bearer token of that service, mode 0600
    #[arg(
        long,
        env = "BONAFIDE_SIGNER_TOKEN_FILE",
        value_name = "FILE",
        requires = "signer_url"
    )]
    pub(crate) signer_token: Option<PathBuf>,

    /// PKCS#11 library of a device that signs; the passphrase is its PIN
    #[arg(
        long,
        env = "BONAFIDE_PKCS11_MODULE",
        value_name = "FILE",
        requires = "pkcs11_key"
    )]
    pub(crate) pkcs11_module: Option<PathBuf>,

    /// Label of the key in the device
    #[arg(long, env = "BONAFIDE_PKCS11_KEY", value_name = "LABEL")]
    pub(crate) pkcs11_key: Option<String>,

    /// Label of the token that holds it [default: the only one there]
    #[arg(long, env = "BONAFIDE_PKCS11_TOKEN", value_name = "LABEL")]
    pub(crate) pkcs11_token: Option<String>,

    /// Seconds that a command or service gets for one signature
    #[arg(long, env = "BONAFIDE_SIGNER_TIMEOUT_S", value_name = "SECONDS", default_value_t = 30,
        value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub(crate) signer_timeout_s: u64,
}

/// Who stamps.
#[derive(Group)]
pub(crate) struct StampArgs {
    /// Time-stamping authority (RFC 3161), http or https; repeatable, the next one is asked when one fails
    #[arg(
        long,
        env = "BONAFIDE_TIMESTAMP",
        value_name = "URL",
        value_delimiter = ','
    )]
    pub(crate) timestamp: Vec<String>,

    /// Seconds that an authority gets for one answer
    #[arg(long, env = "BONAFIDE_TIMESTAMP_TIMEOUT_S", value_name = "SECONDS", default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) timestamp_timeout_s: u64,
}

/// Where the passphrase of a key, or the PIN of a device, comes from.
#[derive(Group)]
pub(crate) struct PassphraseArgs {
    /// File with the passphrase of the key or the PIN of the device, mode 0600 [default: a prompt]
    #[arg(
        long,
        env = "BONAFIDE_PASSPHRASE_FILE",
        value_name = "FILE",
        conflicts_with = "passphrase_env"
    )]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// Name of the environment variable that holds it
    #[arg(long, value_name = "NAME")]
    pub(crate) passphrase_env: Option<String>,
}
