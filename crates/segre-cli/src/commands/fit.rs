//! `segre fit`: learns a model, with checkpoints, a training curve, samples and the test likelihood.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use segre::data::{self, DataSource};
use segre::flow::saving::{self, ModelCard, SplitConfig};
use segre::flow::training::{
    self, Control, Ending, Event, Observer, OptimizerConfig, Progress as RunProgress, Trainer,
    TrainingConfig,
};
use segre::flow::{Head, Model, ModelConfig};
use segre::network::{CnnConfig, DenseConfig, LinearConfig, NetworkConfig, ResidualConfig};
use segre::path::{EGeodesic, InfiniteTime, ProbabilityPath};
use serde::Serialize;
use serde_json::{Value, json};

use crate::args::{Accuracy, Common, Fit, HeadName, NetworkName, PathName};
use crate::interrupt;
use crate::report::curve::{Horizontal, TrainingCurve, draw_curve};
use crate::report::json::print_object;
use crate::report::progress::{Budget, Progress, Spent};
use crate::report::validation::Baseline;
use crate::session::{
    BaselineScores, Parts, check_writable, has_picture, sample_with_progress, score_with_progress,
    write_picture,
};

const CHECKPOINT_FILE: &str = "checkpoint.safetensors";
const METRICS_FILE: &str = "metrics.jsonl";
/// Between checkpoints that are not due to a validation.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(20);
/// Steps between lines of the metrics file.
const STEPS_PER_LINE: u64 = 10;
/// Samples of the picture or table at the end of a fit.
const SHOWN_SAMPLES: usize = 100;
/// Samples of the histogram of two-site data.
const HISTOGRAM_SAMPLES: usize = 20_000;

#[derive(Serialize)]
struct Report {
    steps: u64,
    seconds: f64,
    validation_bits_per_dim: Option<f64>,
    parameters: usize,
    test_bits_per_dim: f64,
    test_std_error: f64,
    baselines: BaselineScores,
    early_stop: bool,
    out: String,
}

/// Learns a model.
pub fn run(arguments: &Fit, common: &Common) -> Result<()> {
    let start = Instant::now();
    let device = common.device.open()?;
    let out = &arguments.out;
    let (card, parts, mut trainer) = match arguments.resume {
        true => resume(arguments, common, &device)?,
        false => begin(arguments, common, &device)?,
    };
    let baselines = BaselineScores::fit(&parts, &parts.validation)?;
    let mut run = Run::new(out, &card.training, &trainer, common)?;
    let ended = trainer.run(&parts.train, &parts.validation, &mut run);
    run.close();
    if ended.is_err() && trainer.progress().best_bits_per_dim.is_some() {
        saving::save_parameters(out, &trainer.best_model()?)?;
    }
    let ended = ended?;
    let model = trainer.best_model()?;
    saving::save_parameters(out, &model)?;
    draw_training(out, &card, &baselines)?;
    if ended == Ending::Stopped {
        bail!(
            "stopped at step {}; go on with: segre fit {} --out {} --resume",
            trainer.progress().step,
            card.source,
            out.display()
        );
    }
    show_samples(out, &model, &parts, &card, common)?;
    let accuracy = Accuracy {
        std_error: 0.004,
        max_rounds: 64,
    };
    let scores = score_with_progress(&model, &parts.test, &accuracy, card.training.seed, common)?;
    let test = BaselineScores::fit(&parts, &parts.test)?;
    let progress = trainer.progress();
    if common.json {
        return print_object(&Report {
            steps: progress.step,
            seconds: progress.seconds,
            validation_bits_per_dim: progress.best_bits_per_dim,
            parameters: model.parameters(),
            test_bits_per_dim: scores.bits_per_dim.value,
            test_std_error: scores.bits_per_dim.std_error,
            baselines: test,
            early_stop: ended == Ending::EarlyStop,
            out: out.display().to_string(),
        });
    }
    println!(
        "{} steps in {:.0} s ({} parameters), all in {:.0} s; best validation at step {}",
        progress.step,
        progress.seconds,
        model.parameters(),
        start.elapsed().as_secs_f64(),
        progress.best_step
    );
    println!("test part, {} rows:", parts.test.rows());
    print!("{}", test.table(scores.bits_per_dim));
    println!("model, samples and training curve are in {}", out.display());
    Ok(())
}

