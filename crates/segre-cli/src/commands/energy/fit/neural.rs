//! Fitting the posterior network to samples of an energy model: an ordinary fit of a table of samples.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use segre::atomic::check_writable;
use segre::data::{self, Layout, ReadOptions};
use segre::flow::PairwisePrior;
use segre::randomized::schema_of;
use segre::ranks;
use segre::recipe::Recipe;
use segre::run::refuse_existing;

use super::Fit;
use crate::args::{Common, print_recipe};
use crate::fitting::fit;

/// Draws samples, writes them beside the folder, and fits them as `segre fit` would; or prints the settings of that fit.
pub fn run(arguments: &Fit, common: &Common) -> Result<()> {
    let own = arguments.network_recipe(common.seed)?;
    if arguments.resume {
        refuse_others(arguments)?;
        // A run goes on with what it has.
        return learn(arguments, own, None, common);
    }
    let recipe = Recipe::of_energy_samples().and(own);
    let (energy, grid) = arguments.load()?;
    let prior = arguments.prior(&energy)?;
    let schema = schema_of(&energy, grid.as_ref())?;
    let wanted = arguments.samples_wanted(&energy, common.exact_memory(), recipe.seed());
    if arguments.recipe.print_recipe {
        let mut rows = arguments.draw(&energy, &schema, &wanted, common)?.data;
        // As they are read from a file.
        rows.schema.layout = Layout::Table;
        let rows = rows.into();
        let asked = segre::Fit::new(&rows).recipe(recipe).prior(prior);
        return print_recipe(&asked.resolved()?, common);
    }
    let file = samples_file(arguments)?;
    refuse_existing(arguments.out(), arguments.force)?;
    check_writable(&file)?;
    let found = arguments.draw(&energy, &schema, &wanted, common)?;
    data::write(&found.data, &file)?;
    // The first process writes what all read.
    ranks::any(false);
    learn(arguments, recipe, prior, common)
}

/// Refuses what a run that goes on has already.
fn refuse_others(arguments: &Fit) -> Result<()> {
    ensure!(
        arguments.prior.is_none(),
        "a run goes on with its own prior; leave --prior out"
    );
    ensure!(
        arguments.samples.is_none() && arguments.samples_from.is_none(),
        "a run goes on with its own samples; leave --samples and --samples-from out"
    );
    Ok(())
}

/// Fits the samples beside the folder, or goes on.
fn learn(
    arguments: &Fit,
    recipe: Recipe,
    prior: Option<PairwisePrior>,
    common: &Common,
) -> Result<()> {
    let reading = ReadOptions {
        builtin_seed: recipe.seed(),
        ..ReadOptions::default()
    };
    let file = samples_file(arguments)?;
    let asked = segre::Fit::to_source(&file.display().to_string(), &reading)
        .recipe(recipe)
        .prior(prior)
        .samples_of(&arguments.model)
        .out(arguments.out())
        .resume(arguments.resume)
        .force(arguments.force)
        .device(&common.device.open()?);
    fit(&asked, arguments.out(), common)
}

/// Samples are data of their own: beside the folder, so that `segre evaluate` and `--resume` find them.
fn samples_file(arguments: &Fit) -> Result<PathBuf> {
    let mut name = arguments
        .out()
        .components()
        .as_path()
        .as_os_str()
        .to_owned();
    ensure!(!name.is_empty(), "--out is empty; give a folder");
    name.push(".samples.csv");
    Ok(PathBuf::from(name))
}
