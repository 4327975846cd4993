//! Training: resumed runs, threads, guards; what is learned and when a run ends.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

#[path = "../common/mod.rs"]
mod common;

mod learning;

use std::collections::BTreeMap;
use std::path::Path;

use common::{
    Pmf, Recorder, cnn, dense, device, fourier_cnn, geodesic, infinite, linear, mixed,
    model_config, residual, short_run,
};
use safetensors::SafeTensors;
use segre::FileError;
use segre::InvalidSetting;
use segre::data::Dataset;
use segre::flow::FlowError;
use segre::flow::training::{
    Ending, Progress, Trainer, TrainingConfig, read_checkpoint, write_checkpoint,
};
use segre::flow::{Head, ModelConfig};
use segre::learning::LearningError;
use segre::learning::{Budget, OptimizerConfig};
use segre::network::{NetworkConfig, ResidualConfig};
use segre::run::save_parameters;

fn data() -> (Dataset, Dataset) {
    let pmf = Pmf::random(&[2, 3, 4], 1.2, 30);
    (pmf.draw(70, 1), pmf.draw(40, 2))
}

fn models() -> Vec<ModelConfig> {
    let mut models = Vec::new();
    for head in [Head::Posterior, Head::Field] {
        for path in [infinite(), geodesic()] {
            for network in [linear(), dense(), residual(), mixed(), cnn(), fourier_cnn()] {
                models.push(model_config(head, path.clone(), network));
            }
        }
    }
    models
}

fn trainer(model: &ModelConfig, config: &TrainingConfig, train: &Dataset) -> Trainer {
    Trainer::new(model.clone(), config.clone(), train, &device()).unwrap()
}

/// The tensors of a checkpoint, byte for byte: weights, moments, averages, the best parameters.
fn tensors(trainer: &Trainer, folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let path = folder.join("compared.safetensors");
    write_checkpoint(trainer, &path).unwrap();
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let tensors = file.tensors().into_iter();
    tensors
        .map(|(name, view)| (name, view.data().to_vec()))
        .collect()
}

fn assert_same(
    found: &BTreeMap<String, Vec<u8>>,
    expected: &BTreeMap<String, Vec<u8>>,
    what: &str,
) {
    assert!(found.keys().eq(expected.keys()), "{what}: other tensors");
    for (name, bytes) in expected {
        assert!(found[name] == *bytes, "{what}: {name} differs");
    }
}

/// Progress but for the time it took.
fn timeless(progress: &Progress) -> Progress {
    Progress {
        seconds: 0.0,
        ..progress.clone()
    }
}

