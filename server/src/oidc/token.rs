//! One access token: taken apart, its signature verified, and only then its claims read. The order is the point:
//! claims are a value that nothing but [`verify`] makes, so no claim of a stranger is ever looked at.
//!
//! It follows RFC 7515 (compact serialization), RFC 7519 (claims), RFC 8725 (what to look out for) and RFC 9068
//! (access tokens). It knows neither tenants nor HTTP, and says why a token is refused to the log alone.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use provenance::Timestamp;

use super::{
    key_set::{Algorithm, KeySet},
    members::{Members, WrongType},
};

/// What a token must be for.
pub(super) struct Expected<'a> {
    /// `iss`, letter for letter.
    pub(super) issuer: &'a str,
    /// One of `aud`.
    pub(super) audience: &'a str,
}

/// The claims of a token whose signature, issuer, audience and time are right.
pub(super) struct Claims(Members);

/// Why a token is not accepted. For the log; the caller is told none of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Over [`MAX_TOKEN_BYTES`].
    TooLong,
    /// Not three parts in base64url, the first and the second a JSON object.
    NotAToken,
    /// `typ` is missing, or that of another kind of token.
    OtherType,
    /// A header that asks for more than is done here.
    Critical,
    /// None, symmetric, or another one that is not verified here.
    Algorithm,
    /// No key of this name fits the algorithm, or without a name more than one does.
    UnknownKey,
    /// Not made by that key over these bytes.
    Signature,
    /// A claim is missing that must be there, or is of the wrong type.
    Claim,
    /// Another `iss`.
    Issuer,
    /// For others.
    Audience,
    /// Past `exp`.
    Expired,
    /// Before `nbf`.
    NotYet,
    /// Its tenant is not there.
    UnknownTenant,
}

impl Refusal {
    /// A stable word.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::NotAToken => "not_a_token",
            Self::OtherType => "other_type",
            Self::Critical => "critical_header",
            Self::Algorithm => "algorithm",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::Claim => "claim",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Expired => "expired",
            Self::NotYet => "not_yet_valid",
            Self::UnknownTenant => "unknown_tenant",
        }
    }
}

impl From<WrongType> for Refusal {
    fn from(_: WrongType) -> Self {
        Self::Claim
    }
}

/// Checks everything about `token` that does not depend on who asks for what.
pub(super) fn verify(
    token: &str,
    keys: &KeySet,
    expected: &Expected<'_>,
    now: Timestamp,
) -> Result<Claims, Refusal> {
    let token = Unverified::read(token)?;
    let key = keys
        .find(token.key.as_deref(), token.algorithm)
        .ok_or(Refusal::UnknownKey)?;
    if !key.verifies(token.algorithm, token.signed.as_bytes(), &token.signature) {
        return Err(Refusal::Signature);
    }
    let claims = Members::read(&decoded(token.payload)?).ok_or(Refusal::NotAToken)?;
    if claims.text("iss")? != Some(expected.issuer) {
        return Err(Refusal::Issuer);
    }
    if !claims.names("aud", expected.audience) {
        return Err(Refusal::Audience);
    }
    in_time(&claims, now)?;
    Ok(Claims(claims))
}

impl Claims {
    /// A claim that is a text.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        Ok(self.0.text(name)?)
    }
}

/// A token as it came. Nothing in it may be believed.
struct Unverified<'a> {
    algorithm: Algorithm,
    /// `kid`.
    key: Option<String>,
    /// Header and payload as they were signed.
    signed: &'a str,
    payload: &'a str,
    signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    fn read(token: &'a str) -> Result<Self, Refusal> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::NotAToken)?;
        let (header, payload) = signed.split_once('.').ok_or(Refusal::NotAToken)?;
        if payload.contains('.') {
            return Err(Refusal::NotAToken);
        }
        let header = Members::read(&decoded(header)?).ok_or(Refusal::NotAToken)?;
        // Keys that a token brings along or points to (jwk, jku, x5c, x5u) are not looked at: RFC 8725, section 3.10.
        if header.get("crit").is_some() {
            return Err(Refusal::Critical);
        }
        let text = |name| header.text(name).map_err(|_| Refusal::NotAToken);
        if !text("typ")?.is_some_and(is_access_token) {
            return Err(Refusal::OtherType);
        }
        let algorithm = text("alg")?.and_then(Algorithm::named);
        Ok(Self {
            algorithm: algorithm.ok_or(Refusal::Algorithm)?,
            key: text("kid")?.map(str::to_owned),
            signed,
            payload,
            signature: decoded(signature)?,
        })
    }
}

fn decoded(part: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refusal::NotAToken)
}

/// RFC 9068, section 2.1, has `at+jwt`; many issuers write the older `JWT`. Other types, logout tokens for one, are
/// signed by the same keys and mean something else.
fn is_access_token(typ: &str) -> bool {
    ["at+jwt", "application/at+jwt", "JWT"]
        .iter()
        .any(|known| typ.eq_ignore_ascii_case(known))
}

/// RFC 7519, sections 4.1.4 and 4.1.5, with some leeway for clocks that differ. Without an end it never begins.
fn in_time(claims: &Members, now: Timestamp) -> Result<(), Refusal> {
    let ends = claims.moment("exp")?.ok_or(Refusal::Claim)?;
    if now.0 >= ends.saturating_add(LEEWAY_S) {
        return Err(Refusal::Expired);
    }
    match claims.moment("nbf")? {
        Some(begins) if now.0 < begins.saturating_sub(LEEWAY_S) => Err(Refusal::NotYet),
        Some(_) | None => Ok(()),
    }
}

/// Longest token that is looked at. What proxies pass on as one header by default is not longer.
pub(crate) const MAX_TOKEN_BYTES: usize = 8 << 10;

/// Seconds by which the clocks of the issuer and of this machine may differ.
pub(crate) const LEEWAY_S: i64 = 60;

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
