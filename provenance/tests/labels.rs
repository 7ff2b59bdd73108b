//! Unsigned labels: every kind from a file made here, what must not be taken for one, hostile blocks.

mod corpus;
mod files;
mod hostile;
mod stealth;

use std::sync::LazyLock;

use media::{Limits, Media, Name};
use provenance::{
    AiStatus::{self, DeclaredFull, DeclaredPart},
    Judge,
    LabelKind::{self, Aigc, Exif, Iptc, PngText, Xmp},
    Place, Provenance, TrustStore, UnsignedLabel,
};

use crate::corpus::at;
use files::{
    Layout, gif, heif, international, jpeg, jpeg_exif, jpeg_extended_xmp, jpeg_xmp, mp4_box,
    mp4_key, packed_text, png, riff, samsung, text, tiff, xmp,
};

const FULL: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia";
const RUN: &str = "a cat\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1";
const TC260: &str = r#"{"AIGC":{"Label":"1","ContentProducer":"001191110102MAD55U9H0F10002","ProduceID":"7","ReservedCode1":"","ContentPropagator":"","PropagateID":"","ReservedCode2":""}}"#;

const IMAGE_DESCRIPTION: u16 = 0x010e;
const MAKE: u16 = 0x010f;
const SOFTWARE: u16 = 0x0131;
const ARTIST: u16 = 0x013b;
const USER_COMMENT: u16 = 0x9286;

static JUDGE: LazyLock<Judge> = LazyLock::new(|| Judge::new(TrustStore::empty()).unwrap());

pub(crate) fn judge(bytes: Vec<u8>) -> Provenance {
    let name = Name::from_text("made here");
    judge_media(&Media::from_bytes(name, None, bytes, &Limits::default()).unwrap())
}

fn judge_media(media: &Media) -> Provenance {
    JUDGE.judge(media, None, at("2026-11-23T12:00:00Z"))
}

pub(crate) fn labels(bytes: Vec<u8>) -> Vec<UnsignedLabel> {
    judge(bytes).labels
}

type Seen<'a> = (LabelKind, &'a str, Option<&'a str>, Option<AiStatus>);

