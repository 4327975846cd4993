//! Layers of small networks and the loss of a field against the composed ones, values and gradients.

use std::sync::Arc;

use burn::tensor::{DType, Device, Gradients, Tensor, TensorData, activation};

use super::{distance, numbers, values};
use crate::propagation::Propagation;
use crate::scanlines::Scanlines;
use crate::simd::Level;
use crate::softmax::Softmax;
use crate::{layer, stock};

/// A tracked tensor of reproducible numbers.
fn random<const D: usize>(dims: [usize; D], seed: u64) -> Tensor<D> {
    let device = Device::flex().autodiff();
    let data = TensorData::new(numbers(dims.iter().product(), seed), dims);
    Tensor::from_data(data, &device).require_grad()
}

/// Reads the gradient of an input.
type GradientOf<'a> = dyn Fn(&Gradients) -> Vec<f32> + 'a;

/// The gradients of some inputs, by what takes an input's out of all, when the value's is some numbers.
fn gradients<const D: usize>(value: &Tensor<D>, inputs: &[&GradientOf]) -> Vec<Vec<f32>> {
    let weights = numbers(value.dims().iter().product(), 9);
    let weights = Tensor::from_data(TensorData::new(weights, value.dims()), &value.device());
    let found = (value.clone() * weights).sum().backward();
    inputs.iter().map(|input| input(&found)).collect()
}

/// The gradient of a tensor out of all.
fn of<const D: usize>(tensor: &Tensor<D>) -> impl Fn(&Gradients) -> Vec<f32> {
    move |found| values(tensor.grad(found).expect("the tensor is tracked"))
}

fn assert_close(fast: &[Vec<f32>], composed: &[Vec<f32>], limit: f32) {
    assert_eq!(fast.len(), composed.len());
    for (part, (fast, composed)) in fast.iter().zip(composed).enumerate() {
        let distance = distance(fast, composed);
        assert!(distance < limit, "part {part}: {distance}");
    }
}

#[test]
fn affine_maps_agree_with_the_composed_ones() {
    for (rows, inputs, outputs) in [(1, 1, 1), (3, 7, 17), (200, 33, 40)] {
        for rectify in [false, true] {
            // The weight out of order, as burn transposes without moving numbers.
            let weight = random([outputs, inputs], 2);
            let (input, bias) = (random([rows, inputs], 1), random([outputs], 3));
            let both = [layer::affine, stock::affine].map(|affine| {
                let matrix = weight.clone().transpose();
                let value = affine(input.clone(), matrix, bias.clone(), rectify);
                let mut found = gradients(&value, &[&of(&input), &of(&weight), &of(&bias)]);
                found.push(values(value));
                found
            });
            assert_close(&both[0], &both[1], 1e-5);
        }
    }
}

#[test]
fn what_is_not_a_number_passes_a_rectified_map() {
    let input = random([2, 3], 1).inner() * f32::NAN;
    let (weight, bias) = (random([3, 4], 2).inner(), random([4], 3).inner());
    let output = values(layer::affine(input, weight, bias, true));
    assert!(output.iter().all(|y| y.is_nan()));
}

#[test]
fn columns_and_taps_agree_with_the_composed_ones() {
    for (batch, sites, channels, taps, dilation) in [
        (1, 1, 1, 1, 1),
        (3, 4, 5, 7, 1),
        (40, 9, 3, 3, 4),
        (2, 5, 2, 9, 3),
    ] {
        let input = random([batch, sites, channels], 1);
        let weight = random([19, channels, 9], 2);
        let fast = layer::columns(input.clone(), taps, dilation);
        let composed = stock::columns(input.clone(), taps, dilation);
        assert_moved(fast, composed, &input);
        let fast = layer::taps(weight.clone(), taps);
        assert_moved(fast, stock::taps(weight.clone(), taps), &weight);
    }

    fn assert_moved(fast: Tensor<2>, composed: Tensor<2>, input: &Tensor<3>) {
        let both = [fast, composed].map(|value| {
            let gradient = gradients(&value, &[&of(input)]).remove(0);
            (values(value), gradient)
        });
        assert_eq!(both[0].0, both[1].0);
        assert!(distance(&both[0].1, &both[1].1) < 1e-6);
    }
}

#[test]
fn normalisations_agree_with_the_composed_ones() {
    for (rows, columns) in [(7, 1), (9, 16), (300, 37)] {
        let input = random([rows, columns], 1);
        let scaled = || input.clone() * 3.0 + 2.0;
        let (scale, shift) = (random([columns], 2), random([columns], 3));
        let both = [layer::layer_norm, stock::layer_norm].map(|normalise| {
            let value = normalise(scaled(), scale.clone(), shift.clone());
            let mut found = gradients(&value, &[&of(&input), &of(&scale), &of(&shift)]);
            found.push(values(value));
            found
        });
        assert_close(&both[0], &both[1], 2e-5);
        let both = [layer::batch_norm, stock::batch_norm].map(|normalise| {
            let (value, mean, variance) = normalise(scaled(), scale.clone(), shift.clone());
            let mut found = gradients(&value, &[&of(&input), &of(&scale), &of(&shift)]);
            assert!(!mean.is_require_grad() && !variance.is_require_grad());
            found.extend([value, mean.unsqueeze(), variance.unsqueeze()].map(values));
            found
        });
        assert_close(&both[0], &both[1], 2e-5);
    }
}

