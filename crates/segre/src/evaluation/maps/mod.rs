//! Statistics of label maps: those of samples beside those of held-out ones.

mod report;
mod statistics;

pub use report::{ClassShares, MapReport, run};
pub use statistics::{MapDistance, MapStatistics, Regions};
