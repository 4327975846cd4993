//! `segre report`: the page of a model, of a fit to an energy, or of an experiment, in one HTML file.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use clap::Args;
use segre_report::page::PageOptions;

use crate::args::Common;
use crate::page::{self, PAGE_FILE};
use crate::report::json;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  segre report runs/digits                       writes runs/digits/report.html
  segre report runs/adult --out adult.html --open
  segre report runs/ising --energy ising:3x8
  segre report experiments/toys

The file needs nothing else: no network, no other file. What was seen of a model is stored beside it (report.json), so
that a second page takes no time; --again looks again.")]
pub struct Report {
    /// Folder of a model, of a fit to an energy, or of an experiment
    pub folder: PathBuf,
    /// The page [default: report.html in the folder]
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Show it in the browser
    #[arg(long)]
    pub open: bool,
    /// Look again, even if that was done
    #[arg(long)]
    pub again: bool,
    /// The energy that the model was fitted to [default: what its folder names]
    #[arg(long, value_name = "MODEL")]
    pub energy: Option<String>,
    /// Of an alignment: the structure of its family, lines `i j distance`, to show contacts beside dependent places
    #[arg(long, value_name = "STRUCTURE")]
    pub contacts: Option<PathBuf>,
}

/// Looks, draws and writes.
pub fn run(arguments: &Report, common: &Common) -> Result<()> {
    let options = PageOptions {
        energy: arguments.energy.clone(),
        memory: common.exact_memory(),
        contacts: arguments.contacts.clone(),
        seed: common.seed,
        device: common.device.open()?,
        again: arguments.again,
    };
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => arguments.folder.join(PAGE_FILE),
    };
    let written = page::write(&arguments.folder, &out, &options, common)?;
    match common.json {
        true => json::print_object(&written)?,
        false => println!("{}", written.line()),
    }
    match arguments.open {
        true => open(&out),
        false => Ok(()),
    }
}

/// Hands the page to whatever the system opens pages with.
fn open(page: &Path) -> Result<()> {
    let opener = match std::env::consts::OS {
        "macos" => "open",
        "windows" => "explorer",
        _ => "xdg-open",
    };
    let started = Command::new(opener)
        .arg(page)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    started.map(|_| ()).with_context(|| {
        format!(
            "cannot start {opener}; open {} in a browser",
            page.display()
        )
    })
}
