//! Pictures, one kind a file.

pub mod axis;
pub mod bars;
pub mod chart;
pub mod colour;
pub mod column;
pub mod curve;
pub mod distances;
pub mod drawing;
pub mod grid;
pub mod histogram2d;
pub mod infilling;
pub mod key;
mod levels;
pub mod logo;
pub mod matrix;
pub mod neighbours;
pub mod outliers;
pub mod samples;
pub mod scatter;
