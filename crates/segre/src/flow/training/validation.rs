//! What a model is validated by: its bound, or its loss where the path has no bound, row by row.

use super::Trainer;
use crate::data::Dataset;
use crate::estimate::Estimate;
use crate::flow::error::{FlowError, Result};
use crate::flow::head::{Minibatch, row_losses};
use crate::flow::likelihood::{LevelDistribution, ScoreOptions, Scores, bound_from};
use crate::flow::model::Model;
use crate::learning::LearningError;
use crate::learning::parameters;
use crate::progress::Silent;
use crate::random::{Purpose, generator};

/// Rows of an evaluation of the validation loss.
const VALIDATION_BATCH: usize = 512;

impl Trainer {
    /// The bound of the validation rows.
    pub(super) fn validation_scores(&self, model: &Model, rows: &Dataset) -> Result<Scores> {
        let options = ScoreOptions {
            levels: 4,
            rounds: 2,
            std_error: None,
            seed: self.config.seed,
            ..ScoreOptions::default()
        };
        let density = self.level_density();
        let scores = bound_from(density, model, model, rows, &options, &mut Silent);
        scores.map_err(|error| match error {
            FlowError::NonFiniteScore { .. } => self.not_finite(model).into(),
            other => other,
        })
    }

    /// The loss of the validation rows, always with the same noise: its mean in bits per site (with a field head,
    /// the squared error over log 2) and that of each row, where the bound does not serve.
    pub(super) fn validation_losses(
        &self,
        model: &Model,
        rows: &Dataset,
    ) -> Result<(Estimate, Vec<f32>)> {
        let mut losses = Vec::with_capacity(rows.rows());
        let batch = VALIDATION_BATCH.min(model.most_rows());
        for (chunk, from) in (0..rows.rows()).step_by(batch).enumerate() {
            let members = from..rows.rows().min(from + batch);
            let noise = generator(self.config.seed, Purpose::Score, chunk as u64);
            let members = members.map(|row| rows.row(row)).collect();
            let members = Minibatch::new(
                model,
                members,
                &LevelDistribution::uniform(),
                false,
                noise.clone(),
                noise,
            );
            losses.extend(row_losses(model, &members));
        }
        if losses.iter().any(|loss| !loss.is_finite()) {
            return Err(self.not_finite(model).into());
        }
        let weights = rows.weights();
        let nothing = vec![0.0; losses.len()];
        let (value, std_error) = mean_difference(&losses, &nothing, weights.as_deref());
        let nats = Estimate {
            value,
            std_error,
            samples: losses.len() as u64,
        };
        Ok((nats.scaled(std::f64::consts::LOG2_E), losses))
    }

    fn not_finite(&self, model: &Model) -> LearningError {
        LearningError::NonFiniteTraining {
            step: self.progress.step,
            parameter: parameters::first_not_finite(&model.network)
                .unwrap_or_else(|| "the validation score".to_owned()),
        }
    }
}

/// Mean of the differences `a − b` and its standard error; with weights, which are 1 on average, those of the weighed mean.
pub(super) fn mean_difference<T: Copy + Into<f64>>(
    a: &[T],
    b: &[T],
    weights: Option<&[f64]>,
) -> (f64, f64) {
    let pairs = a.iter().zip(b);
    let differences: Vec<f64> = pairs.map(|(a, b)| (*a).into() - (*b).into()).collect();
    let count = differences.len() as f64;
    if let Some(weights) = weights {
        let weighed = || differences.iter().zip(weights);
        let mean = weighed().map(|(d, w)| d * w).sum::<f64>() / count;
        let squares: f64 = weighed().map(|(d, w)| (w * (d - mean)).powi(2)).sum();
        return (mean, (squares / (count - 1.0).max(1.0) / count).sqrt());
    }
    let mean = differences.iter().sum::<f64>() / count;
    let squares: f64 = differences.iter().map(|d| (d - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0).max(1.0) / count).sqrt())
}

#[cfg(test)]
mod tests {
    use super::mean_difference;

    #[test]
    fn a_difference_has_the_error_of_the_pairs() {
        let (mean, error) = mean_difference(&[10.0_f32, 21.0, 32.0], &[9.0, 20.0, 31.0], None);
        assert_eq!((mean, error), (1.0, 0.0));
        let (mean, error) = mean_difference(&[1.0_f32, -1.0], &[0.0, 0.0], None);
        assert_eq!((mean, error), (0.0, 1.0));
        assert_eq!(mean_difference(&[1.0_f32], &[0.5], None), (0.5, 0.0));
        // Two rows of one weight, and one that weighs nothing.
        let weighed = mean_difference(&[1.0_f32, 3.0, 9.0], &[0.0; 3], Some(&[1.5, 1.5, 0.0]));
        assert_eq!(weighed.0, 2.0);
    }
}
