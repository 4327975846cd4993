//! `segre completions`: shell completions on standard output.

use anyhow::Result;
use clap::CommandFactory;

use crate::args::{Arguments, Completions};

/// Prints the completions.
pub fn run(arguments: &Completions) -> Result<()> {
    let mut command = Arguments::command();
    clap_complete::generate(
        arguments.shell,
        &mut command,
        "segre",
        &mut std::io::stdout(),
    );
    Ok(())
}
