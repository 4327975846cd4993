//! Kinds by name: what a recipe calls paths, networks, presets and conditionals.

use serde::{Deserialize, Serialize};

/// A probability path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PathKind {
    /// Infinite-time straight line in e-coordinates.
    Infinite,
    /// Finite-time e-geodesic.
    EGeodesic,
    /// Straight line on the simplex, for comparison.
    Linear,
    /// Dirichlet distributions of growing concentration, for comparison.
    Dirichlet,
    /// Fisher–Rao geodesic, a great circle on the sphere; for comparison.
    GreatCircle,
    /// Absorbing-state (masked) diffusion.
    Masked,
}

/// A network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkKind {
    /// Site embeddings and residual dense blocks.
    Residual,
    /// Embedded labels, residual dense blocks, logits of unknown columns only.
    Table,
    /// Batch normalisation, dense layers, ReLU.
    Dense,
    /// One-dimensional convolutions.
    Cnn,
    /// Convolutions over images, from fine to coarse and back.
    Unet,
    /// One matrix.
    Linear,
}

/// Which conditionals a model learns beside the joint distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conditional {
    /// None.
    None,
    /// Any sites given any others.
    Any,
}

/// Sizes of a UNet by the size of its images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// 16 channels, 2 resolutions: below 20 pixels, or to see something soon.
    Tiny,
    /// 32 channels, 4 resolutions: up to 64 pixels.
    Mnist,
    /// 64 channels, 5 resolutions: beyond.
    Cityscapes,
}
