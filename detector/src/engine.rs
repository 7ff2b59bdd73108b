//! Runs every installed model over a picture: cuts the windows, hands them to the threads, joins what comes back.
//!
//! It is synchronous and can be called from many threads at once; the threads that infer are its own. It knows no
//! bytes of a file, no policy and no clock.

use std::{fmt, path::PathBuf};

use media::Picture;
use ndarray::Array3;

use crate::{
    calibration::Calibration,
    card::{Card, Input},
    check::test_window,
    crops::{self, DELIVERED_CROPS, MAX_CROPS},
    detection::{Applicability, Detection, Failure, Inapplicable, ModelReading, View},
    error::DetectorError,
    heat_map::{HeatMap, Tile},
    pool::{Batching, Pool, Ticket, Worker},
    provider::Provider,
    reading,
    session::{Answer, Asked, Runtime, Session},
    store::{Model, list_models, read_model},
    tensor::tensor,
    view::{self, Look},
};

/// How a detector is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Folder of `<name>.toml` cards with their model files.
    pub models_dir: PathBuf,
    /// The ONNX Runtime library; `None` when the caller found none.
    pub runtime: Option<PathBuf>,
    /// Where every session runs.
    pub provider: Provider,
    /// Inference threads; each owns one session per model. 0 counts as 1, more than 256 as 256.
    pub workers: usize,
    /// How many windows a thread runs together, of however many pictures.
    pub batching: Batching,
}

/// Loaded models with their threads. Dropping it ends the threads.
pub struct Detector {
    cards: Vec<Card>,
    provider: Provider,
    pool: Pool<Task, Answer>,
}

impl Detector {
    /// Loads the runtime and every model of the folder. One model that cannot be used stops all: a detector that
    /// silently lacks a model would answer otherwise than its operator believes.
    ///
    /// # Errors
    ///
    /// Every [`DetectorError`] whose fault is the operator's. The models are looked at before the runtime.
    pub fn load(settings: &Settings) -> Result<Self, DetectorError> {
        let mut models = Vec::new();
        for (_, card) in list_models(&settings.models_dir)? {
            models.push(read_model(&settings.models_dir, card?)?);
        }
        let runtime = Runtime::load(settings.runtime.as_deref())?;
        let workers = settings.workers.clamp(1, MAX_WORKERS);
        let workers = (0..workers)
            .map(|_| Sessions::new(&runtime, &models, settings.provider))
            .collect::<Result<Vec<_>, _>>()?;
        let cards = models.into_iter().map(|model| model.card).collect();
        Ok(Self {
            cards,
            provider: settings.provider,
            pool: Pool::start(workers, settings.batching)?,
        })
    }

    /// What the pixels show. Blocks until every model has answered.
    pub fn detect(&self, picture: &Picture) -> Detection {
        self.examine(picture).unwrap_or_else(|error| {
            tracing::error!(%error, code = error.code(), "a picture was not examined by the detector");
            let not_finite = matches!(error, DetectorError::NotFinite { .. });
            Detection::Failed(if not_finite { Failure::NotFinite } else { Failure::Inference })
        })
    }

    /// Where in the picture the first model that says so sees something: its patch logits over the native windows that
    /// make its score. Costs one view; `None` when no model has patches, or the picture has no window.
    ///
    /// # Errors
    ///
    /// [`DetectorError::Inference`] or [`DetectorError::NotFinite`].
    pub fn heat_map(&self, picture: &Picture) -> Result<Option<HeatMap>, DetectorError> {
        let mut models = self.cards.iter().enumerate();
        let with_patches = models.find(|(_, card)| card.output.patch_logits.is_some());
        let Some((model, card)) = with_patches else {
            return Ok(None);
        };
        if crops::outside(picture.width(), picture.height()).is_some() {
            return Ok(None);
        }
        let look = Look::native(picture);
        let side = usize::from(card.input.side_px);
        let (spots, windows): (Vec<_>, Vec<_>) =
            crops::take_placed(look.pixels()?, side, MAX_CROPS)
                .into_iter()
                .unzip();
        let asked = Asked::Patches;
        let tasks = windows.into_iter().map(|window| Task {
            model,
            window,
            asked,
        });
        let answers = self.pool.submit(tasks).wait()?;
        let tiles = spots.into_iter().zip(answers).filter_map(|(spot, answer)| {
            Some(Tile {
                spot,
                side,
                patches: answer.patches?,
            })
        });
        Ok(HeatMap::new(tiles.collect()))
    }

    /// The cards of the loaded models, in the order of their names.
    pub fn models(&self) -> &[Card] {
        &self.cards
    }

    /// Where every session runs.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// Runs every model once on a generated window.
    ///
    /// # Errors
    ///
    /// [`DetectorError::Inference`] or [`DetectorError::NotFinite`].
    pub fn warm_up(&self) -> Result<(), DetectorError> {
        let windows = self.cards.iter().enumerate();
        let tasks = windows.map(|(model, card)| Task {
            model,
            window: test_window(card.input.side_px),
            asked: Asked::Logit,
        });
        self.pool.submit(tasks).wait().map(drop)
    }

    fn examine(&self, picture: &Picture) -> Result<Detection, DetectorError> {
        if let Some(outside) = crops::outside(picture.width(), picture.height()) {
            return Ok(Detection::NotApplicable(Inapplicable::Domain(outside)));
        }
        // The native windows are queued first, so that the threads work while the second view is made.
        let native = self.look(&Look::native(picture), MAX_CROPS)?;
        let web = self.look(&Look::web(picture)?, DELIVERED_CROPS)?;
        let mut readings = Vec::with_capacity(self.cards.len());
        for (card, tickets) in self.cards.iter().zip(native.into_iter().zip(web)) {
            let views = [(view::NATIVE, tickets.0), (view::WEB, tickets.1)];
            readings.push(self.read(card, views)?);
        }
        let flat = Detection::NotApplicable(Inapplicable::Domain(Applicability::Flat));
        Ok(reading::join(readings).map_or(flat, Detection::Scored))
    }

