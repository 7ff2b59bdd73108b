//! Two small drawings in SVG: the ROC curves and the reliability diagram of the tiers.

use crate::{figures::Tier, sample::Bin};

/// ROC curves: false alarms to the right, hits upwards.
pub(crate) fn roc(tiers: &[Tier]) -> String {
    let curves = tiers.iter().map(|tier| (tier.name, tier.roc.clone()));
    drawing(curves.collect(), "false alarms", "found")
}

/// What was said to the right, what was true upwards; bins that hold a hundredth of the pictures or more.
pub(crate) fn reliability(tiers: &[Tier]) -> String {
    let point = |bin: &Bin| (bin.said / bin.share, bin.was / bin.share);
    let curves = tiers.iter().map(|tier| {
        let filled = tier.reliability.iter().filter(|bin| bin.share >= 0.01);
        (tier.name, filled.map(point).collect())
    });
    drawing(curves.collect(), "probability said", "share synthetic")
}

fn drawing(curves: Vec<(&str, Vec<(f64, f64)>)>, across: &str, up: &str) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         role=\"img\" aria-label=\"{up} against {across}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{SIDE}\" height=\"{SIDE}\" fill=\"none\" stroke=\"#999\"/>\n\
         <line x1=\"{LEFT}\" y1=\"{}\" x2=\"{}\" y2=\"{TOP}\" stroke=\"#ccc\" stroke-dasharray=\"4 4\"/>\n\
         <text x=\"{LEFT}\" y=\"{}\">0 … 1 {across}</text>\n<text x=\"{LEFT}\" y=\"{}\">{up}</text>\n",
        TOP + SIDE,
        LEFT + SIDE,
        TOP + SIDE + 18,
        TOP - 6,
    );
    for (place, (name, points)) in curves.into_iter().enumerate() {
        let colour = COLOURS.get(place).copied().unwrap_or("#000");
        let line: Vec<String> = points.into_iter().map(at).collect();
        svg += &format!(
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{}\"/>\n\
             <text x=\"{}\" y=\"{}\" fill=\"{colour}\">{name}</text>\n",
            line.join(" "),
            LEFT + SIDE - 40,
            TOP + SIDE - 44 + 16 * u32::try_from(place).unwrap_or_default(),
        );
    }
    svg += "</svg>";
    svg
}

fn at((x, y): (f64, f64)) -> String {
    let side = f64::from(SIDE);
    let (left, bottom) = (f64::from(LEFT), f64::from(TOP + SIDE));
    format!("{:.1},{:.1}", left + x * side, bottom - y * side)
}

/// Colours that stay apart for colour-blind readers.
const COLOURS: [&str; 3] = ["#0072b2", "#d55e00", "#009e73"];

const SIDE: u32 = 300;
const LEFT: u32 = 20;
const TOP: u32 = 24;
const WIDTH: u32 = 340;
const HEIGHT: u32 = 350;
