//! What a signer states about how a picture came to be.

use std::str::FromStr;

/// The statement made by signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A camera took it.
    Photo,
    /// AI made all of it.
    Ai,
    /// AI changed part of a picture that is kept as its parent.
    AiEdit,
    /// A person changed a picture that is kept as its parent.
    Edit,
}

/// The text names no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no profile; use photo, ai, ai-edit or edit")]
pub struct UnknownProfile(String);

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "photo" => Ok(Self::Photo),
            "ai" => Ok(Self::Ai),
            "ai-edit" => Ok(Self::AiEdit),
            "edit" => Ok(Self::Edit),
            other => Err(UnknownProfile(other.to_owned())),
        }
    }
}
