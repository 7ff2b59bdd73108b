//! Arguments and configuration, resolved into what the crates below take. A flag wins over its variable
//! (clap reads both), and either wins over the configuration file.

use std::{
    collections::BTreeSet,
    fs,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    thread,
};

use detector::Provider;
use media::Limits;
use provenance::TrustStore;
use verdict::{Code, Policy};

use crate::{
    args::{AnchorArgs, DetectorArgs, LimitArgs, PolicyArgs, VerdictArgs},
    config::Config,
    exit::Failure,
};

/// The configuration file, if there is one, with the rules for what it does not say.
pub(crate) struct Settings {
    pub(crate) config: Config,
    /// Where it was read from.
    path: Option<PathBuf>,
}

/// Where the detector finds what it needs, and what was asked for explicitly.
pub(crate) struct DetectorPlaces {
    pub(crate) models: PathBuf,
    /// Whether somebody named the models folder; then it must be there.
    pub(crate) models_named: bool,
    pub(crate) runtime: Option<PathBuf>,
    /// `None`: nobody asked, the CPU will do.
    pub(crate) provider: Option<Provider>,
}

impl Settings {
    /// Reads the configuration file that was named; without one everything has its default.
    pub(crate) fn load(path: Option<&Path>) -> Result<Self, Failure> {
        let config = path.map(Config::read).transpose()?.unwrap_or_default();
        Ok(Self {
            config,
            path: path.map(Path::to_owned),
        })
    }

    /// The same file as it is now.
    pub(crate) fn read_again(&self) -> Result<Self, Failure> {
        Self::load(self.path.as_deref())
    }

    /// The built-in lists, unless switched off or replaced by a folder, and every list that was named.
    pub(crate) fn trust(&self, args: &AnchorArgs) -> Result<TrustStore, Failure> {
        let bundled = !args.no_bundled_trust && self.config.bundled_trust.unwrap_or(true);
        let named = match args.trust.is_empty() {
            true => &self.config.trust,
            false => &args.trust,
        };
        let (folders, files): (Vec<&PathBuf>, Vec<&PathBuf>) =
            named.iter().partition(|path| path.is_dir());
        let mut store = match folders.as_slice() {
            [] if bundled => TrustStore::bundled()?,
            [] => TrustStore::empty(),
            [folder] => TrustStore::from_folder(folder)?,
            [_, _, ..] => {
                return Err(Failure::usage(
                    "two folders of trust lists were named".to_owned(),
                    "name one folder; add single PEM files beside it",
                ));
            }
        };
        for path in files {
            add_anchors(&mut store, path)?;
        }
        Ok(store)
    }

    /// The policy that was named, or the built-in one.
    pub(crate) fn policy(&self, args: &PolicyArgs) -> Result<Policy, Failure> {
        let Some(path) = args.policy.as_ref().or(self.config.policy.as_ref()) else {
            return Ok(Policy::default());
        };
        let refused = |detail: String| {
            Failure::usage(
                format!("the policy {} cannot be used: {detail}", path.display()),
                "docs/POLICY.md has a whole policy file to start from",
            )
        };
        let text = fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
        Policy::from_toml(&text).map_err(|error| refused(error.to_string().replace('\n', " ")))
    }

    /// The limits of one file.
    pub(crate) fn limits(&self, args: &LimitArgs) -> Limits {
        let defaults = Limits::default();
        let or =
            |flag: Option<u64>, config: Option<u64>, default| flag.or(config).unwrap_or(default);
        Limits {
            max_bytes: or(args.max_bytes, self.config.max_bytes, defaults.max_bytes),
            max_pixels: or(args.max_pixels, self.config.max_pixels, defaults.max_pixels),
            ..defaults
        }
    }

    /// Files examined at the same time.
    pub(crate) fn jobs(&self, flag: Option<NonZeroUsize>) -> usize {
        flag.or(self.config.jobs)
            .or_else(|| thread::available_parallelism().ok())
            .map_or(1, NonZeroUsize::get)
    }

    /// The verdicts that make the exit code 1.
    pub(crate) fn fail_on(&self, args: &VerdictArgs) -> Result<BTreeSet<Code>, Failure> {
        let Some(words) = args.fail_on.as_ref().or(self.config.fail_on.as_ref()) else {
            return Ok(FAIL_ON.into_iter().collect());
        };
        if words.iter().all(|word| word == "none") {
            return Ok(BTreeSet::new());
        }
        words
            .iter()
            .map(|word| {
                word.parse::<Code>().map_err(|_| {
                    let codes = Code::ALL.map(Code::as_str).join(", ");
                    Failure::usage(
                        format!("--fail-on does not know the verdict code \"{word}\""),
                        format!("the codes are {codes}, or none"),
                    )
                })
            })
            .collect()
    }

