//! Arguments of `segre energy infer`.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use segre::energy::infer::{Choice, InferOptions};
use segre::energy::{BeliefPropagationOptions, ChainOptions, MeanFieldOptions, Schedule};

use crate::args::{Common, count};
use crate::commands::energy::Subject;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre energy infer ising:3x8
  segre energy infer ising:3x8 --method mean-field --compare
  segre energy infer model.uai --evidence model.uai.evid --memory 8GiB --uai-out results/model
  segre energy infer grid.fg --method bp --schedule sequential --damping 0.5 --json
  segre energy infer potts:64x64,c=4,coupling=1.1 --method swendsen-wang --sweeps 2000

log Z is in nats. auto is exact where that fits the memory, and belief propagation elsewhere.")]
pub struct Infer {
    #[command(flatten)]
    pub subject: Subject,
    /// Method
    #[arg(long, default_value = "auto", value_name = "NAME")]
    method: MethodName,
    /// Write PREFIX.MAR, and PREFIX.PR if the method knows log Z, as in the UAI competitions
    #[arg(long, value_name = "PREFIX")]
    pub uai_out: Option<PathBuf>,
    /// Also infer exactly, and report the errors of an approximate method
    #[arg(long)]
    pub compare: bool,
    /// mean-field: starts [default: 100]
    #[arg(long, value_name = "N", value_parser = count)]
    restarts: Option<usize>,
    /// bp: order of the messages [default: residual]
    #[arg(long, value_name = "NAME")]
    schedule: Option<ScheduleName>,
    /// bp: part of the old message that is kept, from 0 to below 1 [default: 0.1]
    #[arg(long, value_name = "PART", allow_negative_numbers = true)]
    damping: Option<f64>,
    /// gibbs, swendsen-wang: chains [default: 4]
    #[arg(long, value_name = "N", value_parser = count)]
    chains: Option<usize>,
    /// gibbs, swendsen-wang: sweeps that are thrown away [default: 1000]
    #[arg(long, value_name = "N", value_parser = count)]
    burn_in: Option<usize>,
    /// Sweeps: kept ones of a chain [default: 5000], most of bp and mean-field [default: 2000]
    #[arg(long, value_name = "N", value_parser = count)]
    sweeps: Option<usize>,
}

/// Methods by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum MethodName {
    /// Exact if it fits the memory, else bp
    Auto,
    /// Junction tree
    Exact,
    /// Naive mean field: a lower bound on log Z
    MeanField,
    /// Loopy belief propagation: Bethe's log Z
    Bp,
    /// Gibbs sampling: no log Z
    Gibbs,
    /// Swendsen–Wang sampling of ferromagnetic Ising and Potts models: no log Z
    SwendsenWang,
}

/// Schedules by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum ScheduleName {
    /// Factor after factor
    Sequential,
    /// The message that would change most
    Residual,
}

impl Infer {
    /// Refuses options that the method does not have.
    pub fn check_options(&self) -> Result<()> {
        use MethodName::{Auto, Bp, Gibbs, MeanField, SwendsenWang};
        let options: [(&str, bool, &[MethodName]); 6] = [
            ("--restarts", self.restarts.is_some(), &[MeanField]),
            ("--schedule", self.schedule.is_some(), &[Auto, Bp]),
            ("--damping", self.damping.is_some(), &[Auto, Bp]),
            ("--chains", self.chains.is_some(), &[Gibbs, SwendsenWang]),
            ("--burn-in", self.burn_in.is_some(), &[Gibbs, SwendsenWang]),
            (
                "--sweeps",
                self.sweeps.is_some(),
                &[Auto, Bp, MeanField, Gibbs, SwendsenWang],
            ),
        ];
        for (option, given, methods) in options {
            let names: Vec<String> = methods
                .iter()
                .filter_map(|method| method.to_possible_value())
                .map(|value| value.get_name().to_owned())
                .collect();
            ensure!(
                !given || methods.contains(&self.method),
                "{option} is an option of --method {}; leave it out or choose that method",
                names.join(", ")
            );
        }
        for (option, value) in [
            ("--restarts", self.restarts),
            ("--chains", self.chains),
            ("--sweeps", self.sweeps),
        ] {
            ensure!(value != Some(0), "{option} is 0, but it must be at least 1");
        }
        Ok(())
    }

    /// What the library is asked for.
    pub fn options(&self, common: &Common) -> InferOptions {
        InferOptions {
            method: match self.method {
                MethodName::Auto => Choice::Auto(self.bp()),
                MethodName::Exact => Choice::Exact,
                MethodName::MeanField => Choice::MeanField(self.mean_field(common)),
                MethodName::Bp => Choice::Bp(self.bp()),
                MethodName::Gibbs => Choice::Gibbs(self.chain_options(common)),
                MethodName::SwendsenWang => Choice::SwendsenWang(self.chain_options(common)),
            },
            memory: common.exact_memory(),
            compare: self.compare,
        }
    }

    fn mean_field(&self, common: &Common) -> MeanFieldOptions {
        let default = MeanFieldOptions::default();
        MeanFieldOptions {
            restarts: self.restarts.unwrap_or(default.restarts),
            sweeps: self.sweeps.unwrap_or(default.sweeps),
            seed: common.seed.unwrap_or(0),
            ..default
        }
    }

    fn bp(&self) -> BeliefPropagationOptions {
        let default = BeliefPropagationOptions::default();
        BeliefPropagationOptions {
            schedule: match self.schedule {
                Some(ScheduleName::Sequential) => Schedule::Sequential,
                Some(ScheduleName::Residual) => Schedule::Residual,
                None => default.schedule,
            },
            damping: self.damping.unwrap_or(default.damping),
            sweeps: self.sweeps.unwrap_or(default.sweeps),
            ..default
        }
    }

    fn chain_options(&self, common: &Common) -> ChainOptions {
        let default = ChainOptions::default();
        ChainOptions {
            chains: self.chains.unwrap_or(default.chains),
            burn_in: self.burn_in.unwrap_or(default.burn_in),
            sweeps: self.sweeps.unwrap_or(default.sweeps),
            seed: common.seed.unwrap_or(0),
        }
    }
}
