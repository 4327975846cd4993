//! What is asked of a fit, and its start.

use std::path::{Path, PathBuf};
use std::time::Duration;

use burn::tensor::Device;

use super::card::{LabelSource, ModelCard, TestData, save_card};
use super::error::{Result, RunError};
use super::folder::{create_folder, refuse_existing};
use super::parts::Parts;
use super::resume::resume;
use super::training::Run;
use crate::data::{self, Data, DataSource, Dataset, ReadOptions, RowClasses};
use crate::flow::PairwisePrior;
use crate::flow::training::Trainer;
use crate::ranks;
use crate::recipe::{Facts, Recipe, Settings};

/// A fit: what is learned, where it is kept, and everything that is decided about it; the data decide the rest.
///
/// ```no_run
/// use std::time::Duration;
///
/// let table = segre::read("mushroom.csv")?;
/// let model = segre::Fit::new(&table).time(Duration::from_secs(120)).run()?;
/// model.save("runs/mushroom")?;
/// # Ok::<(), segre::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Fit<'a> {
    pub(super) origin: Origin<'a>,
    pub(super) recipe: Recipe,
    pub(super) prior: Option<PairwisePrior>,
    energy: Option<String>,
    pub(super) test_data: Option<String>,
    pub(super) labels: Option<PathBuf>,
    pub(super) label_column: Option<String>,
    pub(super) out: Option<PathBuf>,
    pub(super) device: Device,
    resume: bool,
    force: bool,
}

/// Where the rows are.
#[derive(Clone, Debug)]
pub(super) enum Origin<'a> {
    /// In a file or a built-in, still to be read.
    Source(String, Box<ReadOptions>),
    /// In memory.
    Data(&'a Data),
}

impl Origin<'_> {
    /// How the data are named.
    pub fn name(&self) -> Result<String> {
        Ok(match self {
            Self::Source(source, _) => DataSource::parse(source)?.to_string(),
            Self::Data(data) => data.source().to_owned(),
        })
    }

    /// As the user gave it, for messages.
    fn given(&self) -> &str {
        match self {
            Self::Source(source, _) => source,
            Self::Data(data) => data.source(),
        }
    }

    pub fn read_options(&self) -> &ReadOptions {
        match self {
            Self::Source(_, options) => options,
            Self::Data(data) => data.read_options(),
        }
    }

    pub fn rows(&self) -> Result<Dataset> {
        Ok(match self {
            Self::Source(source, options) => data::read(&DataSource::parse(source)?, options)?,
            Self::Data(data) => data.dataset().clone(),
        })
    }
}

impl<'a> Fit<'a> {
    /// A fit to data of which nothing is decided.
    #[must_use]
    pub fn new(data: &'a Data) -> Self {
        Self::of(Origin::Data(data))
    }

