//! Energy models: read or made, and inferred in.

use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use segre::energy::infer::{Choice, InferOptions, run};
use segre::energy::{
    BeliefPropagationOptions, EnergyModel, GridModel, MeanFieldOptions, ModelSource,
};
use segre::model::{EnergyFit, Model, randomized_of_energy};
use segre::randomized::RandomizedFlow;
use segre::recipe::Recipe;
use segre::run::load_randomized;
use serde_json::json;

use crate::errors::raise;
use crate::fit::{Stopped, ended_fit};
use crate::model::Fitted;
use crate::rows::Rows;
use crate::work::{Ended, watch, watch_all};

/// An energy model of discrete variables.
#[pyclass(frozen)]
pub struct Energy {
    model: EnergyModel,
    grid: Option<GridModel>,
    /// What it was made of.
    #[pyo3(get)]
    source: String,
}

#[pymethods]
impl Energy {
    /// A model by name (`ising:3x8`) or the path of a file.
    #[new]
    fn new(source: String) -> PyResult<Self> {
        let parsed = ModelSource::parse(&source).map_err(raise)?;
        let model = parsed.load().map_err(raise)?;
        let grid = match parsed {
            ModelSource::Grid(grid) => Some(grid),
            ModelSource::File(_) => None,
        };
        Ok(Self {
            model,
            grid,
            source,
        })
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
            false => Err(PyValueError::new_err(format!(
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
                return Err(PyValueError::new_err(sentence));
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

    /// Learns a network from samples of the energy, or from the energy alone; and what stopped the fit if something did.
    #[allow(clippy::too_many_arguments, reason = "keywords in Python")]
    fn fit(
        &self,
        py: Python<'_>,
        settings: Vec<String>,
        data_free: bool,
        samples_from: Option<String>,
        samples: Option<usize>,
        memory: u64,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<(Fitted, Stopped)> {
        let ended = watch(py, callback.as_ref(), |observer| {
            let asked = EnergyFit {
                recipe: Recipe::of_assignments(&settings)?,
                data_free,
                samples_from,
                samples,
                memory,
            };
            let grid = self.grid.as_ref();
            Model::of_energy(&self.model, grid, &self.source, &asked, observer)
        })?;
        ended_fit(py, ended)
    }

    /// Learns a randomised assignment flow, and says what stopped the fit if something did; `recipe` is JSON.
    #[allow(clippy::too_many_arguments, reason = "keywords in Python")]
    fn fit_randomized(
        &self,
        py: Python<'_>,
        recipe: &str,
        samples_from: Option<String>,
        samples: Option<usize>,
        memory: u64,
        out: Option<PathBuf>,
        force: bool,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<(Randomized, Stopped)> {
        let read = serde_json::from_str(recipe);
        let recipe = read.map_err(|error| PyValueError::new_err(error.to_string()))?;
        let asked = EnergyFit {
            samples_from,
            samples,
            memory,
            ..EnergyFit::default()
        };
        let ended = watch(py, callback.as_ref(), |observer| {
            let grid = self.grid.as_ref();
            let out = out.as_deref().map(|folder| (folder, force));
            let energy = &self.model;
            randomized_of_energy(energy, grid, &self.source, &recipe, &asked, out, observer)
        })?;
        match ended {
            Ended::Done((flow, _)) => Ok((Randomized { flow }, None)),
            Ended::Stopped(error, Ok((flow, _))) => {
                Ok((Randomized { flow }, Some(error.into_value(py).into_any())))
            }
            Ended::Stopped(error, Err(_)) => Err(error),
        }
    }
}

/// A randomised assignment flow.
#[pyclass(frozen)]
pub struct Randomized {
    flow: RandomizedFlow,
}

#[pymethods]
impl Randomized {
    /// Reads a flow from its folder.
    #[staticmethod]
    fn load(py: Python<'_>, folder: PathBuf) -> PyResult<Self> {
        let flow = watch_all(py, None, |_| Ok(load_randomized(&folder)?.0))?;
        Ok(Self { flow })
    }

    /// Number of parameters.
    fn parameters(&self) -> usize {
        self.flow.parameters()
    }

    /// Draws rows.
    fn sample(
        &self,
        py: Python<'_>,
        count: usize,
        seed: u64,
        callback: Option<Py<PyAny>>,
    ) -> PyResult<Rows> {
        let drawn = watch_all(py, callback.as_ref(), |observer| {
            Ok(self.flow.sample(count, seed, observer)?)
        })?;
        Ok(Rows::new(drawn, self.flow.schema()))
    }
}
