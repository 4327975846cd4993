//! The assignment manifold: one simplex per site, on `[batch, sites, categories]`.
//!
//! Sites may have fewer categories than the last axis is long; what follows a site's own categories
//! is padding. Padding has coordinate 0 and probability exactly 0, and only this file knows how.

use burn::tensor::{DType, Device, IndexingUpdateOp, Int, Tensor, TensorData};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};

use super::simplex;

/// Logit of a padded category: finite, so that `0 · logit` stays 0 instead of NaN, and so low that
/// `exp` of its distance to any real logit is exactly 0 in `f32`, `bf16` and `f64`.
pub const PADDING_LOGIT: f64 = -1.0e30;

/// The product `W = S_{c_1} × … × S_{c_n}` of the simplices of `n` sites.
///
/// Its methods are the maps of [`simplex`] with padding taken care of. Constants follow the device
/// and number type of the tensors they meet, so one manifold serves training and sampling.
///
/// Throughout, *coordinates* are e-coordinates `V = Π log W` and *points* are probabilities `W`.
#[derive(Clone, Debug)]
pub struct AssignmentManifold {
    cardinalities: Vec<usize>,
    categories: usize,
    device: Device,
    /// 1 on legal categories and 0 on padding, `[1, sites, categories]`; `None` without padding.
    legal: Option<Tensor<3>>,
}

impl AssignmentManifold {
    /// The manifold of sites with the given numbers of categories; tensors are made on `device`.
    ///
    /// # Panics
    /// If there is no site, or a site without a category.
    pub fn new(cardinalities: &[usize], device: &Device) -> Self {
        assert!(
            !cardinalities.is_empty() && cardinalities.iter().all(|c| *c > 0),
            "every site needs a category and there must be a site, got {cardinalities:?}"
        );
        let sites = cardinalities.len();
        let categories = cardinalities.iter().copied().fold(0, usize::max);
        let padded = cardinalities.iter().any(|c| *c < categories);
        let legal = padded.then(|| {
            let values: Vec<f32> = cardinalities
                .iter()
                .flat_map(|c| (0..categories).map(move |j| if j < *c { 1.0 } else { 0.0 }))
                .collect();
            Tensor::from_data(TensorData::new(values, [1, sites, categories]), device)
        });
        Self {
            cardinalities: cardinalities.to_vec(),
            categories,
            device: device.clone(),
            legal,
        }
    }

    /// Number of sites `n`.
    pub fn sites(&self) -> usize {
        self.cardinalities.len()
    }

    /// Length `c` of the categories axis: the largest number of categories of a site.
    pub fn categories(&self) -> usize {
        self.categories
    }

    /// Number of categories of each site.
    pub fn cardinalities(&self) -> &[usize] {
        &self.cardinalities
    }

    /// 1 on legal categories, 0 on padding.
    ///
    /// # Shapes
    /// `[sites, categories]`.
    pub fn mask(&self) -> Tensor<2> {
        let shape = [self.sites(), self.categories];
        match &self.legal {
            Some(legal) => legal.clone().reshape(shape),
            None => Tensor::ones(shape, &self.device),
        }
    }

    /// A number per site computed from its cardinality, on the device and in the type of `like`.
    ///
    /// # Shapes
    /// `[1, sites, 1]`, or `[1, 1, 1]` where all sites are alike; broadcasts over `like`.
    pub fn per_site(&self, value: impl Fn(usize) -> f64, like: &Tensor<3>) -> Tensor<3> {
        let values: Vec<f64> = match self.legal {
            Some(_) => self.cardinalities.iter().map(|c| value(*c)).collect(),
            None => vec![value(self.categories)],
        };
        let shape = [1, values.len(), 1];
        if like.dtype() == DType::F32 {
            let values: Vec<f32> = values.into_iter().map(|value| value as f32).collect();
            return segre_kernels::constant(&values, shape, &like.device());
        }
        Tensor::from_data(
            TensorData::new(values, shape),
            (&like.device(), like.dtype()),
        )
    }

    /// Projection onto the tangent space: `Π V`, mean over a site's legal categories removed.
    ///
    /// # Shapes
    /// `[batch, sites, categories]` → the same, padding 0.
    ///
    /// Source: docs/mathematics.md §1.
    pub fn project(&self, vector: Tensor<3>) -> Tensor<3> {
        self.check(&vector);
        let Some(legal) = self.legal_like(&vector) else {
            return simplex::project(vector);
        };
        let count = self.per_site(|c| c as f64, &vector);
        let vector = vector * legal.clone();
        let mean = vector.clone().sum_dim(2) / count;
        vector - mean * legal
    }

    /// Sets the logits of padded categories to [`PADDING_LOGIT`], so that softmax gives them 0.
    ///
    /// # Shapes
    /// `[batch, sites, categories]` → the same.
    pub fn mask_logits(&self, logits: Tensor<3>) -> Tensor<3> {
        self.check(&logits);
        match self.legal_like(&logits) {
            None => logits,
            Some(legal) => logits * legal.clone() + (1.0 - legal) * PADDING_LOGIT,
        }
    }

