//! From the numbers of a model's output to one logit. What a logit is worth, the calibration says.

use crate::card::Meaning;

impl Meaning {
    /// The logit in the numbers that a model gave for one window; may be infinite or NaN when they are.
    ///
    /// # Errors
    ///
    /// In words: too few or too many numbers, or a number that is no probability.
    pub(crate) fn logit(self, numbers: &[f32]) -> Result<f32, String> {
        match (self, numbers) {
            (Self::Logit, [logit]) => Ok(*logit),
            (Self::Probability, [chance]) => odds(*chance),
            (Self::Logit | Self::Probability, _) => Err(format!(
                "the output holds {} numbers, not one",
                numbers.len()
            )),
            (Self::ClassProbabilities(class), _) => odds(pick(numbers, class)?),
            (Self::ClassLogits(class), _) => Ok(pick(numbers, class)? - others(numbers, class)),
        }
    }
}

fn pick(numbers: &[f32], class: u16) -> Result<f32, String> {
    let found = numbers
        .get(usize::from(class))
        .filter(|_| numbers.len() > 1);
    let refused = || {
        format!(
            "the output holds {} classes, there is no class {class} among others",
            numbers.len()
        )
    };
    found.copied().ok_or_else(refused)
}

/// Logarithm of the odds. A chance of exactly 0 or 1 is one that 32 bits cannot tell from it.
fn odds(chance: f32) -> Result<f32, String> {
    // Rounding in a softmax may pass 1 by a little; more is another meaning.
    if !(-ROUNDING..=1.0 + ROUNDING).contains(&chance) && !chance.is_nan() {
        return Err(format!("the output {chance} is no probability"));
    }
    let chance = chance.clamp(f32::EPSILON, 1.0 - f32::EPSILON);
    Ok((chance / (1.0 - chance)).ln())
}

/// The logarithm of the summed exponentials of the other classes: the softmax of two classes has their difference.
fn others(numbers: &[f32], class: u16) -> f32 {
    let others = || {
        let numbered = numbers.iter().enumerate();
        numbered
            .filter(|(place, _)| *place != usize::from(class))
            .map(|(_, value)| *value)
    };
    let highest = others().fold(f32::NEG_INFINITY, f32::max);
    highest
        + others()
            .map(|value| (value - highest).exp())
            .sum::<f32>()
            .ln()
}

/// How far a computed probability may lie outside its range.
const ROUNDING: f32 = 1e-4;

#[cfg(test)]
mod tests {
    use crate::card::Meaning;

    fn check(meaning: Meaning, numbers: &[f32], expected: f32) {
        let logit = meaning.logit(numbers).unwrap();
        assert!(
            (logit - expected).abs() < 1e-4,
            "{meaning:?} {numbers:?}: {logit}"
        );
    }

    #[test]
    fn one_picture_gives_one_logit_whatever_the_output_means() {
        let softmax = 1.0 / (1.0 + (-1.5_f32).exp());
        check(Meaning::Logit, &[1.5], 1.5);
        check(Meaning::Probability, &[softmax], 1.5);
        check(Meaning::ClassLogits(1), &[-0.5, 1.0], 1.5);
        check(Meaning::ClassLogits(0), &[-0.5, 1.0], -1.5);
        check(
            Meaning::ClassProbabilities(1),
            &[1.0 - softmax, softmax],
            1.5,
        );
        check(
            Meaning::ClassLogits(2),
            &[0.0, 0.0, 1.0],
            1.0 - 2.0_f32.ln(),
        );
        check(Meaning::ClassLogits(1), &[-1e30, 300.0, 299.0], 1.0);
        check(Meaning::Probability, &[1.0], 15.9424);
        check(Meaning::Probability, &[0.0], -15.9424);
    }

    #[test]
    fn numbers_of_another_meaning_are_refused_and_nan_stays() {
        for (meaning, numbers) in [
            (Meaning::Logit, &[1.0, 2.0][..]),
            (Meaning::Probability, &[1.5]),
            (Meaning::Probability, &[-3.0]),
            (Meaning::ClassLogits(1), &[1.0]),
            (Meaning::ClassLogits(0), &[1.0]),
            (Meaning::ClassProbabilities(7), &[0.5, 0.5]),
        ] {
            assert!(meaning.logit(numbers).is_err(), "{meaning:?} {numbers:?}");
        }
        assert!(Meaning::Probability.logit(&[f32::NAN]).unwrap().is_nan());
        assert!(
            Meaning::ClassLogits(0)
                .logit(&[0.0, f32::NAN])
                .unwrap()
                .is_nan()
        );
    }
}
