//! Training and sampling within a cell, by the recipes that `segre fit` follows.

use anyhow::{Context, Result, ensure};
use segre::Control;
use segre::data::{self, DataSource, Dataset, KnownDistribution, ReadOptions, Schema};
use segre::energy::EnergyModel;
use segre::evaluation::divergence;
use segre::flow::sampling::{Sampler, Samples, SamplingOptions, sample};
use segre::flow::saving::SplitConfig;
use segre::flow::training::{Ending, Event, Observer, Progress, Trainer};
use segre::flow::{Model, PairwisePrior};
use segre::learning::Budget;
use segre::neural::pairwise_prior;
use segre::recipe::{Facts, Recipe, Settings};

use super::results::Measured;
use super::run::Cell;
use crate::awake::Awake;
use crate::commands::energy::fit::data_free;
use crate::interrupt;
use crate::session::Parts;

/// The part of a cell's progress that training makes up; the rest is sampling.
const TRAINING: f64 = 0.6;

/// A trained model and what it cost.
pub struct Fitted {
    pub model: Model,
    pub target: Option<Box<dyn KnownDistribution>>,
    pub steps: u64,
    pub seconds: f64,
    /// Whether some labels were shown in training.
    pub conditional: bool,
}

impl Cell<'_> {
    /// Trains a model on a built-in distribution as `segre fit` would, with the cell's seed and without a folder.
    pub fn fit(&mut self, source: &str, recipe: Recipe) -> Result<Fitted> {
        let parts = self.parts(source)?;
        let facts = Facts::of(&parts.train);
        let target = DataSource::parse(source)?.known_distribution();
        self.train(&parts, &facts, recipe, target)
    }

    /// The parts of a built-in distribution's rows, as [`fit`](Self::fit) has them.
    pub fn parts(&self, source: &str) -> Result<Parts> {
        let options = ReadOptions {
            builtin_seed: self.seed,
            ..ReadOptions::default()
        };
        let data = data::read(&DataSource::parse(source)?, &options)?;
        self.divided(&data)
    }

    /// Trains a model on data that no file holds.
    pub fn fit_data(
        &mut self,
        data: &Dataset,
        recipe: Recipe,
        prior: Option<PairwisePrior>,
    ) -> Result<Fitted> {
        let parts = self.divided(data)?;
        let facts = Facts::of(&parts.train).with_prior(prior);
        self.train(&parts, &facts, recipe, None)
    }

    fn divided(&self, data: &Dataset) -> Result<Parts> {
        let split = SplitConfig {
            seed: self.seed,
            ..SplitConfig::default()
        };
        Parts::of(data, &split, None, ReadOptions::default().memory)
    }

    /// Trains a network as `segre energy fit --method neural --data-free` would.
    pub fn fit_data_free(
        &mut self,
        energy: &EnergyModel,
        schema: &Schema,
        recipe: Recipe,
    ) -> Result<Model> {
        let recipe = self.seeded(recipe);
        let prior = pairwise_prior(energy);
        let _awake = Awake::start();
        let (_, fit) = data_free::prepare(&recipe, prior, "energy", schema, self.device)?;
        let mut watch = self.watch(0.0..TRAINING, "training");
        let trainer = fit.run(energy, &mut |_, _| Ok(()), &mut watch)?;
        ensure!(!interrupt::asked(), "stopped");
        Ok(trainer.best_model()?)
    }

    fn seeded(&self, recipe: Recipe) -> Recipe {
        Recipe {
            seed: Some(self.seed),
            ..recipe
        }
    }

    fn train(
        &mut self,
        parts: &Parts,
        facts: &Facts,
        recipe: Recipe,
        target: Option<Box<dyn KnownDistribution>>,
    ) -> Result<Fitted> {
        let Settings {
            model, training, ..
        } = self.seeded(recipe).resolve(facts)?;
        let budget = training.budget;
        let mut trainer = Trainer::new(model, training, &parts.train, self.device)?;
        let mut watch = Watch { cell: self, budget };
        let _awake = Awake::start();
        let ending = trainer.run(&parts.train, &parts.validation, &mut watch)?;
        ensure!(ending != Ending::Stopped, "stopped");
        Ok(Fitted {
            model: trainer.best_model()?,
            target,
            steps: trainer.progress().step,
            seconds: trainer.progress().seconds,
            conditional: trainer.config().conditional,
        })
    }

    /// Draws samples as `segre evaluate` would, and compares them with the known target; of the options sampler, steps
    /// and grid count.
    pub fn divergence(
        &mut self,
        fitted: &Fitted,
        count: usize,
        options: &SamplingOptions,
    ) -> Result<(Measured, Samples)> {
        let target = fitted.target.as_deref();
        let target = target.context("the data come from no known distribution")?;
        let options = divergence::many_samples(SamplingOptions {
            conditional: fitted.conditional,
            seed: self.seed,
            ..options.clone()
        });
        let mut watch = self.watch(TRAINING..1.0, "sampling");
        let samples = sample(&fitted.model, count, &options, &mut watch)?;
        let found = divergence::run(target, &samples)?;
        let measured = Measured::of(&found)
            .and("training_steps", fitted.steps as f64)
            .and("training_seconds", fitted.seconds)
            .and("sampling_seconds", samples.seconds)
            .and("parameters", fitted.model.parameters() as f64)
            .and("mean_entropy", samples.mean_entropy);
        Ok((measured, samples))
    }
}

/// Options of sampling by a sampler.
pub fn by(sampler: Sampler) -> SamplingOptions {
    SamplingOptions {
        sampler: Some(sampler),
        ..SamplingOptions::default()
    }
}

/// Options of sampling by a sampler in so many steps.
pub fn by_steps(sampler: Sampler, steps: usize) -> SamplingOptions {
    SamplingOptions {
        steps: Some(steps),
        ..by(sampler)
    }
}

/// Shows the progress of training and passes an interruption on.
struct Watch<'a, 'b> {
    cell: &'a mut Cell<'b>,
    budget: Budget,
}

impl Observer for Watch<'_, '_> {
    fn event(&mut self, event: &Event, progress: &Progress) -> Control {
        if let Event::Step { loss, .. } = event {
            let done = self.budget.progress(progress.step, progress.seconds);
            self.cell.tell(TRAINING * done, || {
                format!("training, step {}, loss {loss:.4}", progress.step)
            });
        }
        interrupt::control()
    }

    fn save(&mut self, _: &Trainer) -> segre::flow::Result<()> {
        Ok(())
    }
}
