//! Settings of a training run.

use serde::{Deserialize, Serialize};

use crate::flow::error::Result;
use crate::learning::{Budget, OptimizerConfig};
use crate::network::Precision;
use crate::setting::InvalidSetting;

/// Settings of a training run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// Seed of initial parameters, data order and noise.
    pub seed: u64,
    /// When training ends.
    pub budget: Budget,
    /// Rows per step.
    pub batch_size: usize,
    /// Whether half of the rows show some of their labels, so that the model learns all conditionals: of pictures
    /// also blocks, or all but a block.
    pub conditional: bool,
    /// Images: whether each row is mirrored, left and right exchanged, with probability ½ in every step.
    #[serde(default)]
    pub flip: bool,
    /// Of the products in a UNet's convolutions; parameters, moments and everything else have 32 bits.
    #[serde(default)]
    pub precision: Precision,
    /// The optimiser.
    pub optimizer: OptimizerConfig,
    /// How many validations are spread over the budget.
    pub validations: u32,
    /// Most validation rows to score.
    pub validation_rows: usize,
    /// Validations without recovery (see [`Progress::stale`](super::Progress::stale)) after which training stops.
    pub patience: u32,
}

impl Default for TrainingConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            budget: Budget {
                steps: None,
                seconds: Some(90.0),
            },
            batch_size: 128,
            conditional: false,
            flip: false,
            precision: Precision::F32,
            optimizer: OptimizerConfig::default(),
            validations: 20,
            validation_rows: 512,
            patience: 8,
        }
    }
}

impl TrainingConfig {
    /// Checks all settings.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the first setting outside its range;
    /// [`LearningError::NoBudget`](crate::learning::LearningError::NoBudget).
    pub fn validate(&self) -> Result<()> {
        self.budget.validate()?;
        self.optimizer.validate()?;
        let numbers = [
            ("batch size", self.batch_size),
            ("validations", self.validations as usize),
            ("validation rows", self.validation_rows),
            ("patience", self.patience as usize),
        ];
        for (name, value) in numbers {
            if value == 0 {
                return Err(InvalidSetting {
                    name,
                    value: 0.0,
                    expected: "at least 1",
                }
                .into());
            }
        }
        Ok(())
    }
}
