//! A step of training, and what is measured of it: at once on the processor, some steps later on a graphics processor, where
//! steps are queued and the queue would run dry if every loss were waited for.

use std::time::{Duration, Instant};

use burn::module::Module;
use burn::tensor::Tensor;
use segre_kernels::has_graphics_kernels;

use super::shards::Shards;
use super::{Keeper, Trainer, augment};
use crate::data::Dataset;
use crate::flow::error::Result;
use crate::flow::head::Minibatch;
use crate::learning::parameters::{self, host_values};
use crate::learning::{DataOrder, LearningError};
use crate::progress::{Control, Event};
use crate::random::{Purpose, generator};
use crate::ranks;

/// Most steps that wait for their measures.
const MOST: usize = 16;
/// How long a reader may wait for them.
const PATIENCE: Duration = Duration::from_millis(200);

/// A step that nobody has been told of.
pub(super) struct Pending {
    /// Steps done with it.
    step: u64,
    /// When it was done or queued.
    seconds: f64,
    queued: Instant,
    rate: f64,
    measure: Measure,
}

#[allow(
    clippy::large_enum_variant,
    reason = "at most sixteen wait in the queue"
)]
enum Measure {
    /// Loss and norm of the gradient.
    Known([f64; 2]),
    /// Loss and squared norm, `[2]`, on the device.
    Queued(Tensor<1>),
}

/// How many steps may wait.
pub(super) struct Queue {
    pending: Vec<Pending>,
    most: usize,
    last: Instant,
    /// When the steps that were read last were done, in the seconds of the run.
    done: f64,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            pending: vec![],
            most: 1,
            last: Instant::now(),
            done: 0.0,
        }
    }
}

impl Queue {
    /// Whether it is time to read.
    fn is_full(&self) -> bool {
        self.pending.len() >= self.most
    }

    /// The steps with loss and norm; as many more may wait next time as the device does in a moment.
    fn read(&mut self) -> Result<Vec<(Pending, [f64; 2])>> {
        let mut pending = std::mem::take(&mut self.pending);
        let queued = pending.iter().filter_map(|step| match &step.measure {
            Measure::Queued(both) => Some(both.clone()),
            Measure::Known(_) => None,
        });
        let queued: Vec<Tensor<1>> = queued.collect();
        let mut found = match queued.is_empty() {
            true => vec![],
            false => {
                let found = host_values(Tensor::cat(queued, 0));
                self.most = match self.last.elapsed() < PATIENCE {
                    true => (2 * self.most).min(MOST),
                    false => (self.most / 2).max(1),
                };
                self.last = Instant::now();
                self.set_done(&mut pending);
                found
            }
        }
        .into_iter();
        let mut next = || f64::from(found.next().unwrap_or(f32::NAN));
        let mut done = Vec::with_capacity(pending.len());
        for step in pending {
            let both = match step.measure {
                Measure::Known(both) => both,
                Measure::Queued(_) => [next(), next().sqrt()],
            };
            if let Some(part) = both.iter().position(|value| !value.is_finite()) {
                return Err(LearningError::NonFiniteTraining {
                    step: step.step - 1,
                    parameter: ["the loss", "the gradient"][part].to_owned(),
                }
                .into());
            }
            done.push((step, both));
        }
        Ok(done)
    }
}

impl Queue {
    /// Queued steps are done one after the other until now, when they have been waited for.
    fn set_done(&mut self, pending: &mut [Pending]) {
        let (Some(first), Some(last)) = (pending.first(), pending.last()) else {
            return;
        };
        let from = self.done.max(first.seconds);
        self.done = from.max(last.seconds + last.queued.elapsed().as_secs_f64());
        let (each, until) = ((self.done - from) / pending.len() as f64, self.done);
        for (left, step) in pending.iter_mut().rev().enumerate() {
            step.seconds = until - each * left as f64;
        }
    }
}

