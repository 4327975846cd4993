//! Settings of a fit without data.

use serde::{Deserialize, Serialize};

use crate::neural::error::Result;
use crate::setting::InvalidSetting;

/// Sites up to which rows are drawn one site at a time, and groups for more: a draw costs as many evaluations, and
/// should not cost more than the training between draws.
const FEW_SITES: usize = 64;
const GROUPS: usize = 32;
/// Labels of the rows that are drawn in a round, and of those that are trained on.
const DRAWN_LABELS: usize = 1 << 15;
const TRAINED_LABELS: usize = 1 << 19;

/// Settings of a fit without data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataFreeConfig {
    /// Rows that the network draws in a round.
    pub draws: usize,
    /// Rows that it learns from in a round: the drawn ones, repeated by weight.
    pub rows: usize,
    /// Gibbs sweeps that move every row after it is repeated, so that copies differ.
    pub sweeps: usize,
    /// Evaluations for a row: sites are drawn in as many groups. The weights stay exact, but a group's sites are drawn
    /// as if independent.
    pub sampling_steps: usize,
    /// Share of the draws that weights must leave, as effective sample size, for the temperature to fall.
    pub effective_share: f64,
    /// Share of the budget after which the temperature is 1 at the latest, whatever the weights leave.
    pub annealing: f64,
    /// Steps of training in a round.
    pub steps: u64,
    /// Rounds at temperature 1 whose rows are kept to learn from.
    pub memory: usize,
}

impl DataFreeConfig {
    /// Settings for so many variables and rows of a step.
    pub fn of(sites: usize, batch_size: usize) -> Self {
        let sites = sites.max(1);
        let draws = (DRAWN_LABELS / sites).clamp(256, 2048);
        let rows = (TRAINED_LABELS / sites).clamp(2048, 8192);
        Self {
            draws,
            rows,
            sweeps: 10,
            sampling_steps: if sites <= FEW_SITES { sites } else { GROUPS },
            effective_share: 0.5,
            annealing: 0.6,
            // Every row twice: many short rounds let the temperature follow the network closely.
            steps: (2 * rows / batch_size.max(1)).max(1) as u64,
            memory: 8,
        }
    }

    /// Checks all settings.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the first setting outside its range.
    pub fn validate(&self) -> Result<()> {
        let counts = [
            ("draws", self.draws),
            ("rows of a round", self.rows),
            ("sampling steps", self.sampling_steps),
            ("steps of a round", self.steps as usize),
            ("rounds remembered", self.memory),
        ];
        for (name, value) in counts {
            if value == 0 {
                return Err(InvalidSetting {
                    name,
                    value: 0.0,
                    expected: "at least 1",
                }
                .into());
            }
        }
        let shares = [
            ("effective share", self.effective_share),
            ("annealing", self.annealing),
        ];
        for (name, value) in shares {
            if !(value > 0.0 && value <= 1.0) {
                return Err(InvalidSetting {
                    name,
                    value,
                    expected: "above 0 and at most 1",
                }
                .into());
            }
        }
        Ok(())
    }
}
