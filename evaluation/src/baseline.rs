//! What a detector must beat to have seen anything: the same list judged by the form of the files alone, and by a
//! thumbnail alone.
//!
//! Both are trained on other sources than they are tried on, so they show what a list gives away, not what a
//! source looks like.

use std::collections::BTreeMap;

use media::{Kind, Picture};

use crate::{
    logistic::Logistic,
    manifest::{Label, Row},
    pixels::scaled,
    sample::{Called, Item, Sample},
    statistics::number,
};

/// What the baselines may see of one picture.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Surface {
    /// Of the file: its length, shape, kind and quantisation.
    pub(crate) form: Vec<f32>,
    /// The picture at 32 by 32 pixels.
    pub(crate) thumbnail: Vec<u8>,
}

impl Surface {
    /// `None` when no thumbnail can be made.
    pub(crate) fn of(picture: &Picture, file: &[u8]) -> Option<Self> {
        Some(Self {
            form: form(picture, file),
            thumbnail: scaled(picture, SIDE, SIDE)?.rgb().to_vec(),
        })
    }
}

/// Mean area under the curve over the folds; `None` with fewer than two sources of a class.
pub(crate) fn cross_fitted(rows: &[&Row], features: &[Vec<f32>]) -> Option<f64> {
    let folds = folds(rows)?;
    let last = *folds.iter().max()?;
    let areas = (0..=last).filter_map(|fold| {
        let outside = |place: &usize| folds.get(*place).is_some_and(|of| *of != fold);
        let (train, test): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(outside);
        let row = |place: &usize| features.get(*place).map(Vec::as_slice);
        let label = |place: &usize| {
            rows.get(*place)
                .is_some_and(|row| row.label == Label::Synthetic)
        };
        let fitted = Logistic::fit(
            &train.iter().filter_map(row).collect::<Vec<_>>(),
            &train.iter().map(label).collect::<Vec<_>>(),
        );
        let item = |place: &usize| Item {
            synthetic: label(place),
            llr: row(place).map(|row| fitted.score(row)),
            called: Called::Neither,
        };
        let sample = Sample::new(test.iter().map(item).collect());
        sample.auc(&vec![1.0; test.len()])
    });
    let areas: Vec<f64> = areas.collect();
    (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / number(areas.len()))
}

/// The fold of each row: sources of each class, in the order of their names, by turns.
fn folds(rows: &[&Row]) -> Option<Vec<usize>> {
    let mut sources: BTreeMap<Label, BTreeMap<&str, usize>> = BTreeMap::new();
    for row in rows {
        sources.entry(row.label).or_default().insert(&row.source, 0);
    }
    let fewest = sources
        .values()
        .map(BTreeMap::len)
        .min()
        .unwrap_or_default();
    if sources.len() < 2 || fewest < 2 {
        return None;
    }
    let count = fewest.min(MOST_FOLDS);
    for of_class in sources.values_mut() {
        for (turn, fold) in of_class.values_mut().enumerate() {
            *fold = turn % count;
        }
    }
    rows.iter()
        .map(|row| sources.get(&row.label)?.get(row.source.as_str()).copied())
        .collect()
}

fn form(picture: &Picture, file: &[u8]) -> Vec<f32> {
    let bytes = log(u64::try_from(file.len()).unwrap_or_default());
    let (width, height) = (log(picture.width().into()), log(picture.height().into()));
    let kind = Kind::sniff(file);
    let is = |wanted: Kind| if kind == wanted { 1.0 } else { 0.0 };
    vec![
        bytes,
        bytes - width - height,
        width.max(height),
        (width - height).abs(),
        is(Kind::Jpeg),
        is(Kind::Png),
        is(Kind::WebP),
        quantisation(file),
    ]
}

/// Logarithm of a count; all counts here are far below the 16 million that are exact.
fn log(count: u64) -> f32 {
    let high = u16::try_from(count >> 16).map_or(f32::from(u16::MAX), f32::from);
    let low = u16::try_from(count & 0xffff).map_or(0.0, f32::from);
    (high * 65_536.0 + low).max(1.0).ln()
}

/// Logarithm of the mean step of the first quantisation table of a JPEG; 0 for any other file.
fn quantisation(file: &[u8]) -> f32 {
    let table = file
        .windows(5)
        // Start of a table segment, its length of one or more 8-bit tables, then table 0.
        .position(|bytes| matches!(bytes, [0xff, 0xdb, _, _, 0]))
        .filter(|_| Kind::sniff(file) == Kind::Jpeg)
        .and_then(|start| file.get(start + 5..start + 69));
    let sum: u16 = table
        .into_iter()
        .flatten()
        .map(|step| u16::from(*step))
        .sum();
    (f32::from(sum.max(64)) / 64.0).ln()
}

/// Side of the thumbnail: enough to see what a picture shows, too little for any trace of how it was made.
const SIDE: u32 = 32;

/// Most parts a list is split into.
const MOST_FOLDS: usize = 5;

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use media::Picture;

    use super::{Surface, cross_fitted};
    use crate::{
        manifest::{Label, Row},
        pixels::{Step, deliver},
    };

    fn row(label: Label, source: &str) -> Row {
        Row {
            name: String::new(),
            path: PathBuf::new(),
            label,
            source: source.to_owned(),
            group: None,
            crop: None,
        }
    }

    #[test]
    fn a_give_away_is_found_across_sources_and_one_source_cannot_be_crossed() {
        let rows: Vec<Row> = (0..40)
            .map(|place| match place % 4 {
                0 => row(Label::Real, "a"),
                1 => row(Label::Real, "b"),
                2 => row(Label::Synthetic, "c"),
                _ => row(Label::Synthetic, "d"),
            })
            .collect();
        let rows: Vec<&Row> = rows.iter().collect();
        let told: Vec<Vec<f32>> = (0..40_u8)
            .map(|place| vec![f32::from(place % 4 / 2)])
            .collect();
        let close = |found: Option<f64>, wanted: f64| (found.unwrap() - wanted).abs() < 1e-9;
        assert!(close(cross_fitted(&rows, &told), 1.0));
        // What tells the sources of one fold apart, but not the classes, is worth nothing or less.
        let source: Vec<Vec<f32>> = (0..40_u8).map(|place| vec![f32::from(place % 2)]).collect();
        assert!(close(cross_fitted(&rows, &source), 0.5));
        let one: Vec<&Row> = rows
            .iter()
            .filter(|row| row.source != "a")
            .copied()
            .collect();
        assert_eq!(cross_fitted(&one, &told), None);
    }

    #[test]
    fn the_form_tells_a_coarse_jpeg_from_a_fine_one() {
        let rgb = (0..64 * 64 * 3_u32).map(|value| u8::try_from(value * 37 % 251).unwrap());
        let picture = Picture::new(64, 64, rgb.collect()).unwrap();
        let surface = |step| {
            let parcel = deliver(&picture, &[step], 1).unwrap();
            Surface::of(&parcel.picture, &parcel.file.unwrap()).unwrap()
        };
        let (coarse, fine) = (surface(Step::Jpeg(40)), surface(Step::Jpeg(95)));
        assert!(
            coarse.form[7] > fine.form[7] && fine.form[7] > 0.0,
            "{:?}",
            coarse.form
        );
        assert_eq!(surface(Step::Png).form[7], 0.0);
        assert_eq!(coarse.thumbnail.len(), 32 * 32 * 3);
    }
}
