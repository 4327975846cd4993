//! The network of tables with numbers: embedded labels, residual dense blocks, and logits of the columns that are asked for.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::tensor::{Device, Tensor, TensorData, activation};
use rand_chacha::ChaCha8Rng;
use segre_kernels::{
    Code, Columns, Place, coded_rows, column_logits, cross_entropies, sums_of_rows_at,
};
use serde::{Deserialize, Serialize};

use super::affine::{affine, normalise};
use super::dropout::{Dropout, drop_out};
use super::{SiteSpec, check_share, check_size, initialise, ranks};
use crate::setting::InvalidSetting;

/// Width of a block's inner layer, in widths of its outer one.
const INNER: usize = 2;
/// What the category of a number starts with for itself, of what a word starts with: the waves say the rest.
const OF_NUMBERS: f64 = 0.3;

/// Sizes of the network of tables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableConfig {
    /// Width of the hidden layers.
    pub hidden: usize,
    /// Number of residual blocks.
    pub blocks: usize,
    /// Numbers of a label's embedding that pass the blocks by: the rank of what labels say of others one by one. Models of
    /// before it was there have none.
    #[serde(default)]
    pub direct: usize,
    /// Probability with which a hidden unit is dropped in training.
    pub dropout: f64,
}

impl Default for TableConfig {
    /// Chosen by measurement on Adult, Magic and Shoppers.
    fn default() -> Self {
        Self {
            hidden: 256,
            blocks: 3,
            direct: 64,
            dropout: 0.0,
        }
    }
}

/// The known labels of a row are embedded and added up, an unknown one as what stands for its column; residual dense blocks
/// follow, and the logits of a column are products with a vector for each of its categories. Part of the embeddings passes the
/// blocks by: so the logits contain sums over the known labels, `Σ_k u(β_k) · v(β_i)`, which are learned from few rows, as in a
/// logistic regression, and the blocks add what depends on several labels at once.
///
/// It sees labels that are known or not, and nothing in between: levels of signal-to-noise are 0 or above. Nothing is as wide
/// as sites × categories, so that columns of many categories cost what they hold. Categories of a number share waves over their
/// ranks in the data (`ranks.rs`), with which neighbours learn from each other.
#[derive(Module, Debug)]
pub struct TableNetwork {
    /// What every category is embedded by for itself, then every unknown column, `[categories of all + sites, hidden + direct]`.
    embedding: Param<Tensor<2>>,
    /// The same of waves, `[waves of all, hidden + direct]`.
    embedding_waves: Param<Tensor<2>>,
    blocks: Vec<Block>,
    norm: LayerNorm,
    /// As the embeddings of the categories.
    decoder: Param<Tensor<2>>,
    decoder_waves: Param<Tensor<2>>,
    /// `[categories of all]`.
    bias: Param<Tensor<1>>,
    #[module(skip)]
    columns: Columns,
    /// Of embedding and decoder.
    #[module(skip)]
    codes: [Arc<Code>; 2],
    #[module(skip)]
    dropout: f64,
}

#[derive(Module, Debug)]
struct Block {
    norm: LayerNorm,
    inner: Linear,
    outer: Linear,
}

impl TableConfig {
    pub(super) fn validate(&self) -> Result<(), InvalidSetting> {
        check_size("hidden width", self.hidden, 1 << 16)?;
        if self.direct > 0 {
            check_size("width beside the blocks", self.direct, 1 << 16)?;
        }
        check_share("dropout", self.dropout)
    }

    /// A network with random parameters; its output starts at zero.
    pub fn init(&self, sites: &SiteSpec, rng: &mut ChaCha8Rng, device: &Device) -> TableNetwork {
        let (count, hidden) = (sites.sites(), self.hidden);
        let width = hidden + self.direct;
        let columns = Columns::new(&sites.cardinalities);
        let logs = vec![0.0; count * sites.categories()];
        let codes = codes(sites, &logs);
        let deviation = (count as f64).sqrt().recip();
        let mut embedding = Vec::with_capacity((columns.categories() + count) * width);
        for (site, own) in sites.cardinalities.iter().enumerate() {
            let share = match ranks::has_waves(sites, site) {
                true => OF_NUMBERS,
                false => 1.0,
            };
            let deviation = share * deviation / f64::from(ranks::unit(sites, site));
            embedding.extend(initialise::normal(own * width, deviation, rng));
        }
        let deviation_of_unknown = deviation / f64::from(ranks::OF_WORDS);
        embedding.extend(initialise::normal(count * width, deviation_of_unknown, rng));
        let waves = codes[0].common();
        let of_waves = initialise::normal(waves * width, deviation / ranks::size(), rng);
        let inner = INNER * hidden;
        let block = |rng: &mut ChaCha8Rng| Block {
            norm: LayerNormConfig::new(hidden).init(device),
            inner: initialise::linear(hidden, inner, true, rng, device),
            outer: initialise::zero_linear(inner, hidden, device),
        };
        TableNetwork {
            embedding: initialise::parameter(
                embedding,
                [columns.categories() + count, width],
                device,
            ),
            embedding_waves: initialise::parameter(of_waves, [waves, width], device),
            blocks: (0..self.blocks).map(|_| block(rng)).collect(),
            norm: LayerNormConfig::new(hidden).init(device),
            decoder: initialise::zeros([columns.categories(), width], device),
            decoder_waves: initialise::zeros([waves, width], device),
            bias: initialise::zeros([columns.categories()], device),
            columns,
            codes,
            dropout: self.dropout,
        }
    }
}

/// How the rows of embedding and decoder share what they learn.
fn codes(sites: &SiteSpec, log_marginals: &[f32]) -> [Arc<Code>; 2] {
    [sites.sites(), 0].map(|further| Arc::new(ranks::code(sites, log_marginals, further)))
}

