//! Who signs for the tenants of a service, out of its configuration. Every key is read and every mistake told before
//! the service takes its address.

use std::collections::BTreeMap;

use provenance::{Chain, Credential};
use server::{TenantSigner, store::TenantName};

use crate::{
    args::PassphraseArgs, clock, config::SignerConfig, exit::Failure, profile, secret::load_key,
};

/// One signer for each table, by the tenant's name.
pub(crate) fn signers(
    tables: &BTreeMap<String, SignerConfig>,
) -> Result<BTreeMap<TenantName, TenantSigner>, Failure> {
    tables
        .iter()
        .map(|(tenant, table)| {
            let about = |failure: Failure| failure.about(&format!("[serve.signers.{tenant}]"));
            let name = tenant.parse().map_err(|error| {
                about(Failure::usage(
                    format!("{error}"),
                    "name the table after a tenant; `bonafide admin tenants list` shows them",
                ))
            })?;
            Ok((name, signer(table).map_err(about)?))
        })
        .collect()
}

fn signer(table: &SignerConfig) -> Result<TenantSigner, Failure> {
    let chain = Chain::load(&table.chain)?;
    chain.check_validity(clock::now())?;
    let passphrase = PassphraseArgs {
        passphrase_file: table.passphrase_file.clone(),
        passphrase_env: None,
    };
    let key = load_key(&table.key, &passphrase)?;
    let profiles = table.profiles.iter().map(|name| {
        let found = profile::find(name)?;
        Ok((profile::short(name).to_owned(), found))
    });
    let profiles = profiles.collect::<Result<_, Failure>>()?;
    let credential = Credential::new(key, chain)?;
    Ok(TenantSigner::new(Box::new(credential), profiles)?)
}
