//! Energy models: read or made, and inferred in.

use pyo3::prelude::*;
use segre::energy::infer::{Choice, InferOptions, run};
use segre::energy::{BeliefPropagationOptions, EnergyModel, MeanFieldOptions, ModelSource};
use serde_json::json;

use crate::errors::raise;
use crate::work::watch_all;

/// An energy model of discrete variables.
#[pyclass(frozen)]
pub struct Energy {
    model: EnergyModel,
    /// What it was made of.
    #[pyo3(get)]
    source: String,
}

#[pymethods]
impl Energy {
    /// A model by name (`ising:3x8`) or the path of a file.
    #[new]
    fn new(source: String) -> PyResult<Self> {
        let model = ModelSource::parse(&source).and_then(|known| known.load());
        let model = model.map_err(raise)?;
        Ok(Self { model, source })
    }

    /// States of each variable.
    fn cardinalities(&self) -> Vec<usize> {
        self.model.cardinalities().to_vec()
    }

    /// The energy of a configuration, nats.
    fn energy(&self, configuration: Vec<usize>) -> PyResult<f64> {
        let cardinalities = self.model.cardinalities();
        let legal = configuration.len() == cardinalities.len()
            && configuration
                .iter()
                .zip(cardinalities)
                .all(|(state, count)| state < count);
        match legal {
            true => Ok(self.model.energy(&configuration)),
            false => Err(pyo3::exceptions::PyValueError::new_err(format!(
                "a configuration has a state below {cardinalities:?} for each variable"
            ))),
        }
    }

    /// `log Z`, marginals, energy and entropy as JSON: `auto`, `exact`, `mean-field` or `bp`.
    fn infer(
        &self,
        py: Python<'_>,
        method: &str,
        memory: u64,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<String> {
        let method = match method {
            "auto" => Choice::Auto(BeliefPropagationOptions::default()),
            "exact" => Choice::Exact,
            "mean-field" => Choice::MeanField(MeanFieldOptions::default()),
            "bp" => Choice::Bp(BeliefPropagationOptions::default()),
            other => {
                let sentence = format!("{other:?} is no method; use auto, exact, mean-field or bp");
                return Err(pyo3::exceptions::PyValueError::new_err(sentence));
            }
        };
        let options = InferOptions {
            method,
            memory,
            compare: false,
        };
        let report = watch_all(py, callback.as_ref(), |observer| {
            Ok(run(&self.model, &options, observer)?)
        })?;
        Ok(json!(report).to_string())
    }
}