impl TableNetwork {
    /// The network that knows how frequent categories are: numbers are told by their ranks.
    pub(super) fn with_marginals(self, sites: &SiteSpec, log_marginals: &[f32]) -> Self {
        Self {
            codes: codes(sites, log_marginals),
            ..self
        }
    }

    /// Logits of the unknown columns of rows, given the labels that are known: those of each place one after the other, in host
    /// memory.
    ///
    /// # Shapes
    /// `labels [rows, sites]`, `None` where one is not known.
    ///
    /// # Panics
    /// For a label or a place that there is not.
    pub fn logits_at(&self, labels: &[Option<u16>], places: &[Place]) -> Vec<f32> {
        let hidden = self.hidden(self.embedded(labels), None);
        let inputs = [hidden, self.decoder_table()];
        column_logits(inputs, self.bias.val(), &self.columns, places)
    }

    /// `−log softmax(log_marginals + logits)_target` at some places of rows, given the labels that are known.
    ///
    /// # Shapes
    /// `labels [rows, sites]`, `None` where one is not known; `targets` one for every place; `log_marginals [categories of all
    /// columns]` → `[places]`.
    ///
    /// # Panics
    /// As [`logits_at`](Self::logits_at), or if there is no place.
    pub fn cross_entropies(
        &self,
        labels: &[Option<u16>],
        places: Arc<[Place]>,
        targets: Arc<[u16]>,
        log_marginals: Vec<f32>,
        dropout: Option<&mut Dropout>,
    ) -> Tensor<1> {
        let hidden = self.hidden(self.embedded(labels), dropout);
        let bias = self.bias.val();
        let marginals = TensorData::new(log_marginals, [self.columns.categories()]);
        let bias = Tensor::from_data(marginals, &bias.device()) + bias;
        let inputs = [hidden, self.decoder_table()];
        cross_entropies(inputs, bias, &self.columns, places, targets)
    }

    fn decoder_table(&self) -> Tensor<2> {
        coded_rows(&self.codes[1], self.decoder.val(), self.decoder_waves.val())
    }

    fn embedding_table(&self) -> Tensor<2> {
        coded_rows(
            &self.codes[0],
            self.embedding.val(),
            self.embedding_waves.val(),
        )
    }

    /// The sum of the embeddings of every row, `[rows, hidden + direct]`.
    fn embedded(&self, labels: &[Option<u16>]) -> Tensor<2> {
        let sites = self.columns.count();
        let index = |(place, label): (usize, &Option<u16>)| {
            let site = place % sites;
            let index = match label {
                Some(label) => self.columns.range(site).start + usize::from(*label),
                None => self.columns.categories() + site,
            };
            index as u32
        };
        let indices = labels.iter().enumerate().map(index).collect();
        sums_of_rows_at(self.embedding_table(), indices, sites)
    }

    /// The blocks, and beside them what passes them by, `[rows, hidden + direct]` → the same.
    fn hidden(&self, embedded: Tensor<2>, mut dropout: Option<&mut Dropout>) -> Tensor<2> {
        let [rows, width] = embedded.dims();
        let [own] = self.norm.gamma.dims();
        let mut hidden = embedded.clone().slice([0..rows, 0..own]);
        for block in &self.blocks {
            let inner = affine(&block.inner, normalise(&block.norm, hidden.clone()), true);
            let inner = drop_out(inner, self.dropout, dropout.as_deref_mut());
            hidden = hidden + affine(&block.outer, inner, false);
        }
        let hidden = activation::relu(normalise(&self.norm, hidden));
        let hidden = drop_out(hidden, self.dropout, dropout);
        match own == width {
            true => hidden,
            false => Tensor::cat(vec![hidden, embedded.slice([0..rows, own..width])], 1),
        }
    }

    /// The logits of all sites; a point of the simplex counts as its mixture of labels, and as unknown at level 0.
    ///
    /// # Shapes
    /// `points [batch, sites, categories]`, `level [batch, sites]` → `[batch, sites, categories]`.
    pub fn forward(
        &self,
        points: Tensor<3>,
        level: Tensor<2>,
        dropout: Option<&mut Dropout>,
    ) -> Tensor<3> {
        let [batch, sites, categories] = points.dims();
        let (table, first_unknown) = (self.embedding_table(), self.columns.categories());
        let width = table.dims()[1];
        let known = level.greater_elem(0.0).float();
        let mut embedded = Tensor::zeros([batch, width], &points.device());
        for site in 0..sites {
            let own = self.columns.range(site);
            let point = points
                .clone()
                .slice([0..batch, site..site + 1, 0..own.len()])
                .reshape([batch, own.len()]);
            let label = point.matmul(table.clone().slice([own, 0..width]));
            let unknown = first_unknown + site;
            let unknown = table.clone().slice([unknown..unknown + 1, 0..width]);
            let known = known.clone().slice([0..batch, site..site + 1]);
            embedded = embedded + unknown.clone() + known * (label - unknown);
        }
        let hidden = self.hidden(embedded, dropout);
        let (decoder, bias) = (self.decoder_table(), self.bias.val());
        let logits = (0..sites).map(|site| {
            let own = self.columns.range(site);
            let padding = Tensor::zeros([batch, categories - own.len()], &hidden.device());
            let bias: Tensor<2> = bias.clone().slice([own.clone()]).unsqueeze_dim(0);
            let decoder = decoder.clone().slice([own, 0..width]).transpose();
            let logits = hidden.clone().matmul(decoder) + bias;
            Tensor::cat(vec![logits, padding], 1)
        });
        Tensor::stack(logits.collect::<Vec<Tensor<2>>>(), 1)
    }
}