/// Stops at steps between validations, at a validation, and in the second epoch; reads the checkpoint
/// back each time.
#[test]
fn a_resumed_run_is_the_uninterrupted_one_bit_for_bit() {
    let (train, validation) = data();
    let folder = tempfile::tempdir().unwrap();
    let config = short_run(12);
    for model in models() {
        let mut whole = trainer(&model, &config, &train);
        let mut watcher = Recorder::default();
        let ending = whole.run(&train, &validation, &mut watcher).unwrap();
        assert_eq!(ending, Ending::Budget);
        let checkpoint = folder.path().join("checkpoint.safetensors");
        let mut losses = Vec::new();
        let mut part = trainer(&model, &config, &train);
        for stop in [Some(1), None, Some(7), Some(11)] {
            let mut recorder = Recorder {
                checkpoint: Some(checkpoint.clone()),
                stop_at: stop,
                stop_at_validation: stop.is_none().then_some(2),
                ..Recorder::default()
            };
            let ending = part.run(&train, &validation, &mut recorder).unwrap();
            assert_eq!(ending, Ending::Stopped, "{model:?}");
            assert_eq!(part.progress().step, stop.unwrap_or(3), "{model:?}");
            losses.extend(recorder.losses);
            part = read_checkpoint(
                &checkpoint,
                model.clone(),
                config.clone(),
                &train,
                &device(),
            )
            .unwrap();
        }
        let mut recorder = Recorder::default();
        assert_eq!(
            part.run(&train, &validation, &mut recorder).unwrap(),
            Ending::Budget
        );
        losses.extend(recorder.losses);
        assert_eq!(losses, watcher.losses, "{model:?}");
        assert_eq!(
            timeless(part.progress()),
            timeless(whole.progress()),
            "{model:?}"
        );
        let expected = tensors(&whole, folder.path());
        assert_same(
            &tensors(&part, folder.path()),
            &expected,
            &format!("{model:?}"),
        );
        // The comparison sees all of the state.
        for kind in [
            "weights/",
            "first/",
            "second/",
            "average/",
            "kept/",
            "validation/",
        ] {
            assert!(expected.keys().any(|name| name.starts_with(kind)), "{kind}");
        }
        // And the model that a user gets is the same file.
        let files = [&whole, &part].map(|trainer| {
            save_parameters(folder.path(), &trainer.best_model().unwrap()).unwrap();
            std::fs::read(folder.path().join("model.safetensors")).unwrap()
        });
        assert!(files[0] == files[1], "{model:?}");
    }
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let (train, validation) = data();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint.safetensors");
    let model = model_config(Head::Posterior, infinite(), residual());
    let config = short_run(3);
    let mut run = trainer(&model, &config, &train);
    run.run(&train, &validation, &mut Recorder::default())
        .unwrap();
    write_checkpoint(&run, &path).unwrap();
    let read = |model: &ModelConfig, config: &TrainingConfig| {
        read_checkpoint(&path, model.clone(), config.clone(), &train, &device()).err()
    };
    assert!(read(&model, &config).is_none());
    let seed = TrainingConfig {
        seed: 6,
        ..config.clone()
    };
    assert!(matches!(
        read(&model, &seed),
        Some(FlowError::Learning(LearningError::OtherSeed {
            found: 5,
            expected: 6,
            ..
        }))
    ));
    let other = model_config(Head::Posterior, infinite(), dense());
    assert!(matches!(
        read(&other, &config),
        Some(FlowError::Learning(LearningError::ParameterMismatch { .. }))
    ));
    let whole = std::fs::read(&path).unwrap();
    for place in [0, 9, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x10;
        std::fs::write(&path, &bytes).unwrap();
        assert!(
            matches!(
                read(&model, &config),
                Some(FlowError::File(FileError::Damaged { .. }))
            ),
            "byte {place}"
        );
    }
    std::fs::write(&path, &whole[..whole.len() - 5]).unwrap();
    assert!(matches!(
        read(&model, &config),
        Some(FlowError::File(FileError::Damaged { .. }))
    ));
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let (train, validation) = data();
    let folder = tempfile::tempdir().unwrap();
    // Large enough for its matrix products to be cut into parts.
    let wide = NetworkConfig::Residual(ResidualConfig {
        hidden: 300,
        ..ResidualConfig::default()
    });
    let mut all = models();
    all.push(model_config(Head::Posterior, infinite(), wide));
    for model in all {
        let config = TrainingConfig {
            batch_size: 130,
            ..short_run(4)
        };
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap().install(|| {
                let mut run = trainer(&model, &config, &train);
                run.run(&train, &validation, &mut Recorder::default())
                    .unwrap();
                tensors(&run, folder.path())
            })
        };
        assert_same(&run(2), &run(1), &format!("{model:?}"));
    }
}

#[test]
fn another_seed_is_another_run() {
    let (train, validation) = data();
    let model = model_config(Head::Posterior, infinite(), residual());
    let losses = |seed| {
        let config = TrainingConfig {
            seed,
            ..short_run(4)
        };
        let mut recorder = Recorder::default();
        trainer(&model, &config, &train)
            .run(&train, &validation, &mut recorder)
            .unwrap();
        recorder.losses
    };
    assert_eq!(losses(1), losses(1));
    assert!(losses(1).iter().zip(losses(2)).all(|(a, b)| *a != b));
}

