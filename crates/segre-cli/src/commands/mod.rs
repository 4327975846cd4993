//! One file per subcommand.

pub mod completions;
pub mod evaluate;
pub mod fit;
pub mod info;
pub mod sample;
pub mod score;
