//! A fitted model: what is done with it, whatever it was fitted to.
//!
//! | question | method |
//! |---|---|
//! | What do new rows look like? | [`Model::sample`], [`Model::draw`], [`Model::draw_classes`] |
//! | How likely are these rows? | [`Model::log_prob`], [`Model::score`] |
//! | What is missing here? | [`Model::impute`], [`Model::fill`], [`Model::marginals`], [`Model::complete`] |
//! | What is this column, given the others? | [`Model::predict`] |
//! | How good is it, beside simpler models? | [`Model::evaluate`] |
//! | What are its rows worth in place of real ones? | [`Model::quality`], [`quality_of_tables`] |
//! | What is a model of this energy? | [`Model::of_energy`] |
//!
//! The model knows what was learned with it: its columns and categories, how its data were read, whether it was shown
//! conditions, which sampler serves it. So none of that is asked of the caller. What needs more than this has the model's parts:
//! [`Model::flow`] for [`crate::flow`] and [`crate::evaluation`], [`Model::card`] for its settings.

mod conditions;
mod constraints;
mod energy;
mod imputation;
mod prediction;
mod quality;
mod sampling;

use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;

use crate::data::{self, DataSource, Dataset, MissingIs, PartialDataset, Schema, Unseen};
use crate::error::Result;
use crate::estimate::Estimate;
use crate::evaluation::scores::{self, ScoreReport};
use crate::flow;
use crate::flow::likelihood::{ScoreOptions, Scores, score};
use crate::flow::training::Ending;
use crate::progress::{Interrupted, Observer, Silent};
use crate::run::{self, Fit, ModelCard, Parts, Run};

pub use constraints::draw_keeping;
pub use energy::{EnergyFit, randomized_of_energy};
pub use imputation::Filling;
pub use prediction::Prediction;
pub use quality::quality_of_tables;

/// A model of the joint distribution of many discrete variables.
///
/// ```
/// let data = segre::read("coupled-binary:rows=2000")?;
/// let model = segre::Fit::new(&data).steps(50).run()?;
/// let rows = model.sample(10)?;
/// let bits = model.log_prob(&data)?.bits_per_dim;
/// println!("{:?}: {} bits/dim", rows.row(0), bits.value);
/// assert!(bits.value < 1.0);
/// # Ok::<(), segre::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Model {
    flow: flow::Model,
    card: ModelCard,
    /// Those of its fit, while they are at hand.
    parts: Option<Arc<Parts>>,
}

impl Fit<'_> {
    /// Fits: trains until the budget is used up or nothing improves any more.
    ///
    /// # Errors
    /// As [`start`](Fit::start) and [`Run::train`].
    pub fn run(&self) -> Result<Model> {
        self.run_with(&mut Silent)
    }

    /// [`run`](Self::run), watched.
    ///
    /// # Errors
    /// As [`run`](Self::run); [`Interrupted`] if the observer stops it: what is in a folder can go on with
    /// [`resume`](Fit::resume), and whoever wants the model so far begins with [`start`](Fit::start).
    pub fn run_with(&self, observer: &mut dyn Observer) -> Result<Model> {
        let mut run = self.start()?;
        match run.train(observer)? {
            Ending::Stopped => Err(Interrupted.into()),
            _ => Model::of(run),
        }
    }
}

impl Model {
    /// The model that a run has so far.
    ///
    /// # Errors
    /// As [`Run::model`].
    pub fn of(run: Run) -> Result<Self> {
        let flow = run.model()?;
        let (card, parts) = run.into_parts();
        let parts = Some(Arc::new(parts));
        Ok(Self { flow, card, parts })
    }

    /// Reads a model from its folder, whoever wrote it: this library or the command line.
    ///
    /// # Errors
    /// As [`run::load`].
    pub fn load(folder: impl AsRef<Path>) -> Result<Self> {
        Self::load_on(folder, &Device::flex())
    }

