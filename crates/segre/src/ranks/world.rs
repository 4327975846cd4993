//! The processes that MPI started.

use bytemuck::{Pod, cast_slice};
use mpi::Threading;
use mpi::datatype::{Partition, PartitionMut};
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives};

/// All processes of the job.
pub(super) struct World {
    rank: usize,
    size: usize,
}

impl World {
    /// Starts MPI, which lasts as long as what is returned beside.
    pub fn start() -> Result<(Self, Universe), String> {
        let started = mpi::initialize_with_threading(Threading::Serialized);
        let (universe, threading) = started.ok_or("MPI is running already")?;
        if threading < Threading::Funneled {
            return Err(format!("this MPI allows threads {threading:?} only"));
        }
        let world = universe.world();
        let (rank, size) = (world.rank() as usize, world.size() as usize);
        Ok((Self { rank, size }, universe))
    }

    pub fn rank(&self) -> usize {
        self.rank
    }

    pub fn size(&self) -> usize {
        self.size
    }

    /// Every process adds up one part of the places, in the order of the processes, and hands its sums to the others: each sends
    /// about `2 n` numbers however many processes there are.
    pub fn sum(&self, numbers: &mut [f32]) {
        let size = self.size();
        let part = |rank: usize| numbers.len() * rank / size..numbers.len() * (rank + 1) / size;
        let counts: Vec<i32> = (0..size).map(|rank| part(rank).len() as i32).collect();
        let starts: Vec<i32> = (0..size).map(|rank| part(rank).start as i32).collect();
        let own = part(self.rank()).len();
        let mut received = vec![0.0_f32; own * size];
        let (own_counts, own_starts) = (
            vec![own as i32; size],
            (0..size)
                .map(|rank| (rank * own) as i32)
                .collect::<Vec<_>>(),
        );
        {
            let sent = Partition::new(&*numbers, &counts[..], &starts[..]);
            let mut parts = PartitionMut::new(&mut received[..], own_counts, own_starts);
            SimpleCommunicator::world().all_to_all_varcount_into(&sent, &mut parts);
        }
        let (sums, others) = received.split_at_mut(own);
        for other in others.chunks_exact(own.max(1)) {
            sums.iter_mut().zip(other).for_each(|(sum, x)| *sum += x);
        }
        let mut whole = PartitionMut::new(numbers, counts, starts);
        SimpleCommunicator::world().all_gather_varcount_into(&*sums, &mut whole);
    }

    /// What all processes have, in their order.
    pub fn gather<T: Pod>(&self, own: &[T]) -> Vec<T> {
        let world = SimpleCommunicator::world();
        let mut lengths = vec![0_i32; self.size];
        let bytes: &[u8] = cast_slice(own);
        world.all_gather_into(&(bytes.len() as i32), &mut lengths[..]);
        let mut end = 0;
        let starts = lengths.iter().map(|length| {
            end += length;
            end - length
        });
        let starts: Vec<i32> = starts.collect();
        let mut all = vec![T::zeroed(); end as usize / size_of::<T>()];
        let target: &mut [u8] = bytemuck::cast_slice_mut(&mut all);
        let mut whole = PartitionMut::new(target, lengths, starts);
        world.all_gather_varcount_into(bytes, &mut whole);
        all
    }
}
