//! `segre fit`: learns a model, with checkpoints, a training curve, samples and the test likelihood.

mod args;
mod request;

use anyhow::Result;

pub use self::args::Fit;
use crate::args::{Common, print_recipe};
use crate::fitting::fit;

/// Learns a model, or prints the settings that its fit would have.
pub fn run(arguments: &Fit, common: &Common) -> Result<()> {
    let device = common.device.open()?;
    let asked = request::fit_of(arguments, common, &device)?;
    if !arguments.recipe.print_recipe {
        let out = arguments.out.clone().unwrap_or_default();
        return fit(&asked.out(&out), &out, common);
    }
    print_recipe(&asked.resolved()?, common)
}
