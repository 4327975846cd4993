//! The model: a network, what its output means, a path, and the sites' marginals.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData, activation};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::channel::{Denoiser, SAMPLING_REST, SCORING_REST, decisive_root_snr, evidence};
use crate::data::{Dataset, Schema};
use crate::error::{Error, Result};
use crate::geometry::{AssignmentManifold, PADDING_LOGIT};
use crate::network::{Network, NetworkConfig, SiteSpec};
use crate::path::ProbabilityPath;

/// What the network's output means and how it is trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Head {
    /// Context logits `g`: the posterior's logits are evidence + prior + `g` (SPEC §2.1.2), trained by
    /// cross-entropy. The network is fed the local posterior and the root signal-to-noise ratio.
    #[default]
    Posterior,
    /// The velocity `F_θ(W, t)` itself, trained by the replicator-weighted loss EG (23). The network is
    /// fed the point `W_t` and the time.
    Field,
}

/// Everything that fixes a model but its parameters and data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// What the network's output means.
    pub head: Head,
    /// The probability path.
    pub path: ProbabilityPath,
    /// The network.
    pub network: NetworkConfig,
}

impl ModelConfig {
    /// Checks all settings.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] names the first setting outside its range.
    pub fn validate(&self) -> Result<()> {
        self.path.validate()?;
        self.network.validate()
    }
}

/// A model of a joint distribution over the sites of a schema.
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) config: ModelConfig,
    pub(crate) schema: Schema,
    pub(crate) network: Network,
    pub(crate) manifold: AssignmentManifold,
    /// Smoothed logarithms of the training marginals, nats, `[sites · categories]`; padding
    /// [`PADDING_LOGIT`].
    pub(crate) log_marginals: Vec<f32>,
    device: Device,
}

impl Model {
    /// A model that has learned nothing but the marginals of `train`.
    pub(crate) fn new(
        config: ModelConfig,
        train: &Dataset,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        let schema = train.schema.clone();
        let log_marginals = log_marginals(train);
        let network = config
            .network
            .init(&SiteSpec::of(&schema), rng, device)
            .started_from(train, &log_marginals, rng);
        Self::assemble(config, schema, network, log_marginals, device)
    }

    /// A model of its parts.
    pub(crate) fn assemble(
        config: ModelConfig,
        schema: Schema,
        network: Network,
        log_marginals: Vec<f32>,
        device: &Device,
    ) -> Self {
        let manifold = AssignmentManifold::new(&schema.cardinalities(), device);
        Self {
            config,
            schema,
            network,
            manifold,
            log_marginals,
            device: device.clone(),
        }
    }

    /// The settings.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// What the sites and categories are.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The simplices of the sites.
    pub fn manifold(&self) -> &AssignmentManifold {
        &self.manifold
    }

    /// Where the model computes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Whether the model computes on the processor, where threads are ours to use.
    pub(crate) fn computes_on_cpu(&self) -> bool {
        self.device.clone().inner() == Device::flex()
    }

    /// Number of trainable parameters.
    pub fn parameters(&self) -> usize {
        Module::num_params(&self.network)
    }

    /// The factorising distribution of the training marginals.
    pub fn independent_sites(&self) -> IndependentSites<'_> {
        IndependentSites { model: self }
    }

    /// The root signal-to-noise ratio at which the channel decides all sites.
    pub fn end_root_snr(&self) -> f64 {
        decisive_root_snr(self.manifold.cardinalities(), SCORING_REST)
    }

    /// The root signal-to-noise ratio at which a stochastic sampler draws the labels from the posterior.
    pub(crate) fn sampling_root_snr(&self) -> f64 {
        decisive_root_snr(self.manifold.cardinalities(), SAMPLING_REST)
    }

    /// The time of the path at which a site with the most categories has the given level.
    pub fn time_at(&self, root_snr: f64) -> f64 {
        self.config
            .path
            .time_at_snr(root_snr * root_snr, self.manifold.categories())
    }

    /// The levels of all sites when one with the most categories has the given level.
    ///
    /// The posterior head sets each site's level by itself; a field knows one time only, at which the
    /// sites' levels may differ.
    pub fn levels_at(&self, root_snr: f64) -> Vec<f64> {
        match self.config.head {
            Head::Posterior => vec![root_snr; self.manifold.sites()],
            Head::Field => {
                let time = self.time_at(root_snr);
                let level = |c: &usize| self.config.path.snr(time, *c).sqrt();
                self.manifold.cardinalities().iter().map(level).collect()
            }
        }
    }

    /// Logits of the posterior marginals `p(β_i = · | x)`: evidence + prior + context.
    ///
    /// # Shapes
    /// `state [batch, sites, categories]`, `root_snr [batch, sites]` → `[batch, sites, categories]`,
    /// padding [`PADDING_LOGIT`].
    ///
    /// Source: SPEC §2.1.2.
    pub(crate) fn posterior_logits(
        &self,
        state: Tensor<3>,
        root_snr: Tensor<2>,
        dropout: Option<&mut ChaCha8Rng>,
    ) -> Tensor<3> {
        let local = self.local_logits(state, root_snr.clone());
        let points = activation::softmax(local.clone(), 2);
        let context = self.network.forward(points, root_snr, dropout);
        self.manifold.mask_logits(local + context)
    }

    /// Logits of the posterior if the sites were independent: evidence + log marginals.
    fn local_logits(&self, state: Tensor<3>, root_snr: Tensor<2>) -> Tensor<3> {
        let prior = self.prior(&state.device());
        self.manifold
            .mask_logits(evidence(&self.manifold, state, root_snr) + prior)
    }

    /// The log marginals on a device, `[1, sites, categories]`.
    fn prior(&self, device: &Device) -> Tensor<3> {
        let shape = [1, self.manifold.sites(), self.manifold.categories()];
        Tensor::from_data(TensorData::new(self.log_marginals.clone(), shape), device)
    }

    /// The field head's velocity, mean-free.
    ///
    /// # Shapes
    /// `state [batch, sites, categories]` (e-coordinates `V_t`), `time [batch, sites]` →
    /// `[batch, sites, categories]`.
    pub(crate) fn field(&self, state: Tensor<3>, time: Tensor<2>) -> Tensor<3> {
        let points = self.manifold.point(state);
        self.manifold
            .project(self.network.forward(points, time, None))
    }

    /// The velocity of the path at e-coordinates `V_t`, whatever the head.
    ///
    /// # Shapes
    /// `state [batch, sites, categories]`, `time [batch]` → `[batch, sites, categories]`.
    ///
    /// Source: SPEC §2.1.
    pub fn velocity(&self, state: Tensor<3>, time: Tensor<1>) -> Tensor<3> {
        match self.config.head {
            Head::Posterior => self.velocity_of(self, state, time),
            Head::Field => self.field(state, self.time_of_sites(time)),
        }
    }

    /// The velocity of the model's path that any denoiser implies; the model's own for the posterior head.
    ///
    /// # Shapes
    /// As [`velocity`](Self::velocity).
    ///
    /// Source: SPEC §2.1.
    pub(crate) fn velocity_of(
        &self,
        denoiser: &dyn Denoiser,
        state: Tensor<3>,
        time: Tensor<1>,
    ) -> Tensor<3> {
        let channel = self
            .config
            .path
            .channel(&self.manifold, self.time_of_sites(time));
        let root_snr = channel.snr().sqrt();
        let mean = denoiser.posterior_mean(state.clone() / channel.noise_scale.clone(), root_snr);
        channel.velocity(&self.manifold, state, mean)
    }

    /// One time for all sites of an example: `[batch]` → `[batch, sites]`.
    fn time_of_sites(&self, time: Tensor<1>) -> Tensor<2> {
        let time: Tensor<2> = time.unsqueeze_dim(1);
        time.repeat_dim(1, self.manifold.sites())
    }
}

