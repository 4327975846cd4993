//! Decisions one after the other: `Recipe::default().steps(100).head(Head::Field)`.

use std::time::Duration;

use super::{Conditional, NetworkKind, PathKind, Recipe};
use crate::flow::Head;

/// Each takes the place of what was decided before.
impl Recipe {
    /// Decides the number of steps.
    #[must_use]
    pub fn steps(mut self, steps: u64) -> Self {
        self.training.steps = Some(steps);
        self
    }

    /// Decides the wall time.
    #[must_use]
    pub fn time(mut self, time: Duration) -> Self {
        self.training.time = Some(time);
        self
    }

    /// Decides the rows of a step.
    #[must_use]
    pub fn batch_size(mut self, rows: usize) -> Self {
        self.training.batch_size = Some(rows);
        self
    }

    /// Decides the largest learning rate.
    #[must_use]
    pub fn learning_rate(mut self, rate: f64) -> Self {
        self.training.learning_rate = Some(rate);
        self
    }

    /// Decides which conditionals are learned.
    #[must_use]
    pub fn conditional(mut self, which: Conditional) -> Self {
        self.training.conditional = Some(which);
        self
    }

    /// Decides what the network predicts.
    #[must_use]
    pub fn head(mut self, head: Head) -> Self {
        self.model.head = Some(head);
        self
    }

    /// Decides the probability path.
    #[must_use]
    pub fn path(mut self, kind: PathKind) -> Self {
        self.path.kind = Some(kind);
        self
    }

    /// Decides the network.
    #[must_use]
    pub fn network(mut self, kind: NetworkKind) -> Self {
        self.network.kind = Some(kind);
        self
    }

    /// Decides the width of hidden layers.
    #[must_use]
    pub fn hidden(mut self, width: usize) -> Self {
        self.network.hidden = Some(width);
        self
    }

    /// Decides the components of the mixture of products.
    #[must_use]
    pub fn components(mut self, components: usize) -> Self {
        self.network.components = Some(components);
        self
    }

    /// Decides whether sites may repeat each other's labels.
    #[must_use]
    pub fn affinity(mut self, may_repeat: bool) -> Self {
        self.network.affinity = Some(may_repeat);
        self
    }
}