    /// Queues at most `most` windows of one view for every model.
    fn look(&self, look: &Look<'_>, most: usize) -> Result<Vec<Ticket<Answer>>, DetectorError> {
        let pixels = look.pixels()?;
        let submit = |(model, card): (usize, &Card)| {
            let windows = crops::take(pixels.view(), card.input.side_px.into(), most);
            self.pool.submit(windows.into_iter().map(|window| Task {
                model,
                window,
                asked: Asked::Logit,
            }))
        };
        Ok(self.cards.iter().enumerate().map(submit).collect())
    }

    fn read<'c>(
        &self,
        card: &'c Card,
        tickets: [(&'static str, Ticket<Answer>); 2],
    ) -> Result<(ModelReading, Option<&'c Calibration>), DetectorError> {
        let mut views = Vec::with_capacity(tickets.len());
        for (name, ticket) in tickets {
            let answers = ticket.wait()?;
            let windows: Vec<f32> = answers.iter().map(|answer| answer.logit).collect();
            // No window has texture: the view says nothing.
            if !windows.is_empty() {
                let not_finite = || DetectorError::NotFinite {
                    model: card.name.clone(),
                };
                views.push(View {
                    name,
                    logit: reading::picture_logit(&windows).ok_or_else(not_finite)?,
                    windows: windows.len(),
                });
            }
        }
        let view = |name| views.iter().find(|view| view.name == name);
        let native = view(view::NATIVE);
        let calibration = native.map(|native| card.calibration_of(native.windows));
        let llr = native.zip(calibration).map(|(native, calibration)| {
            let web = view(view::WEB).map(|web| web.logit);
            reading::evidence(calibration, native.logit, web)
        });
        let rate = llr.zip(calibration);
        let reading = ModelReading {
            name: card.name.clone(),
            version: card.version.clone(),
            digest: card.sha256,
            provider: self.provider,
            llr,
            false_alarm_rate: rate.and_then(|(llr, calibration)| calibration.false_alarm_rate(llr)),
            views,
            applicability: llr.map_or(Applicability::Flat, |_| Applicability::InDomain),
        };
        Ok((reading, calibration))
    }
}

impl fmt::Debug for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.cards.iter().map(|card| &card.name).collect();
        let mut detector = f.debug_struct("Detector");
        detector
            .field("models", &names)
            .field("provider", &self.provider)
            .finish_non_exhaustive()
    }
}

/// One window for one model.
struct Task {
    model: usize,
    window: Array3<u8>,
    asked: Asked,
}

/// What one thread owns: a session per model, in the order of the cards.
struct Sessions(Vec<(Session, Input)>);

impl Sessions {
    fn new(runtime: &Runtime, models: &[Model], provider: Provider) -> Result<Self, DetectorError> {
        let session = |model| {
            Ok((
                Session::new(runtime, model, provider)?,
                model.card.input.clone(),
            ))
        };
        models
            .iter()
            .map(session)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl Worker for Sessions {
    type Task = Task;
    type Answer = Answer;

    /// Windows that are for one model and are asked the same go through it together.
    fn run(&mut self, tasks: Vec<Task>) -> Vec<Result<Answer, DetectorError>> {
        let kind = |task: &Task| (task.model, task.asked);
        let mut placed: Vec<(usize, Task)> = tasks.into_iter().enumerate().collect();
        placed.sort_by_key(|(_, task)| kind(task));
        let mut answers: Vec<(usize, Result<Answer, DetectorError>)> =
            Vec::with_capacity(placed.len());
        for group in placed.chunk_by(|(_, a), (_, b)| kind(a) == kind(b)) {
            let places = group.iter().map(|(place, _)| *place);
            let tasks: Vec<&Task> = group.iter().map(|(_, task)| task).collect();
            answers.extend(places.zip(self.together(&tasks)));
        }
        answers.sort_by_key(|(place, _)| *place);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}

impl Sessions {
    /// Runs tasks of one kind at once; where that fails, or the graph takes one window, one after the other.
    fn together(&mut self, tasks: &[&Task]) -> Vec<Result<Answer, DetectorError>> {
        match self.answers(tasks) {
            Ok(answers) => answers,
            Err(error) if tasks.len() == 1 => vec![Err(error)],
            Err(_) => tasks
                .chunks(1)
                .flat_map(|task| self.together(task))
                .collect(),
        }
    }

    fn answers(
        &mut self,
        tasks: &[&Task],
    ) -> Result<Vec<Result<Answer, DetectorError>>, DetectorError> {
        let failed = |detail: String| DetectorError::Inference(detail);
        let Some(first) = tasks.first() else {
            return Ok(Vec::new());
        };
        let missing = || failed(format!("there is no model number {}", first.model));
        let (session, input) = self.0.get_mut(first.model).ok_or_else(missing)?;
        if tasks.len() > 1 && !session.takes_several() {
            return Err(failed("the graph takes one window at a time".to_owned()));
        }
        let windows: Vec<_> = tasks.iter().map(|task| task.window.view()).collect();
        let windows = tensor(&windows, input).map_err(|error| failed(error.to_string()))?;
        session.answers(&windows, first.asked)
    }
}

/// Most inference threads: past this a machine wants several processes.
const MAX_WORKERS: usize = 256;
