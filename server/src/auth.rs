//! Who asks: turns a key, or the token of an issuer, into a tenant and what may be done for it, and lets each tenant
//! in as often as its share allows. Neither is ever logged, and an unknown one reads like a revoked one.

use std::{convert::Infallible, fmt, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, header, request},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use media::Fault;

use crate::{
    error::Problem,
    keys,
    limits::Pass,
    oidc::{Issuer, Refusal, Subject},
    page,
    state::ServerState,
    store::{KeyId, Scope, Scopes, StoreError, TenantId},
};

/// Whoever sent a request, known by what was sent along.
#[derive(Clone)]
pub(crate) struct Caller {
    /// Whose analyses it may touch; there is no other.
    pub(crate) tenant: TenantId,
    /// What let it in; `None` where nothing was asked for.
    pub(crate) credential: Option<Credential>,
    scopes: Scopes,
    /// Its place among the open requests of the tenant. A stream keeps a clone until it ends.
    _pass: Arc<Pass>,
}

/// What a request was let in by, as the log may have it.
#[derive(Clone)]
pub(crate) enum Credential {
    /// The public part of an API key.
    Key(KeyId),
    /// Whom the issuer's token is for, without a name.
    Token(Subject),
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(id) => id.fmt(f),
            Self::Token(subject) => subject.fmt(f),
        }
    }
}

impl Caller {
    /// Refuses a key or token that was not made for this.
    pub(crate) fn may(&self, scope: Scope) -> Result<(), Problem> {
        if self.scopes.contains(scope) {
            Ok(())
        } else {
            Err(Problem::forbidden(scope.as_str()))
        }
    }
}

/// The caller that [`guard`] let in.
impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut request::Parts, _: &S) -> Result<Self, Problem> {
        // A route outside the guard would be a hole; it answers 500 instead.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            Problem::fault(Fault::Bug, "This route is not guarded. Nothing was done.")
        })
    }
}

