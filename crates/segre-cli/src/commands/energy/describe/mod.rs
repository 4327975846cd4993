//! `segre energy info`: what an energy model is, and what exact inference in it needs.

mod args;

use std::collections::BTreeMap;

use anyhow::Result;
use segre::energy::Description;
use segre::energy::exact::bytes_text;

pub use args::Info;

use crate::args::Common;
use crate::report::json;

/// Describes a model.
pub fn run(arguments: &Info, common: &Common) -> Result<()> {
    let model = arguments.subject.load(common)?;
    let description = Description::of(&model, common.exact_memory())?;
    if common.json {
        return json::print_object(&description);
    }
    print(
        &arguments.subject.model,
        &description,
        common.exact_memory(),
    );
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
    if let Some(doubt) = &model.doubt {
        println!("warning: {doubt}");
    }
}
