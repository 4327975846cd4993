//! The Segre embedding of factorising distributions among all joint distributions, for small cases.
//!
//! `N = categories^sites` configurations are listed with the first site slowest. Nothing else in
//! the library forms `N`-vectors; these maps are for exact checks and pictures.

use burn::tensor::Tensor;

/// Largest number of configurations that the maps of this module accept (8 MiB per example in
/// `f64`).
pub const MAX_CONFIGURATIONS: usize = 1 << 20;

/// Segre embedding `T(W)_α = Π_i W_{i,α_i}`.
///
/// # Shapes
/// `[batch, sites, categories]` → `[batch, categories^sites]`. Padded categories get probability
/// zero.
///
/// # Panics
/// If `categories^sites` exceeds [`MAX_CONFIGURATIONS`].
///
/// Source: EG (6), RAF (4a).
pub fn embed(point: Tensor<3>) -> Tensor<2> {
    outer(point, |joint, site| joint * site)
}

/// The linear map `Q(V)_α = Σ_i V_{i,α_i}`: embedding of e-coordinates, up to constants.
///
/// # Shapes
/// `[batch, sites, categories]` → `[batch, categories^sites]`.
///
/// # Panics
/// If `categories^sites` exceeds [`MAX_CONFIGURATIONS`].
///
/// Source: RAF (4b).
pub fn embed_coordinates(coordinates: Tensor<3>) -> Tensor<2> {
    outer(coordinates, |joint, site| joint + site)
}

/// Marginals `(M p)_{i,j} = Σ_{α : α_i = j} p_α` of a joint distribution; `M = Qᵀ`, `M T(W) = W`.
///
/// # Shapes
/// `[batch, categories^sites]` → `[batch, sites, categories]`.
///
/// # Panics
/// If the second axis is not `categories^sites`, or exceeds [`MAX_CONFIGURATIONS`].
///
/// Source: EG (9).
pub fn marginalize(joint: Tensor<2>, sites: usize, categories: usize) -> Tensor<3> {
    let [batch, size] = joint.dims();
    assert_eq!(
        size,
        configurations(sites, categories),
        "a joint [{batch}, {size}] does not fit {sites} sites with {categories} categories"
    );
    let marginals = (0..sites).map(|site| {
        let (slower, faster) = (
            categories.pow(site as u32),
            categories.pow((sites - site - 1) as u32),
        );
        joint
            .clone()
            .reshape([batch, slower, categories, faster])
            .sum_dim(3)
            .sum_dim(1)
            .reshape([batch, 1, categories])
    });
    Tensor::cat(marginals.collect(), 1)
}

/// Combines the sites one after the other: `[batch, K, 1]` with `[batch, 1, categories]`.
fn outer(values: Tensor<3>, combine: fn(Tensor<3>, Tensor<3>) -> Tensor<3>) -> Tensor<2> {
    let [batch, sites, categories] = values.dims();
    let size = configurations(sites, categories);
    let mut joint = values.clone().narrow(1, 0, 1).swap_dims(1, 2);
    for site in 1..sites {
        let next = values.clone().narrow(1, site, 1);
        let length = joint.dims()[1] * categories;
        joint = combine(joint, next).reshape([batch, length, 1]);
    }
    joint.reshape([batch, size])
}

/// Number of configurations `N`, checked against the limit.
fn configurations(sites: usize, categories: usize) -> usize {
    u32::try_from(sites)
        .ok()
        .and_then(|sites| categories.checked_pow(sites))
        .filter(|size| *size <= MAX_CONFIGURATIONS)
        .unwrap_or_else(|| {
            panic!("{categories}^{sites} configurations are more than {MAX_CONFIGURATIONS}")
        })
}
