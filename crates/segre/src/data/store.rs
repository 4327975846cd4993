//! Where labels and numbers of rows are kept: in memory or, beyond a limit, in a temporary file that the system reads and drops by
//! the page.

use crate::data::error::{DataError, Result};
use crate::ranks;
use crate::spill::{self, Spill, SpillError};
use bytemuck::Pod;
use segre_kernels::Mapped;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// Numbers of one kind in order, labels of rows unless another kind is said, read as a slice wherever they are.
#[derive(Clone)]
pub(crate) struct Store<T = u16>(Place<T>);

#[derive(Clone)]
enum Place<T> {
    Memory(Vec<T>),
    File(Arc<Mapped<T>>),
}

impl Store {
    /// Gives every label another value, as `change(place, label)` has it.
    pub fn relabel(&mut self, change: impl Fn(usize, u16) -> u16) {
        let labels: Option<&mut [u16]> = match &mut self.0 {
            Place::Memory(labels) => Some(labels),
            Place::File(map) => Arc::get_mut(map).expect("labels in the making").own(),
        };
        for (place, label) in labels.into_iter().flatten().enumerate() {
            *label = change(place, *label);
        }
        if self.is_file() {
            // Those that share the file wait for the one that changes it.
            ranks::any(false);
        }
    }
}

impl<T: Pod> Store<T> {
    /// Tells the system that numbers are wanted soon, so that it reads them while something else is computed.
    pub fn prefetch(&self, numbers: Range<usize>) {
        if let Place::File(map) = &self.0 {
            map.prefetch(numbers);
        }
    }

    /// The numbers in memory, to be changed.
    pub fn to_mut(&mut self) -> &mut Vec<T> {
        if let Place::File(map) = &self.0 {
            self.0 = Place::Memory(map.to_vec());
        }
        match &mut self.0 {
            Place::Memory(numbers) => numbers,
            Place::File(_) => unreachable!("they are in memory now"),
        }
    }

    /// The numbers in memory.
    pub fn into_vec(self) -> Vec<T> {
        match self.0 {
            Place::Memory(numbers) => numbers,
            Place::File(map) => map.to_vec(),
        }
    }
}

impl<T> Store<T> {
    /// Whether the numbers are in a file.
    pub fn is_file(&self) -> bool {
        matches!(self.0, Place::File(_))
    }
}

impl<T: Pod> Deref for Store<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.0 {
            Place::Memory(numbers) => numbers,
            Place::File(map) => map,
        }
    }
}

impl<T> From<Vec<T>> for Store<T> {
    fn from(numbers: Vec<T>) -> Self {
        Self(Place::Memory(numbers))
    }
}

impl<T> Default for Store<T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<T: Pod + PartialEq> PartialEq for Store<T> {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl<T: Pod + Eq> Eq for Store<T> {}

impl<T: Pod + std::fmt::Debug> std::fmt::Debug for Store<T> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self[..].fmt(formatter)
    }
}

/// Takes in labels in row-major order, or other numbers, of which the first ones stay in memory only if all do.
pub(crate) struct Collector<T = u16> {
    /// Most numbers to hold in memory.
    limit: usize,
    memory: Vec<T>,
    file: Option<Spill>,
}

impl<T: Pod> Collector<T> {
    /// A collector that holds at most so many bytes in memory.
    pub fn new(memory: u64) -> Self {
        let limit = spill::limit(memory) / size_of::<T>() as u64;
        Self {
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            memory: Vec::new(),
            file: None,
        }
    }

    /// Makes room for numbers that are announced, as far as they stay in memory.
    pub fn reserve(&mut self, numbers: usize) {
        self.memory.reserve(numbers.min(self.limit));
    }

    /// Takes in further numbers.
    ///
    /// # Errors
    /// [`DataError::LabelFile`] if the temporary file cannot be written.
    pub fn extend(&mut self, numbers: impl IntoIterator<Item = T>) -> Result<()> {
        for number in numbers {
            if self.memory.len() == self.limit.max(1) {
                self.spill()?;
            }
            self.memory.push(number);
        }
        Ok(())
    }

    /// All numbers that were taken in.
    ///
    /// # Errors
    /// [`DataError::LabelFile`] if the temporary file cannot be written or mapped.
    pub fn finish(mut self) -> Result<Store<T>> {
        if self.file.is_some() {
            self.spill()?;
        }
        let Some(file) = self.file else {
            return Ok(self.memory.into());
        };
        Ok(Store(Place::File(Arc::new(file.map()?))))
    }

    /// Moves what is in memory to the file.
    fn spill(&mut self) -> Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(Spill::new()?),
        };
        file.write(&self.memory)?;
        self.memory.clear();
        // What is buffered from now on is small, and written in large pieces all the same.
        self.limit = self.limit.min(1 << 20);
        self.memory.shrink_to(self.limit);
        Ok(())
    }
}

impl From<SpillError> for DataError {
    fn from(error: SpillError) -> Self {
        let SpillError {
            folder,
            bytes,
            cause,
        } = error;
        Self::LabelFile {
            folder,
            bytes,
            cause,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_beyond_the_limit_are_in_a_file_and_the_same() {
        let labels: Vec<u16> = (0..10_000).map(|label| label % 977).collect();
        let stored = |memory: u64| {
            let mut collector = Collector::new(memory);
            collector.reserve(labels.len());
            for row in labels.chunks(17) {
                collector.extend(row.iter().copied()).expect("a disk");
            }
            collector.finish().expect("a disk")
        };
        let (memory, mut file) = (stored(20_000), stored(19_998));
        assert!(!memory.is_file() && file.is_file());
        assert_eq!(memory[..], labels);
        assert_eq!(file, memory);
        file.prefetch(9_000..10_000);
        file.relabel(|place, label| label + (place % 2) as u16);
        assert_eq!(file[..4], [0, 2, 2, 4]);
        assert_eq!(file.clone()[9_999], labels[9_999] + 1);
        assert_eq!(file.clone().into_vec()[..3], [0, 2, 2]);
        file.to_mut()[0] = 7;
        assert_eq!((file[0], file.is_file()), (7, false));
        for tiny in [0, 1, 2, 3] {
            assert_eq!(stored(tiny), memory, "a limit of {tiny} bytes");
        }
        assert!(
            Collector::<u16>::new(0)
                .finish()
                .expect("nothing")
                .is_empty()
        );
    }
}
