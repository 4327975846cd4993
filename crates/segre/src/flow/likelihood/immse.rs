//! The I-MMSE likelihood bound: an integral over the signal-to-noise ratio, no simulation, no trace.
//!
//! For the true posterior `−log P(β) = ½ ∫_0^∞ E‖v̄_β − E[v̄ | x_γ]‖² dγ`; for a learned denoiser `m_θ`
//! the right side is an upper bound on the negative log-likelihood of the flow that the denoiser drives.
//! Sites independent with marginals `p_i` have a posterior `m_0` of closed form, for which the identity
//! is exact. Taking `m_θ` up to a level `γ*` and `m_0` beyond gives a bound with no rest term:
//!
//! `−log P(β) ≤ −Σ_i log p_i(β_i) + ½ ∫_0^{γ*} E[‖v̄ − m_θ‖² − ‖v̄ − m_0‖²] dγ`.
//!
//! Both denoisers see the same noise, which cancels most of the variance.
//!
//! Source: SPEC §2.1.3; Guo, Shamai & Verdú 2005; Kong et al. 2023, arXiv 2302.03792.

use burn::tensor::{Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::Estimate;
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::flow::channel::{Denoiser, NoisyBatch};
use crate::flow::model::{Model, check_schema};
use crate::geometry::AssignmentManifold;
use crate::random::{Purpose, generator};

/// How much work to spend on the bound.
#[derive(Clone, Debug, PartialEq)]
pub struct ImmseOptions {
    /// Levels of signal-to-noise per row and round, one from each of as many strata.
    pub levels: usize,
    /// Least number of independent rounds, at least 2.
    pub rounds: usize,
    /// Standard error of the data set's mean to reach, in bits per dimension.
    pub std_error: Option<f64>,
    /// Most rounds to try for that.
    pub max_rounds: usize,
    /// Seed of all noise.
    pub seed: u64,
    /// States per evaluation of the network.
    pub batch: usize,
}

impl Default for ImmseOptions {
    fn default() -> Self {
        Self {
            levels: 16,
            rounds: 4,
            std_error: Some(0.003),
            max_rounds: 64,
            seed: 0,
            batch: 512,
        }
    }
}

/// Scores of a data set: negative log-likelihoods, lower is better.
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// Bound of each row, in nats.
    pub rows: Vec<Estimate>,
    /// Mean over the rows, in nats, with its Monte Carlo error (not that of drawing the rows).
    pub mean_nats: Estimate,
    /// The same in bits per dimension (per site).
    pub bits_per_dim: Estimate,
    /// Evaluations of the denoiser, each on one state.
    pub evaluations: u64,
}

/// Number of bins of the proposal over levels.
const BINS: usize = 48;
/// Least share of the proposal that stays uniform, so that no level is missed.
const UNIFORM_SHARE: f64 = 0.1;
/// Draws per bin that are trusted as much as the uniform proposal.
const TRUSTED_DRAWS: f64 = 4.0;

/// The bound of every row of `data` under `model`.
///
/// `progress` is told the finished share of the work (of the rounds known to be needed) and may stop it
/// by returning `false`.
///
/// # Errors
/// [`Error::SchemaMismatch`] for data of another schema, [`Error::Interrupted`] if stopped,
/// [`Error::NonFiniteScore`] if the network's output is not finite.
pub fn score(
    model: &Model,
    data: &Dataset,
    options: &ImmseOptions,
    progress: &mut dyn FnMut(f64) -> bool,
) -> Result<Scores> {
    check_schema(model, data)?;
    score_with(model, model, data, options, progress)
}

