//! `segre fit`: learns a model, with checkpoints, a training curve, samples, the test likelihood, and a page about them.

mod args;
mod request;

use anyhow::Result;
use segre_report::page::PageOptions;

pub use self::args::Fit;
use crate::args::{Common, print_recipe};
use crate::fitting::fit;
use crate::page::{self, PAGE_FILE};

/// Learns a model, or prints the settings that its fit would have.
pub fn run(arguments: &Fit, common: &Common) -> Result<()> {
    let device = common.device.open()?;
    let asked = request::fit_of(arguments, common, &device)?;
    if !arguments.recipe.print_recipe {
        let out = arguments.out.clone().unwrap_or_default();
        fit(&asked.out(&out), &out, common)?;
        if arguments.report {
            let written = page::write(&out, &out.join(PAGE_FILE), &PageOptions::default(), common)?;
            if !common.json {
                println!("{}", written.line());
            }
        }
        return Ok(());
    }
    print_recipe(&asked.resolved()?, common)
}
