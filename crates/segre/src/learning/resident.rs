//! The optimiser's state on a graphics processor: a step is queued there, and nothing waits for it.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;
use segre_kernels::{Parameter, ResidentAdam};

use super::adam::{Optimizer, Slot, Update};
use super::parameters::host_values;

/// Parameters, moments and averages on a graphics processor, in the order of their names.
#[derive(Clone, Debug)]
pub(super) struct Resident {
    names: Vec<String>,
    adam: ResidentAdam,
}

impl Resident {
    /// Moments and averages in host memory.
    pub fn slots(&self) -> BTreeMap<String, Slot> {
        let parameters = self.names.iter().cloned().zip(self.adam.read());
        let slot = |(name, own): (String, Parameter)| {
            let slot = Slot {
                first: own.first,
                second: own.second,
                average: own.average,
            };
            (name, slot)
        };
        parameters.map(slot).collect()
    }
}

/// Gradients on a graphics processor by the names of the parameters, in the order of a visit.
pub(crate) type ResidentGradients = Vec<(String, Tensor<1>)>;

impl Optimizer {
    /// Takes parameters, moments and averages along to where their gradients are, if they are not there yet; the network's
    /// parameters are views of what the optimiser moves from then on.
    pub fn move_to<M: Module>(&mut self, network: M, gradients: &ResidentGradients) -> M {
        let names = gradients.iter().map(|(name, _)| name);
        if let Some(resident) = &self.resident
            && names.clone().eq(&resident.names)
        {
            return network;
        }
        let moved = self.move_to_device(&network, names.cloned().collect(), &gradients[0].1);
        let mut setter = Setter {
            resident: self.resident.insert(moved),
            path: vec![],
        };
        network.map(&mut setter)
    }

    /// Gradients as one row of numbers.
    ///
    /// # Panics
    /// If the parameters have not been [moved](Self::move_to).
    pub fn gather(&self, gradients: ResidentGradients) -> Tensor<1> {
        let resident = self.resident.as_ref().expect("moved parameters");
        let gradients = gradients.into_iter().map(|(_, gradient)| gradient);
        resident.adam.gather(gradients.collect())
    }

    /// One step with [gathered](Self::gather) gradients, as [`step`](Self::step); the square of the gradient's norm is still to be
    /// read. Where that is not finite nothing moves.
    ///
    /// # Panics
    /// If the parameters have not been [moved](Self::move_to).
    pub fn step_on_device(&mut self, gathered: Tensor<1>, step: u64, rate: f64) -> Tensor<1> {
        let resident = self.resident.as_mut().expect("moved parameters");
        let update = Update::new(&self.config, step, rate, 1.0);
        let update = update.on_graphics(self.config.gradient_clip);
        resident.adam.step(gathered, &update)
    }

    /// The state of the parameters of these names, from what is known of them.
    fn move_to_device<M: Module>(
        &self,
        network: &M,
        names: Vec<String>,
        beside: &Tensor<1>,
    ) -> Resident {
        let mut reader = Reader {
            names: &names,
            slots: &self.slots,
            path: vec![],
            found: BTreeMap::new(),
        };
        network.visit(&mut reader);
        let mut found = reader.found;
        let parameters: Vec<Parameter> = names
            .iter()
            .map(|name| {
                found
                    .remove(name)
                    .expect("gradients are those of parameters")
            })
            .collect();
        let adam = ResidentAdam::new(beside, &parameters);
        Resident {
            adam: adam.expect("gradients on a graphics processor"),
            names,
        }
    }
}

/// Reads parameters with their moments.
struct Reader<'a> {
    names: &'a [String],
    slots: &'a BTreeMap<String, Slot>,
    path: Vec<String>,
    found: BTreeMap<String, Parameter>,
}

impl ModuleVisitor for Reader<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let name = self.path.join(".");
        if !self.names.contains(&name) {
            return;
        }
        let tensor = parameter.val();
        let shape = tensor.dims().to_vec();
        let values = host_values(tensor);
        let slot = self.slots.get(&name).cloned().unwrap_or_else(|| Slot {
            first: vec![0.0; values.len()],
            second: vec![0.0; values.len()],
            average: values.clone(),
        });
        let parameter = Parameter {
            shape,
            values,
            first: slot.first,
            second: slot.second,
            average: slot.average,
            decays: D > 1,
        };
        self.found.insert(name, parameter);
    }
}

/// Puts the parameters of a step in their places.
struct Setter<'a> {
    resident: &'a Resident,
    path: Vec<String>,
}

impl ModuleMapper for Setter<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = self.path.join(".");
        let Some(index) = self.resident.names.iter().position(|own| *own == name) else {
            // Running statistics and constants.
            return parameter;
        };
        parameter.map(|old| {
            let moved = Tensor::from_inner(self.resident.adam.parameter::<D>(index));
            moved.set_require_grad(old.is_require_grad())
        })
    }
}
