//! `segre energy`: energy-based models: described, inferred in, fitted, compared with what was fitted.

mod compare;
mod describe;
pub mod fit;
mod infer;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use segre::energy::{EnergyModel, ModelSource, format};

use crate::args::Common;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre energy info ising:3x8                    size, width and memory of exact inference
  segre energy infer ising:3x8                   log Z and marginals
  segre energy infer model.uai --evidence e.evid --uai-out results/model
  segre energy fit ising:3x8 --out runs/ising    learn a model to sample from
  segre energy compare ising:3x8 runs/ising      how far it is from the energy model")]
pub struct Energy {
    #[command(subcommand)]
    command: EnergyCommand,
}

#[derive(Debug, Subcommand)]
enum EnergyCommand {
    /// Describe an energy model, and what exact inference in it needs
    Info(describe::Info),
    /// log Z, marginals, energy and entropy: exactly, or by mean field, belief propagation, Markov chains
    Infer(infer::Infer),
    /// Learn a model to sample from: randomised assignment flow or posterior network
    Fit(Box<fit::Fit>),
    /// Compare what was fitted, mean field and belief propagation with the energy model
    Compare(compare::Compare),
}

impl Energy {
    /// The command's name, where it works in one process only.
    pub fn works_alone(&self) -> Option<&'static str> {
        match self.command {
            EnergyCommand::Infer(_) | EnergyCommand::Fit(_) => None,
            EnergyCommand::Info(_) => Some("energy info"),
            EnergyCommand::Compare(_) => Some("energy compare"),
        }
    }
}

/// Runs one of the commands.
pub fn run(arguments: &Energy, common: &Common) -> Result<()> {
    match &arguments.command {
        EnergyCommand::Info(arguments) => describe::run(arguments, common),
        EnergyCommand::Infer(arguments) => infer::run(arguments, common),
        EnergyCommand::Fit(arguments) => fit::run(arguments, common),
        EnergyCommand::Compare(arguments) => compare::run(arguments, common),
    }
}

/// Which model, and what is known.
#[derive(Debug, Args)]
struct Subject {
    /// Model: a .uai or .fg file, ising:3x8, ising:10x10,coupling=0.5,field=0.1,periodic or
    /// potts:8x8,c=3,coupling=1 (energy of an edge between different labels)
    model: String,
    /// Observed variables, a UAI .evid file
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
}

impl Subject {
    /// The model given the evidence.
    fn load(&self, common: &Common) -> Result<EnergyModel> {
        let source = ModelSource::parse(&self.model)?;
        let model = source.load()?;
        let Some(path) = &self.evidence else {
            if let ModelSource::File(file) = &source {
                hint(file, common);
            }
            return Ok(model);
        };
        let evidence = format::read_evidence(path, &model)?;
        let given = model.condition(&evidence);
        given.with_context(|| path.display().to_string())
    }
}

/// Mentions evidence that lies beside a model but was not asked for.
fn hint(file: &Path, common: &Common) {
    let mut name = file.as_os_str().to_owned();
    name.push(".evid");
    let beside = PathBuf::from(name);
    if beside.exists() && !common.quiet {
        eprintln!(
            "hint: {} is not used; add --evidence {0} to condition on it",
            beside.display()
        );
    }
}

/// The last line of work whose result says all.
fn done<T>(_: &T) -> String {
    "done".to_owned()
}
