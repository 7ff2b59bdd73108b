//! Time-stamping authorities over HTTP (RFC 3161, section 3.4), asked in the order in which they are named.

use std::time::Duration;

use provenance::{SignError, StampRequest, TimeStamper};

use crate::{
    exit::Failure,
    http::{Plain, Service},
};

/// The authorities.
pub(super) struct Authorities(Vec<Service>);

impl Authorities {
    pub(super) fn new(urls: &[String], timeout: Duration) -> Result<Self, Failure> {
        let kind = "application/timestamp-query";
        let service =
            |url: &String| Service::new(url, "--timestamp", Plain::Everywhere, kind, timeout);
        urls.iter()
            .map(service)
            .collect::<Result<Vec<_>, _>>()
            .map(Self)
    }
}

impl TimeStamper for Authorities {
    fn stamp(&self, request: &StampRequest<'_>) -> Result<Vec<u8>, SignError> {
        let question = request.der();
        let mut refusals = Vec::new();
        for service in &self.0 {
            let answer = service
                .post(&question, MAX_ANSWER_BYTES)
                .and_then(|answer| {
                    let checked = request.check(&answer);
                    checked.map(|_| answer).map_err(|error| {
                        if let SignError::TimeStamp(why) = &error {
                            return why.clone();
                        }
                        error.to_string()
                    })
                });
            match answer {
                Ok(answer) => return Ok(answer),
                Err(why) => refusals.push(format!("{}: {why}", service.host())),
            }
        }
        Err(SignError::TimeStamp(refusals.join(", then ")))
    }
}

/// Real answers are 1.5 to 8 KB.
const MAX_ANSWER_BYTES: u64 = 65_536;
