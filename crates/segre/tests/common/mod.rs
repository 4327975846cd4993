//! Small known distributions, their data sets, and models with settings to test with.

#![allow(dead_code, reason = "each test binary uses its own part of this file")]
#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

use burn::tensor::Device;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use segre::Control;
use segre::data::{Dataset, Layout, Schema, Site, Vocabulary};
use segre::flow::likelihood::EnumeratedPosterior;
use segre::flow::training::{Keeper, Trainer, TrainingConfig, write_checkpoint};
use segre::flow::{Head, Model, ModelConfig};
use segre::learning::{Budget, OptimizerConfig};
use segre::network::{
    CnnConfig, DenseConfig, LinearConfig, NetworkConfig, Precision, ResidualConfig,
    TimeEmbeddingConfig, UnetConfig,
};
use segre::path::{EGeodesic, GaussianPath, InfiniteTime, ProbabilityPath};
use segre::progress::Event;
use std::path::PathBuf;

/// A generator for the choices of a test.
pub fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// A table whose columns have vocabularies of their own: words, so without an order.
pub fn schema(cardinalities: &[usize]) -> Schema {
    let site = |vocabulary: usize| Site {
        name: format!("s{vocabulary}"),
        vocabulary,
    };
    let words = |count: &usize| Vocabulary::Words {
        categories: (0..*count).map(|label| format!("w{label}")).collect(),
    };
    let vocabularies = cardinalities.iter().map(words).collect();
    Schema::new(
        Layout::Table,
        (0..cardinalities.len()).map(site).collect(),
        vocabularies,
    )
}

/// Sites that share one ordered vocabulary.
pub fn shared_schema(sites: usize, count: usize) -> Schema {
    let names = (0..sites).map(|site| format!("s{site}")).collect();
    Schema::shared(Layout::Sequence, names, Vocabulary::Integers { count })
}

/// A distribution by the probabilities of its configurations, the last site fastest.
#[derive(Clone, Debug)]
pub struct Pmf {
    pub cardinalities: Vec<usize>,
    pub probabilities: Vec<f64>,
}

impl Pmf {
    pub fn new(cardinalities: &[usize], weights: Vec<f64>) -> Self {
        assert_eq!(weights.len(), cardinalities.iter().product::<usize>());
        let total: f64 = weights.iter().sum();
        Self {
            cardinalities: cardinalities.to_vec(),
            probabilities: weights.iter().map(|w| w / total).collect(),
        }
    }

    /// Log weights are normal with the given deviation: all sites depend on each other.
    pub fn random(cardinalities: &[usize], deviation: f64, seed: u64) -> Self {
        let count = cardinalities.iter().product();
        let weight = |z: f64| (deviation * z).exp();
        let normal = StandardNormal.sample_iter(rng(seed)).take(count);
        Self::new(cardinalities, normal.map(weight).collect())
    }

    /// Independent sites with the given marginals.
    pub fn independent(marginals: &[Vec<f64>]) -> Self {
        let cardinalities: Vec<usize> = marginals.iter().map(Vec::len).collect();
        let weights = marginals.iter().fold(vec![1.0], |joint, own| {
            let each = |p: &f64| own.iter().map(|q| p * q).collect::<Vec<f64>>();
            joint.iter().flat_map(each).collect()
        });
        Self::new(&cardinalities, weights)
    }

    /// Two bits that are mostly equal (EG Fig. 1).
    pub fn coupled() -> Self {
        Self::new(&[2, 2], vec![0.45, 0.05, 0.05, 0.45])
    }

    pub fn row(&self, index: usize) -> Vec<u16> {
        let mut rest = index;
        let mut row = vec![0; self.cardinalities.len()];
        for (label, own) in row.iter_mut().zip(&self.cardinalities).rev() {
            *label = (rest % own) as u16;
            rest /= own;
        }
        row
    }

    pub fn index(&self, row: &[u16]) -> usize {
        let pairs = row.iter().zip(&self.cardinalities);
        pairs.fold(0, |index, (label, own)| index * own + usize::from(*label))
    }

    /// Nats.
    pub fn entropy(&self) -> f64 {
        self.cross_entropy(self)
    }

    /// `−Σ_β P(β) log Q(β)` in nats.
    pub fn cross_entropy(&self, other: &Self) -> f64 {
        let pairs = self.probabilities.iter().zip(&other.probabilities);
        -pairs.map(|(p, q)| p * q.ln()).sum::<f64>()
    }

