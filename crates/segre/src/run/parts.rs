//! The parts of a data set, and the same parts again when a fit is over.

use std::path::Path;

use super::card::ModelCard;
use super::error::{Result, RunError};
use crate::data::{self, DataSource, Dataset, IN_MEMORY, RowClasses, Split, SplitConfig};

/// The parts of a data set.
#[derive(Clone, Debug)]
pub struct Parts {
    /// What is learned from.
    pub train: Dataset,
    /// What chooses when to stop and which model is kept.
    pub validation: Dataset,
    /// What is only for the final figure.
    pub test: Dataset,
}

/// A file with a class for every row.
#[derive(Clone, Copy, Debug)]
pub struct LabelFile<'a> {
    /// The file.
    pub path: &'a Path,
    /// The column of a table.
    pub column: Option<&'a str>,
}

impl Parts {
    /// Divides a data set; with test data of their own, in two parts. Labels beyond so many bytes are in a file.
    ///
    /// # Errors
    /// [`DataError::BadSplit`](data::DataError::BadSplit) if a part would be empty,
    /// [`DataError::LabelFile`](data::DataError::LabelFile) if the file cannot be written.
    pub fn of(
        data: &Dataset,
        split: &SplitConfig,
        test: Option<Dataset>,
        memory: u64,
    ) -> Result<Self> {
        let rows = data.rows();
        let split = match test {
            None => Split::seeded(rows, split.validation, split.test, split.seed)?,
            Some(_) => Split::without_test(rows, split.validation, split.seed)?,
        };
        Ok(Self {
            train: data.select_within(&split.train, memory)?,
            validation: data.select_within(&split.validation, memory)?,
            test: match test {
                Some(test) => test,
                None => data.select_within(&split.test, memory)?,
            },
        })
    }

    /// Reads the data of a fit again and divides them as the fit did.
    ///
    /// # Errors
    /// Those of reading; [`RunError::NoData`] for a fit without data, [`RunError::InMemory`], [`RunError::DataChanged`] and
    /// [`RunError::LabelsChanged`] for other data than the fit's.
    pub fn of_fit(card: &ModelCard) -> Result<Self> {
        Ok(Self::of_fit_with_labels(card, None)?.0)
    }

    /// [`of_fit`](Self::of_fit) with the classes of the rows, from a file where the fit was not told them, and how
    /// the user writes them.
    ///
    /// # Errors
    /// As [`of_fit`](Self::of_fit).
    pub fn of_fit_with_labels(
        card: &ModelCard,
        labels: Option<LabelFile>,
    ) -> Result<(Self, Option<Vec<String>>)> {
        if card.fingerprint.is_none() {
            let source_name = card.source.clone();
            return Err(RunError::NoData { source_name });
        }
        if card.source == IN_MEMORY {
            return Err(RunError::InMemory);
        }
        let data = data::read(&DataSource::parse(&card.source)?, &card.read_options)?;
        Self::of_card(card, data, labels)
    }

    /// [`of_fit_with_labels`](Self::of_fit_with_labels) of data that are read already.
    ///
    /// # Errors
    /// As [`of_fit`](Self::of_fit).
    pub fn of_card(
        card: &ModelCard,
        data: Dataset,
        labels: Option<LabelFile>,
    ) -> Result<(Self, Option<Vec<String>>)> {
        require_unchanged(&data, &card.source, card.fingerprint)?;
        let told = card.labels.as_ref().map(|labels| LabelFile {
            path: &labels.path,
            column: labels.column.as_deref(),
        });
        let (data, names) = match told.or(labels) {
            None => (data, None),
            Some(LabelFile { path, column }) => {
                let classes = RowClasses::read(path, column, &card.source, data.rows())?;
                let fingerprint = card.labels.as_ref().map(|labels| labels.fingerprint);
                if fingerprint.is_some_and(|known| known != classes.fingerprint()) {
                    let path = path.to_path_buf();
                    return Err(RunError::LabelsChanged { path });
                }
                (data.with_classes(classes.values), Some(classes.names))
            }
        };
        let test = match &card.test_data {
            None => None,
            Some(test) => {
                let source = DataSource::parse(&test.source)?;
                let data = data::read_as(&source, &card.schema, &card.read_options)?;
                require_unchanged(&data, &test.source, Some(test.fingerprint))?;
                Some(data)
            }
        };
        let parts = Self::of(&data, &card.split, test, card.read_options.memory)?;
        Ok((parts, names))
    }
}

fn require_unchanged(data: &Dataset, source: &str, fingerprint: Option<u32>) -> Result<()> {
    match Some(data.fingerprint()) == fingerprint {
        true => Ok(()),
        false => Err(RunError::DataChanged {
            source_name: source.to_owned(),
        }),
    }
}