/// Reads data, prepares the folder and starts a run.
fn begin(
    arguments: &Fit,
    common: &Common,
    device: &segre::Device,
) -> Result<(ModelCard, Parts, Trainer)> {
    let out = &arguments.out;
    if out.exists() && !arguments.force {
        bail!(
            "{} exists; go on with --resume, replace it with --force, or choose another --out",
            out.display()
        );
    }
    let seed = common.seed.unwrap_or(0);
    let source = DataSource::parse(&arguments.data)?;
    let read_options = arguments.reading.options(seed);
    let data = data::read(&source, &read_options)?;
    let split = SplitConfig {
        seed,
        validation: arguments.validation,
        test: arguments.test,
    };
    let parts = Parts::of(&data, &split)?;
    let model = model_config(arguments, &parts);
    let training = training_config(arguments, &parts, seed);
    // Everything that can be refused is refused before the folder is touched.
    let trainer = Trainer::new(model.clone(), training.clone(), &parts.train, device)?;
    if out.exists() {
        clear(out)?;
    }
    fs::create_dir_all(out)
        .with_context(|| format!("cannot create {}; choose another --out", out.display()))?;
    check_writable(&out.join(saving::CONFIG_FILE))?;
    let card = ModelCard {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        source: source.to_string(),
        read_options,
        fingerprint: data.fingerprint(),
        split,
        model,
        training,
        schema: data.schema,
    };
    saving::save_card(out, &card)?;
    Ok((card, parts, trainer))
}

