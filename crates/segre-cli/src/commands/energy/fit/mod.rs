//! `segre energy fit`: learns a model of an energy model, from its samples or its energy alone.

mod data_free;
mod neural;
mod randomized;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use segre::data::Schema;
use segre::energy::{EnergyModel, GridModel, ModelSource};
use segre::flow::PairwisePrior;
use segre::neural::pairwise_prior;
use segre::recipe::energy::{ObjectiveKind, RandomizedKind, RandomizedRecipe};
use segre::recipe::{self, Recipe, parse_time};
use segre::run::{EnergySamples, SamplesWanted, energy_samples};

use super::done;
use crate::args::{Common, NetworkName, RecipeArguments, at_least_one, refuse_beyond};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre energy fit ising:3x8 --out runs/ising
  segre energy fit ising:3x8 --out runs/published --settings published --objective reverse
  segre energy fit ising:3x8 --out runs/neural --method neural --time 10m
  segre energy fit ising:3x8 --out runs/blind --method neural --data-free
  segre energy fit ising:3x8 --out runs/plain --method neural --prior marginals     learns all by itself
  segre energy fit ising:3x8 --method neural --print-recipe                         its settings, explained
  segre energy fit model.uai --out runs/m --samples-from chain
  segre energy fit ising:3x8 --out runs/ising --resume      go on after Ctrl-C
  segre energy compare ising:3x8 runs/ising")]
pub struct Fit {
    /// Model: a .uai or .fg file, ising:3x8, potts:8x8,c=3,coupling=1, as in segre energy infer
    model: String,
    /// Folder for the model; must not exist, or see --resume and --force
    #[arg(
        long,
        short,
        value_name = "DIR",
        required_unless_present = "print_recipe"
    )]
    out: Option<PathBuf>,
    /// What is fitted
    #[arg(long, default_value = "randomized", value_name = "NAME")]
    method: MethodName,
    /// randomized: what is minimised [default: forward; reverse for --settings published]
    #[arg(long, value_name = "NAME")]
    objective: Option<ObjectiveName>,
    /// randomized: the flow's settings
    #[arg(long, value_name = "NAME")]
    settings: Option<SettingsName>,
    /// neural: learn from the energy alone, without samples: from rows that the network draws, weighted, while the
    /// temperature falls
    #[arg(long, conflicts_with_all = ["samples", "samples_from"])]
    data_free: bool,
    /// neural: the network [default: residual; with --data-free unet for grids of more than 64 sites]
    #[arg(long, value_name = "NAME")]
    network: Option<NetworkName>,
    /// neural: what the network starts from [default: beliefs, if no factor has more than two variables or excludes
    /// states]
    #[arg(long, value_name = "NAME")]
    prior: Option<PriorName>,
    /// Where samples of the model come from: exact, chain, or a file with a column for every variable
    /// [default: exact if that fits the memory, else chain]
    #[arg(long, value_name = "exact|chain|FILE")]
    samples_from: Option<String>,
    /// Number of samples to learn from [default: by the number of variables, at most 1000000]
    #[arg(allow_negative_numbers = true, long, value_name = "N", value_parser = at_least_one)]
    samples: Option<usize>,
    /// Wall time of training, as 90s, 10m or 1h [default for neural: 5m]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    time: Option<Duration>,
    /// Steps of training [default for randomized: 3000; 5000 for --settings published]
    #[arg(allow_negative_numbers = true, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// randomized: draws of the flow in a step [default: by the number of variables, at most 512]
    #[arg(allow_negative_numbers = true, long, value_name = "N", value_parser = at_least_one)]
    draws: Option<usize>,
    /// randomized: rows of the factor that makes the numbers of Ω depend on each other, 0 for none
    #[arg(long, value_name = "N")]
    rank: Option<usize>,
    /// randomized: end of the flow
    #[arg(allow_negative_numbers = true, long, value_name = "T")]
    end_time: Option<f64>,
    /// Largest learning rate [default: 5e-3 for randomized, 1e-3 for neural]
    #[arg(allow_negative_numbers = true, long, value_name = "RATE")]
    learning_rate: Option<f64>,
    /// Go on with the run in --out, with its settings; --time and --steps may be raised
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Replace what a former run left in --out
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    recipe: RecipeArguments,
}

/// Methods by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MethodName {
    /// Randomised assignment flow: a mixture of factorising distributions
    Randomized,
    /// The posterior network of segre fit, on samples
    Neural,
}

/// Priors by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PriorName {
    /// Loopy belief propagation under the energy, with the known labels as evidence
    Beliefs,
    /// The marginals of each site alone
    Marginals,
}

/// Objectives by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ObjectiveName {
    /// KL(target : model): likelihood of samples
    Forward,
    /// KL(model : target): the energy alone, entropy by the logarithmic derivative
    Reverse,
    /// KL(model : target) as published: entropy by the smoothed plug-in with Miller–Madow correction
    ReversePlugIn,
    /// The sum of forward and reverse
    Both,
}

