//! The parameters of a list, as they are sent and as the store wants them. Unknown ones are refused, so
//! that a misspelt filter is noticed.

use axum::{extract::Query, http::Uri};
use provenance::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;

use super::cursor;
use crate::{
    error::Problem,
    fields::{MAX_TEXT_BYTES, too_long},
    store::{AnalysisId, Filter},
};

/// What the address of a list may say.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParameters {
    /// `next` of the page before.
    #[param(min_length = 1)]
    cursor: Option<String>,
    /// Most analyses on a page.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<u32>,
    /// Only analyses with this verdict.
    #[param(schema_with = crate::openapi::verdict_code)]
    verdict: Option<String>,
    /// Only analyses that were accepted at this time or later, RFC 3339.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Only analyses with this name of the sender.
    #[param(max_length = 255)]
    external_id: Option<String>,
}

/// The same, understood.
pub(crate) struct Wanted {
    pub(crate) filter: Filter,
    pub(crate) before: Option<AnalysisId>,
    pub(crate) limit: u32,
}

/// Reads the parameters of a list.
pub(crate) fn list(uri: &Uri) -> Result<Wanted, Problem> {
    let Query(sent) = Query::<ListParameters>::try_from_uri(uri).map_err(|_| {
        Problem::parameter(
            "/",
            "The address takes the parameters cursor, limit (a number), verdict, since and external_id, once each.",
        )
    })?;
    let limit = sent.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        let detail = format!("A page has 1 to {MAX_LIMIT} analyses.");
        return Err(Problem::parameter("/limit", detail));
    }
    let external_id = sent.external_id.as_deref();
    if external_id.is_some_and(|text| text.len() > MAX_TEXT_BYTES) {
        return Err(too_long("/external_id", MAX_TEXT_BYTES));
    }
    Ok(Wanted {
        filter: Filter {
            verdict: verdict(sent.verdict.as_deref())?,
            since: since(sent.since.as_deref())?,
            external_id: sent.external_id,
        },
        before: before(sent.cursor.as_deref())?,
        limit,
    })
}

fn verdict(text: Option<&str>) -> Result<Option<verdict::Code>, Problem> {
    text.map(str::parse)
        .transpose()
        .map_err(|_| Problem::parameter("/verdict", "This is no verdict word of docs/API.md."))
}

fn since(text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text else { return Ok(None) };
    Timestamp::parse_rfc3339(text).map(Some).ok_or_else(|| {
        Problem::parameter(
            "/since",
            "Write the time like 2026-11-23T00:00:00Z (RFC 3339).",
        )
    })
}

fn before(text: Option<&str>) -> Result<Option<AnalysisId>, Problem> {
    let Some(text) = text else { return Ok(None) };
    cursor::read(text).map(Some).ok_or_else(|| {
        Problem::parameter(
            "/cursor",
            "This is no cursor. Send what the page before gave as next.",
        )
    })
}

/// Analyses on a page that nobody sized.
const DEFAULT_LIMIT: u32 = 20;

/// Analyses on the largest page; a report is some kilobytes.
const MAX_LIMIT: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    fn code(query: &str) -> Result<u32, &'static str> {
        let uri = format!("/v1/analyses?{query}").parse().unwrap();
        list(&uri)
            .map(|wanted| wanted.limit)
            .map_err(|problem| problem.code())
    }

    #[test]
    fn known_parameters_are_understood() {
        assert_eq!(code(""), Ok(20));
        assert_eq!(code("limit=100"), Ok(100));
        assert_eq!(
            code("verdict=likely_ai&since=2026-11-23T00:00:00Z&external_id=a"),
            Ok(20)
        );
        let cursor = cursor::write(AnalysisId::new());
        assert_eq!(code(&format!("cursor={cursor}&limit=1")), Ok(1));
    }

    #[test]
    fn what_is_not_understood_is_refused_and_never_passed_over() {
        for query in [
            "limit=0",
            "limit=101",
            "limit=-1",
            "limit=x",
            "limit=",
            "verdict=fake",
            "verdict=",
            "since=yesterday",
            "cursor=1",
            "cursor=",
            "verdikt=altered",
            "limit=1&limit=2",
            &format!("external_id={}", "x".repeat(256)),
        ] {
            assert_eq!(code(query), Err("bad_parameter"), "{query}");
        }
    }
}
