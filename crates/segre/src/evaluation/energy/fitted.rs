//! What was fitted to an energy model, or to samples of it, as a source of its states.

use std::path::Path;

use burn::tensor::Device;

use super::EnergyTarget;
use crate::data::{Dataset, Schema};
use crate::evaluation::error::{EvaluationError, Result};
use crate::flow::Model;
use crate::flow::sampling::{Sampler, Samples, SamplingOptions, sample};
use crate::progress::Observer;
use crate::randomized::RandomizedFlow;
use crate::run::{self, Card};

/// Sites up to which the chain rule is the default sampler of a network: it has no error of its own.
const CHAIN_RULE_SITES: usize = 64;
/// Samples computed at a time: small states use the processor better in larger batches.
const BATCH: usize = 8192;

/// A model in a folder.
pub enum Fitted {
    /// A randomised assignment flow.
    Randomized(Box<RandomizedFlow>),
    /// A network.
    Neural {
        /// It.
        model: Box<Model>,
        /// Seed of its fit.
        seed: u64,
    },
}

impl Fitted {
    /// Reads a folder.
    ///
    /// # Errors
    /// Those of [`run::load_randomized`] and [`run::load`].
    pub fn load(folder: &Path, device: &Device) -> Result<Self> {
        if matches!(Card::load(folder)?, Card::Randomized(_)) {
            let (model, _) = run::load_randomized(folder)?;
            return Ok(Self::Randomized(Box::new(model)));
        }
        let (model, card) = run::load(folder, device)?;
        Ok(Self::Neural {
            model: Box::new(model),
            seed: card.training.seed,
        })
    }

    /// `randomized` or `neural`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Randomized(_) => "randomized",
            Self::Neural { .. } => "neural",
        }
    }

    /// Refuses what was fitted to other variables.
    ///
    /// # Errors
    /// [`EvaluationError::OtherVariables`], [`EvaluationError::NoState`], and
    /// [`DataError::SchemaMismatch`](crate::data::DataError::SchemaMismatch).
    pub fn check(&self, target: &EnergyTarget) -> Result<()> {
        let schema = target.schema;
        let own = match self {
            Self::Randomized(model) => return Ok(schema.same_as(model.schema())?),
            Self::Neural { model, .. } => model.schema(),
        };
        let same = own.sites() == schema.sites()
            && (0..own.sites()).all(|site| own.cardinality(site) <= schema.cardinality(site));
        if !same {
            return Err(EvaluationError::OtherVariables {
                own: own.sites(),
                own_states: own.max_categories(),
                sites: schema.sites(),
                states: schema.max_categories(),
                energy: target.name.to_owned(),
            });
        }
        states_of(own, schema).map(|_| ())
    }

    /// Labelings in the states of the energy model; a network's are drawn by these options.
    pub(super) fn sample(
        &self,
        count: usize,
        seed: u64,
        schema: &Schema,
        options: &SamplingOptions,
        observer: &mut dyn Observer,
    ) -> Result<Dataset> {
        match self {
            Self::Randomized(model) => Ok(model.sample(count, seed, observer)?),
            Self::Neural { model, .. } => {
                let drawn = sample(model, count, options, observer)?;
                in_states(&drawn.data, schema)
            }
        }
    }
}

/// What is asked for, completed by what a network knows.
pub(super) fn complete_options(
    options: &SamplingOptions,
    model: &Model,
    seed: u64,
    sites: usize,
) -> SamplingOptions {
    let few = model.knows_conditionals() && sites <= CHAIN_RULE_SITES;
    SamplingOptions {
        sampler: options.sampler.or(few.then_some(Sampler::Sequential)),
        seed,
        batch: options.batch.max(BATCH),
        ..options.clone()
    }
}

/// Rows of a network by the chain rule, one evaluation for every site: their probabilities are known.
pub(super) fn by_chain_rule(
    model: &Model,
    count: usize,
    options: &SamplingOptions,
    schema: &Schema,
    observer: &mut dyn Observer,
) -> Result<Samples> {
    let options = SamplingOptions {
        sampler: Some(Sampler::Sequential),
        steps: Some(schema.sites()),
        seed: options.seed.wrapping_add(1),
        ..options.clone()
    };
    let drawn = sample(model, count, &options, observer)?;
    Ok(Samples {
        data: in_states(&drawn.data, schema)?,
        ..drawn
    })
}

/// Of every site, the states that its categories are: data in words call state 3 `3`.
fn states_of(own: &Schema, schema: &Schema) -> Result<Vec<Vec<u16>>> {
    let state = |site: usize, label: usize| {
        let category = own.category_name(site, label as u16);
        schema
            .label_of(site, &category)
            .ok_or_else(|| EvaluationError::NoState {
                category: category.into_owned(),
                variable: site,
            })
    };
    (0..own.sites())
        .map(|site| {
            (0..own.cardinality(site))
                .map(|label| state(site, label))
                .collect()
        })
        .collect()
}

/// Samples of a model of data as states of the energy model.
fn in_states(samples: &Dataset, schema: &Schema) -> Result<Dataset> {
    let states = states_of(&samples.schema, schema)?;
    let mut labels = Vec::with_capacity(samples.labels().len());
    for row in samples.iter() {
        let of_row = row.iter().zip(&states);
        labels.extend(of_row.map(|(label, states)| states[usize::from(*label)]));
    }
    Ok(Dataset::new(schema.clone(), labels)?)
}
