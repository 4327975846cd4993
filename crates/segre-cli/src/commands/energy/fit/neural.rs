//! Fitting the posterior network to samples of an energy model: an ordinary fit of a table of samples.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use segre::atomic::check_writable;
use segre::data::{self, ReadOptions};
use segre::randomized::schema_of;
use segre::recipe::Recipe;
use segre::run::{load_card, refuse_existing};

use super::Fit;
use crate::args::Common;
use crate::fitting::fit;

/// Draws samples, writes them beside the folder, and fits them as `segre fit` would.
pub fn run(arguments: &Fit, common: &Common) -> Result<()> {
    let file = samples_file(arguments)?;
    let mut prior = None;
    if arguments.resume {
        ensure!(
            arguments.prior.is_none(),
            "a run goes on with its own prior; leave --prior out"
        );
        ensure!(
            arguments.samples.is_none() && arguments.samples_from.is_none(),
            "a run goes on with its own samples; leave --samples and --samples-from out"
        );
        // A fit to samples has these as its source, a fit without data the energy itself.
        ensure!(
            load_card(&arguments.out)?.source != arguments.model,
            "the run in {} is one without data; go on with --data-free --resume",
            arguments.out.display()
        );
    } else {
        let (energy, grid) = arguments.load()?;
        refuse_existing(&arguments.out, arguments.force)?;
        check_writable(&file)?;
        prior = arguments.prior(&energy)?;
        let schema = schema_of(&energy, grid.as_ref())?;
        let wanted = arguments.samples_wanted(&energy, common.seed);
        let found = arguments.draw(&energy, &schema, &wanted, common)?;
        data::write(&found.data, &file)?;
    }
    let own = arguments.recipe(common.seed);
    // A run goes on with what it has.
    let recipe = match arguments.resume {
        true => own,
        false => Recipe::of_energy_samples().and(own),
    };
    let reading = ReadOptions {
        builtin_seed: recipe.seed(),
        ..ReadOptions::default()
    };
    let asked = segre::Fit::to_source(&file.display().to_string(), &reading)
        .recipe(recipe)
        .prior(prior)
        .out(&arguments.out)
        .resume(arguments.resume)
        .force(arguments.force)
        .device(&common.device.open()?);
    fit(&asked, &arguments.out, common)
}

/// Samples are data of their own: beside the folder, so that `segre evaluate` and `--resume` find them.
fn samples_file(arguments: &Fit) -> Result<PathBuf> {
    let mut name = arguments.out.components().as_path().as_os_str().to_owned();
    ensure!(!name.is_empty(), "--out is empty; give a folder");
    name.push(".samples.csv");
    Ok(PathBuf::from(name))
}
