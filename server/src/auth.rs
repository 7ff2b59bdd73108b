//! Who asks: turns a key into a tenant and what the key may do, and lets each tenant in as often as its
//! share allows. Keys are never logged, and an unknown one reads like a revoked one.

use std::{convert::Infallible, sync::Arc};

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
    page,
    state::ServerState,
    store::{KeyId, Scope, Scopes, TenantId},
};

/// Whoever sent a request, known by the key.
#[derive(Clone)]
pub(crate) struct Caller {
    /// Whose analyses it may touch; there is no other.
    pub(crate) tenant: TenantId,
    /// The public part of the key; `None` where none was asked for.
    pub(crate) key: Option<KeyId>,
    scopes: Scopes,
    /// Its place among the open requests of the tenant. A stream keeps a clone until it ends.
    _pass: Arc<Pass>,
}

impl Caller {
    /// Refuses a key that was not made for this.
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
        key,
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
                key,
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
    key: Option<KeyId>,
    scopes: Scopes,
}

async fn identify(
    state: &ServerState,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Known, Problem> {
    let Some(text) = presented(headers)? else {
        return without_key(state, method, headers).await;
    };
    let (id, hash) = keys::parse(text).ok_or_else(Problem::unauthorized)?;
    let key = state.store.key(&id).await.map_err(Problem::store)?;
    let key = key.filter(|key| keys::matches(&key.hash, &hash) && key.is_live(state.now()));
    let key = key.ok_or_else(Problem::unauthorized)?;
    Ok(Known {
        tenant: key.tenant,
        key: Some(key.id),
        scopes: key.scopes,
    })
}

/// Whoever is on this machine, on a loopback address, as long as no tenant is configured. Asked each
/// time: the first tenant closes the door without a restart. A web site that is open in somebody's browser
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
            key: None,
            scopes: Scopes::of(&LOCAL_SCOPES),
        })
    } else {
        Err(Problem::unauthorized())
    }
}

/// The key of a request, from either of its two places. Two of them are no key.
fn presented(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let bearer = headers.get_all(header::AUTHORIZATION).iter().map(|value| {
        let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    let named = headers
        .get_all("x-api-key")
        .iter()
        .map(|value| value.to_str().ok());
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

    fn key(sent: &[(&str, &'static str)]) -> Result<Option<String>, &'static str> {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            let name = HeaderName::try_from(*name).unwrap();
            headers.append(name, HeaderValue::from_static(value));
        }
        presented(&headers)
            .map(|key| key.map(str::to_owned))
            .map_err(|problem| problem.code())
    }

    #[test]
    fn a_key_comes_from_one_of_two_headers() {
        let some = Ok(Some("abc".to_owned()));
        assert_eq!(key(&[]), Ok(None));
        assert_eq!(key(&[("authorization", "Bearer abc")]), some);
        assert_eq!(key(&[("authorization", "bearer  abc ")]), some);
        assert_eq!(key(&[("x-api-key", "abc")]), some);
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
            assert_eq!(key(sent), Err("unauthorized"), "{sent:?}");
        }
    }
}
