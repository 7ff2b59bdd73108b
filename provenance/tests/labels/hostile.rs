//! Blocks made to cost time, memory or a panic.

use std::time::{Duration, Instant};

use super::{
    FULL, RUN, TC260,
    files::{
        Layout, heif, international, jpeg, jpeg_exif, jpeg_extended_xmp, jpeg_xmp, mp4_box,
        mp4_key, packed_text, png, riff, samsung, text, tiff, xmp,
    },
    judge, labels,
};

/// Far above what any file here takes, far below what a quadratic reader would take.
const SOON: Duration = Duration::from_secs(2);

fn check_refused(what: &str, bytes: Vec<u8>) {
    let begun = Instant::now();
    let found = labels(bytes);
    assert!(begun.elapsed() < SOON, "{what}: {:?}", begun.elapsed());
    assert_eq!(found, [], "{what}");
}

fn packet(attributes: &str, elements: &str) -> Vec<u8> {
    let xmp = xmp(attributes, elements);
    png(&[international("XML:com.adobe.xmp", xmp.as_bytes(), true)])
}

#[test]
fn hostile_xmp_is_refused_soon() {
    let good = format!("<Iptc4xmpExt:DigitalSourceType>{FULL}</Iptc4xmpExt:DigitalSourceType>");
    assert_eq!(
        labels(packet("", &good)).len(),
        1,
        "the untouched packet is read"
    );

    let entities: String = (1..10)
        .map(|n| format!("<!ENTITY a{n} \"{}\">", format!("&a{};", n - 1).repeat(10)))
        .collect();
    let laughs = format!(
        "<!DOCTYPE x [<!ENTITY a0 \"ha\">{entities}]>{}",
        xmp("", &good)
    );
    check_refused("billion laughs", jpeg(&[jpeg_xmp(&laughs)]));
    let entity = good.replace(FULL, "&unknown;");
    check_refused("unknown entity", packet("", &entity));

    let attributes: String = (0..5_500).map(|n| format!(" q{n}=\"1\"")).collect();
    check_refused("5,500 attributes", packet(&attributes, &good));
    let prefixes: String = (0..60_000).map(|n| format!(" xmlns:q{n}=\"u\"")).collect();
    check_refused("60,000 namespaces on one element", packet(&prefixes, &good));
    let nested: String = (0..50_000)
        .map(|n| format!("<a xmlns:q{n}=\"u\">"))
        .collect();
    let nested = format!("{nested}{}", "</a>".repeat(50_000));
    check_refused("deep nesting", packet("", &format!("{nested}{good}")));
    check_refused("no end", packet("", &format!("{good}<a>")));
    let long = good.replace(FULL, &"x".repeat(3 << 20));
    check_refused("3 MB", packet("", &long));
}

#[test]
fn large_but_sound_xmp_is_read_soon() {
    let begun = Instant::now();
    let good = format!("<Iptc4xmpExt:DigitalSourceType>{FULL}</Iptc4xmpExt:DigitalSourceType>");
    let prefixes: String = (0..100).map(|n| format!(" xmlns:q{n}=\"u\"")).collect();
    let foreign = "<q0:DigitalSourceType/>".repeat(80_000);
    let found = labels(packet(&prefixes, &format!("{foreign}{good}")));
    assert_eq!(found.len(), 1);
    assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
}

#[test]
fn inflation_stops_at_its_limit() {
    let bomb = vec![b'a'; 64 << 20];
    let run = [RUN.as_bytes(), &bomb].concat();
    let begun = Instant::now();
    check_refused("text bomb", png(&[packed_text("parameters", &run)]));
    check_refused(
        "XMP bomb",
        png(&[international("XML:com.adobe.xmp", &run, true)]),
    );
    let packets = vec![international("XML:com.adobe.xmp", &bomb, true); 100];
    check_refused("100 XMP bombs", png(&packets));
    let many = vec![packed_text("Comment", &bomb); 100];
    let mut with_label = many.clone();
    with_label.push(text("parameters", RUN.as_bytes()));
    check_refused("100 bombs", png(&many));
    assert_eq!(
        labels(png(&with_label)).len(),
        1,
        "what is not packed is still read"
    );
    assert!(begun.elapsed() < 5 * SOON, "{:?}", begun.elapsed());
}

#[test]
fn labels_are_counted_once_and_to_a_limit() {
    let same = vec![text("parameters", RUN.as_bytes()); 100];
    assert_eq!(labels(png(&same)).len(), 1);
    let different: Vec<_> = (0..300)
        .map(|n| text("parameters", format!("{n} {RUN}").as_bytes()))
        .collect();
    assert_eq!(labels(png(&different)).len(), 64);
}

