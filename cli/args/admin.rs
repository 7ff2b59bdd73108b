//! Arguments of `bonafide admin`.

use std::path::PathBuf;

use clap::{Args as Group, Subcommand};
use provenance::Timestamp;
use server::store::{KeyId, Scopes, TenantName};
use verdict::Code;

use super::parse_time;

#[derive(Group)]
pub(crate) struct AdminArgs {
    /// The service's data folder; made when it is missing and something is to be written
    #[arg(long, env = "BONAFIDE_DATA_DIR", value_name = "DIR", global = true)]
    pub(crate) data_dir: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: AdminCommand,
}

#[derive(Subcommand)]
pub(crate) enum AdminCommand {
    /// Tenants and how long their files are kept
    #[command(subcommand)]
    Tenants(TenantsCommand),
    /// API keys
    #[command(subcommand)]
    Keys(ApiKeysCommand),
    /// Keys that sign a tenant's webhooks
    #[command(subcommand)]
    Webhooks(WebhooksCommand),
}

#[derive(Subcommand)]
pub(crate) enum TenantsCommand {
    /// Make a tenant; one that is there already is left as it is
    New {
        /// 1 to 64 of a-z, 0-9, - and _
        name: TenantName,
    },
    /// List all tenants
    List,
    /// Say, or with --days set, how long files are kept after their verdict
    Retention(RetentionArgs),
}

#[derive(Group)]
pub(crate) struct RetentionArgs {
    #[command(flatten)]
    pub(crate) tenant: TenantArg,

    /// Only files with this verdict [default: all that have no rule of their own]
    #[arg(long, value_name = "CODE", requires = "days")]
    pub(crate) verdict: Option<Code>,

    /// Days; 0 deletes a file soon after its verdict
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=36_500))]
    pub(crate) days: Option<u32>,
}

#[derive(Subcommand)]
pub(crate) enum ApiKeysCommand {
    /// Make a key and print it, once; makes the tenant when it is missing
    New(NewKeyArgs),
    /// List the keys of a tenant, without their secrets
    List(TenantArg),
    /// Make a key with the same scopes and let the old one end soon
    Rotate(RotateArgs),
    /// Refuse a key from now on
    Revoke {
        #[command(flatten)]
        tenant: TenantArg,

        /// Id of the key, as `list` shows it
        #[arg(value_name = "ID", value_parser = parse_key_id)]
        id: KeyId,
    },
}

#[derive(Group)]
pub(crate) struct NewKeyArgs {
    #[command(flatten)]
    pub(crate) tenant: TenantArg,

    /// What the key may be used for: analyse, read, sign, admin
    #[arg(long, value_name = "SCOPE,SCOPE")]
    pub(crate) scopes: Scopes,

    /// When the key ends, RFC 3339 [default: never]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) expires: Option<Timestamp>,
}

#[derive(Group)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    pub(crate) tenant: TenantArg,

    /// Id of the old key, as `list` shows it
    #[arg(value_name = "ID", value_parser = parse_key_id)]
    pub(crate) id: KeyId,

    /// Hours for which the old key goes on
    #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(0..=8_784))]
    pub(crate) overlap_hours: u32,
}

#[derive(Subcommand)]
pub(crate) enum WebhooksCommand {
    /// Print the public keys that verify a tenant's webhooks
    Keys(TenantArg),
    /// Sign with a new key; the old ones sign as well for a while
    Rotate {
        #[command(flatten)]
        tenant: TenantArg,

        /// Hours for which the old keys go on
        #[arg(long, value_name = "N", default_value_t = 24, value_parser = clap::value_parser!(u32).range(0..=8_784))]
        overlap_hours: u32,
    },
}

#[derive(Group)]
pub(crate) struct TenantArg {
    /// The tenant
    #[arg(long = "tenant", value_name = "NAME")]
    pub(crate) name: TenantName,
}

/// The whole key is a common thing to paste here; it must not stand in an error message.
fn parse_key_id(text: &str) -> Result<KeyId, String> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    match text.len() == 12 && text.bytes().all(is_digit) {
        true => Ok(KeyId(text.to_owned())),
        false => Err("give the id of a key, 12 hex digits, and never the key itself".to_owned()),
    }
}
