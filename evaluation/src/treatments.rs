//! The deliveries under which every evaluation is made, as one table. A treatment is a list of steps, nothing else.

use crate::{manifest::Label, pixels::Step};

/// A named way a picture may go before it is examined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Treatment {
    pub(crate) name: &'static str,
    pub(crate) steps: &'static [Step],
    /// Whether only one class goes this way.
    pub(crate) only: Option<Label>,
}

/// How much is measured. Each picture costs about three, seventeen or thirty examinations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// The three tiers of delivery.
    Tiers,
    /// Also bias gates and re-deliveries.
    #[default]
    Usual,
    /// Also compression, scale, blur and noise in steps.
    Sweep,
}

/// Every treatment of a run, each once. The first three are the tiers, in the order of [`TIERS`].
pub(crate) fn all(depth: Depth) -> Vec<Treatment> {
    let mut all: Vec<Treatment> = Vec::new();
    let (usual, swept) = match depth {
        Depth::Tiers => (false, false),
        Depth::Usual => (true, false),
        Depth::Sweep => (true, true),
    };
    let table = |wanted: bool, table: &'static [Treatment]| if wanted { table } else { &[] };
    let wanted = TIERS
        .iter()
        .chain(table(usual, &DELIVERIES))
        .chain(table(usual, &GATES))
        .chain(table(swept, &SWEEP));
    for treatment in wanted {
        match all.iter_mut().find(|known| known.name == treatment.name) {
            // What one table wants for both classes is measured for both.
            Some(known) => known.only = known.only.filter(|_| known.only == treatment.only),
            None => all.push(*treatment),
        }
    }
    all
}

const fn both(name: &'static str, steps: &'static [Step]) -> Treatment {
    Treatment {
        name,
        steps,
        only: None,
    }
}

const fn only(label: Label, name: &'static str, steps: &'static [Step]) -> Treatment {
    Treatment {
        name,
        steps,
        only: Some(label),
    }
}

/// As it lies there; as a web page shows it; as it looks after hard use.
pub(crate) const TIERS: [Treatment; 3] = [
    both("clean", &[]),
    both("web", &[Step::Fit(768), Step::Jpeg(60)]),
    both("hard", &[Step::Fit(512), Step::Jpeg(40)]),
];

/// Twelve ways a picture is passed on. None of them makes it another picture.
pub(crate) static DELIVERIES: [Treatment; 12] = [
    both("jpeg 90", &[Step::Jpeg(90)]),
    both("jpeg 75", &[Step::Jpeg(75)]),
    both("jpeg 50", &[Step::Jpeg(50)]),
    TIERS[1],
    TIERS[2],
    both("scale 75, jpeg 85", &[Step::Scale(75), Step::Jpeg(85)]),
    both("scale 60, jpeg 75", &[Step::Scale(60), Step::Jpeg(75)]),
    both("scale 150, jpeg 85", &[Step::Scale(150), Step::Jpeg(85)]),
    both(
        "jpeg 85, moved, jpeg 75",
        &[Step::Jpeg(85), Step::Shift(3), Step::Jpeg(75)],
    ),
    both("margin 8, jpeg 90", &[Step::Margin(8), Step::Jpeg(90)]),
    both("screenshot", &[Step::Scale(125), Step::Shift(5), Step::Png]),
    both("blur 0.6, jpeg 80", &[Step::Blur(6), Step::Jpeg(80)]),
];

/// Harmless treatments that must not look like generation (the first four) or hide it (the last).
pub(crate) static GATES: [Treatment; 5] = [
    only(Label::Real, "blur 0.8", &[Step::Blur(8)]),
    only(Label::Real, "scale 150", &[Step::Scale(150)]),
    only(Label::Real, "median", &[Step::Median]),
    only(Label::Real, "png", &[Step::Png]),
    only(Label::Synthetic, "jpeg 75", &[Step::Jpeg(75)]),
];

/// One treatment at a time, in steps. The tree has no encoder of lossy WebP, so WebP is not among them.
pub(crate) static SWEEP: [Treatment; 21] = [
    both("jpeg 95", &[Step::Jpeg(95)]),
    both("jpeg 85", &[Step::Jpeg(85)]),
    both("jpeg 75", &[Step::Jpeg(75)]),
    both("jpeg 60", &[Step::Jpeg(60)]),
    both("jpeg 40", &[Step::Jpeg(40)]),
    both("jpeg 30", &[Step::Jpeg(30)]),
    both("scale 75", &[Step::Scale(75)]),
    both("scale 60", &[Step::Scale(60)]),
    both("scale 125", &[Step::Scale(125)]),
    both("scale 200", &[Step::Scale(200)]),
    both("blur 0.5", &[Step::Blur(5)]),
    both("blur 1.0", &[Step::Blur(10)]),
    both("blur 2.0", &[Step::Blur(20)]),
    both("median", &[Step::Median]),
    both("noise 2", &[Step::Noise(20)]),
    both("noise 5", &[Step::Noise(50)]),
    both("noise 10", &[Step::Noise(100)]),
    both("jpeg 90, jpeg 70", &[Step::Jpeg(90), Step::Jpeg(70)]),
    both("jpeg 60, jpeg 90", &[Step::Jpeg(60), Step::Jpeg(90)]),
    both(
        "jpeg 90, moved, jpeg 70",
        &[Step::Jpeg(90), Step::Shift(4), Step::Jpeg(70)],
    ),
    both("screenshot", &[Step::Scale(125), Step::Shift(5), Step::Png]),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{DELIVERIES, Depth, GATES, SWEEP, TIERS, all};

    #[test]
    fn a_name_stands_for_one_treatment_and_is_measured_once() {
        let mut steps = BTreeMap::new();
        for treatment in TIERS.iter().chain(&DELIVERIES).chain(&GATES).chain(&SWEEP) {
            assert_eq!(
                *steps.entry(treatment.name).or_insert(treatment.steps),
                treatment.steps
            );
        }
        assert_eq!(all(Depth::Sweep).len(), steps.len());
        let few = all(Depth::Usual);
        assert_eq!((few.len(), all(Depth::Tiers).len()), (3 + 10 + 4, 3));
        assert!(
            few.iter()
                .zip(TIERS)
                .all(|(found, tier)| *found == tier || found.name == tier.name)
        );
    }

    #[test]
    fn what_one_table_wants_for_both_classes_is_measured_for_both() {
        let only = |depth, name| {
            let all = all(depth);
            all.iter()
                .find(|treatment| treatment.name == name)
                .unwrap()
                .only
        };
        assert_eq!(only(Depth::Usual, "jpeg 75"), None);
        assert!(only(Depth::Usual, "median").is_some());
        assert_eq!(only(Depth::Sweep, "median"), None);
    }
}
