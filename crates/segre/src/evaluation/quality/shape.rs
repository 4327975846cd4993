//! Columns by themselves: how alike the distributions of one column are.

use super::report::Measure;
use super::rows::{Column, Content};

/// How alike two lists of one column's values are, 1 for the same distribution; missing values do not count. `None` where
/// one of the lists has no value.
pub(super) fn shape(real: &Column, synthetic: &Column) -> (Measure, Option<f64>) {
    match (&real.values, &synthetic.values) {
        (Content::Numbers(real), Content::Numbers(synthetic)) => {
            (Measure::KsComplement, ks_complement(real, synthetic))
        }
        (
            Content::Categories {
                codes: real,
                count,
                missing,
            },
            Content::Categories {
                codes: synthetic, ..
            },
        ) => {
            let score = tv_complement(real, synthetic, *count, *missing);
            (Measure::TvComplement, score)
        }
        _ => unreachable!("one schema has one kind of column"),
    }
}

/// `1 − max_x |F(x) − G(x)|` of two empirical distributions, without missing numbers.
fn ks_complement(real: &[f64], synthetic: &[f64]) -> Option<f64> {
    let sorted = |numbers: &[f64]| {
        let mut known: Vec<f64> = numbers.iter().copied().filter(|x| !x.is_nan()).collect();
        known.sort_unstable_by(f64::total_cmp);
        known
    };
    let (real, synthetic) = (sorted(real), sorted(synthetic));
    if real.is_empty() || synthetic.is_empty() {
        return None;
    }
    let (mut i, mut j, mut largest) = (0, 0, 0.0_f64);
    while i < real.len() && j < synthetic.len() {
        let at = real[i].min(synthetic[j]);
        i += real[i..].iter().take_while(|x| **x <= at).count();
        j += synthetic[j..].iter().take_while(|x| **x <= at).count();
        let difference = i as f64 / real.len() as f64 - j as f64 / synthetic.len() as f64;
        largest = largest.max(difference.abs());
    }
    Some(1.0 - largest)
}

/// `1 − ½ Σ_k |p_k − q_k|` of two lists of categories, without missing fields.
fn tv_complement(
    real: &[u32],
    synthetic: &[u32],
    count: usize,
    missing: Option<u32>,
) -> Option<f64> {
    let shares = |codes: &[u32]| {
        let mut counts = vec![0_usize; count];
        codes.iter().for_each(|code| counts[*code as usize] += 1);
        if let Some(missing) = missing {
            counts[missing as usize] = 0;
        }
        let total: usize = counts.iter().sum();
        let share = move |count| count as f64 / total as f64;
        (total > 0).then(|| counts.into_iter().map(share).collect::<Vec<f64>>())
    };
    let (real, synthetic) = (shares(real)?, shares(synthetic)?);
    let differences = real.iter().zip(&synthetic).map(|(p, q)| (p - q).abs());
    Some(1.0 - differences.sum::<f64>() / 2.0)
}
