//! `segre energy compare`: a fitted model, mean field and belief propagation beside the energy model.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use segre::data::{Dataset, Schema};
use segre::energy::exact::ExactPlan;
use segre::energy::{
    BeliefPropagationOptions, ChainOptions, EnergyModel, Ferromagnet, Inference, LogZKind,
    MeanFieldOptions, belief_propagation, gibbs, mean_field, swendsen_wang,
};
use segre::evaluation::conditionals::ConditionalReport;
use segre::flow::sampling::{Sampler, SamplingOptions};
use segre::neural::WeightedRows;
use segre::path::ProbabilityPath;
use segre::randomized::{Comparison, EntropyEstimate, schema_of};
use segre::run;
use serde::Serialize;

use super::done;
use super::fit::load;
use crate::args::{Common, ConditionalChecks, Sampling, at_least_one, memory};
use crate::commands::sample::randomized_with_progress;
use crate::conditionals;
use crate::report::json;
use crate::report::table::{Align, Table, estimate};
use crate::session::{sample_with_progress, sampling_options};
use crate::wording::with_flags;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre energy compare ising:3x8 runs/ising
  segre energy compare model.uai runs/m --samples 200000 --json

KL(model : target) is in nats, by the energy and the Miller–Madow entropy of the samples. Without exact inference
(see --memory) log Z is not known: a long chain gives energy and marginals, and there is no KL.")]
pub struct Compare {
    /// Energy model, as in segre energy fit
    model: String,
    /// Folder of the model fitted to it, or to samples of it
    folder: PathBuf,
    /// Samples to draw
    #[arg(allow_negative_numbers = true, long, value_name = "N", default_value_t = 1_000_000, value_parser = at_least_one)]
    samples: usize,
    /// Memory that exact inference may take, as 512MiB or 4GiB
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = memory)]
    memory: u64,
    /// neural: rows whose importance weights estimate log Z
    #[arg(allow_negative_numbers = true, long, value_name = "N", default_value_t = 4096, value_parser = at_least_one)]
    importance_samples: usize,
    #[command(flatten)]
    conditionals: ConditionalChecks,
    #[command(flatten)]
    sampling: Sampling,
}

/// Sites up to which the chain rule is the default sampler of a neural model: it has no error of its own.
const CHAIN_RULE_SITES: usize = 64;
/// Samples computed at a time: small states use the processor better in larger batches.
const BATCH: usize = 8192;

/// Approximate inference beside a model.
#[derive(Serialize)]
struct Beside {
    /// `KL(q : target)` of mean field.
    kl: Option<f64>,
    energy: Option<f64>,
    entropy: Option<f64>,
    marginal_error: f64,
}

/// What importance weights of a network's rows say, one evaluation for every site.
#[derive(Serialize)]
struct Importance {
    log_z_importance: f64,
    log_z_std_error: f64,
    /// The variational bound, `E_q[log w] ≤ log Z`.
    log_z_bound: f64,
    log_z_bound_std_error: f64,
    effective_sample_size: f64,
    importance_samples: u64,
    /// Of the weighted rows.
    importance_energy: f64,
    importance_marginal_error: f64,
}

#[derive(Serialize)]
struct Answer {
    kl: Option<f64>,
    kl_std_error: Option<f64>,
    /// With the entropy estimator that counts unseen labelings.
    kl_unseen: Option<f64>,
    /// What the estimate of `kl` gives for as many exact samples.
    kl_floor: Option<f64>,
    energy: f64,
    energy_std_error: f64,
    entropy: f64,
    entropy_estimates: EntropyEstimate,
    marginal_error: f64,
    largest_marginal_error: f64,
    samples: usize,
    method: &'static str,
    /// `exact`, or the chain that was used.
    target: &'static str,
    target_log_z: Option<f64>,
    target_energy: Option<f64>,
    target_entropy: Option<f64>,
    /// Of networks that know conditionals.
    #[serde(flatten)]
    importance: Option<Importance>,
    /// Where they are asked for.
    #[serde(flatten)]
    conditionals: Option<ConditionalReport>,
    mean_field: Option<Beside>,
    bp: Option<Beside>,
}

/// The truth, as far as it can be had.
pub struct Truth {
    pub result: Inference,
    pub plan: Option<ExactPlan>,
    pub name: &'static str,
}