/// Settings by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SettingsName {
    /// Any Ω, random together with the initial point
    Improved,
    /// Ω = max(Z + Zᵀ, 0) + εI of a normal Z, one learned initial point, end time 1
    Published,
}

impl From<ObjectiveName> for ObjectiveKind {
    fn from(name: ObjectiveName) -> Self {
        match name {
            ObjectiveName::Forward => Self::Forward,
            ObjectiveName::Reverse => Self::Reverse,
            ObjectiveName::ReversePlugIn => Self::ReversePlugIn,
            ObjectiveName::Both => Self::Both,
        }
    }
}

impl From<SettingsName> for RandomizedKind {
    fn from(name: SettingsName) -> Self {
        match name {
            SettingsName::Improved => Self::Improved,
            SettingsName::Published => Self::Published,
        }
    }
}

impl Fit {
    /// Refuses options that the method does not have.
    fn check(&self) -> Result<()> {
        let (method, own) = match self.method {
            MethodName::Neural => (
                "randomized",
                vec![
                    ("--objective", self.objective.is_some()),
                    ("--settings", self.settings.is_some()),
                    ("--draws", self.draws.is_some()),
                    ("--rank", self.rank.is_some()),
                    ("--end-time", self.end_time.is_some()),
                ],
            ),
            MethodName::Randomized => {
                ensure!(
                    !self.data_free,
                    "--data-free is an option of --method neural; the randomised flow has --objective reverse"
                );
                let recipe = &self.recipe;
                (
                    "neural",
                    vec![
                        ("--prior", self.prior.is_some()),
                        ("--network", self.network.is_some()),
                        ("--print-recipe", recipe.print_recipe),
                        ("--recipe", recipe.file.is_some()),
                        ("--set", !recipe.set.is_empty()),
                    ],
                )
            }
        };
        for (option, given) in own {
            ensure!(
                !given,
                "{option} is an option of --method {method}; leave it out or choose that method"
            );
        }
        Ok(())
    }

    /// The folder; none where only a recipe is printed.
    fn out(&self) -> &Path {
        self.out.as_deref().unwrap_or(Path::new(""))
    }

    /// The model, and the grid if it is one.
    fn load(&self) -> Result<(EnergyModel, Option<GridModel>)> {
        load(&self.model)
    }

    /// What is decided of a network.
    fn network_recipe(&self, seed: Option<u64>) -> Result<Recipe> {
        let mut options = Recipe {
            seed,
            ..Recipe::default()
        };
        options.training.steps = self.steps;
        options.training.time = self.time;
        options.training.learning_rate = self.learning_rate;
        options.network.kind = self.network.map(Into::into);
        self.recipe.and(options)
    }

    /// What is decided of a randomised flow.
    fn randomized_recipe(&self, seed: Option<u64>) -> RandomizedRecipe {
        RandomizedRecipe {
            seed,
            settings: self.settings.map(Into::into).unwrap_or_default(),
            objective: self.objective.map(Into::into),
            steps: self.steps,
            time: self.time,
            draws: self.draws,
            rank: self.rank,
            end_time: self.end_time,
            learning_rate: self.learning_rate,
        }
    }

    /// What is wanted of samples.
    fn samples_wanted(&self, energy: &EnergyModel, memory: u64, seed: u64) -> SamplesWanted<'_> {
        let count = self.samples;
        SamplesWanted {
            from: self.samples_from.as_deref(),
            count: count.unwrap_or_else(|| recipe::energy::samples(energy.variables())),
            memory,
            seed,
        }
    }

    /// Draws or reads samples, with a progress bar.
    fn draw(
        &self,
        energy: &EnergyModel,
        schema: &Schema,
        wanted: &SamplesWanted,
        common: &Common,
    ) -> Result<EnergySamples> {
        refuse_beyond(wanted.count, energy.variables() * size_of::<u16>());
        common.watch(|bar| energy_samples(energy, schema, wanted, bar), done)
    }

    /// What the network starts from.
    fn prior(&self, energy: &EnergyModel) -> Result<Option<PairwisePrior>> {
        if self.prior == Some(PriorName::Marginals) {
            return Ok(None);
        }
        let prior = pairwise_prior(energy);
        ensure!(
            prior.is_some() || self.prior.is_none(),
            "{} has factors of more than two variables, or states that are impossible; use --prior marginals",
            self.model
        );
        Ok(prior)
    }
}

/// An energy model by name or file, and the grid if it is one.
pub fn load(text: &str) -> Result<(EnergyModel, Option<GridModel>)> {
    let source = ModelSource::parse(text)?;
    let model = source.load()?;
    Ok(match source {
        ModelSource::Grid(grid) => (model, Some(grid)),
        ModelSource::File(_) => (model, None),
    })
}

/// Fits a model.
pub fn run(arguments: &Fit, common: &Common) -> Result<()> {
    arguments.check()?;
    match arguments.method {
        MethodName::Randomized => randomized::run(arguments, common),
        MethodName::Neural if arguments.data_free => data_free::run(arguments, common),
        MethodName::Neural => neural::run(arguments, common),
    }
}
