//! What a file claims about where it came from, and the proof without which a claim counts for nothing.

use crate::{
    codes::is_about_trust_or_time,
    finding::{AiStatus, Content, History, Provenance, Signature, SignerStatus, Time},
};

/// What the file claims about where it came from, with the proof where one is needed.
///
/// An admission costs its author, so it needs none; a claim of origin helps its author, so it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The whole is AI-made, by the file's own account.
    MadeWithAi,
    /// A part is AI-made, by the file's own account.
    EditedWithAi,
    /// A camera took it or a tool created it, by the file's own account.
    Claimed(Option<Proof>),
    /// Nothing is claimed.
    Unstated,
}

/// Evidence that a claim of origin may be believed: content intact, signature sound, signer vouched
/// for, time certain, history sound, nothing uncovered. Only [`Provenance::origin`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    signer: String,
    list: SignerStatus,
    capture: bool,
}

impl Proof {
    /// The vouched-for name to show: organisation, else common name.
    pub fn signer(&self) -> &str {
        &self.signer
    }

    /// Who vouches for it.
    pub fn list(&self) -> SignerStatus {
        self.list
    }

    /// Whether the claim is one of camera capture, not just of creation.
    pub fn is_capture(&self) -> bool {
        self.capture
    }
}

impl Provenance {
    /// The file's claim about where it came from.
    pub fn origin(&self) -> Origin {
        match self.ai.status {
            AiStatus::DeclaredFull => Origin::MadeWithAi,
            AiStatus::DeclaredPart => Origin::EditedWithAi,
            AiStatus::CaptureDeclared => Origin::Claimed(self.proof(true)),
            AiStatus::NoneDeclared if self.claims_creation() => Origin::Claimed(self.proof(false)),
            AiStatus::NoneDeclared => Origin::Unstated,
        }
    }

    /// Whether what the manifest says could be believed whatever it says: see [`Proof`].
    pub fn is_proven(&self) -> bool {
        self.proof(false).is_some()
    }

    /// Whether some manifest says how the picture began (C2PA 2.2, section 18.14.4).
    fn claims_creation(&self) -> bool {
        self.manifests
            .iter()
            .flat_map(|manifest| &manifest.actions)
            .any(|action| action.action == "c2pa.created")
    }

    fn proof(&self, capture: bool) -> Option<Proof> {
        let sound = self.content == Content::Intact
            && self.signature == Signature::Ok
            && self.vouched_for()
            && self.time_is_certain()
            && matches!(self.history, History::None | History::Ok { .. })
            && self.breaks_no_rule()
            && self.uncovered.is_empty();
        let signer = self
            .signer
            .organisation
            .as_ref()
            .or(self.signer.name.as_ref())?;
        sound.then(|| Proof {
            signer: signer.clone(),
            list: self.signer.status,
            capture,
        })
    }

    /// Trust, time, content and identity have axes of their own; any other failure is a broken rule.
    fn breaks_no_rule(&self) -> bool {
        let mut failures = self.codes.failure.iter();
        failures.all(|code| is_about_trust_or_time(&code.0))
    }

    fn vouched_for(&self) -> bool {
        match self.signer.status {
            SignerStatus::C2paList
            | SignerStatus::InterimList
            | SignerStatus::AllowList
            | SignerStatus::Local => true,
            SignerStatus::Unknown | SignerStatus::Revoked | SignerStatus::None => false,
        }
    }

    /// An untrusted time stamp is as good as none: then the certificate must be valid when checked.
    fn time_is_certain(&self) -> bool {
        match self.time {
            Time::TrustedStamp(_) | Time::InsideValidity => true,
            Time::UntrustedStamp(_) => self
                .signer
                .validity
                .is_some_and(|validity| validity.contains(self.checked_at)),
            Time::ExpiredNoStamp { .. } | Time::NotYetValid { .. } | Time::Unknown => false,
        }
    }
}
