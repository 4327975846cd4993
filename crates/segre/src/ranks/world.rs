//! The processes that MPI started.

use bytemuck::{Pod, cast_slice};
use mpi::Threading;
use mpi::collective::SystemOperation;
use mpi::datatype::{Partition, PartitionMut};
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Root};

/// All processes of the job.
pub(super) struct World {
    rank: usize,
    size: usize,
    /// The first process of this machine, and the place of this one among those of the machine.
    machine: (usize, usize),
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
        let here = world.split_shared(world.rank());
        let mut first = world.rank();
        here.process_at_rank(0).broadcast_into(&mut first);
        let machine = (first as usize, here.rank() as usize);
        let own = Self {
            rank,
            size,
            machine,
        };
        Ok((own, universe))
    }

    pub fn rank(&self) -> usize {
        self.rank
    }

    pub fn size(&self) -> usize {
        self.size
    }

    pub fn machine(&self) -> (usize, usize) {
        self.machine
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

    /// What the first process has.
    pub fn of_first<T: Pod>(&self, mut own: T) -> T {
        let bytes: &mut [u8] = bytemuck::bytes_of_mut(&mut own);
        SimpleCommunicator::world()
            .process_at_rank(0)
            .broadcast_into(bytes);
        own
    }

    /// Whether something holds on any process.
    pub fn any(&self, flag: bool) -> bool {
        let mut any = 0_u8;
        let most = SystemOperation::max();
        SimpleCommunicator::world().all_reduce_into(&u8::from(flag), &mut any, most);
        any > 0
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
