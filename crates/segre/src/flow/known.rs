//! Rows of which some labels are known: what a denoiser says of the others.

use segre_kernels::{Place, softmax};

use super::channel::{Denoiser, KnownSites};
use super::model::Model;
use crate::data::PartialDataset;

/// Labels of rows, `None` where they are not known.
#[derive(Clone, Debug)]
pub struct KnownLabels {
    sites: usize,
    /// `[rows, sites]`.
    labels: Vec<Option<u16>>,
}

impl KnownLabels {
    /// Some rows, `[rows, sites]`.
    pub(super) fn new(sites: usize, labels: Vec<Option<u16>>) -> Self {
        Self { sites, labels }
    }

    /// Rows of which nothing is known.
    pub(super) fn nothing(rows: usize, sites: usize) -> Self {
        Self {
            sites,
            labels: vec![None; rows * sites],
        }
    }

    /// What is known of some rows.
    pub(super) fn of(given: &PartialDataset, rows: impl Iterator<Item = usize>) -> Self {
        let sites = given.sites();
        let labels = rows.flat_map(|row| (0..sites).map(move |site| given.label(row, site)));
        Self {
            sites,
            labels: labels.collect(),
        }
    }

    /// All labels, `[rows, sites]`.
    pub(super) fn labels(&self) -> &[Option<u16>] {
        &self.labels
    }

    /// The same, to be changed.
    pub(super) fn labels_mut(&mut self) -> &mut [Option<u16>] {
        &mut self.labels
    }

    /// Every place whose label is not known, row after row.
    pub(super) fn unknown(&self) -> Vec<Place> {
        let places = self.labels.iter().enumerate();
        let unknown = places.filter(|(_, label)| label.is_none());
        let place = |(place, _): (usize, _)| Place {
            row: place / self.sites,
            column: place % self.sites,
        };
        unknown.map(place).collect()
    }
}

/// The probabilities of the categories of a site, at some places.
#[derive(Clone, Debug)]
pub struct Conditionals {
    /// Where the categories of every place start.
    firsts: Vec<usize>,
    values: Vec<f32>,
}

impl Conditionals {
    /// Those of the places, one after the other.
    ///
    /// # Panics
    /// If they are not as many as the sites have categories.
    fn new(places: &[Place], cardinalities: &[usize], values: Vec<f32>) -> Self {
        let mut end = 0;
        let ends = places.iter().map(|place| {
            end += cardinalities[place.column];
            end
        });
        let firsts: Vec<usize> = std::iter::once(0).chain(ends).collect();
        assert_eq!(values.len(), firsts[places.len()]);
        Self { firsts, values }
    }

    /// Those of one place.
    pub fn of(&self, place: usize) -> &[f32] {
        &self.values[self.firsts[place]..self.firsts[place + 1]]
    }

    /// The same, to be changed.
    pub(super) fn of_mut(&mut self, place: usize) -> &mut [f32] {
        &mut self.values[self.firsts[place]..self.firsts[place + 1]]
    }
}

/// `p(β_i = · | β_known)` at some places, by the shortest way that the denoiser has; the model gives sites and levels.
///
/// Source: docs/mathematics.md §2.1.5.
pub(super) fn conditionals(
    denoiser: &dyn Denoiser,
    model: &Model,
    known: &KnownLabels,
    places: &[Place],
) -> Conditionals {
    if let Some(found) = denoiser.conditionals(known, places) {
        return found;
    }
    let manifold = &model.manifold;
    let (sites, categories) = (manifold.sites(), manifold.categories());
    let shown = KnownSites::new(manifold);
    let (mut states, mut levels) = shown.nothing(known.labels.len() / sites);
    let of_places = states.chunks_mut(categories).zip(&mut levels);
    for ((place, label), (state, level)) in known.labels.iter().enumerate().zip(of_places) {
        if let Some(label) = label {
            shown.show(state, level, place % sites, usize::from(*label));
        }
    }
    let mean = shown.posterior(denoiser, model.device(), states, levels);
    let of_place = |place: &Place| {
        let from = (place.row * sites + place.column) * categories;
        &mean[from..from + manifold.cardinalities()[place.column]]
    };
    let values = places.iter().flat_map(of_place).copied().collect();
    Conditionals::new(places, manifold.cardinalities(), values)
}

impl Model {
    /// Log marginals and context of some places, where the network computes known and unknown labels only: the logits of their
    /// conditionals are marginals + gain · context.
    pub(super) fn context_at(
        &self,
        known: &KnownLabels,
        places: &[Place],
    ) -> Option<[Conditionals; 2]> {
        let context = self.network.of_labels()?.logits_at(&known.labels, places);
        let marginals = places.iter().flat_map(|place| {
            self.marginals
                .of(place.column, self.cardinality(place.column))
        });
        let marginals = marginals.copied().collect();
        let cardinalities = self.manifold.cardinalities();
        let of_places = |values| Conditionals::new(places, cardinalities, values);
        Some([marginals, context].map(of_places))
    }

    /// The conditionals of some places, where the network computes known and unknown labels only.
    pub(super) fn conditionals_at(
        &self,
        known: &KnownLabels,
        places: &[Place],
    ) -> Option<Conditionals> {
        let [mut found, context] = self.context_at(known, places)?;
        for place in 0..places.len() {
            let logits = found.of_mut(place).iter_mut().zip(context.of(place));
            logits.for_each(|(logit, context)| *logit += self.context_gain * context);
            softmax(found.of_mut(place));
        }
        Some(found)
    }

    fn cardinality(&self, site: usize) -> usize {
        self.manifold.cardinalities()[site]
    }
}
