//! One POST to an address that a stranger chose. It resolves the name, looks at every address it leads to,
//! and connects to those very addresses; no redirect, no proxy, no connection kept, no body read.
//!
//! It knows neither what it sends nor when to try again.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode, Uri, header};
use ureq::{
    Agent,
    config::Config,
    tls::{RootCerts, TlsConfig},
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};

use super::{
    address::is_public,
    target::{Reach, Target},
};

/// The client; cheap to share between threads.
pub(crate) struct Client {
    agent: Agent,
}

/// The headers and the body of one attempt.
pub(crate) struct Post<'a> {
    /// `webhook-id`.
    pub(crate) id: String,
    /// `webhook-timestamp`: seconds since 1970.
    pub(crate) timestamp: String,
    /// `webhook-signature`.
    pub(crate) signature: String,
    /// JSON.
    pub(crate) body: &'a str,
}

/// What came of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A status of the 200s.
    Delivered(StatusCode),
    /// 410: the receiver wants no more of this.
    Gone,
    /// Any other status, with the wait it asked for.
    Refused(StatusCode, Option<Duration>),
    /// No answer.
    Unreached(Unreached),
}

/// Why there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreached {
    /// The name leads to an address that is not public. Nothing was connected to.
    NotPublic,
    /// The name leads nowhere.
    NoAddress,
    /// Over [`TIMEOUT`].
    TooSlow,
    /// No connection, or no TLS that can be trusted, or no HTTP.
    Broken,
}

impl Outcome {
    /// A stable word for logs, metrics and the list of dead letters.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Delivered(_) => "delivered",
            Self::Gone => "gone",
            Self::Refused(..) => "refused",
            Self::Unreached(Unreached::NotPublic) => "address_not_public",
            Self::Unreached(Unreached::NoAddress) => "no_address",
            Self::Unreached(Unreached::TooSlow) => "too_slow",
            Self::Unreached(Unreached::Broken) => "not_connected",
        }
    }
}

impl Client {
    /// A client that reaches what `reach` allows and trusts the public certificate authorities.
    pub(crate) fn new(reach: Reach) -> Self {
        Self::with_parts(reach, DefaultResolver::default(), RootCerts::WebPki)
    }

    fn with_parts(reach: Reach, names: impl Resolver, roots: RootCerts) -> Self {
        let tls = TlsConfig::builder().root_certs(roots).build();
        let config = Config::builder()
            .https_only(reach == Reach::Public)
            .tls_config(tls)
            // The default reads the environment; what is checked here must be what is connected to.
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .max_response_header_size(MAX_ANSWER_HEAD_BYTES)
            .input_buffer_size(MAX_ANSWER_HEAD_BYTES)
            .max_idle_connections(0)
            .user_agent(concat!("bonafide/", env!("CARGO_PKG_VERSION")))
            .build();
        let resolver = Guard { names, reach };
        Self {
            agent: Agent::with_parts(config, DefaultConnector::default(), resolver),
        }
    }

    /// Sends once and waits for the head of the answer, at most [`TIMEOUT`]. Blocks.
    pub(crate) fn post(&self, target: &Target, post: &Post<'_>) -> Outcome {
        let sent = self
            .agent
            .post(target.uri())
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", &post.id)
            .header("webhook-timestamp", &post.timestamp)
            .header("webhook-signature", &post.signature)
            .send(post.body);
        match sent {
            // The body is dropped with the connection, however long it would be.
            Ok(answer) => judge(answer.status(), answer.headers()),
            Err(error) => Outcome::Unreached(reason(&error)),
        }
    }
}

fn judge(status: StatusCode, headers: &HeaderMap) -> Outcome {
    if status.is_success() {
        return Outcome::Delivered(status);
    }
    if status == StatusCode::GONE {
        return Outcome::Gone;
    }
    // The form with a date is not worth a parser: without it the schedule decides.
    let wait = headers
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    Outcome::Refused(status, wait)
}

fn reason(error: &ureq::Error) -> Unreached {
    if let ureq::Error::Other(inner) = error
        && inner.is::<NotPublic>()
    {
        return Unreached::NotPublic;
    }
    if matches!(error, ureq::Error::Timeout(_)) {
        return Unreached::TooSlow;
    }
    if matches!(error, ureq::Error::HostNotFound) || is_lookup(error) {
        return Unreached::NoAddress;
    }
    Unreached::Broken
}

/// The system tells a failed lookup as an error without a kind of its own.
fn is_lookup(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Io(inner) if inner.raw_os_error().is_none()
        && inner.to_string().contains("lookup address"))
}

/// Looks names up and lets the answer through only if every address in it may be reached. The client connects
/// to what it is given here and asks no second time, so the answer cannot change in between.
#[derive(Debug)]
struct Guard<R> {
    names: R,
    reach: Reach,
}

/// A name leads to an address that is not public.
#[derive(Debug, thiserror::Error)]
#[error("the host has an address that is not public")]
struct NotPublic;

impl<R: Resolver> Resolver for Guard<R> {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.names.resolve(uri, config, timeout)?;
        let may_be_reached = |ip: std::net::IpAddr| {
            is_public(ip) || (self.reach == Reach::DangerousLoopback && ip.is_loopback())
        };
        // One bad address spoils the answer: a mixed one is what an attack looks like.
        match found.iter().all(|address| may_be_reached(address.ip())) {
            true => Ok(found),
            false => Err(ureq::Error::Other(Box::new(NotPublic))),
        }
    }
}

/// For one attempt, lookup and all.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(15);

/// For a connection with its TLS, so that several addresses can be tried within [`TIMEOUT`].
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of status and headers that are read.
const MAX_ANSWER_HEAD_BYTES: usize = 16 << 10;

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
