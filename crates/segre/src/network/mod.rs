//! Networks: what turns noisy points into logits or velocities.
//!
//! | network | for | file |
//! |---|---|---|
//! | [`LinearField`] | two binary variables (EG Fig. 5, right) | `linear.rs` |
//! | [`DenseNetwork`] | small problems, as in EG (Fig. 5) | `dense.rs` |
//! | [`ResidualNetwork`] | the default: tables of words, small images, short sequences | `residual.rs` |
//! | [`TableNetwork`] | tables with numbers | `table.rs` |
//! | [`CnnNetwork`] | sequences, as in the class-scaling experiment | `cnn.rs` |
//! | [`UnetNetwork`] | images and label maps | `unet/` |
//!
//! All of them map points `[batch, sites, categories]` and a noise level `[batch, sites]` to
//! `[batch, sites, categories]`. What the level is, and what the output means, is the head's matter
//! (see [`Head`](crate::flow::Head)): root signal-to-noise ratio and context logits, or time and velocity.

mod affine;
mod affinity;
mod cnn;
mod dense;
mod dropout;
pub(crate) mod initialise;
mod linear;
mod mixture;
mod ranks;
mod residual;
mod table;
mod time_embedding;
pub(crate) mod unet;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

pub use affinity::LabelAffinity;
pub use cnn::{CnnConfig, CnnNetwork};
pub use dense::{DenseConfig, DenseNetwork};
pub use dropout::Dropout;
pub use linear::{LinearConfig, LinearField};
pub use mixture::ProductMixture;
pub use residual::{ResidualConfig, ResidualNetwork};
pub use table::{TableConfig, TableNetwork};
pub use time_embedding::{FourierFeatures, LevelFeatures, TimeEmbeddingConfig};
pub use unet::{UnetConfig, UnetNetwork};

use crate::setting::InvalidSetting;
pub use segre_kernels::Precision;

/// See [`Network::rows_of_a_thread`]: of a network that sees each row as one vector.
const ROWS_OF_A_THREAD: usize = 64;

/// What a network needs to know of the data: how many categories each site has and what they share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteSpec {
    /// Number of categories of each site.
    pub cardinalities: Vec<usize>,
    /// Whether the categories of a site are ordered numbers (grey levels, bins).
    pub ordinal: Vec<bool>,
    /// Whether all sites have the same vocabulary, so that they can share an embedding.
    pub shared: bool,
    /// How the sites lie in an image, row after row.
    pub image: Option<ImageSpec>,
}

/// Sizes of an image, height before width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageSpec {
    /// Its own.
    pub size: [usize; 2],
    /// The least that a network is to pad it to.
    pub pad_to: [usize; 2],
}

impl SiteSpec {
    /// Number of sites `n`.
    pub fn sites(&self) -> usize {
        self.cardinalities.len()
    }

    /// Largest number of categories `c` of a site.
    pub fn categories(&self) -> usize {
        self.cardinalities.iter().copied().fold(0, usize::max)
    }
}

/// Which network, and its sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum NetworkConfig {
    /// One matrix, no bias.
    Linear(LinearConfig),
    /// Batch normalisation, dense layers, ReLU.
    Dense(DenseConfig),
    /// Site embeddings, residual dense blocks, site decoders.
    Residual(ResidualConfig),
    /// Embedded labels, residual dense blocks, logits of the columns that are asked for.
    Table(TableConfig),
    /// One-dimensional convolutions.
    Cnn(CnnConfig),
    /// Convolutions over images, from fine to coarse and back.
    Unet(UnetConfig),
}

impl Default for NetworkConfig {
    fn default() -> Self {
        Self::Residual(ResidualConfig::default())
    }
}

impl NetworkConfig {
    /// Checks the sizes.
    ///
    /// # Errors
    /// [`InvalidSetting`] names the first setting outside its range.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        match self {
            Self::Linear(_) => Ok(()),
            Self::Dense(config) => config.validate(),
            Self::Residual(config) => config.validate(),
            Self::Table(config) => config.validate(),
            Self::Cnn(config) => config.validate(),
            Self::Unet(config) => config.validate(),
        }
    }

    /// Parameters that the network has at least, for any sites: it is not to be made for a file that cannot hold them.
    pub(crate) fn least_parameters(&self) -> f64 {
        let square = |width: usize| (width as f64).powi(2);
        match self {
            Self::Linear(_) => 0.0,
            Self::Dense(config) => config.hidden.iter().map(|width| *width as f64).sum(),
            Self::Residual(config) => {
                config.blocks as f64 * square(config.hidden) + config.components as f64
            }
            Self::Table(config) => {
                config.blocks as f64 * square(config.hidden) + config.hidden as f64
            }
            Self::Cnn(config) => square(config.width),
            Self::Unet(config) => {
                let level = |multiplier: &usize| square(*multiplier) * square(config.channels);
                let levels: f64 = config.multipliers.iter().map(level).sum();
                config.blocks as f64 * levels + config.classes.unwrap_or(0) as f64
            }
        }
    }

    /// Whether training drops numbers.
    pub(crate) fn has_dropout(&self) -> bool {
        match self {
            Self::Linear(_) | Self::Dense(_) | Self::Cnn(_) => false,
            Self::Residual(config) => config.dropout > 0.0,
            Self::Table(config) => config.dropout > 0.0,
            Self::Unet(config) => config.dropout > 0.0,
        }
    }

    /// Whether the network is for images only.
    pub fn needs_image(&self) -> bool {
        matches!(self, Self::Unet(_))
    }

    /// Number of classes of rows that the network can be told.
    pub fn classes(&self) -> Option<usize> {
        match self {
            Self::Unet(config) => config.classes,
            _ => None,
        }
    }

    /// A network with random parameters drawn from `rng` and nothing else.
    ///
    /// # Panics
    /// If the network [is for images](Self::needs_image) and the sites are none.
    pub fn init(&self, sites: &SiteSpec, rng: &mut ChaCha8Rng, device: &Device) -> Network {
        match self {
            Self::Linear(config) => Network::Linear(config.init(sites, rng, device)),
            Self::Dense(config) => Network::Dense(config.init(sites, rng, device)),
            Self::Residual(config) => Network::Residual(config.init(sites, rng, device)),
            Self::Table(config) => Network::Table(config.init(sites, rng, device)),
            Self::Cnn(config) => Network::Cnn(config.init(sites, rng, device)),
            Self::Unet(config) => Network::Unet(config.init(sites, rng, device)),
        }
    }
}

