//! The `segre` command line: parse, run the subcommand, report an error in one line.

#![forbid(unsafe_code)]

mod args;
mod cluster;
mod commands;
mod conditionals;
mod device;
mod fitting;
mod interrupt;
mod output;
mod page;
mod report;
mod suggest;
mod watched;
mod wording;

use std::process::ExitCode;

use clap::Parser;
use segre_kernels::allocator::{Allocator, keep_memory};

use anyhow::Result;
use args::{Arguments, Command, Common};

/// What tensors free is kept for the next step: see there.
#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() -> ExitCode {
    keep_memory();
    output::end_on_failures();
    let asked = Arguments::try_parse();
    let asked = asked.map_err(|error| suggest::with_suggestion(error, suggest::words()));
    let mut arguments = asked.unwrap_or_else(|error| error.exit());
    let job = match cluster::join(&mut arguments) {
        Ok(job) => job,
        Err(error) => return fail(&error),
    };
    let Arguments { common, command } = arguments;
    match common.start().and_then(|()| run(&command, &common)) {
        // The job is left as it ends: this process waits for the others.
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            cluster::abandon(job);
            fail(&error)
        }
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    let which = cluster::before_error();
    let said = wording::with_flags(&format!("{error:#}"));
    eprintln!("error: {which}{said}");
    ExitCode::FAILURE
}

fn run(command: &Command, common: &Common) -> Result<()> {
    match command {
        Command::Fit(arguments) => commands::fit::run(arguments, common),
        Command::Sample(arguments) => commands::sample::run(arguments, common),
        Command::Score(arguments) => commands::score::run(arguments, common),
        Command::Evaluate(arguments) => commands::evaluate::run(arguments, common),
        Command::Impute(arguments) => commands::impute::run(arguments, common),
        Command::Predict(arguments) => commands::predict::run(arguments, common),
        Command::Report(arguments) => commands::report::run(arguments, common),
        Command::Info(arguments) => commands::info::run(arguments, common),
        Command::Experiment(arguments) => commands::experiment::run(arguments, common),
        Command::Energy(arguments) => commands::energy::run(arguments, common),
        Command::Devices(_) => commands::devices::run(common),
        Command::Completions(arguments) => commands::completions::run(arguments),
    }
}
