//! When training ends: steps, seconds of wall time, or both.

use serde::{Deserialize, Serialize};

use crate::learning::error::{LearningError, Result};
use crate::progress::{Count, Event, Progress};
use crate::setting::InvalidSetting;

/// When training ends: at the first of the limits that are set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// Number of steps. Only a run limited by steps alone can be repeated exactly.
    pub steps: Option<u64>,
    /// Seconds of wall time, over all parts of a resumed run.
    pub seconds: Option<f64>,
}

impl Budget {
    /// The used fraction, 1 at the end.
    pub fn progress(&self, step: u64, seconds: f64) -> f64 {
        let by_steps = self.steps.map_or(0.0, |limit| step as f64 / limit as f64);
        by_steps
            .max(self.seconds.map_or(0.0, |limit| seconds / limit))
            .min(1.0)
    }

    /// How far a run with this budget is, for who watches it.
    pub fn report(&self, step: u64, seconds: f64, event: Event) -> Progress {
        Progress {
            task: "fit",
            fraction: self.progress(step, seconds),
            count: Some(Count {
                unit: "step",
                done: step,
                total: self.steps,
            }),
            event,
        }
    }

    pub(crate) fn validate(&self) -> Result<()> {
        let limits = [
            ("steps", self.steps.map(|s| s as f64)),
            ("time", self.seconds),
        ];
        for (name, value) in limits {
            if let Some(value) = value.filter(|v| !(*v > 0.0 && v.is_finite())) {
                return Err(InvalidSetting {
                    name,
                    value,
                    expected: "positive and finite",
                }
                .into());
            }
        }
        match self.steps.is_none() && self.seconds.is_none() {
            true => Err(LearningError::NoBudget),
            false => Ok(()),
        }
    }
}