    /// The factorising distribution with the same marginals.
    pub fn marginals(&self) -> Vec<Vec<f64>> {
        let mut marginals: Vec<Vec<f64>> =
            self.cardinalities.iter().map(|c| vec![0.0; *c]).collect();
        for (index, p) in self.probabilities.iter().enumerate() {
            for (own, label) in marginals.iter_mut().zip(self.row(index)) {
                own[usize::from(label)] += p;
            }
        }
        marginals
    }

    /// Each configuration once, in order.
    pub fn every_row(&self) -> Dataset {
        let labels = (0..self.probabilities.len()).flat_map(|index| self.row(index));
        Dataset::new(schema(&self.cardinalities), labels.collect()).unwrap()
    }

    /// Every configuration `rows · p` times, rounded.
    pub fn in_proportion(&self, rows: usize) -> Dataset {
        let copies = |p: &f64| (p * rows as f64).round() as usize;
        let counts = self.probabilities.iter().map(copies);
        let indices: Vec<usize> = counts
            .enumerate()
            .flat_map(|(index, count)| std::iter::repeat_n(index, count))
            .collect();
        self.every_row().select(&indices)
    }

    /// Independent draws.
    pub fn draw(&self, rows: usize, seed: u64) -> Dataset {
        let mut rng = rng(seed);
        let mut draw = |_| {
            let mut rest: f64 = rng.random();
            let position = self.probabilities.iter().position(|p| {
                rest -= p;
                rest < 0.0
            });
            position.unwrap_or(self.probabilities.len() - 1)
        };
        let indices: Vec<usize> = (0..rows).map(&mut draw).collect();
        self.every_row().select(&indices)
    }

    /// The mean over configurations of one number each, weighted by their probabilities.
    pub fn mean(&self, values: impl Iterator<Item = f64>) -> f64 {
        self.probabilities
            .iter()
            .zip(values)
            .map(|(p, v)| p * v)
            .sum()
    }

    /// The plug-in `KL(samples ‖ pmf)` in nats.
    pub fn divergence(&self, samples: &Dataset) -> f64 {
        let mut counts = vec![0.0; self.probabilities.len()];
        for row in samples.iter() {
            counts[self.index(row)] += 1.0 / samples.rows() as f64;
        }
        let terms = counts.iter().zip(&self.probabilities);
        terms
            .filter(|(f, _)| **f > 0.0)
            .map(|(f, p)| f * (f / p).ln())
            .sum()
    }

    /// What [`divergence`](Self::divergence) may be for a perfect sampler: `2 N KL` has a χ²
    /// distribution; its mean and four deviations.
    pub fn divergence_limit(&self, samples: usize) -> f64 {
        let freedom = (self.probabilities.len() - 1) as f64;
        (freedom + 4.0 * (2.0 * freedom).sqrt()) / (2.0 * samples as f64)
    }

    pub fn posterior(&self) -> EnumeratedPosterior {
        EnumeratedPosterior::new(&self.cardinalities, &self.probabilities, &device())
    }
}

pub fn infinite() -> GaussianPath {
    GaussianPath::InfiniteTime(InfiniteTime::default())
}

pub fn geodesic() -> GaussianPath {
    GaussianPath::EGeodesic(EGeodesic::default())
}

pub fn linear() -> NetworkConfig {
    NetworkConfig::Linear(LinearConfig {})
}

pub fn dense() -> NetworkConfig {
    NetworkConfig::Dense(DenseConfig {
        hidden: vec![16, 12],
    })
}

pub fn residual() -> NetworkConfig {
    NetworkConfig::Residual(ResidualConfig {
        hidden: 24,
        blocks: 2,
        site_width: None,
        components: 0,
        affinity: false,
        dropout: 0.3,
    })
}

/// The residual network with a mixture of products beside it.
pub fn mixed() -> NetworkConfig {
    NetworkConfig::Residual(ResidualConfig {
        hidden: 24,
        components: 3,
        ..ResidualConfig::default()
    })
}

/// A network that learns a small distribution in a few seconds, see [`learning_run`].
pub fn learner() -> NetworkConfig {
    NetworkConfig::Residual(ResidualConfig {
        hidden: 64,
        dropout: 0.0,
        ..ResidualConfig::default()
    })
}

