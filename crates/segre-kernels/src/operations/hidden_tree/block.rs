//! Marginals of some rows side by side, one in each lane of the registers.

use super::messages::{Messages, Scaled, normalise, product, width};
use super::tables::HiddenTree;
use crate::simd::exponential::{exp, ln};
use crate::simd::{Simd, Task};

/// How many rows the registers of a level take side by side.
pub(super) struct Width;

impl Task for Width {
    type Output = usize;

    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> usize {
        width::<S>()
    }
}

/// As many rows as are computed with together, at most.
pub(super) struct Block<'a> {
    pub tree: &'a HiddenTree,
    pub local: &'a [f32],
    pub result: &'a mut [f32],
}

impl Task for Block<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Self {
            tree,
            local,
            result,
        } = self;
        let (c, h, width) = (tree.categories, tree.states, width::<S>());
        let (row, of_site) = (tree.sites() * c, h * width);
        let mut messages = Messages::new::<S>(tree);
        // Of all sites, `[sites, categories, width]`: logarithms below the largest one, then the marginals' numbers.
        let mut logs = vec![0.0_f32; row * width];
        for (lane, own) in local.chunks_exact(row).enumerate() {
            for (logs, value) in logs.chunks_exact_mut(width).zip(own) {
                logs[lane] = *value;
            }
        }
        let mut most = vec![0.0_f32; width];
        let mut evidence = vec![0.0_f32; c * width];
        for (site, logs) in logs.chunks_exact_mut(c * width).enumerate() {
            most.fill(f32::NEG_INFINITY);
            for logs in logs.chunks_exact(width) {
                most.iter_mut().zip(logs).for_each(|(m, x)| *m = m.max(*x));
            }
            for logs in logs.chunks_exact_mut(width) {
                logs.iter_mut().zip(&most).for_each(|(x, m)| *x -= m);
            }
            let own = &mut messages.own[site * of_site..][..of_site];
            // SAFETY: the caller vouches for the instructions.
            unsafe {
                each::<S>(logs, &mut evidence, |x| exp::<S>(x));
                product::<S>((tree.emission(site), 1, h), &evidence, own);
            }
        }
        // SAFETY: as above.
        unsafe { messages.up::<S>(tree, &mut vec![Scaled::ONE; width]) };
        let mut others = vec![0.0_f32; of_site];
        for &site in &tree.order {
            // SAFETY: as above.
            unsafe { messages.down::<S>(tree, site) };
            let of_site = site * of_site..(site + 1) * of_site;
            let known = messages.above[of_site.clone()].iter();
            let known = known.zip(&messages.below[of_site.clone()]);
            let known = known.zip(&messages.own[of_site]);
            for (other, ((above, below), own)) in others.iter_mut().zip(known) {
                *other = above * below / own;
            }
            normalise(&mut others, &mut most);
            let logs = &mut logs[site * c * width..][..c * width];
            // SAFETY: as above.
            unsafe {
                // What others say, then the whole; and the logarithm of what both sum to.
                let mut said = vec![0.0_f32; c * width];
                product::<S>((tree.emission(site), h, 1), &others, &mut said);
                each::<S>(logs, &mut evidence, |x| exp::<S>(x));
                most.fill(0.0);
                for (said, evidence) in said.chunks_exact(width).zip(evidence.chunks_exact(width)) {
                    for (sum, (said, own)) in most.iter_mut().zip(said.iter().zip(evidence)) {
                        *sum += said * own;
                    }
                }
                for said in said.chunks_exact_mut(width) {
                    said.iter_mut().zip(&most).for_each(|(x, sum)| *x /= sum);
                }
                each::<S>(&said, &mut evidence, |x| ln::<S>(x));
            }
            logs.iter_mut()
                .zip(&evidence)
                .for_each(|(x, said)| *x += said);
        }
        for (lane, own) in result.chunks_exact_mut(row).enumerate() {
            for (value, logs) in own.iter_mut().zip(logs.chunks_exact(width)) {
                *value = logs[lane];
            }
        }
    }
}

/// A function of every number of whole registers.
///
/// # Safety
/// As [`Simd`].
#[inline(always)]
unsafe fn each<S: Simd>(
    input: &[f32],
    output: &mut [f32],
    function: impl Fn(S::Vector) -> S::Vector,
) {
    let registers = output.chunks_exact_mut(S::LANES);
    for (output, input) in registers.zip(input.chunks_exact(S::LANES)) {
        // SAFETY: a register's numbers on both sides; the caller vouches for the instructions.
        unsafe { S::store(output.as_mut_ptr(), function(S::load(input.as_ptr()))) };
    }
}
