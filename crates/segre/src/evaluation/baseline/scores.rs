//! Scores of data under the baselines: what a model's are seen beside.

use serde::Serialize;

use super::{Baseline, Baselines};
use crate::data::Dataset;

/// Mean bits per dimension of the simple models.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct BaselineScores {
    /// Of all configurations alike.
    pub uniform: f64,
    /// Of the product of the sites' frequencies.
    pub independent: f64,
    /// Of the best tree; absent for many sites.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chow_liu: Option<f64>,
    /// Of images: position, left and upper neighbour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pixel_context: Option<f64>,
}

impl BaselineScores {
    /// Scores data under baselines that are fitted: the tree takes its time on many sites.
    pub fn of(baselines: &Baselines, data: &Dataset) -> Self {
        let tree = baselines.chow_liu.as_ref();
        let context = baselines.pixel_context.as_ref();
        Self {
            uniform: baselines.uniform.bits_per_dim(data),
            independent: baselines.independent.bits_per_dim(data),
            chow_liu: tree.map(|model| model.bits_per_dim(data)),
            pixel_context: context.map(|model| model.bits_per_dim(data)),
        }
    }

    /// The baselines that there are by name, the best kinds first.
    pub fn named(&self) -> Vec<(&'static str, f64)> {
        let all = [
            ("neighbouring pixels", self.pixel_context),
            ("Chow–Liu tree", self.chow_liu),
            ("independent sites", Some(self.independent)),
            ("uniform", Some(self.uniform)),
        ];
        let there = all
            .into_iter()
            .filter_map(|(name, bits)| Some((name, bits?)));
        there.collect()
    }

    /// The best of those that know of dependence, as in a sentence; independent sites where there are none.
    pub fn best(&self) -> (&'static str, f64) {
        let all = [
            ("the Chow–Liu tree", self.chow_liu),
            ("neighbouring pixels", self.pixel_context),
        ];
        let there = all
            .into_iter()
            .filter_map(|(name, bits)| Some((name, bits?)));
        let best = there.min_by(|a, b| a.1.total_cmp(&b.1));
        best.unwrap_or(("independent sites", self.independent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_baseline_is_the_least_of_those_that_know_of_dependence() {
        let mut scores = BaselineScores {
            uniform: 3.0,
            independent: 2.0,
            chow_liu: None,
            pixel_context: None,
        };
        assert_eq!(scores.best(), ("independent sites", 2.0));
        scores.chow_liu = Some(1.5);
        assert_eq!(scores.best(), ("the Chow–Liu tree", 1.5));
        scores.pixel_context = Some(1.0);
        assert_eq!(scores.best(), ("neighbouring pixels", 1.0));
        assert_eq!(scores.named().len(), 4);
    }
}
