//! One column predicted from the others.

use super::Model;
use crate::data::{
    Coding, DataError, Dataset, Deciders, Decision, Layout, Notation, OfRow, PartialDataset,
    Schema, Spread, Values, Vocabulary,
};
use crate::error::Result;
use crate::evaluation::prediction::{self, PredictionReport};
use crate::flow::{ConditionalMarginals, conditional_marginals};
use crate::progress::{Observer, Silent};

/// Draws of a row that a decided column's distribution is read off, where the row does not decide it.
const DRAWS: usize = 200;

/// Predictions of one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// The column.
    pub column: String,
    /// Its categories, as the user writes them; none of a column of numbers that others decide.
    pub categories: Vec<String>,
    /// How good the predictions are, over the rows in which the column is known.
    pub report: PredictionReport,
    predicted: Predicted,
}

#[derive(Clone, Debug, PartialEq)]
enum Predicted {
    /// A column of words.
    Words(Site),
    /// A column of numbers.
    Numbers {
        site: Site,
        coding: Coding,
        notation: Notation,
        /// Numbers that follow from what is known.
        known: Vec<Option<i64>>,
    },
    /// A column that others decide by lookup: the probabilities of its values in each row.
    Lookup(Vec<Vec<f32>>),
    /// A column that is computed from others.
    Computed {
        spreads: Vec<Spread>,
        notation: Notation,
    },
}

#[derive(Clone, Debug, PartialEq)]
struct Site {
    site: usize,
    marginals: ConditionalMarginals,
}

impl Prediction {
    /// The probabilities of the categories in a row; none of a column of numbers that others decide.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn probabilities(&self, row: usize) -> &[f32] {
        match &self.predicted {
            Predicted::Words(own) | Predicted::Numbers { site: own, .. } => {
                own.marginals.of(row, own.site)
            }
            Predicted::Lookup(rows) => &rows[row],
            Predicted::Computed { .. } => &[],
        }
    }

    /// What is predicted of a number; `None` where the column holds words.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn spread(&self, row: usize) -> Option<Spread> {
        match &self.predicted {
            Predicted::Numbers { coding, known, .. } => match known[row] {
                Some(number) => Some(Spread::certain(number)),
                None => coding.spread(self.probabilities(row)),
            },
            Predicted::Computed { spreads, .. } => Some(spreads[row]),
            Predicted::Words(_) | Predicted::Lookup(_) => None,
        }
    }

    /// How the numbers of the column are written; `None` where it holds words.
    pub fn notation(&self) -> Option<&Notation> {
        match &self.predicted {
            Predicted::Numbers { notation, .. } | Predicted::Computed { notation, .. } => {
                Some(notation)
            }
            Predicted::Words(_) | Predicted::Lookup(_) => None,
        }
    }

    /// What is predicted, in the column of rows of the model's own types: the most probable categories, of numbers what `centre`
    /// takes of their distribution. Only that column means anything. A column that others decide is alone, and text.
    ///
    /// # Errors
    /// As [`PartialDataset::filled`].
    ///
    /// # Panics
    /// If there are more rows than were predicted.
    pub fn rows(&self, rows: &PartialDataset, centre: impl Fn(Spread) -> i64) -> Result<Dataset> {
        let number = |row| self.spread(row).map(&centre);
        let (own, coding) = match &self.predicted {
            Predicted::Words(site) => (site.site, None),
            Predicted::Numbers { site, coding, .. } => (site.site, Some(coding)),
            Predicted::Lookup(_) | Predicted::Computed { .. } => {
                let text = |row| match (number(row), self.notation()) {
                    (Some(number), Some(notation)) => notation.write(number),
                    _ => self.category(row).to_owned(),
                };
                return self.as_text((0..rows.rows()).map(text).collect());
            }
        };
        let column = rows.schema.column_of(own);
        let blank = rows.without(|_, site| site == own);
        let filled = blank.filled(|row, site| match (site == own, coding) {
            (false, _) => 0,
            (true, None) => prediction::most_probable(self.probabilities(row)) as u16,
            (true, Some(coding)) => number(row).map_or(0, |number| coding.label_of_number(number)),
        })?;
        Ok(match coding {
            None => filled,
            Some(_) => {
                let numbers = (0..rows.rows()).filter_map(|row| Some((row, column, number(row)?)));
                filled.with_numbers_at(numbers)
            }
        })
    }

    /// A table of the column alone.
    fn as_text(&self, texts: Vec<String>) -> Result<Dataset> {
        let mut categories = texts.clone();
        categories.sort_unstable();
        categories.dedup();
        let label = |text: &String| categories.binary_search(text).unwrap_or(0) as u16;
        let labels = texts.iter().map(label).collect();
        let names = vec![self.column.clone()];
        let words = Vocabulary::Words { categories };
        let schema = Schema::shared(Layout::Table, names, words);
        Ok(Dataset::new(schema, labels)?)
    }

    /// The most probable category of a row, the first among equals.
    ///
    /// # Panics
    /// If there is no such row, or the column holds numbers that others decide.
    pub fn category(&self, row: usize) -> &str {
        &self.categories[prediction::most_probable(self.probabilities(row))]
    }
}

impl Model {
    /// Predicts a column of rows; what they say of it is not looked at but for the report.
    ///
    /// # Errors
    /// As [`predict_with`](Self::predict_with).
    pub fn predict(&self, rows: &PartialDataset, column: &str) -> Result<Prediction> {
        self.predict_with(rows, column, &mut Silent)
    }

