//! Measures the style sheet: every colour that letters or lines have stands out from the paper in both colour
//! schemes, as WCAG 2.2 asks (1.4.3: 4.5 to 1 for text, 1.4.11: 3 to 1 for edges).

/// The colours of one scheme by name.
type Scheme = Vec<(String, [u8; 3])>;

const STYLE: &str = include_str!("../../static/page.css");

/// The two `:root` blocks: light, then dark.
fn schemes() -> Vec<Scheme> {
    STYLE
        .split(":root {")
        .skip(1)
        .map(|block| {
            let (block, _) = block.split_once('}').unwrap();
            block.split(';').filter_map(colour).collect()
        })
        .collect()
}

fn colour(declaration: &str) -> Option<(String, [u8; 3])> {
    let (name, value) = declaration.trim().split_once(':')?;
    let hex = value.trim().strip_prefix('#')?;
    let channel = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    let name = name.strip_prefix("--")?.to_owned();
    Some((name, [channel(0), channel(2), channel(4)]))
}

/// Relative luminance, as WCAG defines it.
fn luminance(colour: [u8; 3]) -> f64 {
    let linear = colour.map(|channel| {
        let share = f64::from(channel) / 255.0;
        match share <= 0.04045 {
            true => share / 12.92,
            false => ((share + 0.055) / 1.055).powf(2.4),
        }
    });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn black_on_white_is_measured_right() {
    assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
    assert!((contrast([0x77; 3], [255; 3]) - 4.48).abs() < 0.01);
}

#[test]
fn every_colour_stands_out_from_the_paper() {
    let schemes = schemes();
    assert_eq!(schemes.len(), 2);
    for scheme in schemes {
        let paper = scheme.iter().find(|(name, _)| name == "paper").unwrap().1;
        assert_eq!(scheme.len(), 9);
        for (name, colour) in scheme {
            let enough = match name.as_str() {
                "paper" => continue,
                "line" => 3.0,
                _ => 4.5,
            };
            let found = contrast(colour, paper);
            assert!(found >= enough, "{name} has {found:.2} to 1");
        }
    }
}