impl Trainer {
    /// One step of the optimiser; [`read_steps`](Self::read_steps) says what came of it.
    pub(super) fn step(
        &mut self,
        train: &Dataset,
        order: &mut DataOrder,
        shards: &mut Shards,
        rate: f64,
    ) -> Result<()> {
        let (seed, step) = (self.config.seed, self.progress.step);
        let drawn = augment::rows(&self.model, &self.config, train, &order.rows(step), step);
        train.prefetch(|| order.rows(step + 1));
        let rows = drawn.labels.iter().map(AsRef::as_ref).collect();
        let noise = generator(seed, Purpose::Noise, step);
        let dropout = generator(seed, Purpose::Dropout, step);
        let density = self.level_density();
        let conditional = self.config.conditional;
        let mut batch = Minibatch::new(&self.model, rows, &density, conditional, noise, dropout);
        batch.classes = drawn.classes;
        // Gradients of several processes meet in host memory.
        let stays = has_graphics_kernels(self.model.device()) && ranks::size() == 1;
        let measure = match stays {
            true => self.queue_step(&batch, rate),
            false => self.take_step(&batch, shards, rate)?,
        };
        self.progress.step += 1;
        self.queue.pending.push(Pending {
            step: self.progress.step,
            seconds: self.progress.seconds,
            queued: Instant::now(),
            rate,
            measure,
        });
        Ok(())
    }

    /// On a graphics processor, without waiting for it.
    fn queue_step(&mut self, batch: &Minibatch<'_>, rate: f64) -> Measure {
        let found = self
            .recorded
            .gradient(&mut self.model, &mut self.optimizer, batch);
        let step = self.progress.step;
        let norm = self.optimizer.step_on_device(found.gradient, step, rate);
        Measure::Queued(Tensor::cat(vec![found.loss, norm], 0))
    }

    /// On the processor.
    fn take_step(
        &mut self,
        batch: &Minibatch<'_>,
        shards: &mut Shards,
        rate: f64,
    ) -> Result<Measure> {
        let step = self.progress.step;
        // The pass forward changes running statistics, which a broken step must not leave behind.
        let before = self.model.network.valid();
        let found = shards.gradient(&self.model, batch);
        let value = found.loss;
        let network = self.model.network.clone();
        let outcome = match self.optimizer.step(network, found.gradients, step, rate) {
            Ok(_) if !value.is_finite() => Err(LearningError::NonFiniteTraining {
                step,
                parameter: "the loss".to_owned(),
            }),
            outcome => outcome,
        };
        match outcome {
            Ok((network, norm)) => {
                self.model.network = network;
                Ok(Measure::Known([value, norm]))
            }
            Err(error) => {
                // Takes in the statistics that are still pending; then nothing overwrites the old ones.
                let _ = self.model.network.valid();
                let network = self.model.network.clone();
                self.model.network = parameters::replace(network, &parameters::collect(&before))?;
                Err(error.into())
            }
        }
    }

    /// The time at which the last step was done, or queued.
    pub(super) fn set_seconds(&mut self, seconds: f64) {
        self.progress.seconds = seconds;
        if let Some(last) = self.queue.pending.last_mut() {
            last.seconds = seconds;
        }
    }

    /// Tells of the steps that wait if there are enough of them, or if it must be `now`.
    pub(super) fn tell_steps(&mut self, keeper: &mut dyn Keeper, now: bool) -> Result<Control> {
        let events = self.read_steps(now)?;
        // All of them first: whoever is told may store the run.
        for event in &events {
            if let Event::Step { loss, .. } = event {
                self.progress.loss_sum += loss;
                self.progress.loss_count += 1;
            }
        }
        let mut control = Control::Continue;
        for event in events {
            if keeper.tell(&event, self)? == Control::Stop {
                control = Control::Stop;
            }
        }
        Ok(control)
    }

    /// What came of the steps that wait, if there are enough of them, or if it must be `now`.
    pub(super) fn read_steps(&mut self, now: bool) -> Result<Vec<Event>> {
        if !now && !self.queue.is_full() {
            return Ok(vec![]);
        }
        let done = self.queue.read()?.into_iter();
        let event = |(step, [loss, gradient_norm]): (Pending, [f64; 2])| Event::Step {
            step: step.step,
            seconds: step.seconds,
            loss,
            gradient_norm,
            learning_rate: step.rate,
        };
        Ok(done.map(event).collect())
    }
}
