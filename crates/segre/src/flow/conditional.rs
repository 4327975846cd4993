//! Conditional marginals: what the known sites of a row say of each unknown one.

use std::ops::Range;

use segre_kernels::{Columns, Place};

use super::known::{KnownLabels, conditionals};
use super::legal::no_value;
use super::model::Model;
use crate::data::PartialDataset;
use crate::flow::error::Result;
use crate::progress::{Observer, Progress};
use crate::ranks;

/// Rows per evaluation of the network.
const BATCH: usize = 512;

/// `p(β_i = j | β_known)` for every site of every row; certainty at known sites.
#[derive(Clone, Debug, PartialEq)]
pub struct ConditionalMarginals {
    /// Where the categories of the sites lie in a row.
    columns: Columns,
    /// `[rows, categories of all sites]`.
    values: Vec<f32>,
}

impl ConditionalMarginals {
    /// The probabilities of the categories of one site of a row.
    ///
    /// # Panics
    /// If there is no such row or site.
    pub fn of(&self, row: usize, site: usize) -> &[f32] {
        &self.values[self.place(row, site)]
    }

    /// The category of largest probability, the first among equals.
    ///
    /// # Panics
    /// As [`of`](Self::of).
    pub fn most_probable(&self, row: usize, site: usize) -> u16 {
        let labels = (0..=u16::MAX).zip(self.of(row, site));
        let better = |best: (u16, f32), (label, p): (u16, &f32)| match *p > best.1 {
            true => (label, *p),
            false => best,
        };
        labels.fold((0, f32::NEG_INFINITY), better).0
    }

    /// Takes a category of one site of a row for impossible: what is left is scaled to sum to 1.
    ///
    /// # Panics
    /// As [`of`](Self::of), or if there is no such category.
    pub fn exclude(&mut self, row: usize, site: usize, label: u16) {
        let place = self.place(row, site);
        let own = &mut self.values[place];
        own[usize::from(label)] = 0.0;
        let total: f32 = own.iter().sum();
        own.iter_mut()
            .for_each(|p| *p /= total.max(f32::MIN_POSITIVE));
    }

    /// Says the probabilities of one site of a row, which are scaled to sum to 1.
    ///
    /// # Panics
    /// As [`of`](Self::of), or if there are not as many as categories.
    pub fn say(&mut self, row: usize, site: usize, probabilities: &[f64]) {
        let place = self.place(row, site);
        let total: f64 = probabilities.iter().sum();
        let scaled = probabilities.iter().map(|p| (p / total) as f32);
        let own = &mut self.values[place];
        assert_eq!(own.len(), probabilities.len(), "categories of site {site}");
        own.iter_mut().zip(scaled).for_each(|(own, p)| *own = p);
    }

    /// The means of some groups of rows that follow one another, of these sizes.
    ///
    /// # Panics
    /// If the rows are not as many.
    #[must_use]
    pub fn means(&self, sizes: &[usize]) -> Self {
        let width = self.columns.categories();
        assert_eq!(
            sizes.iter().sum::<usize>() * width,
            self.values.len(),
            "rows in all"
        );
        let mut rows = self.values.chunks(width);
        let mut values = Vec::with_capacity(sizes.len() * width);
        for &size in sizes {
            let mut sum = vec![0.0_f64; width];
            for row in rows.by_ref().take(size) {
                sum.iter_mut()
                    .zip(row)
                    .for_each(|(sum, p)| *sum += f64::from(*p));
            }
            values.extend(sum.into_iter().map(|sum| (sum / size as f64) as f32));
        }
        let columns = self.columns.clone();
        Self { columns, values }
    }

    /// The rows and those of another table after them.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.values.extend(other.values);
        self
    }

    fn place(&self, row: usize, site: usize) -> Range<usize> {
        let (first, own) = (row * self.columns.categories(), self.columns.range(site));
        first + own.start..first + own.end
    }
}

