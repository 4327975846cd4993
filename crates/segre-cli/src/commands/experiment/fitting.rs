//! Training and sampling within a cell, by the words of `segre fit` and `segre evaluate`.
//!
//! So a setting of an experiment is what a user would type, and is understood by the same code.

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use segre::Control;
use segre::data::{Dataset, KnownDistribution, Schema};
use segre::energy::EnergyModel;
use segre::flow::sampling::{Samples, sample};
use segre::flow::saving::ModelCard;
use segre::flow::training::{Ending, Event, Observer, Progress, Trainer};
use segre::flow::{Model, PairwisePrior};
use segre::learning::Budget;
use segre::neural::{DataFreeEvent, pairwise_prior};

use super::results::Measured;
use super::run::Cell;
use crate::args::{Arguments, Command, Evaluate};
use crate::awake::Awake;
use crate::commands::energy::fit::data_free;
use crate::commands::fit::start;
use crate::divergence::{DivergenceReport, many_samples, target_of};
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
    /// Trains a model as `segre fit WORDS` would, with the cell's seed and without a folder.
    pub fn fit(&mut self, words: &str) -> Result<Fitted> {
        let words: Vec<&str> = words.split_whitespace().collect();
        let request = start::parse(&words, self.seed)?;
        let prepared = start::prepare(&request, self.device)?;
        let target = target_of(&prepared.0.source)?;
        self.train(prepared, target)
    }

    /// Trains a model on data that no file holds; `words` are those of `segre fit` after the data.
    pub fn fit_data(
        &mut self,
        data: Dataset,
        words: &str,
        prior: Option<PairwisePrior>,
    ) -> Result<Fitted> {
        let words = std::iter::once("data").chain(words.split_whitespace());
        let mut request = start::parse(&words.collect::<Vec<_>>(), self.seed)?;
        request.prior = prior;
        let source = "samples".to_owned();
        let prepared = start::prepare_data(&request, self.device, source, data)?;
        self.train(prepared, None)
    }

    /// Trains a network as `segre energy fit --method neural --data-free` would.
    pub fn fit_data_free(
        &mut self,
        energy: &EnergyModel,
        schema: &Schema,
        budget: Budget,
    ) -> Result<Model> {
        let prior = pairwise_prior(energy);
        let words = data_free::words(None, None, schema, prior.is_some());
        let (seed, device) = (self.seed, self.device);
        let _awake = Awake::start();
        let prepared = data_free::prepare(&words, prior, budget, "energy", schema, seed, device)?;
        let trainer = prepared.1.run(energy, &mut |event| {
            if let DataFreeEvent::Working(trainer) | DataFreeEvent::Round(_, trainer) = event {
                let progress = trainer.progress();
                let done = budget.progress(progress.step, progress.seconds);
                self.tell(TRAINING * done, || {
                    format!("training, step {}", progress.step)
                });
            }
            match interrupt::asked() {
                true => Control::Stop,
                false => Control::Continue,
            }
        })?;
        ensure!(!interrupt::asked(), "stopped");
        Ok(trainer.best_model()?)
    }

    fn train(
        &mut self,
        (_, parts, mut trainer): (ModelCard, Parts, Trainer),
        target: Option<Box<dyn KnownDistribution>>,
    ) -> Result<Fitted> {
        let budget = trainer.config().budget;
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

    /// Draws samples as `segre evaluate WORDS` would, and compares them with the known target.
    pub fn divergence(&mut self, fitted: &Fitted, words: &str) -> Result<(Measured, Samples)> {
        let target = fitted.target.as_deref();
        let target = target.context("the data come from no known distribution")?;
        let arguments = sampling_words(words)?;
        let options = many_samples(&arguments.sampling, fitted.conditional, self.seed);
        let count = arguments.samples;
        let samples = sample(&fitted.model, count, &options, &mut |done| {
            let fraction = done as f64 / count as f64;
            self.tell(TRAINING + (1.0 - TRAINING) * fraction, || "sampling".into());
            !interrupt::asked()
        })?;
        let found = DivergenceReport::of(target, &samples)?;
        let measured = Measured::of(&found)
            .and("training_steps", fitted.steps as f64)
            .and("training_seconds", fitted.seconds)
            .and("sampling_seconds", samples.seconds)
            .and("parameters", fitted.model.parameters() as f64)
            .and("mean_entropy", samples.mean_entropy);
        Ok((measured, samples))
    }
}

/// The options of an evaluation written as on the command line.
fn sampling_words(words: &str) -> Result<Evaluate> {
    let fixed = ["segre", "evaluate", "."].into_iter();
    match Arguments::try_parse_from(fixed.chain(words.split_whitespace()))?.command {
        Command::Evaluate(arguments) => Ok(arguments),
        other => bail!("not an evaluation: {other:?}"),
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
        match interrupt::asked() {
            true => Control::Stop,
            false => Control::Continue,
        }
    }

    fn save(&mut self, _: &Trainer) -> segre::flow::Result<()> {
        Ok(())
    }
}
