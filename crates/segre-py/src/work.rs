//! Long work without the interpreter's lock: on threads of its own, told of by the calling one, which listens for Ctrl-C.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use segre::progress::{Control, Event, Progress};
use serde_json::json;

use crate::errors::raise;

/// How long the calling thread sleeps at most before it looks for Ctrl-C.
const LISTEN: Duration = Duration::from_millis(50);
/// Between reports of work of which nothing but its share is told.
const REPORT: Duration = Duration::from_millis(100);

/// Bytes of the stack of a thread: as much as a program's first thread has.
const STACK: usize = 8 << 20;

static POOL: Mutex<Option<Arc<ThreadPool>>> = Mutex::new(None);

/// The threads for all work from now on; 0 is one for each processor.
#[pyfunction]
pub fn set_threads(count: usize) -> PyResult<()> {
    let pool = ThreadPoolBuilder::new()
        .num_threads(count)
        .stack_size(STACK)
        .build();
    let pool = pool.map_err(|error| PyRuntimeError::new_err(error.to_string()))?;
    *POOL.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(pool));
    Ok(())
}

/// Whether threads have been started, which a forked process does not have.
#[pyfunction]
pub fn has_threads() -> bool {
    POOL.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .is_some()
}

fn pool() -> PyResult<Arc<ThreadPool>> {
    if !has_threads() {
        set_threads(0)?;
    }
    let pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    pool.clone()
        .ok_or_else(|| PyRuntimeError::new_err("no threads"))
}

/// Work that was stopped, or what it found.
#[allow(
    clippy::large_enum_variant,
    reason = "there is one, taken apart at once"
)]
pub enum Ended<T> {
    /// It came to its end.
    Done(T),
    /// Ctrl-C, or an exception of the callback: what the work returned all the same.
    Stopped(PyErr, segre::Result<T>),
}

/// Does work on other threads; `callback`, unless it is `None`, is told how far it is as JSON.
///
/// # Errors
/// Those of the work.
pub fn watch<T: Send>(
    py: Python<'_>,
    callback: Option<&Py<PyAny>>,
    work: impl FnOnce(&mut dyn segre::progress::Observer) -> segre::Result<T> + Send,
) -> PyResult<Ended<T>> {
    let (pool, stopped) = (pool()?, AtomicBool::new(false));
    let stop = &stopped;
    let (sender, receiver) = channel();
    let mut told = Instant::now();
    // It owns the sender: when the work is over, so is the conversation.
    let mut observer = move |progress: &Progress| {
        let plain = matches!(progress.event, Event::Work | Event::Step { .. });
        if !plain || told.elapsed() >= REPORT {
            told = Instant::now();
            // Whoever listens may have gone.
            let _ = sender.send(as_json(progress));
        }
        match stop.load(Ordering::Relaxed) {
            true => Control::Stop,
            false => Control::Continue,
        }
    };
    let tell = |text: String| -> PyResult<()> {
        Python::attach(|py| {
            py.check_signals()?;
            match callback {
                Some(callback) if !text.is_empty() => callback.call1(py, (text,)).map(drop),
                _ => Ok(()),
            }
        })
    };
    let (found, raised) = py.detach(move || {
        std::thread::scope(|threads| {
            // The work is done by a thread of the pool: from outside each operation would wake one.
            let work = threads.spawn(move || pool.install(|| work(&mut observer)));
            let mut raised = None;
            loop {
                let said = match receiver.recv_timeout(LISTEN) {
                    Ok(text) => tell(text),
                    Err(RecvTimeoutError::Timeout) => tell(String::new()),
                    Err(RecvTimeoutError::Disconnected) => break,
                };
                if let Err(error) = said {
                    stop.store(true, Ordering::Relaxed);
                    raised.get_or_insert(error);
                }
            }
            (work.join(), raised)
        })
    });
    let Ok(found) = found else {
        let sentence = "the work has ended with a fault of Segre; its message is on standard error";
        return Err(PyRuntimeError::new_err(sentence));
    };
    match raised {
        Some(error) => Ok(Ended::Stopped(error, found)),
        None => found.map(Ended::Done).map_err(raise),
    }
}

/// [`watch`] for work of which nothing is left when it is stopped.
///
/// # Errors
/// Those of the work, and what stopped it.
pub fn watch_all<T: Send>(
    py: Python<'_>,
    callback: Option<&Py<PyAny>>,
    work: impl FnOnce(&mut dyn segre::progress::Observer) -> segre::Result<T> + Send,
) -> PyResult<T> {
    match watch(py, callback, work)? {
        Ended::Done(found) => Ok(found),
        Ended::Stopped(error, _) => Err(error),
    }
}

fn as_json(progress: &Progress) -> String {
    let event = match &progress.event {
        Event::Step { step, loss, .. } => json!({"kind": "step", "step": step, "loss": loss}),
        Event::Validation {
            step,
            seconds,
            bits_per_dim,
            kept,
            ..
        } => json!({
            "kind": "validation", "step": step, "seconds": seconds, "bits_per_dim": bits_per_dim.value,
            "std_error": bits_per_dim.std_error, "kept": kept,
        }),
        Event::Round(found) => {
            let mut round = json!(found);
            round["kind"] = json!("round");
            round
        }
        Event::Notice(text) => json!({"kind": "notice", "text": text}),
        _ => json!({"kind": "work"}),
    };
    json!({"task": progress.task, "fraction": progress.fraction, "event": event}).to_string()
}
