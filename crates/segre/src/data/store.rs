//! Where labels are kept: in memory or, beyond a limit, in a temporary file that the system reads and drops by the page.

use crate::data::error::{DataError, Result};
use segre_kernels::{LabelFile, MappedLabels};
use std::ops::{Deref, Range};
use std::sync::Arc;

/// Labels in row-major order, read as a slice wherever they are.
#[derive(Clone)]
pub(crate) struct Store(Place);

#[derive(Clone)]
enum Place {
    Memory(Vec<u16>),
    File(Arc<MappedLabels>),
}

impl Store {
    /// Gives every label another value, as `change(place, label)` has it.
    pub fn relabel(&mut self, change: impl Fn(usize, u16) -> u16) {
        let labels: &mut [u16] = match &mut self.0 {
            Place::Memory(labels) => labels,
            Place::File(map) => Arc::get_mut(map).expect("labels in the making"),
        };
        for (place, label) in labels.iter_mut().enumerate() {
            *label = change(place, *label);
        }
    }

    /// Tells the system that labels are wanted soon, so that it reads them while something else is computed.
    pub fn prefetch(&self, labels: Range<usize>) {
        if let Place::File(map) = &self.0 {
            map.prefetch(labels);
        }
    }

    /// Whether the labels are in a file.
    pub fn is_file(&self) -> bool {
        matches!(self.0, Place::File(_))
    }
}

impl Deref for Store {
    type Target = [u16];

    fn deref(&self) -> &[u16] {
        match &self.0 {
            Place::Memory(labels) => labels,
            Place::File(map) => map,
        }
    }
}

impl From<Vec<u16>> for Store {
    fn from(labels: Vec<u16>) -> Self {
        Self(Place::Memory(labels))
    }
}

impl PartialEq for Store {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl Eq for Store {}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self[..].fmt(formatter)
    }
}

/// Takes in labels in row-major order, of which the first ones stay in memory only if all do.
pub(crate) struct Collector {
    /// Most labels to hold in memory.
    limit: usize,
    memory: Vec<u16>,
    file: Option<(LabelFile, usize)>,
}

impl Collector {
    /// A collector that holds at most so many bytes of labels in memory.
    pub fn new(memory: u64) -> Self {
        Self {
            limit: usize::try_from(memory / 2).unwrap_or(usize::MAX),
            memory: Vec::new(),
            file: None,
        }
    }

    /// Makes room for labels that are announced, as far as they stay in memory.
    pub fn reserve(&mut self, labels: usize) {
        self.memory.reserve(labels.min(self.limit));
    }

    /// Takes in further labels.
    ///
    /// # Errors
    /// [`DataError::LabelFile`] if the temporary file cannot be written.
    pub fn extend(&mut self, labels: impl IntoIterator<Item = u16>) -> Result<()> {
        for label in labels {
            if self.memory.len() == self.limit.max(1) {
                self.spill()?;
            }
            self.memory.push(label);
        }
        Ok(())
    }

    /// All labels that were taken in.
    ///
    /// # Errors
    /// [`DataError::LabelFile`] if the temporary file cannot be written or mapped.
    pub fn finish(mut self) -> Result<Store> {
        if self.file.is_some() {
            self.spill()?;
        }
        let Some((file, labels)) = self.file else {
            return Ok(self.memory.into());
        };
        let map = file.map().map_err(|cause| failure(labels, cause))?;
        Ok(Store(Place::File(Arc::new(map))))
    }

    /// Moves what is in memory to the file.
    fn spill(&mut self) -> Result<()> {
        let (file, labels) = match &mut self.file {
            Some(file) => file,
            None => {
                let file = LabelFile::new().map_err(|cause| failure(0, cause))?;
                self.file.insert((file, 0))
            }
        };
        *labels += self.memory.len();
        file.write(&self.memory)
            .map_err(|cause| failure(*labels, cause))?;
        self.memory.clear();
        // What is buffered from now on is small, and written in large pieces all the same.
        self.limit = self.limit.min(1 << 20);
        self.memory.shrink_to(self.limit);
        Ok(())
    }
}

fn failure(labels: usize, cause: std::io::Error) -> DataError {
    DataError::LabelFile {
        folder: std::env::temp_dir(),
        bytes: 2 * labels as u64,
        cause,
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
        for tiny in [0, 1, 2, 3] {
            assert_eq!(stored(tiny), memory, "a limit of {tiny} bytes");
        }
        assert!(Collector::new(0).finish().expect("nothing").is_empty());
    }
}
