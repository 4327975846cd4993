//! What a schema that was written by hand could get wrong.

use super::{Layout, MAX_CATEGORIES, Schema, Vocabulary};
use crate::data::error::{DataError, Result};

impl Schema {
    /// Checks what a file written by hand could get wrong: dangling indices, empty vocabularies.
    ///
    /// # Errors
    /// [`DataError::SchemaMismatch`] with the first fault.
    pub fn validate(&self) -> Result<()> {
        let fault = |what: &str, expected: String, found: String| {
            Err(DataError::SchemaMismatch {
                what: what.into(),
                expected,
                found,
            })
        };
        let area = match &self.layout {
            Layout::Image { height, width, .. } => height.checked_mul(*width),
            Layout::Array { shape } => shape
                .iter()
                .try_fold(1_usize, |product, &length| product.checked_mul(length)),
            Layout::Table | Layout::Sequence | Layout::Text => Some(self.sites()),
        };
        if self.sites.is_empty() || area != Some(self.sites()) {
            let expected = format!("{area:?} from its layout");
            return fault("the number of sites", expected, self.sites().to_string());
        }
        for site in &self.sites {
            if site.vocabulary >= self.vocabularies.len() {
                let expected = format!("below {}", self.vocabularies.len());
                return fault(
                    "a site's vocabulary index",
                    expected,
                    site.vocabulary.to_string(),
                );
            }
        }
        if !self.columns.is_empty() {
            let digits = self.columns.iter().flat_map(|column| match &column.coding {
                Some(coding) => coding
                    .vocabularies()
                    .iter()
                    .map(Vocabulary::count)
                    .map(Some)
                    .collect(),
                None => vec![None],
            });
            let digits: Vec<Option<usize>> = digits.collect();
            let suits = digits.len() == self.sites()
                && digits
                    .iter()
                    .enumerate()
                    .all(|(site, count)| count.is_none_or(|count| count == self.cardinality(site)));
            if !suits {
                let expected = format!("{} sites in all", self.sites());
                return fault(
                    "the coding of the columns",
                    expected,
                    format!("for {}", digits.len()),
                );
            }
        }
        for (place, derived) in self.derived.iter().enumerate() {
            let known = |name: &&str| {
                let before = &self.derived[..place];
                (0..self.column_count()).any(|column| self.column(column).0 == *name)
                    || before.iter().any(|own| own.name == *name)
            };
            if let Some(stranger) = derived.parents().iter().find(|name| !known(name)) {
                let what = format!("what decides column {:?}", derived.name);
                let expected = "a column, or a decided one before it".to_owned();
                return fault(&what, expected, format!("{stranger:?}"));
            }
        }
        for vocabulary in &self.vocabularies {
            if !(1..=MAX_CATEGORIES).contains(&vocabulary.count()) {
                let expected = format!("from 1 to {MAX_CATEGORIES}");
                let found = vocabulary.count().to_string();
                return fault("a number of categories", expected, found);
            }
        }
        Ok(())
    }
}
