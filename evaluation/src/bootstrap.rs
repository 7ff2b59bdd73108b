//! Draws with replacement, for intervals. The same list gives the same draws.

use crate::chance::Chance;

/// Draws pictures with replacement, each source by itself, so that no draw lacks one.
pub(crate) struct Bootstrap {
    strata: Vec<Vec<usize>>,
    pictures: usize,
}

impl Bootstrap {
    /// `strata` holds for each picture the number of its source.
    pub(crate) fn new(strata: &[usize]) -> Self {
        let count = strata.iter().max().map_or(0, |last| last + 1);
        let mut members = vec![Vec::new(); count];
        for (place, stratum) in strata.iter().enumerate() {
            if let Some(members) = members.get_mut(*stratum) {
                members.push(place);
            }
        }
        Self {
            strata: members,
            pictures: strata.len(),
        }
    }

    /// The weights of one draw: how often a picture was drawn, times what it weighs.
    pub(crate) fn draw(&self, draw: usize, weights: &[f64]) -> Vec<f64> {
        let mut chance = Chance::new(SEED ^ u64::try_from(draw).unwrap_or_default());
        let mut drawn = vec![0.0; self.pictures];
        for members in &self.strata {
            for _ in members {
                let place = members.get(chance.below(members.len())).copied();
                let Some(place) = place else { continue };
                if let (Some(drawn), Some(weight)) = (drawn.get_mut(place), weights.get(place)) {
                    *drawn += weight;
                }
            }
        }
        drawn
    }
}

/// Bootstrap draws; the ends of a 95 % interval rest on the outer dozen of them.
pub(crate) const DRAWS: usize = 500;

/// Where the draws start.
const SEED: u64 = 0x626f_6e61_6669_6465;
