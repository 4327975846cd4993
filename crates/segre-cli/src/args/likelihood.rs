//! Arguments that say how a likelihood is bounded or computed.

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};
use segre::flow::likelihood::ScoreMethod;
use segre::flow::likelihood::importance::{
    Divergence, Form, ImportanceOptions, ProbeNoise, Region,
};

use super::at_least_one;

/// Methods by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MethodName {
    /// Bound of the flow: the I-MMSE integral, no simulation
    Immse,
    /// Bound of the sequential sampler: the chain rule in random order; needs --conditional any
    Chain,
    /// The same by the mean probability over several orders of each row (--orders), which is tighter
    Orders,
    /// Bound of the deterministic flow as published: importance samples of its end points, change of variables
    Importance,
    /// Value of the deterministic flow by quadrature; for 3 dimensions (categories minus 1, summed) at most
    Exact,
    /// The tightest of immse and orders (chain where orders would take too long) that reaches --std-error
    Auto,
}

impl MethodName {
    /// The library's method.
    pub fn method(self) -> ScoreMethod {
        match self {
            Self::Immse => ScoreMethod::Immse,
            Self::Chain => ScoreMethod::Sequential,
            Self::Orders => ScoreMethod::Orders,
            Self::Importance => ScoreMethod::Importance,
            Self::Exact => ScoreMethod::Exact,
            Self::Auto => ScoreMethod::Tightest,
        }
    }
}

/// Settings of `--method importance`.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Method importance")]
pub struct Importance {
    /// Importance samples per row [default: 16]
    #[arg(allow_negative_numbers = true, long, value_name = "N", value_parser = at_least_one)]
    pub importance_samples: Option<usize>,
    /// Mass of the proposal within the balls around the labels, as published 0.8 [default: as wide as the path's noise]
    #[arg(allow_negative_numbers = true, long, value_name = "MASS")]
    pub ball_mass: Option<f64>,
    /// What is integrated over [default: ball]
    #[arg(long, value_name = "NAME")]
    pub region: Option<RegionName>,
    /// How samples become a number [default: log-mean where the divergence is exact, else jensen]
    #[arg(long, value_name = "NAME")]
    pub form: Option<FormName>,
    /// Divergence of the velocity [default: exact for at most 24 dimensions, else rademacher]
    #[arg(long, value_name = "NAME")]
    pub divergence: Option<DivergenceName>,
    /// Random vectors per state of an estimated divergence [default: 1]
    #[arg(allow_negative_numbers = true, long, value_name = "N", value_parser = at_least_one)]
    pub probes: Option<usize>,
    /// Relative and absolute tolerance of the integration, also of --method exact [default: 1e-4]
    #[arg(allow_negative_numbers = true, long, value_name = "TOLERANCE")]
    pub tolerance: Option<f64>,
}

/// Regions by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RegionName {
    /// Balls around the labels
    Ball,
    /// All states that are rounded to the labels
    Cone,
    /// No rounding: every state by the probability that it gives to the labels
    Unrounded,
}

/// Forms by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormName {
    /// Mean of the logarithms of the weights
    Jensen,
    /// Logarithm of their mean
    LogMean,
}

/// Divergences by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DivergenceName {
    /// One evaluation per dimension
    Exact,
    /// Hutchinson's estimate, normal vectors
    Gaussian,
    /// Hutchinson's estimate, vectors of signs
    Rademacher,
}

impl Importance {
    /// The library's options.
    ///
    /// # Errors
    /// If they are given for a method that has no use for them.
    pub fn options(&self, method: Option<MethodName>) -> Result<ImportanceOptions> {
        let sampled = method == Some(MethodName::Importance);
        let useless = [
            ("--importance-samples", self.importance_samples.is_some()),
            ("--ball-mass", self.ball_mass.is_some()),
            ("--region", self.region.is_some()),
            ("--form", self.form.is_some()),
            ("--divergence", self.divergence.is_some()),
            ("--probes", self.probes.is_some()),
        ];
        for (name, given) in useless {
            ensure!(
                sampled || !given,
                "{name} is for --method importance; add it or leave {name} out"
            );
        }
        ensure!(
            sampled || method == Some(MethodName::Exact) || self.tolerance.is_none(),
            "--tolerance is for --method importance and exact; add one or leave --tolerance out"
        );
        let hutchinson = |noise| Divergence::Hutchinson {
            probes: self.probes.unwrap_or(1),
            noise,
        };
        let divergence = match (self.divergence, self.probes) {
            (None, None) => None,
            (Some(DivergenceName::Exact), None) => Some(Divergence::Exact),
            (Some(DivergenceName::Exact), Some(probes)) => anyhow::bail!(
                "--probes {probes} is for an estimated divergence; leave it out or use --divergence rademacher"
            ),
            (Some(DivergenceName::Gaussian), _) => Some(hutchinson(ProbeNoise::Gaussian)),
            (Some(DivergenceName::Rademacher) | None, _) => {
                Some(hutchinson(ProbeNoise::Rademacher))
            }
        };
        let default = ImportanceOptions::default();
        Ok(ImportanceOptions {
            samples: self.importance_samples.unwrap_or(default.samples),
            mass: self.ball_mass,
            region: match self.region {
                None | Some(RegionName::Ball) => Region::Ball,
                Some(RegionName::Cone) => Region::Cone,
                Some(RegionName::Unrounded) => Region::Unrounded,
            },
            form: self.form.map(|name| match name {
                FormName::Jensen => Form::Jensen,
                FormName::LogMean => Form::LogMean,
            }),
            divergence,
            tolerance: self.tolerance.unwrap_or(default.tolerance),
        })
    }
}
