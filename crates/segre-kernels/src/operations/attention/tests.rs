//! Attention against the composed one.

use burn::tensor::{Device, Tensor, TensorData};

use super::Attention;
use super::processor::{self, Known, Sizes};
use crate::operation::Operation;
use crate::simd::Level;
use crate::testing::{distance, numbers, values};

#[test]
fn attention_agrees_with_the_composed_one() {
    let device = Device::flex().autodiff();
    for (heads, sites, width) in [(1, 1, 1), (2, 5, 3), (3, 64, 16), (2, 67, 33), (1, 200, 64)] {
        let sizes = Sizes {
            heads,
            sites,
            width,
        };
        let [query, key, value, gradient] =
            [1, 2, 3, 4].map(|seed| numbers(heads * sites * width, seed));
        let query: Vec<f32> = query.iter().map(|x| 3.0 * x).collect();
        let tensor = |values: &[f32]| {
            Tensor::<4>::from_data(
                TensorData::new(values.to_vec(), [1, heads, sites, width]),
                &device,
            )
        };
        let parts = [&query, &key, &value].map(|part| tensor(part).require_grad());
        let [y] = Attention.reference(parts.clone().map(Tensor::into_dispatch));
        let y = Tensor::<4>::from_dispatch(y);
        let expected = values(y.clone());
        let found = (y * tensor(&gradient)).sum().backward();
        let expected_gradients = parts.map(|part| values(part.grad(&found).expect("tracked")));
        for level in Level::available() {
            let parts = [query.as_slice(), &key, &value];
            let (y, logarithms) = processor::value(level, &sizes, parts);
            let found = distance(&y, &expected);
            assert!(found < 5e-6, "{level:?} {sizes:?} value: {found}");
            let known = Known {
                output: &y,
                logarithms: &logarithms,
            };
            let got = processor::gradients(level, &sizes, parts, known, &gradient);
            for (got, expected) in got.iter().zip(&expected_gradients) {
                let found = distance(got, expected);
                assert!(found < 1e-5, "{level:?} {sizes:?} gradient: {found}");
            }
        }
    }
}
