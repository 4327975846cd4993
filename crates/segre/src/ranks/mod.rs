//! The processes of one job: who works on what, and how what they found comes together.
//!
//! A program that was not started by `mpirun` is one process, and nothing here costs anything. With the cargo feature `mpi` and
//! `start`, the processes of a job take the same steps with the same data: each computes its share of the rows of a batch, or of
//! the chunks of a sample or a score, and all have the result. So every process comes to the same decisions, and what only one of
//! them can know (the time, that it was interrupted, that something failed) is agreed upon. All exchange is MPI's
//! (`ranks/world.rs`).

#[cfg(feature = "mpi")]
mod world;

use std::ops::Range;
#[cfg(feature = "mpi")]
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use bytemuck::Pod;
use rayon::prelude::*;

/// The job, where it has several processes.
#[cfg(feature = "mpi")]
static JOB: OnceLock<world::World> = OnceLock::new();
/// Whether this process works on a share of its own, and asks the others nothing.
static APART: AtomicBool = AtomicBool::new(false);

/// Holds MPI open: when it is dropped, the process waits for the others to end well. One that ends without dropping it makes
/// `mpirun` end the others.
#[cfg(feature = "mpi")]
pub struct Membership {
    _universe: mpi::environment::Universe,
}

/// Joins the other processes of the job, where `mpirun` started several.
///
/// Called once, before anything else, on the thread that makes all calls of the library.
///
/// # Errors
/// A sentence, where MPI does not start.
#[cfg(feature = "mpi")]
pub fn start() -> Result<Membership, String> {
    let (world, universe) = world::World::start()?;
    if world.size() > 1 {
        let _ = JOB.set(world);
    }
    Ok(Membership {
        _universe: universe,
    })
}

/// The number of this process, from 0.
pub fn rank() -> usize {
    #[cfg(feature = "mpi")]
    if let Some(job) = JOB.get() {
        return job.rank();
    }
    0
}

/// Processes of the job.
pub fn size() -> usize {
    #[cfg(feature = "mpi")]
    if let Some(job) = JOB.get() {
        return job.size();
    }
    1
}

/// Whether this process writes and speaks for all.
pub fn is_first() -> bool {
    rank() == 0
}

/// The place of this process among those of its machine, from 0.
pub fn rank_here() -> usize {
    #[cfg(feature = "mpi")]
    if let Some(job) = JOB.get() {
        return job.machine().1;
    }
    0
}

/// Whether this process writes the files that those of its machine share.
pub fn is_first_here() -> bool {
    rank_here() == 0
}

/// The words of the first process of this machine.
pub fn of_first_here(own: &str) -> String {
    #[cfg(feature = "mpi")]
    if let Some(job) = JOB.get() {
        let lengths = gather(vec![own.len()]);
        let (before, rest) = lengths.split_at(job.machine().0);
        let all = gather(own.as_bytes().to_vec());
        let start = before.iter().sum();
        return String::from_utf8_lossy(&all[start..start + rest[0]]).into_owned();
    }
    own.to_owned()
}

/// This process's share of a range; those of all processes follow each other.
pub fn share(range: Range<usize>) -> Range<usize> {
    let (rank, size, count) = (rank(), size(), range.len());
    range.start + count * rank / size..range.start + count * (rank + 1) / size
}

/// Chunks of work that are done side by side: by the threads of all processes, each as many as the first has.
pub fn side_by_side() -> usize {
    of_first(rayon::current_num_threads() as u64) as usize * size()
}

/// Adds up numbers over the processes in their order: the same sums, bit by bit, on all of them and in every run of as many.
pub fn sum(numbers: &mut [f32]) {
    #[cfg(feature = "mpi")]
    if let Some(job) = JOB.get() {
        return job.sum(numbers);
    }
    let _ = numbers;
}

/// What all processes have, one after the other.
pub fn gather<T: Pod>(own: Vec<T>) -> Vec<T> {
    #[cfg(feature = "mpi")]
    if let Some(job) = JOB.get() {
        return job.gather(&own);
    }
    own
}

/// What `work` makes of every index, in order: the processes share the indices out, and the threads of each its share.
///
/// While it works no process waits for another: [`any`] says what holds on this one.
///
/// # Errors
/// The first of the own share, or what `elsewhere` says where that of another process has one.
pub fn each<T: Pod + Send, E: Send>(
    count: usize,
    work: impl Fn(usize) -> Result<Vec<T>, E> + Sync,
    elsewhere: impl FnOnce() -> E,
) -> Result<Vec<Vec<T>>, E> {
    let own = share(0..count);
    APART.store(true, Ordering::SeqCst);
    let own: Vec<Result<Vec<T>, E>> = own.into_par_iter().map(&work).collect();
    APART.store(false, Ordering::SeqCst);
    let own = together(own.into_iter().collect::<Result<Vec<_>, E>>(), elsewhere)?;
    if size() == 1 {
        return Ok(own);
    }
    let lengths = gather(own.iter().map(|own| own.len() as u64).collect());
    let mut all = gather(own.concat()).into_iter();
    let of_index = lengths.into_iter().map(|length| length as usize);
    Ok(of_index
        .map(|length| all.by_ref().take(length).collect())
        .collect())
}

/// Whether something holds on any process.
pub fn any(flag: bool) -> bool {
    #[cfg(feature = "mpi")]
    if let Some(job) = JOB.get()
        && !APART.load(Ordering::SeqCst)
    {
        return job.any(flag);
    }
    flag
}

/// What the first process has.
pub fn of_first<T: Pod>(own: T) -> T {
    #[cfg(feature = "mpi")]
    if let Some(job) = JOB.get() {
        return job.of_first(own);
    }
    own
}

/// A result that is one only if every process has one: where another has none, what `elsewhere` says.
///
/// # Errors
/// The own error, or that of `elsewhere`.
pub fn together<T, E>(own: Result<T, E>, elsewhere: impl FnOnce() -> E) -> Result<T, E> {
    match (any(own.is_err()), own) {
        (true, Ok(_)) => Err(elsewhere()),
        (_, own) => own,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_has_and_does_everything() {
        assert_eq!((rank(), size(), share(3..10)), (0, 1, 3..10));
        assert_eq!(gather(vec![1.5_f64, 2.0]), [1.5, 2.0]);
        assert!(is_first() && is_first_here() && any(true) && !any(false));
        assert_eq!(of_first_here("own"), "own");
        assert_eq!(together(Ok::<_, u8>(3), || 4), Ok(3));
        assert_eq!(together(Err::<(), _>(5), || 4), Err(5));
        let work = |index: usize| match index {
            3.. => Err(index),
            _ => Ok(vec![index as u64; index]),
        };
        assert_eq!(each(3, work, || 9), Ok(vec![vec![], vec![1], vec![2, 2]]));
        assert_eq!(each(5, work, || 9), Err(3));
        assert!(any(true), "work is together again");
    }
}
