//! Scaled dot-product attention.

pub(crate) mod processor;
#[cfg(test)]
mod tests;

use burn::backend::TensorMetadata;
use burn::tensor::{Tensor, activation};

#[cfg(feature = "graphics")]
use crate::graphics::{Resident, attention as graphics};
#[cfg(feature = "graphics")]
use crate::operation::Graphics;
use crate::operation::{Anywhere, Host, Operation, apply, tensor, values};
use crate::simd::Level;
use processor::{Known, Sizes};

/// Most numbers in a table of attention weights that burn is asked for; queries beyond it come in later chunks.
const MOST_WEIGHTS: usize = 1 << 24;

/// Scaled dot-product attention, `softmax(Q Kᵀ / √d) V` for every head, without a table of all pairs in memory.
///
/// # Shapes
/// `query`, `key`, `value [batch, heads, sites, d]` → the same.
pub fn attention(query: Tensor<4>, key: Tensor<4>, value: Tensor<4>) -> Tensor<4> {
    let inputs = [query, key, value].map(Tensor::into_dispatch);
    let [output] = apply(Attention, inputs);
    Tensor::from_dispatch(output)
}

/// See [`attention`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Attention;

/// What the gradients need.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// Query, key and value.
    inputs: [Host; 3],
    output: Host,
    /// See [`processor::value`].
    logarithms: Vec<f32>,
}

fn sizes([query, key, value]: &[Host; 3]) -> Sizes {
    let dims = query.shape().dims();
    let others = [key, value].map(|tensor| tensor.shape().dims());
    assert_eq!(
        others, [dims; 2],
        "shapes of key and value, and of the query"
    );
    let [batch, heads, sites, width] = dims;
    Sizes {
        heads: batch * heads,
        sites,
        width,
    }
}

impl Operation<3> for Attention {
    type Kept = Kept;

    fn value(&self, inputs: [Host; 3], _: [bool; 3]) -> ([Host; 1], Kept) {
        let numbers = inputs.each_ref().map(values);
        let (output, logarithms) = processor::value(Level::detect(), &sizes(&inputs), numbers);
        let output = tensor(output, inputs[0].shape().dims::<4>());
        let kept = Kept {
            inputs,
            output: output.clone(),
            logarithms,
        };
        ([output], kept)
    }

    fn gradients(&self, kept: Kept, gradient: Host, wanted: [bool; 3]) -> [Option<Host>; 3] {
        let known = Known {
            output: values(&kept.output),
            logarithms: &kept.logarithms,
        };
        let found = processor::gradients(
            Level::detect(),
            &sizes(&kept.inputs),
            kept.inputs.each_ref().map(values),
            known,
            values(&gradient),
        );
        let [query, key, value] = found.map(|found| tensor(found, kept.output.shape().dims::<4>()));
        [
            wanted[0].then_some(query),
            wanted[1].then_some(key),
            wanted[2].then_some(value),
        ]
    }

    fn reference(&self, inputs: [Anywhere; 3]) -> [Anywhere; 1] {
        let [query, key, value] = inputs.map(Tensor::<4>::from_dispatch);
        let [batch, heads, sites, width] = query.dims();
        let scale = (width as f64).sqrt().recip();
        let chunk = (MOST_WEIGHTS / (batch * heads * sites)).clamp(1, sites);
        let key = key.swap_dims(2, 3);
        let attend = |query: Tensor<4>| {
            let weights = activation::softmax(query.matmul(key.clone()) * scale, 3);
            weights.matmul(value.clone())
        };
        let output = match chunk == sites {
            true => attend(query),
            false => {
                let parts = query.split(chunk, 2).into_iter().map(attend).collect();
                Tensor::cat(parts, 2)
            }
        };
        [output.into_dispatch()]
    }

    #[cfg(feature = "graphics")]
    fn graphics(&self) -> Option<&dyn Graphics<3, 1>> {
        Some(self)
    }
}

#[cfg(feature = "graphics")]
impl Graphics<3, 1> for Attention {
    fn serves(&self, [query, _, _]: &[Anywhere; 3]) -> bool {
        graphics::serves(query.shape().dims())
    }

    fn value(&self, inputs: [Resident; 3], _: [bool; 3]) -> ([Resident; 1], Vec<Resident>) {
        let dims: [usize; 4] = inputs[0].shape().dims();
        let others = [&inputs[1], &inputs[2]].map(|input| input.shape().dims());
        assert_eq!(
            others, [dims; 2],
            "shapes of key and value, and of the query"
        );
        ([graphics::value(inputs.clone())], inputs.into())
    }

    fn gradients(
        &self,
        kept: Vec<Resident>,
        gradient: Resident,
        _: [bool; 3],
    ) -> [Option<Resident>; 3] {
        let inputs = <[Resident; 3]>::try_from(kept).expect("query, key and value");
        graphics::gradients(inputs, gradient).map(Some)
    }
}
