//! The address a caller wants to be told at, checked as far as an address alone can be.
//!
//! What its name resolves to is checked when a connection is made, each time (`client.rs`). This file asks no
//! resolver, so that an upload costs no lookup.

use std::net::IpAddr;

use axum::http::Uri;
use url::{Host, Url};

use super::address::is_public;

/// Who may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reach {
    /// Public hosts over HTTPS.
    #[default]
    Public,
    /// Those, and this machine itself over HTTP at any port. For trying things out: it lets whoever uploads
    /// post to every service of this machine.
    DangerousLoopback,
}

/// An address that may be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target(Uri);

/// Why an address is not taken, in words for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    /// Longer than [`MAX_BYTES`].
    #[error("The address is longer than 2,048 bytes.")]
    TooLong,
    /// No address, or one that its two readers do not read alike.
    #[error("This is no address. Write it like https://example.com/hook.")]
    Unreadable,
    /// Not HTTPS.
    #[error("The address must begin with https://.")]
    Scheme,
    /// A name and password in the address.
    #[error("The address must not carry a name or password.")]
    Credentials,
    /// Something behind `#`.
    #[error("The address must not have a fragment (#...).")]
    Fragment,
    /// Not a port of [`PORTS`].
    #[error("The port must be 443 or 8443.")]
    Port,
    /// Not a public host.
    #[error("The host must be a public one.")]
    Host,
}

impl Target {
    /// Reads what a caller wrote.
    ///
    /// # Errors
    ///
    /// [`TargetError`], for everything that is no HTTPS address of a host that could be public.
    pub(crate) fn parse(text: &str, reach: Reach) -> Result<Self, TargetError> {
        if text.len() > MAX_BYTES {
            return Err(TargetError::TooLong);
        }
        let url = Url::parse(text).map_err(|_| TargetError::Unreadable)?;
        let host = url.host().ok_or(TargetError::Unreadable)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(TargetError::Fragment);
        }
        if !(reach == Reach::DangerousLoopback && is_loopback(&host)) {
            check_public(&url, &host)?;
        } else if !matches!(url.scheme(), "http" | "https") {
            return Err(TargetError::Scheme);
        }
        in_both_readings(&url).map(Self)
    }

    /// As the client takes it.
    pub(crate) fn uri(&self) -> &Uri {
        &self.0
    }
}

fn check_public(url: &Url, host: &Host<&str>) -> Result<(), TargetError> {
    if url.scheme() != "https" {
        return Err(TargetError::Scheme);
    }
    let may_be_public = match host {
        Host::Domain(name) => has_public_name(name),
        Host::Ipv4(address) => is_public(IpAddr::V4(*address)),
        Host::Ipv6(address) => is_public(IpAddr::V6(*address)),
    };
    if !may_be_public {
        return Err(TargetError::Host);
    }
    match url.port_or_known_default() {
        Some(port) if PORTS.contains(&port) => Ok(()),
        Some(_) | None => Err(TargetError::Port),
    }
}

/// The address as the client's own parser reads it, if that finds the same host and port.
fn in_both_readings(url: &Url) -> Result<Uri, TargetError> {
    let uri: Uri = url.as_str().parse().map_err(|_| TargetError::Unreadable)?;
    let agrees = uri.host() == url.host_str()
        && uri.scheme_str() == Some(url.scheme())
        && uri.port_u16() == url.port();
    agrees.then_some(uri).ok_or(TargetError::Unreadable)
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// A friendly early answer only: what counts is where the name leads.
fn has_public_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let last = name.rsplit('.').next().unwrap_or_default();
    name.contains('.') && !LOCAL_ENDINGS.contains(&last) && !name.ends_with(".home.arpa")
}

/// Bytes of an address.
pub(crate) const MAX_BYTES: usize = 2_048;

/// Ports of HTTPS; others belong to services that were never meant to read a webhook.
const PORTS: [u16; 2] = [443, 8443];

/// Endings of names that never lead to a public host (RFC 6761, RFC 6762, RFC 7686, ICANN's `.internal`).
const LOCAL_ENDINGS: [&str; 4] = ["localhost", "local", "internal", "onion"];

#[cfg(test)]
mod tests {
    use super::{Reach, Target, TargetError};

    #[track_caller]
    fn check(expected: Result<&str, TargetError>, address: &str) {
        let found = Target::parse(address, Reach::Public).map(|target| target.uri().to_string());
        assert_eq!(
            found.as_deref().map_err(|error| *error),
            expected,
            "{address}"
        );
    }

    #[test]
    fn public_https_is_taken() {
        for address in [
            "https://example.com/hook",
            "https://example.com:8443/hook?case=17",
            "https://8.8.8.8/",
            "https://[2606:4700:4700::1111]/",
        ] {
            check(Ok(address), address);
        }
        check(Ok("https://example.com/"), "HTTPS://EXAMPLE.com:443");
        check(
            Ok("https://xn--bcher-kva.example/"),
            "https://bücher.example/",
        );
    }

    #[test]
    fn every_spelling_of_an_inner_address_is_refused() {
        for address in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://0x7f000001/",
            "https://0x7f.0.0.1/",
            "https://2130706433/",
            "https://017700000001/",
            "https://127.0.0.1./",
            "https://１２７.０.０.１/",
            "https://169.254.169.254/latest/meta-data/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://100.64.0.1/",
            "https://localhost/",
            "https://localhost./",
            "https://LOCALHOST/",
            "https://a.localhost/",
            "https://metadata.google.internal/",
            "https://printer.local/",
            "https://router.home.arpa/",
            "https://intranet/",
        ] {
            check(Err(TargetError::Host), address);
        }
    }

    #[test]
    fn other_schemes_ports_and_parts_are_refused() {
        check(Err(TargetError::Scheme), "http://example.com/");
        check(Err(TargetError::Scheme), "gopher://example.com/");
        check(Err(TargetError::Unreadable), "file:///etc/passwd");
        check(Err(TargetError::Unreadable), "/hook");
        check(Err(TargetError::Unreadable), "");
        check(Err(TargetError::Unreadable), "https://");
        check(
            Err(TargetError::Credentials),
            "https://user:pw@example.com/",
        );
        check(
            Err(TargetError::Credentials),
            "https://example.com@127.0.0.1/",
        );
        check(Err(TargetError::Fragment), "https://example.com/#a");
        check(Err(TargetError::Port), "https://example.com:22/");
        check(Err(TargetError::Port), "https://example.com:6379/");
        let long = format!("https://example.com/{}", "a".repeat(2_048));
        check(Err(TargetError::TooLong), &long);
    }

    #[test]
    fn a_backslash_or_a_line_break_cannot_move_the_host() {
        check(
            Ok("https://example.com/@127.0.0.1/"),
            "https://example.com\\@127.0.0.1/",
        );
        check(Ok("https://example.com/a"), "https://example.com/\r\na");
    }

    #[test]
    fn loopback_is_taken_only_where_it_was_asked_for() {
        let loopback = |address| Target::parse(address, Reach::DangerousLoopback).map(|_| ());
        assert_eq!(loopback("http://127.0.0.1:9000/hook"), Ok(()));
        assert_eq!(loopback("http://[::1]:9000/hook"), Ok(()));
        assert_eq!(loopback("ftp://127.0.0.1/"), Err(TargetError::Scheme));
        assert_eq!(loopback("http://10.0.0.1/"), Err(TargetError::Scheme));
        assert_eq!(loopback("https://10.0.0.1/"), Err(TargetError::Host));
    }
}
