//! The likelihood of the rounded flow by quadrature, for few dimensions: what bounds are judged by.
//!
//! `P(β) = ∫_{cone of β} ν(v) dv` by the trapezoidal rule on a grid in orthonormal coordinates around the corner. The
//! density is smooth and close to a normal distribution of the path's noise, for which the rule converges faster
//! than any power of the spacing.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::basis::embed;
use super::divergence::Probes;
use super::proposal::Proposal;
use super::{Divergence, ImportanceOptions, Region, flow_of, points_together};
use crate::data::Dataset;
use crate::estimate::Estimate;
use crate::flow::channel::Denoiser;
use crate::flow::error::{FlowError, Result};
use crate::flow::likelihood::score::{Meaning, ScoreMethod, ScoreOptions, Scores, summarise_rows};
use crate::flow::model::Model;
use crate::progress::{Observer, Progress};
use crate::random::{Purpose, generator};

/// Spacing of the grid in standard deviations: a normal density is integrated to `2 exp(−2π²/h²) < 1e-14`.
const SPACING: f64 = 0.75;
/// Points to either side of the corner: 6.75 standard deviations.
const REACH: i32 = 9;
/// Most dimensions: 19³ points per row.
const MOST_DIMENSIONS: usize = 3;

/// The negative log-likelihood of every row under the rounded flow.
///
/// # Errors
/// [`FlowError::TooManyDimensions`] above 3 dimensions, and as the importance-sampled bound.
pub(in crate::flow::likelihood) fn score(
    denoiser: &dyn Denoiser,
    model: &Model,
    data: &Dataset,
    options: &ScoreOptions,
    observer: &mut dyn Observer,
) -> Result<Scores> {
    let flow = flow_of(denoiser, model, options)?;
    let settings = ImportanceOptions {
        region: Region::Cone,
        mass: None,
        ..options.importance.clone()
    };
    let proposal = Proposal::new(model, flow.end, &settings)?;
    let dimensions = proposal.dimensions();
    if dimensions > MOST_DIMENSIONS {
        return Err(FlowError::TooManyDimensions {
            found: dimensions,
            most: MOST_DIMENSIONS,
        });
    }
    let width = model.manifold.sites() * model.manifold.categories();
    let together = points_together(model, Divergence::Exact, options);
    let (mut rows, mut evaluations) = (Vec::new(), 0);
    // There are few configurations, and data repeat them.
    let mut known: BTreeMap<&[u16], Estimate> = BTreeMap::new();
    for (place, row) in data.iter().enumerate() {
        if let Some(found) = known.get(row) {
            rows.push(*found);
            continue;
        }
        let grid = Grid::around(&proposal, model.manifold.categories(), row);
        let parts: Vec<(f64, u64)> = grid
            .states
            .par_chunks(together * width)
            .map(|states| {
                let mut generators = vec![generator(0, Purpose::Proposal, 0); states.len() / width];
                let exact = Divergence::Exact;
                let device = model.device();
                let probes = Probes::draw(exact, &model.manifold, &mut generators, device);
                let (logs, spent) = flow.log_densities(states.to_vec(), &probes)?;
                Ok((logs.iter().map(|log| log.exp()).sum(), spent))
            })
            .collect::<Result<_>>()?;
        let sum: f64 = parts.iter().map(|(sum, _)| sum).sum();
        evaluations += parts.iter().map(|(_, spent)| spent).sum::<u64>();
        let found = Estimate {
            value: -(sum * grid.volume).ln(),
            std_error: 0.0,
            samples: (grid.states.len() / width) as u64,
        };
        known.insert(row, found);
        rows.push(found);
        Progress::part("score", (place + 1) as f64 / data.rows() as f64).tell(observer)?;
    }
    let evaluations = evaluations * dimensions.max(1) as u64;
    Ok(summarise_rows(
        rows,
        data.sites(),
        evaluations,
        ScoreMethod::Exact,
        Meaning::Exact,
    ))
}

/// The points around a labeling that lie in its decision cone.
struct Grid {
    /// `[points · sites · categories]`.
    states: Vec<f32>,
    /// Volume that a point stands for.
    volume: f64,
}

impl Grid {
    fn around(proposal: &Proposal, categories: usize, row: &[u16]) -> Self {
        let side = 2 * REACH + 1;
        let dimensions = proposal.dimensions();
        let sites = proposal.sites();
        let spacings = sites
            .iter()
            .flat_map(|site| std::iter::repeat_n(SPACING * site.deviation, site.dimensions()));
        let volume = spacings.product();
        let mut states = Vec::new();
        for point in 0..side.pow(dimensions as u32) {
            let mut rest = point;
            let mut state = vec![0.0_f32; sites.len() * categories];
            for ((site, label), own) in sites.iter().zip(row).zip(state.chunks_mut(categories)) {
                let coordinates: Vec<f64> = (0..site.dimensions())
                    .map(|_| {
                        let step = rest % side - REACH;
                        rest /= side;
                        f64::from(step) * SPACING * site.deviation
                    })
                    .collect();
                embed(&coordinates, &mut own[..site.cardinality]);
                for (place, value) in own[..site.cardinality].iter_mut().enumerate() {
                    *value += site.centre_of(usize::from(*label), place) as f32;
                }
            }
            if proposal.log_share(row, &state) == 0.0 {
                states.extend(state);
            }
        }
        Self { states, volume }
    }
}
