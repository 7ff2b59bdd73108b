//! Who may use the page. It has no key of its own, so it answers only where none is needed, and only to a
//! browser that was pointed at it: any other site open in that browser could otherwise post pictures through it
//! or, under a name it lets lead here, read what was found.

use std::net::IpAddr;

use axum::http::{HeaderMap, Method, header};

/// Whether a request comes from this page itself, or from somebody who typed its address.
pub(crate) fn is_own(method: &Method, headers: &HeaderMap) -> bool {
    let Some(host) = text(headers, &header::HOST) else {
        return false;
    };
    if !leads_here(host) {
        return false;
    }
    // Following a link from elsewhere shows a page and does nothing.
    if method == Method::GET || method == Method::HEAD {
        return true;
    }
    match (
        text(headers, "sec-fetch-site"),
        text(headers, &header::ORIGIN),
    ) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin.strip_prefix("http://") == Some(host),
        // No browser at all.
        (None, None) => true,
    }
}

/// Whether the name under which somebody came is one of this machine itself. A name of another's making could
/// lead here and still be that other's in the eyes of a browser (DNS rebinding).
fn leads_here(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(address, _)| address),
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(is_loopback)
}

fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    #[track_caller]
    fn check(expected: bool, method: Method, sent: &[(&str, &'static str)]) {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            let name = HeaderName::try_from(*name).unwrap();
            headers.insert(name, HeaderValue::from_static(value));
        }
        assert_eq!(is_own(&method, &headers), expected, "{method} {sent:?}");
    }

    #[test]
    fn names_of_this_machine_are_taken_and_others_are_not() {
        for host in [
            "127.0.0.1:8080",
            "localhost:8080",
            "LOCALHOST",
            "[::1]:8080",
            "127.0.0.1",
        ] {
            check(true, Method::GET, &[("host", host)]);
        }
        for host in [
            "evil.example:8080",
            "localhost.evil.example",
            "10.0.0.1",
            "0.0.0.0",
            "",
            "[",
        ] {
            check(false, Method::GET, &[("host", host)]);
            check(
                false,
                Method::POST,
                &[("host", host), ("sec-fetch-site", "same-origin")],
            );
        }
        check(false, Method::GET, &[]);
    }

    #[test]
    fn another_site_cannot_post_through_the_page() {
        let host = ("host", "localhost:8080");
        for (expected, name, value) in [
            (true, "sec-fetch-site", "same-origin"),
            (true, "sec-fetch-site", "none"),
            (false, "sec-fetch-site", "cross-site"),
            (false, "sec-fetch-site", "same-site"),
            (true, "origin", "http://localhost:8080"),
            (false, "origin", "http://localhost:9090"),
            (false, "origin", "https://localhost:8080"),
            (false, "origin", "http://evil.example"),
            (false, "origin", "null"),
        ] {
            check(expected, Method::POST, &[host, (name, value)]);
        }
        check(true, Method::POST, &[host]);
    }
}
