//! What labels are written as: the fields of a table, and the numbers among them.

use std::borrow::Cow;

use rand_chacha::ChaCha8Rng;

use super::{Beside, Coding, Deciders, Numbers, Row, Values};
use crate::data::dataset::Dataset;
use crate::data::schema::{MISSING, Written};
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

/// The fields of a table's rows as the user writes them, those among them that others decide.
///
/// A number that is not known is drawn from its cell: a function of the labels of all rows and of its place.
pub struct Fields<'a> {
    data: &'a Dataset,
    rng: ChaCha8Rng,
    written: Vec<Written>,
    deciders: Deciders<'a>,
}

/// A row whose numbers are all drawn.
struct Drawn<'a> {
    labels: &'a [u16],
    numbers: &'a [Option<i64>],
}

impl Row for Drawn<'_> {
    fn label(&self, site: usize) -> Option<u16> {
        Some(self.labels[site])
    }

    fn number(&self, column: usize) -> Option<i64> {
        self.numbers[column]
    }
}

impl<'a> Fields<'a> {
    pub fn of(data: &'a Dataset) -> Self {
        let seed = u64::from(data.fingerprint());
        let mut written = data.schema.written();
        let beside = data.beside().into_iter().flat_map(Beside::places);
        for column in beside {
            let place = data.schema.left_out[column].place.min(written.len());
            written.insert(place, Written::LeftOut(column));
        }
        Self {
            data,
            rng: generator(seed, Purpose::Cells, 0),
            written,
            deciders: Deciders::of(&data.schema),
        }
    }

    /// The columns, in the order of the fields.
    pub fn columns(&self) -> &[Written] {
        &self.written
    }

    /// The fields of a row.
    pub fn row(&self, row: usize) -> Vec<Cow<'a, str>> {
        let (data, schema) = (self.data, &self.data.schema);
        let labels = data.row(row);
        let mut rng = row_generator(&self.rng, row);
        let (mut site, mut numbers) = (0, Vec::with_capacity(schema.column_count()));
        let mut texts = Vec::with_capacity(self.written.len());
        for column in 0..schema.column_count() {
            let (_, coding) = schema.column(column);
            let first = site;
            site += coding.map_or(1, Coding::sites);
            let own = &labels[first..site];
            let known = data.numbers().and_then(|numbers| numbers.get(row, column));
            let number = coding.and_then(|coding| coding.number(own, known, &mut rng));
            numbers.push(number);
            texts.push(match coding {
                None => schema.word(first, own[0]),
                Some(coding) => coding
                    .write(own, number)
                    .map_or(Cow::Borrowed(MISSING), Cow::Owned),
            });
        }
        if self.written.len() == texts.len() {
            return texts;
        }
        let numbers = &numbers[..];
        let decided = self.deciders.decide(&Drawn { labels, numbers }, |_| None);
        let mut texts = texts.into_iter();
        let text = |written: &Written| match *written {
            Written::Own(_) => texts.next().expect("a text for every column"),
            Written::Derived(derived) => self.deciders.text(derived, decided[derived]),
            Written::LeftOut(column) => {
                let beside = data.beside().expect("columns beside the rows");
                Cow::Borrowed(beside.text(column, row))
            }
        };
        self.written.iter().map(text).collect()
    }
}
