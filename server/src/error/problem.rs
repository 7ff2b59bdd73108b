//! What goes wrong with one request, as RFC 9457 answers. Statuses speak of the request; what is wrong
//! with a file stands in its report.
//!
//! This file alone maps `Fault` to HTTP. Details of operator faults and bugs go to the log, never to the
//! caller.

use std::borrow::Cow;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use media::Fault;
use provenance::SignError;
use serde::Serialize;
use utoipa::ToSchema;

use super::kind::{
    ALREADY_SIGNED, BAD_MULTIPART, BAD_PARAMETER, BROKEN_BODY, BROKEN_HISTORY, BUSY, DISK_FULL,
    EMPTY, ERASED, FORBIDDEN_SCOPE, IDEMPOTENCY_KEY_REUSED, INTERNAL, INVALID_TOKEN, Kind,
    METHOD_NOT_ALLOWED, NO_HEATMAP, NO_MANIFEST, NO_SIGNER, NOT_FOUND, NOT_KEPT, RATE_LIMITED,
    TOO_LARGE, TOO_MANY_OPEN, TOO_SLOW, UNAUTHORIZED, UNAVAILABLE, UNFINISHED, UNPROCESSABLE,
    UNSUPPORTED_KIND, UNSUPPORTED_MEDIA_TYPE,
};
use crate::store::StoreError;

/// One RFC 9457 answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: Cow<'static, str>,
    pointer: Option<&'static str>,
    retry_after_s: Option<u64>,
}

/// The code of a problem, left on the answer for the log.
#[derive(Clone, Copy)]
pub(crate) struct ProblemCode(pub(crate) &'static str);

/// An RFC 9457 problem: what is wrong with a request, and what to do.
#[derive(Serialize, ToSchema)]
#[schema(as = RequestProblem)]
pub(crate) struct ProblemBody<'a> {
    /// Address that stands for the code; nothing answers there.
    r#type: String,
    /// The same for every problem of this code.
    title: &'a str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// Stable code.
    code: &'a str,
    /// What is wrong this time and what to do about it.
    detail: &'a str,
    /// JSON pointer to the field or parameter concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
}

