//! Data sets and distributions that come with the library.

mod coupled_binary;
mod digits;
mod eight_gaussians;
mod grid;
mod normal;
mod pinwheel;
mod potts_chain;
mod product;

use super::dataset::Dataset;
use super::options::ReadOptions;
use super::schema::Schema;
use crate::data::error::Result;
use crate::setting::ParameterError;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::fmt;

use coupled_binary::CoupledBinary;
use eight_gaussians::EightGaussians;
use pinwheel::Pinwheel;
use potts_chain::PottsChain;
use product::Product;

/// Rows drawn when neither the source nor the options say how many.
const DEFAULT_ROWS: usize = 500_000;
/// Most rows that can be asked for; a bound against typing errors.
const MAX_ROWS: usize = 100_000_000;
/// Most probabilities `c · n` of a product target, half a gigabyte.
const MAX_PRODUCT_SIZE: usize = 1 << 26;

/// A distribution whose probability mass function is known.
pub trait KnownDistribution: fmt::Debug + Send + Sync {
    /// The sites and their categories.
    fn schema(&self) -> &Schema;

    /// The labels of independent draws, row-major `[rows, sites]`, by the distribution's own recipe.
    fn draw(&self, rows: usize, rng: &mut ChaCha8Rng) -> Vec<u16>;

    /// `ln p(row)` in nats; `−∞` only where the mass is exactly 0.
    ///
    /// # Panics
    /// If the row has another number of sites or a label out of range.
    fn log_pmf(&self, row: &[u16]) -> f64;

    /// `H = −Σ p ln p` in nats, over whole rows.
    fn entropy(&self) -> f64;

    /// `KL(uniform ‖ p) = −ln N − (1/N) Σ ln p` in nats over whole rows: what the plug-in estimate
    /// of `KL(model ‖ p)` tends to for a sampler that draws every configuration equally often.
    fn kl_of_uniform(&self) -> f64;

    /// For sites that are independent: their probabilities, `[sites][categories]`.
    fn site_probabilities(&self) -> Option<&[Vec<f64>]> {
        None
    }

    /// Where it can be computed: `p(β_i = j | x) ∝ Σ_{β: β_i = j} p(β) Π_k exp(evidence_k(β_k))`, the posterior
    /// probabilities of the sites given local evidence in nats, both `[sites, categories]` row-major.
    fn posterior(&self, _evidence: &[f64]) -> Option<Vec<f64>> {
        None
    }

    /// Number `N = Π_i c_i` of configurations.
    fn support(&self) -> f64 {
        self.schema()
            .cardinalities()
            .iter()
            .map(|&count| count as f64)
            .product()
    }

    /// `KL(p ‖ uniform) = ln N − H` in nats over whole rows.
    fn kl_to_uniform(&self) -> f64 {
        let cardinalities = self.schema().cardinalities();
        cardinalities
            .iter()
            .map(|&count| (count as f64).ln())
            .sum::<f64>()
            - self.entropy()
    }

    /// Independent draws as a data set.
    ///
    /// # Errors
    /// None for the built-ins; what [`Dataset::new`] refuses.
    fn sample(&self, rows: usize, rng: &mut ChaCha8Rng) -> Result<Dataset> {
        Dataset::new(self.schema().clone(), self.draw(rows, rng))
    }
}

/// A built-in with its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BuiltIn {
    /// 1797 scanned digits of 8 × 8 pixels with 17 levels.
    Digits,
    /// Two equal-or-not bits, pmf (0.45, 0.05, 0.05, 0.45).
    CoupledBinary {
        /// Rows to draw.
        rows: Option<usize>,
    },
    /// A mixture of eight Gaussians on a 91 × 91 grid.
    EightGaussians {
        /// Rows to draw.
        rows: Option<usize>,
    },
    /// Five bent arms on a 91 × 91 grid.
    Pinwheel {
        /// Rows to draw.
        rows: Option<usize>,
    },
    /// Independent sites with random probabilities.
    Product {
        /// Categories of every site, the parameter `c`.
        categories: usize,
        /// Number of sites, the parameter `n`.
        sites: usize,
        /// Seed of the probabilities, not of the draws.
        seed: u64,
        /// Rows to draw.
        rows: Option<usize>,
    },
    /// A Potts chain with random fields, half of whose neighbours agree.
    PottsChain {
        /// Categories of every site, the parameter `c`.
        categories: usize,
        /// Number of sites, the parameter `n`.
        sites: usize,
        /// Seed of the fields, not of the draws.
        seed: u64,
        /// Rows to draw.
        rows: Option<usize>,
    },
}

impl BuiltIn {
    /// The names, as [`DataSource::parse`](super::DataSource::parse) takes them.
    pub const NAMES: [&str; 6] = [
        "digits",
        "coupled-binary",
        "eight-gaussians",
        "pinwheel",
        "product",
        "potts-chain",
    ];

