//! How far long work is: what its observer is told, and what he may answer.
//!
//! All long work takes a [`&mut dyn Observer`](Observer) as its last argument and tells it [`Progress`], plain data, after every
//! part. Whoever watches draws it, logs it, or says [`Control::Stop`]; the work then ends with [`Interrupted`], or, where
//! what is done has a use, returns that.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use crate::estimate::Estimate;

/// What an observer wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Go on.
    Continue,
    /// Stop.
    Stop,
}

/// The observer stopped the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// Who watches long work.
///
/// A closure of [`&Progress`](Progress) that returns [`Control`] is one. Work that runs side by side tells it from any of its threads.
pub trait Observer: Send {
    /// Is told how far the work is and says what to do.
    fn tell(&mut self, progress: &Progress) -> Control;
}

impl<F: FnMut(&Progress) -> Control + Send> Observer for F {
    fn tell(&mut self, progress: &Progress) -> Control {
        self(progress)
    }
}

/// An observer that does nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Silent;

impl Observer for Silent {
    fn tell(&mut self, _: &Progress) -> Control {
        Control::Continue
    }
}

/// How far long work is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// What is being done, a word or two: `fit`, `sample`, `score`.
    pub task: &'static str,
    /// The part that is done, 0 to 1.
    pub fraction: f64,
    /// The same in pieces, where these are worth a number.
    pub count: Option<Count>,
    /// What has happened.
    pub event: Event,
}

/// Pieces of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// What a piece is: `step`, `row`, `sample`.
    pub unit: &'static str,
    /// Pieces that are done, those of an interrupted run included.
    pub done: u64,
    /// How many there are, unless time decides.
    pub total: Option<u64>,
}

/// What has happened.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A part of the work was done.
    Work,
    /// A step of training was done.
    Step {
        /// Steps done.
        step: u64,
        /// Seconds spent, over all parts of the run.
        seconds: f64,
        /// Loss of the step's batch, in the unit of the fit.
        loss: f64,
        /// Norm of the gradient before clipping.
        gradient_norm: f64,
        /// Learning rate of the step.
        learning_rate: f64,
    },
    /// The averaged parameters were scored on the validation rows.
    Validation {
        /// Steps done.
        step: u64,
        /// Seconds spent, over all parts of the run.
        seconds: f64,
        /// Mean training loss since the last validation.
        loss: f64,
        /// Bound in bits per dimension, or the loss in bits per site.
        bits_per_dim: Estimate,
        /// Whether the model was kept: no earlier one is better beyond the noise of the comparison.
        kept: bool,
    },
    /// A round of a fit without data has drawn and weighted its rows.
    Round(Round),
    /// Something that the user should know, and that does not end the work.
    Notice(String),
}

/// What a round of a fit without data has found before its training; in nats.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Round {
    /// Number, from 0.
    pub round: u64,
    /// Steps of training before it.
    pub step: u64,
    /// Seconds spent, over all parts of the run.
    pub seconds: f64,
    /// The inverse temperature `λ` whose rows are learned next.
    pub inverse_temperature: f64,
    /// `log Z` of `λ` times the energy.
    pub log_z: Estimate,
    /// The variational bound on it.
    pub bound: Estimate,
    /// Effective sample size as a share of the rows.
    pub effective_share: f64,
    /// Mean energy, that of `λ = 1`.
    pub energy: Estimate,
    /// Mean loss of the round before, nats per site.
    pub loss: f64,
    /// Whether the model was kept: `λ = 1`, and no earlier bound is better beyond the error.
    pub kept: bool,
}

impl Progress {
    /// A part of the work, 0 to 1, was done.
    pub fn part(task: &'static str, fraction: f64) -> Self {
        Self {
            task,
            fraction,
            count: None,
            event: Event::Work,
        }
    }

    /// Some of the pieces were done.
    pub fn pieces(task: &'static str, unit: &'static str, done: usize, total: usize) -> Self {
        let (done, total) = (done as u64, total as u64);
        Self {
            task,
            fraction: done as f64 / total.max(1) as f64,
            count: Some(Count {
                unit,
                done,
                total: Some(total),
            }),
            event: Event::Work,
        }
    }

    /// Something to know before the work begins: that it is not done as it was asked to be.
    pub fn note(words: String) -> Self {
        Self {
            event: Event::Notice(words),
            ..Self::part("note", 0.0)
        }
    }

    /// The same work, of which something else is to be told.
    pub(crate) fn with(&self, event: Event) -> Self {
        Self {
            event,
            ..self.clone()
        }
    }

    /// Tells an observer.
    ///
    /// # Errors
    /// [`Interrupted`] if it says so.
    pub fn tell(&self, observer: &mut dyn Observer) -> Result<(), Interrupted> {
        match observer.tell(self) {
            Control::Stop => Err(Interrupted),
            Control::Continue => Ok(()),
        }
    }
}

/// The observer of a part of longer work: it tells the observer of the whole what it is told.
pub struct Part<'a> {
    whole: &'a mut dyn Observer,
    task: &'static str,
    span: Range<f64>,
}

impl<'a> Part<'a> {
    /// The part of a task from one fraction of it to another.
    pub fn new(whole: &'a mut dyn Observer, task: &'static str, span: Range<f64>) -> Self {
        Self { whole, task, span }
    }
}

impl Observer for Part<'_> {
    fn tell(&mut self, progress: &Progress) -> Control {
        let Range { start, end } = self.span;
        self.whole.tell(&Progress {
            task: self.task,
            fraction: start + (end - start) * progress.fraction,
            count: None,
            event: progress.event.clone(),
        })
    }
}

/// An observer that several threads tell.
pub(crate) struct Shared<'a> {
    observer: Mutex<&'a mut dyn Observer>,
    stopped: AtomicBool,
}

impl<'a> Shared<'a> {
    pub fn new(observer: &'a mut dyn Observer) -> Self {
        Self {
            observer: Mutex::new(observer),
            stopped: AtomicBool::new(false),
        }
    }

    /// Tells the observer, unless another thread is telling it: then there is nothing newer to tell.
    pub fn tell(&self, progress: &Progress) -> Result<(), Interrupted> {
        if let Ok(mut observer) = self.observer.try_lock()
            && progress.tell(*observer).is_err()
        {
            self.stopped.store(true, Ordering::Relaxed);
        }
        match self.stopped.load(Ordering::Relaxed) {
            true => Err(Interrupted),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_told_as_a_part_of_the_whole() {
        let mut told = Vec::new();
        let mut observer = |progress: &Progress| {
            told.push((progress.task, progress.fraction));
            Control::Continue
        };
        let mut part = Part::new(&mut observer, "compare", 0.5..0.75);
        Progress::pieces("sample", "row", 1, 2)
            .tell(&mut part)
            .unwrap();
        assert_eq!(told, [("compare", 0.625)]);
    }

    #[test]
    fn one_thread_that_hears_stop_stops_all() {
        let mut observer = |_: &Progress| Control::Stop;
        let shared = Shared::new(&mut observer);
        assert_eq!(
            shared.tell(&Progress::part("chains", 0.1)),
            Err(Interrupted)
        );
        let _busy = shared.observer.lock();
        assert_eq!(
            shared.tell(&Progress::part("chains", 0.2)),
            Err(Interrupted)
        );
    }
}
