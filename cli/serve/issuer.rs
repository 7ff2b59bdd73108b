//! Whose tokens open the service, out of its arguments and its configuration. Every mistake is told before the service
//! takes its address.

use std::{fs::File, io::Read as _, path::Path};

use server::{Issuer, IssuerError, KeySet};

use crate::{args::OidcArgs, exit::Failure, settings::Settings};

/// The issuer that was named, with its keys as they are now in their file; none when nothing was named.
pub(crate) fn issuer(args: &OidcArgs, settings: &Settings) -> Result<Option<Issuer>, Failure> {
    let config = &settings.config.serve;
    let url = args.oidc_issuer.as_ref().or(config.oidc_issuer.as_ref());
    let audience = args
        .oidc_audience
        .as_ref()
        .or(config.oidc_audience.as_ref());
    let file = args.oidc_keys.as_ref().or(config.oidc_keys.as_ref());
    let claim = args
        .oidc_tenant_claim
        .as_ref()
        .or(config.oidc_tenant_claim.as_ref());
    match (url, audience, file) {
        (Some(url), Some(audience), Some(file)) => {
            let claim = claim.map_or(TENANT_CLAIM, String::as_str);
            let issuer = Issuer::new(url, audience, claim, keys(file)?);
            issuer.map(Some).map_err(unusable)
        }
        (None, None, None) if claim.is_none() => Ok(None),
        _ => Err(Failure::usage(
            "an OpenID Connect issuer is named by half",
            "give --oidc-issuer, --oidc-audience and --oidc-keys together, or none of them",
        )),
    }
}

fn unusable(error: IssuerError) -> Failure {
    let hint = match error {
        IssuerError::Url => {
            "give --oidc-issuer as the claim iss of its tokens has it, like https://login.example/realms/news"
        }
        IssuerError::Audience => {
            "give --oidc-audience the name that this service has at the issuer"
        }
        IssuerError::TenantClaim => {
            "give --oidc-tenant-claim the claim that has the name of the tenant"
        }
    };
    let message = format!("the OpenID Connect issuer cannot be used: {error}");
    Failure::usage(message, hint)
}

fn keys(path: &Path) -> Result<KeySet, Failure> {
    let refused = |detail: String| {
        Failure::usage(
            format!(
                "the keys of the OpenID Connect issuer, {}, cannot be used: {detail}",
                path.display()
            ),
            "save what the jwks_uri of the issuer answers, and nothing else",
        )
    };
    let mut text = Vec::new();
    // One byte too many tells that there are more.
    let limit = u64::try_from(KeySet::MAX_BYTES).unwrap_or(u64::MAX) + 1;
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut text))
        .map_err(|error| refused(error.to_string()))?;
    KeySet::parse(&text).map_err(|error| refused(error.to_string()))
}

/// A name of its own, so that no claim of another meaning is taken for it.
const TENANT_CLAIM: &str = "bonafide_tenant";
