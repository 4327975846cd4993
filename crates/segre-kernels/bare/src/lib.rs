//! Kernels on slices, computed for small sizes at every level of instructions that the machine has, and compared with the plain one.
//!
//! Miri and the address sanitiser look for reads and writes beyond a slice, at the odd sizes where registers are not full. That the
//! plain level computes what it should is tested in the crate of kernels itself, beside burn.

#![allow(
    dead_code,
    unused_imports,
    reason = "what only burn's side uses is not here"
)]

#[path = "../../src/mapped.rs"]
mod mapped;
#[path = "../../src/parts.rs"]
mod parts;
#[path = "../../src/simd/mod.rs"]
mod simd;
#[path = "../../src/sums.rs"]
mod sums;
#[path = "../../src/testing/numbers.rs"]
mod testing;

#[path = "../../src/operations/attention/processor.rs"]
mod attention;

#[path = "."]
mod convolution {
    #[path = "../../src/operations/convolution/patch.rs"]
    mod patch;
    #[path = "../../src/operations/convolution/processor.rs"]
    pub mod processor;
    #[path = "../../src/operations/convolution/weight_gradient.rs"]
    pub mod weight_gradient;
}

#[path = "."]
mod group_norm {
    #[path = "../../src/operations/group_norm/channels.rs"]
    mod channels;
    #[path = "../../src/operations/group_norm/processor.rs"]
    pub mod processor;
}

#[path = "."]
mod hidden_tree {
    #[path = "../../src/operations/hidden_tree/block.rs"]
    mod block;
    #[path = "../../src/operations/hidden_tree/expectations.rs"]
    mod expectations;
    #[path = "../../src/operations/hidden_tree/messages.rs"]
    mod messages;
    #[path = "../../src/operations/hidden_tree/tables.rs"]
    mod tables;

    pub use tables::HiddenTree;

    use crate::simd::Level;

    /// Marginals of as many rows as the level takes together.
    pub fn marginals(level: Level, tree: &HiddenTree, local: &[f32]) -> Vec<f32> {
        let mut all = vec![0.0; local.len()];
        let part = level.run(block::Width) * tree.sites() * tree.categories;
        for (local, result) in local.chunks(part).zip(all.chunks_mut(part)) {
            level.run(block::Block {
                tree,
                local,
                result,
            });
        }
        all
    }
}

#[path = "."]
mod propagation {
    #[path = "../../src/operations/propagation/block.rs"]
    mod block;
    #[path = "../../src/operations/propagation/pairs.rs"]
    mod pairs;

    pub use pairs::Propagation;

    use crate::simd::Level;

    /// What the messages of some rows sum to.
    pub fn beliefs(level: Level, pairs: &Propagation, local: &[f32]) -> Vec<f32> {
        let mut all = vec![0.0; local.len()];
        let part = level.lanes() * pairs.sites * pairs.categories;
        for (local, result) in local.chunks(part).zip(all.chunks_mut(part)) {
            level.run(block::Block {
                pairs,
                local,
                result,
            });
        }
        all
    }
}

/// How exactly factors enter products, as in the crate of kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Precision {
    F32,
    Bf16,
}

#[cfg(test)]
mod tests;
