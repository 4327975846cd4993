//! What the sites and categories of a data set are; saved with a model as JSON.

use crate::data::error::{DataError, Result};
use crate::data::table::{Column, Derived, Inequality, LeftOut, TableTypes};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Largest number of categories that one site may have: labels are 16-bit.
pub const MAX_CATEGORIES: usize = (1 << 16) - 1;

/// The category of missing fields of a table.
pub(in crate::data) const MISSING: &str = "?";

/// How the sites of one row are arranged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// Named columns without an order.
    Table,
    /// A picture, row after row.
    Image {
        /// Rows of pixels.
        height: usize,
        /// Pixels in a row.
        width: usize,
        /// Height and width that a network may pad the picture to; the padding has no sites, so it is
        /// neither scored nor written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pad_to: Option<[usize; 2]>,
    },
    /// Positions of an aligned sequence.
    Sequence,
    /// Consecutive characters.
    Text,
    /// An array of any shape, last axis fastest.
    Array {
        /// Length of each axis.
        shape: Vec<usize>,
    },
}

impl Layout {
    /// The layout's name for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Image { .. } => "image",
            Self::Sequence => "sequence",
            Self::Text => "text",
            Self::Array { .. } => "array",
        }
    }

    /// The layout with its shape, for messages.
    pub fn describe(&self) -> String {
        match self {
            Self::Image {
                height,
                width,
                pad_to: None,
            } => format!("an image of {height}×{width}"),
            Self::Image {
                height,
                width,
                pad_to: Some([padded_height, padded_width]),
            } => {
                format!("an image of {height}×{width} padded to {padded_height}×{padded_width}")
            }
            Self::Array { shape } => format!("an array of shape {shape:?}"),
            other => format!("a {}", other.name()),
        }
    }
}

/// One discrete variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Column name, `r0c3`, `position 7`, ….
    pub name: String,
    /// Index into [`Schema::vocabularies`].
    pub vocabulary: usize,
}

/// The categories of one or more sites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vocabulary {
    /// Labels `0..count`, written as integers.
    Integers {
        /// Number of categories.
        count: usize,
    },
    /// One string per category.
    Words {
        /// The strings, by label.
        categories: Vec<String>,
    },
    /// One class of a label map per category.
    Classes {
        /// The classes, by label.
        classes: Vec<Class>,
    },
}

/// A class of a label map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// How the user writes it.
    pub name: String,
    /// Its colour in pictures, as red, green and blue; any that differs from the others when `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colour: Option<[u8; 3]>,
}

impl Vocabulary {
    /// Number of categories.
    pub fn count(&self) -> usize {
        match self {
            Self::Integers { count } => *count,
            Self::Words { categories } => categories.len(),
            Self::Classes { classes } => classes.len(),
        }
    }

    /// The categories as words, by label; `None` for integers.
    pub fn words(&self) -> Option<Vec<&str>> {
        match self {
            Self::Integers { .. } => None,
            Self::Words { categories } => Some(categories.iter().map(String::as_str).collect()),
            Self::Classes { classes } => {
                Some(classes.iter().map(|class| class.name.as_str()).collect())
            }
        }
    }
}

/// The sites of a data set and their categories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// How the sites are arranged.
    pub layout: Layout,
    /// The variables, in the order of a row.
    pub sites: Vec<Site>,
    /// The vocabularies that the sites point to.
    pub vocabularies: Vec<Vocabulary>,
    /// The columns of a table, whose sites follow one another; empty if every site is a column.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
    /// Columns of a table that others decide, each after those that decide it: they are written and have no sites.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derived: Vec<Derived>,
    /// Inequalities between columns of a table that hold in what is drawn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub constraints: Vec<Inequality>,
    /// Columns of the data that are no part of the model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
    /// What was guessed or taken for something in the file that was read, a sentence each, with settings in backticks.
    #[serde(skip)]
    pub notes: Vec<String>,
    /// The types of a table's columns, where the data have some.
    #[serde(default, skip_serializing_if = "TableTypes::is_empty")]
    pub types: TableTypes,
}

