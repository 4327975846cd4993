//! The UNet of Dhariwal & Nichol 2021 for images and label maps.
//!
//! The UNet is the published one with three additions, which its documentation names: the level of each pixel comes in as
//! channels, because known pixels have another level than unknown ones; so does the noisy state, because local posteriors
//! close to 0 or 1 hide it; and no normalisation has groups of one channel. Its levels of training follow the bound: each
//! validation says where its integrand is large (`Progress::levels`), since at most levels pictures are either noise or
//! plain to see. Its activations are `[batch, height, width, channels]`, the memory of `[batch, sites, channels]`. Where no
//! gradient is wanted it computes a few rows at a time, and the number of states in memory is limited for all networks, so
//! that large images need no other settings.

mod block;
mod config;
mod embedding;
pub(crate) mod layers;

use burn::module::Module;
use burn::tensor::ops::PadMode;
use burn::tensor::{Device, Tensor, activation};
use rand_chacha::ChaCha8Rng;
use segre_kernels::{Precision, has_graphics_kernels};

use self::block::{Block, BlockSettings};
pub use self::config::UnetConfig;
use self::embedding::{ClassEmbedding, LevelEmbedding};
use self::layers::{Convolution, GroupNorm};
use super::{Dropout, LevelFeatures, SiteSpec};

/// Frequencies of the features of each pixel's own level.
const FREQUENCIES: usize = 1;
/// Pixels (with padding) that are computed together where no gradient is wanted: all rows at once would need
/// memory without being faster.
const MOST_PIXELS: usize = 1 << 16;
/// The same on graphics processors, which want many.
const MOST_ON_GRAPHICS: usize = 1 << 20;

/// Convolutions from fine to coarse and back, the coarse half beside the fine one.
///
/// Input convolution; on every level `blocks` residual blocks (with attention at the listed rates) and, but for
/// the last level, a convolution of stride 2; in the middle a residual block, attention, a residual block; on the
/// way back `blocks + 1` residual blocks per level, each of which also sees what the way down left, and pixels
/// doubled before a convolution; group normalisation, SiLU and a convolution that starts at zero. The embedding
/// of the level is added in every residual block.
///
/// Pixels are the sites, in order, and stay `[batch, height, width, channels]` throughout. Images are padded with
/// zeros on all sides to a multiple of `2^(levels − 1)` (and to what the layout asks for), and cropped at the end.
///
/// If the rows have classes, a learned vector of the class (or of an unknown one) is added to the embedding.
///
/// **Three additions to the published network.** Each pixel has a noise level of its own, which matters where some
/// labels are known. So beside the embedding of the pixels' mean level there are three further input channels, the
/// [`LevelFeatures`] of the pixel's level; padding has zeros there, by which it is told from pixels. And a
/// normalisation has at least two channels in a group, because a group of one would lose the embedding.
/// And beside the local posteriors, which marginals close to 0 or 1 squeeze together, the noisy state itself comes in,
/// `softmax(evidence / (2 √γ + 0.2))`: a point whose spread does not depend on the level, the `W_t` of the papers. Without
/// it what little is seen at high noise is lost before the first convolution.
/// Points `p` of `c` categories come in as `(c p − 1)/√(c − 1)`, which has mean 0 and variance 1 for a uniform
/// label.
///
/// Source: docs/mathematics.md §3; Dhariwal & Nichol 2021, arXiv 2105.05233; Ho et al. 2020, arXiv 2006.11239.
#[derive(Module, Debug)]
pub struct UnetNetwork {
    embedding: LevelEmbedding,
    classes: Option<ClassEmbedding>,
    input: Convolution,
    down: Vec<Stage>,
    middle: Vec<Block>,
    up: Vec<Stage>,
    norm: GroupNorm,
    output: Convolution,
    #[module(skip)]
    features: LevelFeatures,
    #[module(skip)]
    frame: Frame,
    /// Of the convolutions in training.
    #[module(skip)]
    precision: Precision,
}

/// The blocks of one resolution, and the convolution to the next one.
#[derive(Module, Debug)]
struct Stage {
    blocks: Vec<Block>,
    resample: Option<Convolution>,
}

/// Where the image lies in what the network computes with.
#[derive(Clone, Copy, Debug)]
struct Frame {
    /// Height and width of the image.
    size: [usize; 2],
    /// Zeros before and after, along height and width.
    margins: [(usize, usize); 2],
}

