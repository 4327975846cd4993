//! Fitting the posterior network to samples of an energy model: an ordinary fit of a table of samples.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use segre::data;
use segre::flow::saving;
use segre::randomized::schema_of;

use super::Fit;
use super::samples::{Wanted, default_count, samples};
use crate::args::Common;
use crate::commands::fit::{self, start};
use crate::session::check_writable;

/// Samples whose training takes a few minutes.
const TIME: &str = "5m";

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
            saving::load_card(&arguments.out)?.source != arguments.model,
            "the run in {} is one without data; go on with --data-free --resume",
            arguments.out.display()
        );
    } else {
        let (energy, grid) = arguments.load()?;
        ensure!(
            !arguments.out.exists() || arguments.force,
            "{} exists; go on with --resume, replace it with --force, or choose another --out",
            arguments.out.display()
        );
        check_writable(&file)?;
        prior = arguments.prior(&energy)?;
        let schema = schema_of(&energy, grid.as_ref())?;
        let wanted = Wanted {
            from: arguments.samples_from.as_deref(),
            count: arguments
                .samples
                .unwrap_or_else(|| default_count(energy.variables())),
            memory: arguments.memory,
            seed: common.seed.unwrap_or(0),
        };
        let found = samples(&energy, &schema, &wanted, common)?;
        data::write(&found.data, &file)?;
    }
    let words = words(arguments, &file.display().to_string(), prior.is_some());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut own = start::parse(&words, common.seed.unwrap_or(0))?;
    own.recipe.seed = common.seed;
    own.prior = prior;
    own.out.clone_from(&arguments.out);
    own.resume = arguments.resume;
    own.force = arguments.force;
    let time = &mut own.recipe.training.time;
    *time = arguments.time.or(*time);
    fit::fit(&own, common)
}

/// Samples are data of their own: beside the folder, so that `segre evaluate` and `--resume` find them.
fn samples_file(arguments: &Fit) -> Result<PathBuf> {
    let mut name = arguments.out.components().as_path().as_os_str().to_owned();
    ensure!(!name.is_empty(), "--out is empty; give a folder");
    name.push(".samples.csv");
    Ok(PathBuf::from(name))
}

/// The words of `segre fit`.
pub fn words(arguments: &Fit, file: &str, beliefs: bool) -> Vec<String> {
    let mut words: Vec<String> = [file, "--conditional", "any"].map(str::to_owned).into();
    if beliefs {
        // What a mixture would carry, beliefs do.
        words.extend(["--path", "masked", "--components", "0"].map(str::to_owned));
    }
    if let Some(steps) = arguments.steps {
        words.extend(["--steps".to_owned(), steps.to_string()]);
    } else if arguments.time.is_none() {
        words.extend(["--time", TIME].map(str::to_owned));
    }
    if let Some(rate) = arguments.learning_rate {
        words.extend(["--learning-rate".to_owned(), rate.to_string()]);
    }
    words
}
