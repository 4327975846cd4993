//! Parameters by name: reading them, and their gradients, out of a network and putting them back.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

use super::resident::ResidentGradients;
use crate::learning::error::{LearningError, Result};

/// The values of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Values {
    /// Length of each axis.
    pub shape: Vec<usize>,
    /// Values, last axis fastest.
    pub values: Vec<f32>,
}

/// All parameters and running statistics of a network by path, such as `Residual.input.weight`.
pub fn collect<M: Module>(network: &M) -> BTreeMap<String, Values> {
    let mut collector = Collector::default();
    // `valid` brings running statistics up to date, which a plain visit may see late.
    network.valid().visit(&mut collector);
    collector.found
}

/// The names of all parameters in the order of a visit.
pub fn names<M: Module>(network: &M) -> Vec<String> {
    let mut collector = Collector::default();
    network.visit(&mut collector);
    collector.order
}

/// The first parameter with a value that is NaN or infinite.
pub fn first_not_finite<M: Module>(network: &M) -> Option<String> {
    let found = collect(network).into_iter();
    let mut broken = found.filter(|(_, own)| own.values.iter().any(|value| !value.is_finite()));
    broken.next().map(|(name, _)| name)
}

/// The network with the given parameters.
///
/// # Errors
/// [`LearningError::ParameterMismatch`] if a parameter is missing or has another shape.
pub fn replace<M: Module>(network: M, values: &BTreeMap<String, Values>) -> Result<M> {
    let mut replacer = Replacer {
        values,
        path: Vec::new(),
        error: None,
    };
    let network = network.map(&mut replacer);
    match replacer.error {
        Some(error) => Err(error),
        None => Ok(network),
    }
}

/// The gradient of a loss by the name of each parameter that it depends on, in host memory.
pub(crate) fn gradients<M: Module>(loss: &Tensor<1>, network: &M) -> BTreeMap<String, Vec<f32>> {
    let found = gradients_on_device(loss, network).into_iter();
    found
        .map(|(name, gradient)| (name, host_values(gradient)))
        .collect()
}

/// The same where the gradients are, in the order of a visit.
pub(crate) fn gradients_on_device<M: Module>(loss: &Tensor<1>, network: &M) -> ResidentGradients {
    let mut reader = GradientReader {
        gradients: GradientsParams::from_grads(loss.backward(), network),
        path: vec![],
        found: vec![],
    };
    network.visit(&mut reader);
    reader.found
}

#[derive(Default)]
struct Collector {
    path: Vec<String>,
    order: Vec<String>,
    found: BTreeMap<String, Values>,
}

impl ModuleVisitor for Collector {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let name = self.path.join(".");
        let tensor = parameter.val();
        let shape = tensor.dims().to_vec();
        self.order.push(name.clone());
        self.found.insert(
            name,
            Values {
                shape,
                values: host_values(tensor),
            },
        );
    }
}

struct GradientReader {
    gradients: GradientsParams,
    path: Vec<String>,
    found: ResidentGradients,
}

impl ModuleVisitor for GradientReader {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(parameter.id) {
            let count = gradient.shape().num_elements();
            self.found
                .push((self.path.join("."), gradient.reshape([count])));
        }
    }
}

struct Replacer<'a> {
    values: &'a BTreeMap<String, Values>,
    path: Vec<String>,
    error: Option<LearningError>,
}

impl ModuleMapper for Replacer<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.join(".");
        let expected = parameter.val().dims().to_vec();
        let Some(found) = self
            .values
            .get(&name)
            .filter(|found| found.shape == expected)
        else {
            let found = self.values.get(&name).map(|values| values.shape.clone());
            self.error.get_or_insert(LearningError::ParameterMismatch {
                name,
                expected,
                found,
            });
            return parameter;
        };
        parameter.map(|old| with_values(&old, found.values.clone()))
    }
}

/// The values of a tensor in host memory.
pub fn host_values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor
        .into_data()
        .try_into_vec::<f32>()
        .expect("networks compute in 32-bit floats")
}

/// A parameter like `old`, on its device and with its gradient setting, with other values.
pub fn with_values<const D: usize>(old: &Tensor<D>, values: Vec<f32>) -> Tensor<D> {
    let data = TensorData::new(values, old.dims());
    Tensor::from_data(data, &old.device()).set_require_grad(old.is_require_grad())
}
