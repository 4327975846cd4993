//! A denoiser that knows some categories to be impossible.

use burn::tensor::{Tensor, TensorData};
use segre_kernels::Place;

use super::channel::Denoiser;
use super::known::{Conditionals, KnownLabels};
use super::model::Model;

/// Keeps the logarithm finite where only impossible categories are left.
const FLOOR: f64 = 1e-20;

/// A model whose posterior gives some categories no probability, the others their shares of the rest.
///
/// What is drawn with the sequential sampler follows the chain rule of these conditionals; known labels are not checked.
pub struct LegalOnly<'a> {
    model: &'a Model,
    /// 1 where a category is legal, `[1, sites, categories]`.
    legal: Tensor<3>,
    /// The category of every site that is not.
    excluded: Vec<Option<u16>>,
}

impl<'a> LegalOnly<'a> {
    /// Excludes the category `excluded(site)` of every site that has one to be excluded.
    ///
    /// # Panics
    /// If a site would have no category left.
    pub fn new(model: &'a Model, excluded: impl Fn(usize) -> Option<u16>) -> Self {
        let (sites, categories) = (model.manifold.sites(), model.manifold.categories());
        let excluded: Vec<Option<u16>> = (0..sites).map(excluded).collect();
        let mut legal = vec![0.0_f32; sites * categories];
        for (site, own) in legal.chunks_mut(categories).enumerate() {
            own[..model.manifold.cardinalities()[site]].fill(1.0);
            if let Some(label) = excluded[site] {
                own[usize::from(label)] = 0.0;
            }
            assert!(own.contains(&1.0), "site {site} has no legal category");
        }
        let legal = TensorData::new(legal, [1, sites, categories]);
        Self {
            model,
            legal: Tensor::from_data(legal, model.device()),
            excluded,
        }
    }

    /// Excludes the category that missing fields had in the model's data, where there are some: it is no value to fill in.
    /// `None` if there is nothing to exclude.
    pub fn of_fields(model: &'a Model) -> Option<Self> {
        let some = (0..model.schema.sites()).any(|site| no_value(model, site).is_some());
        some.then(|| Self::new(model, |site| no_value(model, site)))
    }

    fn restrict(&self, probabilities: Tensor<3>) -> Tensor<3> {
        let kept = (probabilities + FLOOR) * self.legal.clone();
        let total = kept.clone().sum_dim(2);
        kept / total
    }
}

impl Denoiser for LegalOnly<'_> {
    fn posterior_mean(&self, state: Tensor<3>, root_snr: Tensor<2>) -> Tensor<3> {
        self.restrict(self.model.posterior_mean(state, root_snr))
    }

    fn posterior(&self, evidence: Tensor<3>, level: Tensor<2>) -> Tensor<3> {
        self.restrict(self.model.posterior(evidence, level))
    }

    fn conditionals(&self, known: &KnownLabels, places: &[Place]) -> Option<Conditionals> {
        let mut found = self.model.conditionals(known, places)?;
        for (at, place) in places.iter().enumerate() {
            if let Some(label) = self.excluded[place.column] {
                let own = found.of_mut(at);
                own.iter_mut().for_each(|p| *p += FLOOR as f32);
                own[usize::from(label)] = 0.0;
                let total: f32 = own.iter().sum();
                own.iter_mut().for_each(|p| *p /= total);
            }
        }
        Some(found)
    }
}

/// The category that a site is not filled in with.
pub(super) fn no_value(model: &Model, site: usize) -> Option<u16> {
    let schema = &model.schema;
    // A column that was missing everywhere has nothing else.
    let label = schema.missing_category(site);
    label.filter(|_| schema.cardinality(site) > 1)
}
