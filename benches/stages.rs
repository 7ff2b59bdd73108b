//! The stages of an examination, what each run of them cost, and the table of both.

use std::time::Duration;

use crate::clock::Cost;

/// Where a stage belongs in the sum of the parts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In both sums.
    Both,
    /// In the sum for the unsigned picture.
    Unsigned,
    /// In the sum for the signed picture.
    Signed,
    /// The whole examination of the unsigned picture.
    WholeUnsigned,
    /// The whole examination of the signed picture.
    WholeSigned,
}

/// One stage with the costs of its runs.
pub(crate) struct Stage<'a> {
    name: &'static str,
    place: Place,
    work: Box<dyn FnMut() -> Cost + 'a>,
    costs: Vec<Cost>,
}

impl<'a> Stage<'a> {
    /// A stage that has not run yet; `work` measures itself, so that it can prepare its input unmeasured.
    pub(crate) fn new(name: &'static str, place: Place, work: impl FnMut() -> Cost + 'a) -> Self {
        Self {
            name,
            place,
            work: Box::new(work),
            costs: Vec::new(),
        }
    }

    /// Runs the work once more.
    pub(crate) fn run(&mut self) {
        self.costs.push((self.work)());
    }

    /// The cheapest run: what the work costs when nothing disturbs it.
    fn best(&self) -> Duration {
        self.sorted().first().copied().unwrap_or_default()
    }

    fn median(&self) -> Duration {
        let sorted = self.sorted();
        sorted.get(sorted.len() / 2).copied().unwrap_or_default()
    }

    fn best_wall(&self) -> Duration {
        self.costs
            .iter()
            .map(|cost| cost.wall)
            .min()
            .unwrap_or_default()
    }

    /// CPU times, or wall times where CPU time is not told, in rising order.
    fn sorted(&self) -> Vec<Duration> {
        let mut all: Vec<Duration> = self
            .costs
            .iter()
            .map(|cost| cost.cpu.unwrap_or(cost.wall))
            .collect();
        all.sort();
        all
    }
}

/// Prints what each stage cost, and the parts against the whole.
pub(crate) fn print_table(stages: &[Stage<'_>]) {
    let has_cpu = stages
        .iter()
        .all(|stage| stage.costs.iter().all(|cost| cost.cpu.is_some()));
    let unit = if has_cpu {
        "CPU ms"
    } else {
        "wall ms (no CPU time on this system)"
    };
    println!(
        "  {:<28} {:>9} {:>9} {:>9}   {unit}, best wall ms",
        "stage", "best", "median", "wall"
    );
    for stage in stages {
        println!(
            "  {:<28} {:>9.2} {:>9.2} {:>9.2}",
            stage.name,
            ms(stage.best()),
            ms(stage.median()),
            ms(stage.best_wall())
        );
    }
    for (label, part, whole) in [
        ("unsigned", Place::Unsigned, Place::WholeUnsigned),
        ("signed", Place::Signed, Place::WholeSigned),
    ] {
        let sum = |wanted: &[Place]| -> Duration {
            stages
                .iter()
                .filter(|stage| wanted.contains(&stage.place))
                .map(Stage::median)
                .sum()
        };
        let (parts, whole) = (ms(sum(&[Place::Both, part])), ms(sum(&[whole])));
        println!(
            "  {label}, medians: parts {parts:.2}, whole {whole:.2}, whole over parts {:.3}",
            whole / parts
        );
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