/// The bound with another denoiser than the model's own; the model gives marginals and levels.
///
/// # Errors
/// As [`score`].
pub fn score_with(
    denoiser: &dyn Denoiser,
    model: &Model,
    data: &Dataset,
    options: &ImmseOptions,
    progress: &mut dyn FnMut(f64) -> bool,
) -> Result<Scores> {
    if let Some(value) = options
        .std_error
        .filter(|goal| !(*goal > 0.0 && goal.is_finite()))
    {
        let expected = "positive and finite";
        return Err(Error::InvalidSetting {
            name: "std error",
            value,
            expected,
        });
    }
    let integral = Integral {
        denoiser,
        model,
        end: model.end_root_snr(),
    };
    let mut levels = LevelDistribution::uniform();
    let mut sums = vec![(0.0_f64, 0.0_f64); data.rows()];
    let mut rounds = 0;
    let mut needed = options.rounds.max(2);
    let mut squares = vec![(0.0_f64, 0_u64); BINS];
    // Round 0 only finds where the integrand is large; later rounds know more.
    for round in 0.. {
        let mut shares = vec![0.0; data.rows()];
        let pairs = data.rows() * options.levels;
        let chunks: Vec<(usize, usize)> = (0..pairs).step_by(options.batch).enumerate().collect();
        // Whole chunks side by side keep the processors busier than the small products within one.
        for wave in chunks.chunks(rayon::current_num_threads()) {
            let drawn: Vec<Vec<Draw>> = wave
                .par_iter()
                .map(|(chunk, from)| {
                    let counter = ((round as u64) << 32) | *chunk as u64;
                    let mut rng = generator(options.seed, Purpose::Score, counter);
                    let members = *from..pairs.min(from + options.batch);
                    let mut draws: Vec<Draw> = members
                        .map(|pair| Draw::new(pair, options.levels, &levels, &mut rng))
                        .collect();
                    integral.evaluate(data, &mut draws, &rng)?;
                    Ok(draws)
                })
                .collect::<Result<_>>()?;
            for draw in drawn.iter().flatten() {
                let weighted = draw.value / levels.density(draw.level);
                shares[draw.row] += weighted / options.levels as f64;
                let bin = &mut squares[LevelDistribution::bin(draw.level)];
                *bin = (bin.0 + draw.value * draw.value, bin.1 + 1);
            }
            let last = wave.last().map_or(0, |(_, from)| *from);
            let within = (last + options.batch).min(pairs) as f64 / pairs as f64;
            if !progress((round as f64 + within) / (needed + 1) as f64) {
                return Err(Error::Interrupted);
            }
        }
        levels = LevelDistribution::proportional(&squares);
        if round == 0 {
            continue;
        }
        for (sum, share) in sums.iter_mut().zip(&shares) {
            *sum = (sum.0 + share, sum.1 + share * share);
        }
        rounds += 1;
        if rounds < needed {
            continue;
        }
        let scores = summarise(model, data, &sums, rounds, options.levels);
        let reached = options
            .std_error
            .is_none_or(|goal| scores.bits_per_dim.std_error <= goal);
        if reached || rounds >= options.max_rounds {
            return Ok(scores);
        }
        let goal = options.std_error.unwrap_or(f64::INFINITY);
        let factor = (scores.bits_per_dim.std_error / goal).powi(2);
        needed = ((rounds as f64 * factor).ceil() as usize).clamp(rounds + 1, options.max_rounds);
    }
    unreachable!("the loop over rounds ends by returning")
}

/// Means and errors from sums over rounds.
fn summarise(
    model: &Model,
    data: &Dataset,
    sums: &[(f64, f64)],
    rounds: usize,
    levels: usize,
) -> Scores {
    let independent = model.independent_sites();
    let count = rounds as f64;
    let samples = (rounds * levels) as u64;
    let rows: Vec<Estimate> = data
        .iter()
        .zip(sums)
        .map(|(row, (sum, squares))| {
            let mean = sum / count;
            let variance = (squares / count - mean * mean).max(0.0) * count / (count - 1.0);
            let value = independent.negative_log_probability(row) + mean;
            Estimate {
                value,
                std_error: (variance / count).sqrt(),
                samples,
            }
        })
        .collect();
    let total = rows.len() as f64;
    let mean_nats = Estimate {
        value: rows.iter().map(|row| row.value).sum::<f64>() / total,
        std_error: rows
            .iter()
            .map(|row| row.std_error.powi(2))
            .sum::<f64>()
            .sqrt()
            / total,
        samples: samples * rows.len() as u64,
    };
    let bits = (data.sites() as f64 * std::f64::consts::LN_2).recip();
    Scores {
        bits_per_dim: mean_nats.scaled(bits),
        evaluations: (samples + levels as u64) * rows.len() as u64,
        rows,
        mean_nats,
    }
}

/// The integrand of one row at one level.
struct Draw {
    row: usize,
    /// Fraction `x = √γ/√γ*` of the last level.
    level: f64,
    value: f64,
}

impl Draw {
    /// A draw from the stratum of a pair of row and stratum, its value still to be found.
    fn new(pair: usize, strata: usize, levels: &LevelDistribution, rng: &mut ChaCha8Rng) -> Self {
        let quantile = ((pair % strata) as f64 + rng.random::<f64>()) / strata as f64;
        Self {
            row: pair / strata,
            level: levels.quantile(quantile),
            value: 0.0,
        }
    }
}

/// The integrand over the fraction `x = √γ/√γ*` of the last level.
struct Integral<'a> {
    denoiser: &'a dyn Denoiser,
    model: &'a Model,
    end: f64,
}

