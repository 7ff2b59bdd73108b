//! Looks at the pixels: decodes, asks the detector, and says what went wrong where something did.
//!
//! A panic in a library costs one file, not the scan.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use detector::{Detection, Detector, Failure, Inapplicable, Skipped, Watermark, watermarks};
use media::{Limits, Media, MediaError};

use crate::{
    examiner::GiveUp,
    report::{Code, Problem},
};

/// What looking at the pixels gave.
pub(crate) struct Look {
    pub(crate) detection: Detection,
    pub(crate) watermarks: Vec<Watermark>,
    /// Why there is no reading; whether the report shows it depends on the verdict.
    pub(crate) problem: Option<Problem>,
    pub(crate) times: Times,
}

/// What the stages took; `None` for those that did not run.
#[derive(Clone, Copy, Default)]
pub(crate) struct Times {
    pub(crate) decode: Option<Duration>,
    pub(crate) inference: Option<Duration>,
}

impl Look {
    /// Decodes `media` and asks the models.
    pub(crate) fn at(media: &Media, detector: &Detector, limits: &Limits) -> Self {
        let (decoded, decode) = timed(|| guarded("decode", media, || media.decode(limits)));
        let mut times = Times {
            decode: Some(decode),
            inference: None,
        };
        let picture = match decoded {
            Ok(Ok(picture)) => picture,
            Ok(Err(error)) => return Self::undecoded(&error, times),
            Err(Panicked) => return Self::panicked(times),
        };
        let ask = || (detector.detect(&picture), watermarks(&picture));
        let (detected, inference) = timed(|| guarded("detector", media, ask));
        times.inference = Some(inference);
        match detected {
            Ok((detection, watermarks)) => Self {
                problem: problem_in(&detection),
                detection,
                watermarks,
                times,
            },
            Err(Panicked) => Self::panicked(times),
        }
    }

    /// Nobody looked.
    pub(crate) fn skipped(skipped: Skipped) -> Self {
        let detection = Detection::NotRun(skipped);
        Self {
            problem: problem_in(&detection),
            detection,
            watermarks: Vec::new(),
            times: Times::default(),
        }
    }

    fn undecoded(error: &MediaError, times: Times) -> Self {
        let detection = match error {
            MediaError::UnsupportedKind { .. } | MediaError::UnsupportedFlavour { .. } => {
                Detection::NotApplicable(Inapplicable::UnsupportedKind)
            }
            MediaError::LimitExceeded { .. } => Detection::Failed(Failure::LimitExceeded),
            MediaError::Damaged { .. } | MediaError::Io(_) | MediaError::NotAFile => {
                Detection::Failed(Failure::Damaged)
            }
        };
        Self {
            detection,
            watermarks: Vec::new(),
            problem: Some(problem_of(error)),
            times,
        }
    }

    fn panicked(times: Times) -> Self {
        Self {
            detection: Detection::Failed(Failure::Inference),
            watermarks: Vec::new(),
            problem: Some(internal()),
            times,
        }
    }
}

/// A drawing of where the first model with a map sees something; `None` when there is nothing to draw. What went wrong
/// on our side is logged.
pub(crate) fn heat_map(media: &Media, detector: &Detector, limits: &Limits) -> Option<Vec<u8>> {
    let draw = || {
        let picture = media.decode(limits).ok()?;
        let map = detector.heat_map(&picture).transpose()?;
        Some(map.and_then(|map| map.png(&picture)))
    };
    match guarded("detector", media, draw) {
        Ok(Some(Ok(png))) => Some(png),
        Ok(Some(Err(error))) => {
            tracing::error!(%error, code = error.code(), media.digest = %media.digest, "a heat map was not drawn");
            None
        }
        Ok(None) | Err(Panicked) => None,
    }
}

/// Whether the report carries an error: when nothing could be concluded, and when pixels that should have
/// been examinable were not. A kind without pixels is no error where the file itself decides.
pub(crate) fn is_error(code: Code, detection: &Detection) -> bool {
    match detection {
        Detection::Failed(_) => true,
        Detection::NotApplicable(_) | Detection::NotRun(_) => code == Code::NotAnalysed,
        Detection::Scored(_) => false,
    }
}

