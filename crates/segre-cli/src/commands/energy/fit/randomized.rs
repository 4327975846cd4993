//! Fitting a randomised assignment flow: its folder, its progress, its end.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use segre::data::Schema;
use segre::energy::EnergyModel;
use segre::progress::{Control, Event, Observer, Progress};
use segre::randomized::{
    Ending, Objective, RandomizedConfig, RandomizedError, Target, Trainer, TrainingConfig, saving,
    schema_of,
};
use segre::run::{
    CHECKPOINT_FILE, Kind, METRICS_FILE, MODEL_FILE, Metrics, RandomizedCard, create_folder,
    load_randomized_card, refuse_existing, save_randomized_card,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::Fit;
use super::samples::{Found, Wanted, default_count, samples};
use crate::args::Common;
use crate::interrupt;
use crate::report::json::print_object;
use crate::report::progress::Bar;

/// Between checkpoints.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(20);

#[derive(Serialize)]
struct Report {
    steps: u64,
    seconds: f64,
    /// Of the last steps: nats.
    loss: f64,
    parameters: usize,
    objective: Objective,
    samples_from: Option<String>,
    samples: usize,
    out: String,
}

/// Fits or goes on.
pub fn run(arguments: &Fit, common: &Common) -> Result<()> {
    let (energy, grid) = arguments.load()?;
    let seed = common.seed.unwrap_or(0);
    let (card, mut trainer, found) = match arguments.resume {
        true => resume(arguments, &energy, common)?,
        false => {
            let schema = schema_of(&energy, grid.as_ref())?;
            let (model, training) = configs(arguments, &schema, common.seed)?;
            let trainer = Trainer::new(
                model.clone(),
                training.clone(),
                schema.clone(),
                Some(&energy),
            )?;
            refuse_existing(&arguments.out, arguments.force)?;
            let found = match training.objective.needs_samples() {
                true => Some(samples(
                    &energy,
                    &schema,
                    &wanted(arguments, &energy, seed),
                    common,
                )?),
                false => None,
            };
            let card = RandomizedCard {
                kind: Kind::Randomized,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                source: arguments.model.clone(),
                samples_from: found.as_ref().map(|found| found.from.clone()),
                samples: found.as_ref().map_or(0, |found| found.data.rows()),
                model,
                training,
                schema,
            };
            create_folder(&arguments.out)?;
            save_randomized_card(&arguments.out, &card)?;
            (card, trainer, found)
        }
    };
    let target = Target {
        samples: found.as_ref().map(|found| &found.data),
        energy: Some(&energy),
    };
    let (ending, loss) = train(&mut trainer, target, &arguments.out, common)?;
    let (steps, seconds) = trainer.progress();
    if ending == Ending::Stopped {
        bail!(
            "stopped at step {steps}; go on with: segre energy fit {} --out {} --resume",
            card.source,
            arguments.out.display()
        );
    }
    let report = Report {
        steps,
        seconds,
        loss,
        parameters: trainer.averaged_model().parameters(),
        objective: card.training.objective,
        samples_from: card.samples_from,
        samples: card.samples,
        out: arguments.out.display().to_string(),
    };
    if common.json {
        return print_object(&report);
    }
    println!(
        "{steps} steps in {seconds:.0} s ({} parameters), loss {loss:.4} nats; model in {}",
        report.parameters, report.out
    );
    println!(
        "how good it is: segre energy compare {} {}",
        card.source, report.out
    );
    Ok(())
}

fn wanted<'a>(arguments: &'a Fit, energy: &EnergyModel, seed: u64) -> Wanted<'a> {
    let count = arguments.samples;
    Wanted {
        from: arguments.samples_from.as_deref(),
        count: count.unwrap_or_else(|| default_count(energy.variables())),
        memory: arguments.memory,
        seed,
    }
}

/// The settings of the flow and of its training.
fn configs(
    arguments: &Fit,
    schema: &Schema,
    seed: Option<u64>,
) -> Result<(RandomizedConfig, TrainingConfig)> {
    let (model, training) = arguments.randomized_recipe(seed).resolve(schema);
    training.validate()?;
    if !training.objective.needs_samples() {
        ensure!(
            arguments.samples_from.is_none() && arguments.samples.is_none(),
            "the reverse objective needs no samples; leave --samples and --samples-from out"
        );
    }
    Ok((model, training))
}

