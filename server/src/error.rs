//! What goes wrong, in the two shapes it leaves by: a start that fails, and RFC 9457 problems.
//!
//! This file alone maps `Fault` to HTTP. Details of operator faults and bugs go to the log, never to the
//! caller.

use std::{io, net::SocketAddr};

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use media::Fault;
use serde::Serialize;

/// The service cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// An address that others reach, and no key to tell them apart by.
    #[error("{listen} is not a loopback address and no API key is configured")]
    KeysMissing {
        /// The address asked for.
        listen: SocketAddr,
    },
    /// The address cannot be had.
    #[error("{listen} cannot be listened on: {source}")]
    Listen {
        /// The address asked for.
        listen: SocketAddr,
        /// The system's words.
        source: io::Error,
    },
    /// The worker threads cannot be started.
    #[error("the worker threads cannot be started: {0}")]
    Threads(io::Error),
}

impl ServeError {
    /// Who must act.
    pub fn fault(&self) -> Fault {
        match self {
            Self::KeysMissing { .. } | Self::Listen { .. } | Self::Threads(_) => Fault::Operator,
        }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::KeysMissing { .. } => "keys_missing",
            Self::Listen { .. } => "listen",
            Self::Threads(_) => "threads",
        }
    }
}

/// One RFC 9457 answer. Statuses speak of the request; what is wrong with a file stands in its report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    pointer: Option<&'static str>,
    retry_after_s: Option<u16>,
}

/// The code of a problem, left on the answer for the log.
#[derive(Clone, Copy)]
pub(crate) struct ProblemCode(pub(crate) &'static str);

#[derive(Serialize)]
struct Body<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    code: &'a str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, title: &'static str, detail: String) -> Self {
        Self {
            status,
            code,
            title,
            detail,
            pointer: None,
            retry_after_s: None,
        }
    }

    fn at(mut self, pointer: &'static str) -> Self {
        self.pointer = Some(pointer);
        self
    }

    /// The body is larger than the service takes.
    pub(crate) fn too_large(limit: u64) -> Self {
        let detail = format!("The upload has more than {limit} bytes.");
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "Upload too large",
            detail,
        )
        .at("/file")
    }

    /// Nothing was uploaded.
    pub(crate) fn empty() -> Self {
        let detail = "The upload has no bytes. Send the file as the body, or as the multipart field \"file\".";
        Self::new(
            StatusCode::BAD_REQUEST,
            "empty",
            "Nothing uploaded",
            detail.to_owned(),
        )
        .at("/file")
    }

    /// The sender stopped sending, or sends too slowly.
    pub(crate) fn too_slow() -> Self {
        let detail = "The body arrived too slowly. Send it again over a faster connection.";
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "too_slow",
            "Upload too slow",
            detail.to_owned(),
        )
    }

    /// The body ended early or broke the rules of HTTP.
    pub(crate) fn broken_body() -> Self {
        let detail = "The body ended before it was complete. Send it again.";
        Self::new(
            StatusCode::BAD_REQUEST,
            "broken_body",
            "Upload incomplete",
            detail.to_owned(),
        )
    }

    /// The multipart form is not one we take.
    pub(crate) fn multipart(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad_multipart",
            "Form not understood",
            detail.into(),
        )
    }

    /// A parameter beside the file is not one we take.
    pub(crate) fn parameter(pointer: &'static str, detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad_parameter",
            "Parameter not understood",
            detail.into(),
        )
        .at(pointer)
    }

    /// No route has this address.
    pub(crate) fn not_found() -> Self {
        let detail =
            "There is nothing at this address. Finished analyses are not kept by this version.";
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "Not found",
            detail.to_owned(),
        )
    }

    /// The route does not take this method.
    pub(crate) fn method_not_allowed() -> Self {
        let detail = "This address does not take this method.";
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "Method not allowed",
            detail.to_owned(),
        )
    }

    /// The self-test fails; the log says why.
    pub(crate) fn not_ready(code: &'static str) -> Self {
        let detail = "The self-test of this service fails; its log says why.";
        let mut problem = Self::fault(Fault::Operator, detail);
        problem.code = code;
        problem.title = "Not ready";
        problem
    }

    /// The one map from [`Fault`] to HTTP, with words for the caller.
    pub(crate) fn fault(fault: Fault, detail: &str) -> Self {
        let detail = detail.to_owned();
        match fault {
            Fault::Caller => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "unprocessable",
                "Upload not usable",
                detail,
            )
            .at("/file"),
            Fault::Operator => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "Service unavailable",
                detail,
            ),
            Fault::Busy => {
                let mut problem = Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "busy",
                    "Service busy",
                    detail,
                );
                problem.retry_after_s = Some(1);
                problem
            }
            Fault::Bug => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Internal error",
                detail,
            ),
        }
    }

    /// All room is taken; nothing was read or started.
    pub(crate) fn busy() -> Self {
        Self::fault(Fault::Busy, "All places are taken. Try again in a moment.")
    }

    /// The stable code.
    #[cfg(test)]
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Body {
            r#type: format!(
                "https://bonafide.invalid/problems/{}",
                self.code.replace('_', "-")
            ),
            title: self.title,
            status: self.status.as_u16(),
            code: self.code,
            detail: &self.detail,
            pointer: self.pointer,
        };
        let mut response = (self.status, Json(body)).into_response();
        response.extensions_mut().insert(ProblemCode(self.code));
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