/// Exact inference, or a long chain.
pub fn truth(model: &EnergyModel, budget: u64, seed: u64, common: &Common) -> Result<Truth> {
    let plan = ExactPlan::new(model)?;
    let Err(refusal) = plan.check(budget) else {
        let result = common.watch(|bar| plan.infer(bar), done)?;
        let plan = Some(plan);
        let name = "exact";
        return Ok(Truth { result, plan, name });
    };
    if !common.quiet {
        let refusal = with_flags(&refusal.to_string());
        eprintln!("note: {refusal}; comparing with a long chain, so there is no KL");
    }
    let options = ChainOptions {
        sweeps: 20_000,
        seed,
        ..ChainOptions::default()
    };
    let magnet = Ferromagnet::of(model).is_ok();
    let name = if magnet { "swendsen-wang" } else { "gibbs" };
    let result = common.watch(
        |bar| match magnet {
            true => swendsen_wang(model, &options, bar),
            false => gibbs(model, &options, bar),
        },
        done,
    )?;
    let plan = None;
    Ok(Truth { result, plan, name })
}

/// Compares and reports.
pub fn run(arguments: &Compare, common: &Common) -> Result<()> {
    let (model, grid) = load(&arguments.model)?;
    let seed = common.seed.unwrap_or(0);
    let schema = schema_of(&model, grid.as_ref())?;
    // Everything that can be refused is refused before long work.
    let fitted = Fitted::load(&arguments.folder, &schema, arguments, common)?;
    let networks = matches!(fitted, Fitted::Neural(..));
    ensure!(
        networks || arguments.conditionals.conditionals.is_none(),
        "--conditionals: {} is a randomised assignment flow, which has no conditionals; fit one with --method neural",
        arguments.folder.display()
    );
    let truth = truth(&model, arguments.memory, seed, common)?;
    let samples = fitted.sample(arguments.samples, seed, &schema, arguments, common)?;
    let (log_z, marginals) = (truth.result.log_z, &truth.result.marginals);
    let found = Comparison::of(&samples, &model, log_z, marginals);
    let kl_floor = match &truth.plan {
        Some(plan) => {
            let seed = seed.wrapping_add(1);
            let labels =
                common.watch(|bar| plan.sample_labels(arguments.samples, seed, bar), done)?;
            let exact = Dataset::new(schema, labels)?;
            Comparison::of(&exact, &model, log_z, marginals).kl
        }
        None => None,
    };
    let importance = fitted.importance(
        &model,
        &truth.result,
        samples.schema.clone(),
        arguments,
        common,
    )?;
    let conditionals = fitted.conditionals(&model, &truth, arguments, seed, common)?;
    let (by_mean_field, by_bp) = beside(&model, seed, common);
    let answer = Answer {
        kl: found.kl,
        kl_std_error: found.kl_std_error,
        kl_unseen: found.kl_unseen,
        kl_floor,
        energy: found.energy,
        energy_std_error: found.energy_std_error,
        entropy: found.entropy,
        entropy_estimates: found.entropy_estimates,
        marginal_error: found.marginal_error,
        largest_marginal_error: found.largest_marginal_error,
        samples: found.samples,
        method: fitted.name(),
        target: truth.name,
        target_log_z: log_z,
        target_energy: truth.result.energy,
        target_entropy: truth.result.entropy,
        importance,
        conditionals,
        mean_field: by_mean_field.map(|result| Beside::of(&result, &truth.result)),
        bp: by_bp.map(|result| Beside::of(&result, &truth.result)),
    };
    match common.json {
        true => json::print_object(&answer),
        false => {
            print(&answer);
            Ok(())
        }
    }
}

/// Mean field and belief propagation, where they give a result.
fn beside(
    model: &EnergyModel,
    seed: u64,
    common: &Common,
) -> (Option<Inference>, Option<Inference>) {
    let options = MeanFieldOptions {
        seed,
        ..MeanFieldOptions::default()
    };
    let by_mean_field = common.watch(|bar| mean_field(model, &options, bar), done);
    let by_bp = common.watch(
        |bar| belief_propagation(model, &BeliefPropagationOptions::default(), bar),
        done,
    );
    (by_mean_field.ok(), by_bp.ok())
}

