//! `segre completions`: shell completions on standard output.

use anyhow::Result;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::args::Arguments;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre completions bash > ~/.local/share/bash-completion/completions/segre")]
pub struct Completions {
    /// Shell
    pub shell: Shell,
}

/// Prints the completions.
pub fn run(arguments: &Completions) -> Result<()> {
    let mut command = Arguments::command();
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "segre", &mut text);
    print!("{}", String::from_utf8(text)?);
    Ok(())
}
