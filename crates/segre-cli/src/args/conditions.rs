//! Arguments of conditionals: which sites are hidden, how conditionals are checked.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use segre::data::{Region, Schema, SiteMask};

use super::at_least_one;

/// Which sites are hidden beside those that are missing.
#[derive(Debug, Args)]
#[command(next_help_heading = "Hiding")]
pub struct Hiding {
    /// Hide what is not 0 in a mask: a .png of a picture's size, or a .npy array of a row's shape for all rows, or of the
    /// data's shape
    #[arg(long, value_name = "FILE", conflicts_with = "hide")]
    pub mask: Option<PathBuf>,
    /// Hide a part of every picture: upper-half, lower-half, left-half, right-half or HEIGHTxWIDTH+TOP+LEFT
    #[arg(long, value_name = "PART")]
    pub hide: Option<Region>,
}

impl Hiding {
    /// The mask, if something is to be hidden.
    ///
    /// # Errors
    /// If it does not fit the rows.
    pub fn mask(&self, schema: &Schema) -> Result<Option<SiteMask>> {
        Ok(match (&self.mask, self.hide) {
            (Some(path), _) => Some(SiteMask::read(path, schema)?),
            (None, Some(region)) => Some(SiteMask::region(region, schema)?),
            (None, None) => None,
        })
    }
}

/// How conditionals are compared with exact ones.
#[derive(Debug, Args)]
#[command(next_help_heading = "Conditionals")]
pub struct ConditionalChecks {
    /// Also the divergence of conditionals from the exact ones, for this many random choices of half of the sites
    #[arg(long, value_name = "N", value_parser = at_least_one)]
    pub conditionals: Option<usize>,
    /// Orders over which the sampler's conditional probabilities are averaged
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = at_least_one)]
    pub orders: usize,
}
