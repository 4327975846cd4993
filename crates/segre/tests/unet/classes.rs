//! Networks that are told the class of a row: samples of a class, guidance, refusals.

use burn::tensor::Tensor;
use segre::InvalidSetting;
use segre::data::Dataset;
use segre::flow::FlowError;
use segre::flow::sampling::{SamplingOptions, sample, sample_with};
use segre::flow::training::{Trainer, TrainingConfig};
use segre::flow::{Denoiser, Head, ModelConfig};
use segre::learning::OptimizerConfig;
use segre::progress::Silent;

use super::common::{Recorder, device, image_schema, infinite, model_config, short_run, untrained};
use super::{host, input, largest_difference, normal, unet_model, with_classes};

/// Images of few or many ones: the class says which.
pub fn two_classes(rows: usize) -> Dataset {
    let noise = normal(rows * 16, 11);
    let labels = noise.iter().enumerate().map(|(place, z)| {
        let many = (place / 16).is_multiple_of(2);
        u16::from(*z > if many { -0.8 } else { 0.8 })
    });
    let data = Dataset::new(image_schema(4, 4, 2), labels.collect()).unwrap();
    let majority = |row: &[u16]| u16::from(row.iter().sum::<u16>() > 8);
    let classes = data.iter().map(majority).collect();
    data.with_classes(classes)
}

#[test]
fn samples_of_a_class_are_of_that_class() {
    let data = two_classes(600);
    let config = TrainingConfig {
        batch_size: 64,
        validations: 1,
        optimizer: OptimizerConfig {
            learning_rate: 3e-3,
            warmup_steps: 20,
            average_decay: 0.95,
            ..OptimizerConfig::default()
        },
        ..short_run(500)
    };
    let model = unet_model(with_classes(Some(2)));
    let mut trainer = Trainer::new(model, config, &data, &device()).unwrap();
    let validation = data.select(&(0..50).collect::<Vec<_>>());
    trainer
        .run(&data, &validation, &mut Recorder::default())
        .unwrap();
    let model = trainer.best_model().unwrap();
    let options = SamplingOptions::default();
    for (class, guidance) in [(0, 1.0), (1, 1.0), (0, 2.0), (1, 2.0)] {
        let of_class = model.of_class(class, guidance).unwrap();
        let drawn = sample_with(&of_class, &model, 200, &options, &mut Silent).unwrap();
        let right = |row: &&[u16]| usize::from(row.iter().sum::<u16>() > 8) == class;
        let share = drawn.data.iter().filter(right).count() as f64 / 200.0;
        assert!(share >= 0.9, "class {class}, guidance {guidance}: {share}");
    }
    let any = sample(&model, 400, &options, &mut Silent).unwrap();
    let many = any
        .data
        .iter()
        .filter(|row| row.iter().sum::<u16>() > 8)
        .count();
    assert!((100..300).contains(&many), "{many} of 400");
}

/// The guided context is on the line through those of any class and of the class: 0 is the one, 1 the other.
#[test]
fn guidance_goes_from_any_class_to_the_class_and_beyond() {
    let data = two_classes(40);
    let device = device();
    let trained = Trainer::new(
        unet_model(with_classes(Some(2))),
        short_run(3),
        &data,
        &device,
    );
    let mut trainer = trained.unwrap();
    trainer.run(&data, &data, &mut Recorder::default()).unwrap();
    let model = trainer.best_model().unwrap();
    let (state, level) = input(&data.schema, 3, &device);
    let logits = |posterior: Tensor<3>| host(posterior.log());
    let of_class = |guidance: f64| {
        let of_class = model.of_class(1, guidance).unwrap();
        logits(of_class.posterior_mean(state.clone(), level.clone()))
    };
    let any = logits(model.posterior_mean(state.clone(), level.clone()));
    let (zero, one, three) = (of_class(0.0), of_class(1.0), of_class(3.0));
    assert!(largest_difference(&any, &zero) < 1e-5);
    assert!(largest_difference(&any, &one) > 1e-4);
    let odds = |logits: &[f32]| -> Vec<f32> { logits.chunks(2).map(|l| l[1] - l[0]).collect() };
    let expected: Vec<f32> = odds(&zero)
        .iter()
        .zip(odds(&one))
        .map(|(zero, one)| zero + 3.0 * (one - zero))
        .collect();
    assert!(largest_difference(&odds(&three), &expected) < 1e-3);
    for (class, guidance) in [(2, 1.0), (0, -1.0), (0, f64::NAN)] {
        let error = model.of_class(class, guidance).err().unwrap();
        assert!(
            matches!(error, FlowError::Setting(InvalidSetting { .. })),
            "{error}"
        );
    }
}

#[test]
fn classes_that_cannot_be_learned_are_refused() {
    let data = two_classes(40);
    let without = data.schema.clone();
    let without = Dataset::new(without, data.labels().to_vec()).unwrap();
    let refused = |model: ModelConfig, data: &Dataset| {
        let trained = Trainer::new(model, short_run(1), data, &device());
        trained.err().unwrap().to_string()
    };
    assert!(refused(unet_model(with_classes(Some(2))), &without).contains("`labels = FILE`"));
    assert!(refused(unet_model(with_classes(Some(1))), &data).contains("class"));
    let field = model_config(Head::Field, infinite(), with_classes(Some(2)));
    assert!(refused(field, &data).contains("head"));
    let plain = untrained(unet_model(with_classes(None)), &data);
    assert!(matches!(plain.of_class(0, 1.0), Err(FlowError::NoClasses)));
}
