//! Smallest files that carry a given block of metadata. No pixel of them can be decoded.

use std::io::Write as _;

use flate2::{Compression, write::ZlibEncoder};

pub(crate) fn png(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = b"\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0".to_vec();
    let all = [(b"IHDR", header)];
    let end = [(b"IDAT", vec![0; 9]), (b"IEND", Vec::new())];
    for (kind, data) in all.iter().chain(chunks).chain(&end) {
        file.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        file.extend(*kind);
        file.extend(data);
        file.extend([0; 4]);
    }
    file
}

pub(crate) fn text(keyword: &str, text: &[u8]) -> (&'static [u8; 4], Vec<u8>) {
    (b"tEXt", [keyword.as_bytes(), b"\0", text].concat())
}

pub(crate) fn packed_text(keyword: &str, text: &[u8]) -> (&'static [u8; 4], Vec<u8>) {
    let data = [keyword.as_bytes(), b"\0\0", &deflated(text)].concat();
    (b"zTXt", data)
}

pub(crate) fn international(
    keyword: &str,
    text: &[u8],
    packed: bool,
) -> (&'static [u8; 4], Vec<u8>) {
    let stored = if packed {
        deflated(text)
    } else {
        text.to_vec()
    };
    let head = [keyword.as_bytes(), &[0, u8::from(packed), 0], b"en\0\0"].concat();
    (b"iTXt", [head, stored].concat())
}

pub(crate) fn deflated(text: &[u8]) -> Vec<u8> {
    let mut out = ZlibEncoder::new(Vec::new(), Compression::best());
    out.write_all(text).unwrap();
    out.finish().unwrap()
}

pub(crate) fn jpeg(segments: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut file = b"\xff\xd8".to_vec();
    for (marker, data) in segments {
        file.extend([0xff, *marker]);
        file.extend(u16::try_from(data.len() + 2).unwrap().to_be_bytes());
        file.extend(data);
    }
    file.extend(b"\xff\xda\0\x02\xff\xd9");
    file
}

pub(crate) fn jpeg_xmp(packet: &str) -> (u8, Vec<u8>) {
    let head = b"http://ns.adobe.com/xap/1.0/\0".as_slice();
    (0xe1, [head, packet.as_bytes()].concat())
}

/// An XMP packet in parts of `size` bytes, the last part first.
pub(crate) fn jpeg_extended_xmp(packet: &str, size: usize) -> Vec<(u8, Vec<u8>)> {
    let length = u32::try_from(packet.len()).unwrap().to_be_bytes();
    let mut segments = Vec::new();
    for (number, part) in packet.as_bytes().chunks(size).enumerate() {
        let at = u32::try_from(number * size).unwrap().to_be_bytes();
        let mut data = b"http://ns.adobe.com/xmp/extension/\0".to_vec();
        data.extend([b'A'; 32]);
        data.extend(length);
        data.extend(at);
        data.extend(part);
        segments.push((0xe1, data));
    }
    segments.reverse();
    segments
}

pub(crate) fn jpeg_exif(tiff: &[u8]) -> (u8, Vec<u8>) {
    (0xe1, [b"Exif\0\0".as_slice(), tiff].concat())
}

pub(crate) fn riff(form: &[u8; 4], chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut body = form.to_vec();
    for (kind, data) in chunks {
        body.extend(*kind);
        body.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        body.extend(data);
        body.extend(vec![0; data.len() % 2]);
    }
    let length = u32::try_from(body.len()).unwrap().to_le_bytes();
    [b"RIFF".as_slice(), &length, &body].concat()
}

