//! Sampling of randomised assignment flows: labelings, probabilities, marginals and expectations.

use rand::{Rng, RngExt};
use rayon::prelude::*;

use super::model::RandomizedFlow;
use super::objective::{Labelings, Mixture};
use crate::data::Dataset;
use crate::progress::{Observer, Progress};
use crate::random::{Purpose, generator, row_generator};
use crate::randomized::error::Result;

/// Draws computed between two reports of progress.
const CHUNK: usize = 4096;

/// Ends of the flow for draws of `Ω`, as logarithms.
///
/// # Shapes
/// `[draws][K]`, `K = Σ_i c_i`, site after site.
#[derive(Clone, Debug)]
pub struct Draws {
    log_ends: Vec<Vec<f32>>,
    offsets: Vec<usize>,
}

impl Draws {
    /// `log P(α) ≈ log (1/m) Σ_l T(S^l)_α` of every row, in nats: below the true value by about
    /// `Var(T(S)_α) / (2 m P(α)²)` on average.
    ///
    /// Source: RAF (6), (23b).
    ///
    /// # Panics
    /// If the rows have other variables.
    pub fn log_probabilities(&self, rows: &Dataset) -> Vec<f64> {
        assert_eq!(rows.sites() + 1, self.offsets.len(), "variables");
        let labelings = Labelings::of(rows.iter(), &self.offsets);
        let views: Vec<&[f32]> = self.log_ends.iter().map(Vec::as_slice).collect();
        // In parts, for the shares of all of them would take much memory.
        let mut sums = vec![(f64::NEG_INFINITY, 0.0); labelings.count()];
        for part in views.chunks(256) {
            let mixture = Mixture::new(part, &labelings);
            for ((largest, sum), log) in sums.iter_mut().zip(&mixture.log_probabilities) {
                let log = log + (part.len() as f64).ln();
                if log > *largest {
                    *sum *= (*largest - log).exp();
                    *largest = log;
                }
                *sum += (log - *largest).exp();
            }
        }
        let draws = (views.len() as f64).ln();
        let logs: Vec<f64> = sums.iter().map(|(l, sum)| l + sum.ln() - draws).collect();
        labelings.index.iter().map(|number| logs[*number]).collect()
    }

    /// Mean entropy of a site at the ends, in nats: 0 if all are labelings.
    pub fn mean_site_entropy(&self) -> f64 {
        let entropy = |end: &Vec<f32>| -> f64 {
            let parts = end.iter().map(|log| -f64::from(log.exp() * log));
            parts.sum()
        };
        let total: f64 = self.log_ends.iter().map(entropy).sum();
        total / (self.log_ends.len().max(1) * (self.offsets.len() - 1)) as f64
    }
}

impl RandomizedFlow {
    /// Draws `count` labelings, row by row: `Ω` and initial point, the flow to its end, and a label of every site
    /// from `S(end)`.
    ///
    /// The distribution of the rows is `E[T(S(end))]` exactly. Row `i` depends on `seed` and `i` alone.
    ///
    /// # Errors
    /// [`Interrupted`](crate::Interrupted).
    pub fn sample(&self, count: usize, seed: u64, observer: &mut dyn Observer) -> Result<Dataset> {
        let (base, offsets) = (stream(seed), self.flow.operator.offsets());
        let mut labels = vec![0; count * self.flow.operator.sites()];
        self.each_chunk(count, observer, |rows| {
            let sites = self.flow.operator.sites();
            labels[rows.start * sites..rows.end * sites]
                .par_chunks_mut(sites)
                .zip(rows)
                .for_each(|(out, row)| {
                    let end = self.log_end(&base, row);
                    // Words that the draw of the row has not used.
                    let mut rng = row_generator(&stream(seed), row);
                    rng.set_stream(rng.get_stream() | LABELS);
                    out.copy_from_slice(&labels_of(&end, offsets, &mut rng));
                });
        })?;
        Ok(Dataset::new(self.schema.clone(), labels)?)
    }

