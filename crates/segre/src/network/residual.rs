//! The default network: site embeddings, residual dense blocks, site decoders.

use burn::module::{Module, Param};
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::tensor::{Device, Tensor, activation};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::affinity::{LabelAffinity, MOST_SITES};
use super::dropout::{Dropout, drop_out};
use super::mixture::ProductMixture;
use super::{LevelFeatures, SiteSpec, check_share, check_size, initialise};
use crate::setting::InvalidSetting;

/// Frequencies of the level features.
const FREQUENCIES: usize = 4;

/// Sizes of the residual network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResidualConfig {
    /// Width of the hidden layers.
    pub hidden: usize,
    /// Number of residual blocks.
    pub blocks: usize,
    /// Numbers per site between network and categories; by default chosen from the data
    /// (`256 / sites`, between 4 and 128, at most the number of categories).
    pub site_width: Option<usize>,
    /// Components of the mixture of products whose context is added; 0 for none.
    pub components: usize,
    /// Whether sites that share a vocabulary (at most eight) may repeat each other's labels, see
    /// [`LabelAffinity`].
    #[serde(default)]
    pub affinity: bool,
    /// Probability with which a hidden unit is dropped in training.
    pub dropout: f64,
}

impl Default for ResidualConfig {
    /// Chosen by measurement on the digits and the toys.
    fn default() -> Self {
        Self {
            hidden: 512,
            blocks: 2,
            site_width: None,
            components: 0,
            affinity: false,
            dropout: 0.3,
        }
    }
}

/// Each site's point is embedded in a few numbers, all of them pass through residual dense blocks,
/// and each site's logits are decoded from a few numbers.
///
/// Embedding and decoder of ordered categories start as cosines of the category's index: smooth
/// functions of a grey level or bin, so that neighbours share what is learned from either. With few
/// data this matters more than anything else (digits: 0.2 bits per dimension).
#[derive(Module, Debug)]
pub struct ResidualNetwork {
    /// `[1 or sites, categories, site width]`; 1 if all sites share a vocabulary.
    embedding: Param<Tensor<3>>,
    level: Linear,
    input: Linear,
    blocks: Vec<ResidualBlock>,
    norm: LayerNorm,
    output: Linear,
    /// `[1 or sites, site width, categories]`.
    decoder: Param<Tensor<3>>,
    /// What a site's decoder differs by from the shared one, `[sites, site width, categories]`.
    site_decoder: Option<Param<Tensor<3>>>,
    mixture: Option<ProductMixture>,
    affinity: Option<LabelAffinity>,
    #[module(skip)]
    features: LevelFeatures,
    #[module(skip)]
    dropout: f64,
}

#[derive(Module, Debug)]
struct ResidualBlock {
    norm: LayerNorm,
    inner: Linear,
    level: Linear,
    outer: Linear,
}

impl ResidualConfig {
    pub(super) fn validate(&self) -> Result<(), InvalidSetting> {
        check_size("hidden width", self.hidden, 1 << 16)?;
        if let Some(width) = self.site_width {
            check_size("site width", width, 1 << 16)?;
        }
        if self.components > 0 {
            check_size("components", self.components, 1 << 16)?;
        }
        check_share("dropout", self.dropout)
    }

    /// A network with random parameters; its output starts at zero.
    pub fn init(&self, sites: &SiteSpec, rng: &mut ChaCha8Rng, device: &Device) -> ResidualNetwork {
        let (count, categories, hidden) = (sites.sites(), sites.categories(), self.hidden);
        let width = self
            .site_width
            .unwrap_or((256 / count).clamp(4, 128))
            .min(categories);
        let features = LevelFeatures::new(FREQUENCIES);
        let embedded = if sites.shared { 1 } else { count };
        let (mut embedding, mut decoder) = (Vec::new(), Vec::new());
        for site in 0..embedded {
            let code = category_code(sites, site, width, rng);
            for row in &code {
                embedding.extend(row.iter().map(|x| std::f32::consts::SQRT_2 * x));
            }
            decoder.extend((0..width).flat_map(|k| code.iter().map(move |row| row[k])));
        }
        let block = |rng: &mut ChaCha8Rng| ResidualBlock {
            norm: LayerNormConfig::new(hidden).init(device),
            inner: initialise::linear(hidden, hidden, true, rng, device),
            level: initialise::linear(features.width(), hidden, true, rng, device),
            outer: initialise::zero_linear(hidden, hidden, device),
        };
        ResidualNetwork {
            embedding: initialise::parameter(embedding, [embedded, categories, width], device),
            level: initialise::linear(features.width(), width, true, rng, device),
            input: initialise::linear(count * width, hidden, true, rng, device),
            blocks: (0..self.blocks).map(|_| block(rng)).collect(),
            norm: LayerNormConfig::new(hidden).init(device),
            output: initialise::zero_linear(hidden, count * width, device),
            decoder: initialise::parameter(decoder, [embedded, width, categories], device),
            site_decoder: sites
                .shared
                .then(|| initialise::zeros([count, width, categories], device)),
            mixture: (self.components > 0)
                .then(|| ProductMixture::new(self.components, sites, device)),
            affinity: (self.affinity && sites.shared && (2..=MOST_SITES).contains(&count))
                .then(|| LabelAffinity::new(count, device)),
            features,
            dropout: self.dropout,
        }
    }
}

