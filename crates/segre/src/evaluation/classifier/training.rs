//! The training of a classifier: Adam on the cross-entropy, the averaged parameters at the end.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData, activation};

use super::network::ClassifierNetwork;
use super::{Classifier, ClassifierCard, image_of, images};
use crate::data::DataError;
use crate::data::Dataset;
use crate::evaluation::error::Result;
use crate::learning::parameters;
use crate::learning::{DataOrder, Optimizer, OptimizerConfig};
use crate::progress::{Observer, Progress};
use crate::random::{Purpose, generator};
use crate::setting::InvalidSetting;

/// Times that every row is seen, and the least number of steps for few rows.
const EPOCHS: usize = 3;
const LEAST_STEPS: usize = 300;
const BATCH: usize = 64;

/// Settings of a classifier's training. A run repeats exactly, for any number of threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassifierConfig {
    /// Seed of initial parameters and data order.
    pub seed: u64,
    /// Steps of training.
    pub steps: u64,
    /// Rows per step.
    pub batch_size: usize,
}

impl ClassifierConfig {
    /// Three epochs of 64 rows a step, at least 300 steps.
    pub fn for_rows(rows: usize, seed: u64) -> Self {
        Self {
            seed,
            steps: (EPOCHS * rows).div_ceil(BATCH).max(LEAST_STEPS) as u64,
            batch_size: BATCH,
        }
    }

    fn validate(&self) -> Result<()> {
        for (name, value) in [
            ("steps", self.steps as f64),
            ("batch size", self.batch_size as f64),
        ] {
            if value < 1.0 {
                return Err(InvalidSetting {
                    name,
                    value,
                    expected: "at least 1",
                }
                .into());
            }
        }
        Ok(())
    }
}

impl Classifier {
    /// Trains a classifier on rows with classes, which `names` says how to write.
    ///
    /// Learning rate 0.001 with warm-up and cosine decay; the kept parameters are a moving average.
    ///
    /// # Errors
    /// [`DataError::NotAnImage`] for other data, [`DataError::BadClasses`] if the rows have no classes, or fewer
    /// than two, or one beyond the names, [`DataError::NoRows`], [`InvalidSetting`],
    /// [`LearningError::NonFiniteTraining`](crate::learning::LearningError::NonFiniteTraining), [`Interrupted`](crate::Interrupted).
    pub fn train(
        train: &Dataset,
        names: &[String],
        config: ClassifierConfig,
        device: &Device,
        observer: &mut dyn Observer,
    ) -> Result<Self> {
        config.validate()?;
        let classes = check_classes(train, names)?;
        let (image, categories) = image_of(&train.schema)?;
        let card = ClassifierCard {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            image,
            categories,
            classes: names.to_vec(),
            rows: train.rows(),
            fingerprint: fingerprint(train, classes),
            seed: config.seed,
            steps: config.steps,
            batch_size: config.batch_size,
        };
        let gradients_on = device.clone().autodiff();
        let mut rng = generator(config.seed, Purpose::Classifier, 0);
        let mut network = ClassifierNetwork::new(card.sizes(), &mut rng, &gradients_on);
        let settings = OptimizerConfig::default();
        let mut optimizer = Optimizer::new(settings.clone());
        let mut order = DataOrder::new(config.seed, train.rows(), config.batch_size);
        Progress::pieces("classifier", "step", 0, config.steps as usize).tell(observer)?;
        for step in 0..config.steps {
            let rows = order.rows(step);
            let drawn: Vec<&[u16]> = rows.iter().map(|row| train.row(*row)).collect();
            let (_, logits) = network.forward(images(&drawn, image, categories, &gradients_on));
            let known = rows.iter().map(|row| classes[*row]);
            let loss = cross_entropy(logits, known, names.len());
            let gradients = parameters::gradients(&loss, &network);
            let done = step as f64 / config.steps as f64;
            let rate = settings.learning_rate_at(step, done);
            network = optimizer.step(network, gradients, step, rate)?.0;
            let (step, steps) = (step as usize + 1, config.steps as usize);
            Progress::pieces("classifier", "step", step, steps).tell(observer)?;
        }
        let averages = optimizer.averages(&parameters::collect(&network));
        Ok(Self {
            network: parameters::replace(network.valid(), &averages)?,
            card,
            device: device.clone(),
        })
    }

    /// Whether it was trained on exactly these rows and classes.
    pub fn was_trained_on(&self, rows: &Dataset) -> bool {
        let found = rows.classes().map(|classes| fingerprint(rows, classes));
        found == Some(self.card.fingerprint)
    }
}

/// Mean of `−ln p(class)`.
fn cross_entropy(logits: Tensor<2>, classes: impl Iterator<Item = u16>, count: usize) -> Tensor<1> {
    let rows = logits.dims()[0];
    let mut known = vec![0.0_f32; rows * count];
    for (known, class) in known.chunks_exact_mut(count).zip(classes) {
        known[usize::from(class)] = 1.0;
    }
    let known = Tensor::from_data(TensorData::new(known, [rows, count]), &logits.device());
    (activation::log_softmax(logits, 1) * known).sum() * (-1.0 / rows as f64)
}

fn check_classes<'a>(train: &'a Dataset, names: &[String]) -> Result<&'a [u16]> {
    let refuse = |problem, remedy| Err(DataError::BadClasses { problem, remedy }.into());
    let Some(classes) = train.classes() else {
        return refuse("the data have none", "give them with `labels = FILE`");
    };
    let Some(first) = classes.first() else {
        return Err(DataError::NoRows.into());
    };
    if classes
        .iter()
        .any(|class| usize::from(*class) >= names.len())
    {
        return refuse("a row has a class without a name", "name all classes");
    }
    if classes.iter().all(|class| class == first) {
        return refuse("all training rows have the same one", "give other labels");
    }
    Ok(classes)
}

/// Checksum (CRC-32) of rows and classes.
fn fingerprint(rows: &Dataset, classes: &[u16]) -> u32 {
    let mut checksum = flate2::Crc::new();
    for label in rows.labels().iter().chain(classes) {
        checksum.update(&label.to_le_bytes());
    }
    checksum.sum()
}
