//! The states of Markov chains as samples, for what learns from samples.

use std::sync::atomic::{AtomicUsize, Ordering};

use rand::RngExt;

use super::chains::{BurnIn, labels_by};
use super::exact::narrow;
use super::inference::Method;
use super::model::EnergyModel;
use super::swendsen_wang::Ferromagnet;
use super::zeros::Zeros;
use super::{chains, gibbs, swendsen_wang};
use crate::energy::error::Result;
use crate::progress::{Interrupted, Observer, Progress, Shared};
use crate::random::{Purpose, generator};
use crate::ranks;
use crate::setting::InvalidSetting;

/// How many chains are run, how long, and how often a state is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChainSampleOptions {
    /// Independent chains.
    pub chains: usize,
    /// Sweeps of each chain that are thrown away.
    pub burn_in: usize,
    /// Sweeps from one kept state to the next.
    pub thinning: usize,
    /// Seed.
    pub seed: u64,
}

impl Default for ChainSampleOptions {
    fn default() -> Self {
        Self {
            chains: 64,
            burn_in: 1000,
            thinning: 5,
            seed: 0,
        }
    }
}

/// States of Markov chains.
#[derive(Clone, Debug, PartialEq)]
pub struct ChainSamples {
    /// Swendsen–Wang for ferromagnetic Ising and Potts models, Gibbs for others.
    pub method: Method,
    /// `[samples, variables]`, flat, one chain after the other.
    pub labels: Vec<u16>,
}

/// Collects `count` states of Markov chains from random starts.
///
/// # Errors
/// [`InvalidSetting`] for no chains or no thinning, [`EnergyError::NoConfiguration`](super::EnergyError::NoConfiguration),
/// [`EnergyError::NoStart`](super::EnergyError::NoStart), [`Interrupted`](crate::Interrupted).
///
/// # Panics
/// If a variable has more than 65 536 states.
pub fn chain_samples(
    model: &EnergyModel,
    count: usize,
    options: &ChainSampleOptions,
    observer: &mut dyn Observer,
) -> Result<ChainSamples> {
    for (name, value) in [("chains", options.chains), ("thinning", options.thinning)] {
        if value == 0 {
            return Err(InvalidSetting {
                name,
                value: 0.0,
                expected: "at least 1",
            }
            .into());
        }
    }
    match Ferromagnet::of(model) {
        Ok(magnet) => {
            let sweep = swendsen_wang::sweep(model, magnet);
            collect(
                model,
                Method::SwendsenWang,
                count,
                options,
                observer,
                &sweep,
            )
        }
        Err(_) => {
            let sweep = gibbs::sweep(model);
            collect(model, Method::Gibbs, count, options, observer, &sweep)
        }
    }
}

fn collect(
    model: &EnergyModel,
    method: Method,
    count: usize,
    options: &ChainSampleOptions,
    observer: &mut dyn Observer,
    sweep: &chains::Sweep,
) -> Result<ChainSamples> {
    let purpose = match method {
        Method::SwendsenWang => Purpose::SwendsenWang,
        _ => Purpose::Gibbs,
    };
    let witness = Zeros::of(model)?.witness()?;
    let of_chain =
        |chain: usize| count * (chain + 1) / options.chains - count * chain / options.chains;
    let total = (options.chains * options.burn_in + count * options.thinning) as f64;
    let done = AtomicUsize::new(0);
    let observer = Shared::new(observer);
    let tick = || {
        let done = done.fetch_add(1, Ordering::Relaxed) as f64 / total;
        observer.tell(&Progress::part("chains", done))
    };
    let run = |chain: usize| -> Result<Vec<u16>> {
        // Streams beyond those of the chains that infer.
        let mut rng = generator(options.seed, purpose, (1 << 40) + chain as u64);
        let mut labels = labels_by(model, |states| rng.random_range(0..states));
        let burn_in = BurnIn {
            chain,
            sweeps: options.burn_in,
            witness: witness.as_deref(),
        };
        burn_in.run(model, &mut labels, &mut rng, sweep, &tick)?;
        let mut kept = Vec::with_capacity(of_chain(chain) * labels.len());
        for _ in 0..of_chain(chain) {
            for _ in 0..options.thinning {
                tick()?;
                sweep(&mut labels, &mut rng, &mut |_, _| ());
            }
            kept.extend(narrow(labels.clone()));
        }
        Ok(kept)
    };
    let chains = ranks::each(options.chains, run, || Interrupted.into())?;
    Ok(ChainSamples {
        method,
        labels: chains.concat(),
    })
}