/// Removes what a former run left, and nothing else.
fn clear(out: &Path) -> Result<()> {
    ensure!(
        out.is_dir(),
        "{} is not a folder; choose another --out",
        out.display()
    );
    let empty = fs::read_dir(out)?.next().is_none();
    let ours = out.join(saving::CONFIG_FILE).is_file();
    ensure!(
        empty || ours,
        "{} is not a model folder; choose another --out",
        out.display()
    );
    for name in [
        saving::CONFIG_FILE,
        saving::MODEL_FILE,
        CHECKPOINT_FILE,
        METRICS_FILE,
        "samples.png",
        "samples.csv",
        "samples.txt",
        "samples.fasta",
        "training.png",
    ] {
        let path = out.join(name);
        if path.exists() {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Takes up the run in the folder with its own settings.
fn resume(
    arguments: &Fit,
    common: &Common,
    device: &segre::Device,
) -> Result<(ModelCard, Parts, Trainer)> {
    let out = &arguments.out;
    let mut card = saving::load_card(out)?;
    let source = DataSource::parse(&arguments.data)?.to_string();
    ensure!(
        source == card.source,
        "{} was fitted to {}, not {source}; resume with that data",
        out.display(),
        card.source
    );
    if let Some(seed) = common.seed {
        let own = card.training.seed;
        ensure!(
            seed == own,
            "the run in {} has seed {own}, not {seed}",
            out.display()
        );
    }
    let parts = Parts::of_fit(&card)?;
    let checkpoint = out.join(CHECKPOINT_FILE);
    let mut trainer = match checkpoint.is_file() {
        true => {
            let (model, training) = (card.model.clone(), card.training.clone());
            training::read_checkpoint(&checkpoint, model, training, &parts.train, device)
                .map_err(|error| anyhow::anyhow!("{error}; or start anew with --force"))?
        }
        // Killed before the first checkpoint: the beginning is where it stopped.
        false => Trainer::new(
            card.model.clone(),
            card.training.clone(),
            &parts.train,
            device,
        )?,
    };
    let mut budget = card.training.budget;
    if let Some(steps) = arguments.steps {
        budget.steps = Some(steps);
    }
    if let Some(time) = arguments.time {
        budget.seconds = Some(time.as_secs_f64());
    }
    if budget != card.training.budget {
        trainer.set_budget(budget)?;
        card.training.budget = budget;
        saving::save_card(out, &card)?;
    }
    Ok((card, parts, trainer))
}

/// The model's settings, what is not given chosen by the data.
fn model_config(arguments: &Fit, parts: &Parts) -> ModelConfig {
    let rows = parts.train.rows();
    let sites = parts.train.sites();
    let network = match arguments.network {
        NetworkName::Linear => NetworkConfig::Linear(LinearConfig::default()),
        NetworkName::Dense => {
            let width = arguments.hidden.unwrap_or(256);
            NetworkConfig::Dense(DenseConfig {
                hidden: vec![width, width],
            })
        }
        NetworkName::Cnn => {
            let default = CnnConfig::default();
            NetworkConfig::Cnn(CnnConfig {
                width: arguments.hidden.unwrap_or(default.width),
                ..default
            })
        }
        NetworkName::Residual => NetworkConfig::Residual(ResidualConfig {
            hidden: arguments
                .hidden
                .unwrap_or(if sites <= 8 { 256 } else { 512 }),
            blocks: arguments.blocks,
            site_width: None,
            // Few rows are learned by heart otherwise; many need all of the network.
            dropout: arguments.dropout.unwrap_or(match rows {
                0..5_000 => 0.3,
                5_000..20_000 => 0.1,
                _ => 0.0,
            }),
        }),
    };
    let path = match arguments.path {
        PathName::Infinite => ProbabilityPath::InfiniteTime(InfiniteTime {
            rate: arguments.rate,
            ..InfiniteTime::default()
        }),
        PathName::EGeodesic => ProbabilityPath::EGeodesic(EGeodesic::default()),
    };
    let head = match arguments.head {
        HeadName::Posterior => Head::Posterior,
        HeadName::Field => Head::Field,
    };
    ModelConfig {
        head,
        path,
        network,
    }
}

fn training_config(arguments: &Fit, parts: &Parts, seed: u64) -> TrainingConfig {
    let default = TrainingConfig::default();
    let budget = match (arguments.steps, arguments.time) {
        (None, None) => default.budget,
        (steps, time) => training::Budget {
            steps,
            seconds: time.map(|time| time.as_secs_f64()),
        },
    };
    TrainingConfig {
        seed,
        budget,
        batch_size: arguments
            .batch_size
            .unwrap_or((8192 / parts.train.sites()).clamp(128, 512)),
        optimizer: OptimizerConfig {
            learning_rate: arguments.learning_rate,
            weight_decay: arguments.weight_decay,
            ..default.optimizer
        },
        patience: arguments.patience,
        ..default
    }
}

/// Watches a run: progress, metrics, checkpoints.
struct Run {
    out: PathBuf,
    bar: Option<Progress>,
    metrics: File,
    saved: Instant,
    validation: Option<f64>,
}

impl Run {
    fn new(
        out: &Path,
        config: &TrainingConfig,
        trainer: &Trainer,
        common: &Common,
    ) -> Result<Self> {
        let budget = trainer.config().budget;
        let done = trainer.progress();
        let bar = Progress::new(
            "fit",
            Budget {
                steps: budget.steps,
                time: budget.seconds.map(Duration::from_secs_f64),
            },
            Spent {
                steps: done.step,
                time: Duration::from_secs_f64(done.seconds),
            },
            common.display(),
        );
        let metrics = open_metrics(&out.join(METRICS_FILE), done.step)?;
        debug_assert_eq!(config.seed, trainer.config().seed);
        Ok(Self {
            out: out.to_path_buf(),
            bar: Some(bar),
            metrics,
            saved: Instant::now(),
            validation: done.best_bits_per_dim,
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

    fn close(&mut self) {
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
                if step % STEPS_PER_LINE == 0 {
                    self.line(&json!({
                        "step": step, "seconds": progress.seconds, "loss": loss,
                        "gradient_norm": gradient_norm, "learning_rate": learning_rate,
                    }));
                }
                let validation = self.validation;
                if let Some(bar) = &mut self.bar {
                    bar.update(*step, || match validation {
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
                best,
            } => {
                self.validation = Some(bits_per_dim.value);
                self.line(&json!({
                    "step": step, "seconds": seconds, "mean_loss": loss,
                    "validation_bits_per_dim": bits_per_dim.value,
                    "std_error": bits_per_dim.std_error, "best": best,
                }));
            }
        }
        match (interrupt::asked(), self.saved.elapsed() >= CHECKPOINT_EVERY) {
            (true, _) => Control::Stop,
            (false, true) => Control::Save,
            (false, false) => Control::Continue,
        }
    }

    fn save(&mut self, trainer: &Trainer) -> segre::Result<()> {
        saving::save_parameters(&self.out, &trainer.best_model()?)?;
        training::write_checkpoint(trainer, &self.out.join(CHECKPOINT_FILE))?;
        self.saved = Instant::now();
        Ok(())
    }
}

/// Opens the metrics file for appending, without what was written after the checkpoint.
fn open_metrics(path: &Path, step: u64) -> Result<File> {
    let context = || format!("cannot write {}", path.display());
    let kept: String = fs::read_to_string(path)
        .unwrap_or_default()
        .lines()
        .filter(|line| {
            let value: Option<Value> = serde_json::from_str(line).ok();
            value
                .and_then(|value| value["step"].as_u64())
                .is_some_and(|found| found <= step)
        })
        .map(|line| format!("{line}\n"))
        .collect();
    saving::write_atomically(path, kept.as_bytes())?;
    OpenOptions::new()
        .append(true)
        .open(path)
        .with_context(context)
}

/// Draws the training curve from the metrics file.
fn draw_training(out: &Path, card: &ModelCard, baselines: &BaselineScores) -> Result<()> {
    let (horizontal, axis) = match card.training.budget.steps {
        Some(_) => (Horizontal::Steps, "step"),
        None => (Horizontal::Seconds, "seconds"),
    };
    let text = fs::read_to_string(out.join(METRICS_FILE)).context("cannot read the metrics")?;
    let (mut loss, mut validation) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let Ok(value) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let at = value[axis].as_f64().unwrap_or(f64::NAN);
        if let Some(bits) = value["validation_bits_per_dim"].as_f64() {
            validation.push((at, bits));
        } else if let Some(nats) = value["loss"].as_f64() {
            loss.push((at, nats));
        }
    }
    let baselines = [
        ("independent sites", baselines.independent),
        ("Chow–Liu tree", baselines.chow_liu),
    ]
    .map(|(name, bits_per_dim)| Baseline {
        name: name.to_owned(),
        bits_per_dim,
    });
    let curve = TrainingCurve {
        title: "Training",
        horizontal,
        loss_name: "loss, nats per site",
        loss: &loss,
        validation: &validation,
        baselines: &baselines,
    };
    draw_curve(&curve)?.write_png(&out.join("training.png"))
}

/// Writes samples of the new model: a picture where the data have one, a table otherwise.
fn show_samples(
    out: &Path,
    model: &Model,
    parts: &Parts,
    card: &ModelCard,
    common: &Common,
) -> Result<()> {
    let picture = has_picture(&parts.train);
    let pair = picture && parts.train.sites() == 2;
    let count = if pair {
        HISTOGRAM_SAMPLES
    } else {
        SHOWN_SAMPLES
    };
    let options = segre::flow::sampling::SamplingOptions {
        seed: card.training.seed,
        ..Default::default()
    };
    let samples = sample_with_progress(model, count, &options, common)?.data;
    if picture {
        let kept: Vec<usize> = (0..parts.test.rows().min(SHOWN_SAMPLES)).collect();
        let beside = if pair {
            parts.train.clone()
        } else {
            parts.test.select(&kept)
        };
        return write_picture(&out.join("samples.png"), &samples, Some(&beside));
    }
    let name = match data::writable(&samples.schema.layout) {
        legal if legal.contains(".fasta") => "samples.fasta",
        legal if legal.contains(".csv") => "samples.csv",
        _ => "samples.txt",
    };
    data::write(&samples, &out.join(name))?;
    Ok(())
}
