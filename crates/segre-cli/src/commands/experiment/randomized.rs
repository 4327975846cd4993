//! Training and sampling of randomised assignment flows within a cell.

use anyhow::{Result, ensure};
use segre::data::{Dataset, Schema};
use segre::randomized::{
    Ending, RandomizedConfig, RandomizedFlow, Target, Trainer, TrainingConfig,
};

use super::run::Cell;

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
        let mut trainer = Trainer::new(model, config, schema, target.energy)?;
        let mut watch = self.watch(0.0..TRAINING, "training");
        let ending = trainer.run(target, &mut |_| Ok(()), &mut watch)?;
        ensure!(ending != Ending::Stopped, "stopped");
        Ok(trainer.averaged_model())
    }

    /// Draws labelings of a randomised flow.
    pub fn sample_randomized(&mut self, model: &RandomizedFlow, count: usize) -> Result<Dataset> {
        let seed = self.seed;
        let mut watch = self.watch(TRAINING..1.0, "sampling");
        Ok(model.sample(count, seed, &mut watch)?)
    }
}
