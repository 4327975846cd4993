//! Statistics of label maps: those of samples beside those of held-out ones.

mod statistics;

pub use statistics::{MapDistance, MapStatistics};