impl Problem {
    fn new(kind: &Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status: kind.0,
            code: kind.1,
            title: kind.2,
            detail: detail.into(),
            pointer: None,
            retry_after_s: None,
        }
    }

    fn at(mut self, pointer: &'static str) -> Self {
        self.pointer = Some(pointer);
        self
    }

    fn after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The body is larger than the service takes.
    pub(crate) fn too_large(limit: u64) -> Self {
        Self::new(
            &TOO_LARGE,
            format!("The upload has more than {limit} bytes."),
        )
        .at("/file")
    }

    /// Nothing was uploaded.
    pub(crate) fn empty() -> Self {
        let detail = "The upload has no bytes. Send the file as the body, or as the multipart field \"file\".";
        Self::new(&EMPTY, detail).at("/file")
    }

    /// The body is said to be something that is no medium.
    pub(crate) fn unsupported_media_type() -> Self {
        let detail = "Content-Type names neither a picture, a film, a sound nor a document. Send the type of the \
                      file, application/octet-stream, or multipart/form-data with the field \"file\".";
        Self::new(&UNSUPPORTED_MEDIA_TYPE, detail).at("/file")
    }

    /// The body is a form where the file itself is wanted.
    pub(crate) fn no_form() -> Self {
        let detail = "This address takes the file itself as the body, not a form.";
        Self::new(&UNSUPPORTED_MEDIA_TYPE, detail).at("/file")
    }

    /// The sender stopped sending, or sends too slowly.
    pub(crate) fn too_slow() -> Self {
        let detail = "The body arrived too slowly. Send it again over a faster connection.";
        Self::new(&TOO_SLOW, detail)
    }

    /// The body ended early or broke the rules of HTTP.
    pub(crate) fn broken_body() -> Self {
        Self::new(
            &BROKEN_BODY,
            "The body ended before it was complete. Send it again.",
        )
    }

    /// The multipart form is not one we take.
    pub(crate) fn multipart(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&BAD_MULTIPART, detail)
    }

    /// A parameter, field or header beside the file is not one we take.
    pub(crate) fn parameter(pointer: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(&BAD_PARAMETER, detail).at(pointer)
    }

    /// No key, or none that we know.
    pub(crate) fn unauthorized() -> Self {
        let detail = "The request carries no valid key. Send it as \"Authorization: Bearer KEY\".";
        Self::new(&UNAUTHORIZED, detail)
    }

    /// A token that was not accepted. Which check it failed is said to the log alone.
    pub(crate) fn invalid_token() -> Self {
        let detail = "The token is not accepted, or not any more. Get a new one from its issuer.";
        Self::new(&INVALID_TOKEN, detail)
    }

    /// The key or token is known and not meant for this.
    pub(crate) fn forbidden(scope: &'static str) -> Self {
        let detail = format!(
            "This key or token lacks the scope {scope}. Ask whoever gave it to you for one that has it."
        );
        Self::new(&FORBIDDEN_SCOPE, detail)
    }

    /// No route has this address, or no analysis of this tenant this id.
    pub(crate) fn not_found() -> Self {
        Self::new(&NOT_FOUND, "There is nothing at this address.")
    }

    /// The analysis was erased by its owner.
    pub(crate) fn erased() -> Self {
        Self::new(&ERASED, "This analysis was erased.")
    }

    /// The file carries no manifest store that could be handed out.
    pub(crate) fn no_manifest() -> Self {
        Self::new(&NO_MANIFEST, "The file carries no manifest store.")
    }

    /// Nobody signs for this tenant.
    pub(crate) fn no_signer() -> Self {
        let detail =
            "This service holds no signing key of this tenant. Ask the operator to set one up.";
        Self::new(&NO_SIGNER, detail)
    }

    /// A file was not signed. Whether the set-up or a damaged file is to blame, details stand in the log.
    pub(crate) fn unsigned(error: &SignError) -> Self {
        let text = error.to_string();
        // What follows is advice for the command line.
        let what = text.rsplit_once("; ").map_or(&*text, |(what, _)| what);
        let detail = format!("Nothing was signed: {what}.");
        match (error.code(), error.fault()) {
            ("unsupported_kind", _) => Self::new(&UNSUPPORTED_KIND, detail).at("/file"),
            ("broken_history", _) => Self::new(&BROKEN_HISTORY, detail).at("/file"),
            ("already_signed", _) => Self::new(&ALREADY_SIGNED, detail).at("/file"),
            (_, fault @ Fault::Caller) => Self::fault(fault, detail),
            (_, Fault::Bug) => {
                let detail =
                    "Nothing was signed. The file may be damaged; try it in another program.";
                Self::fault(Fault::Caller, detail)
            }
            (_, fault @ (Fault::Operator | Fault::Busy)) => {
                Self::fault(fault, "The service cannot sign now. Tell its operator.")
            }
        }
    }

    /// There is nothing to draw.
    pub(crate) fn no_heatmap() -> Self {
        let detail =
            "There is no heat map: the pixels were not examined, or by no model that has a map.";
        Self::new(&NO_HEATMAP, detail)
    }

    /// The analysis has no verdict yet.
    pub(crate) fn unfinished() -> Self {
        let detail = "The analysis is not finished yet. Ask again when its status is done.";
        Self::new(&UNFINISHED, detail)
    }

    /// The file of this analysis is no longer kept.
    pub(crate) fn not_kept() -> Self {
        let detail = "The file is no longer kept. Its report is. Send the file again to read it.";
        Self::new(&NOT_KEPT, detail)
    }

    /// The route does not take this method.
    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            &METHOD_NOT_ALLOWED,
            "This address does not take this method.",
        )
    }

    /// The idempotency key was used with another body.
    pub(crate) fn key_reused() -> Self {
        let detail =
            "This Idempotency-Key was used for another upload. Use a new key for a new upload.";
        Self::new(&IDEMPOTENCY_KEY_REUSED, detail).at("/Idempotency-Key")
    }

    /// More requests than the tenant may send.
    pub(crate) fn rate_limited(retry_after_s: u64) -> Self {
        let detail = format!("Too many requests. Try again in {retry_after_s} s.");
        Self::new(&RATE_LIMITED, detail).after(retry_after_s)
    }

    /// More requests at one time than the tenant may have open.
    pub(crate) fn too_many_open() -> Self {
        let detail = "Too many requests of this tenant are open. Wait for one of them to end.";
        Self::new(&TOO_MANY_OPEN, detail).after(1)
    }

    /// The self-test fails; the log says why.
    pub(crate) fn not_ready(code: &'static str) -> Self {
        let detail = "The self-test of this service fails; its log says why.";
        let mut problem = Self::new(&UNAVAILABLE, detail).after(OPERATOR_S);
        problem.code = code;
        problem.title = "Not ready";
        problem
    }

    /// The one map from [`Fault`] to HTTP, with words for the caller.
    pub(crate) fn fault(fault: Fault, detail: impl Into<Cow<'static, str>>) -> Self {
        match fault {
            Fault::Caller => Self::new(&UNPROCESSABLE, detail).at("/file"),
            Fault::Operator => Self::new(&UNAVAILABLE, detail).after(OPERATOR_S),
            Fault::Busy => Self::new(&BUSY, detail).after(1),
            Fault::Bug => Self::new(&INTERNAL, detail),
        }
    }

    /// What came in cannot be kept.
    pub(crate) fn disk_full() -> Self {
        let detail =
            "The disk of this service has no room left. Nothing was kept; send it again later.";
        Self::new(&DISK_FULL, detail).after(OPERATOR_S)
    }

    /// The store cannot answer; its own words go to the log.
    pub(crate) fn store(error: StoreError) -> Self {
        let fault = error.fault();
        if fault == Fault::Busy {
            return Self::busy();
        }
        tracing::error!(%error, code = error.code(), "the store cannot answer");
        if matches!(error, StoreError::Full) {
            return Self::disk_full();
        }
        Self::fault(
            fault,
            "The service cannot reach what it keeps. Try again later.",
        )
    }

    /// All room is taken; nothing was read or started.
    pub(crate) fn busy() -> Self {
        Self::fault(Fault::Busy, "All places are taken. Try again in a moment.")
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// What is wrong and what to do.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
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
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 6750, section 3.1: a client whose token is refused asks its issuer for another.
            let challenge = match self.code == INVALID_TOKEN.1 {
                true => "Bearer error=\"invalid_token\"",
                false => "Bearer",
            };
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static(challenge),
            );
        }
        response
    }
}

/// Seconds after which a fault that somebody has to mend may be gone.
const OPERATOR_S: u64 = 30;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parser_s_words_and_advice_for_the_command_line_are_not_passed_on() {
        let damaged = Problem::unsigned(&SignError::Library("a stranger's words".to_owned()));
        assert_eq!(
            (damaged.status().as_u16(), damaged.code()),
            (422, "unprocessable")
        );
        assert!(!damaged.detail().contains("stranger"));
        let refused = Problem::unsigned(&SignError::AlreadySigned);
        assert_eq!(
            (refused.status().as_u16(), refused.code()),
            (422, "already_signed")
        );
        assert!(!refused.detail().contains("use the profile"));
    }
}
