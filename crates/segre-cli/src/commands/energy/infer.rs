//! `segre energy infer`: log Z, marginals, energy and entropy of an energy model.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use segre::atomic::check_writable;
use segre::energy::exact::ExactPlan;
use segre::energy::{
    BeliefPropagationOptions, ChainOptions, EnergyModel, Inference, LogZKind, MeanFieldOptions,
    Report, Schedule, belief_propagation, format, gibbs, mean_field, swendsen_wang,
};
use serde::Serialize;

use super::{Subject, done};
use crate::args::{Common, memory};
use crate::report::json;
use crate::report::table::{Align, Table, estimate};
use crate::wording::with_flags;

/// Most variables whose marginals are listed in text.
const LISTED: usize = 24;

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
    subject: Subject,
    /// Method
    #[arg(long, default_value = "auto", value_name = "NAME")]
    method: MethodName,
    /// Memory that exact inference may take, as 512MiB or 4GiB
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = memory)]
    memory: u64,
    /// Write PREFIX.MAR, and PREFIX.PR if the method knows log Z, as in the UAI competitions
    #[arg(long, value_name = "PREFIX")]
    uai_out: Option<PathBuf>,
    /// Also infer exactly, and report the errors of an approximate method
    #[arg(long)]
    compare: bool,
    /// mean-field: starts [default: 100]
    #[arg(long, value_name = "N")]
    restarts: Option<usize>,
    /// bp: order of the messages [default: residual]
    #[arg(long, value_name = "NAME")]
    schedule: Option<ScheduleName>,
    /// bp: part of the old message that is kept, from 0 to below 1 [default: 0.1]
    #[arg(long, value_name = "PART", allow_negative_numbers = true)]
    damping: Option<f64>,
    /// gibbs, swendsen-wang: chains [default: 4]
    #[arg(long, value_name = "N")]
    chains: Option<usize>,
    /// gibbs, swendsen-wang: sweeps that are thrown away [default: 1000]
    #[arg(long, value_name = "N")]
    burn_in: Option<usize>,
    /// Sweeps: kept ones of a chain [default: 5000], most of bp and mean-field [default: 2000]
    #[arg(long, value_name = "N")]
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

/// The errors of an approximate method.
#[derive(Serialize)]
struct Comparison {
    exact_log_z: Option<f64>,
    exact_energy: Option<f64>,
    exact_entropy: Option<f64>,
    /// `KL(q ‖ p)` of mean field.
    kl: Option<f64>,
    log_z_error: Option<f64>,
    mean_marginal_error: f64,
    max_marginal_error: f64,
}

