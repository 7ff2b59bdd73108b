//! Who else may say who asks: an OpenID Connect issuer that the operator names. Its access tokens (RFC 9068) open
//! the API beside our own keys.
//!
//! It opens no connection: the issuer's keys come from the operator, as text, and are replaced as a whole. A token
//! names a tenant and never makes one.

mod key_set;
mod members;
mod token;

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use provenance::Timestamp;
use sha2::{Digest as _, Sha256};
use url::Url;

pub use self::key_set::{KeySet, KeySetError};
pub(crate) use self::token::Refusal;

use self::token::{Claims, Expected};
use crate::store::{Scope, Scopes, TenantName};

/// One issuer, with what its tokens must say to be ours.
#[derive(Debug, Clone)]
pub struct Issuer {
    url: String,
    audience: String,
    tenant_claim: String,
    keys: KeySet,
}

/// The issuer cannot be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    /// OpenID Connect Discovery 1.0, section 3.
    #[error("an issuer is an https address without query, fragment and user name")]
    Url,
    /// Every token would be for it, or none.
    #[error("the audience is empty")]
    Audience,
    /// No claim has that name.
    #[error("the name of the tenant's claim is empty")]
    TenantClaim,
}

/// Whom a token stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bearer {
    /// Not looked up yet.
    pub(crate) tenant: TenantName,
    pub(crate) scopes: Scopes,
    pub(crate) subject: Subject,
}

/// The subject of a token, so that lines of the log can be told apart by it and name nobody: the beginning of the
/// SHA-256 of the issuer, a zero byte and `sub`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subject(Option<[u8; SUBJECT_BYTES]>);

impl Issuer {
    /// `url` is compared with `iss` letter for letter, `audience` must be one of `aud`, and the claim of the name
    /// `tenant_claim` holds the name of the tenant.
    ///
    /// # Errors
    ///
    /// [`IssuerError`].
    pub fn new(
        url: &str,
        audience: &str,
        tenant_claim: &str,
        keys: KeySet,
    ) -> Result<Self, IssuerError> {
        let parsed = Url::parse(url).map_err(|_| IssuerError::Url)?;
        let is_bare = parsed.query().is_none()
            && parsed.fragment().is_none()
            && parsed.username().is_empty()
            && parsed.password().is_none();
        if parsed.scheme() != "https" || !is_bare {
            return Err(IssuerError::Url);
        }
        if audience.is_empty() {
            return Err(IssuerError::Audience);
        }
        if tenant_claim.is_empty() {
            return Err(IssuerError::TenantClaim);
        }
        Ok(Self {
            url: url.to_owned(),
            audience: audience.to_owned(),
            tenant_claim: tenant_claim.to_owned(),
            keys,
        })
    }

    /// How many keys may have signed its tokens.
    pub fn key_count(&self) -> usize {
        self.keys.count()
    }

    /// Whom `token` stands for, if it is one of this issuer's, for us, and valid `now`.
    pub(crate) fn verify(&self, token: &str, now: Timestamp) -> Result<Bearer, Refusal> {
        let expected = Expected {
            issuer: &self.url,
            audience: &self.audience,
        };
        let claims = token::verify(token, &self.keys, &expected, now)?;
        let tenant = claims.text(&self.tenant_claim)?.ok_or(Refusal::Claim)?;
        Ok(Bearer {
            // What cannot be a tenant's name is the name of none.
            tenant: tenant.parse().map_err(|_| Refusal::UnknownTenant)?,
            scopes: scopes(&claims)?,
            subject: Subject::of(&self.url, claims.text("sub")?),
        })
    }
}

/// The scopes that are ours (RFC 9068, section 2.2.3): those with our name in front. Bare words are not, because one
/// token may be for several services and `admin` is a common word.
fn scopes(claims: &Claims) -> Result<Scopes, Refusal> {
    let words = claims.text("scope")?.unwrap_or_default().split(' ');
    let ours = words.filter_map(|word| Scope::named(word.strip_prefix(SCOPE_PREFIX)?));
    Ok(Scopes::of(&ours.collect::<Vec<_>>()))
}

impl Subject {
    fn of(issuer: &str, sub: Option<&str>) -> Self {
        Self(sub.and_then(|sub| {
            let digest: [u8; 32] = Sha256::new()
                .chain_update(issuer)
                .chain_update([0_u8])
                .chain_update(sub)
                .finalize()
                .into();
            digest.first_chunk().copied()
        }))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("oidc")?;
        let Some(bytes) = self.0 else { return Ok(()) };
        f.write_str(":")?;
        bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The issuer in force, if there is one. A reload replaces it, keys and all; requests that were let in stay so.
#[derive(Debug, Default)]
pub struct IssuerCell(RwLock<Option<Arc<Issuer>>>);

impl IssuerCell {
    /// Begins with `issuer`.
    pub fn new(issuer: Option<Issuer>) -> Self {
        Self(RwLock::new(issuer.map(Arc::new)))
    }

    /// The one in force. Ask once per request.
    pub fn current(&self) -> Option<Arc<Issuer>> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// From now on, `issuer` is in force, or none is.
    pub fn replace(&self, issuer: Option<Issuer>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = issuer.map(Arc::new);
    }
}

/// What our scopes are called in a token.
pub(crate) const SCOPE_PREFIX: &str = "bonafide:";

/// As much of a digest as tells some millions of subjects apart.
const SUBJECT_BYTES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_an_https_address() {
        let text = "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}";
        let keys = KeySet::parse(text.as_bytes()).unwrap();
        let refused = |url, audience, claim| {
            let issuer = Issuer::new(url, audience, claim, keys.clone());
            issuer.map(|_| ()).err()
        };
        let right = "https://login.example/realms/news";
        assert_eq!(refused(right, "us", "tenant"), None);
        assert_eq!(refused("https://login.example", "us", "tenant"), None);
        for wrong in [
            "",
            "login.example",
            "http://login.example",
            "http://localhost:8080/realms/news",
            "https://",
            "https://login.example/?realm=news",
            "https://login.example/#news",
            "https://me@login.example/",
            "file:///etc/passwd",
        ] {
            assert_eq!(
                refused(wrong, "us", "tenant"),
                Some(IssuerError::Url),
                "{wrong}"
            );
        }
        assert_eq!(refused(right, "", "tenant"), Some(IssuerError::Audience));
        assert_eq!(refused(right, "us", ""), Some(IssuerError::TenantClaim));
    }

    #[test]
    fn a_subject_is_told_apart_and_not_named() {
        let shown = |issuer, sub| Subject::of(issuer, sub).to_string();
        assert_eq!(shown("https://a", None), "oidc");
        let somebody = shown("https://a", Some("ada@example.com"));
        assert_eq!(somebody.len(), "oidc:".len() + 2 * SUBJECT_BYTES);
        assert!(!somebody.contains("ada"));
        assert_eq!(somebody, shown("https://a", Some("ada@example.com")));
        assert_ne!(somebody, shown("https://a", Some("bob@example.com")));
        assert_ne!(somebody, shown("https://b", Some("ada@example.com")));
    }
}
