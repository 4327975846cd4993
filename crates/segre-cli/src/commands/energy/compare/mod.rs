//! `segre energy compare`: a fitted model, mean field and belief propagation beside the energy model.

mod args;

use anyhow::{Context, Result, ensure};
use segre::evaluation::energy::{self, EnergyOptions, EnergyReport, EnergyTarget, Fitted};
use segre::randomized::schema_of;

pub use args::Compare;

use super::done;
use super::fit::load;
use crate::args::Common;
use crate::conditionals;
use crate::report::json;
use crate::report::table::{Align, Table, estimate, rounded};

/// Compares and reports.
pub fn run(arguments: &Compare, common: &Common) -> Result<()> {
    let (model, grid) = load(&arguments.model)?;
    let target = EnergyTarget {
        name: &arguments.model,
        model: &model,
        schema: &schema_of(&model, grid.as_ref())?,
    };
    let folder = arguments.folder.display();
    // Everything that can be refused is refused before long work.
    let fitted = Fitted::load(&arguments.folder, &common.device.open()?)?;
    fitted.check(&target).with_context(|| {
        format!(
            "{folder} was not fitted to the variables of {}",
            target.name
        )
    })?;
    let asked = &arguments.conditionals;
    if matches!(fitted, Fitted::Randomized(_)) {
        ensure!(
            asked.conditionals.is_none(),
            "--conditionals: {folder} is a randomised assignment flow, which has no conditionals; fit one with --method neural"
        );
        ensure!(
            arguments.sampling.sampler.is_none(),
            "a randomised flow has one sampler; leave --sampler out"
        );
    }
    let options = EnergyOptions {
        samples: arguments.samples,
        memory: common.exact_memory(),
        importance_samples: arguments.importance_samples,
        conditionals: asked.conditionals.map(|patterns| (patterns, asked.orders)),
        sampling: arguments.sampling.options(0),
        seed: common.seed,
    };
    let found = common.watch(|bar| energy::run(&fitted, &target, &options, bar), done)?;
    if common.json {
        return json::print_object(&found);
    }
    print(&found);
    Ok(())
}

fn print(found: &EnergyReport) {
    let mut table = Table::new(&[
        ("", Align::Left),
        ("KL", Align::Decimal),
        ("energy", Align::Decimal),
        ("entropy", Align::Decimal),
        ("marginal error", Align::Decimal),
    ]);
    let samples = &found.comparison;
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| rounded(value, 4));
    table.push([
        found.method.into(),
        samples
            .kl
            .map_or_else(String::new, |kl| estimate(kl, samples.kl_std_error)),
        estimate(samples.energy, Some(samples.energy_std_error)),
        number(Some(samples.entropy)),
        number(Some(samples.marginal_error)),
    ]);
    for (name, beside) in [("mean field", &found.mean_field), ("bp", &found.bp)] {
        if let Some(beside) = beside {
            table.push([
                name.into(),
                number(beside.kl),
                number(beside.energy),
                number(beside.entropy),
                number(Some(beside.marginal_error)),
            ]);
        }
    }
    table.push([
        found.target.into(),
        String::new(),
        number(found.target_energy),
        number(found.target_entropy),
        String::new(),
    ]);
    print!("{}", table.to_text());
    if let Some(own) = &found.importance {
        let exact = found.target_log_z;
        let exact = exact.map_or_else(String::new, |log_z| {
            format!(" (exact {})", rounded(log_z, 4))
        });
        println!(
            "importance weights: log Z {}{exact}, bound {}, effective sample size {:.0} of {}, marginal error {:.4}",
            estimate(own.log_z_importance, Some(own.log_z_std_error)),
            estimate(own.log_z_bound, Some(own.log_z_bound_std_error)),
            own.effective_sample_size,
            own.importance_samples,
            own.importance_marginal_error
        );
    }
    if let Some(found) = &found.conditionals {
        conditionals::print(found);
    }
    let estimates = &samples.entropy_estimates;
    println!(
        "{} samples, {} different labelings, nats",
        samples.samples, estimates.support
    );
    if let (Some(unseen), Some(floor)) = (samples.kl_unseen, found.kl_floor) {
        println!(
            "KL with unseen labelings counted: {}; as many exact samples give KL {}",
            rounded(unseen, 4),
            rounded(floor, 4)
        );
    }
}
