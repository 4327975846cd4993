//! Who keeps a run of a model of data: writes its log and its checkpoints, and passes on what happens.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::error::Result;
use super::folder::{CHECKPOINT_FILE, METRICS_FILE, MODEL_FILE};
use super::metrics::Metrics;
use crate::flow::training::{self, Keeper, Trainer};
use crate::flow::{self, saving};
use crate::learning::Budget;
use crate::network::NetworkConfig;
use crate::progress::{Control, Event, Observer};

/// Between checkpoints that are not due to a validation.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(20);
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
        let stays = |line: &Value| line["step"].as_u64().is_some_and(|at| Some(at) <= written);
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
    fn tell(&mut self, event: &Event, run: &training::Progress) -> Control {
        let written = self.folder.as_mut().and_then(|kept| kept.log(event).err());
        if let Some(error) = written {
            let notice = Event::Notice(format!("cannot write {METRICS_FILE}: {error}"));
            self.tell_observer(notice, run);
        }
        let due = |kept: &Kept| kept.saved.elapsed() >= CHECKPOINT_EVERY;
        match self.tell_observer(event.clone(), run) {
            Control::Stop => Control::Stop,
            _ if self.folder.as_ref().is_some_and(due) => Control::Save,
            _ => Control::Continue,
        }
    }

    fn store(&mut self, trainer: &Trainer) -> flow::Result<()> {
        let Some(kept) = &mut self.folder else {
            return Ok(());
        };
        saving::write_parameters(&kept.path.join(MODEL_FILE), &trainer.best_model()?)?;
        training::write_checkpoint(trainer, &kept.path.join(CHECKPOINT_FILE))?;
        kept.saved = Instant::now();
        Ok(())
    }
}

impl Kept<'_> {
    fn log(&mut self, event: &Event) -> std::io::Result<()> {
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
            _ => Ok(()),
        }
    }
}
