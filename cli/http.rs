//! Small posts to services that the operator names: signers, time-stamping authorities and collectors of spans.
//! No redirects, a time limit, a bounded answer, and another try when the line or the service fails for a moment.
//!
//! Files that are examined never lead here.

use std::{thread, time::Duration};

use ureq::{
    Agent,
    http::{StatusCode, Uri},
    tls::{RootCerts, TlsConfig},
};

use crate::{exit::Failure, secret::Secret};

/// A service that can be posted to.
pub(crate) struct Service {
    agent: Agent,
    url: Uri,
    kind: &'static str,
    token: Option<Secret>,
}

/// What may travel without encryption.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plain {
    /// Everything: the answers carry a signature of their own.
    Everywhere,
    /// Only what stays on this machine.
    Loopback,
}

impl Service {
    /// `kind` is the media type of what is posted; `flag` is named when the address is no good.
    pub(crate) fn new(
        url: &str,
        flag: &str,
        plain: Plain,
        kind: &'static str,
        timeout: Duration,
    ) -> Result<Self, Failure> {
        let refused = |hint: &str| {
            // The address may hold a password, so it is not repeated.
            Failure::usage(
                format!("the address given with {flag} cannot be used"),
                hint,
            )
        };
        let url: Uri = url
            .parse()
            .map_err(|_| refused("write it like https://signer.example/sign"))?;
        let authority = url.authority().map(|authority| authority.as_str());
        if authority.is_none_or(|authority| authority.contains('@')) {
            return Err(refused(
                "write it with a host and without a user name; a token goes into a file",
            ));
        }
        let local = url.host().is_some_and(is_loopback);
        match url.scheme_str() {
            Some("https") => {}
            Some("http") if plain == Plain::Everywhere || local => {}
            _ => return Err(refused("use https; http is for this machine alone")),
        }
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let mut config = Agent::config_builder()
            .timeout_global(Some(timeout))
            .max_redirects(0)
            .http_status_as_error(false)
            .tls_config(tls)
            .user_agent(concat!("bonafide/", env!("CARGO_PKG_VERSION")));
        if local {
            config = config.proxy(None);
        }
        Ok(Self {
            agent: config.build().new_agent(),
            url,
            kind,
            token: None,
        })
    }

    /// Sends the token with every post.
    pub(crate) fn with_token(mut self, token: Secret) -> Self {
        self.token = Some(token);
        self
    }

    /// The host, for messages.
    pub(crate) fn host(&self) -> &str {
        self.url.host().unwrap_or_default()
    }

    /// Posts `body` and returns an answer of at most `max_bytes`, or why there is none.
    pub(crate) fn post(&self, body: &[u8], max_bytes: u64) -> Result<Vec<u8>, String> {
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS {
            match self.attempt(body, max_bytes) {
                Attempt::Done(answer) => return answer,
                Attempt::Again(_) => thread::sleep(pause),
            }
            pause = pause.saturating_mul(4);
        }
        match self.attempt(body, max_bytes) {
            Attempt::Done(answer) => answer,
            Attempt::Again(why) => Err(format!("{why}, {ATTEMPTS} times")),
        }
    }

    fn attempt(&self, body: &[u8], max_bytes: u64) -> Attempt {
        let mut request = self.agent.post(&self.url).header("content-type", self.kind);
        if let Some(token) = &self.token {
            let token = String::from_utf8_lossy(token);
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut answer = match request.send(body) {
            Ok(answer) => answer,
            Err(error) => return Attempt::Again(error.to_string()),
        };
        match answer.status() {
            StatusCode::OK => {}
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
                return Attempt::Again(format!("it answered {}", status.as_u16()));
            }
            status => return Attempt::Done(Err(format!("it answered {}", status.as_u16()))),
        }
        let read = answer
            .body_mut()
            .with_config()
            .limit(max_bytes)
            .read_to_vec();
        match read {
            Ok(bytes) => Attempt::Done(Ok(bytes)),
            Err(ureq::Error::BodyExceedsLimit(_)) => {
                Attempt::Done(Err(format!("its answer is longer than {max_bytes} bytes")))
            }
            Err(error) => Attempt::Again(error.to_string()),
        }
    }
}

enum Attempt {
    /// For good or bad; another try would end the same.
    Done(Result<Vec<u8>, String>),
    /// Perhaps it was a bad moment.
    Again(String),
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// A first try and two more, after 0.25 s and 1 s.
const ATTEMPTS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Plain, Service};

    #[test]
    fn what_may_be_posted_to_where() {
        let check = |url: &str, plain, accepted| {
            let service = Service::new(url, "--x", plain, "a/b", Duration::from_secs(1));
            assert_eq!(service.is_ok(), accepted, "{url}");
        };
        for (url, everywhere, loopback) in [
            ("https://signer.example/sign", true, true),
            ("http://tsa.example", true, false),
            ("http://127.0.0.1:9/x", true, true),
            ("http://[::1]:9/x", true, true),
            ("http://localhost:9/", true, true),
            ("http://127.0.0.1.example/", true, false),
            ("https://user:word@signer.example/", false, false),
            ("ftp://signer.example/", false, false),
            ("file:///etc/passwd", false, false),
            ("/sign", false, false),
            ("", false, false),
        ] {
            check(url, Plain::Everywhere, everywhere);
            check(url, Plain::Loopback, loopback);
        }
    }
}
