//! The gradient of a step on a graphics processor: launched at first, then recorded and repeated where all steps are alike. A
//! launch takes some 10 µs of the host, and small steps are nothing but launches.

use burn::tensor::Tensor;
use segre_kernels::Recording;

use crate::flow::head::{Minibatch, StepTensors, loss};
use crate::flow::model::Model;
use crate::learning::{Optimizer, parameters};
use crate::network::Dropout;

/// Steps that are launched before one is recorded: kernels are compiled in them, and parameters move to the optimiser.
const BEFORE: u32 = 2;

/// What a step has found, on the model's device.
#[derive(Clone, Debug)]
pub(super) struct DeviceGradient {
    /// `[1]`.
    pub loss: Tensor<1>,
    /// As the optimiser gathers it.
    pub gradient: Tensor<1>,
}

/// Whether a step is recorded.
pub(super) enum RecordedStep {
    /// Not yet: after so many steps.
    Soon(u32),
    /// Steps are not alike, or the device records nothing.
    Never,
    Ready(Box<Ready>),
}

/// What is repeated: the launches, what they read, and where they leave what they find.
pub(super) struct Ready {
    recording: Recording,
    tensors: StepTensors,
    found: DeviceGradient,
}

impl Default for RecordedStep {
    fn default() -> Self {
        Self::Soon(BEFORE)
    }
}

impl RecordedStep {
    /// Loss and gradient of a batch, in one piece, without waiting for them.
    pub fn gradient(
        &mut self,
        model: &mut Model,
        optimizer: &mut Optimizer,
        batch: &Minibatch<'_>,
    ) -> DeviceGradient {
        let tensors = match self {
            Self::Never => None,
            _ => StepTensors::draw(model, batch),
        };
        let Some(tensors) = tensors else {
            *self = Self::Never;
            let loss = loss(model, batch, 0..batch.rows.len());
            return launched(model, optimizer, &loss);
        };
        let mut dropout = Dropout::of_rows(&batch.dropout, 0..batch.rows.len());
        match self {
            Self::Ready(ready) if ready.tensors.overwrite(tensors.clone()) => {
                if ready.recording.repeat() {
                    return ready.found.clone();
                }
                *self = Self::Never;
            }
            Self::Soon(0) => {
                let beside = tensors.beside();
                let work = || {
                    let loss = tensors.loss(model, &mut dropout);
                    launched(model, optimizer, &loss)
                };
                let (found, recorded) = Recording::of(&beside, work);
                *self = match recorded {
                    Some((recording, places)) => Self::Ready(Box::new(Ready {
                        recording,
                        tensors,
                        found: places,
                    })),
                    None => Self::Never,
                };
                return found;
            }
            Self::Soon(left) => *left -= 1,
            _ => {}
        }
        let loss = tensors.loss(model, &mut dropout);
        launched(model, optimizer, &loss)
    }
}

/// The gradient of a loss, gathered by the optimiser, to whom the parameters move if they have not yet.
fn launched(model: &mut Model, optimizer: &mut Optimizer, loss: &Tensor<1>) -> DeviceGradient {
    let gradients = parameters::gradients_on_device(loss, &model.network);
    let network = model.network.clone();
    model.network = optimizer.move_to(network, &gradients);
    DeviceGradient {
        loss: loss.clone().inner(),
        gradient: optimizer.gather(gradients),
    }
}