pub fn learning_run() -> TrainingConfig {
    TrainingConfig {
        batch_size: 128,
        validation_rows: 200,
        optimizer: OptimizerConfig {
            learning_rate: 3e-3,
            ..OptimizerConfig::default()
        },
        ..short_run(1500)
    }
}

pub fn cnn() -> NetworkConfig {
    NetworkConfig::Cnn(CnnConfig {
        width: 8,
        time_embedding: TimeEmbeddingConfig::Bounded { frequencies: 3 },
    })
}

pub fn fourier_cnn() -> NetworkConfig {
    NetworkConfig::Cnn(CnnConfig {
        width: 8,
        time_embedding: TimeEmbeddingConfig::Fourier { scale: 1.0 },
    })
}

/// An image of one vocabulary.
pub fn image_schema(height: usize, width: usize, count: usize) -> Schema {
    let names = (0..height * width).map(|site| format!("p{site}")).collect();
    let layout = Layout::Image {
        height,
        width,
        pad_to: None,
    };
    Schema::shared(layout, names, Vocabulary::Integers { count })
}

/// All parts of a UNet, as small as can be.
pub fn unet() -> NetworkConfig {
    NetworkConfig::Unet(UnetConfig {
        channels: 4,
        multipliers: vec![1, 2],
        blocks: 1,
        attention: vec![2],
        heads: 2,
        dropout: 0.2,
        classes: None,
    })
}

pub fn model_config(
    head: Head,
    path: impl Into<ProbabilityPath>,
    network: NetworkConfig,
) -> ModelConfig {
    ModelConfig {
        head,
        path: path.into(),
        network,
        ..ModelConfig::default()
    }
}

/// A short run of the given number of steps.
pub fn short_run(steps: u64) -> TrainingConfig {
    TrainingConfig {
        conditional: false,
        flip: false,
        precision: Precision::F32,
        seed: 5,
        budget: Budget {
            steps: Some(steps),
            seconds: None,
        },
        batch_size: 16,
        optimizer: OptimizerConfig {
            warmup_steps: 3,
            ..OptimizerConfig::default()
        },
        validations: 4,
        validation_rows: 64,
        patience: 100,
    }
}

/// A model that has learned nothing but the marginals of `train`.
pub fn untrained(config: ModelConfig, train: &Dataset) -> Model {
    let trainer = Trainer::new(config, short_run(1), train, &device()).unwrap();
    trainer.best_model().unwrap()
}

/// An untrained model with posterior head whose network's output is zero.
pub fn blank(path: impl Into<ProbabilityPath>, train: &Dataset) -> Model {
    untrained(model_config(Head::Posterior, path, residual()), train)
}

/// Notes what happens in a run, writes its checkpoints, and stops it.
#[derive(Default)]
pub struct Recorder {
    pub checkpoint: Option<PathBuf>,
    /// Stop after this step.
    pub stop_at: Option<u64>,
    /// Stop at this validation, counted from 1.
    pub stop_at_validation: Option<u32>,
    /// Losses of the steps.
    pub losses: Vec<f64>,
    /// Step and bits per dimension of the validations.
    pub validations: Vec<(u64, f64)>,
}

impl Keeper for Recorder {
    fn tell(&mut self, event: &Event, trainer: &Trainer) -> segre::flow::Result<Control> {
        let stop = match event {
            Event::Step { step, loss, .. } => {
                self.losses.push(*loss);
                self.stop_at == Some(*step)
            }
            Event::Validation {
                step, bits_per_dim, ..
            } => {
                self.validations.push((*step, bits_per_dim.value));
                self.stop_at_validation == Some(trainer.progress().validations)
            }
            _ => false,
        };
        Ok(match stop {
            true => Control::Stop,
            false => Control::Continue,
        })
    }

    fn store(&mut self, trainer: &Trainer) -> segre::flow::Result<()> {
        match &self.checkpoint {
            Some(path) => write_checkpoint(trainer, path),
            None => Ok(()),
        }
    }
}

/// Where the tests compute: the processor, or a graphics processor if the cargo feature `vulkan` or `wgpu` is on.
pub fn device() -> Device {
    #[cfg(feature = "vulkan")]
    return Device::vulkan(Default::default());
    #[cfg(all(feature = "wgpu", not(feature = "vulkan")))]
    return Device::wgpu(Default::default());
    #[cfg(not(any(feature = "vulkan", feature = "wgpu")))]
    Device::flex()
}
