//! The residual schedule of belief propagation: always the factor whose messages would change most.

use std::collections::BTreeSet;

use super::BeliefPropagationOptions;
use super::messages::Messages;
use crate::energy::error::Result;
use crate::progress::{Observer, Progress};

/// Factors that hear at once when one of them changes what their variable says. Of more, a renewal tells so many on average:
/// all hear of several renewals together.
const HEAR_AT_ONCE: usize = 32;

/// What every factor would send, and in which order.
struct Queue {
    /// Residuals are not negative, so their bits are in the order of their values.
    order: BTreeSet<(u64, usize)>,
    residuals: Vec<f64>,
    outputs: Vec<Vec<Vec<f64>>>,
}

impl Queue {
    fn largest(&self) -> f64 {
        let last = self.order.last();
        last.map_or(0.0, |(bits, _)| f64::from_bits(*bits))
    }

    /// Looks again at what a factor would send.
    fn renew(
        &mut self,
        messages: &Messages,
        number: usize,
        damping: f64,
        sweeps: usize,
    ) -> Result<()> {
        let before = (self.residuals[number].to_bits(), number);
        self.order.remove(&before);
        let (outputs, residual) = messages.renewed(number, damping, sweeps)?;
        self.outputs[number] = outputs;
        self.residuals[number] = residual;
        self.order.insert((residual.to_bits(), number));
        Ok(())
    }
}

/// Renews until no message would change by more than the tolerance; the sweeps done and the largest change left.
pub(super) fn run(
    messages: &mut Messages,
    options: &BeliefPropagationOptions,
    observer: &mut dyn Observer,
) -> Result<(usize, f64)> {
    let count = messages.messages.len();
    let mut queue = Queue {
        order: BTreeSet::new(),
        residuals: vec![0.0; count],
        outputs: vec![Vec::new(); count],
    };
    for number in 0..count {
        queue.renew(messages, number, options.damping, 0)?;
    }
    let most = options.sweeps.saturating_mul(count);
    let mut renewals = 0;
    // For every variable the renewals that not all of its factors have heard of.
    let mut unheard = vec![0; messages.listeners.len()];
    loop {
        if renewals == most || queue.largest() <= options.tolerance {
            let mut late = Vec::new();
            for (variable, unheard) in unheard.iter_mut().enumerate() {
                if std::mem::take(unheard) > 0 {
                    late.extend(&messages.listeners[variable]);
                }
            }
            if late.is_empty() {
                break;
            }
            for number in late {
                queue.renew(messages, number, options.damping, renewals / count)?;
            }
            continue;
        }
        let Some((_, number)) = queue.order.pop_last() else {
            break;
        };
        if renewals % count == 0 {
            messages.multiply();
            Progress::part("bp", renewals as f64 / most as f64).tell(observer)?;
        }
        renewals += 1;
        messages.replace(number, std::mem::take(&mut queue.outputs[number]));
        let mut touched = vec![number];
        for &variable in messages.model.factors()[number].variables() {
            let listeners = &messages.listeners[variable];
            unheard[variable] += 1;
            if unheard[variable] * HEAR_AT_ONCE >= listeners.len() {
                unheard[variable] = 0;
                touched.extend(listeners);
            }
        }
        touched.sort_unstable();
        touched.dedup();
        for other in touched {
            queue.renew(messages, other, options.damping, renewals / count)?;
        }
    }
    Ok((renewals.div_ceil(count.max(1)), queue.largest()))
}
