//! Training and sampling within a cell, by the recipes that `segre fit` follows.

use anyhow::{Context, Result, ensure};
use segre::Fit;
use segre::data::{Data, DataSource, Dataset, KnownDistribution, ReadOptions, Schema, SplitConfig};
use segre::energy::EnergyModel;
use segre::evaluation::divergence;
use segre::flow::sampling::{Sampler, Samples, SamplingOptions, sample};
use segre::flow::training::Ending;
use segre::flow::{Model, PairwisePrior};
use segre::neural::pairwise_prior;
use segre::recipe::Recipe;
use segre::run::{DataFreeRun, Parts};

use super::results::Measured;
use super::run::Cell;
use crate::interrupt;

/// The part of a cell's progress that training makes up; the rest is sampling.
const TRAINING: f64 = 0.6;

/// A trained model and what it cost.
pub struct Fitted {
    pub model: Model,
    pub target: Option<Box<dyn KnownDistribution>>,
    pub steps: u64,
    pub seconds: f64,
}

impl Cell<'_> {
    /// Trains a model on a built-in distribution as `segre fit` would, with the cell's seed and without a folder.
    pub fn fit(&mut self, source: &str, recipe: Recipe) -> Result<Fitted> {
        let data = self.data(source)?;
        let target = DataSource::parse(source)?.known_distribution();
        self.train(&data, recipe, None, target)
    }

    /// The parts of a built-in distribution's rows, as [`fit`](Self::fit) has them.
    pub fn parts(&self, source: &str) -> Result<Parts> {
        let split = SplitConfig {
            seed: self.seed,
            ..SplitConfig::default()
        };
        let memory = ReadOptions::default().memory;
        let data = self.data(source)?;
        Ok(Parts::of(&data, &split, None, memory)?)
    }

    fn data(&self, source: &str) -> Result<Data> {
        let options = ReadOptions {
            builtin_seed: self.seed,
            ..ReadOptions::default()
        };
        Ok(Data::read(source, &options)?)
    }

    /// Trains a model on data that no file holds.
    pub fn fit_data(
        &mut self,
        data: Dataset,
        recipe: Recipe,
        prior: Option<PairwisePrior>,
    ) -> Result<Fitted> {
        self.train(&data.into(), recipe, prior, None)
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
        let run = DataFreeRun::new(&recipe, prior, "energy", schema, self.device)?;
        let trainer = run.train(energy, &mut self.watch(0.0..TRAINING, "training"))?;
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
        data: &Data,
        recipe: Recipe,
        prior: Option<PairwisePrior>,
        target: Option<Box<dyn KnownDistribution>>,
    ) -> Result<Fitted> {
        let fit = Fit::new(data)
            .recipe(self.seeded(recipe))
            .prior(prior)
            .device(self.device);
        let mut run = fit.start()?;
        let ending = run.train(&mut self.watch(0.0..TRAINING, "training"))?;
        ensure!(ending != Ending::Stopped, "stopped");
        Ok(Fitted {
            model: run.model()?,
            target,
            steps: run.progress().step,
            seconds: run.progress().seconds,
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
