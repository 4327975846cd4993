//! Nearest rows: how far samples are from the rows that were trained on, beside held-out rows.

mod distances;
mod report;
mod search;

pub use distances::{DistanceComparison, DistanceSummary};
pub use report::{Found, NearestReport, run};
pub use search::{Neighbour, nearest};
