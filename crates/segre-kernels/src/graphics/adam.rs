//! Adam, clipping and the moving average of the parameters on a graphics processor, in a few launches for all of them.
//!
//! All parameters lie one behind the other in one buffer, of which every parameter is a view; so do the moments and the average.
//! A step gathers the gradients into such a buffer, adds their squares, and moves everything at once; the norm stays where it
//! is until someone asks for it.

use burn::backend::{
    BackendTensor, DispatchAutodiffContext, DispatchTensor, DispatchTensorKind, TensorMetadata,
};
use burn::tensor::{DType, Shape, Tensor};
use burn_cubecl::cubecl::{self, prelude::*};

use crate::adam::{AdamStep, Parameter};

use super::{Resident, contiguous, empty, from_numbers, numbers, sum_of_cube, units};

/// Numbers between the beginnings of parameters: bindings begin at multiples of 256 bytes.
const ALIGNED: usize = 64;
/// Gradients that are gathered by one launch.
const TOGETHER: usize = 8;
/// Sums of squares of a gradient.
const PARTS: usize = 256;

/// A parameter's place in the buffers.
#[derive(Clone, Debug)]
struct Place {
    from: usize,
    shape: Vec<usize>,
    decays: bool,
}

impl Place {
    fn count(&self) -> usize {
        self.shape.iter().product()
    }
}

/// Parameters, moments and average in the memory of a graphics processor.
#[derive(Clone, Debug)]
pub struct ResidentAdam {
    places: Vec<Place>,
    total: usize,
    weights: Resident,
    first: Resident,
    second: Resident,
    average: Resident,
    /// 1 where a parameter decays.
    decays: Resident,
}

impl ResidentAdam {
    /// Takes up parameters beside a tensor; none where that is not on a graphics processor.
    pub fn new<const D: usize>(beside: &Tensor<D>, parameters: &[Parameter]) -> Option<Self> {
        let beside = resident(beside.clone().inner().into_dispatch())?;
        let mut places = Vec::new();
        let mut total = 0;
        for parameter in parameters {
            let place = Place {
                from: total,
                shape: parameter.shape.clone(),
                decays: parameter.decays,
            };
            total = (total + place.count()).next_multiple_of(ALIGNED);
            places.push(place);
        }
        let gather = |of: &dyn Fn(usize, &mut [f32])| {
            let mut all = vec![0.0_f32; total];
            for (k, place) in places.iter().enumerate() {
                of(k, &mut all[place.from..place.from + place.count()]);
            }
            from_numbers(&beside, &all)
        };
        Some(Self {
            weights: gather(&|k, all| all.copy_from_slice(&parameters[k].values)),
            first: gather(&|k, all| all.copy_from_slice(&parameters[k].first)),
            second: gather(&|k, all| all.copy_from_slice(&parameters[k].second)),
            average: gather(&|k, all| all.copy_from_slice(&parameters[k].average)),
            decays: gather(&|k, all| all.fill(f32::from(u8::from(parameters[k].decays)))),
            places,
            total,
        })
    }

    /// The gradients of all parameters, in their order, as one row of numbers; between them, and where a parameter's place ends,
    /// there are zeros.
    ///
    /// # Panics
    /// If a gradient is not beside the parameters.
    pub fn gather(&self, gradients: Vec<Tensor<1>>) -> Tensor<1> {
        assert_eq!(
            gradients.len(),
            self.places.len(),
            "a gradient for every parameter"
        );
        let client = self.weights.client.clone();
        let gathered = empty(&self.weights, &[self.total]);
        let gradients: Vec<Resident> = gradients
            .into_iter()
            .map(|gradient| {
                let gradient = resident(gradient.inner().into_dispatch());
                contiguous(gradient.expect("gradients are beside their parameters"))
            })
            .collect();
        for (places, gradients) in self.places.chunks(TOGETHER).zip(gradients.chunks(TOGETHER)) {
            let from = places[0].from;
            let last = &places[places.len() - 1];
            let end = (last.from + last.count()).next_multiple_of(ALIGNED);
            let arguments = gradients.iter().map(|gradient| numbers(gradient.clone()));
            let starts = places.iter().map(|place| place.from as u32);
            let counts = places.iter().map(|place| place.count() as u32);
            // Safety: places lie within the buffer, and gradients have the sizes of their places.
            unsafe {
                gather::launch_unchecked(
                    &client,
                    units(end - from),
                    CubeDim::new_1d(256),
                    arguments.collect(),
                    starts.collect(),
                    counts.collect(),
                    numbers(gathered.clone()),
                    from as u32,
                    end as u32,
                );
            }
        }
        Tensor::from_dispatch(anywhere(gathered))
    }

    /// One step with [gathered](Self::gather) gradients. Parameters move in their place, so that every tensor of
    /// [`Self::parameter`] moves with them. Returns the square of the gradient's norm, `[1]`; where that is not finite nothing
    /// moves.
    ///
    /// # Panics
    /// If the gradients are not beside the parameters.
    pub fn step(&mut self, gathered: Tensor<1>, step: &AdamStep) -> Tensor<1> {
        let client = self.weights.client.clone();
        let squares = empty(&self.weights, &[PARTS]);
        let norm = empty(&self.weights, &[1]);
        let gathered =
            resident(gathered.into_dispatch()).expect("gradients of a graphics processor");
        // Safety: units beyond the total do nothing.
        unsafe {
            sum_squares::launch_unchecked(
                &client,
                CubeCount::Static(PARTS as u32, 1, 1),
                CubeDim::new_1d(256),
                numbers(gathered.clone()),
                numbers(squares.clone()),
                self.total as u32,
            );
            sum_squares_of_parts::launch_unchecked(
                &client,
                CubeCount::Static(1, 1, 1),
                CubeDim::new_1d(PARTS as u32),
                numbers(squares),
                numbers(norm.clone()),
            );
            update::launch_unchecked(
                &client,
                units(self.total),
                CubeDim::new_1d(256),
                numbers(gathered),
                numbers(norm.clone()),
                numbers(self.decays.clone()),
                numbers(self.weights.clone()),
                numbers(self.first.clone()),
                numbers(self.second.clone()),
                numbers(self.average.clone()),
                self.total as u32,
                step.clip,
                step.betas[0],
                step.betas[1],
                step.corrections[0],
                step.corrections[1],
                step.rate,
                step.epsilon,
                step.decay,
                step.average,
            );
        }
        Tensor::from_dispatch(anywhere(norm))
    }

