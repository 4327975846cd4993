//! How often rows are expected to have used each entry of a tree's tables: what is counted to learn them.

use rayon::prelude::*;

use super::messages::{Messages, Scaled, add_outer, normalise, width};
use super::tables::HiddenTree;
use crate::simd::{Level, Simd, Task};

/// Rows that are counted one block after the other; their sums are added in order, so that threads change nothing.
const PART: usize = 256;

/// What rows are expected to have used.
#[derive(Clone, Debug)]
pub struct Expectations {
    /// `[sites, states of the parent, states]`; a root's first row counts.
    pub transitions: Vec<f64>,
    /// `[sites, categories, states]`.
    pub emissions: Vec<f64>,
}

impl HiddenTree {
    /// `ln P(row)` of every row, nats.
    pub fn log_likelihoods(&self, rows: &[&[u16]]) -> Vec<f64> {
        let parts = rows.par_chunks(PART);
        let parts: Vec<Vec<f64>> = parts
            .map(|rows| {
                let (tree, counted) = (self, false);
                let task = Count {
                    tree,
                    rows,
                    counted,
                };
                Level::detect().run(task).0
            })
            .collect();
        parts.concat()
    }

    /// The expectations of some rows, and `ln P(row)` of each, nats.
    ///
    /// Source: Dempster, Laird & Rubin 1977; on trees J. Pearl 1988.
    pub fn expectations(&self, rows: &[&[u16]]) -> (Expectations, Vec<f64>) {
        let parts: Vec<_> = rows
            .par_chunks(PART)
            .map(|rows| {
                let (tree, counted) = (self, true);
                Level::detect().run(Count {
                    tree,
                    rows,
                    counted,
                })
            })
            .collect();
        let mut sums = Expectations {
            transitions: vec![0.0; self.transitions.len()],
            emissions: vec![0.0; self.emissions.len()],
        };
        let mut logs = Vec::with_capacity(rows.len());
        for (own, transitions, emissions) in parts {
            logs.extend(own);
            add(&mut sums.transitions, &transitions);
            add(&mut sums.emissions, &emissions);
        }
        (sums, logs)
    }
}

fn add(sums: &mut [f64], own: &[f32]) {
    let both = sums.iter_mut().zip(own);
    both.for_each(|(sum, own)| *sum += f64::from(*own));
}

/// See [`HiddenTree::expectations`].
struct Count<'a> {
    tree: &'a HiddenTree,
    rows: &'a [&'a [u16]],
    /// Whether expectations are wanted too.
    counted: bool,
}

impl Task for Count<'_> {
    /// Logarithms, transitions, emissions.
    type Output = (Vec<f64>, Vec<f32>, Vec<f32>);

    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> Self::Output {
        let Self { tree, rows, .. } = self;
        let (states, width) = (tree.states, width::<S>());
        let of_site = states * width;
        let mut messages = Messages::new::<S>(tree);
        let mut logs = Vec::with_capacity(rows.len());
        let mut transitions = vec![0.0_f32; tree.transitions.len()];
        let mut emissions = vec![0.0_f32; tree.emissions.len()];
        let mut sums = vec![0.0_f32; width];
        let mut posterior = vec![0.0_f32; of_site];
        let mut turned = Vec::new();
        for rows in rows.chunks(width) {
            for site in 0..tree.sites() {
                let own = &mut messages.own[site * of_site..][..of_site];
                let emission = tree.emission(site);
                for lane in 0..width {
                    let label = rows.get(lane).map_or(0, |row| usize::from(row[site]));
                    let emitted = &emission[label * states..][..states];
                    for (state, p) in emitted.iter().enumerate() {
                        own[state * width + lane] = *p;
                    }
                }
            }
            let mut likelihoods = vec![Scaled::ONE; width];
            // SAFETY: the caller vouches for the instructions.
            unsafe { messages.up::<S>(tree, &mut likelihoods) };
            logs.extend(likelihoods.iter().take(rows.len()).map(|own| own.ln()));
            if !self.counted {
                continue;
            }
            for &site in &tree.order {
                // SAFETY: as above.
                unsafe { messages.down::<S>(tree, site) };
                let (above, below) = (&messages.above, &messages.below);
                let [above, below] =
                    [above, below].map(|numbers| &numbers[site * of_site..][..of_site]);
                for (posterior, (above, below)) in posterior.iter_mut().zip(above.iter().zip(below))
                {
                    *posterior = above * below;
                }
                normalise(&mut posterior, &mut sums);
                // Lanes without a row count nothing.
                let wanted = |lane: usize| if lane < rows.len() { 1.0 } else { 0.0 };
                let emission = &mut emissions[site * tree.categories * states..];
                for (lane, row) in rows.iter().enumerate() {
                    let counts = &mut emission[usize::from(row[site]) * states..][..states];
                    for (count, own) in counts.iter_mut().zip(posterior.chunks_exact(width)) {
                        *count += own[lane];
                    }
                }
                let counts = &mut transitions[site * states * states..][..states * states];
                if tree.parents[site].is_none() {
                    for (count, own) in counts.iter_mut().zip(posterior.chunks_exact(width)) {
                        *count += own[..rows.len()].iter().sum::<f32>();
                    }
                    continue;
                }
                // κ(y) P(z | y) β(z) sums to Σ_y κ(y) m(y).
                let sent = &messages.sent[site * of_site..][..of_site];
                sums.fill(0.0);
                let states_of = messages.cavity.chunks_exact(width);
                for (cavity, sent) in states_of.zip(sent.chunks_exact(width)) {
                    for (sum, (cavity, sent)) in sums.iter_mut().zip(cavity.iter().zip(sent)) {
                        *sum += cavity * sent;
                    }
                }
                for (lane, sum) in sums.iter_mut().enumerate() {
                    *sum = wanted(lane) / *sum;
                }
                for cavity in messages.cavity.chunks_exact_mut(width) {
                    for (cavity, sum) in cavity.iter_mut().zip(&sums) {
                        *cavity *= sum;
                    }
                }
                // SAFETY: as above.
                unsafe { add_outer::<S>(&messages.cavity, below, &mut turned, counts) };
            }
        }
        for (count, p) in transitions
            .chunks_exact_mut(states * states)
            .enumerate()
            .flat_map(|(site, counts)| {
                let known = if tree.parents[site].is_some() {
                    counts.len()
                } else {
                    0
                };
                counts[..known].iter_mut().zip(tree.transition(site))
            })
        {
            *count *= p;
        }
        (logs, transitions, emissions)
    }
}
