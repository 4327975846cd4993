//! The parameters of a model in a file: tensors by name.

use std::path::Path;

use burn::tensor::Device;

use super::config::ModelConfig;
use super::model::Model;
use super::prior::{Marginals, Prior};
use super::sites::site_spec;
use crate::data::Schema;
use crate::flow::error::Result;
use crate::learning::LearningError;
use crate::learning::parameters::{self, Values};
use crate::learning::{TensorFile, read_tensors, write_tensors};
use crate::random::{Purpose, generator};

/// Name of the tensor of log marginals; no network's parameter is called so.
const LOG_MARGINALS: &str = "log_marginals";
/// Name of the gain of the network's context, likewise.
const CONTEXT_GAIN: &str = "context_gain";

/// Stores the parameters of a model in a file.
///
/// # Errors
/// [`FileError::Io`](crate::FileError::Io) if a file cannot be written.
pub fn write_parameters(path: &Path, model: &Model) -> Result<()> {
    let mut tensors = parameters::collect(&model.network);
    let shape = vec![model.manifold.sites(), model.manifold.categories()];
    let values = model.marginals.logs().to_vec();
    tensors.insert(LOG_MARGINALS.to_owned(), Values { shape, values });
    let gain = Values {
        shape: vec![1],
        values: vec![model.context_gain],
    };
    tensors.insert(CONTEXT_GAIN.to_owned(), gain);
    let prior = model.prior.stored();
    tensors.extend(
        prior
            .into_iter()
            .map(|(name, values)| (name.to_owned(), values)),
    );
    let file = TensorFile {
        tensors,
        header: String::new(),
    };
    Ok(write_tensors(path, &file)?)
}

/// A model with its parameters from a file.
///
/// # Errors
/// [`FileError::Damaged`](crate::FileError::Damaged) or [`LearningError::ParameterMismatch`] if the parameters do not fit.
pub fn read_parameters(
    path: &Path,
    config: &ModelConfig,
    schema: &Schema,
    device: &Device,
) -> Result<Model> {
    let mut tensors = read_tensors(path)?.tensors;
    let categories = schema.max_categories();
    let mut take = |name: &str, expected: Vec<usize>| match tensors.remove(name) {
        Some(found) if found.shape == expected => Ok(found.values),
        found => Err(LearningError::ParameterMismatch {
            name: name.into(),
            expected,
            found: found.map(|values| values.shape),
        }),
    };
    let marginals = take(LOG_MARGINALS, vec![schema.sites(), categories])?;
    let marginals = Marginals::of_logs(marginals, categories);
    let prior = Prior::of_stored(&config.prior, schema, &marginals, take)?;
    // Models of earlier versions have none.
    let gain = tensors.remove(CONTEXT_GAIN);
    let gain = gain.and_then(|gain| gain.values.first().copied());
    // Settings that lie would fill the memory.
    let held: usize = tensors.values().map(|tensor| tensor.values.len()).sum();
    let least = config.network.least_parameters();
    if least > held as f64 {
        return Err(LearningError::ParameterMismatch {
            name: "the network".into(),
            expected: vec![least.min(1e18) as usize],
            found: Some(vec![held]),
        }
        .into());
    }
    // The random start is overwritten at once.
    let mut rng = generator(0, Purpose::Initialise, 0);
    let network = config.network.init(&site_spec(schema), &mut rng, device);
    let network = parameters::replace(network, &tensors)?;
    let (config, schema) = (config.clone(), schema.clone());
    let mut model = Model::assemble(config, schema, network, (marginals, prior), device);
    model.context_gain = gain.unwrap_or(1.0);
    Ok(model)
}
