//! Out-of-distribution detection: which rows a model of other data did not produce.
//!
//! A likelihood alone fails on data simpler than what was learned: blank images are likely under a model of digits
//! (Nalisnick et al. 2019, arXiv 1810.09136). So rows are judged by two numbers, their score under the model and their
//! length when compressed, both in bits, beside those of reference rows that the model should know.
//!
//! | part | file |
//! |---|---|
//! | outlier scores and their reference | here |
//! | how well a score tells two sets apart | `quality.rs` |
//! | the compressed length of a row | `complexity.rs` |
//! | rows made strange on purpose | `derived.rs` |

mod complexity;
mod derived;
mod quality;

pub use complexity::deflated_bits;
pub use derived::Derived;
pub use quality::Detection;

/// A number for a row, larger for rows that are stranger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutlierScore {
    /// The negative log-likelihood `s` itself: EG Fig. 7.
    Likelihood,
    /// Its distance from the usual, `|s − E s|`: Nalisnick et al. 2019, arXiv 1906.02994, for single rows.
    Typicality,
    /// `s − L`, the score beyond the compressed length: Serrà et al. 2020, arXiv 1909.11480.
    Complexity,
    /// The Mahalanobis distance of `(s, L)` from the reference rows: typicality in both numbers together.
    Combined,
}

impl OutlierScore {
    /// All scores, the recommended one last.
    pub const ALL: [Self; 4] = [
        Self::Likelihood,
        Self::Typicality,
        Self::Complexity,
        Self::Combined,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Likelihood => "likelihood",
            Self::Typicality => "typicality",
            Self::Complexity => "complexity",
            Self::Combined => "combined",
        }
    }
}

/// What scores and lengths of rows usually are: means and covariance over reference rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reference {
    mean: [f64; 2],
    /// Inverse of the covariance: of the score, of both, of the length.
    precision: [f64; 3],
}

impl Reference {
    /// Of rows that were not trained with, by their scores and compressed lengths in bits.
    ///
    /// # Panics
    /// If there are not as many of both, or fewer than 2.
    pub fn of(scores: &[f64], lengths: &[f64]) -> Self {
        assert_eq!(
            scores.len(),
            lengths.len(),
            "scores and lengths of the same rows"
        );
        assert!(scores.len() > 1, "a spread needs 2 rows");
        let count = scores.len() as f64;
        let mean = [scores, lengths].map(|values| values.iter().sum::<f64>() / count);
        let (mut a, mut b, mut c) = (0.0, 0.0, 0.0);
        for (score, length) in scores.iter().zip(lengths) {
            let (x, y) = (score - mean[0], length - mean[1]);
            a += x * x / (count - 1.0);
            b += x * y / (count - 1.0);
            c += y * y / (count - 1.0);
        }
        // A bit of spread where there is none, such as lengths of rows that all compress alike.
        let (a, c) = (a.max(1e-6) + 1e-9 * c, c.max(1e-6) + 1e-9 * a);
        let determinant = (a * c - b * b).max(1e-9 * a * c);
        Self {
            mean,
            precision: [c / determinant, -b / determinant, a / determinant],
        }
    }

    /// How strange a row is.
    pub fn outlier_score(&self, kind: OutlierScore, score: f64, length: f64) -> f64 {
        let (x, y) = (score - self.mean[0], length - self.mean[1]);
        let [a, b, c] = self.precision;
        match kind {
            OutlierScore::Likelihood => score,
            OutlierScore::Typicality => x.abs(),
            OutlierScore::Complexity => score - length,
            OutlierScore::Combined => (a * x * x + 2.0 * b * x * y + c * y * y).max(0.0).sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_combined_score_is_the_length_of_a_whitened_row() {
        // Covariance ((4, 2), (2, 2)): a row (x, y) is whitened to (x − y, y/… ) by hand.
        let rows = [
            (2.0_f64, 1.0_f64),
            (-2.0, -1.0),
            (1.0, 1.0),
            (-1.0, -1.0),
            (0.0, 0.0),
        ];
        let scores: Vec<f64> = rows.iter().map(|row| 10.0 + row.0).collect();
        let lengths: Vec<f64> = rows.iter().map(|row| 5.0 + row.1).collect();
        let reference = Reference::of(&scores, &lengths);
        // Sums of squares: 10, 6, 4 over 4 degrees of freedom; the inverse has determinant 1/4.
        let (a, b, c) = (2.5, 1.5, 1.0);
        let determinant = a * c - b * b;
        for (x, y) in [(3.0_f64, 0.5), (0.0, 2.0), (-1.0, 1.0)] {
            let exact: f64 = (c * x * x - 2.0 * b * x * y + a * y * y) / determinant;
            let found = reference.outlier_score(OutlierScore::Combined, 10.0 + x, 5.0 + y);
            assert!(
                (found - exact.sqrt()).abs() < 1e-6,
                "{found}, {}",
                exact.sqrt()
            );
        }
        let found = reference.outlier_score(OutlierScore::Typicality, 7.0, 0.0);
        assert!((found - 3.0).abs() < 1e-12);
        let found = reference.outlier_score(OutlierScore::Complexity, 7.0, 2.0);
        assert!((found - 5.0).abs() < 1e-12);
    }
}
