//! Time of a training step, and peak memory, of both presets of the UNet at the sizes they are for:
//! `cargo bench --manifest-path benches/speed/Cargo.toml --bench unet_step`, with `-- mnist` or `-- cityscapes` for one
//! of them.
//! It builds Segre once more and takes minutes.
//!
//! A step is everything that training does between two steps of the optimiser: draws of rows and noise, forward,
//! backward, update. Its time does not depend on the labels, which are random here. The peak is that of the whole
//! process (`VmHWM` of Linux) after each preset; the smaller one comes first.

use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use segre::data::{Dataset, Layout, Schema, Vocabulary};
use segre::flow::ModelConfig;
use segre::flow::training::{Keeper, Trainer, TrainingConfig};
use segre::learning::Budget;
use segre::network::{NetworkConfig, UnetConfig};
use segre::progress::{Control, Event};
use segre::Device;

/// A preset and what it is for.
struct Case {
    name: &'static str,
    unet: UnetConfig,
    size: [usize; 2],
    classes: usize,
    batch_size: usize,
}

fn images(case: &Case, rows: usize) -> Dataset {
    let [height, width] = case.size;
    let layout = Layout::Image {
        height,
        width,
        pad_to: None,
    };
    let names = (0..height * width)
        .map(|pixel| format!("p{pixel}"))
        .collect();
    let count = case.classes;
    let schema = Schema::shared(layout, names, Vocabulary::Integers { count });
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let labels = (0..rows * height * width).map(|_| rng.random_range(0..count) as u16);
    Dataset::new(schema, labels.collect()).expect("labels below their number")
}

/// Stops a run after some steps.
struct Steps {
    left: u64,
}

impl Keeper for Steps {
    fn tell(&mut self, event: &Event, _: &Trainer) -> segre::flow::Result<Control> {
        if matches!(event, Event::Step { .. }) {
            self.left -= 1;
        }
        Ok(match self.left {
            0 => Control::Stop,
            _ => Control::Continue,
        })
    }

    fn store(&mut self, _: &Trainer) -> segre::flow::Result<()> {
        Ok(())
    }
}

fn measure(criterion: &mut Criterion, case: &Case) {
    let (train, validation) = (images(case, 2 * case.batch_size), images(case, 1));
    let model = ModelConfig {
        network: NetworkConfig::Unet(case.unet.clone()),
        ..ModelConfig::default()
    };
    let config = TrainingConfig {
        budget: Budget {
            steps: Some(1 << 40),
            seconds: None,
        },
        batch_size: case.batch_size,
        // The first one comes before the first step, the others far later.
        validations: 1,
        validation_rows: 1,
        ..TrainingConfig::default()
    };
    let mut trainer = None;
    let mut run = |steps: u64| -> Duration {
        // Only now: a preset that is not asked for takes no memory.
        let trainer = trainer.get_or_insert_with(|| {
            let trainer = Trainer::new(model.clone(), config.clone(), &train, &Device::flex());
            let mut trainer = trainer.expect("legal settings");
            let ended = trainer.run(&train, &validation, &mut Steps { left: 1 });
            ended.expect("a first step, after the validation");
            trainer
        });
        let start = Instant::now();
        let ended = trainer.run(&train, &validation, &mut Steps { left: steps });
        ended.expect("steps without errors");
        start.elapsed()
    };
    let mut group = criterion.benchmark_group("unet_step");
    group.sampling_mode(SamplingMode::Flat);
    group.sample_size(10);
    group.warm_up_time(Duration::from_millis(1));
    group.measurement_time(Duration::from_secs(5));
    group.bench_function(case.name, |bencher| bencher.iter_custom(&mut run));
    group.finish();
    if trainer.is_some() {
        println!("{}: peak resident memory {}\n", case.name, peak_memory());
    }
}

/// The largest memory of this process so far, as the operating system writes it.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kilobytes.map_or("unknown here".into(), |kilobytes| {
        format!("{:.0} MiB", kilobytes / 1024.0)
    })
}

fn steps(criterion: &mut Criterion) {
    let cases = [
        Case {
            name: "mnist, 64 images of 28x28, 2 classes",
            unet: UnetConfig::mnist(),
            size: [28, 28],
            classes: 2,
            batch_size: 64,
        },
        Case {
            name: "cityscapes, 4 maps of 128x256, 8 classes",
            unet: UnetConfig::cityscapes(),
            size: [128, 256],
            classes: 8,
            batch_size: 4,
        },
    ];
    for case in &cases {
        measure(criterion, case);
    }
}

criterion_group!(benches, steps);
criterion_main!(benches);
