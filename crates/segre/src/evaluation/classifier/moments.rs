//! Mean and covariance of features, and the Fréchet distance of the Gaussians that have them.

use super::Classification;
use nalgebra::{DMatrix, SymmetricEigen};
use rayon::prelude::*;

/// Mean and covariance of vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// Number of vectors.
    pub rows: usize,
    /// The mean.
    pub mean: Vec<f64>,
    /// `Σ (x − mean)(x − mean)ᵀ / (rows − 1)`, `[width, width]`; zeros for a single vector.
    pub covariance: Vec<f64>,
}

impl Moments {
    /// Moments of the features of classified rows.
    pub fn of(found: &Classification) -> Self {
        Self::of_vectors(&found.features, found.width)
    }

    /// Moments of vectors `[rows, width]`.
    ///
    /// # Panics
    /// Without vectors, or if the values do not fill whole ones.
    pub fn of_vectors(values: &[f32], width: usize) -> Self {
        assert!(
            width > 0 && !values.is_empty() && values.len().is_multiple_of(width),
            "{} values are no vectors of {width}",
            values.len()
        );
        let rows = values.len() / width;
        let mut mean = vec![0.0; width];
        for row in values.chunks_exact(width) {
            for (sum, value) in mean.iter_mut().zip(row) {
                *sum += f64::from(*value) / rows as f64;
            }
        }
        let centred: Vec<f64> = values
            .chunks_exact(width)
            .flat_map(|row| row.iter().zip(&mean).map(|(x, mean)| f64::from(*x) - mean))
            .collect();
        let mut covariance = vec![0.0; width * width];
        covariance
            .par_chunks_exact_mut(width)
            .enumerate()
            .for_each(|(i, line)| {
                for row in centred.chunks_exact(width) {
                    for (sum, value) in line.iter_mut().zip(row) {
                        *sum += row[i] * value;
                    }
                }
                let freedom = (rows - 1).max(1) as f64;
                line.iter_mut().for_each(|sum| *sum /= freedom);
            });
        Self {
            rows,
            mean,
            covariance,
        }
    }

    /// `|m₁ − m₂|² + tr(C₁ + C₂ − 2 (C₁^½ C₂ C₁^½)^½)`: the squared Wasserstein distance of two Gaussians.
    ///
    /// Of features it depends on the classifier, so that values of different classifiers cannot be compared; and it
    /// falls with the number of rows, so that only values with as many rows can.
    ///
    /// Source: Dowson & Landau, The Fréchet distance between multivariate normal distributions, J. Multivariate
    /// Analysis 12, 1982; for samples of images Heusel et al. 2017, arXiv 1706.08500.
    ///
    /// # Panics
    /// If the widths differ.
    pub fn frechet_distance(&self, other: &Self) -> f64 {
        let width = self.mean.len();
        assert_eq!(width, other.mean.len(), "features of the same classifier");
        let means = self.mean.iter().zip(&other.mean);
        let mean: f64 = means.map(|(a, b)| (a - b) * (a - b)).sum();
        let square = |values: &[f64]| DMatrix::from_row_slice(width, width, values);
        let (own, others) = (square(&self.covariance), square(&other.covariance));
        let traces = own.trace() + others.trace();
        let cross = square_root(own).and_then(|root| {
            let (values, _) = eigen(&root * others * &root)?;
            Some(roots(&values).iter().sum::<f64>())
        });
        let distance = cross.map_or(f64::NAN, |cross| mean + traces - 2.0 * cross);
        if distance < 0.0 { 0.0 } else { distance }
    }
}

/// Eigenvalues and, column by column, eigenvectors of a symmetric matrix; none if it has no finite ones.
fn eigen(matrix: DMatrix<f64>) -> Option<(Vec<f64>, DMatrix<f64>)> {
    /// A value takes two or three on average.
    const MOST_STEPS_PER_VALUE: usize = 100;
    let most = MOST_STEPS_PER_VALUE * matrix.nrows();
    let found = SymmetricEigen::try_new(matrix, f64::EPSILON, most)?;
    Some((found.eigenvalues.as_slice().to_vec(), found.eigenvectors))
}

/// Roots of the eigenvalues of a positive semi-definite matrix: what rounding leaves of zeros, on either side of it, is
/// zero, because the root of an error of 10⁻¹⁶ is one of 10⁻⁸.
fn roots(values: &[f64]) -> Vec<f64> {
    let largest = values.iter().copied().fold(0.0, f64::max);
    let noise = largest * f64::EPSILON * values.len() as f64;
    let root = |value: &f64| if *value > noise { value.sqrt() } else { 0.0 };
    values.iter().map(root).collect()
}

