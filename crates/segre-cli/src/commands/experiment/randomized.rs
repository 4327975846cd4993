//! Training and sampling of randomised assignment flows within a cell.

use anyhow::{Result, ensure};
use segre::Control;
use segre::data::{Dataset, Schema};
use segre::randomized::{
    Ending, RandomizedConfig, RandomizedFlow, Target, Trainer, TrainingConfig,
};

use super::run::Cell;
use crate::interrupt;

/// The part of a cell's progress that training makes up; the rest is sampling.
const TRAINING: f64 = 0.9;

impl Cell<'_> {
    /// Trains a randomised flow with the cell's seed.
    pub fn fit_randomized(
        &mut self,
        model: RandomizedConfig,
        training: TrainingConfig,
        schema: Schema,
        target: Target,
    ) -> Result<RandomizedFlow> {
        let config = TrainingConfig {
            seed: self.seed,
            ..training
        };
        let budget = config.budget;
        let mut trainer = Trainer::new(model, config, schema, target.energy)?;
        let ending = trainer.run(target, &mut |trainer, loss| {
            let (step, seconds) = trainer.progress();
            self.tell(TRAINING * budget.progress(step, seconds), || {
                format!("training, step {step}, loss {loss:.4}")
            });
            Ok(match interrupt::asked() {
                true => Control::Stop,
                false => Control::Continue,
            })
        })?;
        ensure!(ending != Ending::Stopped, "stopped");
        Ok(trainer.averaged_model())
    }

    /// Draws labelings of a randomised flow.
    pub fn sample_randomized(&mut self, model: &RandomizedFlow, count: usize) -> Result<Dataset> {
        let data = model.sample(count, self.seed, &mut |done| {
            let fraction = done as f64 / count as f64;
            self.tell(TRAINING + (1.0 - TRAINING) * fraction, || "sampling".into());
            !interrupt::asked()
        })?;
        Ok(data)
    }
}
