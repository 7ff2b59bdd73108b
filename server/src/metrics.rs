//! What is counted, as Prometheus reads it. Every label has a closed set of values (routes, statuses,
//! verdict words, stages, outcomes): nothing that a stranger writes becomes a label, and no tenant is one.
//!
//! It counts what it is told and asks nobody; what has to be asked for at the moment of reading, such as the
//! length of the queue, comes in as [`Levels`].

use std::{
    fmt::Write as _,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};
use verdict::Report;

use crate::{
    auth::Caller,
    error::Problem,
    openapi::Refusals,
    state::ServerState,
    store::{Counts, Scope, TenantId},
};

/// The counters of one service.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    request_seconds: Seconds<RouteLabels>,
    stage_seconds: Seconds<StageLabels>,
    verdicts: Family<VerdictLabels, Counter>,
    llr: Histogram,
    webhooks: Family<OutcomeLabels, Counter>,
    levels: Family<LevelLabels, Gauge<u64, AtomicU64>>,
    blob_bytes: Gauge<u64, AtomicU64>,
    free_bytes: Gauge<u64, AtomicU64>,
    resident_bytes: Gauge<u64, AtomicU64>,
    open_files: Gauge<u64, AtomicU64>,
}

/// What is measured at the moment of reading; `None` where it cannot be.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Levels {
    /// What the store has.
    pub(crate) counts: Option<Counts>,
    /// Bytes left for the data folder.
    pub(crate) free_bytes: Option<u64>,
}

/// The figures of the whole service, as Prometheus reads them.
///
/// They are nobody's in particular, so any key with the scope `admin` opens them; without tenants, whoever is on
/// this machine.
#[utoipa::path(
    get,
    path = "/metrics",
    operation_id = "getMetrics",
    tag = "service",
    responses(
        (status = 200, description = "OpenMetrics 1.0 text", body = String,
            content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        Refusals,
    ),
    security(("key" = ["admin"])),
)]
pub(crate) async fn show(
    State(state): State<Arc<ServerState>>,
    caller: Caller,
) -> Result<Response, Problem> {
    if caller.tenant != TenantId::LOCAL {
        caller.may(Scope::Admin)?;
    }
    let levels = Levels {
        // A store that cannot count must not hide the other figures: they may say why.
        counts: state.store.counts().await.ok(),
        free_bytes: state.disk.free_bytes(),
    };
    let kind = [(header::CONTENT_TYPE, OPENMETRICS)];
    Ok((kind, state.metrics.text(&levels)).into_response())
}

type Seconds<L> = Family<L, Histogram, fn() -> Histogram>;

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StageLabels {
    stage: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct VerdictLabels {
    verdict: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct LevelLabels {
    what: &'static str,
}

impl Metrics {
    /// All at zero.
    pub(crate) fn new() -> Self {
        let metrics = Self {
            registry: Registry::with_prefix("bonafide"),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(seconds),
            stage_seconds: Family::new_with_constructor(seconds),
            verdicts: Family::default(),
            llr: Histogram::new(LLR_BUCKETS),
            webhooks: Family::default(),
            levels: Family::default(),
            blob_bytes: Gauge::default(),
            free_bytes: Gauge::default(),
            resident_bytes: Gauge::default(),
            open_files: Gauge::default(),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Self {
        let to = &mut self.registry;
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        to.register("build", "The version that runs", version);
        let what = "Requests answered, by route and status";
        to.register("http_requests", what, self.requests.clone());
        let what = "Seconds from the head of a request to the head of its answer";
        to.register("http_request_seconds", what, self.request_seconds.clone());
        let what = "Seconds per stage, as in the report's timing_ms, and from the accepted upload to its verdict";
        to.register("stage_seconds", what, self.stage_seconds.clone());
        to.register("verdicts", "Verdicts given", self.verdicts.clone());
        let what =
            "Calibrated log-likelihood ratio of the pixels, in nats; above 0 speaks for synthetic";
        to.register("llr", what, self.llr.clone());
        let what = "Attempts to deliver a webhook, by outcome";
        to.register("webhook_attempts", what, self.webhooks.clone());
        let what = "Jobs waiting and running, webhooks waiting, and dead letters of both";
        to.register("backlog", what, self.levels.clone());
        let what = "Bytes of uploads kept";
        to.register("blob_bytes", what, self.blob_bytes.clone());
        let what = "Bytes left for the data folder";
        to.register("data_free_bytes", what, self.free_bytes.clone());
        let what = "Memory of this process that is resident";
        to.register("resident_memory_bytes", what, self.resident_bytes.clone());
        let what = "Files and sockets this process has open";
        to.register("open_files", what, self.open_files.clone());
        self
    }

    /// A request was answered. `route` is the pattern of the router, never an address, and `method` one of
    /// [`method_word`]'s.
    pub(crate) fn answered(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        self.requests
            .get_or_create(&RequestLabels {
                method,
                route: route.to_owned(),
                status,
            })
            .inc();
        let route = route.to_owned();
        self.request_seconds
            .get_or_create(&RouteLabels { route })
            .observe(took.as_secs_f64());
    }

    /// An upload got its verdict, `age` after it was accepted.
    pub(crate) fn examined(&self, report: &Report, age: Duration) {
        let timing = &report.timing_ms;
        let stages = [
            ("read", timing.read),
            ("provenance", timing.provenance),
            ("decode", timing.decode),
            ("inference", timing.inference),
            ("total", Some(timing.total)),
            ("from_upload_to_verdict", Some(age.as_secs_f64() * 1_000.0)),
        ];
        for (stage, milliseconds) in stages {
            if let Some(milliseconds) = milliseconds {
                self.stage_seconds
                    .get_or_create(&StageLabels { stage })
                    .observe(milliseconds / 1_000.0);
            }
        }
        let verdict = report.verdict.code.as_str();
        self.verdicts
            .get_or_create(&VerdictLabels { verdict })
            .inc();
        if let Some(llr) = report.detection.llr {
            self.llr.observe(llr);
        }
    }

    /// A webhook was tried, with this outcome.
    pub(crate) fn webhook(&self, outcome: &'static str) {
        self.webhooks
            .get_or_create(&OutcomeLabels { outcome })
            .inc();
    }

    /// Everything as text, in the format of OpenMetrics 1.0.
    pub(crate) fn text(&self, levels: &Levels) -> String {
        self.set(levels);
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            // Writing to a string cannot fail; what was written before an error is not a whole text.
            text.clear();
            let _ = writeln!(text, "# EOF");
        }
        text
    }

    fn set(&self, levels: &Levels) {
        if let Some(counts) = levels.counts {
            for (what, value) in [
                ("jobs_waiting", counts.jobs.saturating_sub(counts.leased)),
                ("jobs_running", counts.leased),
                ("jobs_dead", counts.dead_letters),
                ("webhooks_waiting", counts.deliveries),
                ("webhooks_dead", counts.dead_deliveries),
            ] {
                self.levels.get_or_create(&LevelLabels { what }).set(value);
            }
            self.blob_bytes.set(counts.blob_bytes);
        }
        if let Some(bytes) = levels.free_bytes {
            self.free_bytes.set(bytes);
        }
        if let Some(bytes) = resident_bytes() {
            self.resident_bytes.set(bytes);
        }
        if let Some(files) = open_files() {
            self.open_files.set(files);
        }
    }
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS_BUCKETS)
}

/// Memory of this process, where the kernel tells it.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1_024)
}

fn open_files() -> Option<u64> {
    let entries = std::fs::read_dir("/proc/self/fd").ok()?;
    u64::try_from(entries.count()).ok()
}

/// The format of the figures.
const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What a label and the log say of a method; any token, and a very long one, may be sent as one.
pub(crate) fn method_word(method: &str) -> &'static str {
    let known = METHODS.into_iter().find(|known| *known == method);
    known.unwrap_or("other")
}