    /// The point with the given coordinates or logits: `W = softmax(V)`, padding exactly 0.
    ///
    /// # Shapes
    /// `[batch, sites, categories]` → the same.
    ///
    /// Source: RAF (9).
    pub fn point(&self, coordinates: Tensor<3>) -> Tensor<3> {
        simplex::point(self.mask_logits(coordinates))
    }

    /// The e-coordinates of a point: `V = Π log W`.
    ///
    /// # Shapes
    /// `[batch, sites, categories]` → the same, padding 0.
    ///
    /// Source: EG (4).
    pub fn coordinates(&self, point: Tensor<3>) -> Tensor<3> {
        self.project(self.fill_padding(point).log())
    }

    /// The lift `exp_W(V) = softmax(log W + V)` per site; `V + Π v` in coordinates.
    ///
    /// # Shapes
    /// `[batch, sites, categories]` twice → the same.
    ///
    /// Source: EG (4b).
    pub fn lift(&self, base: Tensor<3>, vector: Tensor<3>) -> Tensor<3> {
        self.point(self.fill_padding(base).log() + vector)
    }

    /// Inverse of the lift: `exp_W⁻¹(Q) = Π (log Q − log W)` per site.
    ///
    /// # Shapes
    /// `[batch, sites, categories]` twice → the same.
    ///
    /// Source: docs/mathematics.md §1.
    pub fn inverse_lift(&self, base: Tensor<3>, point: Tensor<3>) -> Tensor<3> {
        self.project(self.fill_padding(point).log() - self.fill_padding(base).log())
    }

    /// Exponential map of the e-connection: `Exp_W(V) = softmax(log W + V / W)` per site.
    ///
    /// # Shapes
    /// `[batch, sites, categories]` twice → the same.
    ///
    /// Source: EG (3).
    pub fn exponential(&self, base: Tensor<3>, tangent: Tensor<3>) -> Tensor<3> {
        let base = self.fill_padding(base);
        self.point(base.clone().log() + tangent / base)
    }

    /// Inverse of the exponential map: `Exp_W⁻¹(Q) = R_W exp_W⁻¹(Q)` per site.
    ///
    /// # Shapes
    /// `[batch, sites, categories]` twice → the same.
    ///
    /// Source: EG (4b).
    pub fn inverse_exponential(&self, base: Tensor<3>, point: Tensor<3>) -> Tensor<3> {
        simplex::replicator(base.clone(), self.inverse_lift(base, point))
    }

    /// Replicator operator per site: `R_W V = W⊙V − ⟨W, V⟩ W`.
    ///
    /// # Shapes
    /// `[batch, sites, categories]` twice → the same, padding 0.
    ///
    /// Source: EG (2).
    pub fn replicator(&self, base: Tensor<3>, vector: Tensor<3>) -> Tensor<3> {
        self.check(&vector);
        simplex::replicator(base, vector)
    }

    /// Fisher–Rao inner product of tangent vectors per site: `Σ_j U_j V_j / W_j`.
    ///
    /// # Shapes
    /// `[batch, sites, categories]` three times → `[batch, sites]`.
    ///
    /// Source: EG §3.1.
    pub fn inner_product(&self, base: Tensor<3>, u: Tensor<3>, v: Tensor<3>) -> Tensor<2> {
        self.check(&u);
        simplex::inner_product(self.fill_padding(base), u, v).squeeze_dim(2)
    }

    /// Squared Fisher–Rao length of `R_W V` per site, `⟨V, R_W V⟩`: the variance of `V` under `W`.
    ///
    /// # Shapes
    /// `[batch, sites, categories]` twice → `[batch, sites]`.
    ///
    /// Source: EG (23).
    pub fn replicator_norm_squared(&self, base: Tensor<3>, vector: Tensor<3>) -> Tensor<2> {
        self.check(&vector);
        simplex::replicator_norm_squared(base, vector).squeeze_dim(2)
    }

    /// Entropy per site of the point with the given coordinates, in nats; at most `log c_i`.
    ///
    /// # Shapes
    /// `[batch, sites, categories]` → `[batch, sites]`.
    ///
    /// Source: EG (8).
    pub fn entropy(&self, coordinates: Tensor<3>) -> Tensor<2> {
        simplex::entropy(self.mask_logits(coordinates)).squeeze_dim(2)
    }

    /// The corners `e_β` of a batch of labels: one-hot vectors in the device's default number type.
    ///
    /// # Shapes
    /// `[batch, sites]` → `[batch, sites, categories]`.
    ///
    /// # Panics
    /// If the shape is not that of the manifold. Labels themselves are checked where data is read.
    pub fn corners(&self, labels: Tensor<2, Int>) -> Tensor<3> {
        let [batch, sites] = labels.dims();
        let device = labels.device();
        let corners = Tensor::<3>::zeros([batch, sites, self.categories], &device);
        self.check(&corners);
        let ones = Tensor::ones([batch, sites, 1], &device);
        corners.scatter(2, labels.unsqueeze_dim(2), ones, IndexingUpdateOp::Add)
    }

