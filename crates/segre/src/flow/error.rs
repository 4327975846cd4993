//! What models, their training, samples and scores can get wrong.

use crate::data::DataError;
use crate::file_error::FileError;
use crate::learning::LearningError;
use crate::ode::OdeError;
use crate::progress::Interrupted;
use crate::setting::InvalidSetting;

/// What this room's fallible functions return.
pub type Result<T, E = FlowError> = std::result::Result<T, E>;

/// Everything that can fail in [`crate::flow`].
///
/// Each message is one line: where, what was found, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlowError {
    /// A condition was asked of a field, of a path on the simplex, or of a deterministic sampler.
    #[error(
        "conditions need a model with posterior head, one of the paths infinite, e-geodesic and masked, and one of \
         the samplers sequential, ancestral, localisation and localisation-heun"
    )]
    ConditionNeedsPosterior,
    /// A Jensen form was asked of the decision cone, where weights are 0.
    #[error(
        "the cone has samples of weight 0, whose logarithm has no mean: use the log-mean form, or the ball"
    )]
    ConeHasNoJensenForm,
    /// A conditional likelihood was asked of the deterministic flow.
    #[error(
        "the density of a flow is that of all columns: leave the given columns out, or use the method immse or chain"
    )]
    FlowIsNotConditional,
    /// Something was asked of a path that only Gaussian channels have.
    #[error(
        "the {path} path has no I-MMSE bound and no flow in e-coordinates; fit with `path = infinite` or e-geodesic"
    )]
    NeedsGaussianPath {
        /// Name of the path.
        path: &'static str,
    },
    /// Products of bfloat16 are wanted of a device that has none.
    #[error(
        "there are no products of bfloat16 here: the processor has none (AVX-512 BF16), SEGRE_SIMD forbids them, or \
         `device` is a graphics processor; leave `precision` out"
    )]
    NoBfloat16,
    /// A class was asked of a model that knows none.
    #[error("this model was not told classes of rows; fit one with `labels = FILE`")]
    NoClasses,
    /// A network that sees labels only was asked for with another path, or a prior.
    #[error(
        "the table network sees labels that are known or not: use it with `path = masked` and no prior, or take \
         `network = residual`"
    )]
    LabelsOnly,
    /// A prior was asked of a field.
    #[error(
        "a field has no logits that a prior could start; leave the prior out, or use `head = posterior`"
    )]
    FieldWithPrior,
    /// A field was asked of a path that jumps.
    #[error("the {path} path has no velocity to learn; use the posterior head")]
    NoField {
        /// Name of the path.
        path: &'static str,
    },
    /// A likelihood estimate became NaN or infinite.
    #[error(
        "the network's output for row {row} at root signal-to-noise ratio {root_snr:.3} is not finite; \
         the model is damaged, fit it again"
    )]
    NonFiniteScore {
        /// Row, from 0.
        row: usize,
        /// Level at which it was seen.
        root_snr: f64,
    },
    /// All sites are given.
    #[error("every site is given, so there is nothing to score; give fewer")]
    NothingToScore,
    /// The tables of a pairwise prior are not those of the sites.
    #[error("the pairwise prior has {what}; fit the model anew")]
    PriorMismatch {
        /// What it has and should not.
        what: String,
    },
    /// Ancestral sampling was asked of a field.
    #[error(
        "the ancestral sampler needs a model with posterior head; \
         use euler, heun, rk4, dormand-prince or localisation for a field"
    )]
    SamplerNeedsPosterior,
    /// A sampler was asked for that a path has no use for.
    #[error("this sampler is not for {path}; use {samplers}")]
    SamplerNotForPath {
        /// What path it is.
        path: &'static str,
        /// Samplers that it has.
        samplers: &'static str,
    },
    /// Quadrature was asked for in too many dimensions.
    #[error(
        "the exact likelihood is a quadrature over at most {most} dimensions (categories minus 1, summed over columns), and \
         the model has {found}; use the method importance or immse"
    )]
    TooManyDimensions {
        /// Dimensions of the model.
        found: usize,
        /// Most dimensions.
        most: usize,
    },
    /// What reading and writing files can get wrong.
    #[error(transparent)]
    File(#[from] FileError),
    /// A setting outside its range.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// A process of the job would have no row of a batch.
    #[error(
        "`batch_size`: a batch of {batch} rows for {ranks} processes; start at most {batch}, or ask for larger batches"
    )]
    FewRowsOfARank {
        /// Rows of a batch.
        batch: usize,
        /// Processes.
        ranks: usize,
    },
    /// What a network says of a row depends on the others of its batch, which are on other processes.
    #[error(
        "the network's batch normalisation needs all rows of a batch in one process; start one, or choose another network"
    )]
    CoupledRows,
    /// The caller stopped the work.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// What data can get wrong.
    #[error(transparent)]
    Data(#[from] DataError),
    /// What learning can get wrong.
    #[error(transparent)]
    Learning(#[from] LearningError),
    /// What integration can get wrong.
    #[error(transparent)]
    Ode(#[from] OdeError),
}
