//! Samples of an energy model to learn from: exact ones, states of chains, or a file.

use std::path::Path;

use super::error::{Result, RunError};
use crate::data::{self, DataSource, Dataset, ReadOptions, Schema};
use crate::energy::exact::ExactPlan;
use crate::energy::{ChainSampleOptions, EnergyModel, chain_samples};
use crate::progress::{Observer, Progress};

/// What is wanted of samples.
#[derive(Clone, Copy, Debug)]
pub struct SamplesWanted<'a> {
    /// `exact`, `chain` or a file with a column for every variable; by default exact ones if they fit the memory, else
    /// those of chains.
    pub from: Option<&'a str>,
    /// How many.
    pub count: usize,
    /// Bytes that exact inference may take.
    pub memory: u64,
    /// Seed of all draws.
    pub seed: u64,
}

/// Samples, and where they came from.
#[derive(Clone, Debug)]
pub struct EnergySamples {
    /// The samples.
    pub data: Dataset,
    /// `exact`, `chain` or the file.
    pub from: String,
}

/// Draws or reads samples; where chains take the place of exact inference, the observer is told.
///
/// # Errors
/// [`RunError::NoExactSamples`], [`RunError::NoSamples`] and [`RunError::OtherVariables`] for what is asked of `from`, and
/// those of [`ExactPlan::sample_labels`] and [`chain_samples`].
pub fn energy_samples(
    model: &EnergyModel,
    schema: &Schema,
    wanted: &SamplesWanted,
    observer: &mut dyn Observer,
) -> Result<EnergySamples> {
    let plan = match wanted.from {
        None | Some("exact") => Some(ExactPlan::new(model)?),
        _ => None,
    };
    let refusal = plan
        .as_ref()
        .and_then(|plan| plan.check(wanted.memory).err());
    let from = match (wanted.from, refusal) {
        (None, None) => "exact",
        (None, Some(refusal)) => {
            let words = format!("{refusal}; learning from the states of chains");
            Progress::note(words).tell(observer)?;
            "chain"
        }
        (Some("exact"), Some(refusal)) => return Err(RunError::NoExactSamples(refusal)),
        (Some(from), _) => from,
    };
    let data = match (from, &plan) {
        ("exact", Some(plan)) => {
            let labels = plan.sample_labels(wanted.count, wanted.seed, observer)?;
            Dataset::new(schema.clone(), labels)?
        }
        ("chain", _) => {
            let options = ChainSampleOptions {
                seed: wanted.seed,
                ..ChainSampleOptions::default()
            };
            let found = chain_samples(model, wanted.count, &options, observer)?;
            Dataset::new(schema.clone(), found.labels)?
        }
        (file, _) => read(file, schema)?,
    };
    Ok(EnergySamples {
        data,
        from: from.to_owned(),
    })
}

fn read(file: &str, schema: &Schema) -> Result<Dataset> {
    let file = file.to_owned();
    if !Path::new(&file).exists() {
        return Err(RunError::NoSamples { file });
    }
    let source = DataSource::parse(&file)?;
    let read = data::read_as(&source, schema, &ReadOptions::default());
    read.map_err(|cause| RunError::OtherVariables { file, cause })
}
