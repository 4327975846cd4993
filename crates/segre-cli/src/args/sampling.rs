//! Arguments that say how samples are drawn.

use clap::{Args, ValueEnum};
use segre::flow::sampling::{LevelGrid, Sampler, SamplingOptions};
use segre::ode::AdaptiveOptions;

use super::at_least_one;

/// How samples are drawn.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sampling")]
pub struct Sampling {
    /// Sampler [default: sequential for a table of up to 16 columns, else localisation-heun; rk4 for a field]
    #[arg(long, value_name = "NAME")]
    pub sampler: Option<SamplerName>,
    /// Steps of a sampler with fixed steps [default: one per site for sequential (at most 64), 16 for localisation-heun, 32 for others]
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub steps: Option<usize>,
    /// Where the steps lie [default: asinh; uniform for a field]
    #[arg(long)]
    pub grid: Option<GridName>,
    /// Relative and absolute tolerance of dormand-prince
    #[arg(
        allow_negative_numbers = true,
        long,
        value_name = "TOLERANCE",
        default_value_t = 1e-4
    )]
    pub tolerance: f64,
    /// Samples computed at a time
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = at_least_one)]
    pub batch: usize,
}

impl Sampling {
    /// The library's options.
    pub fn options(&self, seed: u64) -> SamplingOptions {
        let sampler = self.sampler.map(|name| match name {
            SamplerName::Ancestral => Sampler::Ancestral,
            SamplerName::Localisation => Sampler::Localisation,
            SamplerName::LocalisationHeun => Sampler::LocalisationHeun,
            SamplerName::Sequential => Sampler::Sequential,
            SamplerName::Euler => Sampler::Euler,
            SamplerName::Heun => Sampler::Heun,
            SamplerName::Rk4 => Sampler::Rk4,
            SamplerName::DormandPrince => Sampler::DormandPrince,
        });
        SamplingOptions {
            sampler,
            steps: self.steps,
            grid: self.grid.map(|name| match name {
                GridName::Asinh => LevelGrid::Asinh,
                GridName::Uniform => LevelGrid::Uniform,
                GridName::LogSnr => LevelGrid::LogSnr,
            }),
            tolerances: AdaptiveOptions {
                relative_tolerance: self.tolerance,
                absolute_tolerance: self.tolerance,
                ..AdaptiveOptions::default()
            },
            seed,
            batch: self.batch,
        }
    }
}

/// Samplers by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SamplerName {
    /// Stochastic, labels drawn from the posterior at every level
    Ancestral,
    /// Stochastic localisation, Euler–Maruyama
    Localisation,
    /// Stochastic localisation, Heun's predictor and corrector, two evaluations a step
    LocalisationHeun,
    /// Sites one after the other (in as many groups as steps), each given those before; needs --conditional any
    Sequential,
    /// Assignment flow, Euler
    Euler,
    /// Assignment flow, Heun
    Heun,
    /// Assignment flow, classical Runge–Kutta
    Rk4,
    /// Assignment flow, Dormand–Prince 5(4), adaptive
    DormandPrince,
}

/// Grids by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GridName {
    /// Uniform in the logarithm of the signal-to-noise ratio from where all sites together begin to tell: what the whole
    /// image is, is decided long before any pixel is
    Asinh,
    /// Uniform in time
    Uniform,
    /// Uniform in the logarithm of the signal-to-noise ratio
    LogSnr,
}
