//! A key in a device, through its PKCS#11 library. The key stays there; the library is code of the device's
//! maker, loaded into this process because the operator named it.

use std::{
    path::Path,
    sync::{Mutex, PoisonError},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    mechanism::{
        Mechanism,
        eddsa::{EddsaParams, EddsaSignatureScheme},
    },
    object::{Attribute, ObjectClass, ObjectHandle},
    session::{Session, UserType},
    slot::Slot,
    types::AuthPin,
};
use media::Digest;
use provenance::Algorithm;

use super::Hand;
use crate::{exit::Failure, secret::Secret};

/// Which key of which token.
pub(super) struct Place<'a> {
    pub(super) module: &'a Path,
    pub(super) token: Option<&'a str>,
    pub(super) key: &'a str,
}

/// An open session with a device.
pub(super) struct Device {
    // Before the library that it belongs to: fields are dropped in this order.
    session: Mutex<Session>,
    key: ObjectHandle,
    algorithm: Algorithm,
    _library: Pkcs11,
}

impl Device {
    /// Logs in and finds the key.
    pub(super) fn open(
        place: &Place<'_>,
        pin: &Secret,
        algorithm: Algorithm,
    ) -> Result<Self, Failure> {
        let refused = |what: &str| {
            let what = what.to_owned();
            move |error: cryptoki::error::Error| {
                Failure::usage(
                    format!("{what}: {error}"),
                    "check --pkcs11-module, --pkcs11-token and --pkcs11-key, and the PIN",
                )
            }
        };
        let library =
            Pkcs11::new(place.module).map_err(refused("the PKCS#11 library cannot be loaded"))?;
        library
            .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
            .map_err(refused("the PKCS#11 library does not start"))?;
        let slot = slot(&library, place.token)?;
        let session = library
            .open_ro_session(slot)
            .map_err(refused("the device opens no session"))?;
        let text = String::from_utf8_lossy(pin).into_owned();
        session
            .login(UserType::User, Some(&AuthPin::new(text.into())))
            .map_err(refused("the device refuses the PIN"))?;
        let key = find(&session, place.key)?;
        Ok(Self {
            session: Mutex::new(session),
            key,
            algorithm,
            _library: library,
        })
    }
}

impl Hand for Device {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let signature = match self.algorithm {
            // Older devices know ECDSA alone, not together with the hash.
            Algorithm::Es256 => {
                session.sign(&Mechanism::Ecdsa, self.key, Digest::of(message).as_bytes())
            }
            Algorithm::Ed25519 => {
                let plain = EddsaParams::new(EddsaSignatureScheme::Ed25519);
                session.sign(&Mechanism::Eddsa(plain), self.key, message)
            }
        };
        signature.map_err(|error| format!("the device: {error}"))
    }
}

/// The token of that label, or the only one.
fn slot(library: &Pkcs11, label: Option<&str>) -> Result<Slot, Failure> {
    let refused = |message: String| Failure::usage(message, "name the token with --pkcs11-token");
    let slots = library
        .get_slots_with_initialized_token()
        .map_err(|error| refused(format!("the devices cannot be listed: {error}")))?;
    let mut found = slots.into_iter().filter(|slot| {
        label.is_none_or(|label| {
            let token = library.get_token_info(*slot);
            token.is_ok_and(|token| token.label().trim_end() == label)
        })
    });
    match (found.next(), found.next()) {
        (Some(slot), None) => Ok(slot),
        (Some(_), Some(_)) => Err(refused("there are several tokens".to_owned())),
        (None, _) => Err(refused("there is no such token".to_owned())),
    }
}

fn find(session: &Session, label: &str) -> Result<ObjectHandle, Failure> {
    let wanted = [
        Attribute::Class(ObjectClass::PRIVATE_KEY),
        Attribute::Sign(true),
        Attribute::Label(label.as_bytes().to_vec()),
    ];
    let found = session.find_objects(&wanted);
    match found.as_deref() {
        Ok([key]) => Ok(*key),
        Ok([]) => Err(Failure::usage(
            "the device has no key of that label that may sign",
            "give --pkcs11-key the label of the private key",
        )),
        Ok(_) => Err(Failure::usage(
            "the device has several keys of that label",
            "give the keys different labels",
        )),
        Err(error) => Err(Failure::usage(
            format!("the device's keys cannot be listed: {error}"),
            "check the PIN",
        )),
    }
}
