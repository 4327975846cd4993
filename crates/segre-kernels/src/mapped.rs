//! Labels in a temporary file that the system reads and drops by the page, seen as a slice.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::{Deref, DerefMut, Range};

use memmap2::{Advice, MmapMut};

/// A temporary file without a name that takes in labels.
#[derive(Debug)]
pub struct LabelFile {
    // Nobody else is given this handle: what is mapped later cannot change.
    file: BufWriter<File>,
}

impl LabelFile {
    /// An empty file in the folder of the system for such files.
    ///
    /// # Errors
    /// Of the system.
    pub fn new() -> io::Result<Self> {
        let file = BufWriter::new(tempfile::tempfile()?);
        Ok(Self { file })
    }

    /// Appends labels.
    ///
    /// # Errors
    /// Of the system, such as a full disk.
    pub fn write(&mut self, labels: &[u16]) -> io::Result<()> {
        self.file.write_all(bytemuck::cast_slice(labels))
    }

    /// All labels.
    ///
    /// # Errors
    /// Of the system.
    pub fn map(self) -> io::Result<MappedLabels> {
        let file = self.file.into_inner().map_err(|error| error.into_error())?;
        // SAFETY: the file has no name and its only handle is dropped here, so no other program can change or shorten it,
        // and nothing but the map is left.
        unsafe { MmapMut::map_mut(&file) }.map(MappedLabels)
    }
}

/// The labels of a [`LabelFile`], mapped into memory.
#[derive(Debug)]
pub struct MappedLabels(MmapMut);

impl MappedLabels {
    /// Tells the system that labels are wanted soon, so that it reads them while something else is computed.
    pub fn prefetch(&self, labels: Range<usize>) {
        // A hint that the system may refuse: then the labels are read when they are needed.
        let advice = Advice::WillNeed;
        let _ = self
            .0
            .advise_range(advice, 2 * labels.start, 2 * labels.len());
    }
}

impl Deref for MappedLabels {
    type Target = [u16];

    #[inline]
    fn deref(&self) -> &[u16] {
        bytemuck::cast_slice(&self.0)
    }
}

impl DerefMut for MappedLabels {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u16] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}