/// Our own failures and missing parts in the caller's words; details are for the log.
fn problem_in(detection: &Detection) -> Option<Problem> {
    let (code, message) = match detection {
        Detection::Scored(_)
        | Detection::NotApplicable(Inapplicable::Domain(_))
        | Detection::NotRun(Skipped::NotRequested) => return None,
        Detection::NotApplicable(Inapplicable::UnsupportedKind) => (
            "unsupported_kind",
            "pixels of this kind of file are not decoded by this build",
        ),
        Detection::Failed(Failure::Damaged) => ("damaged", "the picture is damaged"),
        Detection::Failed(Failure::LimitExceeded) => ("limit_exceeded", "a limit was reached"),
        Detection::Failed(Failure::Inference) => (
            "inference_failed",
            "the models failed on our side; try again later",
        ),
        Detection::Failed(Failure::NotFinite) => (
            "not_finite",
            "a model gave no usable number for this picture",
        ),
        Detection::NotRun(Skipped::NoModel) => ("no_model", "no model is installed"),
        Detection::NotRun(Skipped::NoRuntime) => ("no_runtime", "ONNX Runtime is not installed"),
    };
    Some(Problem {
        code: code.to_owned(),
        message: message.to_owned(),
    })
}

/// An error of `media` in the report's words.
pub(crate) fn problem_of(error: &MediaError) -> Problem {
    Problem {
        code: error.code(),
        message: error.to_string(),
    }
}

/// A failure of ours.
pub(crate) fn internal() -> Problem {
    Problem {
        code: "internal".to_owned(),
        message: "the program failed on this file, which says nothing about the file".to_owned(),
    }
}

/// An examination that did not come to an end.
pub(crate) fn given_up(reason: GiveUp) -> Problem {
    let (code, message) = match reason {
        GiveUp::Timeout => ("timeout", "the examination took too long"),
        GiveUp::Lost => ("unreadable", "the bytes are no longer there"),
        GiveUp::Failed => return internal(),
    };
    Problem {
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

/// A room panicked; its words went to the panic hook.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Panicked;

/// Runs one room so that a bug in it, or in a library under it, costs one file and not the scan.
pub(crate) fn guarded<T>(
    room: &str,
    media: &Media,
    work: impl FnOnce() -> T,
) -> Result<T, Panicked> {
    let _span = tracing::info_span!("room", otel.name = room).entered();
    // Nothing that the room was changing is looked at afterwards, so no broken state is seen.
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| {
        tracing::error!(room, media.digest = %media.digest, "a room panicked on a file");
        Panicked
    })
}

/// What `work` gave and what it took.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let result = work();
    (result, started.elapsed())
}

#[cfg(test)]
mod tests {
    use super::{Panicked, guarded, is_error, problem_in};
    use crate::report::Code;
    use detector::{Detection, Failure, Inapplicable, Skipped};
    use media::{Limits, Media, Name};

    #[test]
    fn a_panic_in_a_room_is_caught() {
        let name = Name::from_text("a.jpg");
        let media = Media::from_bytes(name, None, Vec::new(), &Limits::default()).unwrap();
        assert_eq!(guarded("room", &media, || 7), Ok(7));
        let panicked = guarded("room", &media, || -> u8 {
            panic!("a test panics on purpose")
        });
        assert_eq!(panicked, Err(Panicked));
    }

    #[test]
    fn whatever_ends_not_analysed_carries_an_error() {
        let silent = [
            Detection::NotApplicable(Inapplicable::UnsupportedKind),
            Detection::Failed(Failure::Damaged),
            Detection::Failed(Failure::LimitExceeded),
            Detection::Failed(Failure::Inference),
            Detection::Failed(Failure::NotFinite),
            Detection::NotRun(Skipped::NoModel),
            Detection::NotRun(Skipped::NoRuntime),
        ];
        for detection in silent {
            assert!(problem_in(&detection).is_some() && is_error(Code::NotAnalysed, &detection));
        }
    }

    #[test]
    fn where_the_file_decides_only_a_failure_is_an_error() {
        let shown = |detection| is_error(Code::VerifiedOrigin, &detection);
        assert!(shown(Detection::Failed(Failure::Damaged)));
        assert!(!shown(Detection::NotApplicable(
            Inapplicable::UnsupportedKind
        )));
        assert!(!shown(Detection::NotRun(Skipped::NoModel)));
    }
}
