//! Arguments that say how precise a likelihood is wanted.

use clap::Args;
use segre::flow::likelihood::ScoreOptions;

use super::at_least_one;

/// How precise a likelihood is wanted.
#[derive(Debug, Args)]
#[command(next_help_heading = "Accuracy")]
pub struct Accuracy {
    /// Standard error of the mean to reach, in bits per dimension
    #[arg(
        allow_negative_numbers = true,
        long,
        value_name = "BITS",
        default_value_t = 0.003
    )]
    pub std_error: f64,
    /// Most rounds of 16 noise levels per row to spend on it
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = at_least_one)]
    pub max_rounds: usize,
}

impl Accuracy {
    /// The library's options for so many rows.
    pub fn options(&self, rows: usize, seed: u64) -> ScoreOptions {
        ScoreOptions {
            std_error: Some(self.std_error),
            max_rounds: self.max_rounds,
            seed,
            ..ScoreOptions::of_rows(rows)
        }
    }
}
