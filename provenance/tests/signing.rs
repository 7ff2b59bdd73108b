//! Signing, at the boundary: bytes in, bytes out, read back by our own judge.

use std::fs;

use media::{Limits, Media, Name};
use provenance::{
    AiStatus, Content, Credential, History, Judge, ManifestState, Origin, Place, Profile,
    SignError, SignRequest, Signature, SignerStatus, Statement, Time, Timestamp, TrustStore,
    Validity,
    keys::{ChainRequest, DevelopmentChain, Secrets, development_chain},
    sign,
};

pub(crate) use crate::signing_files::picture;

pub(crate) const NOW: Timestamp = Timestamp(1_780_000_000);

pub(crate) fn chain_request() -> ChainRequest<'static> {
    ChainRequest {
        name: "Test signer",
        organisation: "Test newsroom",
        validity: Validity {
            not_before: Timestamp(1_700_000_000),
            not_after: Timestamp(1_900_000_000),
        },
    }
}

pub(crate) fn chain(seed: u8) -> DevelopmentChain {
    let secrets = Secrets::dangerous_fixed([seed; 32], [seed + 1; 32]);
    development_chain(&chain_request(), &secrets).unwrap()
}

pub(crate) fn credential(chain: &DevelopmentChain) -> Credential {
    let key = chain.signer_key_pem.as_bytes();
    Credential::from_pem(key, chain.signer_chain_pem.as_bytes()).unwrap()
}

pub(crate) fn judge(chain: &DevelopmentChain) -> Judge {
    let mut store = TrustStore::empty();
    store
        .add_anchors_pem("test-root.pem", chain.ca_cert_pem.as_bytes())
        .unwrap();
    Judge::new(store).unwrap()
}

pub(crate) fn media(name: &str, bytes: Vec<u8>) -> Media {
    Media::from_bytes(Name::from_text(name), None, bytes, &Limits::default()).unwrap()
}

pub(crate) fn request(statement: Statement) -> SignRequest<'static> {
    let profile = Box::leak(Box::new(Profile::of(statement)));
    SignRequest {
        title: Some("A title"),
        author: Some("An author"),
        no_train: true,
        ..SignRequest::new(profile, NOW)
    }
}

#[test]
fn a_signed_photo_is_small_and_trusted_by_its_own_root_only() {
    use image::ImageFormat::{Gif, Jpeg, Png, Tiff, WebP};
    let chain = chain(1);
    for format in [Jpeg, Png, WebP, Gif, Tiff] {
        let source = media("a", picture(format));
        let signed = sign(
            &source,
            &request(Statement::Capture),
            &credential(&chain),
            None,
        )
        .unwrap();
        assert!(
            signed.manifest.len() <= 4_096,
            "{format:?}: {}",
            signed.manifest.len()
        );
        let written = signed.media;
        let found = judge(&chain).judge(&written, None, NOW);
        assert_eq!(found.manifest, ManifestState::Embedded);
        assert_eq!(found.content, Content::Intact);
        assert_eq!(found.signature, Signature::Ok);
        assert_eq!(found.time, Time::InsideValidity);
        assert_eq!(found.signer.status, SignerStatus::Local);
        assert_eq!(found.signer.organisation.as_deref(), Some("Test newsroom"));
        assert_eq!(found.ai.status, AiStatus::CaptureDeclared);
        assert!(
            matches!(found.origin(), Origin::Claimed(Some(_))),
            "{format:?} {:?}",
            found.uncovered
        );

        let stranger = Judge::new(TrustStore::bundled().unwrap()).unwrap();
        let found = stranger.judge(&written, None, NOW);
        assert_eq!(found.signer.status, SignerStatus::Unknown);
        assert_eq!(found.origin(), Origin::Claimed(None));
    }
}

#[test]
fn a_signer_can_be_trusted_alone_and_be_denied() {
    let chain = chain(1);
    let source = media("a.jpg", picture(image::ImageFormat::Jpeg));
    let signed = sign(
        &source,
        &request(Statement::Capture),
        &credential(&chain),
        None,
    )
    .unwrap();
    let written = signed.media;
    let leaf = chain.signer_chain_pem.as_bytes();
    let judge = |deny: &str| {
        let mut store = TrustStore::empty();
        store.add_anchors_pem("signers.pem", leaf).unwrap();
        store.deny("deny.txt", deny).unwrap();
        Judge::new(store).unwrap().judge(&written, None, NOW)
    };
    let found = judge("");
    assert_eq!(found.signer.status, SignerStatus::AllowList);
    assert!(matches!(found.origin(), Origin::Claimed(Some(_))));
    let der = pem::parse(leaf).unwrap();
    let found = judge(&media::Digest::of(der.contents()).to_string());
    assert_eq!(found.signer.status, SignerStatus::Revoked);
    assert_eq!(found.content, Content::Intact);
    assert_eq!(found.origin(), Origin::Claimed(None));
}

