//! What recipes look at: facts of the data, of what is told beside them and of what is known before.

use crate::data::{Dataset, Layout, Schema};
use crate::flow::PairwisePrior;

/// Facts that choose what a recipe leaves open.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// How the sites lie, with the size of images.
    pub layout: Layout,
    /// Number of sites `n`.
    pub sites: usize,
    /// Largest number of categories `c` of a site.
    pub categories: usize,
    /// Rows to train on; `None` where rows are drawn as wanted.
    pub rows: Option<usize>,
    /// Number of classes that the rows are told to have.
    pub classes: Option<usize>,
    /// Whether columns of a table hold numbers, or more words than one site takes.
    pub numbers: bool,
    /// What is known before anything is learned: a model of the same sites.
    pub prior: Option<PairwisePrior>,
}

impl Facts {
    /// Facts of the rows to train on.
    #[must_use]
    pub fn of(train: &Dataset) -> Self {
        let classes = train.classes().and_then(|classes| classes.iter().max());
        Self {
            rows: Some(train.rows()),
            classes: classes.map(|last| usize::from(*last) + 1),
            ..Self::of_schema(&train.schema)
        }
    }

    /// Facts where rows are drawn as wanted.
    #[must_use]
    pub fn of_schema(schema: &Schema) -> Self {
        Self {
            layout: schema.layout.clone(),
            sites: schema.sites(),
            categories: schema.max_categories(),
            rows: None,
            classes: None,
            numbers: schema.has_codings(),
            prior: None,
        }
    }

    /// The facts with what is known before anything is learned.
    #[must_use]
    pub fn with_prior(self, prior: Option<PairwisePrior>) -> Self {
        Self { prior, ..self }
    }

    /// The facts with the number of classes that the rows are told to have.
    #[must_use]
    pub fn with_classes(self, classes: Option<usize>) -> Self {
        Self { classes, ..self }
    }

    /// Rows to learn from before they run short.
    pub(super) fn rows_at_hand(&self) -> usize {
        self.rows.unwrap_or(usize::MAX)
    }

    pub(super) fn is_image(&self) -> bool {
        matches!(self.layout, Layout::Image { .. })
    }

    /// The longer side of images, in pixels.
    pub(super) fn side(&self) -> usize {
        match self.layout {
            Layout::Image { height, width, .. } => height.max(width),
            _ => 0,
        }
    }
}