    /// A fit to data that are still to be read: a built-in's name or a path.
    #[must_use]
    pub fn to_source(source: &str, options: &ReadOptions) -> Fit<'static> {
        Fit::of(Origin::Source(source.to_owned(), Box::new(options.clone())))
    }

    fn of(origin: Origin<'a>) -> Self {
        Self {
            origin,
            recipe: Recipe::default(),
            prior: None,
            energy: None,
            test_data: None,
            labels: None,
            label_column: None,
            out: None,
            device: Device::flex(),
            resume: false,
            force: false,
        }
    }

    /// All decisions at once.
    #[must_use]
    pub fn recipe(mut self, recipe: Recipe) -> Self {
        self.recipe = recipe;
        self
    }

    /// Wall time of training.
    #[must_use]
    pub fn time(mut self, time: Duration) -> Self {
        self.recipe.training.time = Some(time);
        self
    }

    /// Steps of training. A run that is limited by steps alone repeats exactly.
    #[must_use]
    pub fn steps(mut self, steps: u64) -> Self {
        self.recipe.training.steps = Some(steps);
        self
    }

    /// Seed of everything random; 0 if it is not given.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.recipe.seed = Some(seed);
        self
    }

    /// What is known before anything is learned: a pairwise model of the same sites.
    #[must_use]
    pub fn prior(mut self, prior: Option<PairwisePrior>) -> Self {
        self.prior = prior;
        self
    }

    /// The energy that the data are samples of: what the settings say of where they are from.
    #[must_use]
    pub fn samples_of(mut self, energy: &str) -> Self {
        self.energy = Some(energy.to_owned());
        self
    }

    /// Test data of their own, a built-in's name or a path.
    #[must_use]
    pub fn test_data(mut self, source: Option<&str>) -> Self {
        self.test_data = source.map(str::to_owned);
        self
    }

    /// A file with the class of every row, and its column if it is a table of several.
    #[must_use]
    pub fn labels(mut self, path: Option<&Path>, column: Option<&str>) -> Self {
        self.labels = path.map(Path::to_path_buf);
        self.label_column = column.map(str::to_owned);
        self
    }

    /// The folder to keep the run in; without one it stays in memory.
    #[must_use]
    pub fn out(mut self, folder: impl Into<PathBuf>) -> Self {
        self.out = Some(folder.into());
        self
    }

    /// Whether what a former run left in the folder is replaced.
    #[must_use]
    pub fn force(mut self, force: bool) -> Self {
        self.force = force;
        self
    }

    /// Whether the run in the folder goes on, with its own settings; budgets may be raised.
    #[must_use]
    pub fn resume(mut self, resume: bool) -> Self {
        self.resume = resume;
        self
    }

    /// Where to compute.
    #[must_use]
    pub fn device(mut self, device: &Device) -> Self {
        self.device = device.clone();
        self
    }

    /// All settings that the fit would have, those that the data decide among them; nothing is trained or written.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn resolved(&self) -> Result<Recipe> {
        let (card, parts) = self.prepare()?;
        card.model.validate()?;
        card.model.check_sites(&card.schema)?;
        card.training.validate()?;
        Ok(Recipe::resolved(&card.settings(), &Facts::of(&parts.train)))
    }

    /// Begins the run, or takes up the one in the folder. Everything that can be refused is refused before the folder is
    /// touched.
    ///
    /// # Errors
    /// [`RunError`]: the first thing that is wrong with data, decisions or folder.
    pub fn start(&self) -> Result<Run> {
        if self.resume {
            return resume(self);
        }
        if let Some(out) = &self.out {
            refuse_existing(out, self.force)?;
        }
        let (card, parts) = self.prepare()?;
        let (model, training) = (card.model.clone(), card.training.clone());
        let trainer = Trainer::new(model, training, &parts.train, &self.device)?;
        // The first process keeps the run of all.
        let out = self.out.clone().filter(|_| ranks::is_first());
        let lock = out.as_deref().map(create_folder).transpose()?;
        if let Some(out) = &out {
            save_card(out, card.clone())?;
        }
        Ok(Run {
            _lock: lock,
            out,
            card,
            parts,
            trainer,
        })
    }

    /// Reads data and says what is to be done with them, without any folder.
    fn prepare(&self) -> Result<(ModelCard, Parts)> {
        let source = self.origin.name()?;
        let data = self.origin.rows()?;
        let read_options = self.origin.read_options().clone();
        let (test, test_data) = match &self.test_data {
            None => (None, None),
            Some(text) => {
                let source = DataSource::parse(text)?;
                let test = data::read_as(&source, &data.schema, &read_options)?;
                let (source, fingerprint) = (source.to_string(), test.fingerprint());
                let known = TestData {
                    source,
                    fingerprint,
                };
                (Some(test), Some(known))
            }
        };
        let (data, labels) = match &self.labels {
            None => (data, None),
            Some(path) => {
                let column = self.label_column.clone();
                let given = self.origin.given();
                let classes = RowClasses::read(path, column.as_deref(), given, data.rows())?;
                let labels = LabelSource {
                    path: path.clone(),
                    column,
                    fingerprint: classes.fingerprint(),
                    names: classes.names,
                };
                (data.with_classes(classes.values), Some(labels))
            }
        };
        let split = self.recipe.split_config();
        let parts = Parts::of(&data, &split, test, read_options.memory)?;
        let facts = Facts::of(&parts.train)
            .with_prior(self.prior.clone())
            .with_classes(labels.as_ref().map(|labels| labels.names.len()));
        let Settings {
            model,
            training,
            split,
        } = self.recipe.resolve(&facts)?;
        let card = ModelCard {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            source,
            energy: self.energy.clone(),
            read_options,
            fingerprint: Some(data.fingerprint()),
            split,
            test_data,
            labels,
            model,
            training,
            schema: data.schema,
        };
        Ok((card, parts))
    }
}

impl Fit<'_> {
    /// The folder, which a run that goes on must have.
    pub(super) fn folder(&self) -> Result<&Path> {
        self.out.as_deref().ok_or(RunError::NowhereToResume)
    }
}