    /// [`predict`](Self::predict), watched.
    ///
    /// # Errors
    /// [`DataError::NoSuchColumn`], and as [`conditional_marginals`].
    pub fn predict_with(
        &self,
        rows: &PartialDataset,
        column: &str,
        observer: &mut dyn Observer,
    ) -> Result<Prediction> {
        let schema = self.schema();
        if let Some(derived) = schema.derived_named(column) {
            return self.predict_decided(rows, derived, observer);
        }
        let place = schema.column_named(column)?;
        let sites = schema.sites_of(place);
        if sites.len() > 1 {
            let name = column.to_owned();
            return Err(DataError::ManyWords { name }.into());
        }
        let site = sites.start;
        // A field that was missing in the fit's data too is no value to predict.
        let rows = rows.without(|row, own| {
            own == site && rows.label(row, own) == schema.missing_category(own)
        });
        let given = rows.without(|_, own| own == site);
        let marginals = self.marginals_where(&given, Some(site), observer, |rows, observer| {
            Ok(conditional_marginals(&self.flow, rows, observer)?)
        })?;
        let categories = (0..).take(schema.cardinality(site));
        let own = Site { site, marginals };
        let predicted = match schema.column(place).1 {
            Some(coding) => match &coding.values {
                Values::Words(_) => Predicted::Words(own),
                Values::Numbers { notation, .. } => {
                    let solved = crate::data::solved(&given);
                    Predicted::Numbers {
                        site: own,
                        coding: coding.clone(),
                        notation: notation.clone(),
                        known: (0..rows.rows())
                            .map(|row| solved.number(row, place))
                            .collect(),
                    }
                }
            },
            None => Predicted::Words(own),
        };
        let mut found = Prediction {
            column: column.to_owned(),
            categories: categories
                .map(|label| schema.category_name(site, label).into_owned())
                .collect(),
            report: PredictionReport::default(),
            predicted,
        };
        found.judge(
            rows.rows(),
            |row| rows.label(row, site).map(usize::from),
            |row| rows.number(row, place),
        );
        Ok(found)
    }

    /// Predicts a column that others decide: they do where they are known, and elsewhere their draws.
    fn predict_decided(
        &self,
        rows: &PartialDataset,
        derived: usize,
        observer: &mut dyn Observer,
    ) -> Result<Prediction> {
        let schema = self.schema();
        let deciders = Deciders::of(schema);
        let given = crate::data::solved(&rows.clone().without_decided(derived));
        let decided = |of: &PartialDataset, row: usize| {
            let all = deciders.decide(&OfRow(of, row), |own| of.decided(row, own));
            all[derived]
        };
        let mut decisions: Vec<Vec<Decision>> = (0..given.rows())
            .map(|row| vec![decided(&given, row)])
            .collect();
        let open = |own: &[Decision]| own[0] == Decision::Unknown;
        let unknown: Vec<usize> = (0..given.rows())
            .filter(|row| open(&decisions[*row]))
            .collect();
        if !unknown.is_empty() {
            let options = self.sampling_options();
            let repeated = given.select(&unknown).repeat_rows(DRAWS);
            let drawn = self.complete(&repeated, &options, observer)?.data;
            let drawn = PartialDataset::with_written_numbers(&drawn);
            for (place, row) in unknown.iter().enumerate() {
                let own = place * DRAWS..(place + 1) * DRAWS;
                decisions[*row] = own.map(|draw| decided(&drawn, draw)).collect();
            }
        }
        let column = schema.derived[derived].name.clone();
        let (categories, predicted) = match deciders.notation(derived) {
            Some(notation) => {
                let spread = |own: &Vec<Decision>| {
                    let numbers = own.iter().filter_map(|decision| match decision {
                        Decision::Value(units) => Some(*units),
                        _ => None,
                    });
                    Spread::of(numbers.collect())
                };
                let spreads = decisions.iter().map(spread).collect();
                let notation = notation.clone();
                (Vec::new(), Predicted::Computed { spreads, notation })
            }
            None => {
                let values = deciders.values(derived);
                let shares = |own: &Vec<Decision>| {
                    let mut shares = vec![0.0; values.len()];
                    for decision in own {
                        let text = deciders.text(derived, *decision);
                        if let Ok(value) = values.binary_search(&text.as_ref()) {
                            shares[value] += 1.0 / own.len() as f32;
                        }
                    }
                    shares
                };
                let names = values.iter().map(|value| (*value).to_owned()).collect();
                (
                    names,
                    Predicted::Lookup(decisions.iter().map(shares).collect()),
                )
            }
        };
        let mut found = Prediction {
            column,
            categories,
            report: PredictionReport::default(),
            predicted,
        };
        let said = |row| rows.decided(row, derived);
        let is_number = found.notation().is_some();
        found.judge(
            rows.rows(),
            |row| said(row).filter(|_| !is_number).map(|value| value as usize),
            |row| said(row).filter(|_| is_number),
        );
        Ok(found)
    }
}

impl Prediction {
    /// Compares the predictions with what is known of the column: its label, and its number.
    fn judge(
        &mut self,
        rows: usize,
        label: impl Fn(usize) -> Option<usize>,
        number: impl Fn(usize) -> Option<i64>,
    ) {
        let words = prediction::run(rows, |row| self.probabilities(row), &label);
        self.report = match self.notation() {
            None => words,
            Some(notation) => {
                let pairs = (0..rows).filter_map(|row| Some((number(row)?, self.spread(row)?)));
                prediction::of_numbers(words, pairs.collect(), notation)
            }
        };
    }
}