impl Frame {
    fn new(sites: &SiteSpec, levels: usize) -> Self {
        let image = sites.image.expect("the UNet is for images");
        let multiple = 1 << (levels - 1);
        let margin = |axis: usize| {
            let least = image.size[axis].max(image.pad_to[axis]);
            let rest = least.next_multiple_of(multiple) - image.size[axis];
            (rest / 2, rest - rest / 2)
        };
        Self {
            size: image.size,
            margins: [margin(0), margin(1)],
        }
    }

    /// Pixels with padding.
    fn pixels(&self) -> usize {
        let length = |axis: usize| {
            let (before, after) = self.margins[axis];
            before + self.size[axis] + after
        };
        length(0) * length(1)
    }

    /// # Shapes
    /// `[batch, sites, channels]` → `[batch, height, width, channels]` with padding.
    fn pad(&self, sites: Tensor<3>) -> Tensor<4> {
        let [batch, _, channels] = sites.dims();
        let [height, width] = self.size;
        let images = sites.reshape([batch, height, width, channels]);
        if self.margins == [(0, 0); 2] {
            return images;
        }
        let margins = [self.margins[0], self.margins[1], (0, 0)];
        images.pad(margins, PadMode::Constant(0.0))
    }

    /// The inverse of [`pad`](Self::pad).
    fn crop(&self, images: Tensor<4>) -> Tensor<3> {
        let [batch, _, _, channels] = images.dims();
        let [height, width] = self.size;
        let [(top, _), (left, _)] = self.margins;
        let images = images.narrow(1, top, height).narrow(2, left, width);
        images.reshape([batch, height * width, channels])
    }
}

impl UnetConfig {
    /// A network with random parameters; its output starts at zero.
    ///
    /// # Panics
    /// If the sites are no image, see [`NetworkConfig::needs_image`](super::NetworkConfig::needs_image).
    pub fn init(&self, sites: &SiteSpec, rng: &mut ChaCha8Rng, device: &Device) -> UnetNetwork {
        let (categories, levels) = (sites.categories(), self.multipliers.len());
        let features = LevelFeatures::new(FREQUENCIES);
        let embedding = LevelEmbedding::new(self.channels, rng, device);
        let settings = BlockSettings {
            embedding: 4 * self.channels,
            heads: self.heads,
            dropout: self.dropout,
        };
        let inputs = 2 * categories + features.width();
        let input = Convolution::new([inputs, self.channels], 3, rng, device);
        let mut width = self.channels;
        let mut skips = vec![width];
        let mut down = Vec::new();
        for (level, multiplier) in self.multipliers.iter().enumerate() {
            let attention = self.attention.contains(&(1 << level));
            let mut blocks = Vec::new();
            for _ in 0..self.blocks {
                let own = multiplier * self.channels;
                blocks.push(Block::new([width, own], attention, &settings, rng, device));
                width = own;
                skips.push(width);
            }
            let resample =
                (level + 1 < levels).then(|| Convolution::new([width; 2], 3, rng, device));
            skips.extend(resample.is_some().then_some(width));
            down.push(Stage { blocks, resample });
        }
        let middle = [true, false]
            .map(|attention| Block::new([width; 2], attention, &settings, rng, device))
            .into();
        let mut up = Vec::new();
        for (level, multiplier) in self.multipliers.iter().enumerate().rev() {
            let attention = self.attention.contains(&(1 << level));
            let mut blocks = Vec::new();
            for _ in 0..=self.blocks {
                let beside = skips.pop().expect("as many blocks up as results down");
                let own = multiplier * self.channels;
                let channels = [width + beside, own];
                blocks.push(Block::new(channels, attention, &settings, rng, device));
                width = own;
            }
            let resample = (level > 0).then(|| Convolution::new([width; 2], 3, rng, device));
            up.push(Stage { blocks, resample });
        }
        let classes = self
            .classes
            .map(|classes| ClassEmbedding::new(classes, settings.embedding, rng, device));
        UnetNetwork {
            embedding,
            classes,
            input,
            down,
            middle,
            up,
            norm: GroupNorm::new(width, device),
            output: Convolution::zero([width, categories], 3, device),
            features,
            frame: Frame::new(sites, levels),
            precision: Precision::F32,
        }
    }
}

