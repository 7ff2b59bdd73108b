//! Takes every picture through every treatment and asks the detector, on several threads.
//!
//! The path is that of production: the same opening, decoding, detector and policy. A picture that fails is counted;
//! it never ends the run.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use detector::{Detection, Detector};
use media::{Limits, Media, Picture};
use verdict::{Leaning, Policy};

use crate::{
    baseline::Surface,
    chance::Chance,
    manifest::Row,
    pixels::{cut, deliver},
    sample::{Called, Item},
    treatments::{TIERS, Treatment},
};

/// What all threads of a run share.
pub(crate) struct Run<'a> {
    pub(crate) detector: &'a Detector,
    pub(crate) policy: &'a Policy,
    pub(crate) limits: Limits,
    pub(crate) treatments: &'a [Treatment],
}

/// What was found about one picture.
pub(crate) struct Examined {
    /// One entry per treatment; `None` where it is not meant for this class or could not be made.
    pub(crate) outcomes: Vec<Option<Outcome>>,
    /// One entry per tier.
    pub(crate) surfaces: Vec<Surface>,
}

/// How a picture was read after one treatment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Outcome {
    /// There is a score.
    Scored(Scored),
    /// Outside the models' domain.
    NotApplicable,
    /// Should have been scored and was not.
    Failed,
}

/// A score and what it is called.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scored {
    /// Evidence in nats, all models joined.
    pub(crate) llr: f32,
    /// The first model's logit of the native view.
    pub(crate) logit: f32,
    /// The windows behind that logit.
    pub(crate) windows: usize,
    /// What the policy calls it.
    pub(crate) called: Called,
}

impl Outcome {
    /// As the statistics take it.
    pub(crate) fn item(self, synthetic: bool) -> Item {
        let (llr, called) = match self {
            Self::Scored(score) => (Some(score.llr), score.called),
            Self::NotApplicable | Self::Failed => (None, Called::Neither),
        };
        Item {
            synthetic,
            llr,
            called,
        }
    }
}

impl Run<'_> {
    /// Examines every row on `jobs` threads; the result does not depend on their number. `progress` hears how many
    /// are done.
    pub(crate) fn all(
        &self,
        rows: &[Row],
        jobs: usize,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Vec<Result<Examined, String>> {
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = || {
            let mut found = Vec::new();
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(row) = rows.get(place) else {
                    return found;
                };
                // A panic in a decoder costs one picture, as it does in a scan.
                let examined = catch_unwind(AssertUnwindSafe(|| self.one(row)))
                    .unwrap_or_else(|_| Err("the program failed on this picture".to_owned()));
                found.push((place, examined));
                progress(done.fetch_add(1, Ordering::Relaxed) + 1);
            }
        };
        let mut found: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..jobs.clamp(1, MAX_JOBS))
                .map(|_| scope.spawn(work))
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap_or_default())
                .collect()
        });
        found.sort_by_key(|(place, _)| *place);
        found.into_iter().map(|(_, examined)| examined).collect()
    }

    fn one(&self, row: &Row) -> Result<Examined, String> {
        let media = Media::open(&row.path, &self.limits).map_err(|error| error.to_string())?;
        let whole = media
            .decode(&self.limits)
            .map_err(|error| error.to_string())?;
        let picture = match row.crop {
            Some(crop) => cut(&whole, crop.x, crop.y, crop.width, crop.height)
                .ok_or("the crop does not lie inside the picture")?,
            None => whole,
        };
        let mut examined = Examined {
            outcomes: Vec::with_capacity(self.treatments.len()),
            surfaces: Vec::with_capacity(TIERS.len()),
        };
        for (number, treatment) in self.treatments.iter().enumerate() {
            if treatment.only.is_some_and(|only| only != row.label) {
                examined.outcomes.push(None);
                continue;
            }
            let seed = Chance::seed_of(&row.name);
            let parcel = deliver(&picture, treatment.steps, seed);
            if number < TIERS.len() {
                let parcel = parcel.as_ref().ok_or("it cannot be delivered")?;
                let file = parcel.file.as_deref().unwrap_or(media.bytes());
                let surface = Surface::of(&parcel.picture, file);
                examined
                    .surfaces
                    .push(surface.ok_or("no thumbnail can be made")?);
            }
            examined
                .outcomes
                .push(parcel.map(|parcel| self.ask(&parcel.picture)));
        }
        Ok(examined)
    }

    fn ask(&self, picture: &Picture) -> Outcome {
        let detection = self.detector.detect(picture);
        match &detection {
            Detection::Scored(score) => {
                let called = match self.policy.lean(&detection) {
                    Leaning::Synthetic | Leaning::Manipulated => Called::Likely,
                    Leaning::Quiet => Called::Quiet,
                    Leaning::Suspicious
                    | Leaning::Unclear
                    | Leaning::OutOfDomain
                    | Leaning::Unexaminable
                    | Leaning::NotAsked => Called::Neither,
                };
                let models = score.models.iter();
                let native = models.flat_map(|model| &model.views).next();
                Outcome::Scored(Scored {
                    llr: score.llr.value(),
                    logit: native.map_or(0.0, |view| view.logit.value()),
                    windows: native.map_or(0, |view| view.windows),
                    called,
                })
            }
            Detection::NotApplicable(_) => Outcome::NotApplicable,
            Detection::Failed(_) | Detection::NotRun(_) => Outcome::Failed,
        }
    }
}

/// Most threads of a run.
const MAX_JOBS: usize = 256;