impl Integral<'_> {
    /// Sets each draw's value to `½ Σ_i (‖v̄_i − m_θi‖² − ‖v̄_i − m_0i‖²) dγ_i/dx`.
    fn evaluate(&self, data: &Dataset, draws: &mut [Draw], rng: &ChaCha8Rng) -> Result<()> {
        let manifold = &self.model.manifold;
        let device = self.model.device();
        let mut root_snr = Vec::with_capacity(draws.len() * manifold.sites());
        let mut weights = Vec::with_capacity(root_snr.capacity());
        for Draw {
            level: fraction, ..
        } in draws.iter()
        {
            let levels = self.model.levels_at(self.end * fraction);
            let own = levels.iter().zip(manifold.cardinalities());
            // Levels are proportional to the fraction: ½ dγ/dx = γ/x.
            weights.extend(own.map(|(level, c)| {
                let scale = AssignmentManifold::direction_scale(*c).powi(2);
                (scale * level * level / fraction) as f32
            }));
            root_snr.extend(levels.iter().map(|level| *level as f32));
        }
        let rows: Vec<&[u16]> = draws.iter().map(|draw| data.row(draw.row)).collect();
        let mut batch = NoisyBatch::draw(manifold, &rows, 0..rows.len(), root_snr, rng);
        let (levels, corners) = (batch.root_snr(device), batch.corners(device));
        let states = batch.states(device);
        let shape = [draws.len(), manifold.sites(), 1];
        let weights = Tensor::<3>::from_data(TensorData::new(weights, shape), device);
        let learned = self.denoiser.posterior_mean(states.clone(), levels.clone());
        let independent = self
            .model
            .independent_sites()
            .posterior_mean(states, levels);
        let error = |mean: Tensor<3>| (corners.clone() - mean).square().sum_dim(2);
        // ‖v̄_β − m‖² = c/(c−1) ‖e_β − p‖²: means over categories cancel.
        let values = (error(learned) - error(independent)) * weights;
        let values = values.sum_dim(1).into_data();
        let values = values
            .as_slice::<f32>()
            .expect("the network computes in 32-bit floats");
        for (draw, value) in draws.iter_mut().zip(values) {
            draw.value = f64::from(*value);
            if !value.is_finite() {
                let root_snr = self.end * draw.level;
                return Err(Error::NonFiniteScore {
                    row: draw.row,
                    root_snr,
                });
            }
        }
        Ok(())
    }
}

/// Piecewise constant density of the fraction `x ∈ (0, 1)`.
struct LevelDistribution {
    /// Probability of each bin.
    shares: Vec<f64>,
}

impl LevelDistribution {
    fn uniform() -> Self {
        Self {
            shares: vec![1.0 / BINS as f64; BINS],
        }
    }

    /// Proportional to the root mean square of the integrand, the proposal of least variance, mixed with
    /// the uniform density: the more, the fewer draws it rests on.
    fn proportional(squares: &[(f64, u64)]) -> Self {
        let root = |(sum, count): &(f64, u64)| (sum / (*count).max(1) as f64).sqrt();
        let roots: Vec<f64> = squares.iter().map(root).collect();
        let total: f64 = roots.iter().sum();
        if total == 0.0 {
            return Self::uniform();
        }
        let draws: u64 = squares.iter().map(|(_, count)| count).sum();
        let uniform = TRUSTED_DRAWS / (TRUSTED_DRAWS + draws as f64 / BINS as f64);
        let uniform = uniform.max(UNIFORM_SHARE);
        let share = |root: &f64| uniform / BINS as f64 + (1.0 - uniform) * root / total;
        Self {
            shares: roots.iter().map(share).collect(),
        }
    }

    fn bin(fraction: f64) -> usize {
        ((fraction * BINS as f64) as usize).min(BINS - 1)
    }

    fn density(&self, fraction: f64) -> f64 {
        self.shares[Self::bin(fraction)] * BINS as f64
    }

    fn quantile(&self, quantile: f64) -> f64 {
        let mut rest = quantile;
        for (bin, share) in self.shares.iter().enumerate() {
            if rest < *share || bin + 1 == BINS {
                // Never 0: the integrand divides by the fraction.
                let within = (rest / share).clamp(1e-9, 1.0 - 1e-9);
                return (bin as f64 + within) / BINS as f64;
            }
            rest -= share;
        }
        unreachable!("the last bin takes what is left")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_follow_the_density() {
        let mut squares = vec![(0.0, 10); BINS];
        squares[3] = (40.0, 10);
        squares[20] = (90.0, 10);
        let levels = LevelDistribution::proportional(&squares);
        assert!((levels.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let draws = 40_000;
        let mut counts = vec![0.0; BINS];
        let mut area = 0.0;
        for k in 0..draws {
            let x = levels.quantile((f64::from(k) + 0.5) / f64::from(draws));
            counts[LevelDistribution::bin(x)] += 1.0 / f64::from(draws);
            area += (levels.density(x) * f64::from(draws)).recip();
        }
        for (count, share) in counts.iter().zip(&levels.shares) {
            assert!((count - share).abs() < 1e-3);
        }
        assert!(
            (area - 1.0).abs() < 1e-3,
            "the reciprocal density integrates to the length: {area}"
        );
    }
}
