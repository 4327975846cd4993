//! The integral over levels from nothing known to all known, row by row, by Monte Carlo with error control.

use std::time::Instant;

use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::levels::{BINS, LevelDistribution};
use super::score::{Meaning, ScoreMethod, ScoreOptions, Scores, bits, summarise_rows};
use super::strata::Strata;
use crate::data::Dataset;
use crate::estimate::Estimate;
use crate::flow::error::Result;
use crate::flow::model::Model;
use crate::progress::{Interrupted, Observer, Progress};
use crate::random::{Purpose, generator};
use crate::ranks;
use crate::setting::InvalidSetting;

/// The integral of every row, with error control, added to its `base`.
pub(super) fn integrate(
    integrand: &dyn Integrand,
    base: &dyn Fn(&[u16]) -> f64,
    mut levels: LevelDistribution,
    model: &Model,
    data: &Dataset,
    options: &ScoreOptions,
    observer: &mut dyn Observer,
) -> Result<Scores> {
    if let Some(value) = options
        .std_error
        .filter(|goal| !(*goal > 0.0 && goal.is_finite()))
    {
        let expected = "positive and finite";
        return Err(InvalidSetting {
            name: "std error",
            value,
            expected,
        }
        .into());
    }
    let start = Instant::now();
    let scored = data.sites() - options.given.len();
    let batch = options.batch.min(model.most_rows()).max(1);
    let mut sums = vec![(0.0_f64, 0.0_f64); data.rows()];
    let mut rounds = 0;
    let mut needed = options.rounds.max(2);
    let mut squares = vec![(0.0_f64, 0_u64); BINS];
    Progress::part("score", 0.0).tell(observer)?;
    // Of the sum of the rounds' means.
    let mut variance = Some(0.0);
    // Round 0 only finds where the integrand is large; later rounds know more.
    for round in 0.. {
        let mut shares = vec![0.0; data.rows()];
        let pairs = data.rows() * options.levels;
        let mut rng = generator(options.seed, Purpose::Strata, round as u64);
        let strata = Strata::draw(data.rows(), options.levels, &mut rng);
        let mut values = vec![0.0; pairs];
        let chunks: Vec<(usize, usize)> = (0..pairs).step_by(batch).enumerate().collect();
        // Whole chunks side by side keep the processors busier than the small products within one.
        for wave in chunks.chunks(ranks::side_by_side()) {
            let drawn: Result<Vec<Vec<Draw>>> = wave[ranks::share(0..wave.len())]
                .par_iter()
                .map(|(chunk, from)| {
                    let counter = ((round as u64) << 32) | *chunk as u64;
                    let mut rng = generator(options.seed, Purpose::Score, counter);
                    let members = *from..pairs.min(from + batch);
                    let mut draws: Vec<Draw> = members
                        .map(|pair| strata.level(pair, &levels, &mut rng))
                        .collect();
                    integrand.evaluate(data, &mut draws, &rng)?;
                    Ok(draws)
                })
                .collect();
            let drawn = ranks::together(drawn, || Interrupted.into())?;
            for draw in Draw::of_all(drawn.into_iter().flatten()) {
                let weighted = draw.value / levels.density(draw.level);
                shares[draw.row] += weighted / options.levels as f64;
                values[draw.pair] = weighted;
                let bin = &mut squares[LevelDistribution::bin(draw.level)];
                *bin = (bin.0 + draw.value * draw.value, bin.1 + 1);
            }
            let last = wave.last().map_or(0, |(_, from)| *from);
            let within = (last + batch).min(pairs) as f64 / pairs as f64;
            let done = (round as f64 + within) / (needed + 1) as f64;
            Progress::part("score", done).tell(observer)?;
        }
        levels = LevelDistribution::proportional(&squares);
        if round == 0 {
            continue;
        }
        for (sum, share) in sums.iter_mut().zip(&shares) {
            *sum = (sum.0 + share, sum.1 + share * share);
        }
        variance = variance
            .zip(strata.variance(&values))
            .map(|(sum, own)| sum + own);
        rounds += 1;
        if rounds < needed {
            continue;
        }
        let error = variance.map(|variance: f64| variance.sqrt() / rounds as f64);
        let mut scores = summarise(base, data, scored, &sums, rounds, options.levels, error);
        scores.levels = levels.shares().to_vec();
        let reached = options
            .std_error
            .is_none_or(|goal| scores.bits_per_dim.std_error <= goal);
        let passed = ranks::of_first(start.elapsed().as_secs_f64());
        let late = |seconds| passed >= seconds;
        if reached || rounds >= options.max_rounds || options.seconds.is_some_and(late) {
            return Ok(scores);
        }
        let goal = options.std_error.unwrap_or(f64::INFINITY);
        let factor = (scores.bits_per_dim.std_error / goal).powi(2);
        needed = ((rounds as f64 * factor).ceil() as usize).clamp(rounds + 1, options.max_rounds);
    }
    unreachable!("the loop over rounds ends by returning")
}

/// Means and errors from sums over rounds; the error of the rows' mean where it is known better than from the rows'.
fn summarise(
    base: &dyn Fn(&[u16]) -> f64,
    data: &Dataset,
    scored: usize,
    sums: &[(f64, f64)],
    rounds: usize,
    levels: usize,
    error: Option<f64>,
) -> Scores {
    let count = rounds as f64;
    let samples = (rounds * levels) as u64;
    let rows: Vec<Estimate> = data
        .iter()
        .zip(sums)
        .map(|(row, (sum, squares))| {
            let mean = sum / count;
            let variance = (squares / count - mean * mean).max(0.0) * count / (count - 1.0);
            let value = base(row) + mean;
            Estimate {
                value,
                std_error: (variance / count).sqrt(),
                samples,
            }
        })
        .collect();
    let evaluations = (samples + levels as u64) * rows.len() as u64;
    let mut scores = summarise_rows(
        rows,
        scored,
        evaluations,
        ScoreMethod::Immse,
        Meaning::UpperBound,
    );
    if let Some(error) = error {
        scores.mean_nats.std_error = error;
        scores.bits_per_dim = scores.mean_nats.scaled(bits(scored));
    }
    scores
}

/// The integrand of one row at one level.
pub(super) struct Draw {
    /// Of row and draw, a row's draws beside each other.
    pub pair: usize,
    pub row: usize,
    /// Fraction in `(0, 1)`: of the last level `√γ*`, or of the sites that are known.
    pub level: f64,
    pub value: f64,
}

impl Draw {
    /// Those of all processes.
    fn of_all(own: impl Iterator<Item = Self>) -> Vec<Self> {
        if ranks::size() == 1 {
            return own.collect();
        }
        let numbers = own.map(|own| [own.pair as f64, own.row as f64, own.level, own.value]);
        let draw = |[pair, row, level, value]: [f64; 4]| Self {
            pair: pair as usize,
            row: row as usize,
            level,
            value,
        };
        let all = ranks::gather(numbers.collect()).into_iter();
        all.map(draw).collect()
    }
}

/// What is integrated over the level, beyond the score of independent sites.
pub(super) trait Integrand: Sync {
    /// Sets each draw's value, in nats.
    fn evaluate(&self, data: &Dataset, draws: &mut [Draw], rng: &ChaCha8Rng) -> Result<()>;
}
