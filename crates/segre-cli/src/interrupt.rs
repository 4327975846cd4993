//! Ctrl-C and termination: the first asks the work to stop and save, the second ends the process; so does time where the work does
//! not hear.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use segre::progress::{Control, Observer, Progress};

/// How long work may take to hear: reading a large file, learning a prior or counting for a baseline cannot stop half-way, and have
/// nothing to keep.
const TO_HEAR: Duration = Duration::from_secs(3);
/// How long it may take from then on to store what it has. What was stored before is whole at any moment.
const TO_STOP: Duration = Duration::from_millis(1500);
/// The exit code of what was ended by Ctrl-C.
const ENDED: i32 = 130;
/// How long a last line has to be written.
const TO_SAY: Duration = Duration::from_millis(50);

static ASKED: AtomicBool = AtomicBool::new(false);
/// Whether the work knows.
static HEARD: AtomicBool = AtomicBool::new(false);

/// Starts to listen.
pub fn listen() -> Result<()> {
    ctrlc::set_handler(|| {
        if ASKED.swap(true, Ordering::SeqCst) {
            std::process::exit(ENDED);
        }
        tell("stopping: what is done will be kept; press Ctrl-C again to end at once");
        // Of its own, so that the second is heard.
        thread::spawn(|| {
            thread::sleep(TO_HEAR);
            if HEARD.load(Ordering::SeqCst) {
                thread::sleep(TO_STOP);
            }
            tell("ended before it could stop by itself; what was stored before is kept");
            thread::sleep(TO_SAY);
            std::process::exit(ENDED);
        });
    })
    .context("cannot listen for Ctrl-C")
}

/// Says something, if anybody is there to read it: a terminal that stands still, or a pipe that is closed, holds nothing up.
fn tell(line: &'static str) {
    thread::spawn(move || {
        let _ = writeln!(std::io::stderr(), "{line}");
    });
}

/// Whether somebody asked to stop.
pub fn asked() -> bool {
    let asked = ASKED.load(Ordering::SeqCst);
    HEARD.fetch_or(asked, Ordering::SeqCst);
    asked
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
