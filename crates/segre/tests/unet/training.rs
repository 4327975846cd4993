//! Training of UNets: resumed runs, learning in 32 bits and in bfloat16, mirrored rows, levels that follow the bound.

use segre::data::{DataSource, Dataset, ReadOptions, Split, read};
use segre::evaluation::baseline::{Baseline, Baselines};
use segre::flow::training::{Ending, Trainer, TrainingConfig, read_checkpoint};
use segre::flow::{Denoiser, FlowError, Head};
use segre::learning::OptimizerConfig;
use segre::network::{NetworkConfig, Precision, UnetConfig};

use super::classes::two_classes;
use super::common::{
    Recorder, device, image_schema, infinite, model_config, residual, schema, short_run, unet,
};
use super::{host, input, normal, unet_model, with_classes};

#[test]
fn a_resumed_run_is_the_uninterrupted_one_bit_for_bit() {
    let labels = normal(30 * 15, 8)
        .iter()
        .map(|z| u16::from(*z > 0.0))
        .collect();
    let data = Dataset::new(image_schema(3, 5, 2), labels).unwrap();
    let validation = data.select(&(0..10).collect::<Vec<_>>());
    let folder = tempfile::tempdir().unwrap();
    let run = |name: &str, stop_at: Option<u64>| {
        let path = folder.path().join(name);
        let mut recorder = Recorder {
            checkpoint: Some(path.clone()),
            stop_at,
            ..Recorder::default()
        };
        let device = device();
        let (model, config) = (unet_model(unet()), short_run(7));
        let mut trainer = Trainer::new(model.clone(), config.clone(), &data, &device).unwrap();
        let ending = trainer.run(&data, &validation, &mut recorder).unwrap();
        if ending == Ending::Stopped {
            let mut trainer = read_checkpoint(&path, model, config, &data, &device).unwrap();
            recorder.stop_at = None;
            trainer.run(&data, &validation, &mut recorder).unwrap();
            return (recorder.losses, trainer.best_model().unwrap());
        }
        (recorder.losses, trainer.best_model().unwrap())
    };
    let (losses, model) = run("whole", None);
    let (again, resumed) = run("parts", Some(4));
    assert_eq!(losses, again);
    assert_eq!(losses.len(), 7);
    let (points, level) = input(&data.schema, 4, &device());
    let posterior =
        |model: &segre::flow::Model| host(model.posterior_mean(points.clone(), level.clone()));
    assert_eq!(posterior(&model), posterior(&resumed));
}

/// In 32 bits, and as well with products of bfloat16 where the processor has them.
#[test]
fn a_tiny_network_learns_digits_in_200_steps() {
    let data = read(
        &DataSource::parse("digits").unwrap(),
        &ReadOptions::default(),
    )
    .unwrap();
    let split = Split::seeded(data.rows(), 0.1, 0.1, 1).unwrap();
    let (train, validation) = (data.select(&split.train), data.select(&split.validation));
    let trainer = |precision: Precision| {
        let config = TrainingConfig {
            batch_size: 64,
            validations: 1,
            precision,
            optimizer: OptimizerConfig {
                learning_rate: 3e-3,
                warmup_steps: 20,
                average_decay: 0.95,
                ..OptimizerConfig::default()
            },
            ..short_run(200)
        };
        let model = unet_model(NetworkConfig::Unet(UnetConfig::tiny()));
        Trainer::new(model, config, &train, &device())
    };
    let learn = |precision: Precision| {
        let mut recorder = Recorder::default();
        let mut trainer = trainer(precision).unwrap();
        trainer.run(&train, &validation, &mut recorder).unwrap();
        recorder.validations.last().unwrap().1
    };
    let independent = Baselines::fit(&train, &validation).unwrap().independent;
    let beside = independent.bits_per_dim(&validation);
    let single = learn(Precision::F32);
    assert!(single < beside - 0.15, "{single} beside {beside}");
    if Precision::Bf16.is_available(&device()) {
        let half = learn(Precision::Bf16);
        println!("validation {single} in 32 bits, {half} in bfloat16");
        assert!(
            half != single && (half - single).abs() < 0.02,
            "{half} beside {single}"
        );
    } else {
        assert!(matches!(
            trainer(Precision::Bf16),
            Err(FlowError::NoBfloat16)
        ));
    }
}

#[test]
fn mirrored_rows_change_training_and_need_images() {
    let labels = normal(40 * 15, 8)
        .iter()
        .map(|z| u16::from(*z > 0.0))
        .collect();
    let data = Dataset::new(image_schema(3, 5, 2), labels).unwrap();
    let losses = |flip: bool| {
        let config = TrainingConfig {
            flip,
            ..short_run(4)
        };
        let mut trainer = Trainer::new(unet_model(unet()), config, &data, &device()).unwrap();
        let mut recorder = Recorder::default();
        trainer.run(&data, &data, &mut recorder).unwrap();
        recorder.losses
    };
    assert_eq!(losses(true), losses(true));
    assert_ne!(losses(true), losses(false));
    let table = Dataset::new(schema(&[2, 3]), vec![0; 20]).unwrap();
    let config = TrainingConfig {
        flip: true,
        ..short_run(1)
    };
    let model = model_config(Head::Posterior, infinite(), residual());
    let error = Trainer::new(model, config, &table, &device())
        .err()
        .unwrap();
    assert!(error.to_string().contains("`flip`"), "{error}");
}

/// After a validation levels are drawn where its bound has its mass, in a resumed run as in a whole one.
#[test]
fn training_follows_the_bound_and_resumes() {
    let data = two_classes(200);
    let validation = two_classes(100);
    let config = TrainingConfig {
        validations: 3,
        ..short_run(24)
    };
    let trainer = || {
        let model = unet_model(with_classes(None));
        Trainer::new(model, config.clone(), &data, &device()).unwrap()
    };
    let mut watcher = Recorder::default();
    let mut whole = trainer();
    whole.run(&data, &validation, &mut watcher).unwrap();
    let shares = &whole.progress().levels;
    assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    let highest = shares.iter().copied().fold(0.0, f64::max);
    assert!(highest > 2.0 / shares.len() as f64, "{shares:?}");

    let folder = tempfile::tempdir().unwrap();
    let checkpoint = folder.path().join("checkpoint.safetensors");
    let mut recorder = Recorder {
        checkpoint: Some(checkpoint.clone()),
        stop_at: Some(13),
        ..Recorder::default()
    };
    trainer().run(&data, &validation, &mut recorder).unwrap();
    let mut losses = recorder.losses;
    let (model, device) = (unet_model(with_classes(None)), device());
    let mut part = read_checkpoint(&checkpoint, model, config.clone(), &data, &device).unwrap();
    let mut recorder = Recorder::default();
    part.run(&data, &validation, &mut recorder).unwrap();
    losses.extend(recorder.losses);
    assert_eq!(losses, watcher.losses);
    assert_eq!(&part.progress().levels, shares);
}