    /// The most probable legal category of each site: `arg max_j V_j`, the rounding of docs/mathematics.md §2.
    ///
    /// # Shapes
    /// `[batch, sites, categories]` (coordinates, logits or points) → `[batch, sites]`.
    pub fn labels(&self, coordinates: Tensor<3>) -> Tensor<2, Int> {
        self.mask_logits(coordinates).argmax(2).squeeze_dim(2)
    }

    /// The barycentre `1_W`: probability `1/c_i` on each legal category.
    ///
    /// # Shapes
    /// `[1, sites, categories]`, on the device and in the type of `like`.
    pub fn barycentre(&self, like: &Tensor<3>) -> Tensor<3> {
        let shape = [1, self.sites(), self.categories];
        let legal = self.legal_like(like);
        let legal = legal.unwrap_or_else(|| Tensor::ones(shape, (&like.device(), like.dtype())));
        legal * self.per_site(|c| 1.0 / c as f64, like)
    }

    /// Smoothed corners `q_β = (1−ε) e_β + ε 1_W`.
    ///
    /// # Shapes
    /// `[batch, sites, categories]` → the same.
    ///
    /// Source: EG (14).
    pub fn smooth(&self, corners: Tensor<3>, smoothing: f64) -> Tensor<3> {
        let centre = self.barycentre(&corners);
        corners * (1.0 - smoothing) + centre * smoothing
    }

    /// Coordinates of the smoothed corners in closed form: `V_β = Π log q_β = a_ε (e_β − 1/c)`,
    /// `a_ε = log(1 + (1−ε) c / ε)`.
    ///
    /// # Shapes
    /// `[batch, sites, categories]` → the same, padding 0.
    ///
    /// Source: EG (14), (19).
    pub fn smoothed_coordinates(&self, corners: Tensor<3>, smoothing: f64) -> Tensor<3> {
        let contrast = self.per_site(|c| Self::smoothed_contrast(c, smoothing), &corners);
        self.project(corners) * contrast
    }

    /// Unit directions `v̄ = √(c/(c−1)) (p − 1/c)`: of length 1 at corners, linear in `p`, so that
    /// a posterior's direction is the posterior mean of the corners' directions.
    ///
    /// A site with one category has direction 0.
    ///
    /// # Shapes
    /// `[batch, sites, categories]` (corners or points) → the same, padding 0.
    ///
    /// Source: docs/mathematics.md §2, §2.1.
    pub fn directions(&self, points: Tensor<3>) -> Tensor<3> {
        let scale = self.per_site(Self::direction_scale, &points);
        self.project(points) * scale
    }

    /// The factor `√(c/(c−1))` that gives `e_β − 1/c` length 1; 0 for a single category.
    pub fn direction_scale(categories: usize) -> f64 {
        match categories {
            0 | 1 => 0.0,
            c => (c as f64 / (c - 1) as f64).sqrt(),
        }
    }

    /// The log-odds `a_ε = log(1 + (1−ε) c / ε)` between the chosen and any other category of
    /// `q_β`.
    pub fn smoothed_contrast(categories: usize, smoothing: f64) -> f64 {
        ((1.0 - smoothing) * categories as f64 / smoothing).ln_1p()
    }

    /// Draws the reference `V_0 = Π z`, `z ~ N(0, I)`: standard normal on the tangent space.
    ///
    /// Numbers are drawn in order, so the draw depends on the generator only.
    ///
    /// # Shapes
    /// → `[batch, sites, categories]` in the device's default number type, padding 0.
    ///
    /// Source: EG (15).
    pub fn reference_noise<R: Rng + ?Sized>(&self, batch: usize, rng: &mut R) -> Tensor<3> {
        let shape = [batch, self.sites(), self.categories];
        let count = shape.iter().product();
        let values: Vec<f32> = StandardNormal.sample_iter(rng).take(count).collect();
        self.project(Tensor::from_data(
            TensorData::new(values, shape),
            &self.device,
        ))
    }

    /// The mask on the device and in the type of `like`.
    fn legal_like(&self, like: &Tensor<3>) -> Option<Tensor<3>> {
        let legal = self.legal.clone()?;
        Some(legal.to_device(&like.device()).cast(like.dtype()))
    }

    /// Writes 1 into the padding of a point, where logarithm and division are then harmless.
    fn fill_padding(&self, point: Tensor<3>) -> Tensor<3> {
        self.check(&point);
        match self.legal_like(&point) {
            None => point,
            Some(legal) => point + (1.0 - legal),
        }
    }

    /// Panics with both shapes if a tensor is not one of this manifold.
    fn check(&self, tensor: &Tensor<3>) {
        let [batch, sites, categories] = tensor.dims();
        assert!(
            sites == self.sites() && categories == self.categories,
            "a tensor [{batch}, {sites}, {categories}] is not on a manifold of {} sites and {} categories",
            self.sites(),
            self.categories
        );
    }
}
