//! Conditional marginals: what the known sites of a row say of each unknown one.

use super::channel::KnownSites;
use super::model::Model;
use crate::data::PartialDataset;
use crate::flow::error::Result;
use crate::progress::Interrupted;

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
/// [`FlowError::ConditionNeedsPosterior`](crate::flow::FlowError::ConditionNeedsPosterior) for a field head or a
/// path on the simplex, [`DataError::SchemaMismatch`](crate::data::DataError::SchemaMismatch) for rows of another
/// schema, [`Interrupted`] if `progress`, told how many rows are done, returns `false`.
///
/// Source: docs/mathematics.md §2.1.5.
pub fn conditional_marginals(
    model: &Model,
    given: &PartialDataset,
    progress: &mut dyn FnMut(usize) -> bool,
) -> Result<Vec<f32>> {
    model.schema.same_as(&given.schema)?;
    model.check_conditions()?;
    let (sites, categories) = (model.manifold.sites(), model.manifold.categories());
    let known = KnownSites::new(&model.manifold);
    let mut marginals = Vec::with_capacity(given.rows() * sites * categories);
    let batch = BATCH.min(model.most_rows());
    for from in (0..given.rows()).step_by(batch) {
        let size = batch.min(given.rows() - from);
        let (mut states, mut levels) = known.nothing(size);
        known.show_rows(given, |k| from + k, &mut states, &mut levels);
        let mut mean = known.posterior(model, model.device(), states, levels);
        for (place, own) in mean.chunks_mut(categories).enumerate() {
            if let Some(label) = given.label(from + place / sites, place % sites) {
                own.fill(0.0);
                own[usize::from(label)] = 1.0;
            }
        }
        marginals.extend(mean);
        if !progress(from + size) {
            return Err(Interrupted.into());
        }
    }
    Ok(marginals)
}
