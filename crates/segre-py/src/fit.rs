//! Fits, models from folders, and the quality of tables.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pyo3::prelude::*;
use segre::evaluation::quality::QualityOptions;
use segre::flow::training::Ending;
use segre::model::quality_of_tables;
use segre::recipe::Recipe;
use segre::{Fit, Model};
use serde_json::json;

use crate::data::{Data, options};
use crate::model::Fitted;
use crate::work::{Ended, watch, watch_all};

/// Learns from data; the model, and what stopped the fit if something did.
///
/// `settings` are assignments of a recipe (`network.hidden=64`), the later going before the earlier; `weights` of the rows are 64-bit
/// numbers in the machine's order of bytes.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "keywords in Python")]
pub fn fit(
    py: Python<'_>,
    data: &Data,
    settings: Vec<String>,
    recipe: Option<(String, String)>,
    reading: &str,
    columns_as: BTreeMap<String, String>,
    kinds: Option<PathBuf>,
    weights: Option<&[u8]>,
    test_data: Option<String>,
    labels: Option<(PathBuf, Option<String>)>,
    out: Option<PathBuf>,
    force: bool,
    resume: bool,
    callback: Option<Py<PyAny>>,
) -> PyResult<(Fitted, Stopped)> {
    let mut options = options(reading, columns_as, kinds)?;
    let weights: Option<Vec<f64>> = weights.map(bytemuck::pod_collect_to_vec);
    let ended = watch(py, callback.as_ref(), |observer| {
        let file = match &recipe {
            Some((text, name)) => Recipe::parse(text, name)?,
            None => Recipe::default(),
        };
        let recipe = file.and(Recipe::of_assignments(&settings)?);
        options.builtin_seed = recipe.seed();
        let data = match &weights {
            None => data.read(&options)?,
            Some(weights) => data.read(&options)?.weighed(weights)?,
        };
        let fit = Fit::new(&data).recipe(recipe).force(force).resume(resume);
        let fit = fit.test_data(test_data.as_deref());
        let fit = match &labels {
            Some((path, column)) => fit.labels(Some(path), column.as_deref()),
            None => fit,
        };
        let fit = match &out {
            Some(folder) => fit.out(folder),
            None => fit,
        };
        let mut run = fit.start()?;
        let ended = run.train(observer)?;
        let model = Model::of(run)?;
        Ok((model, ended == Ending::Stopped))
    })?;
    ended_fit(py, ended)
}

/// The exception that has stopped a fit, if one has.
pub type Stopped = Option<Py<PyAny>>;

/// The model of a fit; that of a stopped one is the model so far, and where it has none, what stopped it is raised.
pub fn ended_fit(py: Python<'_>, ended: Ended<(Model, bool)>) -> PyResult<(Fitted, Stopped)> {
    match ended {
        Ended::Done((model, _)) => Ok((Fitted { model }, None)),
        Ended::Stopped(error, Ok((model, _))) => {
            Ok((Fitted { model }, Some(error.into_value(py).into_any())))
        }
        Ended::Stopped(error, Err(_)) => Err(error),
    }
}

/// Quality of synthetic rows beside real ones, as JSON.
#[pyfunction]
#[allow(clippy::too_many_arguments, reason = "keywords in Python")]
pub fn quality(
    py: Python<'_>,
    real: &Data,
    synthetic: &Data,
    held_out: Option<&Data>,
    reading: &str,
    columns_as: BTreeMap<String, String>,
    kinds: Option<PathBuf>,
    target: Option<String>,
    seed: u64,
    callback: Option<Py<PyAny>>,
) -> PyResult<String> {
    let reading = options(reading, columns_as, kinds)?;
    let report = watch_all(py, callback.as_ref(), |observer| {
        let real = real.read(&reading)?;
        let read = |data: &Data| data.read_as(&real.schema, &reading);
        let (synthetic, held_out) = (read(synthetic)?, held_out.map(read).transpose()?);
        let asked = QualityOptions { target, seed };
        quality_of_tables(&real, held_out.as_ref(), &synthetic, &asked, observer)
    })?;
    Ok(json!(report).to_string())
}

/// Reads a model from its folder.
#[pyfunction]
pub fn load(py: Python<'_>, folder: PathBuf) -> PyResult<Fitted> {
    let model = watch_all(py, None, |_| Model::load(&folder))?;
    Ok(Fitted { model })
}
