//! Features of a noise level or time.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::initialise::{normal, parameter};

/// Which features of the level a network sees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TimeEmbeddingConfig {
    /// Bounded features, see [`LevelFeatures`].
    Bounded {
        /// Number of frequencies.
        frequencies: usize,
    },
    /// Random Fourier features, see [`FourierFeatures`].
    Fourier {
        /// Standard deviation of the frequencies; 30 in the class-scaling reference (docs/mathematics.md §3).
        scale: f64,
    },
}

/// Bounded features of a level `u ≥ 0`: with `x = u/(1+u) ∈ [0, 1]`,
/// `(x, cos πx, sin πx, …, cos kπx, sin kπx)`.
///
/// They stay finite for `u → ∞`, so an observed site (infinite signal-to-noise ratio) has features too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelFeatures {
    frequencies: usize,
}

impl LevelFeatures {
    /// Features of the given number of frequencies.
    pub fn new(frequencies: usize) -> Self {
        Self { frequencies }
    }

    /// Number of features, `2k + 1`.
    pub fn width(&self) -> usize {
        2 * self.frequencies + 1
    }

    /// # Shapes
    /// `level [batch, sites]` → `[batch, sites, features]`.
    pub fn forward(&self, level: Tensor<2>) -> Tensor<3> {
        let level: Tensor<3> = level.unsqueeze_dim(2);
        // 1 − 1/(1+u) instead of u/(1+u): also right at u = ∞.
        let bounded: Tensor<3> = 1.0 - (level + 1.0).recip();
        let mut features = vec![bounded.clone()];
        for k in 1..=self.frequencies {
            let angle = bounded.clone() * (k as f64 * std::f64::consts::PI);
            features.extend([angle.clone().cos(), angle.sin()]);
        }
        Tensor::cat(features, 2)
    }
}

/// Gaussian random Fourier features `(sin 2π f t, cos 2π f t)`, frequencies `f ~ N(0, scale²)` fixed.
///
/// Source: docs/mathematics.md §3; Tancik et al. 2020, arXiv 2006.10739.
#[derive(Module, Debug)]
pub struct FourierFeatures {
    frequencies: Param<Tensor<1>>,
}

impl FourierFeatures {
    /// `width` features (an even number).
    pub fn new(width: usize, scale: f64, rng: &mut ChaCha8Rng, device: &Device) -> Self {
        let frequencies = parameter(normal(width / 2, scale, rng), [width / 2], device);
        Self {
            frequencies: frequencies.set_require_grad(false),
        }
    }

    /// # Shapes
    /// `time [batch, sites]` → `[batch, sites, width]`.
    pub fn forward(&self, time: Tensor<2>) -> Tensor<3> {
        let time: Tensor<3> = time.unsqueeze_dim(2);
        let frequencies = self.frequencies.val().unsqueeze::<3>();
        let angle = time * frequencies * std::f64::consts::TAU;
        Tensor::cat(vec![angle.clone().sin(), angle.cos()], 2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn level_features_are_finite_and_tell_levels_apart() {
        let device = Device::flex();
        let level = Tensor::<2>::from_floats([[0.0, 0.5, 7.0, f32::INFINITY]], &device);
        let features = LevelFeatures::new(4).forward(level).into_data();
        let values = features.as_slice::<f32>().expect("f32");
        assert_eq!(values.len(), 4 * 9);
        assert!(
            values
                .iter()
                .all(|v| v.is_finite() && v.abs() <= 1.0 + 1e-6)
        );
        assert_eq!((values[0], values[27]), (0.0, 1.0));
        for pair in values.chunks(9).collect::<Vec<_>>().windows(2) {
            assert!(
                pair[0]
                    .iter()
                    .zip(pair[1])
                    .any(|(a, b)| (a - b).abs() > 0.05)
            );
        }
    }
}
