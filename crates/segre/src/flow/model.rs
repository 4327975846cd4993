//! The model: a network, what its output means, a path, and a prior.

use burn::module::Module;
use burn::tensor::{Device, Tensor, activation};
use rand_chacha::ChaCha8Rng;
use segre_kernels::Place;

use super::channel::{Denoiser, SAMPLING_REST, SCORING_REST, decisive_root_snr, evidence};
use super::config::ModelConfig;
use super::head::Head;
use super::known::{Conditionals, KnownLabels};
use super::prior::{IndependentSites, Marginals, PairwisePrior, Prior, PriorConfig};
use super::sites::{draw_rows, site_spec};
use crate::data::DataError;
use crate::data::{Dataset, Schema};
use crate::flow::error::{FlowError, Result};
use crate::geometry::AssignmentManifold;
use crate::network::{Network, NetworkConfig};
use crate::path::{GaussianPath, ProbabilityPath};

/// Most coordinates of states that are computed with together, 64 MB: `1024` rows of 4 sites and 4096 categories.
const MOST_COORDINATES: usize = 1 << 24;

/// Most pixels that a UNet sees at a time, 4 label maps of 128 × 256: more keep a processor no busier, and whoever asks
/// for an end, or watches the progress, would wait for minutes.
const MOST_PIXELS: usize = 1 << 17;

/// A model of a joint distribution over the sites of a schema.
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) config: ModelConfig,
    pub(crate) schema: Schema,
    pub(crate) network: Network,
    pub(crate) manifold: AssignmentManifold,
    pub(super) marginals: Marginals,
    pub(super) prior: Prior,
    /// What the network's context is multiplied with, 1 until it is calibrated (`training/calibration.rs`).
    pub(crate) context_gain: f32,
    /// Whether training showed some of the labels, so that the model has learned all conditionals.
    pub(crate) conditional: bool,
    device: Device,
}

impl Model {
    /// A model that has learned nothing but its prior.
    pub(crate) fn new(
        config: ModelConfig,
        train: &Dataset,
        rng: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        let schema = train.schema.clone();
        let marginals = Marginals::of_rows(train);
        let sites = site_spec(&schema);
        let network = config.network.init(&sites, rng, device);
        let rows = draw_rows(train, network.starting_rows(), rng);
        let network = network.started_from(&rows, &sites, marginals.logs());
        let prior = Prior::fit(&config.prior, train, &marginals, device, rng);
        Self::assemble(config, schema, network, (marginals, prior), device)
    }

    /// A model of its parts.
    pub(super) fn assemble(
        config: ModelConfig,
        schema: Schema,
        network: Network,
        (marginals, prior): (Marginals, Prior),
        device: &Device,
    ) -> Self {
        Self {
            manifold: AssignmentManifold::new(&schema.cardinalities(), device),
            network: network.with_marginals(&site_spec(&schema), marginals.logs()),
            config,
            schema,
            marginals,
            prior,
            context_gain: 1.0,
            conditional: false,
            device: device.clone(),
        }
    }

    /// Takes another energy of the same sites as its prior.
    pub(super) fn set_energy(&mut self, energy: PairwisePrior) {
        self.prior = Prior::of_energy(&energy, self.manifold.cardinalities());
        self.config.prior = PriorConfig::Pairwise(energy);
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

    /// Whether the model has learned the conditionals of all sites given any others: some labels were shown in training, or
    /// its path shows nothing else.
    pub fn knows_conditionals(&self) -> bool {
        self.conditional || matches!(self.config.path, ProbabilityPath::Discrete(_))
    }

    /// Most rows whose states are kept in memory together, and that a network sees at a time.
    pub(crate) fn most_rows(&self) -> usize {
        let sites = self.manifold.sites();
        let row = sites * self.manifold.categories();
        let rows = match self.config.network {
            NetworkConfig::Unet(_) => MOST_PIXELS / sites,
            _ => usize::MAX,
        };
        rows.min(MOST_COORDINATES / row.max(1)).max(1)
    }

    /// Number of trainable parameters.
    pub fn parameters(&self) -> usize {
        Module::num_params(&self.network)
    }

    /// The factorising distribution of the training marginals.
    pub(crate) fn independent_sites(&self) -> IndependentSites<'_> {
        IndependentSites::new(&self.marginals, &self.manifold)
    }