    /// The name without parameters.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::CoupledBinary { .. } => "coupled-binary",
            Self::EightGaussians { .. } => "eight-gaussians",
            Self::Pinwheel { .. } => "pinwheel",
            Self::Product { .. } => "product",
            Self::PottsChain { .. } => "potts-chain",
        }
    }

    /// The built-in of this name with parameters `key=value,…`, `None` if there is none.
    pub(super) fn parse(name: &str, parameters: &str) -> Result<Option<Self>> {
        let Some(built_in) = Self::NAMES.into_iter().find(|&known| known == name) else {
            return Ok(None);
        };
        let legal: &[&str] = match built_in {
            "digits" => &[],
            "product" | "potts-chain" => &["c", "n", "seed", "rows"],
            _ => &["rows"],
        };
        let parameters = Parameters::parse(built_in, parameters, legal)?;
        let rows = parameters.number("rows", 1, MAX_ROWS)?;
        Ok(Some(match built_in {
            "digits" => Self::Digits,
            "coupled-binary" => Self::CoupledBinary { rows },
            "eight-gaussians" => Self::EightGaussians { rows },
            "pinwheel" => Self::Pinwheel { rows },
            _ => {
                let categories = parameters
                    .number("c", 2, super::MAX_CATEGORIES)?
                    .unwrap_or(160);
                let sites = parameters
                    .number("n", 1, MAX_PRODUCT_SIZE / categories)?
                    .unwrap_or(4);
                let seed = parameters.number("seed", 0, u64::MAX)?.unwrap_or(0);
                match name {
                    "product" => Self::Product {
                        categories,
                        sites,
                        seed,
                        rows,
                    },
                    _ => Self::PottsChain {
                        categories,
                        sites,
                        seed,
                        rows,
                    },
                }
            }
        }))
    }

    /// The distribution, where the built-in is one.
    pub fn known_distribution(&self) -> Option<Box<dyn KnownDistribution>> {
        match self {
            Self::Digits => None,
            Self::CoupledBinary { .. } => Some(Box::new(CoupledBinary::new())),
            Self::EightGaussians { .. } => Some(Box::new(EightGaussians)),
            Self::Pinwheel { .. } => Some(Box::new(Pinwheel)),
            &Self::Product {
                categories,
                sites,
                seed,
                ..
            } => Some(Box::new(Product::new(categories, sites, seed))),
            &Self::PottsChain {
                categories,
                sites,
                seed,
                ..
            } => Some(Box::new(PottsChain::new(categories, sites, seed))),
        }
    }

    /// The data: the stored ones, or draws with the options' seed.
    pub(super) fn dataset(&self, options: &ReadOptions) -> Result<Dataset> {
        let rows = match self {
            Self::Digits => None,
            Self::CoupledBinary { rows }
            | Self::EightGaussians { rows }
            | Self::Pinwheel { rows }
            | Self::Product { rows, .. }
            | Self::PottsChain { rows, .. } => *rows,
        };
        match self.known_distribution() {
            None => digits::digits(),
            Some(distribution) => {
                let rows = rows.or(options.builtin_rows).unwrap_or(DEFAULT_ROWS);
                distribution.sample(rows, &mut ChaCha8Rng::seed_from_u64(options.builtin_seed))
            }
        }
    }
}

impl fmt::Display for BuiltIn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parameters = Vec::new();
        if let Self::Product {
            categories,
            sites,
            seed,
            ..
        }
        | Self::PottsChain {
            categories,
            sites,
            seed,
            ..
        } = self
        {
            parameters.push(format!("c={categories},n={sites},seed={seed}"));
        }
        if let Self::CoupledBinary { rows: Some(rows) }
        | Self::EightGaussians { rows: Some(rows) }
        | Self::Pinwheel { rows: Some(rows) }
        | Self::Product {
            rows: Some(rows), ..
        }
        | Self::PottsChain {
            rows: Some(rows), ..
        } = self
        {
            parameters.push(format!("rows={rows}"));
        }
        formatter.write_str(self.name())?;
        if !parameters.is_empty() {
            write!(formatter, ":{}", parameters.join(","))?;
        }
        Ok(())
    }
}

/// The parameters of a source, split but not yet understood.
struct Parameters<'a> {
    built_in: &'static str,
    pairs: Vec<(&'a str, &'a str)>,
}

impl<'a> Parameters<'a> {
    fn parse(built_in: &'static str, text: &'a str, legal: &[&str]) -> Result<Self> {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let (key, value) = (key.trim(), value.trim());
            let parameter = key.to_string();
            if !legal.contains(&key) {
                let legal = if legal.is_empty() {
                    "none".into()
                } else {
                    legal.join(", ")
                };
                return Err(ParameterError::Unknown {
                    built_in,
                    parameter,
                    legal,
                }
                .into());
            }
            if pairs.iter().any(|&(earlier, _)| earlier == key) {
                let (value, expected) = (value.to_string(), "given once only".into());
                return Err(ParameterError::Bad {
                    built_in,
                    parameter,
                    value,
                    expected,
                }
                .into());
            }
            pairs.push((key, value));
        }
        Ok(Self { built_in, pairs })
    }

    /// An integer in a range, `None` if it was not given.
    fn number<T>(&self, key: &str, least: T, most: T) -> Result<Option<T>>
    where
        T: std::str::FromStr + PartialOrd + fmt::Display,
    {
        let Some(&(_, value)) = self.pairs.iter().find(|&&(known, _)| known == key) else {
            return Ok(None);
        };
        match value.parse::<T>() {
            Ok(number) if least <= number && number <= most => Ok(Some(number)),
            _ => Err(ParameterError::Bad {
                built_in: self.built_in,
                parameter: key.to_string(),
                value: value.to_string(),
                expected: format!("an integer from {least} to {most}"),
            }
            .into()),
        }
    }
}

#[cfg(test)]
mod tests;