impl Schema {
    /// A schema of which every site is a column.
    pub fn new(layout: Layout, sites: Vec<Site>, vocabularies: Vec<Vocabulary>) -> Self {
        Self {
            layout,
            sites,
            vocabularies,
            columns: Vec::new(),
            derived: Vec::new(),
            constraints: Vec::new(),
            left_out: Vec::new(),
            notes: Vec::new(),
            types: TableTypes::default(),
        }
    }

    /// A schema whose sites all share one vocabulary.
    pub fn shared(layout: Layout, names: Vec<String>, vocabulary: Vocabulary) -> Self {
        let sites = names
            .into_iter()
            .map(|name| Site {
                name,
                vocabulary: 0,
            })
            .collect();
        Self::new(layout, sites, vec![vocabulary])
    }

    /// A schema of integer labels `0..count` in a picture or an array, sites named by their place.
    ///
    /// Sites of a picture are named `r0c3`, of an array `x3` or `x0_3`.
    pub(crate) fn integers(shape: &[usize], image: bool, count: usize) -> Self {
        let total = shape.iter().product();
        let mut names = Vec::with_capacity(total);
        for site in 0..total {
            let mut rest = site;
            let mut place: Vec<String> = Vec::with_capacity(shape.len());
            for &length in shape.iter().rev() {
                place.insert(0, (rest % length).to_string());
                rest /= length;
            }
            names.push(match &place[..] {
                [row, column] if image => format!("r{row}c{column}"),
                _ => format!("x{}", place.join("_")),
            });
        }
        let layout = match shape {
            &[height, width] if image => Layout::Image {
                height,
                width,
                pad_to: None,
            },
            _ => Layout::Array {
                shape: shape.to_vec(),
            },
        };
        Self::shared(layout, names, Vocabulary::Integers { count })
    }

    /// The shape of one row as an array: `[height, width]`, an array's own shape, else `[sites]`.
    pub fn row_shape(&self) -> Vec<usize> {
        match &self.layout {
            Layout::Image { height, width, .. } => vec![*height, *width],
            Layout::Array { shape } => shape.clone(),
            Layout::Table | Layout::Sequence | Layout::Text => vec![self.sites()],
        }
    }

    /// Number of sites `n`.
    pub fn sites(&self) -> usize {
        self.sites.len()
    }

    /// Number of categories of a site.
    ///
    /// # Panics
    /// If the site does not exist.
    pub fn cardinality(&self, site: usize) -> usize {
        self.vocabulary(site).count()
    }

    /// Number of categories of every site.
    pub fn cardinalities(&self) -> Vec<usize> {
        (0..self.sites())
            .map(|site| self.cardinality(site))
            .collect()
    }

    /// The largest number of categories of any site; 0 without sites.
    pub fn max_categories(&self) -> usize {
        (0..self.sites())
            .map(|site| self.cardinality(site))
            .max()
            .unwrap_or(0)
    }

