//! What each profile says, read back by our judge, and the unsigned labels that go with it, read back by
//! our own label reader.

use media::{Kind, Media};
use provenance::{
    AiStatus, Algorithm, Assertion, Content, History, LabelKind, Origin, Place, Profile, SignError,
    SignRequest, Signed, SignerStatus, Statement, UnsignedLabels,
    keys::{Secrets, development_chain},
    sign,
};

use crate::{
    signing::{NOW, chain, chain_request, credential, judge, media, picture},
    signing_files,
};

fn signed(profile: &Profile, name: &str, bytes: Vec<u8>) -> Signed {
    let request = SignRequest::new(profile, NOW);
    sign(&media(name, bytes), &request, &credential(&chain(1)), None).unwrap()
}

fn jpeg() -> Vec<u8> {
    signing_files::jpeg(64)
}

fn actions(signed: &Signed) -> Vec<String> {
    let active = signed.provenance.manifests.iter().find(|one| one.active);
    let actions = &active.unwrap().actions;
    actions.iter().map(|action| action.action.clone()).collect()
}

/// The text of the manifest's JSON assertions, which stand in it as they are.
fn manifest_text(signed: &Signed) -> String {
    String::from_utf8_lossy(&signed.manifest).into_owned()
}

#[test]
fn the_shipped_photo_claims_no_capture() {
    let photo = signed(&Profile::shipped("photo").unwrap(), "a.jpg", jpeg());
    assert_eq!(actions(&photo), ["c2pa.opened", "c2pa.published"]);
    assert_eq!(photo.provenance.ai.status, AiStatus::NoneDeclared);
    assert_eq!(photo.provenance.origin(), Origin::Unstated);
    assert_eq!(photo.unsigned_labels, UnsignedLabels::NotAsked);
    assert!(photo.manifest.len() <= 4_096, "{}", photo.manifest.len());
    let own = Profile::from_toml("statement = \"photo\"\ncapture = true").unwrap();
    let capture = signed(&own, "a.jpg", jpeg());
    assert_eq!(actions(&capture), ["c2pa.created"]);
    let found = judge(&chain(1)).judge(&capture.media, None, NOW);
    assert!(matches!(found.origin(), Origin::Claimed(Some(_))));
}

/// Nothing of a history is dropped, whichever file it stands in.
#[test]
fn a_parent_never_takes_the_place_of_another_history() {
    let made = signed(&Profile::of(Statement::Ai), "a.jpg", jpeg());
    let other = signed(
        &Profile::of(Statement::Ai),
        "b.jpg",
        signing_files::jpeg(48),
    );
    let attempt = |statement, source: &Media, parent| {
        let profile = Profile::of(statement);
        let request = SignRequest {
            parent: Some(parent),
            ..SignRequest::new(&profile, NOW)
        };
        sign(source, &request, &credential(&chain(1)), None)
    };
    let plain = media("c.jpg", signing_files::jpeg(32));
    let edited = attempt(Statement::Edit, &plain, &made.media).unwrap();
    assert_eq!(edited.provenance.history, History::Ok { manifests: 2 });
    let error = attempt(Statement::Edit, &other.media, &made.media).unwrap_err();
    assert_eq!(error.code(), "two_parents");
    let error = attempt(Statement::Ai, &plain, &made.media).unwrap_err();
    assert_eq!(error.code(), "no_parent");
    // An editor that keeps the old credential in the changed file: it is the parent's, and stays with it.
    let mut bytes = made.media.bytes().to_vec();
    let last = bytes.len() - 10;
    bytes[last] ^= 1;
    let edited = attempt(Statement::Edit, &media("d.jpg", bytes), &made.media).unwrap();
    assert_eq!(edited.provenance.history, History::Ok { manifests: 2 });
}