impl Comparison {
    fn of(result: &Inference, exact: &Inference) -> Self {
        let difference = result.log_z.zip(exact.log_z).map(|(a, b)| a - b);
        let bound = result.log_z_kind == Some(LogZKind::LowerBound);
        let pairs = result
            .marginals
            .iter()
            .flatten()
            .zip(exact.marginals.iter().flatten());
        Self {
            exact_log_z: exact.log_z,
            exact_energy: exact.energy,
            exact_entropy: exact.entropy,
            kl: difference.filter(|_| bound).map(|difference| -difference),
            log_z_error: difference,
            mean_marginal_error: result.mean_marginal_error(exact),
            max_marginal_error: pairs.fold(0.0, |most, (a, b)| most.max((a - b).abs())),
        }
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    inference: &'a Inference,
    log10_z: Option<f64>,
    observed: usize,
    seconds: f64,
    /// Why `auto` did not infer exactly.
    not_exact_because: Option<String>,
    compared_with_exact: Option<Comparison>,
    written: Vec<String>,
}

/// Infers and reports.
pub fn run(arguments: &Infer, common: &Common) -> Result<()> {
    arguments.check_options()?;
    let (model, evidence) = arguments.subject.load(common)?;
    if let Some(prefix) = &arguments.uai_out {
        check_writable(prefix)?;
    }
    let started = Instant::now();
    let (result, reason) = arguments.infer(&model, common)?;
    let seconds = started.elapsed().as_secs_f64();
    let comparison = match arguments.compare && !result.exact {
        true => {
            let exact = exactly(&model, arguments.memory, common)?;
            Some(Comparison::of(&result, &exact))
        }
        false => None,
    };
    let written = match &arguments.uai_out {
        Some(prefix) => format::write_results(prefix, result.log_z, &result.marginals)?,
        None => Vec::new(),
    };
    warn(&result, common);
    let answer = Answer {
        inference: &result,
        log10_z: result.log10_z(),
        observed: evidence.len(),
        seconds,
        not_exact_because: reason,
        compared_with_exact: comparison,
        written: written
            .iter()
            .map(|path| path.display().to_string())
            .collect(),
    };
    match common.json {
        true => json::print_object(&answer),
        false => {
            print(&answer);
            Ok(())
        }
    }
}

impl Infer {
    /// Refuses options that the method does not have.
    fn check_options(&self) -> Result<()> {
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

    fn infer(&self, model: &EnergyModel, common: &Common) -> Result<(Inference, Option<String>)> {
        let result = match self.method {
            MethodName::Exact => exactly(model, self.memory, common)?,
            MethodName::Auto => {
                let plan = ExactPlan::new(model)?;
                if let Err(refusal) = plan.check(self.memory) {
                    let refusal = with_flags(&refusal.to_string());
                    if !common.quiet {
                        eprintln!("note: {refusal}; using bp, which is not exact");
                    }
                    return Ok((self.bp(model, common)?, Some(refusal)));
                }
                common.watch(|bar| plan.infer(bar), done)?
            }
            MethodName::Bp => self.bp(model, common)?,
            MethodName::MeanField => {
                let default = MeanFieldOptions::default();
                let options = MeanFieldOptions {
                    restarts: self.restarts.unwrap_or(default.restarts),
                    sweeps: self.sweeps.unwrap_or(default.sweeps),
                    seed: common.seed.unwrap_or(0),
                    ..default
                };
                common.watch(|bar| mean_field(model, &options, bar), done)?
            }
            MethodName::Gibbs => {
                let options = self.chain_options(common);
                common.watch(|bar| gibbs(model, &options, bar), done)?
            }
            MethodName::SwendsenWang => {
                let options = self.chain_options(common);
                common.watch(|bar| swendsen_wang(model, &options, bar), done)?
            }
        };
        Ok((result, None))
    }

    fn bp(&self, model: &EnergyModel, common: &Common) -> Result<Inference> {
        let default = BeliefPropagationOptions::default();
        let options = BeliefPropagationOptions {
            schedule: match self.schedule {
                Some(ScheduleName::Sequential) => Schedule::Sequential,
                Some(ScheduleName::Residual) => Schedule::Residual,
                None => default.schedule,
            },
            damping: self.damping.unwrap_or(default.damping),
            sweeps: self.sweeps.unwrap_or(default.sweeps),
            ..default
        };
        common.watch(|bar| belief_propagation(model, &options, bar), done)
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

fn exactly(model: &EnergyModel, memory: u64, common: &Common) -> Result<Inference> {
    let plan = ExactPlan::new(model)?;
    plan.check(memory)?;
    common.watch(|bar| plan.infer(bar), done)
}

/// Says that a result means little.
fn warn(result: &Inference, common: &Common) {
    if common.quiet {
        return;
    }
    match &result.report {
        Report::BeliefPropagation(report) if !report.converged => {
            // What still moves by less than this is right to a few digits at least.
            let verdict = match report.residual < 1e-4 {
                true => "raise --sweeps for more digits",
                false => "its values mean little, try --damping 0.5 or another method",
            };
            eprintln!(
                "warning: belief propagation has not converged after {} sweeps (residual {:.1e}); {verdict}",
                report.sweeps, report.residual
            );
        }
        Report::MeanField(report) if !report.converged => eprintln!(
            "warning: mean field has not converged after {} sweeps; raise --sweeps",
            report.sweeps
        ),
        Report::Chains(report) if report.largest_r_hat > 1.05 => eprintln!(
            "warning: the chains disagree (R-hat {:.3} at variable {}); raise --sweeps or use another method",
            report.largest_r_hat, report.worst_variable
        ),
        _ => {}
    }
    if result.log_z.is_none() && matches!(result.report, Report::MeanField(_)) {
        eprintln!(
            "warning: no start of mean field avoids the zeros of the model: there is no bound"
        );
    }
}

fn print(answer: &Answer) {
    let result = answer.inference;
    let kind = match result.log_z_kind {
        Some(LogZKind::Exact) => "exact",
        Some(LogZKind::LowerBound) => "lower bound",
        Some(LogZKind::Bethe) => "Bethe approximation",
        None => "not known by this method",
    };
    match (result.log_z, answer.log10_z) {
        (Some(log_z), Some(log10_z)) => {
            println!("log Z    {log_z:.6} nats, log10 {log10_z:.6} ({kind})")
        }
        _ => println!("log Z    {kind}"),
    }
    if let Some(energy) = result.energy {
        println!(
            "energy   {} nats",
            estimate(energy, result.energy_std_error)
        );
    }
    if let Some(entropy) = result.entropy {
        println!("entropy  {entropy:.4} nats");
    }
    println!("{}, {:.2} s", work(&result.report), answer.seconds);
    if let Some(comparison) = &answer.compared_with_exact {
        let kl = comparison
            .kl
            .map_or_else(String::new, |kl| format!("KL {kl:.4} nats, "));
        println!(
            "beside exact log Z {:.6}: {kl}error of marginals {:.4} (mean), {:.4} (largest)",
            comparison.exact_log_z.unwrap_or(f64::NAN),
            comparison.mean_marginal_error,
            comparison.max_marginal_error
        );
    }
    for path in &answer.written {
        println!("written to {path}");
    }
    let mut table = Table::new(&[("variable", Align::Left), ("probabilities", Align::Left)]);
    for (variable, marginal) in result.marginals.iter().enumerate().take(LISTED) {
        const STATES: usize = 12;
        let mut shown: Vec<String> = marginal
            .iter()
            .take(STATES)
            .map(|p| format!("{p:.4}"))
            .collect();
        if marginal.len() > STATES {
            shown.push("…".into());
        }
        table.push([variable.to_string(), shown.join(" ")]);
    }
    print!("{}", table.to_text());
    if result.marginals.len() > LISTED {
        println!(
            "… and {} more; --json or --uai-out give all",
            result.marginals.len() - LISTED
        );
    }
}

/// What a method did, in words.
fn work(report: &Report) -> String {
    match report {
        Report::Exact(report) => format!(
            "junction tree of width {}{}",
            report.width,
            if report.logarithmic {
                ", tables of logarithms"
            } else {
                ""
            }
        ),
        Report::MeanField(report) => format!(
            "mean field, {} of {} starts reached the best bound",
            report.restarts_at_best, report.restarts
        ),
        Report::BeliefPropagation(report) => format!(
            "belief propagation, {} after {} sweeps",
            if report.converged {
                "converged"
            } else {
                "not converged"
            },
            report.sweeps
        ),
        Report::Chains(report) => format!(
            "{} chains of {} sweeps, R-hat at most {:.4}, {:.0} effective samples of the energy",
            report.chains, report.sweeps, report.largest_r_hat, report.energy_effective_samples
        ),
        _ => String::new(),
    }
}
