//! Every kind of problem: what one of them always says. docs/API.md has the same table, and a test compares the two.

use axum::http::StatusCode;

/// What one kind of problem always says: status, stable code and title.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Kind(
    pub(super) StatusCode,
    pub(super) &'static str,
    pub(super) &'static str,
);

pub(super) const EMPTY: Kind = Kind(StatusCode::BAD_REQUEST, "empty", "Nothing uploaded");
pub(super) const BAD_MULTIPART: Kind = Kind(
    StatusCode::BAD_REQUEST,
    "bad_multipart",
    "Form not understood",
);
pub(super) const BAD_PARAMETER: Kind = Kind(
    StatusCode::BAD_REQUEST,
    "bad_parameter",
    "Parameter not understood",
);
pub(super) const BROKEN_BODY: Kind =
    Kind(StatusCode::BAD_REQUEST, "broken_body", "Upload incomplete");
pub(super) const UNAUTHORIZED: Kind = Kind(
    StatusCode::UNAUTHORIZED,
    "unauthorized",
    "Not authenticated",
);
pub(super) const INVALID_TOKEN: Kind = Kind(
    StatusCode::UNAUTHORIZED,
    "invalid_token",
    "Token not accepted",
);
pub(super) const FORBIDDEN_SCOPE: Kind =
    Kind(StatusCode::FORBIDDEN, "forbidden_scope", "Not allowed");
pub(super) const NOT_FOUND: Kind = Kind(StatusCode::NOT_FOUND, "not_found", "Not found");
pub(super) const NO_MANIFEST: Kind = Kind(StatusCode::NOT_FOUND, "no_manifest", "No manifest");
pub(super) const NO_SIGNER: Kind = Kind(StatusCode::NOT_FOUND, "no_signer", "No signer");
pub(super) const NO_HEATMAP: Kind = Kind(StatusCode::NOT_FOUND, "no_heatmap", "No heat map");
pub(super) const METHOD_NOT_ALLOWED: Kind = Kind(
    StatusCode::METHOD_NOT_ALLOWED,
    "method_not_allowed",
    "Method not allowed",
);
pub(super) const TOO_SLOW: Kind = Kind(StatusCode::REQUEST_TIMEOUT, "too_slow", "Upload too slow");
pub(super) const UNFINISHED: Kind = Kind(StatusCode::CONFLICT, "unfinished", "Not finished");
pub(super) const NOT_KEPT: Kind = Kind(StatusCode::GONE, "not_kept", "File no longer kept");
pub(super) const ERASED: Kind = Kind(StatusCode::GONE, "erased", "Erased");
pub(super) const TOO_LARGE: Kind = Kind(
    StatusCode::PAYLOAD_TOO_LARGE,
    "too_large",
    "Upload too large",
);
pub(super) const UNSUPPORTED_MEDIA_TYPE: Kind = Kind(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "unsupported_media_type",
    "Not a medium",
);
pub(super) const UNPROCESSABLE: Kind = Kind(
    StatusCode::UNPROCESSABLE_ENTITY,
    "unprocessable",
    "Upload not usable",
);
pub(super) const UNSUPPORTED_KIND: Kind = Kind(
    StatusCode::UNPROCESSABLE_ENTITY,
    "unsupported_kind",
    "Format cannot be signed",
);
pub(super) const BROKEN_HISTORY: Kind = Kind(
    StatusCode::UNPROCESSABLE_ENTITY,
    "broken_history",
    "Credential does not hold",
);
pub(super) const ALREADY_SIGNED: Kind = Kind(
    StatusCode::UNPROCESSABLE_ENTITY,
    "already_signed",
    "Already signed",
);
pub(super) const IDEMPOTENCY_KEY_REUSED: Kind = Kind(
    StatusCode::UNPROCESSABLE_ENTITY,
    "idempotency_key_reused",
    "Idempotency key reused",
);
pub(super) const RATE_LIMITED: Kind = Kind(
    StatusCode::TOO_MANY_REQUESTS,
    "rate_limited",
    "Too many requests",
);
pub(super) const TOO_MANY_OPEN: Kind = Kind(
    StatusCode::TOO_MANY_REQUESTS,
    "too_many_open",
    "Too many open requests",
);
pub(super) const INTERNAL: Kind = Kind(
    StatusCode::INTERNAL_SERVER_ERROR,
    "internal",
    "Internal error",
);
pub(super) const UNAVAILABLE: Kind = Kind(
    StatusCode::SERVICE_UNAVAILABLE,
    "unavailable",
    "Service unavailable",
);
pub(super) const DISK_FULL: Kind =
    Kind(StatusCode::SERVICE_UNAVAILABLE, "disk_full", "No room left");
pub(super) const BUSY: Kind = Kind(StatusCode::SERVICE_UNAVAILABLE, "busy", "Service busy");

#[cfg(test)]
const KINDS: [Kind; 29] = [
    EMPTY,
    BAD_MULTIPART,
    BAD_PARAMETER,
    BROKEN_BODY,
    UNAUTHORIZED,
    INVALID_TOKEN,
    FORBIDDEN_SCOPE,
    NOT_FOUND,
    NO_MANIFEST,
    NO_SIGNER,
    NO_HEATMAP,
    METHOD_NOT_ALLOWED,
    TOO_SLOW,
    UNFINISHED,
    NOT_KEPT,
    ERASED,
    TOO_LARGE,
    UNSUPPORTED_MEDIA_TYPE,
    UNPROCESSABLE,
    UNSUPPORTED_KIND,
    BROKEN_HISTORY,
    ALREADY_SIGNED,
    IDEMPOTENCY_KEY_REUSED,
    RATE_LIMITED,
    TOO_MANY_OPEN,
    INTERNAL,
    UNAVAILABLE,
    DISK_FULL,
    BUSY,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_every_kind_with_its_status() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/API.md");
        let documentation = std::fs::read_to_string(path).unwrap();
        for Kind(status, code, _) in &KINDS {
            let status = format!("| {} |", status.as_u16());
            let code = format!("`{code}`");
            let is_row = |line: &str| line.starts_with(&status) && line.contains(&code);
            assert!(
                documentation.lines().any(is_row),
                "docs/API.md lacks {status} {code}"
            );
        }
    }

    #[test]
    fn no_two_kinds_share_a_code() {
        for (at, kind) in KINDS.iter().enumerate() {
            assert!(
                KINDS[at + 1..].iter().all(|other| other.1 != kind.1),
                "{kind:?}"
            );
        }
    }
}
