//! Finds who signs and who stamps, from the arguments. From here on nobody asks where the key is.

mod command;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod remote;
mod timestamp;

use std::time::Duration;

use provenance::{
    Chain, Credential, TimeStamper, Timestamp,
    signer::{Algorithm, Signer},
};

use self::{command::Program, remote::Remote, timestamp::Authorities};
use crate::{
    args::{SignerArgs, StampArgs},
    exit::Failure,
    secret,
};

/// Whoever the arguments name, once the chain is readable and valid at `now`.
pub(crate) fn signer(args: &SignerArgs, now: Timestamp) -> Result<Box<dyn Signer>, Failure> {
    secret::no_core_dumps();
    let chain = Chain::load(&args.chain)?;
    chain.check_validity(now)?;
    let timeout = Duration::from_secs(args.signer_timeout_s);
    if let Some(key) = &args.key {
        let key = secret::load_key(key, &args.passphrase)?;
        return Ok(Box::new(Credential::new(key, chain)?));
    }
    let identity = Identity {
        algorithm: chain.algorithm()?,
        chain,
    };
    if let Some(program) = &args.signer_command {
        let program = Program::new(program, &args.signer_arg, timeout);
        return Ok(Box::new(Elsewhere(identity, program)));
    }
    if let Some(url) = &args.signer_url {
        let token = args.signer_token.as_deref().map(secret::in_file);
        let remote = Remote::new(url, token.transpose()?, timeout)?;
        return Ok(Box::new(Elsewhere(identity, remote)));
    }
    device(args, identity)
}

/// Whoever stamps, if anybody shall.
pub(crate) fn stamper(args: &StampArgs) -> Result<Option<Box<dyn TimeStamper>>, Failure> {
    if args.timestamp.is_empty() {
        return Ok(None);
    }
    let timeout = Duration::from_secs(args.timestamp_timeout_s);
    let authorities = Authorities::new(&args.timestamp, timeout)?;
    Ok(Some(Box::new(authorities)))
}

#[cfg(feature = "pkcs11")]
fn device(args: &SignerArgs, identity: Identity) -> Result<Box<dyn Signer>, Failure> {
    let (Some(module), Some(key)) = (&args.pkcs11_module, &args.pkcs11_key) else {
        return Err(nobody());
    };
    let pin = secret::passphrase(&args.passphrase, "the device")?;
    let place = pkcs11::Place {
        module,
        token: args.pkcs11_token.as_deref(),
        key,
    };
    let device = pkcs11::Device::open(&place, &pin, identity.algorithm)?;
    Ok(Box::new(Elsewhere(identity, device)))
}

#[cfg(not(feature = "pkcs11"))]
fn device(args: &SignerArgs, _: Identity) -> Result<Box<dyn Signer>, Failure> {
    if args.pkcs11_module.is_none() {
        return Err(nobody());
    }
    Err(Failure::usage(
        "this build has no PKCS#11",
        "build it with --features pkcs11, or use --signer-command",
    ))
}

fn nobody() -> Failure {
    Failure::usage(
        "nobody is named who could sign",
        "give --key, --signer-command, --signer-url, or --pkcs11-module with --pkcs11-key",
    )
}

/// Whose signature it will be.
struct Identity {
    chain: Chain,
    algorithm: Algorithm,
}

/// Something that turns bytes into a signature and is not ours.
trait Hand: Send + Sync {
    /// What came back, or why nothing did. Nobody has looked at it yet.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String>;
}

/// An identity whose key is elsewhere.
struct Elsewhere<H>(Identity, H);

impl<H: Hand> Signer for Elsewhere<H> {
    fn algorithm(&self) -> Algorithm {
        self.0.algorithm
    }

    fn chain(&self) -> &[Vec<u8>] {
        self.0.chain.certificates()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, provenance::SignError> {
        self.1.sign(message).map_err(provenance::SignError::Signer)
    }
}

/// A signature takes 64 bytes, as DER up to 72.
const MAX_SIGNATURE_BYTES: u64 = 256;
