//! `segre energy infer`: log Z, marginals, energy and entropy of an energy model.

mod args;

use anyhow::Result;
use segre::atomic::check_writable;
use segre::energy::infer::{self, InferReport};
use segre::energy::{LogZKind, Report, format};
use serde::Serialize;

pub use args::Infer;

use super::done;
use crate::args::Common;
use crate::report::json;
use crate::report::table::{Align, Table, estimate, rounded};
use crate::wording::with_flags;

/// Most variables whose marginals are listed in text.
const LISTED: usize = 24;

#[derive(Serialize)]
struct Answer {
    #[serde(flatten)]
    found: InferReport,
    written: Vec<String>,
}

/// Infers and reports.
pub fn run(arguments: &Infer, common: &Common) -> Result<()> {
    arguments.check_options()?;
    let model = arguments.subject.load(common)?;
    if let Some(prefix) = &arguments.uai_out {
        check_writable(prefix)?;
    }
    let options = arguments.options(common);
    let found = common.watch(|bar| infer::run(&model, &options, bar), done)?;
    let result = &found.inference;
    let written = match &arguments.uai_out {
        Some(prefix) => format::write_results(prefix, result.log_z, &result.marginals)?,
        None => Vec::new(),
    };
    if !common.quiet {
        for warning in &found.warnings {
            eprintln!("warning: {}", with_flags(warning));
        }
    }
    let written = written.iter().map(|path| path.display().to_string());
    let answer = Answer {
        written: written.collect(),
        found,
    };
    match common.json {
        true => json::print_object(&answer),
        false => {
            print(&answer);
            Ok(())
        }
    }
}

fn print(answer: &Answer) {
    let found = &answer.found;
    let result = &found.inference;
    let kind = match result.log_z_kind {
        Some(LogZKind::Exact) => "exact",
        Some(LogZKind::LowerBound) => "lower bound",
        Some(LogZKind::Bethe) => "Bethe approximation",
        None => "not known by this method",
    };
    match (result.log_z, found.log10_z) {
        (Some(log_z), Some(log10_z)) => {
            let [log_z, log10_z] = [log_z, log10_z].map(|value| rounded(value, 6));
            println!("log Z    {log_z} nats, log10 {log10_z} ({kind})")
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
        println!("entropy  {} nats", rounded(entropy, 4));
    }
    println!("{}, {:.2} s", work(&result.report), found.seconds);
    if let Some(comparison) = &found.compared_with_exact {
        let kl = comparison
            .kl
            .map_or_else(String::new, |kl| format!("KL {} nats, ", rounded(kl, 4)));
        println!(
            "beside exact log Z {}: {kl}error of marginals {:.4} (mean), {:.4} (largest)",
            rounded(comparison.exact_log_z.unwrap_or(f64::NAN), 6),
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