#[test]
fn exif_directories_cannot_loop_or_lie() {
    let run = [b"ASCII\0\0\0".as_slice(), RUN.as_bytes()].concat();
    let good = tiff(&[], &[(0x9286, run)]);
    assert_eq!(labels(good.clone()).len(), 1);
    // The EXIF directory is the first directory again.
    let mut looped = good.clone();
    looped[18..22].copy_from_slice(&8_u32.to_le_bytes());
    check_refused("loop", looped);
    let mut lying = good.clone();
    let count = good.windows(2).position(|two| two == [0x86, 0x92]).unwrap() + 4;
    lying[count..count + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    check_refused("a count of 4 GB", lying);
    // 65,535 entries, each a pointer to a directory that overlaps the next one.
    let mut many = b"II\x2a\0\x08\0\0\0\xff\xff".to_vec();
    for at in 0..65_535_u32 {
        many.extend(b"\x25\x88\x04\0\x01\0\0\0");
        many.extend((10 + at).to_le_bytes());
    }
    check_refused("overlapping directories", many);
}

/// One file of every container with a label of every family.
fn seeds() -> Vec<Vec<u8>> {
    let packet = xmp(
        &format!("Iptc4xmpExt:DigitalSourceType=\"{FULL}\""),
        "<a>&amp;</a>",
    );
    let comment = [b"UNICODE\0".as_slice(), RUN.as_bytes()].concat();
    let exif = tiff(&[(0x010f, b"Ideogram AI\0".to_vec())], &[(0x9286, comment)]);
    vec![
        png(&[
            packed_text("parameters", RUN.as_bytes()),
            international("XML:com.adobe.xmp", packet.as_bytes(), true),
            text("AIGC", TC260.as_bytes()),
            (b"eXIf", exif.clone()),
        ]),
        jpeg(&[jpeg_xmp(&packet), jpeg_exif(&exif), (0xfe, TC260.into())]),
        jpeg(&jpeg_extended_xmp(&packet, 100)),
        riff(
            b"WEBP",
            &[(b"XMP ", packet.clone().into()), (b"EXIF", exif.clone())],
        ),
        super::gif(&packet),
        heif(
            b"avif",
            &[(super::XMP_ITEM, packet.clone().into_bytes())],
            Layout::InMeta,
        ),
        tiff(&[(0x02bc, packet.into_bytes())], &[]),
        mp4_key(&["AIGC"], TC260, true),
        samsung(r#"{"genAIType":1}"#),
        exif,
    ]
}

#[test]
fn lists_of_items_cannot_lie() {
    let file = |places: &[u8]| {
        let item = b"\x02\0\0\0\0\x01\0\0mimeXMP\0application/rdf+xml\0";
        let items = [b"\0\0\0\0\0\x01".as_slice(), &mp4_box(b"infe", item)].concat();
        let content = [
            b"\0\0\0\0".to_vec(),
            mp4_box(b"iinf", &items),
            mp4_box(b"iloc", places),
        ];
        let ftyp = mp4_box(b"ftyp", b"heic\0\0\0\0mif1heic");
        [ftyp, mp4_box(b"meta", &content.concat())].concat()
    };
    // Numbers without a width: every item has 65,535 parts for eight bytes.
    let mut free = b"\x02\0\0\0\0\0\0\x10\0\0".to_vec();
    free.extend(b"\0\0\0\x01\0\0\0\0\xff\xff".repeat(1 << 20));
    check_refused("parts that cost nothing", file(&free));
    let mut many = b"\0\0\0\0\x44\0\0\x01\0\x01\0\0\xff\xff".to_vec();
    many.extend([0; 8 * 65_535]);
    check_refused("the whole file 65,535 times", file(&many));
    let far = b"\x01\0\0\0\x88\x80\0\x01\0\x01\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff";
    check_refused("beyond every file", file(far));
}

#[test]
fn no_cut_and_no_flipped_byte_panics() {
    for seed in seeds() {
        assert!(!labels(seed.clone()).is_empty());
        for length in (0..seed.len()).step_by(7) {
            labels(seed[..length].to_vec());
        }
        for at in 0..seed.len() {
            let mut flipped = seed.clone();
            flipped[at] ^= 0xff;
            let found = judge(flipped);
            assert!(found.labels.len() <= 64);
        }
    }
}
