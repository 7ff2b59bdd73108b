//! Runs both rooms on one medium and joins what they found into a [`Report`].
//!
//! One hostile file never ends a scan: a panic in a room becomes a report with the error code `internal`. A
//! detector that fails leaves the provenance standing. The clock is only read to time the stages.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use detector::{Detector, Skipped};
use media::{Digest, Limits, Media, MediaError, Name};
use provenance::{Judge, Provenance, Timestamp};

use crate::{
    convert, decide,
    disclosure::{self, disclose},
    evidence::{Evidence, Subject},
    look::{
        Look, Panicked, Times, given_up, guarded, heat_map, internal, is_error, problem_of, timed,
    },
    policy::Policy,
    readiness::{self, CheckError},
    report::{self, DetectionReason, DetectionStatus, Engine, Problem, Report, SCHEMA, Timing},
};

/// The detector, or why there is none.
pub enum DetectorSlot {
    /// Loaded and ready.
    Ready(Detector),
    /// No model is installed.
    NoModel,
    /// ONNX Runtime is not installed.
    NoRuntime,
}

/// Which rooms are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scope {
    /// What the file says and what its pixels show.
    #[default]
    Both,
    /// Only what the file says.
    Provenance,
    /// Only what its pixels show.
    Detection,
}

/// How one medium is examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options<'a> {
    /// Which rooms are asked.
    pub scope: Scope,
    /// A manifest store that was given beside the file.
    pub sidecar: Option<&'a [u8]>,
    /// The moment for which credentials are judged.
    pub now: Timestamp,
    /// What reading and hashing took, for `timing_ms.read`; `None` when nobody measured it.
    pub read: Option<Duration>,
}

impl Options<'_> {
    /// Both rooms, no sidecar, reading not measured.
    pub fn at(now: Timestamp) -> Self {
        Self {
            scope: Scope::Both,
            sidecar: None,
            now,
            read: None,
        }
    }
}

/// A file whose examination was given up.
#[derive(Debug, Clone, Copy)]
pub struct GivenUp<'a> {
    /// As given.
    pub name: &'a Name,
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// How many there are.
    pub bytes: u64,
}

/// Why an examination was given up. None of these says anything about the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GiveUp {
    /// It took too long.
    Timeout,
    /// The bytes are no longer there.
    Lost,
    /// It broke off each time it was begun.
    Failed,
}

/// Examines media. One per process, shared by all threads.
pub struct Examiner {
    judge: Judge,
    detector: Arc<DetectorSlot>,
    policy: Policy,
    limits: Limits,
    engine: Engine,
}

impl Examiner {
    /// Joins the rooms.
    pub fn new(judge: Judge, detector: DetectorSlot, policy: Policy, limits: Limits) -> Self {
        Self::joined(judge, Arc::new(detector), policy, limits)
    }

    /// An examiner with the same detector and limits that judges by other lists and another policy.
    ///
    /// Both may be in use at the same time: what is being examined is finished by the rules it began under.
    pub fn with_rules(&self, judge: Judge, policy: Policy) -> Self {
        Self::joined(judge, Arc::clone(&self.detector), policy, self.limits)
    }

    fn joined(judge: Judge, detector: Arc<DetectorSlot>, policy: Policy, limits: Limits) -> Self {
        let engine = Engine {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            policy: policy.id(),
            models: model_names(&detector),
            trust_lists: judge
                .trust_lists()
                .iter()
                .map(convert::trust_list)
                .collect(),
        };
        Self {
            judge,
            detector,
            policy,
            limits,
            engine,
        }
    }

    /// Examines one medium. Blocks; call it from as many threads as there are cores.
    ///
    /// Never fails: what could not be examined is in the report.
    pub fn examine(&self, media: &Media, options: &Options<'_>) -> Report {
        let started = Instant::now();
        let (said, provenance_time) = self.ask_provenance(media, options);
        let Ok(provenance) = said else {
            let mut report = self.not_examined(convert::media(media), internal(), options.now);
            report.timing_ms = timing(options.read, started, provenance_time, Times::default());
            return report;
        };
        let look = self.look(media, options.scope);
        let times = look.times;
        let mut report = self.conclude(media, provenance, look);
        report.timing_ms = timing(options.read, started, provenance_time, times);
        report
    }

    /// A drawing of where the pixels of `media` speak for synthesis, as a PNG file of at most a few megabytes.
    ///
    /// Decodes and infers again, about half the cost of an examination. `None` when nothing was seen to draw: no
    /// detector, no model with a map, no window with texture, or pixels that cannot be examined.
    pub fn heat_map(&self, media: &Media) -> Option<Vec<u8>> {
        match self.detector.as_ref() {
            DetectorSlot::Ready(detector) => heat_map(media, detector, &self.limits),
            DetectorSlot::NoModel | DetectorSlot::NoRuntime => None,
        }
    }

    /// The report on a file that could not be opened.
    pub fn refuse(&self, name: &Name, error: &MediaError, now: Timestamp) -> Report {
        let problem = problem_of(error);
        let mut report = self.not_examined(convert::unread_media(name, error), problem, now);
        report.detection.reason = Some(refusal_reason(error));
        report
    }

