//! Conditional marginals: what the known sites of a row say of each unknown one.

use burn::tensor::{Tensor, TensorData};

use super::channel::{Denoiser, show_known};
use super::model::{Head, Model};
use crate::data::PartialDataset;
use crate::error::{Error, Result};
use crate::network::parameters::host_values;

/// Rows per evaluation of the network.
const BATCH: usize = 512;

/// `p(β_i = j | β_known)` for every site of every row; certainty at known sites.
///
/// One evaluation per row: known sites are shown at a level that decides them, unknown ones at level 0,
/// where they say nothing.
///
/// # Shapes
/// → `[rows, sites, categories]`, flat, padding 0.
///
/// # Errors
/// [`Error::ConditionNeedsPosterior`] for a field head, [`Error::SchemaMismatch`] for rows of another schema,
/// [`Error::Interrupted`] if `progress`, told how many rows are done, returns `false`.
///
/// Source: SPEC §2.1.5.
pub fn conditional_marginals(
    model: &Model,
    given: &PartialDataset,
    progress: &mut dyn FnMut(usize) -> bool,
) -> Result<Vec<f32>> {
    model.schema.same_as(&given.schema)?;
    if model.config.head != Head::Posterior {
        return Err(Error::ConditionNeedsPosterior);
    }
    let (sites, categories) = (model.manifold.sites(), model.manifold.categories());
    let mut marginals = Vec::with_capacity(given.rows() * sites * categories);
    for from in (0..given.rows()).step_by(BATCH) {
        let size = BATCH.min(given.rows() - from);
        let mut states = vec![0.0; size * sites * categories];
        let mut root_snr = vec![0.0; size * sites];
        let row = |k: usize| from + k;
        show_known(&model.manifold, given, row, &mut states, &mut root_snr);
        let states = TensorData::new(states, [size, sites, categories]);
        let root_snr = TensorData::new(root_snr, [size, sites]);
        let mean = model.posterior_mean(
            Tensor::from_data(states, model.device()),
            Tensor::from_data(root_snr, model.device()),
        );
        let mut mean = host_values(mean);
        for (place, own) in mean.chunks_mut(categories).enumerate() {
            if let Some(label) = given.label(from + place / sites, place % sites) {
                own.fill(0.0);
                own[usize::from(label)] = 1.0;
            }
        }
        marginals.extend(mean);
        if !progress(from + size) {
            return Err(Error::Interrupted);
        }
    }
    Ok(marginals)
}
