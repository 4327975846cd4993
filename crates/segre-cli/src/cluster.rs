//! Processes of one job: joined at the start, spoken for by the first.

use anyhow::{Result, bail};

use crate::args::{Arguments, Command};

/// What starters of processes tell each of how many there are.
const SIZES: [&str; 4] = [
    "OMPI_COMM_WORLD_SIZE",
    "PMI_SIZE",
    "MPI_LOCALNRANKS",
    "PMIX_SIZE",
];

/// Processes that were started together, as the environment says.
fn started() -> usize {
    let sizes = SIZES
        .iter()
        .filter_map(|name| std::env::var(name).ok()?.parse().ok());
    sizes.max().unwrap_or(1)
}

/// Membership in the job.
#[cfg(feature = "mpi")]
pub use segre::ranks::Membership;

/// There is no job without MPI.
#[cfg(not(feature = "mpi"))]
pub struct Membership;

/// Leaves the job without waiting for the others, so that `mpirun` ends them.
pub fn abandon(job: Option<Membership>) {
    #[cfg(feature = "mpi")]
    std::mem::forget(job);
    #[cfg(not(feature = "mpi"))]
    let _ = job;
}

/// Joins the other processes, where there are some; those after the first print nothing.
///
/// # Errors
/// If several were started and the program or the command does not work together.
pub fn join(arguments: &mut Arguments) -> Result<Option<Membership>> {
    let size = started();
    if size == 1 {
        return Ok(None);
    }
    let name = match &arguments.command {
        Command::Fit(_) | Command::Sample(_) | Command::Score(_) => None,
        Command::Impute(_) | Command::Predict(_) | Command::Evaluate(_) => None,
        Command::Energy(energy) => energy.works_alone(),
        Command::Report(_) => Some("report"),
        Command::Info(_) => Some("info"),
        Command::Experiment(_) => Some("experiment"),
        Command::Devices(_) => Some("devices"),
        Command::Completions(_) => Some("completions"),
    };
    if let Some(name) = name {
        bail!(
            "segre {name} works in one process, and {size} were started; start one, without mpirun"
        );
    }
    let membership = start(size)?;
    if !segre::ranks::is_first() {
        arguments.common.quiet = true;
    }
    Ok(Some(membership))
}

#[cfg(feature = "mpi")]
fn start(_: usize) -> Result<Membership> {
    use std::fs::OpenOptions;

    use anyhow::Context;

    let membership = segre::ranks::start().map_err(anyhow::Error::msg)?;
    if !segre::ranks::is_first() {
        let nowhere = OpenOptions::new().write(true).open("/dev/null");
        let nowhere = nowhere.context("cannot open /dev/null")?;
        rustix::stdio::dup2_stdout(&nowhere).context("cannot silence this process")?;
    }
    Ok(membership)
}

#[cfg(not(feature = "mpi"))]
fn start(size: usize) -> Result<Membership> {
    bail!(
        "{size} processes were started, which this program cannot make work together; build it with --features mpi, or start \
         one, without mpirun"
    )
}

/// What an error is said with: all processes meet most errors alike, and `mpirun` ends the others when the first has said it.
pub fn before_error() -> String {
    match segre::ranks::rank() {
        0 => String::new(),
        rank => {
            std::thread::sleep(std::time::Duration::from_secs(2));
            format!("process {rank} of {}: ", segre::ranks::size())
        }
    }
}