impl Beside {
    fn of(result: &Inference, truth: &Inference) -> Self {
        let bound = result.log_z_kind == Some(LogZKind::LowerBound);
        let difference = truth
            .log_z
            .zip(result.log_z)
            .map(|(truth, own)| truth - own);
        Self {
            kl: difference.filter(|_| bound),
            energy: result.energy,
            entropy: result.entropy,
            marginal_error: result.mean_marginal_error(truth),
        }
    }
}

/// A model in a folder.
enum Fitted {
    Randomized(Box<segre::randomized::RandomizedFlow>),
    Neural(Box<segre::flow::Model>, SamplingOptions),
}

impl Fitted {
    fn load(folder: &Path, schema: &Schema, arguments: &Compare, common: &Common) -> Result<Self> {
        let differ = || {
            format!(
                "{} was not fitted to the variables of {}",
                folder.display(),
                arguments.model
            )
        };
        if run::is_randomized(folder) {
            let (model, _) = run::load_randomized(folder)?;
            schema.same_as(model.schema()).with_context(differ)?;
            return Ok(Self::Randomized(Box::new(model)));
        }
        let (model, card) = run::load(folder, &common.device.open()?)?;
        let own = model.schema();
        ensure!(
            own.sites() == schema.sites()
                && (0..own.sites()).all(|site| own.cardinality(site) <= schema.cardinality(site)),
            "{}: {} variables of at most {} states, not {} of at most {}; fit a model to {}",
            differ(),
            own.sites(),
            own.max_categories(),
            schema.sites(),
            schema.max_categories(),
            arguments.model
        );
        states_of(own, schema).with_context(differ)?;
        let seed = common.seed.unwrap_or(card.training.seed);
        let mut options = sampling_options(&arguments.sampling, card.training.conditional, seed);
        if options.sampler.is_none()
            && card.training.conditional
            && schema.sites() <= CHAIN_RULE_SITES
        {
            options.sampler = Some(Sampler::Sequential);
        }
        options.batch = options.batch.max(BATCH);
        Ok(Self::Neural(Box::new(model), options))
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Randomized(_) => "randomized",
            Self::Neural(..) => "neural",
        }
    }

    fn sample(
        &self,
        count: usize,
        seed: u64,
        schema: &Schema,
        arguments: &Compare,
        common: &Common,
    ) -> Result<Dataset> {
        ensure!(
            arguments.sampling.sampler.is_none() || matches!(self, Self::Neural(..)),
            "a randomised flow has one sampler; leave --sampler out"
        );
        match self {
            Self::Randomized(model) => randomized_with_progress(model, count, seed, common),
            Self::Neural(model, options) => {
                let samples = sample_with_progress(model, count, options, common)?.data;
                in_states(&samples, schema)
            }
        }
    }
}

impl Fitted {
    /// Conditionals beside the exact ones, if they are asked for.
    fn conditionals(
        &self,
        energy: &EnergyModel,
        truth: &Truth,
        arguments: &Compare,
        seed: u64,
        common: &Common,
    ) -> Result<Option<ConditionalReport>> {
        let Some(patterns) = arguments.conditionals.conditionals else {
            return Ok(None);
        };
        let (Self::Neural(model, _), Some(plan)) = (self, &truth.plan) else {
            bail!("--conditionals needs exact inference; allow more --memory, or leave it out");
        };
        ensure!(
            model.schema().cardinalities() == energy.cardinalities(),
            "--conditionals: some state of {} was never seen in the fit; fit to more samples",
            arguments.model
        );
        let seed = seed.wrapping_add(2);
        let labels = common.watch(|bar| plan.sample_labels(patterns, seed, bar), done)?;
        // With all states of every variable, categories in order are the states.
        let rows = Dataset::new(model.schema().clone(), labels)?;
        let log_weight = |row: &[u16]| {
            let states: Vec<usize> = row.iter().map(|label| usize::from(*label)).collect();
            -energy.energy(&states)
        };
        let checks = &arguments.conditionals;
        conditionals::compare(model, &log_weight, &rows, checks, seed, common).map(Some)
    }

