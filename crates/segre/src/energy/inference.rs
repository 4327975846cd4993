//! What every method of inference returns.

use serde::Serialize;

use super::belief_propagation::BeliefPropagationReport;
use super::chains::ChainReport;
use super::exact::ExactReport;
use super::mean_field::MeanFieldReport;

/// A method of inference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Junction tree.
    Exact,
    /// All configurations one by one.
    Enumeration,
    /// Naive mean field.
    MeanField,
    /// Loopy belief propagation.
    Bp,
    /// Gibbs sampling.
    Gibbs,
    /// Swendsen–Wang sampling.
    SwendsenWang,
}

/// What a value of `log Z` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogZKind {
    /// The value itself, up to rounding.
    Exact,
    /// Not more than the value.
    LowerBound,
    /// Bethe's approximation, exact on trees; neither bound nor estimate with an error.
    Bethe,
}

/// What is known of a model: `log Z`, marginals, energy and entropy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Inference {
    /// How it was found.
    pub method: Method,
    /// Whether all values are exact up to rounding.
    pub exact: bool,
    /// `ln Z` in nats, given the evidence, if the method knows one.
    pub log_z: Option<f64>,
    /// What `log_z` is.
    pub log_z_kind: Option<LogZKind>,
    /// `[variables][states]`; observed variables have probability 1 at their state.
    pub marginals: Vec<Vec<f64>>,
    /// Mean energy `⟨E⟩` in nats.
    pub energy: Option<f64>,
    /// Monte Carlo error of `energy`.
    pub energy_std_error: Option<f64>,
    /// Entropy in nats.
    pub entropy: Option<f64>,
    /// What the method says of its work.
    pub report: Report,
}

/// What a method says of its work.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Report {
    /// Of the junction tree.
    Exact(ExactReport),
    /// Of mean field.
    MeanField(MeanFieldReport),
    /// Of belief propagation.
    BeliefPropagation(BeliefPropagationReport),
    /// Of Markov chains.
    Chains(ChainReport),
    /// Nothing.
    Nothing {},
}

impl Inference {
    /// `log₁₀ Z`, as the UAI competitions report it.
    pub fn log10_z(&self) -> Option<f64> {
        self.log_z.map(|log_z| log_z / std::f64::consts::LN_10)
    }

    /// Mean over variables and states of the absolute difference of two methods' marginals.
    ///
    /// # Panics
    /// If the marginals are not of one shape.
    pub fn mean_marginal_error(&self, other: &Self) -> f64 {
        let (mut sum, mut count) = (0.0, 0);
        for (own, others) in self.marginals.iter().zip(&other.marginals) {
            assert_eq!(own.len(), others.len(), "states of a variable");
            sum += own
                .iter()
                .zip(others)
                .map(|(a, b)| (a - b).abs())
                .sum::<f64>();
            count += own.len();
        }
        sum / f64::from(u32::try_from(count.max(1)).unwrap_or(u32::MAX))
    }
}
