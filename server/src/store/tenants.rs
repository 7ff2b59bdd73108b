//! Tenants and what is agreed with them: their API keys and how long their files are kept. It stores
//! hashes of keys and never sees a key; making and checking them is `keys.rs`.

use std::{fmt, str::FromStr};

use async_trait::async_trait;
use provenance::Timestamp;
use verdict::report::Code;

use super::{StoreError, TenantId};

/// A tenant's name: 1 to 64 lower-case letters, digits, `-` and `_`, starting with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantName(String);

impl TenantName {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantName {
    type Err = UnusableName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_usable = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let starts_well = text.bytes().next().is_some_and(is_usable);
        let goes_on_well = text
            .bytes()
            .all(|byte| is_usable(byte) || byte == b'-' || byte == b'_');
        if starts_well && goes_on_well && text.len() <= MAX_NAME_BYTES {
            Ok(Self(text.to_owned()))
        } else {
            Err(UnusableName)
        }
    }
}

impl fmt::Display for TenantName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is no tenant name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tenant's name has 1 to 64 of a-z, 0-9, - and _, and starts with a letter or digit")]
pub struct UnusableName;

/// One tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id, which never changes.
    pub id: TenantId,
    /// What the operator calls it.
    pub name: TenantName,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How long the blob of an analysis is kept after its verdict. Reports stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// For analyses with this verdict; `None` for all that have no rule of their own.
    pub verdict: Option<Code>,
    /// Days of 86,400 seconds; 0 lets the janitor delete the blob on its next round.
    pub days: u32,
}

impl Retention {
    /// Where a tenant has no rule: long enough to look at a disputed case, short enough to be a limit.
    pub const DEFAULT_DAYS: u32 = 30;
}

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Upload files.
    Analyse,
    /// Read and erase analyses.
    Read,
    /// Sign files.
    Sign,
    /// Manage keys, webhooks and retention of the tenant.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::Analyse, Self::Read, Self::Sign, Self::Admin];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Analyse => "analyse",
            Self::Read => "read",
            Self::Sign => "sign",
            Self::Admin => "admin",
        }
    }

    /// The scope of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }

    fn bit(self) -> u8 {
        match self {
            Self::Analyse => 1,
            Self::Read => 2,
            Self::Sign => 4,
            Self::Admin => 8,
        }
    }
}

/// A set of scopes. Its text is the words with commas between them, in the order of [`Scope::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// Whether `scope` is in it. No scope implies another.
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// The set of these.
    pub fn of(scopes: &[Scope]) -> Self {
        Self(scopes.iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

impl FromStr for Scopes {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split(',').try_fold(Self::default(), |scopes, word| {
            let word = word.trim();
            let scope = Scope::named(word).ok_or_else(|| UnknownScope(word.to_owned()))?;
            Ok(Self(scopes.0 | scope.bit()))
        })
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = Scope::ALL
            .into_iter()
            .filter(|scope| self.contains(*scope))
            .map(Scope::as_str)
            .collect();
        f.write_str(&words.join(","))
    }
}

/// The word is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no scope; the scopes are analyse, read, sign and admin")]
pub struct UnknownScope(String);

/// The public part of a key, which names it: 12 lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(pub String);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// SHA-256 of a whole key. Compare with `keys::matches`, never with `==`.
#[derive(Clone, Copy)]
pub struct KeyHash(pub [u8; 32]);

/// A key to store.
#[derive(Clone)]
pub struct NewKey {
    /// Its public part.
    pub id: KeyId,
    /// Its hash.
    pub hash: KeyHash,
    /// What it may be used for.
    pub scopes: Scopes,
    /// Now.
    pub created_at: Timestamp,
    /// From then on it is refused.
    pub expires_at: Option<Timestamp>,
}

/// A key as it is kept.
#[derive(Clone)]
pub struct ApiKey {
    /// Its public part.
    pub id: KeyId,
    /// Whose it is.
    pub tenant: TenantId,
    /// Its hash.
    pub hash: KeyHash,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// From then on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it opens anything at this moment.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// Tenants, their keys and their retention.
#[async_trait]
pub trait Tenants: Send + Sync {
    /// The tenant of that name, made when it is missing.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn ensure_tenant(&self, name: &TenantName, now: Timestamp) -> Result<Tenant, StoreError>;

    /// All tenants by name.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn tenants(&self) -> Result<Vec<Tenant>, StoreError>;

    /// The tenant of that name.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownTenant`].
    async fn tenant(&self, name: &TenantName) -> Result<Tenant, StoreError>;

    /// Whether any tenant is configured, [`TenantId::LOCAL`] aside.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn has_tenants(&self) -> Result<bool, StoreError>;

    /// Stores a key.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn add_key(&self, tenant: TenantId, key: NewKey) -> Result<(), StoreError>;

    /// The key with this public part, live or not. The caller compares the hash.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn key(&self, id: &KeyId) -> Result<Option<ApiKey>, StoreError>;

    /// The keys of a tenant, the oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn keys(&self, tenant: TenantId) -> Result<Vec<ApiKey>, StoreError>;

    /// Stores `successor` with the tenant of the key `id` and lets that one end at `ends_at`, unless it
    /// ends earlier anyway.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownKey`] when `id` is not a live key of this tenant.
    async fn rotate_key(
        &self,
        tenant: TenantId,
        id: &KeyId,
        successor: NewKey,
        ends_at: Timestamp,
    ) -> Result<(), StoreError>;

    /// Refuses a key from now on.
    ///
    /// # Errors
    ///
    /// [`StoreError::UnknownKey`] when `id` is not a live key of this tenant.
    async fn revoke_key(
        &self,
        tenant: TenantId,
        id: &KeyId,
        now: Timestamp,
    ) -> Result<(), StoreError>;

    /// The retention rules of a tenant, the general one first.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn retention(&self, tenant: TenantId) -> Result<Vec<Retention>, StoreError>;

    /// Sets or replaces one rule. It holds for analyses that are there already, too.
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    async fn set_retention(&self, tenant: TenantId, rule: Retention) -> Result<(), StoreError>;
}

/// Bytes of a tenant's name: it is a word for operators, not a title.
const MAX_NAME_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::{Scope, Scopes, TenantName};

    #[test]
    fn scopes_are_read_and_written_alike_and_imply_nothing() {
        let scopes: Scopes = "read, analyse".parse().unwrap();
        assert_eq!(scopes, Scopes::of(&[Scope::Analyse, Scope::Read]));
        assert_eq!(scopes.to_string(), "analyse,read");
        assert!(!scopes.contains(Scope::Sign) && !scopes.contains(Scope::Admin));
        let admin: Scopes = "admin".parse().unwrap();
        assert!(
            Scope::ALL
                .into_iter()
                .filter(|scope| admin.contains(*scope))
                .count()
                == 1
        );
        for wrong in ["", "write", "analyse;read", "analyse,", "Analyse"] {
            assert!(wrong.parse::<Scopes>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn names_are_plain_words() {
        for right in ["acme", "7", "a-b_c", &"x".repeat(64)] {
            assert!(right.parse::<TenantName>().is_ok(), "{right:?}");
        }
        for wrong in [
            "",
            "-a",
            "_a",
            "Acme",
            "a b",
            "a/b",
            "ä",
            "a\n",
            &"x".repeat(65),
        ] {
            assert!(wrong.parse::<TenantName>().is_err(), "{wrong:?}");
        }
    }
}
