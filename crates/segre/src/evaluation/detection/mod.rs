//! Out-of-distribution detection: which rows a model of other data did not produce.
//!
//! A likelihood alone fails on data simpler than what was learned: blank images are likely under a model of digits
//! (Nalisnick et al. 2019, arXiv 1810.09136), and thin strokes have few pixels to be unlikely in. So a score is seen beside
//! what there is to be said: a row's compressed length, or the size of its foreground.
//!
//! | part | file |
//! |---|---|
//! | outlier scores and their reference | here |
//! | the report on other data | `report.rs` |
//! | how well a score tells two sets apart | `quality.rs` |
//! | the compressed length of a row | `complexity.rs` |
//! | the size of its foreground | `foreground.rs` |
//! | rows made strange on purpose | `derived.rs` |
//! | data from elsewhere | `other.rs` |

mod complexity;
mod derived;
mod foreground;
mod other;
mod quality;
mod report;

pub use complexity::deflated_bits;
pub use derived::Derived;
pub use foreground::{background, foreground_sites};
pub use other::read_other;
pub use quality::Detection;
pub use report::{
    OutlierOptions, OutlierReport, OutlierSet, ScoreQuality, ScoredRows, recommended, run,
};

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
    /// `s / max(foreground, 1)`: bits for each site that is not background, so that pictures with more or less in them
    /// compare.
    Foreground,
}

impl OutlierScore {
    /// All scores.
    pub const ALL: [Self; 5] = [
        Self::Likelihood,
        Self::Typicality,
        Self::Complexity,
        Self::Combined,
        Self::Foreground,
    ];

    /// The score to use: pictures have a background, other data need not have one.
    pub fn recommended(pictures: bool) -> Self {
        match pictures {
            true => Self::Foreground,
            false => Self::Combined,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Likelihood => "likelihood",
            Self::Typicality => "typicality",
            Self::Complexity => "complexity",
            Self::Combined => "combined",
            Self::Foreground => "foreground",
        }
    }
}

/// What a row is judged by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RowFacts {
    /// Negative log-likelihood `s` or its bound, bits.
    pub score: f64,
    /// Compressed length `L`, bits.
    pub length: f64,
    /// Sites that are not background.
    pub foreground: f64,
}

/// What scores and lengths of rows usually are: means and covariance over reference rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reference {
    mean: [f64; 2],
    /// Inverse of the covariance: of the score, of both, of the length.
    precision: [f64; 3],
}

impl Reference {
    /// Of rows that were not trained with.
    ///
    /// # Panics
    /// If there are fewer than 2.
    pub fn of(rows: &[RowFacts]) -> Self {
        assert!(rows.len() > 1, "a spread needs 2 rows");
        let count = rows.len() as f64;
        let mean_of = |value: fn(&RowFacts) -> f64| rows.iter().map(value).sum::<f64>() / count;
        let mean = [mean_of(|row| row.score), mean_of(|row| row.length)];
        let (mut a, mut b, mut c) = (0.0, 0.0, 0.0);
        for row in rows {
            let (x, y) = (row.score - mean[0], row.length - mean[1]);
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
    pub fn outlier_score(&self, kind: OutlierScore, row: &RowFacts) -> f64 {
        let (x, y) = (row.score - self.mean[0], row.length - self.mean[1]);
        let [a, b, c] = self.precision;
        match kind {
            OutlierScore::Likelihood => row.score,
            OutlierScore::Typicality => x.abs(),
            OutlierScore::Complexity => row.score - row.length,
            OutlierScore::Combined => (a * x * x + 2.0 * b * x * y + c * y * y).max(0.0).sqrt(),
            OutlierScore::Foreground => row.score / row.foreground.max(1.0),
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
        let facts = |score: f64, length: f64| RowFacts {
            score,
            length,
            foreground: 2.0,
        };
        let known = rows.map(|(x, y)| facts(10.0 + x, 5.0 + y));
        let reference = Reference::of(&known);
        // Sums of squares: 10, 6, 4 over 4 degrees of freedom; the inverse has determinant 1/4.
        let (a, b, c) = (2.5, 1.5, 1.0);
        let determinant = a * c - b * b;
        for (x, y) in [(3.0_f64, 0.5), (0.0, 2.0), (-1.0, 1.0)] {
            let exact: f64 = (c * x * x - 2.0 * b * x * y + a * y * y) / determinant;
            let found = reference.outlier_score(OutlierScore::Combined, &facts(10.0 + x, 5.0 + y));
            assert!(
                (found - exact.sqrt()).abs() < 1e-6,
                "{found}, {}",
                exact.sqrt()
            );
        }
        for (kind, length, exact) in [
            (OutlierScore::Typicality, 0.0, 3.0),
            (OutlierScore::Complexity, 2.0, 5.0),
            (OutlierScore::Foreground, 2.0, 3.5),
        ] {
            let found = reference.outlier_score(kind, &facts(7.0, length));
            assert!((found - exact).abs() < 1e-12, "{kind:?}: {found}");
        }
        let blank = RowFacts {
            foreground: 0.0,
            ..facts(7.0, 2.0)
        };
        let found = reference.outlier_score(OutlierScore::Foreground, &blank);
        assert!((found - 7.0).abs() < 1e-12, "{found}");
    }
}