    /// Where models and ONNX Runtime are.
    pub(crate) fn detector(&self, args: &DetectorArgs) -> Result<DetectorPlaces, Failure> {
        let models = args.models.clone().or_else(|| self.config.models.clone());
        let runtime = args.runtime.clone().or_else(|| self.config.runtime.clone());
        let provider = match (args.provider, &self.config.provider) {
            (Some(provider), _) => Some(provider),
            (None, Some(text)) => Some(text.parse().map_err(|error| {
                Failure::usage(
                    format!("{error}"),
                    "correct provider in the configuration file",
                )
            })?),
            (None, None) => None,
        };
        Ok(DetectorPlaces {
            models_named: models.is_some(),
            models: models.unwrap_or_else(default_models),
            runtime: runtime.or_else(default_runtime),
            provider,
        })
    }
}

/// `models` beside the program when it is there, else in the current folder.
fn default_models() -> PathBuf {
    let name = Path::new("models");
    beside_program(name)
        .filter(|path| path.is_dir())
        .unwrap_or_else(|| name.to_owned())
}

/// The library beside the program, else where the set-up puts it in a checkout.
fn default_runtime() -> Option<PathBuf> {
    let installed = beside_program(&Path::new("onnxruntime").join(RUNTIME_FILE));
    let checkout = Path::new("target/onnxruntime").join(RUNTIME_FILE);
    installed
        .into_iter()
        .chain([checkout])
        .find(|path| path.is_file())
}

fn beside_program(name: &Path) -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    Some(program.parent()?.join(name))
}

/// What a moderator is woken for by default (docs/CLI.md).
const FAIL_ON: [Code; 5] = [
    Code::KnownFake,
    Code::Altered,
    Code::Conflict,
    Code::LikelyAi,
    Code::LikelyManipulated,
];

/// The library's file name, as the set-up unpacks it.
const RUNTIME_FILE: &str = if cfg!(target_os = "macos") {
    "libonnxruntime.1.31.1.dylib"
} else {
    "libonnxruntime.so.1.31.1"
};

fn add_anchors(store: &mut TrustStore, path: &Path) -> Result<(), Failure> {
    let pem = fs::read(path).map_err(|error| {
        Failure::usage(
            format!("the trust list {} cannot be read: {error}", path.display()),
            "give --trust a PEM file of CA certificates",
        )
    })?;
    let name = path.file_name().unwrap_or(path.as_os_str());
    store.add_anchors_pem(&name.to_string_lossy(), &pem)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{FAIL_ON, Settings};
    use crate::{
        args::{LimitArgs, VerdictArgs},
        config::Config,
    };
    use verdict::Code;

    fn settings(toml: &str) -> Settings {
        let config: Config = toml::from_str(toml).unwrap();
        Settings { config, path: None }
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let file = settings("max_bytes = 10\nmax_pixels = 20");
        let limits = file.limits(&LimitArgs {
            max_bytes: Some(5),
            max_pixels: None,
        });
        assert_eq!((limits.max_bytes, limits.max_pixels), (5, 20));
        let none = LimitArgs {
            max_bytes: None,
            max_pixels: None,
        };
        assert_eq!(settings("").limits(&none), media::Limits::default());
    }

    #[test]
    fn fail_on_takes_codes_none_and_nothing_else() {
        let of = |words: &[&str]| {
            let fail_on = Some(words.iter().map(|word| (*word).to_owned()).collect());
            settings("").fail_on(&VerdictArgs { fail_on })
        };
        assert_eq!(of(&["none"]).unwrap().len(), 0);
        assert!(of(&["declared_ai"]).unwrap().contains(&Code::DeclaredAi));
        assert!(of(&["declared_ai", "none"]).is_err());
        let default = settings("").fail_on(&VerdictArgs { fail_on: None });
        assert_eq!(default.unwrap().len(), FAIL_ON.len());
    }

    #[test]
    fn misspelt_keys_are_refused() {
        assert!(toml::from_str::<Config>("max_byte = 10").is_err());
        assert!(toml::from_str::<Config>("[serve]\nlisten_on = 1").is_err());
    }
}
