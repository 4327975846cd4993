//! The `segre` command line: parse, run the subcommand, report an error in one line.

mod args;
mod awake;
mod commands;
mod conditionals;
mod device;
mod divergence;
mod interrupt;
mod report;
mod session;

use std::process::ExitCode;

use clap::Parser;
use libmimalloc_sys::mi_option_set;

use args::{Arguments, Command};

/// The system allocator returns large blocks to the kernel after every tensor operation; keeping them
/// makes matrix products two to four times faster.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Milliseconds for which the allocator keeps what was freed: longer than a step, so that the next one finds its memory
/// where it was. With the allocator's own 10 ms every step has its pages taken away and cleared anew (a UNet step: 13 %).
const KEPT_FOR: i64 = 10_000;

/// `mi_option_purge_delay` of the allocator, whose number its Rust interface does not name.
const PURGE_DELAY: i32 = 15;

fn keep_memory() {
    // Whoever sets the allocator's own variable knows better.
    if std::env::var_os("MIMALLOC_PURGE_DELAY").is_none() {
        // SAFETY: sets a number that the allocator reads at each purge; no other thread runs yet, and an option that a
        // later version does not know is refused by it.
        unsafe { mi_option_set(PURGE_DELAY, KEPT_FOR) };
    }
}

fn main() -> ExitCode {
    keep_memory();
    let Arguments { common, command } = Arguments::parse();
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
        Command::Completions(arguments) => commands::completions::run(&arguments),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
