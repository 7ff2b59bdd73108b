//! What a request may say beside the file to be signed: four short texts and one yes. Unknown ones are refused, so that
//! a misspelt `no_train` does not forbid nothing in silence.

use axum::{extract::Query, http::Uri};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    error::Problem,
    fields::{MAX_TEXT_BYTES, too_long},
};

/// What stands beside the file.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Parameters {
    /// What the sender calls the file; its title, where nothing else gives one.
    #[param(max_length = 255)]
    pub(crate) name: Option<String>,
    /// One of the profiles that the operator allows this tenant; default the first of them.
    #[param(max_length = 255)]
    pub(crate) profile: Option<String>,
    /// Title that the credential gives the file; else the profile's, else the name.
    #[param(max_length = 255)]
    pub(crate) title: Option<String>,
    /// Author that the credential names; else the profile's.
    #[param(max_length = 255)]
    pub(crate) author: Option<String>,
    /// Whether to state that training and data mining are not allowed. The profile may state it anyway.
    #[serde(default)]
    #[param(required = false)]
    pub(crate) no_train: bool,
}

/// Reads the parameters of an address.
pub(crate) fn read(uri: &Uri) -> Result<Parameters, Problem> {
    let Query(said) = Query::<Parameters>::try_from_uri(uri).map_err(|_| {
        Problem::parameter(
            "/",
            "The address takes the parameters name, profile, title, author and no_train (true or false), once each.",
        )
    })?;
    for (pointer, text) in [
        ("/name", &said.name),
        ("/profile", &said.profile),
        ("/title", &said.title),
        ("/author", &said.author),
    ] {
        if text
            .as_ref()
            .is_some_and(|text| text.len() > MAX_TEXT_BYTES)
        {
            return Err(too_long(pointer, MAX_TEXT_BYTES));
        }
    }
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[track_caller]
    fn check(query: &str, expected: Result<(), &str>) {
        let uri = format!("/v1/signatures?{query}").parse().unwrap();
        let found = read(&uri).map(drop).map_err(|problem| problem.code());
        assert_eq!(found, expected, "{query}");
    }

    #[test]
    fn what_is_known_is_taken_once_and_nothing_else() {
        let bad = Err("bad_parameter");
        check("", Ok(()));
        check(
            "name=a.jpg&profile=ai&title=T&author=A&no_train=true",
            Ok(()),
        );
        check("no_train=yes", bad);
        check("no_trian=true", bad);
        check("title=a&title=b", bad);
        check("digital_source_type=digitalCapture", bad);
        check("capture=true", bad);
        check(&format!("title={}", "x".repeat(255)), Ok(()));
        check(&format!("author={}", "x".repeat(256)), bad);
    }
}