#[test]
fn the_error_of_a_field_agrees_with_the_composed_one() {
    for dims in [[1, 1, 1], [3, 2, 5], [70, 2, 91]] {
        let field = random(dims, 1);
        let constant = |seed| Tensor::from_inner(random(dims, seed).inner());
        let [logits, target] = [2, 3].map(constant);
        let points = activation::softmax(logits * 3.0, 2);
        let both = [layer::matching_error, stock::matching_error].map(|error| {
            let value = error(field.clone(), points.clone(), target.clone());
            let gradients = (value.clone() * 0.7).sum().backward();
            let gradient = field.grad(&gradients).expect("the tensor is tracked");
            [values(value), values(gradient)]
        });
        assert_close(&both[0], &both[1], 1e-5);
    }
}

#[test]
fn messages_along_lines_agree_with_the_composed_ones() {
    for (batch, height, width, c) in [(1, 1, 2, 2), (2, 1, 7, 3), (3, 5, 4, 2), (2, 6, 9, 12)] {
        let sites = height * width;
        let positive = |count, seed| -> Vec<f32> {
            let exponents: Vec<f32> = numbers(count, seed);
            exponents.into_iter().map(|x| (2.0 * x).exp()).collect()
        };
        let (ratios, marginals) = (positive(2 * c * c, 10), positive(sites * c, 14));
        let lines = Arc::new(Scanlines::new([height, width], &ratios, &marginals));
        let input = random([batch, sites, c], 1);
        // Some sites are all but certain, as known ones are.
        let known = random([batch, sites, c], 2).inner().powi_scalar(9) * 80.0;
        let local = || input.clone() * 4.0 + Tensor::from_inner(known.clone());
        let both = [
            layer::scanlines(local(), lines.clone()),
            stock::scanlines(local(), &lines),
        ]
        .map(|value| {
            let gradient = gradients(&value, &[&of(&input)]).remove(0);
            vec![values(value), gradient]
        });
        assert_close(&both[0], &both[1], 1e-4);
    }
}

/// Messages of a ring of sites with a chord, so that sites differ in neighbours.
fn ring(sites: usize, c: usize) -> Propagation {
    let pairs = (0..sites).map(|site| [site, (site + 1) % sites]);
    let pairs: Vec<[usize; 2]> = pairs.chain([[0, sites / 2]]).collect();
    let table = |pair: usize| -> Vec<f32> {
        let exponents = numbers(c * c, pair as u64).into_iter();
        exponents.map(|x| (3.0 * x - 3.0).exp()).collect()
    };
    let pairs = pairs.into_iter().enumerate();
    let pairs: Vec<_> = pairs.map(|(pair, sites)| (sites, table(pair))).collect();
    Propagation::new([sites, c], &pairs, 5, 0.2)
}

#[test]
fn beliefs_of_pairs_agree_with_the_composed_ones() {
    for (batch, sites, c) in [(1, 4, 2), (16, 5, 3), (37, 6, 2), (70, 4, 12)] {
        let pairs = Arc::new(ring(sites, c));
        let input = random([batch, sites, c], 1);
        // Some labels are all but certain, as known ones are.
        let known = random([batch, sites, c], 2).inner().powi_scalar(9) * 80.0;
        let local = || input.clone() * 4.0 + Tensor::from_inner(known.clone());
        let both = [
            layer::propagate(local(), pairs.clone()),
            stock::propagate(local(), &pairs),
        ]
        .map(|beliefs| {
            // They are told up to a constant for each site.
            let value = activation::log_softmax(beliefs, 2);
            let gradient = gradients(&value, &[&of(&input)]).remove(0);
            vec![values(value), gradient]
        });
        assert_close(&both[0], &both[1], 1e-4);
    }
}

#[test]
fn softmax_agrees_with_the_composed_one() {
    for count in [1, 2, 15, 16, 17, 91, 160] {
        let logits: Vec<f32> = numbers(count, 4).iter().map(|x| 30.0 * x).collect();
        let tensor = Tensor::<1>::from_floats(logits.as_slice(), &Device::flex());
        let expected = values(activation::softmax(tensor, 0));
        for level in Level::available() {
            let mut found = logits.clone();
            level.run(Softmax(&mut found));
            assert!(distance(&found, &expected) < 1e-6, "{level:?} {count}");
        }
    }
}

#[test]
fn other_numbers_take_the_composed_layers() {
    let wide = |tensor: Tensor<2>| tensor.inner().cast(DType::F64);
    let (input, weight) = (wide(random([6, 5], 1)), wide(random([5, 5], 2)));
    let vector = random([5], 3).inner().cast(DType::F64);
    let layer = |input: Tensor<2>, weight: Tensor<2>, vector: Tensor<1>| {
        let output = crate::affine(input, weight.clone(), vector.clone(), true);
        let output = crate::layer_norm(output, vector.clone(), vector.clone());
        let field = output.clone().reshape([2, 3, 5]);
        let kernel = weight.reshape([5, 5, 1]);
        let sites = crate::convolve_sites(field.clone(), kernel, vector, 1);
        let points = activation::softmax(field.clone(), 2);
        let error = crate::matching_error(field, points, sites.reshape([2, 3, 5]));
        assert_eq!(error.dtype(), output.dtype());
        values(error.cast(DType::F32))
    };
    let narrow = |tensor: Tensor<2>| tensor.cast(DType::F32);
    let expected = layer(input.clone(), weight.clone(), vector.clone());
    let found = layer(narrow(input), narrow(weight), vector.cast(DType::F32));
    assert!(distance(&found, &expected) < 1e-4);
}
