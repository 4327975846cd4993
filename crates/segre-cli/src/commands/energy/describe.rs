//! `segre energy info`: what an energy model is, and what exact inference in it needs.

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;
use segre::energy::Ferromagnet;
use segre::energy::exact::{ExactPlan, bytes_text};
use serde::Serialize;

use super::Subject;
use crate::args::{Common, memory};
use crate::report::json;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre energy info ising:3x8
  segre energy info model.uai --evidence model.uai.evid --json")]
pub struct Info {
    #[command(flatten)]
    subject: Subject,
    /// Memory that exact inference may take, as 512MiB or 4GiB
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = memory)]
    memory: u64,
}

#[derive(Serialize)]
struct Description {
    kind: &'static str,
    variables: usize,
    observed: usize,
    /// Variables that neither evidence nor zeros fix.
    free: usize,
    /// States to number of variables.
    cardinalities: BTreeMap<usize, usize>,
    factors: usize,
    /// Number of variables to number of factors.
    orders: BTreeMap<usize, usize>,
    zero_entries: usize,
    entries: usize,
    log2_configurations: f64,
    /// Of the elimination order found: an upper bound on the treewidth.
    width: usize,
    log2_largest_table: f64,
    memory_bytes: f64,
    fits: bool,
    /// Whether Swendsen–Wang can be used.
    ferromagnetic_potts: bool,
}

/// Describes a model.
pub fn run(arguments: &Info, common: &Common) -> Result<()> {
    let (model, evidence) = arguments.subject.load(common)?;
    let plan = ExactPlan::new(&model)?;
    let cost = plan.cost();
    let (mut cardinalities, mut orders) = (BTreeMap::new(), BTreeMap::new());
    for states in model.cardinalities() {
        *cardinalities.entry(*states).or_insert(0) += 1;
    }
    let (mut entries, mut zero_entries) = (0, 0);
    for factor in model.factors() {
        *orders.entry(factor.variables().len()).or_insert(0) += 1;
        let values = factor.log_values();
        entries += values.len();
        zero_entries += values.iter().filter(|v| **v == f64::NEG_INFINITY).count();
    }
    let description = Description {
        kind: "energy model",
        variables: model.variables(),
        observed: evidence.len(),
        free: plan.free_variables(),
        cardinalities,
        factors: model.factors().len(),
        orders,
        zero_entries,
        entries,
        log2_configurations: model.log2_configurations(),
        width: cost.width,
        log2_largest_table: cost.log2_table,
        memory_bytes: cost.bytes,
        fits: plan.check(arguments.memory).is_ok(),
        ferromagnetic_potts: Ferromagnet::of(&model).is_ok(),
    };
    if common.json {
        return json::print_object(&description);
    }
    print(&arguments.subject.model, &description, arguments.memory);
    Ok(())
}

fn print(name: &str, model: &Description, budget: u64) {
    let list = |counts: &BTreeMap<usize, usize>, of: &str| {
        let parts: Vec<String> = counts
            .iter()
            .map(|(number, count)| format!("{count} with {number} {of}"))
            .collect();
        parts.join(", ")
    };
    println!(
        "{name}: {} variables ({}), {} observed, {} free",
        model.variables,
        list(&model.cardinalities, "states"),
        model.observed,
        model.free
    );
    println!(
        "{} factors ({}), {} of {} entries are zero",
        model.factors,
        list(&model.orders, "variables"),
        model.zero_entries,
        model.entries
    );
    println!("2^{:.1} configurations", model.log2_configurations);
    println!(
        "exact inference: width {}, largest table 2^{:.1} entries, {}: {} {}",
        model.width,
        model.log2_largest_table,
        bytes_text(model.memory_bytes),
        if model.fits { "fits" } else { "does not fit" },
        bytes_text(budget as f64)
    );
    println!(
        "Swendsen–Wang: {}",
        match model.ferromagnetic_potts {
            true => "possible, a ferromagnetic Ising or Potts model",
            false => "not possible, no ferromagnetic Ising or Potts model",
        }
    );
}