/// The positive semi-definite root `V √D Vᵀ` of a covariance.
fn square_root(matrix: DMatrix<f64>) -> Option<DMatrix<f64>> {
    let (values, mut vectors) = eigen(matrix)?;
    for (mut vector, root) in vectors.column_iter_mut().zip(roots(&values)) {
        vector *= root.sqrt();
    }
    Some(&vectors * vectors.transpose())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};
    use rand_distr::{Distribution, StandardNormal};

    fn diagonal(mean: [f64; 3], variances: [f64; 3]) -> Moments {
        let mut covariance = vec![0.0; 9];
        for (place, variance) in variances.into_iter().enumerate() {
            covariance[4 * place] = variance;
        }
        Moments {
            rows: 10,
            mean: mean.to_vec(),
            covariance,
        }
    }

    /// `Q D Qᵀ` with a rotation about an axis that is none of the coordinates'.
    fn rotated(moments: &Moments) -> Moments {
        let q = [
            [2.0 / 3.0, -1.0 / 3.0, 2.0 / 3.0],
            [2.0 / 3.0, 2.0 / 3.0, -1.0 / 3.0],
            [-1.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0],
        ]
        .concat();
        let q = DMatrix::from_row_slice(3, 3, &q);
        let covariance = DMatrix::from_row_slice(3, 3, &moments.covariance);
        let mean = &q * DMatrix::from_column_slice(3, 1, &moments.mean);
        let covariance = &q * covariance * q.transpose();
        Moments {
            rows: moments.rows,
            mean: mean.as_slice().to_vec(),
            covariance: covariance.as_slice().to_vec(),
        }
    }

    /// Commuting covariances: `Σ (m − n)² + (√v − √w)²`, and rotations of both change nothing.
    #[test]
    fn the_distance_of_commuting_gaussians_is_known() {
        let one = diagonal([1.0, 0.0, -2.0], [4.0, 9.0, 0.0]);
        let two = diagonal([0.0, 0.5, -2.0], [1.0, 16.0, 0.25]);
        let expected = 1.0 + 0.25 + (1.0 + 1.0 + 0.25);
        for (one, two) in [(one.clone(), two.clone()), (rotated(&one), rotated(&two))] {
            assert!((one.frechet_distance(&two) - expected).abs() < 1e-9);
            assert!((two.frechet_distance(&one) - expected).abs() < 1e-9);
            assert!(one.frechet_distance(&one) < 1e-9);
        }
    }

    /// In two dimensions `tr (AB)^½ = √(tr AB + 2 √(det A det B))`, also where covariances do not commute.
    #[test]
    fn the_distance_of_two_dimensional_gaussians_is_known() {
        let [a, b] = [[2.0, 0.7, 0.7, 1.0], [1.0, -0.9, -0.9, 3.0]];
        let gaussian = |covariance: [f64; 4]| Moments {
            rows: 9,
            mean: vec![0.0; 2],
            covariance: covariance.to_vec(),
        };
        let det = |m: [f64; 4]| m[0] * m[3] - m[1] * m[2];
        let product = a[0] * b[0] + 2.0 * a[1] * b[1] + a[3] * b[3];
        let cross = (product + 2.0 * (det(a) * det(b)).sqrt()).sqrt();
        let expected = a[0] + a[3] + b[0] + b[3] - 2.0 * cross;
        let found = gaussian(a).frechet_distance(&gaussian(b));
        assert!((found - expected).abs() < 1e-10, "{found} and {expected}");
    }

    /// Gaussians of 64 dimensions, of which 24 have no variance: `|m₁ − m₂|²` where the covariances are equal.
    #[test]
    fn covariances_of_low_rank_have_roots() {
        let mut rng = generator(5, Purpose::Noise, 0);
        let values: Vec<f32> = (0..41 * 64)
            .map(|_| StandardNormal.sample(&mut rng))
            .collect();
        let one = Moments::of_vectors(&values, 64);
        let mut two = one.clone();
        two.mean[3] += 2.0;
        let found = one.frechet_distance(&two);
        assert!((found - 4.0).abs() < 1e-9, "{found}");
        two.covariance[0] = f64::NAN;
        assert!(one.frechet_distance(&two).is_nan());
    }

    /// Moments of `x = (z, 2 z + w + 3)`: mean (0, 3), covariance [[1, 2], [2, 5]].
    #[test]
    fn moments_of_samples() {
        let mut rng = generator(3, Purpose::Noise, 0);
        let mut draw = || -> f32 { StandardNormal.sample(&mut rng) };
        let mut values = Vec::new();
        for _ in 0..40_000 {
            let (z, w) = (draw(), draw());
            values.extend([z, 2.0 * z + w + 3.0]);
        }
        let found = Moments::of_vectors(&values, 2);
        assert_eq!(found.rows, 40_000);
        // Six standard errors of the largest, 5 √(2 / 40 000).
        for (found, expected) in found.mean.iter().zip([0.0, 3.0]) {
            assert!((found - expected).abs() < 0.07, "{found}");
        }
        for (found, expected) in found.covariance.iter().zip([1.0, 2.0, 2.0, 5.0]) {
            assert!((found - expected).abs() < 0.22, "{found}");
        }
        let exact = Moments::of_vectors(&[1.0, 2.0, 3.0, 6.0], 2);
        assert_eq!(exact.mean, [2.0, 4.0]);
        assert_eq!(exact.covariance, [2.0, 4.0, 4.0, 8.0]);
        assert_eq!(Moments::of_vectors(&[1.0, 2.0], 2).covariance, [0.0; 4]);
    }
}
