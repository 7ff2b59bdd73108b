//! Arguments that name an issuer whose tokens open the service.

use std::path::PathBuf;

use clap::Args as Group;

/// Who may let callers in, beside the keys of `bonafide admin`.
#[derive(Group)]
pub(crate) struct OidcArgs {
    /// OpenID Connect issuer whose access tokens open the API beside keys, as their claim iss has it [default: none]
    #[arg(long, env = "BONAFIDE_OIDC_ISSUER", value_name = "URL")]
    pub(crate) oidc_issuer: Option<String>,

    /// What this service is called in the claim aud of its tokens
    #[arg(long, env = "BONAFIDE_OIDC_AUDIENCE", value_name = "NAME")]
    pub(crate) oidc_audience: Option<String>,

    /// The issuer's public keys, a JWK Set; read again at SIGHUP
    #[arg(long, env = "BONAFIDE_OIDC_KEYS", value_name = "FILE.json")]
    pub(crate) oidc_keys: Option<PathBuf>,

    /// Claim that has the name of the tenant [default: bonafide_tenant]
    #[arg(long, env = "BONAFIDE_OIDC_TENANT_CLAIM", value_name = "CLAIM")]
    pub(crate) oidc_tenant_claim: Option<String>,
}
