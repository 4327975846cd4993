//! Which samplers a head can serve, and which it has when none is asked for.

use super::Head;
use crate::flow::error::{FlowError, Result};
use crate::flow::model::Model;
use crate::flow::sampling::{LevelGrid, Sampler};
use crate::path::ProbabilityPath;

/// Up to so many sites the chain rule is the default.
const FEW_SITES: usize = 16;

impl Head {
    /// The sampler when none is asked for.
    ///
    /// With few sites, and a model that has learned their conditionals, the chain rule costs one evaluation per
    /// site and has no error of its own; else the localisation of weak order 2 needs the fewest.
    pub fn recommended_sampler(
        self,
        path: &ProbabilityPath,
        sites: usize,
        conditional: bool,
    ) -> Sampler {
        match (path, self) {
            (ProbabilityPath::Gaussian(_), Self::Posterior)
                if conditional && sites <= FEW_SITES =>
            {
                Sampler::Sequential
            }
            (ProbabilityPath::Gaussian(_), Self::Posterior) => Sampler::LocalisationHeun,
            (ProbabilityPath::Gaussian(_), Self::Field) => Sampler::Rk4,
            (ProbabilityPath::Simplex(_), Self::Posterior) => Sampler::Ancestral,
            (ProbabilityPath::Simplex(_), Self::Field) => Sampler::Euler,
            (ProbabilityPath::Discrete(_), _) => Sampler::Sequential,
        }
    }

    /// Where the levels lie when nothing is asked for.
    pub fn level_grid(self) -> LevelGrid {
        match self {
            Self::Posterior => LevelGrid::Asinh,
            Self::Field => LevelGrid::Uniform,
        }
    }

    /// The last level `√γ` of a stochastic sampler: a posterior's labels are drawn before they are read off.
    pub(in crate::flow) fn sampling_end(self, model: &Model) -> f64 {
        match self {
            Self::Posterior => model.sampling_root_snr(),
            Self::Field => model.end_root_snr(),
        }
    }

    /// Refuses a sampler that head or path cannot serve.
    ///
    /// # Errors
    /// [`FlowError::SamplerNeedsPosterior`], [`FlowError::SamplerNotForPath`].
    pub(in crate::flow) fn check_sampler(
        self,
        path: &ProbabilityPath,
        sampler: Sampler,
    ) -> Result<()> {
        if self == Self::Field && matches!(sampler, Sampler::Ancestral | Sampler::Sequential) {
            return Err(FlowError::SamplerNeedsPosterior);
        }
        let (path, samplers) = match path {
            ProbabilityPath::Gaussian(_) => return Ok(()),
            ProbabilityPath::Simplex(_) => ("a path on the simplex", "ancestral or euler"),
            ProbabilityPath::Discrete(_) => ("the masked path", "sequential"),
        };
        let served = match sampler {
            Sampler::Ancestral | Sampler::Euler => samplers.contains("euler"),
            Sampler::Sequential => samplers == "sequential",
            _ => false,
        };
        match served {
            true => Ok(()),
            false => Err(FlowError::SamplerNotForPath { path, samplers }),
        }
    }
}
