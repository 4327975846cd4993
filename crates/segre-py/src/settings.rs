//! Settings of draws and scores, from JSON.

use std::fmt::Display;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use segre::data::Schema;
use segre::flow::likelihood::{ScoreMethod, ScoreOptions};
use segre::flow::sampling::SamplingOptions;
use serde_json::Value;
use serde_json::from_value as read;

use crate::errors::raise;

/// What is wrong with a setting.
fn refused(name: &str, problem: impl Display) -> PyErr {
    PyValueError::new_err(format!("{name}: {problem}"))
}

fn parse(json: &str) -> PyResult<Value> {
    serde_json::from_str(json).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// How rows are drawn: `sampler`, `steps`, `grid`, `tolerance`, `batch`, each of which may be null.
pub fn drawing(json: &str, own: SamplingOptions) -> PyResult<SamplingOptions> {
    let mut asked = parse(json)?;
    let mut options = own;
    let mut take = |name: &str| asked[name].take();
    options.sampler = read(take("sampler")).map_err(|error| refused("sampler", error))?;
    options.steps = read(take("steps")).map_err(|error| refused("steps", error))?;
    options.grid = read(take("grid")).map_err(|error| refused("grid", error))?;
    let tolerance: Option<f64> =
        read(take("tolerance")).map_err(|error| refused("tolerance", error))?;
    if let Some(tolerance) = tolerance {
        options.tolerances.relative_tolerance = tolerance;
        options.tolerances.absolute_tolerance = tolerance;
    }
    let batch: Option<usize> = read(take("batch")).map_err(|error| refused("batch", error))?;
    options.batch = batch.unwrap_or(options.batch);
    Ok(options)
}

/// How rows are scored: `method`, `orders`, `std_error`, `max_rounds`, `seed`, each of which may be null, and the columns `given`.
pub fn scoring(json: &str, schema: &Schema, own: ScoreOptions) -> PyResult<ScoreOptions> {
    let mut asked = parse(json)?;
    let mut options = own;
    let mut take = |name: &str| asked[name].take();
    let method: Option<String> = read(take("method")).map_err(|error| refused("method", error))?;
    options.method = method.as_deref().map(method_named).transpose()?;
    let orders: Option<usize> = read(take("orders")).map_err(|error| refused("orders", error))?;
    options.orders = orders.unwrap_or(options.orders);
    let error: Option<f64> =
        read(take("std_error")).map_err(|error| refused("std_error", error))?;
    options.std_error = error.or(options.std_error);
    let rounds: Option<usize> =
        read(take("max_rounds")).map_err(|error| refused("max_rounds", error))?;
    options.max_rounds = rounds.unwrap_or(options.max_rounds);
    let seed: Option<u64> = read(take("seed")).map_err(|error| refused("seed", error))?;
    options.seed = seed.unwrap_or(options.seed);
    let given: Vec<String> = read(take("given")).map_err(|error| refused("given", error))?;
    options.given = schema.sites_named(&given).map_err(raise)?;
    Ok(options)
}

fn method_named(name: &str) -> PyResult<ScoreMethod> {
    let found = ScoreMethod::ALL.into_iter().find(|own| own.name() == name);
    found.ok_or_else(|| {
        let known = ScoreMethod::ALL.map(|own| format!("'{}'", own.name()));
        let problem = format!("{name:?} is none; give one of {}", known.join(", "));
        refused("method", problem)
    })
}