/// Kind, place, generator and meaning of every label of `bytes`.
fn check(bytes: Vec<u8>, expected: &[Seen<'_>]) {
    let found = labels(bytes);
    let seen: Vec<Seen<'_>> = found
        .iter()
        .map(|label| {
            let generator = label.generator.as_deref();
            (label.kind, label.place.as_str(), generator, label.ai)
        })
        .collect();
    assert_eq!(seen, expected, "{found:#?}");
}

fn check_xmp(attributes: &str, elements: &str, expected: &[Seen<'_>]) {
    check(jpeg(&[jpeg_xmp(&xmp(attributes, elements))]), expected);
}

fn check_text(keyword: &str, words: &str, expected: &[Seen<'_>]) {
    check(png(&[text(keyword, words.as_bytes())]), expected);
}

fn check_exif(fields: &[(u16, &str)], expected: &[Seen<'_>]) {
    let fields: Vec<_> = fields
        .iter()
        .map(|(tag, value)| (*tag, [value.as_bytes(), b"\0"].concat()))
        .collect();
    check(jpeg(&[jpeg_exif(&tiff(&fields, &[]))]), expected);
}

const DST: &str = "xmp:Iptc4xmpExt:DigitalSourceType";

#[test]
fn a_file_without_labels_has_none() {
    check(png(&[]), &[]);
    check(jpeg(&[]), &[]);
    check(b"nothing at all".to_vec(), &[]);
    assert_eq!(judge(png(&[])).ai.place, None);
}

#[test]
fn every_form_of_a_source_type_is_read() {
    let full = [(Iptc, DST, None, Some(DeclaredFull))];
    let attribute = format!("Iptc4xmpExt:DigitalSourceType=\"{FULL}\"");
    check_xmp(&attribute, "", &full);
    check_xmp(&attribute.replace("http:", "https:"), "", &full);
    check_xmp(&attribute.replace('"', "'"), "", &full);
    let element = |inner: &str| format!("<Iptc4xmpExt:DigitalSourceType{inner}");
    let close = "</Iptc4xmpExt:DigitalSourceType>";
    check_xmp("", &element(&format!(">\n {FULL} {close}")), &full);
    check_xmp("", &element(&format!("><![CDATA[{FULL}]]>{close}")), &full);
    check_xmp("", &element(&format!(" rdf:resource=\"{FULL}\"/>")), &full);
    let list = format!("><rdf:Bag><rdf:li>{FULL}</rdf:li></rdf:Bag>{close}");
    check_xmp("", &element(&list), &full);
    let escaped = FULL.replace('t', "&#116;");
    check_xmp("", &element(&format!(">{escaped}{close}")), &full);
    let other_prefix = format!(
        "<q:DigitalSourceType xmlns:q=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\">{FULL}\
         </q:DigitalSourceType>"
    );
    check_xmp("", &other_prefix, &full);
}

#[test]
fn a_source_type_says_what_it_says_and_no_more() {
    let of = |word: &str| format!("Iptc4xmpExt:DigitalSourceType=\"{word}\"");
    let part = FULL.replace("trained", "compositeWithTrained");
    check_xmp(&of(&part), "", &[(Iptc, DST, None, Some(DeclaredPart))]);
    let camera = FULL.replace("trainedAlgorithmicMedia", "digitalCapture");
    check_xmp(&of(&camera), "", &[(Iptc, DST, None, None)]);
    check_xmp(&of(""), "", &[]);
    check_xmp(&of("Made by hand"), "", &[(Iptc, DST, None, None)]);
    // Another vocabulary's field, and one of no vocabulary.
    let foreign = format!("<q:DigitalSourceType xmlns:q=\"urn:q\">{FULL}</q:DigitalSourceType>");
    check_xmp("", &foreign, &[]);
    check_xmp(&format!("DigitalSourceType=\"{FULL}\""), "", &[]);
    // Of an ingredient.
    let pantry = format!(
        "<q:Pantry xmlns:q=\"urn:q\"><rdf:Bag><rdf:li {}/></rdf:Bag></q:Pantry>",
        of(FULL)
    );
    check_xmp("", &pantry, &[(Iptc, DST, None, Some(DeclaredPart))]);
}

#[test]
fn the_source_type_reaches_the_ai_axis() {
    let attribute = format!("Iptc4xmpExt:DigitalSourceType=\"{FULL}\"");
    let found = judge(jpeg(&[jpeg_xmp(&xmp(&attribute, ""))]));
    assert_eq!(found.ai.status, DeclaredFull);
    assert_eq!(found.ai.place, Some(Place::UnsignedLabel));
    assert_eq!(found.ai.digital_source_type.as_deref(), Some(FULL));
}

#[test]
fn iptc_fields_of_2025_name_the_system() {
    let system = "Iptc4xmpExt:AISystemUsed=\"Painter\" Iptc4xmpExt:AISystemVersionUsed=\"3\"";
    let place = "xmp:Iptc4xmpExt:AISystemUsed";
    let name = Some("Painter 3");
    check_xmp(system, "", &[(Iptc, place, name, Some(DeclaredFull))]);
    let part = FULL.replace("trained", "compositeWithTrained");
    check_xmp(
        &format!("{system} Iptc4xmpExt:DigitalSourceType=\"{part}\""),
        "",
        &[
            (Iptc, place, name, Some(DeclaredPart)),
            (Iptc, DST, name, Some(DeclaredPart)),
        ],
    );
    check_xmp(
        "Iptc4xmpExt:AIPromptInformation=\"a cat\"",
        "",
        &[(
            Iptc,
            "xmp:Iptc4xmpExt:AIPromptInformation",
            None,
            Some(DeclaredFull),
        )],
    );
}

#[test]
fn credit_and_creator_are_traces_unless_they_say_so() {
    let credit = "xmp:photoshop:Credit";
    let google = Some("Google AI");
    let of = |word: &str| format!("photoshop:Credit=\"{word}\"");
    let made = of("Made with Google AI");
    check_xmp(&made, "", &[(Xmp, credit, google, Some(DeclaredFull))]);
    let edited = of("Edited with Google AI");
    check_xmp(&edited, "", &[(Xmp, credit, google, Some(DeclaredPart))]);
    let named = of("Midjourney");
    check_xmp(&named, "", &[(Xmp, credit, Some("Midjourney"), None)]);
    check_xmp(&of("A photographer"), "", &[]);
    check_xmp("xmp:CreatorTool=\"Adobe Photoshop 26.0\"", "", &[]);
    check_xmp(
        "xmp:CreatorTool=\"Adobe Firefly\"",
        "",
        &[(Xmp, "xmp:xmp:CreatorTool", Some("Adobe Firefly"), None)],
    );
}

#[test]
fn xmp_is_found_in_every_container() {
    let packet = xmp(&format!("Iptc4xmpExt:DigitalSourceType=\"{FULL}\""), "");
    let full = [(Iptc, DST, None, Some(DeclaredFull))];
    let bytes = packet.as_bytes();
    check(jpeg(&jpeg_extended_xmp(&packet, 300)), &full);
    for packed in [false, true] {
        let chunk = international("XML:com.adobe.xmp", bytes, packed);
        check(png(&[chunk]), &full);
    }
    check(riff(b"WEBP", &[(b"XMP ", bytes.to_vec())]), &full);
    check(gif(&packet), &full);
    check(tiff(&[(0x02bc, bytes.to_vec())], &[]), &full);
    let uuid = b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";
    let movie = [
        mp4_box(b"ftyp", b"isom\0\0\0\0isom"),
        mp4_box(b"uuid", &[uuid.as_slice(), bytes].concat()),
    ];
    check(movie.concat(), &full);
    let jxl = [
        mp4_box(b"JXL ", b"\r\n\x87\n"),
        mp4_box(b"ftyp", b"jxl \0\0\0\0jxl "),
        mp4_box(b"xml ", bytes),
    ];
    check(jxl.concat(), &full);
}

const XMP_ITEM: &[u8] = b"mimeXMP\0application/rdf+xml\0";

#[test]
fn items_of_heif_and_avif_are_read() {
    let packet = xmp(&format!("Iptc4xmpExt:DigitalSourceType=\"{FULL}\""), "");
    let full = [(Iptc, DST, None, Some(DeclaredFull))];
    let item = (XMP_ITEM, packet.clone().into_bytes());
    for layout in [Layout::InFile, Layout::InMeta] {
        for brand in [b"heic", b"avif"] {
            check(heif(brand, std::slice::from_ref(&item), layout), &full);
        }
    }
    let software = tiff(&[(0x0131, b"ComfyUI\0".to_vec())], &[]);
    let exif = (
        b"Exif\0".as_slice(),
        [b"\0\0\0\x06Exif\0\0".as_slice(), &software].concat(),
    );
    let in_jpeg = labels(jpeg(&[jpeg_exif(&software)]));
    assert!(!in_jpeg.is_empty());
    assert_eq!(
        labels(heif(b"heic", std::slice::from_ref(&exif), Layout::InFile)),
        in_jpeg
    );
    let both = labels(heif(b"heic", &[exif, item], Layout::InFile));
    assert_eq!(both.len(), in_jpeg.len() + 1);
    let packed = (
        b"mimeXMP\0application/rdf+xml\0deflate\0".as_slice(),
        packet.into_bytes(),
    );
    check(heif(b"avif", &[packed], Layout::InFile), &[]);
}

#[test]
fn settings_of_generators_are_found_in_png_text() {
    let full = Some(DeclaredFull);
    let sd = [(PngText, "png:parameters", Some("Stable Diffusion"), full)];
    let run = RUN.as_bytes();
    check(png(&[text("parameters", run)]), &sd);
    check(png(&[packed_text("parameters", run)]), &sd);
    check(png(&[international("parameters", run, false)]), &sd);
    check(png(&[international("parameters", run, true)]), &sd);
    let masked = format!("{RUN}, Mask blur: 4");
    let part = (
        PngText,
        "png:parameters",
        Some("Stable Diffusion"),
        Some(DeclaredPart),
    );
    check_text("parameters", &masked, &[part]);
    let check_one = |keyword: &str, words: &str, tool: &str, ai| {
        let place = format!("png:{keyword}");
        check_text(keyword, words, &[(PngText, &place, Some(tool), ai)]);
    };
    let graph = r#"{"3":{"class_type":"KSampler","inputs":{"seed":1}}}"#;
    check_one("prompt", graph, "ComfyUI", full);
    let workflow = r#"{"last_node_id":9,"nodes":[{"type":"KSampler"}],"links":[]}"#;
    check_one("workflow", workflow, "ComfyUI", full);
    let scaler = r#"{"last_node_id":9,"nodes":[{"type":"ImageScale"}],"links":[]}"#;
    check_one("workflow", scaler, "ComfyUI", None);
    let invoke = r#"{"generation_mode":"txt2img","positive_prompt":"a cat","app_version":"5.0"}"#;
    check_one("invokeai_metadata", invoke, "InvokeAI", full);
    let invoke = invoke.replace("txt2img", "inpaint");
    check_one("invokeai_metadata", &invoke, "InvokeAI", Some(DeclaredPart));
    let older = r#"{"app_id":"invoke-ai/InvokeAI","image":{"type":"txt2img"}}"#;
    check_one("sd-metadata", older, "InvokeAI", full);
    check_one("Dream", "\"a cat\" -s 50 -S 12 -W 512", "InvokeAI", full);
    let novel = r#"{"prompt":"a cat","steps":28,"sampler":"k_euler","seed":1,"uc":"dog"}"#;
    check_one("Comment", novel, "NovelAI", full);
    check_one("Title", "NovelAI generated image", "NovelAI", full);
    check_one("Software", "NovelAI", "NovelAI", None);
    let fooocus = r#"{"Prompt":"a cat","Seed":"1","Version":"Fooocus v2.5.0"}"#;
    check_one("Comment", fooocus, "Fooocus", full);
    let swarm = r#"{"sui_image_params":{"prompt":"a cat","seed":1}}"#;
    check_one("parameters", swarm, "SwarmUI", full);
    check_one("Source", "Luma AI", "Luma", None);
}

#[test]
fn two_keys_of_easy_diffusion_make_a_record() {
    let negative = text("negative_prompt", b"dog");
    check(png(std::slice::from_ref(&negative)), &[]);
    let steps = text("num_inference_steps", b"25");
    let place = "png:negative_prompt";
    let label = (PngText, place, Some("Easy Diffusion"), Some(DeclaredFull));
    check(png(&[negative, steps]), &[label]);
}

#[test]
fn ordinary_text_is_no_label() {
    check_text("parameters", "width 3, height 4", &[]);
    check_text("prompt", "a cat on a mat", &[]);
    check_text("prompt", r#"{"prompt":"a cat"}"#, &[]);
    check_text("Comment", "Created with GIMP", &[]);
    check_text("Software", "Adobe ImageReady", &[]);
    check_text("Description", "This is not AI generated. Steps: none", &[]);
    check_text("Title", "Seed: a short film", &[]);
    check_text("Description", "Steps: 3 to the door. Seed: poppy", &[]);
    check_text("unknown", RUN, &[]);
}

#[test]
fn the_aigc_label_is_found_everywhere() {
    let full = |place| [(Aigc, place, None, Some(DeclaredFull))];
    check(png(&[text("AIGC", TC260.as_bytes())]), &full("png:AIGC"));
    let escaped = TC260.replace('"', "&quot;");
    let attribute = format!("TC260:AIGC=\"{escaped}\"");
    check_xmp(&attribute, "", &full("xmp:TC260:AIGC"));
    let element = format!("<TC260:AIGC>{escaped}</TC260:AIGC>");
    check_xmp("", &element, &full("xmp:TC260:AIGC"));
    let twice = element.replace('&', "&amp;");
    check_xmp("", &twice, &full("xmp:TC260:AIGC"));
    check_exif(
        &[(IMAGE_DESCRIPTION, TC260)],
        &full("exif:ImageDescription"),
    );
    let comment = [b"ASCII\0\0\0".as_slice(), TC260.as_bytes()].concat();
    let file = tiff(&[], &[(USER_COMMENT, comment)]);
    check(jpeg(&[jpeg_exif(&file)]), &full("exif:UserComment"));
    let bare = format!("AIGC{TC260}");
    check(jpeg(&[(0xfe, bare.into_bytes())]), &full("jpeg:COM"));
    let entry = riff(b"INFO", &[(b"AIGC", TC260.into())]);
    let avi = riff(b"AVI ", &[(b"LIST", entry[8..].to_vec())]);
    check(avi, &full("riff:AIGC"));
    let keys = ["com.apple.quicktime.make", "AIGC"];
    check(mp4_key(&keys, TC260, true), &full("mp4:AIGC"));
    check(mp4_key(&keys, TC260, false), &full("mp4:AIGC"));
}

#[test]
fn the_aigc_label_is_reported_strictly() {
    let text_of = |words: &str| {
        let found = labels(png(&[text("AIGC", words.as_bytes())]));
        let label = found.into_iter().next().unwrap();
        (label.text, label.ai)
    };
    let shown = r#"{"Label":"1","ContentProducer":"001191110102MAD55U9H0F10002","ProduceID":"7"}"#;
    assert_eq!(text_of(TC260), (shown.to_owned(), Some(DeclaredFull)));
    for label in ["2", "3", "0", "some product"] {
        let words = TC260.replace("\"Label\":\"1\"", &format!("\"Label\":\"{label}\""));
        assert_eq!(text_of(&words).1, None, "{label}");
    }
    assert_eq!(text_of("yes"), ("yes".to_owned(), None));
}

#[test]
fn exif_fields_of_generators_are_found() {
    let full = Some(DeclaredFull);
    let flux = "AI generated;txt2img;flux";
    check_exif(
        &[(SOFTWARE, flux), (MAKE, "Black Forest Labs")],
        &[
            (Exif, "exif:Software", Some("FLUX"), full),
            (Exif, "exif:Make", Some("FLUX"), full),
        ],
    );
    check_exif(
        &[(MAKE, "Ideogram AI")],
        &[(Exif, "exif:Make", Some("Ideogram"), full)],
    );
    check_exif(&[(MAKE, "Canon"), (SOFTWARE, "GIMP 2.10")], &[]);
    let dreamina = r#"{"aigc_info":{"aigc_label_type":2},"product":"dreamina"}"#;
    let label = (Exif, "exif:ImageDescription", Some("dreamina"), full);
    check_exif(&[(IMAGE_DESCRIPTION, dreamina)], &[label]);
    let none = dreamina.replace(":2}", ":0}");
    check_exif(&[(IMAGE_DESCRIPTION, &none)], &[]);
}

#[test]
fn grok_signs_with_two_fields_together() {
    let signature = format!("Signature: {}==", "Ab3/".repeat(20));
    let artist = "0f8fad5b-d9cb-469f-a165-70867728950e";
    check_exif(
        &[(IMAGE_DESCRIPTION, &signature), (ARTIST, artist)],
        &[(Exif, "exif:ImageDescription", Some("Grok"), None)],
    );
    check_exif(&[(IMAGE_DESCRIPTION, &signature)], &[]);
    check_exif(
        &[(IMAGE_DESCRIPTION, &signature), (ARTIST, "A. Person")],
        &[],
    );
}

#[test]
fn a_user_comment_is_read_in_every_encoding() {
    let ascii = [b"ASCII\0\0\0".as_slice(), RUN.as_bytes()].concat();
    let units = RUN.encode_utf16();
    let big: Vec<u8> = units.clone().flat_map(u16::to_be_bytes).collect();
    let little: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    let unicode = |text: &[u8]| [b"UNICODE\0".as_slice(), text].concat();
    for comment in [
        ascii,
        unicode(&big),
        unicode(&little),
        unicode(RUN.as_bytes()),
    ] {
        let exif = tiff(&[], &[(USER_COMMENT, comment)]);
        let label = (
            Exif,
            "exif:UserComment",
            Some("Stable Diffusion"),
            Some(DeclaredFull),
        );
        check(jpeg(&[jpeg_exif(&exif)]), &[label]);
        check(png(&[(b"eXIf", exif.clone())]), &[label]);
        check(riff(b"WEBP", &[(b"EXIF", exif.clone())]), &[label]);
        check(exif, &[label]);
    }
}

#[test]
fn samsungs_record_counts_when_a_generator_edited() {
    let place = "samsung:PhotoEditor_Re_Edit_Data";
    let label = (Exif, place, Some("Galaxy AI"), Some(DeclaredPart));
    check(samsung(r#"{"genAIType":1,"originalPath":"/x"}"#), &[label]);
    check(samsung(r#"{"genAIType":0,"originalPath":"/x"}"#), &[]);
    check(samsung("{}"), &[]);
}

#[test]
fn a_picture_edited_with_draw_things_says_so_in_xmp() {
    let settings = r#"{"c":"a cat","uc":"dog","sampler":"DPM++ 2M Karras","seed":1,"steps":20}"#;
    let escaped = settings.replace('"', "&quot;");
    let element = format!(
        "<exif:UserComment><rdf:Alt><rdf:li xml:lang=\"x-default\">{escaped}</rdf:li></rdf:Alt>\
         </exif:UserComment>"
    );
    let place = "xmp:exif:UserComment";
    check_xmp(
        "",
        &element,
        &[(Xmp, place, Some("Draw Things"), Some(DeclaredFull))],
    );
}

#[test]
fn texts_are_cleaned_and_bounded() {
    let words = format!("{RUN} \u{1b}[31m\u{202e}{}", "é".repeat(500));
    let found = labels(png(&[international("parameters", words.as_bytes(), false)]));
    let shown = &found.first().unwrap().text;
    assert!(shown.chars().all(provenance::is_shown), "{shown}");
    assert_eq!(shown.chars().count(), provenance::MAX_TEXT_CHARS + 1);
}
