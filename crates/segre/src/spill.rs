//! Temporary files for what is beyond the memory. The processes of a job that are on one machine share theirs: the first of them
//! writes, all read.

use std::io;
use std::path::{Path, PathBuf};

use bytemuck::Pod;
use segre_kernels::{Mapped, TemporaryFile};

use crate::ranks;

/// Bytes above which the processes of a machine share what each of them would hold otherwise.
const SHARED: u64 = 1 << 20;

/// Bytes to hold in memory where so many are allowed.
pub(crate) fn limit(memory: u64) -> u64 {
    match ranks::size() {
        1 => memory,
        _ => memory.min(SHARED),
    }
}

/// A file that is being written.
///
/// In a job all processes must make the same calls, with the same numbers.
pub(crate) struct Spill {
    file: TemporaryFile,
    bytes: u64,
}

/// A temporary file could not be written or read.
#[derive(Debug)]
pub(crate) struct SpillError {
    pub folder: PathBuf,
    /// Bytes that were to be in the file so far.
    pub bytes: u64,
    pub cause: io::Error,
}

impl Spill {
    /// An empty file.
    ///
    /// # Errors
    /// If the system refuses it, here or to another process.
    pub fn new() -> Result<Self, SpillError> {
        let made = match ranks::size() {
            1 => TemporaryFile::new(),
            _ => shared(),
        };
        let file = made.map_err(|cause| failure(0, cause))?;
        Ok(Self { file, bytes: 0 })
    }

    /// Appends numbers.
    ///
    /// # Errors
    /// Of the system, such as a full disk.
    pub fn write<T: Pod>(&mut self, numbers: &[T]) -> Result<(), SpillError> {
        self.bytes += size_of_val(numbers) as u64;
        match self.file.is_own() {
            true => self.file.write(numbers),
            false => Ok(()),
        }
        .map_err(|cause| failure(self.bytes, cause))
    }

    /// Whether this process is the one that writes.
    pub fn is_own(&self) -> bool {
        self.file.is_own()
    }

    /// Bytes that were appended.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// All numbers, of which there must be some.
    ///
    /// # Errors
    /// Of the system, here or of the process that writes.
    pub fn map<T: Pod>(mut self) -> Result<Mapped<T>, SpillError> {
        let bytes = self.bytes;
        let written = ranks::together(self.file.flush(), elsewhere);
        written
            .and_then(|()| self.file.map())
            .map_err(|cause| failure(bytes, cause))
    }
}

/// A file of all processes of this machine. It has a name until all have it.
fn shared() -> io::Result<TemporaryFile> {
    let made = ranks::is_first_here()
        .then(TemporaryFile::named)
        .transpose();
    let made = ranks::together(made, elsewhere)?;
    let name = made.as_ref().map(|(_, path)| path.to_string_lossy());
    let name = ranks::of_first_here(name.as_deref().unwrap_or_default());
    let (file, path) = match made {
        Some((file, path)) => (Ok(file), Some(path)),
        None => (TemporaryFile::open(Path::new(&name)), None),
    };
    let file = ranks::together(file, elsewhere);
    drop(path);
    file
}

fn elsewhere() -> io::Error {
    io::Error::other("another process of the job could not")
}

fn failure(bytes: u64, cause: io::Error) -> SpillError {
    SpillError {
        folder: std::env::temp_dir(),
        bytes,
        cause,
    }
}
