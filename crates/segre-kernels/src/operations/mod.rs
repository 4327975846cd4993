//! The operations, one a file, or a folder where the form for the processor is long: its public function, its values and
//! gradients on the processor, its reference composed of burn's operations, and its tests.

pub(crate) mod affine;
pub(crate) mod attention;
mod batch_norm;
mod columns;
pub(crate) mod convolution;
pub(crate) mod group_norm;
mod hidden_tree;
mod layer_norm;
mod matching_error;
mod pixels;
mod propagation;
mod scanlines;
mod sites;
#[cfg(test)]
mod tests;

pub use affine::affine;
pub use attention::attention;
pub use batch_norm::batch_norm;
pub use columns::{
    Code, Columns, Place, coded_rows, column_logits, cross_entropies, sums_of_rows_at,
};
pub use convolution::convolution;
pub use group_norm::group_norm;
pub use hidden_tree::{Expectations, HiddenTree, tree_marginals};
pub use layer_norm::layer_norm;
pub use matching_error::matching_error;
pub use pixels::{add_to_pixels, enlarge};
pub use propagation::{Propagation, propagate};
pub use scanlines::{Scanlines, scanlines};
pub use sites::convolve_sites;