    /// Ends of the flow for `count` draws.
    ///
    /// # Errors
    /// [`Interrupted`](crate::Interrupted).
    pub fn draws(&self, count: usize, seed: u64, observer: &mut dyn Observer) -> Result<Draws> {
        let base = stream(seed);
        let mut log_ends = Vec::with_capacity(count);
        self.each_chunk(count, observer, |rows| {
            let ends = rows.into_par_iter().map(|row| self.log_end(&base, row));
            log_ends.par_extend(ends);
        })?;
        let offsets = self.flow.operator.offsets().to_vec();
        Ok(Draws { log_ends, offsets })
    }

    /// Marginals `Qᵀ P = E[S(end)]` from `count` draws, `[sites][labels]`.
    ///
    /// Source: RAF (24).
    ///
    /// # Errors
    /// [`Interrupted`](crate::Interrupted).
    pub fn marginals(
        &self,
        count: usize,
        seed: u64,
        observer: &mut dyn Observer,
    ) -> Result<Vec<Vec<f64>>> {
        let base = stream(seed);
        let offsets = self.flow.operator.offsets();
        let mut sums = vec![0.0; self.flow.operator.width()];
        self.each_chunk(count, observer, |rows| {
            let ends: Vec<Vec<f32>> = rows
                .into_par_iter()
                .map(|row| self.log_end(&base, row))
                .collect();
            for end in &ends {
                for (sum, log) in sums.iter_mut().zip(end) {
                    *sum += f64::from(*log).exp();
                }
            }
        })?;
        let site = |pair: &[usize]| -> Vec<f64> {
            let own = &sums[pair[0]..pair[1]];
            let total: f64 = own.iter().sum();
            own.iter().map(|sum| sum / total).collect()
        };
        Ok(offsets.windows(2).map(site).collect())
    }

    /// `E_P[Q φ] = E⟨S(end), φ⟩` from `count` draws, `φ` given as `[sites][labels]`.
    ///
    /// Source: RAF (25).
    ///
    /// # Errors
    /// [`Interrupted`](crate::Interrupted).
    ///
    /// # Panics
    /// If `φ` has other sites or labels.
    pub fn expectations(
        &self,
        phi: &[Vec<f64>],
        count: usize,
        seed: u64,
        observer: &mut dyn Observer,
    ) -> Result<f64> {
        let marginals = self.marginals(count, seed, observer)?;
        assert_eq!(phi.len(), marginals.len(), "sites of φ");
        let site = |(marginal, phi): (&Vec<f64>, &Vec<f64>)| -> f64 {
            assert_eq!(marginal.len(), phi.len(), "labels of φ");
            marginal.iter().zip(phi).map(|(p, value)| p * value).sum()
        };
        Ok(marginals.iter().zip(phi).map(site).sum())
    }

    fn each_chunk(
        &self,
        count: usize,
        observer: &mut dyn Observer,
        mut work: impl FnMut(std::ops::Range<usize>),
    ) -> Result<()> {
        let mut done = 0;
        Progress::pieces("sample", "sample", 0, count).tell(observer)?;
        while done < count {
            let end = (done + CHUNK).min(count);
            work(done..end);
            done = end;
            Progress::pieces("sample", "sample", done, count).tell(observer)?;
        }
        Ok(())
    }
}

/// A bit of a stream's number that no counter reaches: labels are drawn from numbers of their own.
const LABELS: u64 = 1 << 55;

fn stream(seed: u64) -> rand_chacha::ChaCha8Rng {
    generator(seed, Purpose::RandomizedSample, 0)
}

/// Labels drawn site by site from the end of a flow.
pub(super) fn labels_of(log_end: &[f32], offsets: &[usize], rng: &mut impl Rng) -> Vec<u16> {
    let site = |pair: &[usize]| {
        let mut rest: f32 = rng.random();
        let own = &log_end[pair[0]..pair[1]];
        let drawn = own.iter().position(|log| {
            rest -= log.exp();
            rest < 0.0
        });
        // Rounding may leave a little over.
        drawn.unwrap_or_else(|| largest(own)) as u16
    };
    offsets.windows(2).map(site).collect()
}

/// The nearest labeling.
pub(super) fn rounded(log_end: &[f32], offsets: &[usize]) -> Vec<u16> {
    let site = |pair: &[usize]| largest(&log_end[pair[0]..pair[1]]) as u16;
    offsets.windows(2).map(site).collect()
}

fn largest(values: &[f32]) -> usize {
    let mut best = 0;
    for (place, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = place;
        }
    }
    best
}