impl UnetNetwork {
    /// # Shapes
    /// `points [batch, sites, categories]`, `level [batch, sites]`, `classes` one per row →
    /// `[batch, sites, categories]`.
    pub fn forward(
        &self,
        points: Tensor<3>,
        evidence: Option<Tensor<3>>,
        level: Tensor<2>,
        classes: Option<&[Option<u16>]>,
        dropout: Option<&mut Dropout>,
    ) -> Tensor<3> {
        let batch = points.dims()[0];
        let states = match evidence {
            Some(evidence) => states(evidence, level.clone()),
            // A field's points are states already.
            None => points.clone(),
        };
        let most = match has_graphics_kernels(&points.device()) {
            true => MOST_ON_GRAPHICS,
            false => MOST_PIXELS,
        };
        let together = (most / self.frame.pixels()).max(1);
        if dropout.is_some() || batch <= together {
            return self.forward_together([points, states], level, classes, dropout);
        }
        // Outside training, rows are computed a few at a time.
        let parts = points.split(together, 0).into_iter();
        let parts = parts.zip(states.split(together, 0));
        let parts = parts.zip(level.split(together, 0));
        let found = parts.enumerate().map(|(part, ((points, states), level))| {
            let from = part * together;
            let rows = from..from + points.dims()[0];
            let classes = classes.map(|classes| &classes[rows]);
            self.forward_together([points, states], level, classes, None)
        });
        Tensor::cat(found.collect(), 0)
    }

    /// The network with convolutions of some precision in training.
    pub(super) fn trained_with(self, precision: Precision) -> Self {
        Self { precision, ..self }
    }

    /// Pixels of an image with its padding.
    pub(super) fn pixels(&self) -> usize {
        self.frame.pixels()
    }

    /// All rows at once. # Shapes: as [`forward`](Self::forward).
    fn forward_together(
        &self,
        points_and_states: [Tensor<3>; 2],
        level: Tensor<2>,
        classes: Option<&[Option<u16>]>,
        mut dropout: Option<&mut Dropout>,
    ) -> Tensor<3> {
        let [batch, _, categories] = points_and_states[0].dims();
        let features = self.features.forward(level); // [batch, sites, 3]
        let common = features.clone().narrow(2, 0, 1).mean_dim(1);
        let mut embedding = self.embedding.forward(common.reshape([batch, 1]));
        if let Some(own) = &self.classes {
            embedding = embedding + own.forward(batch, classes);
        }
        let embedding = activation::silu(embedding); // [batch, 4 · channels]
        let count = categories as f64;
        let [points, states] =
            points_and_states.map(|points| (points * count - 1.0) / (count - 1.0).max(1.0).sqrt());
        let inputs = self
            .frame
            .pad(Tensor::cat(vec![points, features, states], 2));
        // Only training passes a generator on.
        let precision = match dropout {
            Some(_) => self.precision,
            None => Precision::F32,
        };
        let mut hidden = self.input.forward(inputs, 1, precision);
        let mut skips = vec![hidden.clone()];
        let mut apply = |block: &Block, hidden: Tensor<4>| {
            let dropout = dropout.as_deref_mut();
            block.forward(hidden, embedding.clone(), dropout, precision)
        };
        for stage in &self.down {
            for block in &stage.blocks {
                hidden = apply(block, hidden);
                skips.push(hidden.clone());
            }
            if let Some(halve) = &stage.resample {
                hidden = halve.forward(hidden, 2, precision);
                skips.push(hidden.clone());
            }
        }
        for block in &self.middle {
            hidden = apply(block, hidden);
        }
        for stage in &self.up {
            for block in &stage.blocks {
                let beside = skips.pop().expect("as many blocks up as results down");
                hidden = apply(block, Tensor::cat(vec![hidden, beside], 3));
            }
            if let Some(double) = &stage.resample {
                hidden = double.forward(segre_kernels::enlarge(hidden), 1, precision);
            }
        }
        let normal = self.norm.forward(hidden, true);
        self.frame.crop(self.output.forward(normal, 1, precision))
    }
}

/// The states that evidence was made of, as points of the simplices; of unknown sites, the middle.
fn states(evidence: Tensor<3>, level: Tensor<2>) -> Tensor<3> {
    let scale: Tensor<3> = (level * 2.0 + 0.2).unsqueeze_dim(2);
    activation::softmax(evidence / scale, 2)
}
