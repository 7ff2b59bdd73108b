//! Who signs for whom, and what may be stated. Where a key is, nobody here asks; a signer has no `Debug`.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use media::{Digest, Media};
use provenance::{
    Chain, Profile, SignError, SignRequest, Signed, Statement, Timestamp, sign, signer::Signer,
};

use super::parameters::Parameters;
use crate::{
    error::ServeError,
    store::{StoreError, TenantId, TenantName, Tenants},
};

/// Whoever signs for one tenant, with the profiles that its requests may name.
pub struct TenantSigner {
    signer: Box<dyn Signer>,
    chain: Chain,
    /// By name. The first is that of a request that names none.
    profiles: Vec<(String, Profile)>,
}

/// The signers of a service; a tenant without one cannot sign.
pub(crate) type Signers = HashMap<TenantId, Arc<TenantSigner>>;

impl TenantSigner {
    /// A signer that states what `profiles` say, each under its name, and nothing else.
    ///
    /// # Errors
    ///
    /// [`ServeError::NoProfile`], [`ServeError::ProfileTwice`], and [`ServeError::CaptureClaim`] for a profile that
    /// says that a camera took the file.
    pub fn new(
        signer: Box<dyn Signer>,
        profiles: Vec<(String, Profile)>,
    ) -> Result<Self, ServeError> {
        if profiles.is_empty() {
            return Err(ServeError::NoProfile);
        }
        for (at, (name, profile)) in profiles.iter().enumerate() {
            if profiles.iter().skip(at + 1).any(|(other, _)| other == name) {
                return Err(ServeError::ProfileTwice(name.clone()));
            }
            if profile.statement == Statement::Capture {
                return Err(ServeError::CaptureClaim(name.clone()));
            }
        }
        Ok(Self {
            chain: Chain::of(signer.as_ref()),
            signer,
            profiles,
        })
    }

    /// The profile of that name, or the one for requests that name none.
    pub(crate) fn profile(&self, name: Option<&str>) -> Option<(&str, &Profile)> {
        let mut profiles = self.profiles.iter();
        let (name, profile) = match name {
            Some(name) => profiles.find(|(known, _)| known == name)?,
            None => profiles.next()?,
        };
        Some((name, profile))
    }

    /// SHA-256 of the certificate that readers will see, to be found again in a log.
    pub(crate) fn certificate(&self) -> Option<Digest> {
        self.chain.certificates().first().map(|der| Digest::of(der))
    }

    /// Signs `media` and reads the result back. Takes about two milliseconds per 300 KB.
    ///
    /// # Errors
    ///
    /// [`SignError`]; a certificate that has ended since the service began is one.
    pub(crate) fn sign(
        &self,
        media: &Media,
        profile: &Profile,
        said: &Parameters,
        now: Timestamp,
    ) -> Result<Signed, SignError> {
        self.chain.check_validity(now)?;
        let title = said.title.as_deref().or(profile.title.as_deref());
        let request = SignRequest {
            title: title.or(said.name.as_deref()),
            author: said.author.as_deref(),
            no_train: said.no_train,
            ..SignRequest::new(profile, now)
        };
        sign(media, &request, self.signer.as_ref(), None)
    }
}

/// The same signers by the ids of their tenants.
///
/// # Errors
///
/// [`StoreError::UnknownTenant`]: a misspelt name must not leave somebody without a signer in silence.
pub(crate) async fn by_tenant(
    named: BTreeMap<TenantName, TenantSigner>,
    store: &dyn Tenants,
) -> Result<Signers, StoreError> {
    let mut signers = Signers::new();
    for (name, signer) in named {
        signers.insert(store.tenant(&name).await?.id, Arc::new(signer));
    }
    Ok(signers)
}

#[cfg(test)]
mod tests {
    use media::{Limits, Name};
    use provenance::{
        Credential, Validity,
        keys::{ChainRequest, Secrets, development_chain},
    };

    use super::*;
    use crate::error::Problem;

    const BEGINS: i64 = 1_700_000_000;
    const ENDS: i64 = 1_900_000_000;

    fn signer() -> TenantSigner {
        let request = ChainRequest {
            name: "Test signer",
            organisation: "Test press",
            validity: Validity {
                not_before: Timestamp(BEGINS),
                not_after: Timestamp(ENDS),
            },
        };
        let secrets = Secrets::dangerous_fixed([5; 32], [6; 32]);
        let chain = development_chain(&request, &secrets).unwrap();
        let (key, chain) = (&chain.signer_key_pem, &chain.signer_chain_pem);
        let credential = Credential::from_pem(key.as_bytes(), chain.as_bytes()).unwrap();
        let profiles = vec![("photo".to_owned(), Profile::of(Statement::Photo))];
        TenantSigner::new(Box::new(credential), profiles).unwrap()
    }

    #[test]
    fn a_certificate_signs_while_it_is_valid_and_not_a_second_longer() {
        let signer = signer();
        let bytes = include_bytes!("../../../fixtures/media/unsigned.jpg").to_vec();
        let name = Name::from_text("a.jpg");
        let media = Media::from_bytes(name, None, bytes, &Limits::default()).unwrap();
        let code = |now: i64| {
            let uri = "/v1/signatures".parse().unwrap();
            let said = super::super::parameters::read(&uri).unwrap();
            let (_, profile) = signer.profile(None).unwrap();
            let signed = signer.sign(&media, profile, &said, Timestamp(now));
            signed.map(drop).map_err(|error| {
                let problem = Problem::unsigned(&error);
                (error.code(), problem.status().as_u16(), problem.code())
            })
        };
        assert_eq!(code(BEGINS + 1), Ok(()));
        assert_eq!(
            code(ENDS + 1),
            Err(("certificate_ended", 503, "unavailable"))
        );
        assert_eq!(
            code(BEGINS - 1),
            Err(("certificate_early", 503, "unavailable"))
        );
    }
}
