//! One file per subcommand.

pub mod completions;
pub mod devices;
pub mod energy;
pub mod evaluate;
pub mod experiment;
pub mod fit;
pub mod impute;
pub mod info;
pub mod predict;
pub mod report;
pub mod sample;
pub mod score;
