//! What tests share: reproducible numbers, how far vectors lie apart, and the law that the forms of an operation agree.
//!
//! In a build with kernels for graphics processors the law holds there too, on the first one that is found; a software driver
//! will do. Without one these forms are not tested, and the tests say so.

mod numbers;

pub(crate) use self::numbers::{distance, numbers};

use burn::backend::TensorMetadata;
use burn::tensor::{Device, Tensor};

#[cfg(feature = "graphics")]
use crate::operation::apply;
use crate::operation::{Anywhere, Operation, apply_in_own_form};

/// An input of an operation.
pub(crate) struct Input {
    dims: Vec<usize>,
    pub numbers: Vec<f32>,
    tracked: bool,
}

/// Reproducible numbers of about unit size, whose gradient is asked for.
pub(crate) fn input<const D: usize>(dims: [usize; D], seed: u64) -> Input {
    Input {
        dims: dims.to_vec(),
        numbers: numbers(dims.iter().product(), seed),
        tracked: true,
    }
}

impl Input {
    /// Changes every number.
    pub fn map(self, change: impl Fn(f32) -> f32) -> Self {
        self.with(0, |x, _| change(x))
    }

    /// Changes every number, given one of another seed.
    pub fn with(mut self, seed: u64, change: impl Fn(f32, f32) -> f32) -> Self {
        let others = numbers(self.numbers.len(), seed);
        for (number, other) in self.numbers.iter_mut().zip(others) {
            *number = change(*number, other);
        }
        self
    }

    /// The same without a gradient.
    pub fn constant(self) -> Self {
        Self {
            tracked: false,
            ..self
        }
    }
}

/// Asserts that values and gradients are the same in all forms of an operation, but for a share of the largest number.
pub(crate) fn assert_forms_agree<O: Operation<N, M>, const N: usize, const M: usize>(
    operation: &O,
    inputs: &[Input; N],
    limit: f32,
) {
    assert_forms_agree_on(operation, inputs, limit, |values| values);
}

/// The same for a function of the values.
pub(crate) fn assert_forms_agree_on<O: Operation<N, M>, const N: usize, const M: usize>(
    operation: &O,
    inputs: &[Input; N],
    limit: f32,
    function: impl Fn([Anywhere; M]) -> [Anywhere; M],
) {
    let device = Device::flex();
    let apart = |form: &str, found: &[Vec<f32>], expected: &[Vec<f32>], limit: f32| {
        assert_eq!(found.len(), expected.len());
        for (part, (found, expected)) in found.iter().zip(expected).enumerate() {
            let distance = distance(found, expected);
            let dims = inputs.each_ref().map(|input| &input.dims);
            assert!(
                distance < limit,
                "{form}: {operation:?} {dims:?} part {part}: {distance}"
            );
        }
    };
    let fast = values_and_gradients(inputs, &device, |inputs| {
        function(apply_in_own_form(operation.clone(), inputs))
    });
    let composed = values_and_gradients(inputs, &device, |inputs| {
        function(operation.reference(inputs))
    });
    apart("processor", &fast, &composed, limit);
    #[cfg(feature = "graphics")]
    if let Some(device) = graphics_device() {
        let found = values_and_gradients(inputs, &device, |inputs| {
            function(apply(operation.clone(), inputs))
        });
        apart("graphics", &found, &composed, limit.max(1e-4));
    }
}

/// The first graphics processor, if there is one.
#[cfg(feature = "graphics")]
pub(crate) fn graphics_device() -> Option<Device> {
    let found = crate::graphics_devices().into_iter().next();
    if found.is_none() {
        eprintln!("no graphics processor, and no software driver: kernels for one are not tested");
    }
    found.map(|found| found.device)
}

/// The values of a function, and the gradients of the inputs that have one for some weights of the values.
fn values_and_gradients<const N: usize, const M: usize>(
    inputs: &[Input; N],
    device: &Device,
    function: impl Fn([Anywhere; N]) -> [Anywhere; M],
) -> Vec<Vec<f32>> {
    let device = device.clone().autodiff();
    let leaves = inputs.each_ref().map(|input| {
        let leaf = Tensor::<1>::from_floats(input.numbers.as_slice(), &device);
        leaf.set_require_grad(input.tracked)
    });
    let found = function(std::array::from_fn(|k| shaped(&leaves[k], &inputs[k].dims)));
    let found = found.map(flat);
    let weighted = found.iter().enumerate().map(|(k, value)| {
        let weights = numbers(value.dims()[0], 9 + k as u64);
        (value.clone() * Tensor::from_floats(weights.as_slice(), &device)).sum()
    });
    let loss = weighted.reduce(|sum, part| sum + part).expect("a value");
    let gradients = loss.backward();
    let tracked = leaves.iter().zip(inputs).filter(|(_, input)| input.tracked);
    let of_inputs = tracked.map(|(leaf, _)| values(leaf.grad(&gradients).expect("a gradient")));
    found.map(values).into_iter().chain(of_inputs).collect()
}

fn shaped(numbers: &Tensor<1>, dims: &[usize]) -> Anywhere {
    let numbers = numbers.clone();
    match *dims {
        [_] => numbers.into_dispatch(),
        [a, b] => numbers.reshape([a, b]).into_dispatch(),
        [a, b, c] => numbers.reshape([a, b, c]).into_dispatch(),
        [a, b, c, d] => numbers.reshape([a, b, c, d]).into_dispatch(),
        _ => panic!("no operation has inputs of {} axes", dims.len()),
    }
}

fn flat(tensor: Anywhere) -> Tensor<1> {
    match tensor.shape().num_dims() {
        1 => Tensor::from_dispatch(tensor),
        2 => Tensor::<2>::from_dispatch(tensor).flatten(0, 1),
        3 => Tensor::<3>::from_dispatch(tensor).flatten(0, 2),
        4 => Tensor::<4>::from_dispatch(tensor).flatten(0, 3),
        axes => panic!("no such operation has values of {axes} axes"),
    }
}

/// The numbers of a tensor.
pub(crate) fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let values = tensor.into_data().try_into_vec();
    values.expect("a tensor of 32-bit numbers")
}

/// Central differences of `Σ gradient · function(at)`.
pub(crate) fn differences(
    function: impl Fn(&[f64]) -> Vec<f64>,
    at: &[f32],
    gradient: &[f32],
    step: f64,
) -> Vec<f32> {
    let at: Vec<f64> = at.iter().map(|x| f64::from(*x)).collect();
    let total = |index: usize, step: f64| -> f64 {
        let mut at = at.clone();
        at[index] += step;
        let values = function(&at);
        values
            .iter()
            .zip(gradient)
            .map(|(y, g)| y * f64::from(*g))
            .sum()
    };
    let slope = |index: usize| (total(index, step) - total(index, -step)) / (2.0 * step);
    (0..at.len()).map(|index| slope(index) as f32).collect()
}

pub(crate) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|x| f64::from(*x)).collect()
}
