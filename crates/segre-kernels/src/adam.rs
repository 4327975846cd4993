//! The numbers of one step of Adam, what is stored of a parameter, and the state of an optimiser on a graphics processor.

#[cfg(not(feature = "graphics"))]
use std::convert::Infallible;

#[cfg(not(feature = "graphics"))]
use burn::tensor::Tensor;

#[cfg(feature = "graphics")]
pub use crate::graphics::ResidentAdam;

/// One step's numbers.
#[derive(Clone, Copy, Debug)]
pub struct AdamStep {
    /// Largest norm of the whole gradient.
    pub clip: f32,
    /// Decays of the first and second moment.
    pub betas: [f32; 2],
    /// What the moments are multiplied by, as they begin at 0.
    pub corrections: [f32; 2],
    /// Learning rate.
    pub rate: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// Decay of the parameters that have one.
    pub decay: f32,
    /// Share of the parameters in their average.
    pub average: f32,
}

/// A parameter as an optimiser takes it up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Parameter {
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// Values, last axis fastest.
    pub values: Vec<f32>,
    /// First moment.
    pub first: Vec<f32>,
    /// Second moment.
    pub second: Vec<f32>,
    /// Moving average of the values.
    pub average: Vec<f32>,
    /// Whether it decays.
    pub decays: bool,
}

/// Parameters, moments and averages in the memory of a graphics processor; this build has no kernels for one.
#[cfg(not(feature = "graphics"))]
#[derive(Clone, Debug)]
pub struct ResidentAdam {
    none: Infallible,
}

#[cfg(not(feature = "graphics"))]
impl ResidentAdam {
    /// None: there is no such memory.
    pub fn new<const D: usize>(_: &Tensor<D>, _: &[Parameter]) -> Option<Self> {
        None
    }

    /// The gradients of all parameters as one row of numbers.
    pub fn gather(&self, _: Vec<Tensor<1>>) -> Tensor<1> {
        match self.none {}
    }

    /// One step with gathered gradients; the square of the gradient's norm.
    pub fn step(&mut self, _: Tensor<1>, _: &AdamStep) -> Tensor<1> {
        match self.none {}
    }

    /// A parameter, on the plain device: not a copy, steps move it.
    pub fn parameter<const D: usize>(&self, _: usize) -> Tensor<D> {
        match self.none {}
    }

    /// All parameters in host memory, in order.
    pub fn read(&self) -> Vec<Parameter> {
        match self.none {}
    }
}
