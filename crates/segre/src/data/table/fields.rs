//! What labels are written as: the fields of a table, and the numbers among them.

use std::borrow::Cow;

use rand_chacha::ChaCha8Rng;

use super::{Coding, Numbers, Values};
use crate::data::dataset::Dataset;
use crate::data::schema::MISSING;
use crate::random::{Purpose, generator, row_generator};

/// The numbers of all fields as [`Fields`] writes them; `None` for a table without numbers.
pub fn written_numbers(data: &Dataset) -> Option<Numbers> {
    let (schema, rng) = (&data.schema, Fields::of(data).rng);
    let of_numbers = |column: usize| {
        let coding = schema.column(column).1?;
        matches!(coding.values, Values::Numbers { .. }).then(|| Vec::with_capacity(data.rows()))
    };
    let mut columns: Vec<Option<Vec<Option<i64>>>> =
        (0..schema.column_count()).map(of_numbers).collect();
    let sites: Vec<_> = (0..columns.len()).map(|k| schema.sites_of(k)).collect();
    for row in 0..data.rows() {
        let mut rng = row_generator(&rng, row);
        for (column, values) in columns.iter_mut().enumerate() {
            if let (Some(values), (_, Some(coding))) = (values, schema.column(column)) {
                let known = data.numbers().and_then(|numbers| numbers.get(row, column));
                let labels = &data.row(row)[sites[column].clone()];
                values.push(coding.number(labels, known, &mut rng));
            }
        }
    }
    let some = columns.iter().any(Option::is_some);
    some.then(|| Numbers::new(columns))
}

/// The fields of a table's rows as the user writes them.
///
/// A number that is not known is drawn from its cell: a function of the labels of all rows and of its place.
pub struct Fields<'a> {
    data: &'a Dataset,
    rng: ChaCha8Rng,
}

impl<'a> Fields<'a> {
    pub fn of(data: &'a Dataset) -> Self {
        let seed = u64::from(data.fingerprint());
        Self {
            data,
            rng: generator(seed, Purpose::Cells, 0),
        }
    }

    /// The fields of a row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = Cow<'_, str>> {
        let (data, schema) = (self.data, &self.data.schema);
        let labels = data.row(row);
        let mut rng = row_generator(&self.rng, row);
        let mut site = 0;
        (0..schema.column_count()).map(move |column| {
            let (_, coding) = schema.column(column);
            let first = site;
            site += coding.map_or(1, Coding::sites);
            match coding {
                None => schema.word(first, labels[first]),
                Some(coding) => {
                    let number = data.numbers().and_then(|numbers| numbers.get(row, column));
                    let text = coding.write(&labels[first..site], number, &mut rng);
                    Cow::Owned(text.unwrap_or_else(|| MISSING.to_owned()))
                }
            }
        })
    }
}
