//! Eigenvalues and eigenvectors of small symmetric matrices, by Jacobi's rotations.

/// Rounds through all pairs; a matrix of 64 rows needs about ten.
const MOST_SWEEPS: usize = 60;

/// Eigenvalues (in no order) and, row by row, orthonormal eigenvectors of a symmetric matrix.
///
/// Each rotation makes one pair of entries beside the diagonal zero, `t² + 2 t (a_qq − a_pp) / (2 a_pq) = 1`;
/// rounds through all pairs converge quadratically.
///
/// Source: Golub & Van Loan, Matrix Computations, 4th edition, §8.5.
///
/// # Shapes
/// `matrix [width, width]` → values `[width]`, vectors `[width, width]`.
pub(super) fn symmetric_eigen(matrix: &[f64], width: usize) -> (Vec<f64>, Vec<f64>) {
    assert_eq!(matrix.len(), width * width, "a square matrix");
    let mut a = matrix.to_vec();
    let mut vectors = vec![0.0; width * width];
    vectors
        .iter_mut()
        .step_by(width + 1)
        .for_each(|one| *one = 1.0);
    let size: f64 = a.iter().map(|value| value * value).sum();
    for _ in 0..MOST_SWEEPS {
        let beside: f64 = (0..width)
            .flat_map(|p| (p + 1..width).map(move |q| p * width + q))
            .map(|place| a[place] * a[place])
            .sum();
        if beside <= size * f64::EPSILON * f64::EPSILON {
            break;
        }
        for p in 0..width {
            for q in p + 1..width {
                if let Some(rotation) = Rotation::of(&a, width, p, q) {
                    rotation.columns(&mut a, width);
                    rotation.rows(&mut a, width);
                    rotation.rows(&mut vectors, width);
                }
            }
        }
    }
    let values = (0..width).map(|place| a[place * (width + 1)]).collect();
    (values, vectors)
}

/// A rotation in the plane of two coordinates.
struct Rotation {
    p: usize,
    q: usize,
    cosine: f64,
    sine: f64,
}

impl Rotation {
    /// The smaller rotation that makes the entry `(p, q)` zero, if it is not.
    fn of(a: &[f64], width: usize, p: usize, q: usize) -> Option<Self> {
        let entry = a[p * width + q];
        if entry == 0.0 {
            return None;
        }
        let theta = (a[q * width + q] - a[p * width + p]) / (2.0 * entry);
        let tangent = theta.signum() / (theta.abs() + theta.hypot(1.0));
        let cosine = 1.0 / tangent.hypot(1.0);
        Some(Self {
            p,
            q,
            cosine,
            sine: tangent * cosine,
        })
    }

    fn turn(&self, a: &mut [f64], first: usize, second: usize) {
        let (x, y) = (a[first], a[second]);
        a[first] = self.cosine * x - self.sine * y;
        a[second] = self.sine * x + self.cosine * y;
    }

    fn rows(&self, a: &mut [f64], width: usize) {
        for column in 0..width {
            self.turn(a, self.p * width + column, self.q * width + column);
        }
    }

    fn columns(&self, a: &mut [f64], width: usize) {
        for row in 0..width {
            self.turn(a, row * width + self.p, row * width + self.q);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};
    use rand::RngExt;

    /// `A v = λ v`, `V Vᵀ = 1`, for random matrices, one of rank 1, a diagonal one and zero.
    #[test]
    fn vectors_and_values_belong_together() {
        let mut rng = generator(5, Purpose::Noise, 0);
        for width in [1, 2, 3, 17, 64] {
            let draws: Vec<f64> = (0..width * width)
                .map(|_| rng.random::<f64>() - 0.5)
                .collect();
            let symmetric = |place: usize| {
                let (row, column) = (place / width, place % width);
                draws[place] + draws[column * width + row]
            };
            let of_rank_one = |place: usize| draws[place / width] * draws[place % width];
            let diagonal = |place: usize| match place.is_multiple_of(width + 1) {
                true => draws[place],
                false => 0.0,
            };
            let places = || 0..width * width;
            for matrix in [
                places().map(symmetric).collect::<Vec<f64>>(),
                places().map(of_rank_one).collect(),
                places().map(diagonal).collect(),
                vec![0.0; width * width],
            ] {
                check(&matrix, width);
            }
        }
    }

    fn check(matrix: &[f64], width: usize) {
        let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
        let (values, vectors) = symmetric_eigen(matrix, width);
        let vectors: Vec<&[f64]> = vectors.chunks(width).collect();
        for (place, vector) in vectors.iter().enumerate() {
            for (line, entry) in matrix.chunks(width).zip(*vector) {
                assert!((dot(line, vector) - values[place] * entry).abs() < 1e-12 * width as f64);
            }
            for (other, beside) in vectors.iter().enumerate() {
                let expected = f64::from(u8::from(place == other));
                assert!((dot(vector, beside) - expected).abs() < 1e-12 * width as f64);
            }
        }
    }
}