/// One row of `width` numbers per category of a site: cosines for ordered categories, the identity
/// where it fits, random directions otherwise.
fn category_code(
    sites: &SiteSpec,
    site: usize,
    width: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<Vec<f32>> {
    let own = sites.cardinalities[site];
    let cosine = |j: usize, k: usize| {
        let angle = std::f64::consts::PI * (k + 1) as f64 * (j as f64 + 0.5) / own as f64;
        angle.cos() as f32
    };
    let mut row = |j: usize| -> Vec<f32> {
        match j {
            j if j >= own => vec![0.0; width],
            j if sites.ordinal[site] => (0..width).map(|k| cosine(j, k)).collect(),
            j if own <= width => (0..width).map(|k| if k == j { 1.0 } else { 0.0 }).collect(),
            _ => initialise::normal(width, std::f64::consts::FRAC_1_SQRT_2, rng),
        }
    };
    (0..sites.categories()).map(&mut row).collect()
}

impl ResidualNetwork {
    /// How many rows of the data the mixture starts from.
    pub(super) fn starting_rows(&self) -> usize {
        self.mixture
            .as_ref()
            .map_or(0, ProductMixture::starting_rows)
    }

    /// The network with its mixture started from rows of the data.
    pub(super) fn started_from(
        mut self,
        rows: &[Vec<u16>],
        sites: &SiteSpec,
        log_marginals: &[f32],
    ) -> Self {
        let start = |mixture: ProductMixture| mixture.started_from(rows, sites, log_marginals);
        self.mixture = self.mixture.map(start);
        self
    }

    /// # Shapes
    /// `points [batch, sites, categories]`, `level [batch, sites]` → `[batch, sites, categories]`.
    pub fn forward(
        &self,
        points: Tensor<3>,
        level: Tensor<2>,
        mut dropout: Option<&mut Dropout>,
    ) -> Tensor<3> {
        let [batch, sites, _] = points.dims();
        let features = self.features.forward(level); // [batch, sites, features]
        let common = features.clone().mean_dim(1).squeeze_dim::<2>(1); // [batch, features]
        let code = per_site(points.clone(), self.embedding.val()) + self.level.forward(features);
        let width = code.dims()[2];
        let mut hidden = self.input.forward(code.reshape([batch, sites * width]));
        for block in &self.blocks {
            let inner = block.inner.forward(block.norm.forward(hidden.clone()));
            let inner = activation::relu(inner + block.level.forward(common.clone()));
            hidden = hidden
                + block
                    .outer
                    .forward(drop_out(inner, self.dropout, dropout.as_deref_mut()));
        }
        let hidden = activation::relu(self.norm.forward(hidden));
        let hidden = drop_out(hidden, self.dropout, dropout);
        let code = self.output.forward(hidden).reshape([batch, sites, width]);
        let mut logits = per_site(code.clone(), self.decoder.val());
        if let Some(decoder) = &self.site_decoder {
            logits = logits + per_site(code, decoder.val());
        }
        if let Some(affinity) = &self.affinity {
            logits = logits + affinity.forward(&points);
        }
        match &self.mixture {
            Some(mixture) => logits + mixture.forward(points),
            None => logits,
        }
    }
}

/// Multiplies each site's vector with its own matrix, or with the one matrix shared by all.
///
/// # Shapes
/// `input [batch, sites, k]`, `matrices [1 or sites, k, m]` → `[batch, sites, m]`.
fn per_site(input: Tensor<3>, matrices: Tensor<3>) -> Tensor<3> {
    let [batch, sites, width] = input.dims();
    let [count, _, outputs] = matrices.dims();
    if count == 1 {
        let flat = input.reshape([batch * sites, width]);
        return flat
            .matmul(matrices.squeeze_dim(0))
            .reshape([batch, sites, outputs]);
    }
    input.swap_dims(0, 1).matmul(matrices).swap_dims(0, 1)
}