/// With everything that a creator usually states, and with either kind of key.
#[test]
fn a_photos_manifest_takes_less_than_4_kib() {
    let profile = Profile::from_toml(
        "statement = \"photo\"\nauthor = \"A. Photographer\"\nrights = \"All rights reserved\"\nno_train = true",
    )
    .unwrap();
    let request = SignRequest {
        title: Some("Harbour at noon"),
        ..SignRequest::new(&profile, NOW)
    };
    for algorithm in [Algorithm::Ed25519, Algorithm::Es256] {
        let secrets = Secrets::random(algorithm).unwrap();
        let chain = development_chain(&chain_request(), &secrets).unwrap();
        let signed = sign(&media("a.jpg", jpeg()), &request, &credential(&chain), None).unwrap();
        let found = judge(&chain).judge(&signed.media, None, NOW);
        assert_eq!(found.signer.status, SignerStatus::Local);
        println!("{algorithm:?}: {} bytes", signed.manifest.len());
        assert!(
            signed.manifest.len() <= 4_096,
            "{algorithm:?}: {}",
            signed.manifest.len()
        );
    }
}

#[test]
fn a_photo_and_a_publisher_keep_what_was_signed_before() {
    let made = signed(
        &Profile::of(Statement::Ai),
        "a.png",
        picture(image::ImageFormat::Png),
    );
    for name in ["photo", "publish"] {
        let over = Profile::shipped(name).unwrap();
        let published = signed(&over, "a.png", made.media.bytes().to_vec());
        assert_eq!(actions(&published), ["c2pa.opened", "c2pa.published"]);
        let found = judge(&chain(1)).judge(&published.media, None, NOW);
        assert_eq!(found.history, History::Ok { manifests: 2 }, "{name}");
        assert_eq!(found.ai.status, AiStatus::DeclaredFull, "{name}");
        assert_eq!(found.ai.place, Some(Place::History), "{name}");
    }
}

