//! Training on rows that change: whoever makes the rows has the loop, and keeps the models that it finds good.

use std::time::Instant;

use super::shards::Shards;
use super::{Trainer, check_schema};
use crate::data::Dataset;
use crate::flow::error::Result;
use crate::flow::model::Model;
use crate::flow::prior::{Marginals, PriorConfig};
use crate::learning::{DataOrder, parameters};
use crate::progress::{Control, Event, Observer};
use crate::ranks;

/// Share of the budget with the full learning rate: until then the rows are a moving target.
const CONSTANT: f64 = 0.5;

/// A run in rounds, each with rows of its own.
pub(crate) struct Rounds {
    trainer: Trainer,
    shards: Shards,
    start: Instant,
    /// Seconds spent before.
    before: f64,
    /// The prior of the energy itself.
    prior: PriorConfig,
}

impl Rounds {
    pub fn new(mut trainer: Trainer) -> Self {
        // Rows that are not there yet have no marginals, and the first states must be what they look like: uniform.
        trainer.model.marginals = Marginals::uniform(trainer.model.manifold.cardinalities());
        Self {
            shards: Shards::new(&trainer.model, trainer.config.batch_size),
            prior: trainer.model.config.prior.clone(),
            before: trainer.progress.seconds,
            trainer,
            start: Instant::now(),
        }
    }

    pub fn trainer(&self) -> &Trainer {
        &self.trainer
    }

    /// The used fraction of the budget.
    pub fn done(&mut self) -> f64 {
        let seconds = self.before + self.start.elapsed().as_secs_f64();
        self.trainer.progress.seconds = ranks::of_first(seconds);
        let progress = &self.trainer.progress;
        self.trainer
            .config
            .budget
            .progress(progress.step, progress.seconds)
    }

    /// Takes the prior of `λ` times the energy.
    pub fn temper_prior(&mut self, inverse_temperature: f64) {
        if let Some(energy) = self.prior.energy() {
            let tempered = energy.tempered(inverse_temperature);
            self.trainer.model.set_energy(tempered);
        }
    }

    /// The model with averaged parameters.
    pub fn averaged(&self) -> Result<Model> {
        self.trainer.averaged_model()
    }

    /// Keeps a model: [`Trainer::best_model`] from now on.
    pub fn keep(&mut self, model: &Model) {
        self.trainer.kept = Some(parameters::collect(&model.network));
        self.trainer.progress.kept_step = self.trainer.progress.step;
    }

    /// Trains for some steps on the rows of a round, or until the budget is used up; returns the mean loss, none if the
    /// observer stopped it.
    ///
    /// The learning rate is constant in the first half of the budget and falls as a cosine in the second.
    pub fn learn(
        &mut self,
        rows: &Dataset,
        steps: u64,
        observer: &mut dyn Observer,
    ) -> Result<Option<f64>> {
        check_schema(&self.trainer.model, rows)?;
        let config = self.trainer.config.clone();
        let mut order = DataOrder::new(config.seed, rows.rows(), config.batch_size);
        let (mut sum, mut count) = (0.0, 0_u32);
        for _ in 0..steps {
            let done = self.done();
            if done >= 1.0 {
                break;
            }
            let annealed = (done - CONSTANT).max(0.0) / (1.0 - CONSTANT);
            let step = self.trainer.progress.step;
            let rate = config.optimizer.learning_rate_at(step, annealed);
            self.trainer
                .step(rows, &mut order, &mut self.shards, rate)?;
            if !self.tell(false, observer, &mut sum, &mut count)? {
                return Ok(None);
            }
        }
        if !self.tell(true, observer, &mut sum, &mut count)? {
            return Ok(None);
        }
        Ok(Some(sum / f64::from(count.max(1))))
    }

    /// Tells of steps and adds their losses; whether to go on.
    fn tell(
        &mut self,
        now: bool,
        observer: &mut dyn Observer,
        sum: &mut f64,
        count: &mut u32,
    ) -> Result<bool> {
        for event in self.trainer.read_steps(now)? {
            if let Event::Step { loss, .. } = event {
                *sum += loss;
                *count += 1;
            }
            if observer.tell(&self.trainer.report(event)) == Control::Stop {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The end of the run.
    pub fn finish(mut self) -> Trainer {
        self.done();
        self.trainer.progress.finished = true;
        self.trainer
    }
}
