//! Who watches a fit: progress bar, metrics file, checkpoints.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use segre::Control;
use segre::atomic;
use segre::flow::saving::{self, ModelCard};
use segre::flow::training::{self, Event, Observer, Progress as RunProgress, Trainer};
use segre::learning::Budget;
use segre::network::NetworkConfig;
use segre::progress::Event::Work;
use serde_json::{Value, json};

use super::{CHECKPOINT_FILE, METRICS_FILE};
use crate::args::Common;
use crate::interrupt;
use crate::report::progress::Bar;

/// Between checkpoints that are not due to a validation.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(20);
/// Steps between lines of the metrics file; a unet's are long.
const STEPS_PER_LINE: u64 = 10;

/// Watches a run: progress, metrics, checkpoints.
pub struct Run {
    out: PathBuf,
    bar: Option<Bar>,
    budget: Budget,
    metrics: File,
    steps_per_line: u64,
    saved: Instant,
    validation: Option<f64>,
}

impl Run {
    pub fn new(out: &Path, card: &ModelCard, trainer: &Trainer, common: &Common) -> Result<Self> {
        let budget = trainer.config().budget;
        let done = trainer.progress();
        let mut bar = common.bar();
        bar.show(&budget.report(done.step, done.seconds, Work), String::new);
        // A run begins with a validation: without one, what is there is of a run that was killed before its first save.
        let written = (done.validations > 0).then_some(done.step);
        let metrics = open_metrics(&out.join(METRICS_FILE), written)?;
        Ok(Self {
            out: out.to_path_buf(),
            bar: Some(bar),
            budget,
            metrics,
            steps_per_line: match card.model.network {
                NetworkConfig::Unet(_) => 1,
                _ => STEPS_PER_LINE,
            },
            saved: Instant::now(),
            validation: done.kept_bits_per_dim,
        })
    }

    fn line(&mut self, value: &Value) {
        // A full disk must not end a run whose checkpoints may still fit.
        if let Err(error) = writeln!(self.metrics, "{value}")
            && let Some(bar) = &mut self.bar
        {
            bar.note(&format!("cannot write {METRICS_FILE}: {error}"));
        }
    }

    pub fn close(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish("training has ended");
        }
    }
}

impl Observer for Run {
    fn event(&mut self, event: &Event, progress: &RunProgress) -> Control {
        match event {
            Event::Step {
                step,
                loss,
                gradient_norm,
                learning_rate,
            } => {
                if step % self.steps_per_line == 0 {
                    self.line(&json!({
                        "step": step, "seconds": progress.seconds, "loss": loss,
                        "gradient_norm": gradient_norm, "learning_rate": learning_rate,
                    }));
                }
                let validation = self.validation;
                if let Some(bar) = &mut self.bar {
                    let told = self.budget.report(*step, progress.seconds, Work);
                    bar.show(&told, || match validation {
                        Some(bits) => format!("loss {loss:.4}, validation {bits:.4} bits/dim"),
                        None => format!("loss {loss:.4}"),
                    });
                }
            }
            Event::Validation {
                step,
                seconds,
                loss,
                bits_per_dim,
                kept,
            } => {
                self.validation = Some(bits_per_dim.value);
                self.line(&json!({
                    "step": step, "seconds": seconds, "mean_loss": loss,
                    "validation_bits_per_dim": bits_per_dim.value,
                    "std_error": bits_per_dim.std_error, "kept": kept,
                }));
            }
        }
        match (interrupt::asked(), self.saved.elapsed() >= CHECKPOINT_EVERY) {
            (true, _) => Control::Stop,
            (false, true) => Control::Save,
            (false, false) => Control::Continue,
        }
    }

    fn save(&mut self, trainer: &Trainer) -> segre::flow::Result<()> {
        saving::save_parameters(&self.out, &trainer.best_model()?)?;
        training::write_checkpoint(trainer, &self.out.join(CHECKPOINT_FILE))?;
        self.saved = Instant::now();
        Ok(())
    }
}

/// Opens the metrics file for appending, without what was written after the checkpoint.
fn open_metrics(path: &Path, step: Option<u64>) -> Result<File> {
    let context = || format!("cannot write {}", path.display());
    let kept: String = fs::read_to_string(path)
        .unwrap_or_default()
        .lines()
        .filter(|line| {
            let value: Option<Value> = serde_json::from_str(line).ok();
            value
                .and_then(|value| value["step"].as_u64())
                .is_some_and(|found| Some(found) <= step)
        })
        .map(|line| format!("{line}\n"))
        .collect();
    atomic::write_bytes(path, kept.as_bytes())?;
    OpenOptions::new()
        .append(true)
        .open(path)
        .with_context(context)
}
