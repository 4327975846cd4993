//! Numbers and texts in a temporary file that the system reads and drops by the page, seen as a slice.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::marker::PhantomData;
use std::ops::{Deref, Range};
use std::path::Path;

use bytemuck::Pod;
use memmap2::{Advice, MmapMut};
use tempfile::{NamedTempFile, TempPath};

/// A temporary file that takes in numbers of one kind.
#[derive(Debug)]
pub struct TemporaryFile {
    // Nobody but processes of one job is given a handle: what is mapped later cannot change.
    file: BufWriter<File>,
    /// Whether this process made it.
    own: bool,
}

impl TemporaryFile {
    /// An empty file without a name in the folder of the system for such files.
    ///
    /// # Errors
    /// Of the system.
    pub fn new() -> io::Result<Self> {
        let file = BufWriter::new(tempfile::tempfile()?);
        Ok(Self { file, own: true })
    }

    /// An empty file with a name, by which other processes [`open`](Self::open) it before any of them maps it; the name goes when
    /// it is dropped.
    ///
    /// # Errors
    /// Of the system.
    pub fn named() -> io::Result<(Self, TempPath)> {
        let (file, path) = NamedTempFile::new()?.into_parts();
        let file = BufWriter::new(file);
        Ok((Self { file, own: true }, path))
    }

    /// The file that another process has made, to be read when that has written it.
    ///
    /// # Errors
    /// Of the system.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let file = BufWriter::new(file);
        Ok(Self { file, own: false })
    }

    /// Whether this process made it.
    pub fn is_own(&self) -> bool {
        self.own
    }

    /// Appends numbers.
    ///
    /// # Errors
    /// Of the system, such as a full disk.
    pub fn write<T: Pod>(&mut self, numbers: &[T]) -> io::Result<()> {
        self.file.write_all(bytemuck::cast_slice(numbers))
    }

    /// Hands on what was written, so that others find it.
    ///
    /// # Errors
    /// Of the system, such as a full disk.
    pub fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }

    /// All numbers.
    ///
    /// # Errors
    /// Of the system.
    pub fn map<T: Pod>(self) -> io::Result<Mapped<T>> {
        let file = self.file.into_inner().map_err(|error| error.into_error())?;
        // SAFETY: the file has no name any more, and its handles are those of this process and of others of its job, which are
        // dropped as they map it: no other program can change or shorten it, and of the job only the process that made it does,
        // while the others wait.
        let map = unsafe { MmapMut::map_mut(&file) }?;
        let of = PhantomData;
        Ok(Mapped {
            map,
            own: self.own,
            of,
        })
    }
}

/// The numbers of a [`TemporaryFile`], mapped into memory.
#[derive(Debug)]
pub struct Mapped<T> {
    map: MmapMut,
    own: bool,
    of: PhantomData<T>,
}

impl<T: Pod> Mapped<T> {
    /// Tells the system that numbers are wanted soon, so that it reads them while something else is computed.
    pub fn prefetch(&self, numbers: Range<usize>) {
        // A hint that the system may refuse: then the numbers are read when they are needed.
        let (advice, size) = (Advice::WillNeed, size_of::<T>());
        let _ = self
            .map
            .advise_range(advice, size * numbers.start, size * numbers.len());
    }

    /// The numbers to be changed, `None` where another process made the file.
    pub fn own(&mut self) -> Option<&mut [T]> {
        self.own.then(|| bytemuck::cast_slice_mut(&mut self.map))
    }
}

impl<T: Pod> Deref for Mapped<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        bytemuck::cast_slice(&self.map)
    }
}

/// A text in a [`TemporaryFile`].
#[derive(Debug)]
pub struct MappedText(Mapped<u8>);

impl TryFrom<Mapped<u8>> for MappedText {
    /// The bytes that are no text.
    type Error = Mapped<u8>;

    fn try_from(bytes: Mapped<u8>) -> Result<Self, Mapped<u8>> {
        match std::str::from_utf8(&bytes) {
            Ok(_) => Ok(Self(bytes)),
            Err(_) => Err(bytes),
        }
    }
}

impl Deref for MappedText {
    type Target = str;

    fn deref(&self) -> &str {
        // SAFETY: they were found to be UTF-8, and nothing changes them: there is no other way to this map.
        unsafe { std::str::from_utf8_unchecked(&self.0) }
    }
}
