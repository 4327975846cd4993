//! `segre experiment`: the experiments of the papers and beyond, one file each.
//!
//! A further experiment is one more file with a [`Definition`] and one more line in [`ALL`]:
//!
//! ```text
//! fn run(run: &mut Run) -> Result<WriteUp> {
//!     let (steps, samples) = run.choose((300, 20_000), (2000, 512_000)); // --quick, else
//!     run.plan(PATHS.len() * run.seeds().len());
//!     for (name, path) in PATHS {
//!         for seed in run.seeds() {
//!             run.cell(&[("path", name)], seed, |cell| {
//!                 let recipe = Recipe::default().path(path).steps(steps);
//!                 let fitted = cell.fit("product:c=20,n=4", recipe)?;
//!                 Ok(cell.divergence(&fitted, samples, &SamplingOptions::default())?.0)
//!             })?;
//!         }
//!     }
//!     run.picture("rates.png", &draw(run.summary())?)?; // see report/chart.rs
//!     Ok(WriteUp { notes: "What it shows.".into(), ..WriteUp::default() })
//! }
//! ```
//!
//! Cells that share a model fit it when the first of them is measured: `if model.is_none() { model =
//! Some(cell.fit(…)?) }`, with `model` outside the closure.
//!
//! An experiment is a constant of type `Definition` in a file of its own, and a line in `ALL`
//! (`commands/experiment/mod.rs`). It measures cells: `run.cell(settings, seed, |cell| …)` trains by the recipe that `fit`
//! follows, and stores every cell at once; a cell that is there already is skipped, which is all that `--resume` does. What
//! a picture needs beyond the rows, a cell writes as a file. `results.json` is the truth, `results.csv`, pictures and
//! `REPORT.md` follow.

mod class_scaling;
mod coupled_binary;
mod coupled_class_scaling;
mod fitting;
mod ising;
mod ising_critical;
mod likelihood;
mod lines;
mod potts_image;
mod randomized;
mod rates;
mod results;
mod run;
mod samplers;
mod tetrahedron;
mod toys;
mod write_up;

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::json;

use self::run::Run;
use self::write_up::WriteUp;
use crate::args::Common;
use crate::report::json::print_object;
use crate::report::table::{Align, Table};

/// What an experiment is.
pub struct Definition {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it shows, in a line.
    pub about: &'static str,
    /// Which figure or table of which paper it repeats.
    pub source: &'static str,
    /// What [`Measured::value`](results::Measured::value) is, with its unit.
    pub quantity: &'static str,
    /// Minutes it takes on two cores, roughly.
    pub minutes: f64,
    /// Seeds when none are asked for; one with `--quick`.
    pub seeds: u64,
    /// Measures the cells, draws the pictures, and says what to write about them.
    pub run: fn(&mut Run) -> Result<WriteUp>,
}

/// All experiments, in the order of the list.
const ALL: &[Definition] = &[
    coupled_binary::DEFINITION,
    toys::DEFINITION,
    tetrahedron::DEFINITION,
    class_scaling::DEFINITION,
    coupled_class_scaling::DEFINITION,
    samplers::DEFINITION,
    rates::DEFINITION,
    likelihood::DEFINITION,
    ising::DEFINITION,
    ising_critical::DEFINITION,
    potts_image::DEFINITION,
];

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre experiment list
  segre experiment run coupled-binary
  segre experiment run toys --quick --out /tmp/toys
  segre experiment run toys --seeds 5 --resume      go on after Ctrl-C or a crash")]
pub struct Experiment {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// The experiments: what they show, where it is published, how long they take
    #[command(after_help = "Examples:
  segre experiment list
  segre experiment list --json")]
    List,
    /// Run an experiment: results.csv, results.json, pictures and REPORT.md in a folder
    Run(RunArguments),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre experiment run coupled-binary
  segre experiment run toys --quick --out /tmp/toys
  segre experiment run toys --seeds 5 --resume      go on after Ctrl-C or a crash
  segre experiment run likelihood --model runs/mnist  also of a model of yours")]
pub struct RunArguments {
    /// Which experiment, see segre experiment list
    #[arg(value_parser = PossibleValuesParser::new(ALL.iter().map(|known| known.name)))]
    name: String,
    /// Folder for the results; must be empty or absent, or see --resume and --force [default: experiments/NAME]
    #[arg(long, short, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Folder of a fitted model to measure too (likelihood only)
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// A rough version in about a minute: fewer steps, samples and seeds
    #[arg(long)]
    quick: bool,
    /// Number of seeds, counted from --seed [default: by the experiment]
    #[arg(allow_negative_numbers = true, long, value_name = "K", value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: Option<u64>,
    /// Keep what was measured in --out, and measure what is missing
    #[arg(long, conflicts_with = "force")]
    resume: bool,
    /// Replace what a former run left in --out
    #[arg(long)]
    force: bool,
}

/// Lists the experiments or runs one.
pub fn run(arguments: &Experiment, common: &Common) -> Result<()> {
    match &arguments.action {
        Action::List => list(common),
        Action::Run(arguments) => {
            let Some(definition) = ALL.iter().find(|known| known.name == arguments.name) else {
                bail!(
                    "no experiment {}; see segre experiment list",
                    arguments.name
                );
            };
            let mut run = Run::begin(definition, arguments, common)?;
            let write_up = (definition.run)(&mut run)?;
            run.finish(&write_up, common)
        }
    }
}

fn list(common: &Common) -> Result<()> {
    if common.json {
        let each = ALL.iter().map(|known| {
            json!({
                "name": known.name, "about": known.about, "source": known.source,
                "minutes": known.minutes, "seeds": known.seeds,
            })
        });
        return print_object(&json!({ "experiments": each.collect::<Vec<_>>() }));
    }
    let mut table = Table::new(&[
        ("name", Align::Left),
        ("minutes", Align::Decimal),
        ("what it shows", Align::Left),
        ("source", Align::Left),
    ]);
    for known in ALL {
        table.push([
            known.name.into(),
            known.minutes.to_string(),
            known.about.into(),
            known.source.into(),
        ]);
    }
    print!("{}", table.to_text());
    Ok(())
}
