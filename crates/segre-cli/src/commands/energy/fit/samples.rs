//! Samples of an energy model to learn from: exact ones, states of chains, or a file.

use std::path::Path;

use anyhow::{Context, Result, bail};
use segre::data::{self, DataSource, Dataset, ReadOptions, Schema};
use segre::energy::exact::ExactPlan;
use segre::energy::{ChainSampleOptions, EnergyModel, chain_samples};
use segre::progress::Observer;

use crate::args::Common;
use crate::commands::energy::done;
use crate::wording::with_flags;

/// Samples, and where they came from.
pub struct Found {
    pub data: Dataset,
    pub from: String,
}

/// What is wanted.
pub struct Wanted<'a> {
    pub from: Option<&'a str>,
    pub count: usize,
    pub memory: u64,
    pub seed: u64,
}

/// Labels that samples take by default at most: 48 MB.
const MOST_LABELS: usize = 24_000_000;

/// Samples when no number is asked for.
pub fn default_count(variables: usize) -> usize {
    (MOST_LABELS / variables.max(1)).clamp(1000, 1_000_000)
}

/// Draws or reads samples.
pub fn samples(
    model: &EnergyModel,
    schema: &Schema,
    wanted: &Wanted,
    common: &Common,
) -> Result<Found> {
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
            if !common.quiet {
                let refusal = with_flags(&refusal.to_string());
                eprintln!("note: {refusal}; learning from the states of chains");
            }
            "chain"
        }
        (Some("exact"), Some(refusal)) => {
            return Err(refusal).context("no exact samples; use --samples-from chain");
        }
        (Some(from), _) => from,
    };
    let data = match (from, &plan) {
        ("exact", Some(plan)) => common.watch(|bar| labels_of(plan, schema, wanted, bar), done)?,
        ("chain", _) => {
            let options = ChainSampleOptions {
                seed: wanted.seed,
                ..ChainSampleOptions::default()
            };
            let found = common.watch(
                |bar| chain_samples(model, wanted.count, &options, bar),
                done,
            )?;
            Dataset::new(schema.clone(), found.labels)?
        }
        (file, _) => read(file, schema)?,
    };
    Ok(Found {
        data,
        from: from.to_owned(),
    })
}

/// Exact samples.
pub fn labels_of(
    plan: &ExactPlan,
    schema: &Schema,
    wanted: &Wanted,
    observer: &mut dyn Observer,
) -> segre::Result<Dataset> {
    let labels = plan.sample_labels(wanted.count, wanted.seed, observer)?;
    Ok(Dataset::new(schema.clone(), labels)?)
}

fn read(file: &str, schema: &Schema) -> Result<Dataset> {
    if !Path::new(file).exists() {
        bail!(
            "--samples-from {file:?} is no file; give exact, chain or the path of a table or array"
        );
    }
    let source = DataSource::parse(file)?;
    data::read_as(&source, schema, &ReadOptions::default())
        .with_context(|| format!("{file} has not the variables of the model"))
}