/// The conditional marginals of rows of which some sites are known.
///
/// One evaluation per row: known sites are shown at a level that decides them, unknown ones at level 0,
/// where they say nothing.
///
/// # Errors
/// [`FlowError::ConditionNeedsPosterior`](crate::flow::FlowError::ConditionNeedsPosterior) for a field head or a
/// path on the simplex, [`DataError::SchemaMismatch`](crate::data::DataError::SchemaMismatch) for rows of another
/// schema, [`Interrupted`](crate::Interrupted) if stopped.
///
/// Source: docs/mathematics.md §2.1.5.
pub fn conditional_marginals(
    model: &Model,
    given: &PartialDataset,
    observer: &mut dyn Observer,
) -> Result<ConditionalMarginals> {
    model.schema.same_as(&given.schema)?;
    model.check_conditions()?;
    let columns = Columns::new(&given.schema.cardinalities());
    let values = vec![0.0; given.rows() * columns.categories()];
    let mut marginals = ConditionalMarginals { columns, values };
    let batch = BATCH.min(model.most_rows());
    Progress::pieces("marginals", "row", 0, given.rows()).tell(observer)?;
    let chunks: Vec<usize> = (0..given.rows()).step_by(batch).collect();
    let end = |from: usize| given.rows().min(from + batch);
    // One chunk of every process at a time.
    for wave in chunks.chunks(ranks::size()) {
        let own = wave.get(ranks::rank()).map(|from| *from..end(*from));
        let rows = own.unwrap_or(0..0);
        let known = KnownLabels::of(given, rows.clone());
        let places = known.unknown();
        let width = marginals.columns.categories();
        let mut values = vec![0.0_f32; rows.len() * width];
        if !places.is_empty() {
            let found = conditionals(model, model, &known, &places);
            for (at, place) in places.iter().enumerate() {
                let own = marginals.place(place.row, place.column);
                values[own].copy_from_slice(found.of(at));
            }
        }
        for (row, given_row) in rows.enumerate() {
            for site in 0..given.sites() {
                if let Some(label) = given.label(given_row, site) {
                    let own = marginals.place(row, site);
                    values[own][usize::from(label)] = 1.0;
                }
            }
        }
        let (first, last) = (wave[0], end(wave[wave.len() - 1]));
        let all = ranks::gather(values);
        marginals.values[first * width..last * width].copy_from_slice(&all);
        Progress::pieces("marginals", "row", last, given.rows()).tell(observer)?;
    }
    Ok(marginals)
}

/// `p(β_i = j | β_known)` of one site of each of some rows, all of which must be unknown there: `(row, site)`.
///
/// # Errors
/// As [`conditional_marginals`].
pub fn site_marginals(
    model: &Model,
    given: &PartialDataset,
    places: &[(usize, usize)],
) -> Result<Vec<Vec<f32>>> {
    model.schema.same_as(&given.schema)?;
    model.check_conditions()?;
    let mut all = Vec::with_capacity(places.len());
    for chunk in places.chunks(BATCH.min(model.most_rows())) {
        let known = KnownLabels::of(given, chunk.iter().map(|(row, _)| *row));
        let local = chunk.iter().enumerate();
        let local: Vec<Place> = local
            .map(|(row, (_, column))| Place {
                row,
                column: *column,
            })
            .collect();
        let found = conditionals(model, model, &known, &local);
        all.extend((0..chunk.len()).map(|place| found.of(place).to_vec()));
    }
    Ok(all)
}

/// [`conditional_marginals`] of the categories that may be filled in: at unknown sites the category that missing fields had in
/// the model's data has probability 0.
///
/// # Errors
/// As [`conditional_marginals`].
pub fn legal_marginals(
    model: &Model,
    given: &PartialDataset,
    observer: &mut dyn Observer,
) -> Result<ConditionalMarginals> {
    let mut marginals = conditional_marginals(model, given, observer)?;
    for site in 0..given.sites() {
        let Some(label) = no_value(model, site) else {
            continue;
        };
        for row in (0..given.rows()).filter(|row| given.label(*row, site).is_none()) {
            marginals.exclude(row, site, label);
        }
    }
    Ok(marginals)
}
