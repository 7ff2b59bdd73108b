//! The two request headers that change how an upload is answered: `Prefer` (RFC 7240) and
//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07).

use std::time::Duration;

use axum::http::HeaderMap;

use crate::error::Problem;

/// How long the sender would wait for a finished analysis, if at all, at most `longest`.
///
/// A preference that is not understood is passed over, as RFC 7240 has it.
pub(crate) fn wait(headers: &HeaderMap, longest: Duration) -> Option<Duration> {
    let seconds: u64 = headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(|preference| {
            let (name, value) = preference.split(';').next()?.split_once('=')?;
            let is_wait = name.trim().eq_ignore_ascii_case("wait");
            is_wait.then(|| value.trim().trim_matches('"').parse().ok())
        })??;
    Some(Duration::from_secs(seconds).min(longest))
}

/// The key under which the sender may repeat the request.
pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut keys = headers.get_all("idempotency-key").iter();
    let (Some(key), None) = (keys.next(), keys.next()) else {
        return match headers.contains_key("idempotency-key") {
            true => Err(unusable()),
            false => Ok(None),
        };
    };
    let key = key.to_str().map_err(|_| unusable())?;
    // The draft writes keys as quoted strings; most senders do not.
    let key = key
        .strip_prefix('"')
        .and_then(|key| key.strip_suffix('"'))
        .unwrap_or(key);
    match key.len() {
        1..=MAX_KEY_BYTES => Ok(Some(key)),
        _ => Err(unusable()),
    }
}

fn unusable() -> Problem {
    Problem::parameter(
        "/Idempotency-Key",
        format!("Send one Idempotency-Key of 1 to {MAX_KEY_BYTES} visible ASCII characters."),
    )
}

/// Bytes of an idempotency key.
const MAX_KEY_BYTES: usize = 255;

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: &'static str, values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_wait_is_found_among_other_preferences_and_bounded() {
        let check = |values: &[&'static str], expected: Option<u64>| {
            let found = wait(&headers("prefer", values), Duration::from_secs(30));
            assert_eq!(found, expected.map(Duration::from_secs), "{values:?}");
        };
        check(&[], None);
        check(&["wait=5"], Some(5));
        check(&["respond-async, Wait = 10; foo=bar"], Some(10));
        check(&["return=minimal", "wait=\"7\""], Some(7));
        check(&["wait=3600"], Some(30));
        check(&["wait=0"], Some(0));
        for odd in [
            "wait",
            "wait=",
            "wait=-1",
            "wait=1.5",
            "await=5",
            "wait=99999999999999999999",
        ] {
            check(&[odd], None);
        }
    }

    #[test]
    fn an_idempotency_key_is_one_short_text() {
        let check = |values: &[&'static str], expected: Result<Option<&str>, &str>| {
            let headers = headers("idempotency-key", values);
            let found = idempotency_key(&headers).map_err(|problem| problem.code());
            assert_eq!(found, expected, "{values:?}");
        };
        check(&[], Ok(None));
        check(&["a-1"], Ok(Some("a-1")));
        check(&["\"a-1\""], Ok(Some("a-1")));
        check(&[""], Err("bad_parameter"));
        check(&["\"\""], Err("bad_parameter"));
        check(&["a", "a"], Err("bad_parameter"));
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", HeaderValue::from_bytes(b"\xe4").unwrap());
        assert!(idempotency_key(&headers).is_err());
    }
}