/// A GIF with one picture and its XMP behind it.
pub(crate) fn gif(packet: &str) -> Vec<u8> {
    let mut file = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    file.extend(b"\x21\xf9\x04\0\0\0\0\0");
    file.extend(b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0");
    file.extend(b"\x21\xff\x0bXMP DataXMP");
    file.extend(packet.as_bytes());
    file.push(1);
    file.extend((0..=255_u8).rev());
    file.extend(b"\0\x3b");
    file
}

/// A TIFF structure, smallest byte first: the last `exif` fields stand in the EXIF directory.
pub(crate) fn tiff(fields: &[(u16, Vec<u8>)], exif: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut file = b"II\x2a\0\x08\0\0\0".to_vec();
    let first = directory_length(fields.len() + 1);
    let second = 8 + first;
    let values_at = second + directory_length(exif.len());
    let mut values = Vec::new();
    let pointer = u32::try_from(second).unwrap().to_le_bytes();
    directory(&mut file, fields, Some(pointer), values_at, &mut values);
    directory(&mut file, exif, None, values_at, &mut values);
    file.extend(values);
    file
}

fn directory_length(entries: usize) -> usize {
    2 + 12 * entries + 4
}

fn directory(
    file: &mut Vec<u8>,
    fields: &[(u16, Vec<u8>)],
    pointer: Option<[u8; 4]>,
    values_at: usize,
    values: &mut Vec<u8>,
) {
    let count = fields.len() + usize::from(pointer.is_some());
    file.extend(u16::try_from(count).unwrap().to_le_bytes());
    for (tag, value) in fields {
        file.extend(tag.to_le_bytes());
        file.extend(7_u16.to_le_bytes());
        file.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
        if value.len() <= 4 {
            let mut small = value.clone();
            small.resize(4, 0);
            file.extend(small);
        } else {
            let at = values_at + values.len();
            file.extend(u32::try_from(at).unwrap().to_le_bytes());
            values.extend(value);
        }
    }
    if let Some(pointer) = pointer {
        file.extend(0x8769_u16.to_le_bytes());
        file.extend(4_u16.to_le_bytes());
        file.extend(1_u32.to_le_bytes());
        file.extend(pointer);
    }
    file.extend([0; 4]);
}

pub(crate) fn mp4_box(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).unwrap().to_be_bytes();
    [length.as_slice(), kind, content].concat()
}

/// A film whose `meta` box gives `value` under the last of `keys`.
pub(crate) fn mp4_key(keys: &[&str], value: &str, in_user_data: bool) -> Vec<u8> {
    let count = u32::try_from(keys.len()).unwrap().to_be_bytes();
    let names: Vec<u8> = keys
        .iter()
        .flat_map(|key| mp4_box(b"mdta", key.as_bytes()))
        .collect();
    let data = mp4_box(
        b"data",
        &[&[0, 0, 0, 1, 0, 0, 0, 0], value.as_bytes()].concat(),
    );
    let list = mp4_box(b"keys", &[&[0; 4], count.as_slice(), &names].concat());
    let values = mp4_box(b"ilst", &mp4_box(&count, &data));
    let handler = mp4_box(b"hdlr", &[0; 25]);
    let inner = [handler, list, values].concat();
    let content = if in_user_data {
        let meta = mp4_box(b"meta", &[vec![0; 4], inner].concat());
        mp4_box(b"udta", &meta)
    } else {
        mp4_box(b"meta", &inner)
    };
    [
        mp4_box(b"ftyp", b"isom\0\0\0\0isom"),
        mp4_box(b"moov", &content),
    ]
    .concat()
}

/// How the items of a HEIF file are found.
#[derive(Clone, Copy)]
pub(crate) enum Layout {
    /// As telephones write them: by place in the file.
    InFile,
    /// In the `meta` box itself, in two parts, with wide numbers.
    InMeta,
}

/// A HEIF or AVIF file with these items of metadata behind a picture: kind and content type, bytes.
pub(crate) fn heif(brand: &[u8; 4], items: &[(&[u8], Vec<u8>)], layout: Layout) -> Vec<u8> {
    let ftyp = mp4_box(b"ftyp", &[brand, &[0; 4][..], b"mif1"].concat());
    // The places depend on the length of the box that states them, which does not depend on them.
    let length = meta(items, layout, 0).len();
    let data: Vec<u8> = items.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    let start = ftyp.len() + length + 8;
    [ftyp, meta(items, layout, start), mp4_box(b"mdat", &data)].concat()
}

