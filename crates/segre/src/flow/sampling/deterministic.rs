//! Deterministic samplers: the assignment flow is integrated from noise, labels are read off at the end.

use burn::tensor::Tensor;
use rand_chacha::ChaCha8Rng;

use super::{Drawn, LevelGrid, SamplingOptions, Source, largest, normalised_entropy};
use crate::flow::error::Result;
use crate::learning::parameters::host_values;
use crate::ode::{Method, Stepping, TimeGrid, integrate};

/// Integrates the assignment flow in e-coordinates from the reference noise.
///
/// Source: EG (1), docs/mathematics.md §4; Zeilmann et al. 2020.
pub(super) fn flow(
    source: &Source,
    method: Option<(Method, usize)>,
    size: usize,
    options: &SamplingOptions,
    mut rng: ChaCha8Rng,
) -> Result<Drawn> {
    let model = source.model;
    let path = model.gaussian_path()?;
    let categories = model.manifold.categories();
    let end = source.head.flow_end(model)?;
    let field = |state: Tensor<3>, time: Tensor<1>| {
        source.head.velocity(model, source.denoiser, state, time)
    };
    let stepping = match method {
        None => Stepping::Adaptive {
            start: 0.0,
            end,
            options: options.tolerances.clone(),
        },
        Some((method, steps)) => {
            let grid = match source.grid(options) {
                LevelGrid::Uniform => TimeGrid::uniform(0.0, end, steps)?,
                other => {
                    let last = model.end_root_snr();
                    let time = |level: f64| path.time_at_snr((last * level).powi(2), categories);
                    let levels = other.levels(model.manifold.sites(), steps);
                    let times = levels.into_iter().map(time);
                    TimeGrid::new(std::iter::once(0.0).chain(times).collect())?
                }
            };
            Stepping::Fixed { method, grid }
        }
    };
    let start = model.manifold.reference_noise(size, &mut rng);
    let start = start.to_device(model.device());
    let solution = integrate(&field, start, &stepping)?;
    let points = host_values(model.manifold.point(solution.state));
    let entropy = normalised_entropy(&points, &model.manifold);
    let sites = model.manifold.sites();
    let labels = points
        .chunks(categories)
        .enumerate()
        .map(|(place, point)| {
            largest(&point[..model.manifold.cardinalities()[place % sites]]) as u16
        })
        .collect();
    Ok(Drawn {
        labels,
        evaluations: solution.evaluations,
        entropy,
        log_probabilities: Vec::new(),
    })
}
