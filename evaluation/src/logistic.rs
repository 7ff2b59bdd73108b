//! A small logistic regression, for baselines. Deterministic: no chance, a fixed number of steps.

/// A fitted line over standardised features.
pub(crate) struct Logistic {
    mean: Vec<f32>,
    scale: Vec<f32>,
    weights: Vec<f32>,
    bias: f32,
}

impl Logistic {
    /// Fits `rows` (all as long as the first) to their labels; both classes count the same.
    pub(crate) fn fit(rows: &[&[f32]], synthetic: &[bool]) -> Self {
        let width = rows.first().map_or(0, |row| row.len());
        let (mean, scale) = moments(rows, width);
        let standard: Vec<Vec<f32>> = rows
            .iter()
            .map(|row| standardised(row, &mean, &scale).collect())
            .collect();
        let positive = count(synthetic.iter().filter(|label| **label).count());
        let negative = count(synthetic.len()) - positive;
        let mut fitted = Self {
            weights: vec![0.0; width],
            bias: 0.0,
            mean,
            scale,
        };
        let mut speed = vec![0.0; width];
        let mut bias_speed = 0.0;
        // The curvature is at most a quarter of the features' number, since each has variance 1.
        let step = 4.0 / (count(width) + 1.0);
        for _ in 0..STEPS {
            let (mut slope, mut bias_slope) = (vec![0.0; width], 0.0);
            for (row, label) in standard.iter().zip(synthetic) {
                let chance = 1.0 / (1.0 + (-fitted.line(row)).exp());
                let error = match label {
                    true => (chance - 1.0) / positive.max(1.0) / 2.0,
                    false => chance / negative.max(1.0) / 2.0,
                };
                add(&mut slope, row, error);
                bias_slope += error;
            }
            add(&mut slope, &fitted.weights, SHRINKAGE);
            for (speed, slope) in speed.iter_mut().zip(&slope) {
                *speed = MOMENTUM * *speed - step * slope;
            }
            bias_speed = MOMENTUM * bias_speed - step * bias_slope;
            add(&mut fitted.weights, &speed, 1.0);
            fitted.bias += bias_speed;
        }
        fitted
    }

    /// Log-odds of synthetic.
    pub(crate) fn score(&self, row: &[f32]) -> f32 {
        let row: Vec<f32> = standardised(row, &self.mean, &self.scale).collect();
        self.line(&row)
    }

    fn line(&self, row: &[f32]) -> f32 {
        let sum: f32 = self
            .weights
            .iter()
            .zip(row)
            .map(|(weight, value)| weight * value)
            .sum();
        sum + self.bias
    }
}

fn moments(rows: &[&[f32]], width: usize) -> (Vec<f32>, Vec<f32>) {
    let rows_count = count(rows.len()).max(1.0);
    let mut mean = vec![0.0; width];
    for row in rows {
        add(&mut mean, row, 1.0 / rows_count);
    }
    let mut variance = vec![0.0; width];
    for row in rows {
        for (variance, (value, mean)) in variance.iter_mut().zip(row.iter().zip(&mean)) {
            *variance += (value - mean).powi(2) / rows_count;
        }
    }
    // A feature that never changes tells nothing; it becomes 0.
    let scale = |variance: f32| {
        if variance > 1e-9 {
            variance.sqrt().recip()
        } else {
            0.0
        }
    };
    (mean, variance.into_iter().map(scale).collect())
}

fn standardised<'a>(
    row: &'a [f32],
    mean: &'a [f32],
    scale: &'a [f32],
) -> impl Iterator<Item = f32> + 'a {
    row.iter()
        .zip(mean.iter().zip(scale))
        .map(|(value, (mean, scale))| (value - mean) * scale)
}

fn add(to: &mut [f32], values: &[f32], factor: f32) {
    for (to, value) in to.iter_mut().zip(values) {
        *to += factor * value;
    }
}

fn count(number: usize) -> f32 {
    u16::try_from(number).map_or(f32::from(u16::MAX), f32::from)
}

/// Steps of the descent: past this the baselines no longer change in their second digit.
const STEPS: usize = 120;

/// How much of the last step is kept.
const MOMENTUM: f32 = 0.9;

/// Weight of the penalty on large weights; with thousands of features and few pictures it decides.
const SHRINKAGE: f32 = 0.01;

#[cfg(test)]
mod tests {
    use super::Logistic;

    #[test]
    fn it_learns_a_line_and_ignores_what_never_changes() {
        let rows: Vec<[f32; 3]> = (0..40_u8)
            .map(|place| [f32::from(place), 7.0, f32::from(place % 3)])
            .collect();
        let labels: Vec<bool> = (0..40).map(|place| place >= 20).collect();
        let rows: Vec<&[f32]> = rows.iter().map(<[f32; 3]>::as_slice).collect();
        let fitted = Logistic::fit(&rows, &labels);
        assert!(
            rows.iter()
                .zip(&labels)
                .all(|(row, label)| (fitted.score(row) > 0.0) == *label)
        );
        assert_eq!(
            fitted.score(&[39.0, 7.0, 1.0]),
            fitted.score(&[39.0, 900.0, 1.0])
        );
    }
}
