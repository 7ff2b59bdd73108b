//! What a signer states about how a file came to be, and what is written beside the statement.
//!
//! A profile is text that its owner writes once (TOML, docs/SIGNING.md). It knows neither keys nor files.

mod assertion;
mod text;

use std::{collections::BTreeMap, str::FromStr};

pub use assertion::{Assertion, MAX_ASSERTION_BYTES, MAX_ASSERTIONS};

use crate::error::SignError;

/// The statement made by signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statement {
    /// Its owner publishes it and says nothing of how it was made.
    Photo,
    /// A camera took it. A claim that helps its author, so only the author of a profile can ask for it.
    Capture,
    /// AI made all of it.
    Ai,
    /// AI made or changed part of a file that is kept as its parent.
    AiEdit,
    /// A person changed a file that is kept as its parent.
    Edit,
    /// A publisher vouches for a file as it is; the credential it carries stays as its parent.
    Publish,
}

impl Statement {
    /// Whether it says that AI made or changed the file.
    pub fn admits_ai(self) -> bool {
        match self {
            Self::Ai | Self::AiEdit => true,
            Self::Photo | Self::Capture | Self::Edit | Self::Publish => false,
        }
    }

    /// Whether it says that the file began here, which a file with a credential of its own did not.
    pub fn creates(self) -> bool {
        match self {
            Self::Capture | Self::Ai => true,
            Self::Photo | Self::AiEdit | Self::Edit | Self::Publish => false,
        }
    }
}

/// A statement with everything that its owner always writes beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// How the file came to be.
    pub statement: Statement,
    /// Title, where the request names none.
    pub title: Option<String>,
    /// Author (`dc:creator`), where the request names none.
    pub author: Option<String>,
    /// Rights (`dc:rights`).
    pub rights: Option<String>,
    /// Whether training and data mining are forbidden (`cawg.training-mining`), whatever the request says.
    pub no_train: bool,
    /// Whether the declaration of AI also goes into the file's own metadata, before it is signed.
    pub unsigned_labels: bool,
    /// What was done in an edit: names of actions (C2PA 2.2, section 18.14.2); `c2pa.edited` when empty.
    pub actions: Vec<String>,
    /// The system that made the file or part of it.
    pub generator: Option<Generator>,
    /// Fields of `cawg.metadata` by prefixed name, such as `photoshop:Credit`.
    pub metadata: BTreeMap<String, Vec<String>>,
    /// Fields taken from the file's EXIF into `cawg.metadata`, by prefixed name, such as `tiff:Make`.
    pub carry: Vec<String>,
    /// Who is named in a label after TC260 (GB 45438-2025).
    pub aigc: Option<Aigc>,
    /// Assertions of the owner's own.
    pub assertions: Vec<Assertion>,
}

/// A system that makes media.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generator {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: Option<String>,
}

/// The producer and the propagator of a label after TC260 (GB 45438-2025, appendix E).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aigc {
    /// Code of the producing service.
    pub content_producer: String,
    /// The producer's number for the file.
    pub produce_id: String,
    /// Code of the spreading service; empty when there is none yet.
    pub content_propagator: String,
    /// The spreading service's number for the file; empty when there is none yet.
    pub propagate_id: String,
}

impl Profile {
    /// The bare statement, with nothing beside it.
    pub fn of(statement: Statement) -> Self {
        Self {
            statement,
            title: None,
            author: None,
            rights: None,
            no_train: false,
            unsigned_labels: false,
            actions: Vec::new(),
            generator: None,
            metadata: BTreeMap::new(),
            carry: Vec::new(),
            aigc: None,
            assertions: Vec::new(),
        }
    }

    /// The profile that `text`, the contents of a profile file, describes.
    ///
    /// # Errors
    ///
    /// [`SignError::Profile`] and [`SignError::Assertion`] with what to change.
    pub fn from_toml(text: &str) -> Result<Self, SignError> {
        text::parse(text)
    }

    /// The shipped profile called `name`: one of [`Profile::NAMES`].
    ///
    /// # Errors
    ///
    /// [`SignError::UnknownProfile`].
    pub fn shipped(name: &str) -> Result<Self, SignError> {
        let text = SHIPPED
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, text)| *text)
            .ok_or_else(|| SignError::UnknownProfile(name.to_owned()))?;
        Self::from_toml(text)
    }

    /// Names of the shipped profiles.
    pub const NAMES: [&'static str; 5] = ["photo", "ai", "ai-edit", "edit", "publish"];
}

impl FromStr for Profile {
    type Err = SignError;

    /// The shipped profile of that name.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::shipped(name)
    }
}

const SHIPPED: [(&str, &str); 5] = [
    ("photo", include_str!("profiles/photo.toml")),
    ("ai", include_str!("profiles/ai.toml")),
    ("ai-edit", include_str!("profiles/ai-edit.toml")),
    ("edit", include_str!("profiles/edit.toml")),
    ("publish", include_str!("profiles/publish.toml")),
];

#[cfg(test)]
mod tests {
    use super::{Profile, SHIPPED, Statement};

    #[test]
    fn the_shipped_profiles_parse_and_claim_no_capture() {
        let names: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, Profile::NAMES);
        for name in Profile::NAMES {
            let profile = Profile::shipped(name).unwrap();
            assert_ne!(profile.statement, Statement::Capture, "{name}");
            assert_eq!(
                profile.unsigned_labels,
                profile.statement.admits_ai(),
                "{name}"
            );
        }
        let unknown = Profile::shipped("holiday").unwrap_err();
        assert_eq!(unknown.code(), "unknown_profile");
    }
}