#[test]
fn a_time_stamp_anchor_never_vouches_for_a_signer() {
    let chain = chain(1);
    let source = media("a.jpg", picture(image::ImageFormat::Jpeg));
    let signed = sign(
        &source,
        &request(Statement::Capture),
        &credential(&chain),
        None,
    )
    .unwrap();
    let written = signed.media;
    let status = |file: &str| {
        let folder = std::env::temp_dir().join(format!("bonafide-{file}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(file), &chain.ca_cert_pem).unwrap();
        let store = TrustStore::from_folder(&folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        let found = Judge::new(store).unwrap().judge(&written, None, now());
        (
            found.signer.status,
            matches!(found.origin(), Origin::Claimed(Some(_))),
        )
    };
    assert_eq!(
        status("c2pa-trust-list.pem"),
        (SignerStatus::C2paList, true)
    );
    assert_eq!(
        status("c2pa-tsa-trust-list.pem"),
        (SignerStatus::Unknown, false)
    );
}

/// The real clock: what the library itself says counts only then.
pub(crate) fn now() -> Timestamp {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    Timestamp(i64::try_from(since.as_secs()).unwrap())
}

#[test]
fn a_changed_pixel_is_altered_and_proves_nothing() {
    let chain = chain(1);
    let signed = sign(
        &media("a.jpg", picture(image::ImageFormat::Jpeg)),
        &request(Statement::Capture),
        &credential(&chain),
        None,
    )
    .unwrap();
    let mut bytes = signed.media.into_bytes();
    let last = bytes.len() - 10;
    bytes[last] ^= 1;
    let found = judge(&chain).judge(&media("a.jpg", bytes), None, NOW);
    assert!(matches!(found.content, Content::Altered(_)));
    assert_eq!(found.origin(), Origin::Claimed(None));
}

#[test]
fn an_edit_keeps_the_history_and_its_admission() {
    let chain = chain(1);
    let made = sign(
        &media("a.png", picture(image::ImageFormat::Png)),
        &request(Statement::Ai),
        &credential(&chain),
        None,
    )
    .unwrap();
    let folder = "pictures/secret project/a.png";
    let parent = media(folder, made.media.bytes().to_vec());
    let refused = sign(
        &parent,
        &request(Statement::Capture),
        &credential(&chain),
        None,
    )
    .unwrap_err();
    assert!(matches!(refused, SignError::AlreadySigned));
    let edited = sign(
        &parent,
        &request(Statement::Edit),
        &credential(&chain),
        None,
    )
    .unwrap();
    let found = judge(&chain).judge(&edited.media, None, NOW);
    assert_eq!(found.history, History::Ok { manifests: 2 });
    assert_eq!(found.ai.status, AiStatus::DeclaredFull);
    assert_eq!(found.ai.place, Some(Place::History));
    assert_eq!(found.origin(), Origin::MadeWithAi);
    let bytes = edited.media.bytes();
    assert!(!bytes.windows(6).any(|part| part == b"secret"));
    assert!(bytes.windows(5).any(|part| part == b"a.png"));
}

#[test]
fn a_sidecar_leaves_the_picture_alone() {
    let chain = chain(1);
    let source = media("a.jpg", picture(image::ImageFormat::Jpeg));
    let request = SignRequest {
        sidecar: true,
        ..request(Statement::Capture)
    };
    let signed = sign(&source, &request, &credential(&chain), None).unwrap();
    assert_eq!(signed.media.bytes(), source.bytes());
    let found = judge(&chain).judge(&source, Some(&signed.manifest), NOW);
    assert_eq!(found.manifest, ManifestState::Sidecar);
    assert_eq!(found.content, Content::Intact);
    let mut other = source.bytes().to_vec();
    let last = other.len() - 10;
    other[last] ^= 1;
    let found = judge(&chain).judge(&media("a.jpg", other), Some(&signed.manifest), NOW);
    assert!(matches!(found.content, Content::Altered(_)));
}

#[test]
fn an_ended_certificate_is_expired_and_not_altered() {
    let chain = chain(1);
    let source = media("a.jpg", picture(image::ImageFormat::Jpeg));
    let signed = sign(
        &source,
        &request(Statement::Capture),
        &credential(&chain),
        None,
    )
    .unwrap();
    let written = signed.media;
    let not_after = Timestamp(1_900_000_000);
    let found = judge(&chain).judge(&written, None, Timestamp(1_900_000_001));
    assert_eq!(found.time, Time::ExpiredNoStamp { not_after });
    assert_eq!(found.content, Content::Intact);
    assert_eq!(found.signer.status, SignerStatus::Local);
    assert_eq!(found.origin(), Origin::Claimed(None));
    let not_before = Timestamp(1_700_000_000);
    let found = judge(&chain).judge(&written, None, Timestamp(1_699_999_999));
    assert_eq!(found.time, Time::NotYetValid { not_before });
}

#[test]
fn broken_keys_and_chains_say_what_to_do() {
    let (one, other) = (chain(1), chain(7));
    let key = one.signer_key_pem.as_bytes();
    let check = |key: &[u8], chain: &[u8], code: &str| {
        let error = Credential::from_pem(key, chain).err().unwrap();
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains("give "));
    };
    check(b"", one.signer_chain_pem.as_bytes(), "key_damaged");
    check(
        &key[..key.len() / 2],
        one.signer_chain_pem.as_bytes(),
        "key_damaged",
    );
    check(key, b"", "chain");
    check(key, other.signer_chain_pem.as_bytes(), "key_mismatch");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = std::env::temp_dir().join(format!("bonafide-key-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (key, chain_file) = (folder.join("key.pem"), folder.join("chain.pem"));
    let chain = chain(1);
    fs::write(&key, chain.signer_key_pem.as_bytes()).unwrap();
    fs::write(&chain_file, &chain.signer_chain_pem).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(Credential::load(&key, &chain_file).is_ok());
    symlink(&key, folder.join("link.pem")).unwrap();
    let linked = Credential::load(&folder.join("link.pem"), &chain_file)
        .err()
        .unwrap();
    assert!(matches!(linked, SignError::KeyNotAFile { .. }));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let open = Credential::load(&key, &chain_file).err().unwrap();
    assert!(matches!(open, SignError::KeyMode { mode: 0o640, .. }));
    fs::remove_dir_all(&folder).unwrap();
}