/// Asks every request of the API who it is, counts it, and says on the answer how many are left.
pub(crate) async fn guard(
    State(state): State<Arc<ServerState>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Infallible> {
    let Known {
        tenant,
        credential,
        scopes,
    } = match identify(&state, request.method(), request.headers()).await {
        Ok(known) => known,
        Err(problem) => return Ok(problem.into_response()),
    };
    let (mut response, allowance) = match state.gates.pass(tenant) {
        Err(stopped) => (stopped.problem.into_response(), stopped.allowance),
        Ok(pass) => {
            let allowance = pass.allowance();
            request.extensions_mut().insert(Caller {
                tenant,
                credential,
                scopes,
                _pass: Arc::new(pass),
            });
            (next.run(request).await, allowance)
        }
    };
    allowance.write(response.headers_mut());
    Ok(response)
}

/// Whom a request belongs to.
struct Known {
    tenant: TenantId,
    credential: Option<Credential>,
    scopes: Scopes,
}

async fn identify(
    state: &ServerState,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Known, Problem> {
    match (presented(headers)?, state.settings.issuer.current()) {
        (None, None) => without_key(state, method, headers).await,
        (None, Some(_)) => Err(Problem::unauthorized()),
        (Some(Presented::Bearer(token)), Some(issuer)) if !keys::is_meant(token) => {
            with_token(state, &issuer, token).await.map_err(Stop::told)
        }
        (Some(Presented::Bearer(key) | Presented::Named(key)), _) => with_key(state, key).await,
    }
}

async fn with_key(state: &ServerState, text: &str) -> Result<Known, Problem> {
    let (id, hash) = keys::parse(text).ok_or_else(Problem::unauthorized)?;
    let key = state.store.key(&id).await.map_err(Problem::store)?;
    let key = key.filter(|key| keys::matches(&key.hash, &hash) && key.is_live(state.now()));
    let key = key.ok_or_else(Problem::unauthorized)?;
    Ok(Known {
        tenant: key.tenant,
        credential: Some(Credential::Key(key.id)),
        scopes: key.scopes,
    })
}

async fn with_token(state: &ServerState, issuer: &Issuer, token: &str) -> Result<Known, Stop> {
    let bearer = issuer.verify(token, state.now()).map_err(Stop::Refused)?;
    match state.store.tenant(&bearer.tenant).await {
        Ok(tenant) => Ok(Known {
            tenant: tenant.id,
            credential: Some(Credential::Token(bearer.subject)),
            scopes: bearer.scopes,
        }),
        // The operator alone makes tenants.
        Err(StoreError::UnknownTenant(_)) => Err(Stop::Refused(Refusal::UnknownTenant)),
        Err(error) => Err(Stop::Store(error)),
    }
}

/// Why a token did not let anybody in.
enum Stop {
    Refused(Refusal),
    Store(StoreError),
}

impl Stop {
    /// What the caller is told, which is never which check a token failed: that stands in the log, without the token.
    fn told(self) -> Problem {
        match self {
            Self::Refused(refusal) => {
                tracing::info!(reason = refusal.as_str(), "refused a token");
                Problem::invalid_token()
            }
            Self::Store(error) => Problem::store(error),
        }
    }
}

/// Whoever is on this machine, on a loopback address, as long as neither an issuer nor a tenant is configured. Asked
/// each time: the first tenant closes the door without a restart. A web site that is open in somebody's browser
/// is not on this machine, and neither is whoever comes through a proxy under another name.
async fn without_key(
    state: &ServerState,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Known, Problem> {
    let is_local =
        state.settings.listen.ip().to_canonical().is_loopback() && page::is_own(method, headers);
    if is_local && !state.store.has_tenants().await.map_err(Problem::store)? {
        Ok(Known {
            tenant: TenantId::LOCAL,
            credential: None,
            scopes: Scopes::of(&LOCAL_SCOPES),
        })
    } else {
        Err(Problem::unauthorized())
    }
}

/// What a request brings along.
#[derive(Debug, PartialEq, Eq)]
enum Presented<'a> {
    /// A key or a token (RFC 6750, section 2.1).
    Bearer(&'a str),
    /// A key under its other name.
    Named(&'a str),
}

/// The key or token of a request, from either of its two places. Two of them are none.
fn presented(headers: &HeaderMap) -> Result<Option<Presented<'_>>, Problem> {
    let bearer = headers.get_all(header::AUTHORIZATION).iter().map(|value| {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        scheme
            .eq_ignore_ascii_case("bearer")
            .then(|| Presented::Bearer(key.trim()))
    });
    let named = headers
        .get_all("x-api-key")
        .iter()
        .map(|value| value.to_str().ok().map(Presented::Named));
    let mut all = bearer.chain(named);
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(Some(key)), None) => Ok(Some(key)),
        (Some(_), _) => Err(Problem::unauthorized()),
    }
}

/// What needs no key on a machine of one's own. Signing always needs one.
const LOCAL_SCOPES: [Scope; 2] = [Scope::Analyse, Scope::Read];

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn check(sent: &[(&str, &'static str)], expected: Result<Option<Presented<'_>>, &'static str>) {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            let name = HeaderName::try_from(*name).unwrap();
            headers.append(name, HeaderValue::from_static(value));
        }
        let found = presented(&headers).map_err(|problem| problem.code());
        assert_eq!(found, expected, "{sent:?}");
    }

    #[test]
    fn a_key_comes_from_one_of_two_headers() {
        let bearer = || Ok(Some(Presented::Bearer("abc")));
        check(&[], Ok(None));
        check(&[("authorization", "Bearer abc")], bearer());
        check(&[("authorization", "bearer  abc ")], bearer());
        check(&[("x-api-key", "abc")], Ok(Some(Presented::Named("abc"))));
    }

    #[test]
    fn two_keys_and_other_schemes_are_no_key() {
        for sent in [
            &[("authorization", "Basic abc")][..],
            &[("authorization", "abc")],
            &[("authorization", "Bearer a"), ("authorization", "Bearer a")],
            &[("authorization", "Bearer a"), ("x-api-key", "a")],
            &[("x-api-key", "a"), ("x-api-key", "b")],
        ] {
            check(sent, Err("unauthorized"));
        }
    }
}
