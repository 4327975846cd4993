//! Ctrl-C and termination: the first asks the work to stop and save, the second ends the process.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};
use segre::progress::{Control, Observer, Progress};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Starts to listen.
pub fn listen() -> Result<()> {
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        eprintln!("stopping: what is done will be kept; press Ctrl-C again to end at once");
    })
    .context("cannot listen for Ctrl-C")
}

/// Whether somebody asked to stop.
pub fn asked() -> bool {
    ASKED.load(Ordering::SeqCst)
}

/// What long work is answered: to stop, if somebody asked any process of the job for it.
pub fn control() -> Control {
    match segre::ranks::any(asked()) {
        true => Control::Stop,
        false => Control::Continue,
    }
}

/// Who watches work that is not shown.
pub struct Listener;

impl Observer for Listener {
    fn tell(&mut self, _: &Progress) -> Control {
        control()
    }
}
