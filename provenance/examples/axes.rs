//! Prints the axes of each file given, one line each: for looking at a folder while working on the judge.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool for developers"
)]

use media::{Limits, Media};
use provenance::{Judge, Timestamp, TrustStore};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let now = Timestamp::parse_rfc3339(&arguments.next().unwrap()).unwrap();
    let judge = Judge::new(TrustStore::bundled().unwrap()).unwrap();
    for path in arguments {
        let media = Media::open(path.as_ref(), &Limits::default()).unwrap();
        let p = judge.judge(&media, None, now);
        println!(
            "{}\t{:?}\t{:?}\tcontent={:?}\tsig={:?}\ttime={:?}\tsigner={:?}/{}\thistory={:?}\tai={:?}/{:?}/{}\tid={:?}\tuncovered={:?}\torigin={:?}\tfail={:?}",
            path.rsplit('/').next().unwrap(),
            p.manifest,
            p.validation_state,
            p.content,
            p.signature,
            p.time,
            p.signer.status,
            p.signer.organisation.as_deref().unwrap_or("-"),
            p.history,
            p.ai.status,
            p.ai.place,
            p.ai.generator.as_deref().unwrap_or("-"),
            p.identity,
            p.uncovered,
            p.origin(),
            p.codes
                .failure
                .iter()
                .map(|c| c.0.as_str())
                .collect::<Vec<_>>()
        );
    }
}