    /// The path, if it is a Gaussian channel with a clock.
    ///
    /// # Errors
    /// [`FlowError::NeedsGaussianPath`].
    pub fn gaussian_path(&self) -> Result<&GaussianPath> {
        match &self.config.path {
            ProbabilityPath::Gaussian(path) => Ok(path),
            other => Err(FlowError::NeedsGaussianPath { path: other.name() }),
        }
    }

    /// Whether data can be scored under the model: all but fields and posteriors on the simplex have a bound.
    pub fn has_bound(&self) -> bool {
        self.config.path.has_bound()
    }

    /// Whether the model can be told labels.
    ///
    /// # Errors
    /// [`FlowError::ConditionNeedsPosterior`] for a field head or a path on the simplex.
    pub(crate) fn check_conditions(&self) -> Result<()> {
        self.config.head.check_conditions(&self.config.path)
    }

    /// The root signal-to-noise ratio at which the channel decides all sites.
    pub fn end_root_snr(&self) -> f64 {
        decisive_root_snr(self.manifold.cardinalities(), SCORING_REST)
    }

    /// The root signal-to-noise ratio at which a stochastic sampler draws the labels from the posterior.
    pub(crate) fn sampling_root_snr(&self) -> f64 {
        decisive_root_snr(self.manifold.cardinalities(), SAMPLING_REST)
    }

    /// The model with its network at rest, which it also stays where gradients of its input are wanted.
    pub(crate) fn at_rest(&self) -> Self {
        Self {
            network: self.network.valid(),
            ..self.clone()
        }
    }

    /// The velocity of a Gaussian path at e-coordinates `V_t`, whatever the head.
    ///
    /// # Shapes
    /// `state [batch, sites, categories]`, `time [batch]` → `[batch, sites, categories]`.
    ///
    /// # Panics
    /// If the model's path is no Gaussian one: its state has other coordinates.
    ///
    /// Source: docs/mathematics.md §2.1.
    pub fn velocity(&self, state: Tensor<3>, time: Tensor<1>) -> Tensor<3> {
        self.config.head.velocity(self, self, state, time)
    }

    /// The velocity of the model's path that any denoiser implies; the model's own for the posterior head.
    ///
    /// # Shapes and panics
    /// As [`velocity`](Self::velocity).
    ///
    /// Source: docs/mathematics.md §2.1.
    pub(crate) fn velocity_of(
        &self,
        denoiser: &dyn Denoiser,
        state: Tensor<3>,
        time: Tensor<1>,
    ) -> Tensor<3> {
        let channel = self
            .clock()
            .channel(&self.manifold, self.time_of_sites(time));
        let root_snr = channel.snr().sqrt();
        let mean = denoiser.posterior_mean(state.clone() / channel.noise_scale.clone(), root_snr);
        channel.velocity(&self.manifold, state, mean)
    }

    /// The Gaussian path, where callers have refused others.
    pub(super) fn clock(&self) -> &GaussianPath {
        self.gaussian_path()
            .expect("velocities in e-coordinates belong to Gaussian paths")
    }

    /// One time for all sites of an example: `[batch]` → `[batch, sites]`.
    pub(super) fn time_of_sites(&self, time: Tensor<1>) -> Tensor<2> {
        let time: Tensor<2> = time.unsqueeze_dim(1);
        time.repeat_dim(1, self.manifold.sites())
    }
}

impl Denoiser for Model {
    fn posterior_mean(&self, state: Tensor<3>, root_snr: Tensor<2>) -> Tensor<3> {
        match self.config.head {
            Head::Posterior => {
                self.posterior(evidence(&self.manifold, state, root_snr.clone()), root_snr)
            }
            Head::Field => self.mean_of_field(state, root_snr),
        }
    }

    fn posterior(&self, evidence: Tensor<3>, level: Tensor<2>) -> Tensor<3> {
        assert!(self.config.head.has_context(), "a field has no posterior");
        activation::softmax(self.posterior_logits(evidence, level, None, None), 2)
    }

    fn conditionals(&self, known: &KnownLabels, places: &[Place]) -> Option<Conditionals> {
        self.conditionals_at(known, places)
    }
}

/// Rejects data of another schema.
pub(crate) fn check_schema(model: &Model, data: &Dataset) -> Result<()> {
    match model.schema.same_as(&data.schema) {
        Ok(()) if data.rows() > 0 => Ok(()),
        Ok(()) => Err(DataError::NoRows.into()),
        Err(error) => Err(error.into()),
    }
}