fn meta(items: &[(&[u8], Vec<u8>)], layout: Layout, start: usize) -> Vec<u8> {
    let wide = |number: usize| u32::try_from(number).unwrap().to_be_bytes();
    let short = |number: usize| u16::try_from(number).unwrap().to_be_bytes();
    let mut entries = [vec![0; 4], short(items.len() + 1).to_vec()].concat();
    entries.extend(mp4_box(b"infe", b"\x02\0\0\0\0\x01\0\0hvc1picture\0"));
    for (number, (kind, _)) in items.iter().enumerate() {
        let entry = [b"\x02\0\0\0", &short(number + 2)[..], &[0, 0], *kind].concat();
        entries.extend(mp4_box(b"infe", &entry));
    }
    let mut places = match layout {
        Layout::InFile => [&[0, 0, 0, 0, 0x44, 0x40][..], &short(items.len() + 1)].concat(),
        Layout::InMeta => [&[2, 0, 0, 0, 0x44, 0x44][..], &wide(items.len() + 1)].concat(),
    };
    let mut at = 0;
    for number in 0..=items.len() {
        let length = number.checked_sub(1).map_or(1, |one| items[one].1.len());
        match layout {
            Layout::InFile => {
                places.extend([&short(number + 1)[..], &[0, 0], &wide(start)].concat());
                places.extend([&short(1)[..], &wide(at), &wide(length)].concat());
            }
            Layout::InMeta => {
                let method = usize::from(number > 0);
                places.extend([&wide(number + 1)[..], &short(method), &[0, 0], &wide(0)].concat());
                let first = length / 2;
                places.extend([&short(2)[..], &wide(0), &wide(at), &wide(first)].concat());
                places.extend([&wide(1)[..], &wide(at + first), &wide(length - first)].concat());
            }
        }
        at += if number == 0 { 0 } else { length };
    }
    let mut content = [
        vec![0; 4],
        mp4_box(b"hdlr", &[0; 25]),
        mp4_box(b"iinf", &entries),
    ]
    .concat();
    content.extend(mp4_box(b"iloc", &places));
    if let Layout::InMeta = layout {
        let data: Vec<u8> = items.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
        content.extend(mp4_box(b"idat", &data));
    }
    mp4_box(b"meta", &content)
}

/// A JPEG with Samsung's record of an edit behind it.
pub(crate) fn samsung(edit: &str) -> Vec<u8> {
    let name = b"PhotoEditor_Re_Edit_Data";
    let mut record = vec![0, 0, 0xa1, 0x0b];
    record.extend(u32::try_from(name.len()).unwrap().to_le_bytes());
    record.extend(name);
    record.extend(edit.as_bytes());
    let mut directory = b"SEFH\x6a\0\0\0\x01\0\0\0\0\0\xa1\x0b".to_vec();
    let length = u32::try_from(record.len()).unwrap().to_le_bytes();
    directory.extend(length);
    directory.extend(length);
    let directory_length = u32::try_from(directory.len()).unwrap().to_le_bytes();
    let trailer = [
        record,
        directory,
        directory_length.to_vec(),
        b"SEFT".to_vec(),
    ];
    [jpeg(&[]), trailer.concat()].concat()
}

/// An XMP packet whose description has these attributes and elements.
pub(crate) fn xmp(attributes: &str, elements: &str) -> String {
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
         <x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF \
         xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
         <rdf:Description rdf:about=\"\" \
         xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\" \
         xmlns:photoshop=\"http://ns.adobe.com/photoshop/1.0/\" \
         xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" \
         xmlns:exif=\"http://ns.adobe.com/exif/1.0/\" \
         xmlns:TC260=\"http://www.tc260.org.cn/ns/AIGC/1.0/\" {attributes}>{elements}\
         </rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"w\"?>"
    )
}