impl Denoiser for Model {
    fn posterior_mean(&self, state: Tensor<3>, root_snr: Tensor<2>) -> Tensor<3> {
        match self.config.head {
            Head::Posterior => activation::softmax(self.posterior_logits(state, root_snr, None), 2),
            Head::Field => {
                // F = ṡ m + (σ̇/σ)(V − s m) solved for the mean direction m, V = σ x.
                let time = self
                    .config
                    .path
                    .times_at_snr(&self.manifold, root_snr.square());
                let channel = self.config.path.channel(&self.manifold, time.clone());
                let state = self.manifold.project(state) * channel.noise_scale.clone();
                let velocity = self.field(state.clone(), time);
                let growth = channel.noise_rate / channel.noise_scale;
                let gain = channel.signal_rate - channel.signal * growth.clone();
                let direction = (velocity - state * growth) / gain;
                // m = √(c/(c−1)) (p − 1/c) solved for p.
                let inverse = |c| match AssignmentManifold::direction_scale(c) {
                    0.0 => 0.0,
                    scale => scale.recip(),
                };
                let scale = self.manifold.per_site(inverse, &direction);
                self.manifold.barycentre(&direction) + direction * scale
            }
        }
    }
}

/// The model's marginals as a factorising distribution: the control variate of the likelihood, and the
/// denoiser beyond the last level.
#[derive(Clone, Copy, Debug)]
pub struct IndependentSites<'a> {
    model: &'a Model,
}

impl IndependentSites<'_> {
    /// `−log Π_i p_i(β_i)` in nats.
    pub fn negative_log_probability(&self, row: &[u16]) -> f64 {
        let categories = self.model.manifold.categories();
        let log = |(site, label): (usize, &u16)| {
            f64::from(self.model.log_marginals[site * categories + usize::from(*label)])
        };
        -row.iter().enumerate().map(log).sum::<f64>()
    }
}

impl Denoiser for IndependentSites<'_> {
    fn posterior_mean(&self, state: Tensor<3>, root_snr: Tensor<2>) -> Tensor<3> {
        activation::softmax(self.model.local_logits(state, root_snr), 2)
    }
}

/// Logarithms of the marginals with half a count added to every category (Krichevsky–Trofimov),
/// normalised in f64; padding [`PADDING_LOGIT`].
fn log_marginals(train: &Dataset) -> Vec<f32> {
    let categories = train.schema.max_categories();
    let mut counts = vec![0.0_f64; train.sites() * categories];
    for row in train.iter() {
        for (site, label) in row.iter().enumerate() {
            counts[site * categories + usize::from(*label)] += 1.0;
        }
    }
    let mut logs = vec![PADDING_LOGIT as f32; counts.len()];
    for (site, own) in train.schema.cardinalities().into_iter().enumerate() {
        let total = train.rows() as f64 + 0.5 * own as f64;
        for place in site * categories..site * categories + own {
            logs[place] = ((counts[place] + 0.5) / total).ln() as f32;
        }
    }
    logs
}

/// Rejects data of another schema.
pub(crate) fn check_schema(model: &Model, data: &Dataset) -> Result<()> {
    match model.schema.same_as(&data.schema) {
        Ok(()) if data.rows() > 0 => Ok(()),
        Ok(()) => Err(Error::NoRows),
        Err(error) => Err(error),
    }
}
