//! Arguments of `segre energy info`.

use clap::Args;

use crate::args::memory;
use crate::commands::energy::Subject;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre energy info ising:3x8
  segre energy info model.uai --evidence model.uai.evid --json")]
pub struct Info {
    #[command(flatten)]
    pub subject: Subject,
    /// Memory that exact inference may take, as 512MiB or 4GiB
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = memory)]
    pub memory: u64,
}
