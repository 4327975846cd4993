//! What a step needs that is recorded and repeated on a graphics processor: launches, and numbers that are there already.

#[cfg(not(feature = "graphics"))]
use std::convert::Infallible;
use std::sync::Mutex;

use burn::tensor::{Device, Tensor, TensorData};

use crate::has_graphics_kernels;

#[cfg(feature = "graphics")]
pub use crate::graphics::{Recording, overwrite};

/// Most constants that are kept; the oldest one goes first.
const MOST: usize = 64;

/// A constant where it has been brought.
struct Kept {
    device: Device,
    values: Vec<f32>,
    tensor: Tensor<1>,
}

static KEPT: Mutex<Vec<Kept>> = Mutex::new(vec![]);

/// Numbers that every step needs, on a device: to a graphics processor they are brought once.
///
/// # Panics
/// If there are more or fewer numbers than the shape has.
pub fn constant<const D: usize>(values: &[f32], shape: [usize; D], device: &Device) -> Tensor<D> {
    if !has_graphics_kernels(device) {
        return Tensor::from_data(TensorData::new(values.to_vec(), shape), device);
    }
    let plain = device.clone().inner();
    let mut kept = KEPT.lock().unwrap_or_else(|broken| broken.into_inner());
    let own = kept
        .iter()
        .find(|own| own.device == plain && own.values == values);
    let tensor = match own {
        Some(own) => own.tensor.clone(),
        None => {
            let tensor = Tensor::<1>::from_floats(values, &plain);
            if kept.len() == MOST {
                kept.remove(0);
            }
            kept.push(Kept {
                device: plain,
                values: values.to_vec(),
                tensor: tensor.clone(),
            });
            tensor
        }
    };
    drop(kept);
    let tensor = tensor.reshape(shape);
    match device.is_autodiff() {
        true => Tensor::from_inner(tensor),
        false => tensor,
    }
}

/// Launches on a graphics processor that can be repeated; this build has no kernels for one.
#[cfg(not(feature = "graphics"))]
#[derive(Clone, Debug)]
pub struct Recording {
    none: Infallible,
}

#[cfg(not(feature = "graphics"))]
impl Recording {
    /// Runs the work; there is nothing to record.
    pub fn of<const D: usize, T>(
        _: &Tensor<D>,
        mut work: impl FnMut() -> T,
    ) -> (T, Option<(Self, T)>) {
        (work(), None)
    }

    /// Queues all launches again.
    pub fn repeat(&self) -> bool {
        match self.none {}
    }
}

/// Writes numbers over those of a tensor on a graphics processor.
///
/// # Panics
/// Always: there is none.
#[cfg(not(feature = "graphics"))]
pub fn overwrite<const D: usize>(_: &Tensor<D>, _: Tensor<D>) {
    unreachable!("a build without graphics processors records nothing");
}
