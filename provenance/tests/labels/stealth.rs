//! Text that generators hide in the transparency of a PNG.

use provenance::{AiStatus::DeclaredFull, LabelKind::PngText};

use super::{RUN, check, labels};

#[test]
fn text_hidden_in_transparency_is_read() {
    use std::io::Write as _;
    let comment = r#"{"prompt":"a cat","uc":"dog","sampler":"k_euler","seed":1}"#;
    let json = serde_json::json!({ "Software": "NovelAI", "Comment": comment }).to_string();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(json.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let novel = [(PngText, "png:alpha", Some("NovelAI"), Some(DeclaredFull))];
    // In a small picture the text runs over many columns.
    for side in [60, 200] {
        check(stealth("stealth_pngcomp", &packed, side), &novel);
    }
    let run = [(
        PngText,
        "png:alpha",
        Some("Stable Diffusion"),
        Some(DeclaredFull),
    )];
    check(stealth("stealth_pnginfo", RUN.as_bytes(), 100), &run);
    check(stealth("stealth_pngwhat", RUN.as_bytes(), 100), &[]);
    check(stealth("stealth_rgbinfo", RUN.as_bytes(), 100), &[]);
    check(stealth("stealth_pngcomp", b"not packed at all", 100), &[]);
    let sound = stealth("stealth_pnginfo", RUN.as_bytes(), 60);
    for length in (0..sound.len()).step_by(97) {
        labels(sound[..length].to_vec());
    }
}

/// A picture of random colours whose alpha channel hides `payload` behind `signature`.
fn stealth(signature: &str, payload: &[u8], side: u32) -> Vec<u8> {
    let bits = u32::try_from(payload.len() * 8).unwrap().to_be_bytes();
    let hidden = [signature.as_bytes(), &bits, payload].concat();
    let pixels = image::RgbaImage::from_fn(side, side + 3, |x, y| {
        let at = (x * (side + 3) + y) as usize;
        let byte = hidden.get(at / 8).copied().unwrap_or(0);
        let bit = (byte >> (7 - at % 8)) & 1;
        image::Rgba([(x * 7) as u8, (y * 3) as u8, (x ^ y) as u8, 254 | bit])
    });
    let mut bytes = std::io::Cursor::new(Vec::new());
    pixels
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}
