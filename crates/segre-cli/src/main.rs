//! The `segre` command line: parse, run the subcommand, report an error in one line.

#![forbid(unsafe_code)]

mod args;
mod commands;
mod conditionals;
mod device;
mod fitting;
mod interrupt;
mod output;
mod report;
mod suggest;
mod watched;
mod wording;

use std::process::ExitCode;

use clap::Parser;
use segre_kernels::allocator::{Allocator, keep_memory};

use args::{Arguments, Command};

/// What tensors free is kept for the next step: see there.
#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() -> ExitCode {
    keep_memory();
    output::end_when_unwritable();
    let asked = Arguments::try_parse();
    let asked = asked.map_err(|error| suggest::with_suggestion(error, suggest::words()));
    let Arguments { common, command } = asked.unwrap_or_else(|error| error.exit());
    let result = common.start().and_then(|()| match command {
        Command::Fit(arguments) => commands::fit::run(&arguments, &common),
        Command::Sample(arguments) => commands::sample::run(&arguments, &common),
        Command::Score(arguments) => commands::score::run(&arguments, &common),
        Command::Evaluate(arguments) => commands::evaluate::run(&arguments, &common),
        Command::Impute(arguments) => commands::impute::run(&arguments, &common),
        Command::Predict(arguments) => commands::predict::run(&arguments, &common),
        Command::Info(arguments) => commands::info::run(&arguments, &common),
        Command::Experiment(arguments) => commands::experiment::run(&arguments, &common),
        Command::Energy(arguments) => commands::energy::run(&arguments, &common),
        Command::Devices(_) => commands::devices::run(&common),
        Command::Completions(arguments) => commands::completions::run(&arguments),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", wording::with_flags(&format!("{error:#}")));
            ExitCode::FAILURE
        }
    }
}