const METHODS: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];

/// From a cache hit to the longest wait, a factor of about two and a half apart.
const SECONDS_BUCKETS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0,
];

/// Whole nats about zero, where decisions are made, and coarser beyond: enough to see scores drift.
const LLR_BUCKETS: [f64; 15] = [
    -10.0, -7.0, -5.0, -4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0,
];

#[cfg(test)]
mod tests {
    use super::*;
    use media::{Limits, Media, Name};
    use provenance::{Judge, Timestamp, TrustStore};
    use verdict::{DetectorSlot, Examiner, Options, Policy};

    fn report() -> Report {
        let (policy, limits) = (Policy::default(), Limits::default());
        let judge = Judge::new(TrustStore::empty()).unwrap();
        let examiner = Examiner::new(judge, DetectorSlot::NoModel, policy, limits);
        let bytes = b"no picture".to_vec();
        let media = Media::from_bytes(Name::from_text("a"), None, bytes, &limits).unwrap();
        examiner.examine(&media, &Options::at(Timestamp(1_795_564_800)))
    }

    #[track_caller]
    fn assert_has(text: &str, line: &str) {
        assert!(
            text.lines().any(|found| found == line),
            "no {line} in\n{text}"
        );
    }

    #[test]
    fn what_happened_is_in_the_text() {
        let metrics = Metrics::new();
        let mut report = report();
        report.detection.llr = Some(2.5);
        metrics.examined(&report, Duration::from_millis(40));
        metrics.answered("GET", "/readyz", 200, Duration::from_millis(3));
        metrics.answered("GET", "/readyz", 200, Duration::from_millis(30));
        metrics.webhook("delivered");
        let counts = Counts {
            jobs: 5,
            leased: 2,
            ..Counts::default()
        };
        let text = metrics.text(&Levels {
            counts: Some(counts),
            free_bytes: Some(7),
        });
        let word = report.verdict.code.as_str();
        assert_has(
            &text,
            &format!("bonafide_verdicts_total{{verdict=\"{word}\"}} 1"),
        );
        assert_has(
            &text,
            "bonafide_stage_seconds_bucket{le=\"0.05\",stage=\"from_upload_to_verdict\"} 1",
        );
        assert_has(
            &text,
            "bonafide_stage_seconds_bucket{le=\"0.025\",stage=\"from_upload_to_verdict\"} 0",
        );
        assert_has(&text, "bonafide_llr_bucket{le=\"2.0\"} 0");
        assert_has(&text, "bonafide_llr_bucket{le=\"3.0\"} 1");
        assert_has(
            &text,
            "bonafide_http_requests_total{method=\"GET\",route=\"/readyz\",status=\"200\"} 2",
        );
        assert_has(
            &text,
            "bonafide_http_request_seconds_count{route=\"/readyz\"} 2",
        );
        assert_has(
            &text,
            "bonafide_webhook_attempts_total{outcome=\"delivered\"} 1",
        );
        assert_has(&text, "bonafide_backlog{what=\"jobs_waiting\"} 3");
        assert_has(&text, "bonafide_backlog{what=\"jobs_running\"} 2");
        assert_has(&text, "bonafide_data_free_bytes 7");
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn a_stranger_s_method_is_no_label() {
        let metrics = Metrics::new();
        metrics.answered("XYZZY\"}", "none", 405, Duration::ZERO);
        let text = metrics.text(&Levels::default());
        assert!(!text.contains("XYZZY"));
        assert_has(
            &text,
            "bonafide_http_requests_total{method=\"other\",route=\"none\",status=\"405\"} 1",
        );
    }
}
