//! The configuration file: defaults an operator writes down once. Variables and flags win over it.

use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use crate::{exit::Failure, profile};

/// The whole file. Unknown keys are refused, so that a misspelt limit is noticed.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// Folder of model cards.
    pub(crate) models: Option<PathBuf>,
    /// The ONNX Runtime library.
    pub(crate) runtime: Option<PathBuf>,
    /// `cpu`, `cuda[:N]` or `tensorrt[:N]`.
    pub(crate) provider: Option<String>,
    /// PEM files of further signer anchors.
    pub(crate) trust: Vec<PathBuf>,
    /// Whether the built-in trust lists count; default true.
    pub(crate) bundled_trust: Option<bool>,
    /// The policy file.
    pub(crate) policy: Option<PathBuf>,
    /// Verdict codes that make the exit code 1; `["none"]` for none.
    pub(crate) fail_on: Option<Vec<String>>,
    /// Largest file in bytes.
    pub(crate) max_bytes: Option<u64>,
    /// Largest picture in pixels.
    pub(crate) max_pixels: Option<u64>,
    /// Files examined at the same time.
    pub(crate) jobs: Option<std::num::NonZeroUsize>,
    /// For `serve` alone.
    pub(crate) serve: ServeConfig,
}

/// The `[serve]` table.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ServeConfig {
    /// Address and port.
    pub(crate) listen: Option<SocketAddr>,
    /// Folder for everything that is kept.
    pub(crate) data_dir: Option<PathBuf>,
    /// Uploads of one tenant that may wait to be examined.
    pub(crate) queue: Option<usize>,
    /// Open connections.
    pub(crate) max_connections: Option<usize>,
    /// Requests that one tenant may send per minute.
    pub(crate) requests_per_minute: Option<std::num::NonZeroU32>,
    /// Requests that one tenant may have open at one time.
    pub(crate) max_open_requests: Option<usize>,
    /// Bytes on the disk below which the service is not ready and takes no uploads.
    pub(crate) min_free_bytes: Option<u64>,
    /// Seconds in which a request header must arrive.
    pub(crate) header_timeout_s: Option<u64>,
    /// Seconds of silence after which a body is given up.
    pub(crate) body_timeout_s: Option<u64>,
    /// Seconds in which a peer may take nothing of its answer.
    pub(crate) write_timeout_s: Option<u64>,
    /// Seconds open requests get to finish.
    pub(crate) drain_timeout_s: Option<u64>,
    /// Collector to send spans to.
    pub(crate) otlp_endpoint: Option<String>,
    /// OpenID Connect issuer whose access tokens open the API.
    pub(crate) oidc_issuer: Option<String>,
    /// What this service is called in them.
    pub(crate) oidc_audience: Option<String>,
    /// File with the issuer's public keys.
    pub(crate) oidc_keys: Option<PathBuf>,
    /// Claim that has the name of the tenant.
    pub(crate) oidc_tenant_claim: Option<String>,
    /// Who signs for a tenant, by the tenant's name.
    pub(crate) signers: BTreeMap<String, SignerConfig>,
}

/// A `[serve.signers.TENANT]` table: a tenant's key, and what may be stated with it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignerConfig {
    /// Private key, PEM (PKCS#8), mode 0600.
    pub(crate) key: PathBuf,
    /// File with its passphrase, mode 0600.
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Certificate chain of the key, PEM, the signing certificate first.
    pub(crate) chain: PathBuf,
    /// Shipped profiles and profile files that requests may name; the first is the default.
    pub(crate) profiles: Vec<String>,
}

impl Config {
    /// Reads `path`; relative paths in it start at its own folder.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let refused = |detail: String| {
            Failure::usage(
                format!(
                    "the configuration file {} cannot be used: {detail}",
                    path.display()
                ),
                "`bonafide --help` and docs/CLI.md name the keys",
            )
        };
        let text = fs::read_to_string(path).map_err(|error| refused(error.to_string()))?;
        let mut config: Self =
            toml::from_str(&text).map_err(|error| refused(in_one_line(&error, &text)))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        config.start_at(folder);
        Ok(config)
    }

    fn start_at(&mut self, folder: &Path) {
        let named = [
            &mut self.models,
            &mut self.runtime,
            &mut self.policy,
            &mut self.serve.data_dir,
            &mut self.serve.oidc_keys,
        ];
        let signers = self.serve.signers.values_mut();
        let of_signers = signers.flat_map(|signer| {
            [&mut signer.key, &mut signer.chain]
                .into_iter()
                .chain(&mut signer.passphrase_file)
        });
        for place in named
            .into_iter()
            .flatten()
            .chain(&mut self.trust)
            .chain(of_signers)
        {
            *place = folder.join(&place);
        }
        for signer in self.serve.signers.values_mut() {
            for name in &mut signer.profiles {
                *name = profile::below(folder, name);
            }
        }
    }
}

fn in_one_line(error: &toml::de::Error, text: &str) -> String {
    let line = error.span().map_or(1, |span| {
        1 + text
            .get(..span.start)
            .unwrap_or_default()
            .matches('\n')
            .count()
    });
    let message = error.message().replace('\n', " ");
    format!("line {line}: {message}")
}
