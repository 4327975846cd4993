//! Launches that are recorded once and repeated: what a launch costs the host is most of a small step of training.

use burn::tensor::Tensor;
use burn_cubecl::cubecl::{self, client::Graph, prelude::*};

use super::adam::resident;
use super::{contiguous, numbers, units};

/// Launches on a graphics processor that can be repeated, on the same buffers.
#[derive(Clone, Debug)]
pub struct Recording {
    graph: Graph,
}

impl Recording {
    /// Runs some work, which compiles what it needs, and records it in a second run, whose launches are only noted down. Returns
    /// what the first run found and, where the device can record it, the recording with what the second one has given: its
    /// tensors have numbers after the first [`repeat`](Self::repeat), and other ones after each.
    ///
    /// In the work nothing may be brought from the host or read back; see [`constant`](crate::constant).
    pub fn of<const D: usize, T>(
        beside: &Tensor<D>,
        mut work: impl FnMut() -> T,
    ) -> (T, Option<(Self, T)>) {
        let Some(beside) = resident(beside.clone().inner().into_dispatch()) else {
            return (work(), None);
        };
        let client = beside.client;
        if client.graph_prepare().is_err() {
            return (work(), None);
        }
        let found = work();
        if client.start_capture().is_err() {
            return (found, None);
        }
        let recorded = work();
        match client.stop_capture() {
            Ok(graph) => (found, Some((Self { graph }, recorded))),
            Err(_) => (found, None),
        }
    }

    /// Queues all launches again; whether the device took them.
    pub fn repeat(&self) -> bool {
        // Safety: the graph keeps the buffers that its launches were given.
        unsafe { self.graph.replay() }.is_ok()
    }
}

/// Writes numbers over those of a tensor, in its place: whoever has the tensor, a recording above all, sees them.
///
/// # Panics
/// If the tensors are not on one graphics processor, or of other sizes.
pub fn overwrite<const D: usize>(place: &Tensor<D>, found: Tensor<D>) {
    assert_eq!(
        place.dims(),
        found.dims(),
        "sizes of a tensor and of its numbers"
    );
    let count = found.shape().num_elements();
    let [place, found] = [place.clone(), found]
        .map(|tensor| resident(tensor.inner().into_dispatch()).expect("a graphics processor"));
    let found = contiguous(found);
    let client = place.client.clone();
    // Safety: units beyond the count do nothing.
    unsafe {
        copy::launch_unchecked(
            &client,
            units(count),
            CubeDim::new_1d(256),
            numbers(found),
            numbers(place),
            count as u32,
        );
    }
}

#[cube(launch_unchecked)]
fn copy(from: &[f32], to: &mut [f32], count: u32) {
    if (ABSOLUTE_POS as u32) < count {
        to[ABSOLUTE_POS] = from[ABSOLUTE_POS];
    }
}
