//! Whether an examiner can do its work, found out by doing it: the answer behind `readyz` and `doctor`.

use detector::DetectorError;
use media::{Fault, Limits, Media, MediaError, Name};
use provenance::{Content, Judge, Signature, Timestamp};

use crate::examiner::DetectorSlot;

/// Why an examiner cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// There is no model.
    #[error("no model is installed, so no pixels are examined; install a model and its card")]
    NoModel,
    /// There is no ONNX Runtime.
    #[error(
        "ONNX Runtime is not installed, so no pixels are examined; run the set-up of the README"
    )]
    NoRuntime,
    /// A model does not answer.
    #[error(transparent)]
    Detector(#[from] DetectorError),
    /// The built-in picture does not pass our own limits.
    #[error(
        "the built-in test picture cannot be opened: {0}; the limits are too small for any picture"
    )]
    Limits(#[from] MediaError),
    /// The validation of the built-in picture came out wrong.
    #[error(
        "the validation of the built-in {which} picture gave content {content:?} and signature {signature:?}"
    )]
    Validation {
        /// `signed` or `altered`.
        which: &'static str,
        /// What was found.
        content: Content,
        /// What was found.
        signature: Signature,
    },
}

impl CheckError {
    /// Who must act.
    pub fn fault(&self) -> Fault {
        match self {
            Self::NoModel | Self::NoRuntime | Self::Limits(_) => Fault::Operator,
            Self::Detector(error) => error.fault(),
            Self::Validation { .. } => Fault::Bug,
        }
    }

    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoModel => "no_model",
            Self::NoRuntime => "no_runtime",
            Self::Detector(error) => error.code(),
            Self::Limits(_) => "limits",
            Self::Validation { .. } => "validation",
        }
    }
}

/// One real inference per model.
pub(crate) fn check_detector(detector: &DetectorSlot) -> Result<(), CheckError> {
    match detector {
        DetectorSlot::Ready(detector) => Ok(detector.warm_up()?),
        DetectorSlot::NoModel => Err(CheckError::NoModel),
        DetectorSlot::NoRuntime => Err(CheckError::NoRuntime),
    }
}

/// One real validation of a signed picture, and one of the same picture with one pixel byte flipped: a
/// validator that passes everything is as broken as one that passes nothing.
pub(crate) fn check_judge(judge: &Judge, limits: &Limits) -> Result<(), CheckError> {
    let (content, signature) = validate(judge, SIGNED.to_vec(), limits)?;
    if content != Content::Intact || signature != Signature::Ok {
        return Err(CheckError::Validation {
            which: "signed",
            content,
            signature,
        });
    }
    let (content, signature) = validate(judge, altered(), limits)?;
    match content {
        Content::Altered(_) => Ok(()),
        Content::Intact | Content::Unbound | Content::Unknown => Err(CheckError::Validation {
            which: "altered",
            content,
            signature,
        }),
    }
}

fn validate(
    judge: &Judge,
    bytes: Vec<u8>,
    limits: &Limits,
) -> Result<(Content, Signature), MediaError> {
    let media = Media::from_bytes(Name::from_text("readiness.jpg"), None, bytes, limits)?;
    let found = judge.judge(&media, None, SIGNED_AT);
    Ok((found.content, found.signature))
}

/// The picture with the third byte from its end flipped: the last entropy-coded byte before the end marker.
fn altered() -> Vec<u8> {
    let mut bytes = SIGNED.to_vec();
    if let Some(byte) = bytes.iter_mut().rev().nth(2) {
        *byte ^= 1;
    }
    bytes
}

/// A 16 by 16 picture, signed by a development chain that nobody trusts and whose keys are gone; made by
/// `verdict/examples/readiness.rs`.
const SIGNED: &[u8] = include_bytes!("readiness.jpg");

/// A moment inside the validity of its certificate. Fixed, so that readiness never expires.
const SIGNED_AT: Timestamp = Timestamp(READINESS_TIME);
const READINESS_TIME: i64 = 1_795_564_800;

#[cfg(test)]
mod tests {
    use super::{CheckError, SIGNED, altered, check_judge, validate};
    use media::Limits;
    use provenance::{Content, Judge, Signature, TrustStore};

    #[test]
    fn the_picture_is_sound_and_its_twin_is_not() {
        let judge = Judge::new(TrustStore::empty()).unwrap();
        let limits = Limits::default();
        let sound = validate(&judge, SIGNED.to_vec(), &limits).unwrap();
        assert_eq!(sound, (Content::Intact, Signature::Ok));
        let (content, _) = validate(&judge, altered(), &limits).unwrap();
        assert!(matches!(content, Content::Altered(_)), "{content:?}");
        check_judge(&judge, &limits).unwrap();
    }

    #[test]
    fn too_small_limits_are_said_to_be_so() {
        let judge = Judge::new(TrustStore::empty()).unwrap();
        let limits = Limits {
            max_bytes: 10,
            ..Limits::default()
        };
        assert!(matches!(
            check_judge(&judge, &limits),
            Err(CheckError::Limits(_))
        ));
    }
}