/// Takes up the run in the folder with its own settings.
fn resume(
    arguments: &Fit,
    energy: &EnergyModel,
    common: &Common,
) -> Result<(RandomizedCard, Trainer, Option<Found>)> {
    let out = &arguments.out;
    let mut card = load_randomized_card(out)?;
    ensure!(
        arguments.model == card.source,
        "{} was fitted to {}, not {}; resume with that model",
        out.display(),
        card.source,
        arguments.model
    );
    let others = [
        ("--objective", arguments.objective.is_some()),
        ("--settings", arguments.settings.is_some()),
        ("--samples-from", arguments.samples_from.is_some()),
        ("--samples", arguments.samples.is_some()),
        ("--draws", arguments.draws.is_some()),
        ("--rank", arguments.rank.is_some()),
        ("--end-time", arguments.end_time.is_some()),
        ("--learning-rate", arguments.learning_rate.is_some()),
        ("--seed", common.seed.is_some()),
    ];
    for (option, given) in others {
        ensure!(
            !given,
            "a run goes on with its own settings; leave {option} out, or start anew with --force"
        );
    }
    let budget = &mut card.training.budget;
    if let Some(steps) = arguments.steps {
        budget.steps = Some(steps);
    }
    if let Some(time) = arguments.time {
        budget.seconds = Some(time.as_secs_f64());
    }
    let (model, training, schema) = (
        card.model.clone(),
        card.training.clone(),
        card.schema.clone(),
    );
    let checkpoint = out.join(CHECKPOINT_FILE);
    let trainer = match checkpoint.is_file() {
        true => saving::read_checkpoint(&checkpoint, model, training, schema)?,
        // Stopped before the first checkpoint: the beginning is where it stopped.
        false => Trainer::new(model, training, schema, Some(energy))?,
    };
    let found = match &card.samples_from {
        None => None,
        Some(from) => {
            let wanted = Wanted {
                from: Some(from),
                count: card.samples,
                memory: arguments.memory,
                seed: card.training.seed,
            };
            Some(samples(energy, &card.schema, &wanted, common)?)
        }
    };
    save_randomized_card(out, &card)?;
    Ok((card, trainer, found))
}

/// Trains with progress, metrics and checkpoints; returns the mean loss of the last steps.
fn train(
    trainer: &mut Trainer,
    target: Target,
    out: &Path,
    common: &Common,
) -> Result<(Ending, f64)> {
    let (done, _) = trainer.progress();
    let stays = |line: &Value| line["step"].as_u64().is_some_and(|step| step <= done);
    let metrics = Metrics::open(&out.join(METRICS_FILE), stays)?;
    let mut watch = Watch {
        bar: common.bar(),
        metrics,
        mean: None,
    };
    let mut saved = Instant::now();
    let mut keep = |trainer: &Trainer| {
        if saved.elapsed() >= CHECKPOINT_EVERY {
            store(trainer, out)?;
            saved = Instant::now();
        }
        Ok(())
    };
    let ended = trainer.run(target, &mut keep, &mut watch);
    watch.bar.finish("training has ended");
    // What is there is kept, also when a step has failed.
    store(trainer, out)?;
    Ok((ended?, watch.mean.unwrap_or(f64::NAN)))
}

fn store(trainer: &Trainer, out: &Path) -> Result<(), RandomizedError> {
    saving::write_parameters(&out.join(MODEL_FILE), &trainer.averaged_model())?;
    saving::write_checkpoint(trainer, &out.join(CHECKPOINT_FILE))
}

/// Shows a run and writes its metrics.
struct Watch {
    bar: Bar,
    metrics: Metrics,
    /// Loss of the last steps.
    mean: Option<f64>,
}

impl Observer for Watch {
    fn tell(&mut self, progress: &Progress) -> Control {
        let Event::Step {
            step,
            seconds,
            loss,
            ..
        } = progress.event
        else {
            return self.bar.tell(progress);
        };
        let smooth = self.mean.map_or(loss, |mean| mean + 0.02 * (loss - mean));
        self.mean = Some(smooth);
        if step % 10 == 0 {
            let line = json!({ "step": step, "seconds": seconds, "loss": smooth });
            if let Some(Event::Notice(words)) = self.metrics.line(&line) {
                self.bar.note(&words);
            }
        }
        self.bar.show(progress, || format!("loss {smooth:.4}"));
        interrupt::control()
    }
}
