//! Fitting the posterior network to an energy alone: its folder, its progress, its end.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use segre::Device;
use segre::data::{ReadOptions, Schema};
use segre::energy::EnergyModel;
use segre::flow::PairwisePrior;
use segre::flow::sampling::{Sampler, SamplingOptions};
use segre::neural::{DataFree, DataFreeConfig, Moment, NeuralError, WeightedRows, pairwise_prior};
use segre::progress::{Control, Event, Observer, Progress, Round};
use segre::randomized::schema_of;
use segre::recipe::{Facts, Recipe, Settings};
use segre::run::{
    CHECKPOINT_FILE, METRICS_FILE, Metrics, ModelCard, create_folder, load_card, refuse_existing,
    save_card, save_parameters,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::Fit;
use crate::args::Common;
use crate::interrupt;
use crate::report::json::print_object;
use crate::report::progress::Bar;
use crate::report::table::estimate;
use crate::watched::sample_with_progress;

/// Labels of the rows whose weights are reported at the end.
const REPORTED_LABELS: usize = 1 << 17;

#[derive(Serialize)]
struct Report {
    steps: u64,
    seconds: f64,
    rounds: u64,
    parameters: usize,
    /// Below 1 if the budget ended before the energy was reached.
    inverse_temperature: f64,
    log_z_importance: f64,
    log_z_std_error: f64,
    /// Not above log Z, but for its error.
    log_z_bound: f64,
    log_z_bound_std_error: f64,
    effective_sample_size: f64,
    importance_samples: u64,
    out: String,
}

/// Fits.
pub fn run(arguments: &Fit, common: &Common) -> Result<()> {
    let (energy, grid) = arguments.load()?;
    let schema = schema_of(&energy, grid.as_ref())?;
    let device = common.device.open()?;
    let out = &arguments.out;
    let (mut card, fit) = match arguments.resume {
        true => resume(arguments, &energy, &schema, common, &device)?,
        false => {
            let prepared = begin(arguments, &energy, &schema, common, &device)?;
            refuse_existing(out, arguments.force)?;
            create_folder(out)?;
            prepared
        }
    };
    save_card(out, &card)?;
    let seed = card.training.seed;
    let mut watch = Watch::new(out, fit.round(), common)?;
    let mut keep = |fit: &DataFree, moment| store(out, &mut card, fit, moment);
    let ended = fit.run(&energy, &mut keep, &mut watch);
    watch.bar.finish("training has ended");
    if interrupt::asked() {
        bail!(
            "stopped after {} rounds at inverse temperature {:.3}; the model so far is in {}, go on with --resume",
            watch.rounds,
            watch.inverse_temperature,
            out.display()
        );
    }
    let trainer = ended?;
    let model = trainer.best_model()?;
    save_parameters(out, &model)?;
    let options = SamplingOptions {
        sampler: Some(Sampler::Sequential),
        steps: Some(schema.sites()),
        seed: seed.wrapping_add(1),
        ..SamplingOptions::default()
    };
    let count = (REPORTED_LABELS / schema.sites().max(1)).clamp(256, 4096);
    let drawn = sample_with_progress(&model, count, &options, common)?;
    let weighted = WeightedRows::new(drawn.data, drawn.log_probabilities, &energy);
    let found = weighted.estimate(1.0);
    let progress = trainer.progress();
    let report = Report {
        steps: progress.step,
        seconds: progress.seconds,
        rounds: watch.rounds,
        parameters: model.parameters(),
        inverse_temperature: watch.inverse_temperature,
        log_z_importance: found.log_z.value,
        log_z_std_error: found.log_z.std_error,
        log_z_bound: found.bound.value,
        log_z_bound_std_error: found.bound.std_error,
        effective_sample_size: found.effective_share * found.log_z.samples as f64,
        importance_samples: found.log_z.samples,
        out: out.display().to_string(),
    };
    if common.json {
        return print_object(&report);
    }
    println!(
        "{} steps in {:.0} s ({} parameters, {} rounds); model in {}",
        report.steps, report.seconds, report.parameters, report.rounds, report.out
    );
    println!(
        "log Z {}, bound {}, effective sample size {:.1} % of {}",
        estimate(report.log_z_importance, Some(report.log_z_std_error)),
        estimate(report.log_z_bound, Some(report.log_z_bound_std_error)),
        100.0 * found.effective_share,
        report.importance_samples
    );
    println!(
        "how good it is: segre energy compare {} {}",
        arguments.model, report.out
    );
    Ok(())
}

/// A run of the arguments.
fn begin(
    arguments: &Fit,
    energy: &EnergyModel,
    schema: &Schema,
    common: &Common,
    device: &Device,
) -> Result<(ModelCard, DataFree)> {
    prepare(
        &arguments.recipe(common.seed),
        arguments.prior(energy)?,
        &arguments.model,
        schema,
        device,
    )
}

/// The run in the folder, from the end of its last round.
fn resume(
    arguments: &Fit,
    energy: &EnergyModel,
    schema: &Schema,
    common: &Common,
    device: &Device,
) -> Result<(ModelCard, DataFree)> {
    let out = &arguments.out;
    let mut card = load_card(out)?;
    let given = [
        ("--network", arguments.network.is_some()),
        ("--learning-rate", arguments.learning_rate.is_some()),
        ("--prior", arguments.prior.is_some()),
    ];
    for (option, given) in given {
        ensure!(
            !given,
            "a run goes on with its own settings; leave {option} out, or start anew with --force"
        );
    }
    ensure!(
        card.source == arguments.model,
        "{} was fitted to {}, not {}; resume with that model",
        out.display(),
        card.source,
        arguments.model
    );
    let own = card.training.seed;
    let seed = common.seed.unwrap_or(own);
    ensure!(
        seed == own,
        "the run in {} has seed {own}, not {seed}",
        out.display()
    );
    let budget = &mut card.training.budget;
    budget.steps = arguments.steps.or(budget.steps);
    if let Some(time) = arguments.time {
        budget.seconds = Some(time.as_secs_f64());
    }
    // The folder's prior has the temperature of its last round.
    if card.model.prior.is_some() {
        card.model.prior = pairwise_prior(energy);
    }
    let config = DataFreeConfig::of(schema.sites(), card.training.batch_size);
    let (model, training) = (card.model.clone(), card.training.clone());
    let path = out.join(CHECKPOINT_FILE);
    let fit = match path.is_file() {
        true => DataFree::resume(&path, model, training, config, schema, device)
            .map_err(|error| anyhow::anyhow!("{error}; or start anew with --force"))?,
        // Stopped before the end of the first round: the beginning is where it stopped.
        false => DataFree::new(model, training, config, schema, device)?,
    };
    Ok((card, fit))
}

/// A run that has done nothing yet, and its card.
pub fn prepare(
    recipe: &Recipe,
    prior: Option<PairwisePrior>,
    source: &str,
    schema: &Schema,
    device: &Device,
) -> Result<(ModelCard, DataFree)> {
    let facts = Facts::of_schema(schema).with_prior(prior);
    let Settings {
        model,
        training,
        split,
    } = recipe.resolve(&facts)?;
    let config = DataFreeConfig::of(schema.sites(), training.batch_size);
    let fit = DataFree::new(model.clone(), training.clone(), config, schema, device)?;
    let card = ModelCard {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        source: source.to_owned(),
        read_options: ReadOptions {
            builtin_seed: training.seed,
            ..ReadOptions::default()
        },
        // The checksum of no data.
        fingerprint: 0,
        split,
        test_data: None,
        labels: None,
        model,
        training,
        schema: schema.clone(),
    };
    Ok((card, fit))
}

/// Stores a run: its card and model after the weights of a round, and from where to go on after its training.
fn store(
    out: &Path,
    card: &mut ModelCard,
    fit: &DataFree,
    moment: Moment,
) -> Result<(), NeuralError> {
    if moment == Moment::Learned {
        return fit.write_checkpoint(&out.join(CHECKPOINT_FILE));
    }
    let model = fit.trainer().best_model()?;
    // The prior has the temperature of the round.
    card.model.clone_from(model.config());
    save_card(out, card)?;
    Ok(save_parameters(out, &model)?)
}

/// Shows a run and writes its metrics.
struct Watch {
    bar: Bar,
    metrics: Metrics,
    rounds: u64,
    inverse_temperature: f64,
}

impl Watch {
    /// Rounds from `round` on will be done again.
    fn new(out: &Path, round: u64, common: &Common) -> Result<Self> {
        let stays = |line: &Value| line["round"].as_u64().is_some_and(|own| own < round);
        Ok(Self {
            bar: common.bar(),
            metrics: Metrics::open(&out.join(METRICS_FILE), stays)?,
            rounds: 0,
            inverse_temperature: 0.0,
        })
    }

    fn round(&mut self, found: &Round) {
        self.rounds = found.round + 1;
        self.inverse_temperature = found.inverse_temperature;
        let line = json!({
            "round": found.round, "step": found.step, "seconds": found.seconds,
            "inverse_temperature": found.inverse_temperature, "effective_share": found.effective_share,
            "log_z": found.log_z.value, "log_z_std_error": found.log_z.std_error,
            "bound": found.bound.value, "bound_std_error": found.bound.std_error,
            "energy": found.energy.value, "loss": found.loss, "kept": found.kept,
        });
        // A full disk must not end a run whose model may still fit.
        if let Err(error) = self.metrics.line(&line) {
            self.bar
                .note(&format!("cannot write {METRICS_FILE}: {error}"));
        }
    }
}

impl Observer for Watch {
    fn tell(&mut self, progress: &Progress) -> Control {
        if let Event::Round(found) = &progress.event {
            self.round(found);
        }
        self.bar.tell(progress)
    }
}
