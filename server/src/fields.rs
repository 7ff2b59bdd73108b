//! What a sender may say beside the file: five short texts, as parameters of the address or as fields of
//! the form. Unknown ones are refused, so that a misspelt one is noticed; none is ever used as a path.

use sha2::{Digest as _, Sha256};

use crate::{
    error::Problem,
    webhooks::{Reach, Target},
};

/// A text beside the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// What the sender calls the file.
    Name,
    /// The sender's own name for the upload.
    ExternalId,
    /// Whether the sender's user said that it was made with AI.
    DeclaredAi,
    /// A JSON object of the sender.
    Metadata,
    /// Where to tell the outcome.
    CallbackUrl,
}

impl Field {
    /// Every field.
    const ALL: [Self; 5] = [
        Self::Name,
        Self::ExternalId,
        Self::DeclaredAi,
        Self::Metadata,
        Self::CallbackUrl,
    ];

    /// The field of that name.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// Its name.
    fn name(self) -> &'static str {
        self.pointer().trim_start_matches('/')
    }

    /// The JSON pointer to it.
    pub(crate) fn pointer(self) -> &'static str {
        match self {
            Self::Name => "/name",
            Self::ExternalId => "/external_id",
            Self::DeclaredAi => "/declared_ai",
            Self::Metadata => "/metadata",
            Self::CallbackUrl => "/callback_url",
        }
    }

    /// The most bytes it may have.
    pub(crate) fn max_bytes(self) -> usize {
        match self {
            Self::Name | Self::ExternalId => MAX_TEXT_BYTES,
            Self::DeclaredAi => "false".len(),
            Self::Metadata => 4096,
            Self::CallbackUrl => 2048,
        }
    }
}

/// The fields of one upload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields {
    pub(crate) name: Option<String>,
    pub(crate) external_id: Option<String>,
    pub(crate) declared_ai: Option<bool>,
    /// A JSON object as it was written.
    pub(crate) metadata: Option<String>,
    /// An address that [`Target`] takes.
    pub(crate) callback_url: Option<String>,
}

impl Fields {
    /// Takes `text` for `field`, if it is one that fits and the first.
    pub(crate) fn set(&mut self, field: Field, text: String, reach: Reach) -> Result<(), Problem> {
        check_length(field, &text)?;
        match field {
            Field::Name => put(&mut self.name, text, field),
            Field::ExternalId => put(&mut self.external_id, text, field),
            Field::DeclaredAi => put(&mut self.declared_ai, yes_or_no(&text)?, field),
            Field::Metadata => {
                check_object(&text)?;
                put(&mut self.metadata, text, field)
            }
            Field::CallbackUrl => {
                Target::parse(&text, reach)
                    .map_err(|error| Problem::parameter(field.pointer(), error.to_string()))?;
                put(&mut self.callback_url, text, field)
            }
        }
    }

    /// Feeds all of them to a fingerprint, each with its length, so that no two lists look alike.
    pub(crate) fn fingerprint(&self, into: &mut Sha256) {
        let declared = self.declared_ai.map(|yes| yes.to_string());
        for text in [
            &self.name,
            &self.external_id,
            &declared,
            &self.metadata,
            &self.callback_url,
        ] {
            let length = text.as_ref().map_or(u64::MAX, |text| {
                u64::try_from(text.len()).unwrap_or(u64::MAX - 1)
            });
            into.update(length.to_be_bytes());
            into.update(text.as_deref().unwrap_or_default());
        }
    }
}

fn check_length(field: Field, text: &str) -> Result<(), Problem> {
    let most = field.max_bytes();
    if text.len() <= most {
        return Ok(());
    }
    Err(match field {
        Field::DeclaredAi => no_boolean(),
        Field::Name | Field::ExternalId | Field::Metadata | Field::CallbackUrl => {
            too_long(field.pointer(), most)
        }
    })
}

/// The problem of a text with more than `most` bytes.
pub(crate) fn too_long(pointer: &'static str, most: usize) -> Problem {
    Problem::parameter(pointer, format!("The text has more than {most} bytes."))
}

fn yes_or_no(text: &str) -> Result<bool, Problem> {
    text.parse().map_err(|_| no_boolean())
}

fn no_boolean() -> Problem {
    Problem::parameter(Field::DeclaredAi.pointer(), "Write true or false.")
}

/// Only whether it is one; what is kept is the text as it was sent.
fn check_object(text: &str) -> Result<(), Problem> {
    serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text)
        .map(drop)
        .map_err(|_| Problem::parameter(Field::Metadata.pointer(), "This is no JSON object."))
}

fn put<T>(place: &mut Option<T>, value: T, field: Field) -> Result<(), Problem> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(Problem::parameter(
            field.pointer(),
            "The field is there twice.",
        )),
    }
}

/// Bytes of a name or an external id; file systems stop at 255 as well.
pub(crate) const MAX_TEXT_BYTES: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, text: &str, expected: Result<(), &str>) {
        let field = Field::of_name(name).unwrap();
        let found = Fields::default().set(field, text.to_owned(), Reach::Public);
        assert_eq!(
            found.map_err(|problem| problem.code()),
            expected,
            "{name}={text}"
        );
    }

    #[test]
    fn what_fits_is_taken_and_nothing_else() {
        let bad = Err("bad_parameter");
        check("name", "a/../b.jpg", Ok(()));
        check("name", &"x".repeat(255), Ok(()));
        check("name", &"x".repeat(256), bad);
        check("declared_ai", "true", Ok(()));
        check("declared_ai", "False", bad);
        check("declared_ai", "yes, it is", bad);
        check("metadata", "{\"case\": [17]}", Ok(()));
        check("metadata", "[17]", bad);
        check("metadata", "{", bad);
        check(
            "metadata",
            &format!("{{\"a\":\"{}\"}}", "x".repeat(4096)),
            bad,
        );
        check(
            "metadata",
            &format!("{{\"a\":{}{}}}", "[".repeat(500), "]".repeat(500)),
            bad,
        );
        check("callback_url", "https://example.com/hook", Ok(()));
        check("callback_url", "https://127.0.0.1/", bad);
        assert_eq!(Field::of_name("nmae"), None);
    }

    #[test]
    fn a_field_is_there_once() {
        let mut fields = Fields::default();
        let mut set = || fields.set(Field::Name, "a".to_owned(), Reach::Public);
        assert!(set().is_ok());
        assert_eq!(set().unwrap_err().code(), "bad_parameter");
    }

    #[test]
    fn fingerprints_differ_wherever_the_fields_do() {
        let print = |name: Option<&str>, id: Option<&str>| {
            let mut hash = Sha256::new();
            let fields = Fields {
                name: name.map(str::to_owned),
                external_id: id.map(str::to_owned),
                ..Fields::default()
            };
            fields.fingerprint(&mut hash);
            hash.finalize()
        };
        let all = [
            print(None, None),
            print(Some(""), None),
            print(None, Some("")),
            print(Some("ab"), Some("c")),
            print(Some("a"), Some("bc")),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(all[at + 1..].iter().all(|other| other != one), "{at}");
        }
    }
}