    /// [`load`](Self::load), to compute on another device.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn load_on(folder: impl AsRef<Path>, device: &Device) -> Result<Self> {
        let (flow, card) = run::load(folder.as_ref(), device)?;
        let parts = None;
        Ok(Self { flow, card, parts })
    }

    /// Stores the model in a new folder, as the command line does.
    ///
    /// # Errors
    /// [`RunError::Exists`](run::RunError::Exists) if the folder is there, and what the operating system refuses.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        run::refuse_existing(folder, false)?;
        let _lock = run::create_folder(folder)?;
        run::save_card(folder, self.card.clone())?;
        Ok(run::save_parameters(folder, &self.flow)?)
    }

    /// The generative model itself.
    pub fn flow(&self) -> &flow::Model {
        &self.flow
    }

    /// The settings of model and fit.
    pub fn card(&self) -> &ModelCard {
        &self.card
    }

    /// What the columns and their categories are.
    pub fn schema(&self) -> &Schema {
        self.flow.schema()
    }

    /// Whether the model has learned the conditionals that imputation and prediction ask for.
    pub fn knows_conditionals(&self) -> bool {
        self.flow.knows_conditionals()
    }

    /// The model that takes values which its own data did not have for something else than an error, in all tables that it reads.
    #[must_use]
    pub fn with_unseen(mut self, unseen: Unseen) -> Self {
        self.card.read_options.unseen = unseen;
        self
    }

    /// Reads data into the model's columns and categories, as its own were read.
    ///
    /// # Errors
    /// As [`data::read_as`].
    pub fn read(&self, source: &str) -> Result<Dataset> {
        let source = DataSource::parse(source)?;
        let options = &self.card.read_options;
        Ok(data::read_as(&source, self.schema(), options)?)
    }

    /// [`read`](Self::read) for data with gaps: missing fields are unknown, and so are columns that are not there.
    ///
    /// # Errors
    /// As [`data::read_partial`].
    pub fn read_partial(&self, source: &str) -> Result<PartialDataset> {
        self.read_gaps(source, MissingIs::Unknown)
    }

    /// [`read_partial`](Self::read_partial), where a missing field may be what it was in the fit's data.
    ///
    /// # Errors
    /// As [`data::read_partial`].
    pub fn read_gaps(&self, source: &str, missing: MissingIs) -> Result<PartialDataset> {
        let source = DataSource::parse(source)?;
        let options = &self.card.read_options;
        Ok(data::read_partial(
            &source,
            self.schema(),
            options,
            missing,
        )?)
    }

    /// One row of a table of which some columns are known, by name, and the others are not.
    ///
    /// # Errors
    /// [`DataError::NoSuchColumn`](crate::data::DataError::NoSuchColumn) for a name that there is not, and those of values that the
    /// model does not know.
    pub fn given(&self, values: &[(String, String)]) -> Result<PartialDataset> {
        let unseen = self.card.read_options.unseen;
        Ok(data::of_values(values, self.schema(), unseen)?)
    }

    /// Scores of rows: a bound of `−log P` of each in nats, with standard errors, and their mean.
    ///
    /// # Errors
    /// As [`score`]; a field and a posterior on the simplex have no bound.
    pub fn log_prob(&self, rows: &Dataset) -> Result<Scores> {
        self.score(rows, &self.score_options(rows.rows()), &mut Silent)
    }

    /// What [`log_prob`](Self::log_prob) scores so many rows with: to be changed in part.
    pub fn score_options(&self, rows: usize) -> ScoreOptions {
        ScoreOptions {
            seed: self.card.training.seed,
            ..ScoreOptions::of_rows(rows)
        }
    }

    /// [`log_prob`](Self::log_prob) with settings of its own, watched.
    ///
    /// # Errors
    /// As [`log_prob`](Self::log_prob).
    pub fn score(
        &self,
        rows: &Dataset,
        options: &ScoreOptions,
        observer: &mut dyn Observer,
    ) -> Result<Scores> {
        Ok(score(&self.flow, rows, options, observer)?)
    }

    /// Mean score of rows in bits per dimension, lower is better.
    ///
    /// # Errors
    /// As [`log_prob`](Self::log_prob).
    pub fn bits_per_dim(&self, rows: &Dataset) -> Result<Estimate> {
        Ok(self.log_prob(rows)?.bits_per_dim)
    }

    /// The test part of the model's own data, scored beside baselines that learned from the training part.
    ///
    /// # Errors
    /// As [`parts`](Self::parts) and [`scores::run`].
    pub fn evaluate(&self) -> Result<ScoreReport> {
        self.evaluate_with(None, &mut Silent)
    }

    /// [`evaluate`](Self::evaluate), watched, and of other rows where some are given.
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    pub fn evaluate_with(
        &self,
        rows: Option<&Dataset>,
        observer: &mut dyn Observer,
    ) -> Result<ScoreReport> {
        let parts = self.parts()?;
        let Parts {
            train,
            validation,
            test,
        } = &*parts;
        let scored = rows.unwrap_or(test);
        let options = self.score_options(scored.rows());
        let target = DataSource::parse(&self.card.source).ok();
        let target = target.and_then(|source| source.known_distribution());
        let target = target.as_deref();
        let model = &self.flow;
        Ok(scores::run(
            model, train, validation, scored, target, &options, observer,
        )?)
    }

    /// The model with the data of its fit, where these were in memory and it comes from a folder: what [`parts`](Self::parts) divides.
    ///
    /// # Errors
    /// As [`Parts::of_card`]: other data are refused.
    pub fn with_data(mut self, data: Dataset) -> Result<Self> {
        let (parts, _) = Parts::of_card(&self.card, data, None)?;
        self.parts = Some(Arc::new(parts));
        Ok(self)
    }

    /// The parts of the data of its fit; read again unless the model has just been fitted.
    ///
    /// # Errors
    /// As [`Parts::of_fit`].
    pub fn parts(&self) -> Result<Arc<Parts>> {
        Ok(match &self.parts {
            Some(parts) => parts.clone(),
            None => Arc::new(Parts::of_fit(&self.card)?),
        })
    }
}
