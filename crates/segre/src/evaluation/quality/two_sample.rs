//! The classifier two-sample test: can trees tell synthetic rows from training rows?

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::TASK;
use super::auc::Auc;
use super::boosting::{Binned, Boosted, Loss};
use super::report::{Compared, TwoSample};
use super::rows::Rows;
use crate::evaluation::error::{EvaluationError, Result};
use crate::progress::{Observer, Progress};

/// Parts of the cross-validation, as in SDMetrics.
const FOLDS: usize = 3;

/// Trains on two thirds of both kinds and asks for the last, each third once.
///
/// Source: Lopez-Paz & Oquab, Revisiting classifier two-sample tests, 2017, arXiv 1610.06545; the score is that of SDMetrics'
/// detection metrics.
pub(super) fn two_sample(
    real: &Rows,
    synthetic: &Rows,
    rng: &mut ChaCha8Rng,
    observer: &mut dyn Observer,
) -> Result<TwoSample> {
    let data = Binned::of(&Rows::join(&[real, synthetic]), None);
    let is_real = |row: usize| row < real.count;
    let mut orders = [
        (0..real.count).collect::<Vec<usize>>(),
        (real.count..real.count + synthetic.count).collect(),
    ];
    orders.iter_mut().for_each(|order| order.shuffle(rng));
    let fold = |fold: usize, of: bool| -> Vec<usize> {
        let places = orders.iter().flat_map(|order| order.iter().enumerate());
        let chosen = places.filter(|(place, _)| (place % FOLDS == fold) == of);
        chosen.map(|(_, row)| *row).collect()
    };
    let (mut aucs, mut scores) = (Vec::new(), Vec::new());
    for k in 0..FOLDS {
        Progress::part(TASK, k as f64 / FOLDS as f64).tell(observer)?;
        let (train, test) = (fold(k, false), fold(k, true));
        let targets: Vec<f64> = train.iter().map(|row| f64::from(is_real(*row))).collect();
        let found = Boosted::fit(&data, &train, &targets, Loss::Logistic).scores(&data, &test);
        let auc = Auc::of_rows(&found, |place| is_real(test[place]));
        let auc = auc.ok_or(EvaluationError::NotANumber)?.value;
        aucs.push(auc);
        scores.push(1.0 - 2.0 * (auc - 0.5).max(0.0));
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let score = mean(&scores);
    let squares: f64 = scores.iter().map(|one| (one - score).powi(2)).sum();
    let std_error = (squares / (FOLDS - 1) as f64 / FOLDS as f64).sqrt();
    Ok(TwoSample {
        score: Compared {
            value: Some(score),
            std_error: Some(std_error),
            perfect: Some(1.0),
            copying: Some(1.0),
        },
        auc: mean(&aucs),
        folds: FOLDS,
        rows: real.count.min(synthetic.count),
    })
}