    /// How the user writes a category.
    ///
    /// # Panics
    /// If the site or the label does not exist.
    pub fn category_name(&self, site: usize, label: u16) -> Cow<'_, str> {
        if self.has_codings()
            && let (_, Some(coding)) = self.column(self.column_of(site))
            && coding.sites() == 1
        {
            return Cow::Owned(coding.describe(usize::from(label)));
        }
        self.word(site, label)
    }

    /// How a category of a site is written that is a column of its own.
    pub(in crate::data) fn word(&self, site: usize, label: u16) -> Cow<'_, str> {
        match self.vocabulary(site) {
            Vocabulary::Integers { count } => {
                assert!(
                    usize::from(label) < *count,
                    "label {label} of {count} categories"
                );
                Cow::Owned(label.to_string())
            }
            Vocabulary::Words { categories } => Cow::Borrowed(&categories[usize::from(label)]),
            Vocabulary::Classes { classes } => Cow::Borrowed(&classes[usize::from(label)].name),
        }
    }

    /// The site of a name, which is that of a column unless it has several.
    ///
    /// # Errors
    /// [`DataError::NoSuchColumn`].
    pub fn site_named(&self, name: &str) -> Result<usize> {
        let found = self.sites.iter().position(|site| site.name == name);
        found.ok_or_else(|| {
            let names = self.sites.iter().map(|site| site.name.as_str());
            DataError::no_such_column(name, names)
        })
    }

    /// The category that missing fields of a table's column had in the data of the schema, if they had one.
    ///
    /// # Panics
    /// If the site does not exist.
    pub fn missing_category(&self, site: usize) -> Option<u16> {
        match self.layout {
            Layout::Table if self.has_codings() => self.missing_digit(site),
            Layout::Table => self.label_of(site, MISSING),
            _ => None,
        }
    }

    /// The label of a category as the user writes it, `None` if the site has no such category.
    ///
    /// # Panics
    /// If the site does not exist.
    pub fn label_of(&self, site: usize, name: &str) -> Option<u16> {
        match self.vocabulary(site) {
            Vocabulary::Integers { count } => name
                .parse()
                .ok()
                .filter(|&label| usize::from(label) < *count),
            Vocabulary::Words { categories } => {
                let label = categories.iter().position(|category| category == name)?;
                u16::try_from(label).ok()
            }
            Vocabulary::Classes { classes } => {
                let label = classes.iter().position(|class| class.name == name)?;
                u16::try_from(label).ok()
            }
        }
    }

    /// Whether the categories of a site are ordered: integers, and more than two.
    ///
    /// # Panics
    /// If the site does not exist.
    pub fn is_ordinal(&self, site: usize) -> bool {
        matches!(self.vocabulary(site), Vocabulary::Integers { count } if *count > 2)
    }

    /// Bits per site of the uniform distribution, `(1/n) Σ_i log₂ c_i`; 0 without sites.
    pub fn uniform_bits_per_dim(&self) -> f64 {
        let bits: f64 = self
            .cardinalities()
            .iter()
            .map(|&count| (count as f64).log2())
            .sum();
        bits / self.sites().max(1) as f64
    }

    /// Checks that another schema is this one.
    ///
    /// # Errors
    /// [`DataError::SchemaMismatch`] with the first difference: layout, sites, names or categories.
    pub fn same_as(&self, other: &Schema) -> Result<()> {
        let differ = |what: String, expected: String, found: String| {
            Err(DataError::SchemaMismatch {
                what,
                expected,
                found,
            })
        };
        if self.layout != other.layout {
            let (expected, found) = (self.layout.describe(), other.layout.describe());
            return differ("the layout".into(), expected, found);
        }
        if self.sites() != other.sites() {
            let (expected, found) = (self.sites().to_string(), other.sites().to_string());
            return differ("the number of sites".into(), expected, found);
        }
        for (site, (mine, theirs)) in self.sites.iter().zip(&other.sites).enumerate() {
            if mine.name != theirs.name {
                let what = format!("the name of site {site}");
                return differ(
                    what,
                    format!("{:?}", mine.name),
                    format!("{:?}", theirs.name),
                );
            }
            let (known, found) = (self.vocabulary(site), other.vocabulary(site));
            if known != found {
                let what = format!("the vocabulary of {:?}", mine.name);
                return differ(what, summary(known), summary(found));
            }
        }
        if self.columns != other.columns {
            let what = "how columns of numbers are divided".to_owned();
            return differ(what, "another".to_owned(), "one".to_owned());
        }
        if self.derived != other.derived {
            let what = "what decides columns".to_owned();
            return differ(what, "another".to_owned(), "one".to_owned());
        }
        Ok(())
    }

    /// The vocabulary of a site.
    ///
    /// # Panics
    /// If the site does not exist.
    pub fn vocabulary(&self, site: usize) -> &Vocabulary {
        &self.vocabularies[self.sites[site].vocabulary]
    }
}

/// A vocabulary in a few words.
fn summary(vocabulary: &Vocabulary) -> String {
    match vocabulary {
        Vocabulary::Integers { count } => format!("integers below {count}"),
        Vocabulary::Words { categories } => {
            let first: Vec<&str> = categories.iter().take(8).map(String::as_str).collect();
            let more = if categories.len() > first.len() {
                ", …"
            } else {
                ""
            };
            format!("{} words ({}{more})", categories.len(), first.join(", "))
        }
        Vocabulary::Classes { classes } => {
            let first: Vec<&str> = classes
                .iter()
                .take(8)
                .map(|class| class.name.as_str())
                .collect();
            let more = if classes.len() > first.len() {
                ", …"
            } else {
                ""
            };
            format!("{} classes ({}{more})", classes.len(), first.join(", "))
        }
    }
}

mod check;
mod columns;

pub use columns::Written;

#[cfg(test)]
mod tests;