#[test]
fn everything_that_a_profile_states_is_in_the_manifest() {
    let profile = Profile::from_toml(
        r#"
        statement = "edit"
        title = "Harbour"
        author = "A. Writer"
        rights = "CC BY 4.0"
        no_train = true
        actions = ["c2pa.cropped", "c2pa.color_adjustments"]
        metadata = { "photoshop:Credit" = "The desk", "dc:subject" = ["ships", "sea"] }
        [[assertion]]
        label = "org.example.assignment"
        json = '{ "number": 4711 }'
        "#,
    )
    .unwrap();
    let more = [Assertion::new("org.example.second", r#"{"more":true}"#).unwrap()];
    let request = SignRequest {
        assertions: &more,
        author: Some("An editor"),
        ..SignRequest::new(&profile, NOW)
    };
    let signed = sign(
        &media("a.jpg", jpeg()),
        &request,
        &credential(&chain(1)),
        None,
    )
    .unwrap();
    assert_eq!(
        actions(&signed),
        ["c2pa.opened", "c2pa.cropped", "c2pa.color_adjustments"]
    );
    let active = signed
        .provenance
        .manifests
        .iter()
        .find(|one| one.active)
        .unwrap();
    assert_eq!(active.title.as_deref(), Some("Harbour"));
    let text = manifest_text(&signed);
    for part in [
        r#""dc:creator":["An editor"]"#,
        r#""dc:rights":"CC BY 4.0""#,
        r#""dc:subject":["ships","sea"]"#,
        r#""photoshop:Credit":"The desk""#,
        r#""photoshop":"http://ns.adobe.com/photoshop/1.0/""#,
        r#""cawg.data_mining":{"use":"notAllowed"}"#,
        r#"{"number":4711}"#,
        r#"{"more":true}"#,
        "org.example.assignment",
    ] {
        assert!(text.contains(part), "{part}");
    }
    assert!(!text.contains("A. Writer"));
}

#[test]
fn exif_is_carried_over_where_the_profile_names_it() {
    let mut bytes = jpeg();
    let exif = exif(&[(0x010f, "Maker"), (0x0110, "Camera 5"), (0x8298, "Me")]);
    bytes.splice(2..2, exif);
    let text = |carry: &str| {
        let profile = Profile::from_toml(&format!("statement = \"photo\"\ncarry = [{carry}]"));
        manifest_text(&signed(&profile.unwrap(), "a.jpg", bytes.clone()))
    };
    let carried = text("\"tiff:Make\", \"tiff:Copyright\", \"exif:DateTimeOriginal\"");
    assert!(carried.contains(r#""tiff:Make":"Maker""#));
    assert!(carried.contains(r#""tiff:Copyright":"Me""#));
    assert!(!carried.contains("Camera 5") && !carried.contains("DateTimeOriginal"));
    assert!(!text("").contains("Maker"));
}

#[test]
fn iptc_fields_are_carried_over_where_the_profile_names_them() {
    let mut bytes = jpeg();
    let packet = "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf=\
        'http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description xmlns:ps=\
        'http://ns.adobe.com/photoshop/1.0/' ps:Credit='The desk' ps:City='Here'/></rdf:RDF></x:xmpmeta>";
    let body = [b"http://ns.adobe.com/xap/1.0/\0", packet.as_bytes()].concat();
    let length = u16::try_from(body.len() + 2).unwrap();
    let segment = [b"\xff\xe1", &length.to_be_bytes()[..], &body].concat();
    bytes.splice(2..2, segment);
    let carry = r#"carry = ["photoshop:Credit", "photoshop:Headline"]"#;
    let profile = Profile::from_toml(&format!("statement = \"photo\"\n{carry}")).unwrap();
    let text = manifest_text(&signed(&profile, "a.jpg", bytes));
    assert!(text.contains(r#""photoshop:Credit":"The desk""#));
    assert!(!text.contains("photoshop:Headline") && !text.contains("Here"));
}

/// An APP1 segment with these texts in the first directory.
fn exif(fields: &[(u16, &str)]) -> Vec<u8> {
    let mut entries = u16::try_from(fields.len()).unwrap().to_le_bytes().to_vec();
    let mut values = Vec::new();
    for (tag, text) in fields {
        let at = 8 + 2 + 12 * fields.len() + 4 + values.len();
        values.extend_from_slice(text.as_bytes());
        // Five bytes at least, so that no value stands in its entry.
        values.extend_from_slice(&[0; 5]);
        entries.extend_from_slice(&tag.to_le_bytes());
        entries.extend_from_slice(&2_u16.to_le_bytes());
        entries.extend_from_slice(&u32::try_from(text.len() + 5).unwrap().to_le_bytes());
        entries.extend_from_slice(&u32::try_from(at).unwrap().to_le_bytes());
    }
    let body = [
        &b"Exif\0\0II\x2a\0\x08\0\0\0"[..],
        &entries,
        &[0; 4],
        &values,
    ]
    .concat();
    let length = u16::try_from(body.len() + 2).unwrap();
    [b"\xff\xe1", &length.to_be_bytes()[..], &body].concat()
}

const AI: &str = r#"
    statement = "ai"
    unsigned_labels = true
    generator = { name = "Painter & Co", version = "3.1" }
    aigc = { content_producer = "001191110102MAD55U9H0F10002", produce_id = "7-1" }
"#;

/// Every kind that has a place for XMP gets it, the signature covers it, and our reader finds it again.
#[test]
fn ai_labels_stand_in_the_file_and_are_covered() {
    let profile = Profile::from_toml(AI).unwrap();
    for (name, bytes) in signing_files::all() {
        let signed = signed(&profile, name, bytes);
        assert_eq!(signed.unsigned_labels, UnsignedLabels::Written, "{name}");
        assert_eq!(signed.provenance.content, Content::Intact, "{name}");
        assert_eq!(
            signed.provenance.ai.status,
            AiStatus::DeclaredFull,
            "{name}"
        );
        let generator = signed.provenance.ai.generator.as_deref();
        assert!(
            generator.is_some_and(|name| name.starts_with("Painter & Co")),
            "{generator:?}"
        );
        check_labels(name, &signed);
        check_item(name, &signed);
        let edit = Profile::from_toml(&AI.replace("\"ai\"", "\"ai-edit\"")).unwrap();
        let again = self::signed(&edit, name, signed.media.into_bytes());
        assert_eq!(source_types(&again), [COMPOSITE], "{name}");
        check_item(name, &again);
    }
}

/// The picture of a HEIF file is where its list says, whatever was put before and behind it.
fn check_item(name: &str, signed: &Signed) {
    if !matches!(signed.media.kind, Kind::Avif | Kind::Heic | Kind::Heif) {
        return;
    }
    let bytes = signed.media.bytes();
    let list = memchr::memmem::find(bytes, b"iloc").unwrap() + 4;
    let at = list + [12, 16, 20][usize::from(bytes[list])];
    let at = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!(&bytes[at..at + 256], [7; 256], "{name}");
}

/// A list in version 1 with bases, in which the library loses count: its second item would lead to other bytes.
#[test]
fn a_picture_that_would_be_led_astray_is_not_signed() {
    let profile = Profile::of(Statement::Photo);
    let request = SignRequest::new(&profile, NOW);
    let outcome = |version| {
        let source = media("a.heic", signing_files::still(b"heic", b"hvc1", version));
        let signed = sign(&source, &request, &credential(&chain(1)), None);
        signed.map(drop).map_err(|error| error.to_string())
    };
    assert_eq!(outcome(1), Ok(()));
    let refused = outcome(3).unwrap_err();
    assert!(refused.contains("lead to other bytes"), "{refused}");
}

/// The manifest alone says it where a container has no place that this build knows.
#[test]
fn what_has_no_place_is_signed_without_a_label() {
    let profile = Profile::from_toml(AI).unwrap();
    let mp3 = |head: &[u8]| {
        let all = signing_files::all().into_iter();
        let frames = all
            .filter(|(name, _)| *name == "a.mp3")
            .map(|(_, bytes)| bytes);
        [head, &frames.flatten().collect::<Vec<u8>>()].concat()
    };
    for (name, bytes) in [
        ("old tag.mp3", mp3(b"ID3\x02\0\0\0\0\0\0")),
        ("scrambled tag.mp3", mp3(b"ID3\x04\0\x80\0\0\0\0")),
        (
            "prefixed.svg",
            b"<s:svg xmlns:s=\"http://www.w3.org/2000/svg\"><s:g/></s:svg>".to_vec(),
        ),
    ] {
        let source = media(name, bytes);
        let request = SignRequest::new(&profile, NOW);
        // The library may refuse such a file as well; a label must not be why.
        match sign(&source, &request, &credential(&chain(1)), None) {
            Ok(signed) => assert_eq!(signed.unsigned_labels, UnsignedLabels::NoPlace, "{name}"),
            Err(error) => assert_eq!(error.code(), "c2pa", "{name}: {error}"),
        }
    }
}

const COMPOSITE: &str =
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";

/// Those of the unsigned labels.
fn source_types(signed: &Signed) -> Vec<&str> {
    let labels = signed.provenance.labels.iter();
    labels
        .filter_map(|label| label.digital_source_type.as_deref())
        .collect()
}

fn check_labels(name: &str, signed: &Signed) {
    let labels = &signed.provenance.labels;
    let find = |kind| labels.iter().find(|label| label.kind == kind);
    let iptc = find(LabelKind::Iptc).unwrap_or_else(|| panic!("{name}: {labels:?}"));
    assert_eq!(iptc.ai, Some(AiStatus::DeclaredFull), "{name}");
    let uri = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
    assert_eq!(iptc.digital_source_type.as_deref(), Some(uri), "{name}");
    assert_eq!(
        iptc.generator.as_deref(),
        Some("Painter & Co 3.1"),
        "{name}"
    );
    let aigc = find(LabelKind::Aigc).unwrap_or_else(|| panic!("{name}: {labels:?}"));
    assert!(
        aigc.text.contains("\"ProduceID\":\"7-1\""),
        "{name}: {}",
        aigc.text
    );
    // Take the label away and the signature says so.
    let mut bytes = signed.media.bytes().to_vec();
    let at = memchr::memmem::find(&bytes, b"trainedAlgorithmicMedia</").unwrap();
    bytes[at] = b'T';
    let found = judge(&chain(1)).judge(&media(name, bytes), None, NOW);
    assert!(matches!(found.content, Content::Altered(_)), "{name}");
}

#[test]
fn labels_take_the_place_of_older_ones_and_leave_the_rest() {
    let old = "<?xpacket begin='' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>\
        <rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>\
        <rdf:Description rdf:about='uuid:7' xmlns:e='http://iptc.org/std/Iptc4xmpExt/2008-02-29/'\
        \x20e:DigitalSourceType='http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture'\
        \x20xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:title>A &amp; B</dc:title>\
        <e:AISystemUsed>Another</e:AISystemUsed></rdf:Description></rdf:RDF></x:xmpmeta>\
        <?xpacket end='w'?>";
    let mut bytes = jpeg();
    let body = [b"http://ns.adobe.com/xap/1.0/\0", old.as_bytes()].concat();
    let length = u16::try_from(body.len() + 2).unwrap();
    bytes.splice(
        2..2,
        [b"\xff\xe1", &length.to_be_bytes()[..], &body].concat(),
    );
    let profile = Profile::from_toml(AI).unwrap();
    let once = signed(&profile, "a.jpg", bytes);
    check_labels("once", &once);
    let text = String::from_utf8_lossy(once.media.bytes()).into_owned();
    assert!(text.contains("A &amp; B") && text.contains("rdf:about=\"uuid:7\""));
    assert!(!text.contains("digitalCapture") && !text.contains("Another"));
    // Labelled again, there is still one of each.
    let edit = Profile::from_toml(&AI.replace("\"ai\"", "\"ai-edit\"")).unwrap();
    let twice = signed(&edit, "a.jpg", once.media.into_bytes());
    let labels = &twice.provenance.labels;
    assert_eq!(source_types(&twice), [COMPOSITE]);
    let aigc = labels.iter().filter(|label| label.kind == LabelKind::Aigc);
    assert_eq!(aigc.count(), 1, "{labels:?}");
    assert_eq!(twice.provenance.history, History::Ok { manifests: 2 });
}

#[test]
fn a_sidecar_leaves_the_file_without_labels() {
    let profile = Profile::from_toml(AI).unwrap();
    let request = SignRequest {
        sidecar: true,
        ..SignRequest::new(&profile, NOW)
    };
    let source = media("a.jpg", jpeg());
    let signed = sign(&source, &request, &credential(&chain(1)), None).unwrap();
    assert_eq!(signed.unsigned_labels, UnsignedLabels::NoPlace);
    assert_eq!(signed.media.bytes(), source.bytes());
    let carrying = self::signed(&profile, "a.jpg", jpeg()).media;
    let publish = Profile::of(Statement::Publish);
    let beside = SignRequest {
        profile: &publish,
        ..request
    };
    let error = sign(&carrying, &beside, &credential(&chain(1)), None).unwrap_err();
    assert!(matches!(error, SignError::CredentialInside), "{error}");
    assert_eq!(signed.provenance.ai.status, AiStatus::DeclaredFull);
}

#[test]
fn xmp_that_cannot_be_added_to_is_refused_with_what_to_do() {
    for damage in ["<x><unclosed></x>", "no xml at all", "<!DOCTYPE x []><x/>"] {
        let mut bytes = jpeg();
        let body = [b"http://ns.adobe.com/xap/1.0/\0", damage.as_bytes()].concat();
        let length = u16::try_from(body.len() + 2).unwrap();
        bytes.splice(
            2..2,
            [b"\xff\xe1", &length.to_be_bytes()[..], &body].concat(),
        );
        let profile = Profile::from_toml(AI).unwrap();
        let request = SignRequest::new(&profile, NOW);
        let source = media("a.jpg", bytes);
        let error = sign(&source, &request, &credential(&chain(1)), None).unwrap_err();
        assert_eq!(error.code(), "labels", "{damage}");
        assert!(error.to_string().contains("unsigned_labels = false"));
        // Without labels the same file is signed.
        let plain = Profile::of(Statement::Ai);
        let request = SignRequest::new(&plain, NOW);
        assert!(sign(&source, &request, &credential(&chain(1)), None).is_ok());
    }
}

/// Labelling never panics and never makes a file that is not signed whole, whatever the file holds.
#[test]
fn cut_and_flipped_files_are_labelled_or_refused() {
    let profile = Profile::from_toml(AI).unwrap();
    let request = SignRequest::new(&profile, NOW);
    let credential = credential(&chain(1));
    let (mut written, mut refused) = (0, 0);
    for (name, bytes) in signing_files::all() {
        if bytes.len() > 4_096 {
            continue;
        }
        let step = (bytes.len() / 24).max(1);
        for at in (1..bytes.len()).step_by(step) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x41;
            for bytes in [flipped, bytes[..at].to_vec()] {
                match sign(&media(name, bytes), &request, &credential, None) {
                    Ok(signed) => {
                        assert_eq!(signed.provenance.content, Content::Intact);
                        written += 1;
                    }
                    Err(_) => refused += 1,
                }
            }
        }
    }
    println!("{written} written, {refused} refused");
    assert!(written > 50 && refused > 10);
}