/// A network with its parameters.
#[derive(Module, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one network, not a list of them"
)]
pub enum Network {
    /// See [`LinearField`].
    Linear(LinearField),
    /// See [`DenseNetwork`].
    Dense(DenseNetwork),
    /// See [`ResidualNetwork`].
    Residual(ResidualNetwork),
    /// See [`TableNetwork`].
    Table(TableNetwork),
    /// See [`CnnNetwork`].
    Cnn(CnnNetwork),
    /// See [`UnetNetwork`].
    Unet(UnetNetwork),
}

impl Network {
    /// The network's output, not masked: padding is the caller's matter.
    ///
    /// `dropout` is the generator of dropout masks in training; without it nothing is dropped.
    ///
    /// # Shapes
    /// `points [batch, sites, categories]`, `level [batch, sites]` → `[batch, sites, categories]`.
    pub fn forward(
        &self,
        points: Tensor<3>,
        level: Tensor<2>,
        dropout: Option<&mut Dropout>,
    ) -> Tensor<3> {
        self.forward_told(points, None, level, None, dropout)
    }

    /// [`forward`](Self::forward) with the evidence that the points were made of, and the classes of the rows;
    /// networks that have no use for them take no notice.
    ///
    /// # Shapes
    /// As [`forward`](Self::forward); `evidence` as `points`, nats; `classes` one per row, `None` where it is not
    /// known.
    pub fn forward_told(
        &self,
        points: Tensor<3>,
        evidence: Option<Tensor<3>>,
        level: Tensor<2>,
        classes: Option<&[Option<u16>]>,
        dropout: Option<&mut Dropout>,
    ) -> Tensor<3> {
        match self {
            Self::Linear(network) => network.forward(points, level),
            Self::Dense(network) => network.forward(points, level),
            Self::Residual(network) => network.forward(points, level, dropout),
            Self::Table(network) => network.forward(points, level, dropout),
            Self::Cnn(network) => network.forward(points, level),
            Self::Unet(network) => network.forward(points, evidence, level, classes, dropout),
        }
    }

    /// The network with convolutions of some precision in training; other networks have none.
    pub(crate) fn trained_with(self, precision: Precision) -> Self {
        match self {
            Self::Unet(network) => Self::Unet(network.trained_with(precision)),
            other => other,
        }
    }

    /// How many rows of the data the network starts from.
    pub(crate) fn starting_rows(&self) -> usize {
        match self {
            Self::Residual(network) => network.starting_rows(),
            _ => 0,
        }
    }

    /// The network with what can be started from data started from [so many](Self::starting_rows) rows of them.
    pub(crate) fn started_from(
        self,
        rows: &[Vec<u16>],
        sites: &SiteSpec,
        log_marginals: &[f32],
    ) -> Self {
        match self {
            Self::Residual(network) => {
                Self::Residual(network.started_from(rows, sites, log_marginals))
            }
            other => other,
        }
    }

    /// The network that knows how frequent the categories are, nats, `[sites, categories]`.
    pub(crate) fn with_marginals(self, sites: &SiteSpec, log_marginals: &[f32]) -> Self {
        match self {
            Self::Table(network) => Self::Table(network.with_marginals(sites, log_marginals)),
            other => other,
        }
    }

    /// The network that computes known and unknown labels only, if it is one.
    pub(crate) fn of_labels(&self) -> Option<&TableNetwork> {
        match self {
            Self::Table(network) => Some(network),
            _ => None,
        }
    }

    /// Whether a row's output in training depends on the other rows of its batch.
    pub(crate) fn couples_rows(&self) -> bool {
        matches!(self, Self::Dense(_))
    }

    /// Fewest rows that are worth a thread of their own: with fewer, the matrix products lose more than the
    /// threads win.
    pub(crate) fn rows_of_a_thread(&self) -> usize {
        match self {
            // Every pixel is a row of its products.
            Self::Unet(network) => {
                (ROWS_OF_A_THREAD * 64 / network.pixels()).clamp(1, ROWS_OF_A_THREAD)
            }
            _ => ROWS_OF_A_THREAD,
        }
    }
}

/// Rejects a share outside `[0, 1)`.
fn check_share(name: &'static str, value: f64) -> Result<(), InvalidSetting> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    let expected = "at least 0 and below 1";
    Err(InvalidSetting {
        name,
        value,
        expected,
    })
}

/// Rejects a size outside `1..=limit`.
fn check_size(name: &'static str, value: usize, limit: usize) -> Result<(), InvalidSetting> {
    if (1..=limit).contains(&value) {
        return Ok(());
    }
    let expected = "a whole number from 1 to 65536";
    Err(InvalidSetting {
        name,
        value: value as f64,
        expected,
    })
}
