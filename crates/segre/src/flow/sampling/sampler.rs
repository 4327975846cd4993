//! The samplers by name.

use serde::{Deserialize, Serialize};

/// How samples are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampler {
    /// Stochastic: at every level labels are drawn from the posterior marginals and the channel is
    /// advanced with them; exact for independent sites with any number of steps. Needs a posterior head.
    Ancestral,
    /// Stochastic localisation: `dy = E[v̄ | y] dγ + dB` by Euler–Maruyama (docs/mathematics.md §2.1.4).
    /// The labels are drawn from the posterior at the end.
    Localisation,
    /// Stochastic localisation by Heun's predictor and corrector with the same noise, two evaluations a
    /// step: of weak order 2, because the noise does not depend on the state.
    LocalisationHeun,
    /// Sites are drawn in random order, in as many groups as there are steps, each from its marginal given
    /// those drawn before. With one site per step that is the chain rule: no error but the network's. Needs
    /// training that shows some of the labels.
    Sequential,
    /// The assignment flow by the explicit Euler method.
    Euler,
    /// The assignment flow by Heun's method, order 2.
    Heun,
    /// The assignment flow by the classical Runge–Kutta method, order 4.
    Rk4,
    /// The assignment flow by Dormand–Prince 5(4) with adaptive steps.
    DormandPrince,
}

impl Sampler {
    /// Whether it follows the channel rather than the flow.
    pub fn is_stochastic(self) -> bool {
        matches!(
            self,
            Self::Ancestral | Self::Localisation | Self::LocalisationHeun | Self::Sequential
        )
    }

    /// Steps when none are asked for: what was found to suffice on the built-in distributions.
    pub fn default_steps(self, sites: usize) -> usize {
        match self {
            Self::LocalisationHeun => 16,
            Self::Sequential => sites.min(64),
            _ => 32,
        }
    }
}