    /// The report on a file whose examination was given up: nothing was found out about it.
    pub fn give_up(&self, file: &GivenUp<'_>, reason: GiveUp, now: Timestamp) -> Report {
        let media = convert::unexamined_media(file.name, file.digest, file.bytes);
        let mut report = self.not_examined(media, given_up(reason), now);
        report.detection.reason = Some(match reason {
            GiveUp::Timeout => DetectionReason::Timeout,
            GiveUp::Lost => DetectionReason::Unreadable,
            GiveUp::Failed => DetectionReason::Internal,
        });
        report
    }

    /// Whether this examiner can do its work: one real inference per model and one real validation of a
    /// small signed picture, intact and altered.
    ///
    /// # Errors
    ///
    /// [`CheckError`], which says what is missing.
    pub fn check(&self) -> Result<(), CheckError> {
        readiness::check_judge(&self.judge, &self.limits)?;
        readiness::check_detector(&self.detector)
    }

    /// What one file may cost.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The judge of what files say.
    pub fn judge(&self) -> &Judge {
        &self.judge
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What produces the reports.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    fn ask_provenance(
        &self,
        media: &Media,
        options: &Options<'_>,
    ) -> (Result<Provenance, Panicked>, Option<Duration>) {
        match options.scope {
            Scope::Detection => (Ok(Provenance::not_checked(options.now)), None),
            Scope::Both | Scope::Provenance => {
                let (said, took) = timed(|| {
                    guarded("provenance", media, || {
                        self.judge.judge(media, options.sidecar, options.now)
                    })
                });
                (said, Some(took))
            }
        }
    }

    fn look(&self, media: &Media, scope: Scope) -> Look {
        match (scope, &*self.detector) {
            (Scope::Provenance, _) => Look::skipped(Skipped::NotRequested),
            (Scope::Both | Scope::Detection, DetectorSlot::NoModel) => {
                Look::skipped(Skipped::NoModel)
            }
            (Scope::Both | Scope::Detection, DetectorSlot::NoRuntime) => {
                Look::skipped(Skipped::NoRuntime)
            }
            (Scope::Both | Scope::Detection, DetectorSlot::Ready(detector)) => {
                Look::at(media, detector, &self.limits)
            }
        }
    }

    fn conclude(&self, media: &Media, provenance: Provenance, look: Look) -> Report {
        let evidence = Evidence {
            subject: subject(media),
            provenance,
            detection: look.detection,
            watermarks: look.watermarks,
            known: Vec::new(),
        };
        let verdict = decide::decide(&evidence, &self.policy);
        let leaning = self.policy.lean(&evidence.detection);
        Report {
            schema: SCHEMA.to_owned(),
            media: convert::media(media),
            provenance: convert::provenance(&evidence.provenance),
            detection: convert::detection(&evidence.detection, &evidence.watermarks, leaning),
            known: evidence.known.iter().map(convert::known).collect(),
            disclosure: disclose(&evidence, verdict.code, &self.policy),
            timing_ms: Timing::default(),
            engine: self.engine.clone(),
            error: look
                .problem
                .filter(|_| is_error(verdict.code, &evidence.detection)),
            verdict,
        }
    }

    /// A report on a file about which nothing was found out.
    fn not_examined(&self, media: report::Media, problem: Problem, now: Timestamp) -> Report {
        Report {
            schema: SCHEMA.to_owned(),
            media,
            verdict: decide::not_analysed(&problem.message, &self.policy),
            provenance: convert::provenance(&Provenance::not_checked(now)),
            detection: convert::unread_detection(
                DetectionStatus::Failed,
                Some(DetectionReason::Internal),
            ),
            known: Vec::new(),
            disclosure: disclosure::unknown(),
            timing_ms: Timing::default(),
            engine: self.engine.clone(),
            error: Some(problem),
        }
    }
}

fn refusal_reason(error: &MediaError) -> DetectionReason {
    match error {
        MediaError::LimitExceeded { .. } => DetectionReason::LimitExceeded,
        MediaError::UnsupportedKind { .. } | MediaError::UnsupportedFlavour { .. } => {
            DetectionReason::UnsupportedKind
        }
        MediaError::Damaged { .. } => DetectionReason::Damaged,
        MediaError::Io(_) | MediaError::NotAFile => DetectionReason::Unreadable,
    }
}

fn subject(media: &Media) -> Subject {
    Subject {
        kind: media.kind,
        declared_kind: media.declared_kind,
        frames: media.header.frames,
        trailing_bytes: media.header.trailing_bytes,
    }
}

fn model_names(detector: &DetectorSlot) -> Vec<String> {
    match detector {
        DetectorSlot::Ready(detector) => detector
            .models()
            .iter()
            .map(|card| format!("{}@{}", card.name, card.version))
            .collect(),
        DetectorSlot::NoModel | DetectorSlot::NoRuntime => Vec::new(),
    }
}

fn timing(
    read: Option<Duration>,
    started: Instant,
    provenance: Option<Duration>,
    look: Times,
) -> Timing {
    Timing {
        read: read.map(milliseconds),
        provenance: provenance.map(milliseconds),
        decode: look.decode.map(milliseconds),
        inference: look.inference.map(milliseconds),
        total: milliseconds(started.elapsed() + read.unwrap_or_default()),
    }
}

/// Milliseconds to the microsecond.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
