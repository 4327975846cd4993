//! Arguments of `segre energy info`.

use clap::Args;

use crate::commands::energy::Subject;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre energy info ising:3x8
  segre energy info model.uai --evidence model.uai.evid --json")]
pub struct Info {
    #[command(flatten)]
    pub subject: Subject,
}