    /// Importance weights of a network that knows conditionals; of others their rows' probabilities are not known.
    fn importance(
        &self,
        energy: &EnergyModel,
        truth: &Inference,
        schema: Schema,
        arguments: &Compare,
        common: &Common,
    ) -> Result<Option<Importance>> {
        let Self::Neural(model, options) = self else {
            return Ok(None);
        };
        let masked = matches!(model.config().path, ProbabilityPath::Discrete(_));
        if !masked && !options.conditional {
            return Ok(None);
        }
        let options = SamplingOptions {
            sampler: Some(Sampler::Sequential),
            steps: Some(schema.sites()),
            seed: options.seed.wrapping_add(1),
            ..options.clone()
        };
        let drawn = sample_with_progress(model, arguments.importance_samples, &options, common)?;
        let data = in_states(&drawn.data, &schema)?;
        let rows = WeightedRows::new(data, drawn.log_probabilities, energy);
        let found = rows.estimate(1.0);
        let errors = found
            .marginals
            .iter()
            .flatten()
            .zip(truth.marginals.iter().flatten());
        let errors: Vec<f64> = errors.map(|(own, truth)| (own - truth).abs()).collect();
        Ok(Some(Importance {
            log_z_importance: found.log_z.value,
            log_z_std_error: found.log_z.std_error,
            log_z_bound: found.bound.value,
            log_z_bound_std_error: found.bound.std_error,
            effective_sample_size: found.effective_share * found.log_z.samples as f64,
            importance_samples: found.log_z.samples,
            importance_energy: found.energy.value,
            importance_marginal_error: errors.iter().sum::<f64>() / errors.len() as f64,
        }))
    }
}

/// Of every site, the states that its categories are: data in words call state 3 `3`.
fn states_of(own: &Schema, schema: &Schema) -> Result<Vec<Vec<u16>>> {
    (0..own.sites())
        .map(|site| {
            (0..own.cardinality(site))
                .map(|label| {
                    let name = own.category_name(site, u16::try_from(label)?);
                    let state = schema.label_of(site, &name);
                    state.with_context(|| format!("{name:?} is no state of variable {site}"))
                })
                .collect()
        })
        .collect()
}

/// Samples of a model of data as states of the energy model.
pub fn in_states(samples: &Dataset, schema: &Schema) -> Result<Dataset> {
    let states = states_of(&samples.schema, schema)?;
    let mut labels = Vec::with_capacity(samples.labels().len());
    for row in samples.iter() {
        let of_row = row.iter().zip(&states);
        labels.extend(of_row.map(|(label, states)| states[usize::from(*label)]));
    }
    Ok(Dataset::new(schema.clone(), labels)?)
}

fn print(answer: &Answer) {
    let mut table = Table::new(&[
        ("", Align::Left),
        ("KL", Align::Decimal),
        ("energy", Align::Decimal),
        ("entropy", Align::Decimal),
        ("marginal error", Align::Decimal),
    ]);
    let number = |value: Option<f64>| value.map_or_else(String::new, |value| format!("{value:.4}"));
    table.push([
        answer.method.into(),
        answer
            .kl
            .map_or_else(String::new, |kl| estimate(kl, answer.kl_std_error)),
        estimate(answer.energy, Some(answer.energy_std_error)),
        number(Some(answer.entropy)),
        number(Some(answer.marginal_error)),
    ]);
    for (name, beside) in [("mean field", &answer.mean_field), ("bp", &answer.bp)] {
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
        answer.target.into(),
        String::new(),
        number(answer.target_energy),
        number(answer.target_entropy),
        String::new(),
    ]);
    print!("{}", table.to_text());
    if let Some(found) = &answer.importance {
        let exact = answer.target_log_z;
        let exact = exact.map_or_else(String::new, |log_z| format!(" (exact {log_z:.4})"));
        println!(
            "importance weights: log Z {}{exact}, bound {}, effective sample size {:.0} of {}, marginal error {:.4}",
            estimate(found.log_z_importance, Some(found.log_z_std_error)),
            estimate(found.log_z_bound, Some(found.log_z_bound_std_error)),
            found.effective_sample_size,
            found.importance_samples,
            found.importance_marginal_error
        );
    }
    if let Some(found) = &answer.conditionals {
        conditionals::print(found);
    }
    let estimates = &answer.entropy_estimates;
    println!(
        "{} samples, {} different labelings, nats",
        answer.samples, estimates.support
    );
    if let (Some(unseen), Some(floor)) = (answer.kl_unseen, answer.kl_floor) {
        println!(
            "KL with unseen labelings counted: {unseen:.4}; as many exact samples give KL {floor:.4}"
        );
    }
}
