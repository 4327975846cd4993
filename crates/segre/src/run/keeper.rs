//! Who keeps a run of a model of data: writes its log and its checkpoints, and passes on what happens.

use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};

use super::error::Result;
use super::folder::{CHECKPOINT_EVERY, CHECKPOINT_FILE, METRICS_FILE, MODEL_FILE};
use super::metrics::Metrics;
use crate::flow::training::{self, Keeper, Trainer};
use crate::flow::{self, saving};
use crate::learning::Budget;
use crate::network::NetworkConfig;
use crate::progress::{Control, Event, Observer};

/// Steps between lines of the log; a unet's are long.
const STEPS_PER_LINE: u64 = 10;

/// Keeps a run in a folder, or in memory alone.
pub(super) struct RunKeeper<'a> {
    folder: Option<Kept<'a>>,
    budget: Budget,
    observer: &'a mut dyn Observer,
}

struct Kept<'a> {
    path: &'a Path,
    metrics: Metrics,
    steps_per_line: u64,
    saved: Instant,
}

impl<'a> RunKeeper<'a> {
    pub fn new(
        folder: Option<&'a Path>,
        trainer: &Trainer,
        network: &NetworkConfig,
        observer: &'a mut dyn Observer,
    ) -> Result<Self> {
        let done = trainer.progress();
        // A run begins with a validation: without one, what is there is of a run that was killed before its first save.
        let written = (done.validations > 0).then_some(done.step);
        // Stored after a step and not after the validation that follows it, the run does that validation again.
        let validated = done.loss_count == 0;
        let stays = |line: &Value| {
            let is_step = line.get("validation_bits_per_dim").is_none();
            line["step"].as_u64().is_some_and(|at| {
                Some(at) < written || Some(at) == written && (validated || is_step)
            })
        };
        let open = |path: &'a Path| -> Result<Kept<'a>> {
            Ok(Kept {
                path,
                metrics: Metrics::open(&path.join(METRICS_FILE), stays)?,
                steps_per_line: match network {
                    NetworkConfig::Unet(_) => 1,
                    _ => STEPS_PER_LINE,
                },
                saved: Instant::now(),
            })
        };
        Ok(Self {
            folder: folder.map(open).transpose()?,
            budget: trainer.config().budget,
            observer,
        })
    }

    fn tell_observer(&mut self, event: Event, run: &training::Progress) -> Control {
        let told = self.budget.report(run.step, run.seconds, event);
        self.observer.tell(&told)
    }
}

impl Keeper for RunKeeper<'_> {
    fn tell(&mut self, event: &Event, trainer: &Trainer) -> flow::Result<Control> {
        let run = trainer.progress();
        if let Some(notice) = self.folder.as_mut().and_then(|kept| kept.log(event)) {
            self.tell_observer(notice, run);
        }
        let control = self.tell_observer(event.clone(), run);
        // After a validation, and when it is stopped, the run is stored anyway.
        let between = matches!(event, Event::Step { .. }) && control == Control::Continue;
        if let Some(kept) = &mut self.folder
            && between
            && kept.saved.elapsed() >= CHECKPOINT_EVERY
        {
            kept.store(trainer)?;
        }
        Ok(control)
    }

    fn store(&mut self, trainer: &Trainer) -> flow::Result<()> {
        match &mut self.folder {
            Some(kept) => kept.store(trainer),
            None => Ok(()),
        }
    }
}

impl Kept<'_> {
    fn store(&mut self, trainer: &Trainer) -> flow::Result<()> {
        saving::write_parameters(&self.path.join(MODEL_FILE), &trainer.best_model()?)?;
        training::write_checkpoint(trainer, &self.path.join(CHECKPOINT_FILE))?;
        self.saved = Instant::now();
        Ok(())
    }

    /// Writes a line of the events that have one; what there is to be told if that fails.
    fn log(&mut self, event: &Event) -> Option<Event> {
        match event {
            Event::Step {
                step,
                seconds,
                loss,
                gradient_norm,
                learning_rate,
            } if step % self.steps_per_line == 0 => self.metrics.line(&json!({
                "step": step, "seconds": seconds, "loss": loss,
                "gradient_norm": gradient_norm, "learning_rate": learning_rate,
            })),
            Event::Validation {
                step,
                seconds,
                loss,
                bits_per_dim,
                kept,
            } => self.metrics.line(&json!({
                "step": step, "seconds": seconds, "mean_loss": loss,
                "validation_bits_per_dim": bits_per_dim.value,
                "std_error": bits_per_dim.std_error, "kept": kept,
            })),
            _ => None,
        }
    }
}