    /// A parameter, on the plain device: not a copy, steps move it.
    ///
    /// # Panics
    /// If it has another number of axes.
    pub fn parameter<const D: usize>(&self, index: usize) -> Tensor<D> {
        self.view(&self.weights, index)
    }

    fn view<const D: usize>(&self, buffer: &Resident, index: usize) -> Tensor<D> {
        let place = &self.places[index];
        assert_eq!(place.shape.len(), D, "axes of a parameter");
        let end = self.total - place.from - place.count();
        let handle = buffer.handle.clone();
        let handle = handle
            .offset_start(4 * place.from as u64)
            .offset_end(4 * end as u64);
        let view = Resident::new_contiguous(
            buffer.client.clone(),
            buffer.device(),
            Shape::from(place.shape.clone()),
            handle,
            DType::F32,
        );
        Tensor::from_dispatch(anywhere(view))
    }

    /// All parameters in host memory, in order.
    pub fn read(&self) -> Vec<Parameter> {
        let buffers = [&self.weights, &self.first, &self.second, &self.average];
        let [values, first, second, average] = buffers.map(|buffer| -> Vec<f32> {
            let bytes = buffer.client.read_one_unchecked(buffer.handle.clone());
            f32::from_bytes(&bytes).to_vec()
        });
        let places = self.places.iter().map(|place| {
            let own = |buffer: &[f32]| buffer[place.from..place.from + place.count()].to_vec();
            Parameter {
                shape: place.shape.clone(),
                values: own(&values),
                first: own(&first),
                second: own(&second),
                average: own(&average),
                decays: place.decays,
            }
        });
        places.collect()
    }
}

pub(super) fn resident(tensor: DispatchTensor) -> Option<Resident> {
    match tensor.kind {
        DispatchTensorKind::Cube(tensor) => Some(tensor.float()),
        _ => None,
    }
}

fn anywhere(tensor: Resident) -> DispatchTensor {
    DispatchTensor {
        kind: DispatchTensorKind::Cube(BackendTensor::Float(tensor)),
        autodiff: DispatchAutodiffContext::Disabled,
    }
}

/// Writes gradients to their places, and 0 between them.
#[cube(launch_unchecked)]
fn gather(
    gradients: &Sequence<Box<[f32]>>,
    starts: &Sequence<u32>,
    counts: &Sequence<u32>,
    gathered: &mut [f32],
    from: u32,
    end: u32,
) {
    let place = from + ABSOLUTE_POS as u32;
    if place < end {
        let mut found = f32::new(0.0);
        #[unroll]
        for k in 0..gradients.len() {
            if place >= starts[k] && place - starts[k] < counts[k] {
                found = gradients[k][(place - starts[k]) as usize];
            }
        }
        gathered[place as usize] = found;
    }
}

#[cube(launch_unchecked)]
fn sum_squares(gathered: &[f32], squares: &mut [f32], total: u32) {
    let mut sum = f32::new(0.0);
    let mut place = ABSOLUTE_POS as u32;
    while place < total {
        let g = gathered[place as usize];
        sum = fma(g, g, sum);
        place += comptime!(256 * PARTS as u32);
    }
    let sum = sum_of_cube(sum, 256usize);
    if UNIT_POS == 0 {
        squares[CUBE_POS_X as usize] = sum;
    }
}

#[cube(launch_unchecked)]
fn sum_squares_of_parts(squares: &[f32], norm: &mut [f32]) {
    let sum = sum_of_cube(squares[UNIT_POS as usize], PARTS);
    if UNIT_POS == 0 {
        norm[0] = sum;
    }
}

/// Moves every number against its gradient, and its average after it.
///
/// Source: Kingma & Ba 2015, Algorithm 1; decoupled decay: Loshchilov & Hutter 2019.
#[cube(launch_unchecked)]
fn update(
    gathered: &[f32],
    norm: &[f32],
    decays: &[f32],
    weights: &mut [f32],
    first: &mut [f32],
    second: &mut [f32],
    average: &mut [f32],
    total: u32,
    clip: f32,
    beta1: f32,
    beta2: f32,
    correction1: f32,
    correction2: f32,
    rate: f32,
    epsilon: f32,
    decay: f32,
    share: f32,
) {
    let at = ABSOLUTE_POS;
    if (at as u32) < total {
        let square = norm[0];
        let weight = weights[at];
        // Neither infinite nor no number.
        if square < f32::new(3.0e38) {
            let mut scale = f32::new(1.0);
            if square > clip * clip {
                scale = clip / f32::sqrt(square);
            }
            let g = gathered[at] * scale;
            let one = f32::new(1.0);
            let m = beta1 * first[at] + (one - beta1) * g;
            let v = beta2 * second[at] + (one - beta2) * g * g;
            first[at] = m;
            second[at] = v;
            let root = f32::sqrt(v * correction2) + epsilon;
            let found = weight - (rate * m * correction1 / root + decay * decays[at] * weight);
            average[at] += share * (found - average[at]);
            weights[at] = found;
        }
    }
}