#[test]
fn a_run_that_breaks_down_names_the_place_and_keeps_the_last_good_model() {
    let (train, validation) = data();
    let folder = tempfile::tempdir().unwrap();
    for network in [dense(), residual(), mixed(), cnn()] {
        let model = model_config(Head::Posterior, infinite(), network);
        let config = TrainingConfig {
            optimizer: OptimizerConfig {
                learning_rate: 1e30,
                warmup_steps: 1,
                ..OptimizerConfig::default()
            },
            ..short_run(40)
        };
        let mut run = trainer(&model, &config, &train);
        let error = run
            .run(&train, &validation, &mut Recorder::default())
            .unwrap_err();
        let FlowError::Learning(LearningError::NonFiniteTraining { step, parameter }) = &error
        else {
            panic!("{model:?}: {error}");
        };
        assert!((1..40).contains(step), "{error}");
        let known = tensors(&run, folder.path());
        assert!(
            parameter == "the loss" || known.contains_key(&format!("weights/{parameter}")),
            "{error} names none of {:?}",
            known.keys()
        );
        assert!(error.to_string().contains("learning rate"), "{error}");
        save_parameters(folder.path(), &run.best_model().unwrap()).unwrap();
        let bytes = std::fs::read(folder.path().join("model.safetensors")).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        for (name, view) in file.tensors() {
            let values = view
                .data()
                .as_chunks::<4>()
                .0
                .iter()
                .map(|b| f32::from_le_bytes(*b));
            assert!(values.clone().all(f32::is_finite), "{model:?}: {name}");
        }
    }
}

/// A validation may be the first to meet the broken parameters.
#[test]
fn a_breakdown_seen_by_a_validation_is_one_of_the_training() {
    let (train, validation) = data();
    let model = model_config(Head::Posterior, infinite(), dense());
    let config = TrainingConfig {
        validations: 40,
        optimizer: OptimizerConfig {
            learning_rate: 1e30,
            warmup_steps: 1,
            ..OptimizerConfig::default()
        },
        ..short_run(40)
    };
    let mut run = trainer(&model, &config, &train);
    let error = run
        .run(&train, &validation, &mut Recorder::default())
        .unwrap_err();
    assert!(
        matches!(&error, FlowError::Learning(LearningError::NonFiniteTraining { step: 1, parameter }) if parameter.contains("validation")),
        "{error}"
    );
}

/// Equal models are equal files, however often they are written.
#[test]
fn files_are_written_alike_every_time() {
    let (train, _) = data();
    let folder = tempfile::tempdir().unwrap();
    let run = trainer(&ModelConfig::default(), &short_run(1), &train);
    let write = || {
        let path = folder.path().join("checkpoint.safetensors");
        write_checkpoint(&run, &path).unwrap();
        std::fs::read(path).unwrap()
    };
    let first = write();
    assert!((0..12).all(|_| write() == first));
}

#[test]
fn a_bad_setting_is_refused_before_the_first_step() {
    let (train, _) = data();
    let refused = |config: TrainingConfig| {
        Trainer::new(ModelConfig::default(), config, &train, &device())
            .err()
            .unwrap()
    };
    for rate in [f64::NAN, 0.0, -1.0, f64::INFINITY] {
        let optimizer = OptimizerConfig {
            learning_rate: rate,
            ..OptimizerConfig::default()
        };
        let error = refused(TrainingConfig {
            optimizer,
            ..short_run(3)
        });
        assert!(
            matches!(
                error,
                FlowError::Learning(LearningError::Setting(InvalidSetting {
                    name: "learning rate",
                    ..
                }))
            ),
            "{error}"
        );
    }
    let budget = Budget {
        steps: None,
        seconds: None,
    };
    assert!(matches!(
        refused(TrainingConfig {
            budget,
            ..short_run(3)
        }),
        FlowError::Learning(LearningError::NoBudget)
    ));
    for seconds in [f64::NAN, 0.0, -1.0] {
        let budget = Budget {
            steps: None,
            seconds: Some(seconds),
        };
        let error = refused(TrainingConfig {
            budget,
            ..short_run(3)
        });
        assert!(
            matches!(
                error,
                FlowError::Learning(LearningError::Setting(InvalidSetting { name: "time", .. }))
            ),
            "{error}"
        );
    }
}
