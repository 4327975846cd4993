//! One process a folder: a lock of the operating system, which ends with the process that holds it, however it ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::error::{Result, RunError};
use crate::atomic::is_at;

/// File that is locked; it says who holds the lock. It is there as long as the lock is, or longer if its process was killed.
const LOCK_FILE: &str = "run.lock";
/// End of the names of files that are being written.
const PARTIAL: &str = ".partial";

/// The right to write in a folder, given back when dropped.
#[derive(Debug)]
pub struct FolderLock {
    path: PathBuf,
    file: File,
}

impl FolderLock {
    /// Takes the lock of a folder that is there, and removes what a killed process was writing in it.
    ///
    /// # Errors
    /// [`RunError::InUse`] if another process has it, [`RunError::Folder`] if the operating system refuses.
    pub fn take(folder: &Path) -> Result<Self> {
        let refused = |cause| RunError::Folder {
            action: "write to",
            path: folder.to_path_buf(),
            cause,
        };
        let path = folder.join(LOCK_FILE);
        loop {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            let mut file = options.open(&path).map_err(refused)?;
            match file.try_lock() {
                Err(TryLockError::WouldBlock) => return Err(in_use(folder, &mut file)),
                // A file system without locks: as well as it can be.
                Err(TryLockError::Error(cause)) if cause.kind() == ErrorKind::Unsupported => {}
                Err(TryLockError::Error(cause)) => return Err(refused(cause)),
                Ok(()) if is_at(&file, &path) => {}
                // It was another's, who has removed it since it was opened.
                Ok(()) => continue,
            }
            let now = jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S UTC");
            let holder = format!("process {} since {now}\n", std::process::id());
            // A full disk shows soon enough; the lock holds without a name.
            let _ = file
                .set_len(0)
                .and_then(|()| file.write_all(holder.as_bytes()));
            sweep(folder);
            return Ok(Self { path, file });
        }
    }

    /// Refuses a folder that a process has locked; a folder or a lock that is not there is free.
    ///
    /// # Errors
    /// [`RunError::InUse`].
    pub fn refuse_taken(folder: &Path) -> Result<()> {
        let Ok(mut file) = File::open(folder.join(LOCK_FILE)) else {
            return Ok(());
        };
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Err(in_use(folder, &mut file)),
            _ => Ok(()),
        }
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Removed while it is held, so that nobody else's is. What stays if that fails is no lock.
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

fn in_use(folder: &Path, file: &mut File) -> RunError {
    let mut holder = String::new();
    let read = file
        .rewind()
        .and_then(|()| file.take(200).read_to_string(&mut holder));
    let named = read.is_ok() && !holder.trim().is_empty();
    RunError::InUse {
        path: folder.to_path_buf(),
        holder: match named {
            true => holder.trim().to_owned(),
            false => "another process".to_owned(),
        },
    }
}

/// Whether a file of this name is what a process leaves that was killed: its lock, or what it was writing.
pub fn is_left_over(name: &str) -> bool {
    name == LOCK_FILE || is_partial(name)
}

fn is_partial(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(PARTIAL)
}

/// Removes what was being written when a process was killed.
fn sweep(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if is_partial(&name) {
            // What cannot be removed harms nobody.
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_refused_until_the_first_is_gone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        fs::write(folder.join(".config.json.1.partial"), "{").expect("writable");
        let first = FolderLock::take(folder).expect("free");
        let message = FolderLock::take(folder).expect_err("taken").to_string();
        let own = format!("process {} since 20", std::process::id());
        assert!(message.contains(&own), "{message}");
        assert!(FolderLock::refuse_taken(folder).is_err());
        drop(first);
        FolderLock::refuse_taken(folder).expect("free");
        assert_eq!(fs::read_dir(folder).expect("a folder").count(), 0);
        // What a killed process leaves.
        fs::write(folder.join(LOCK_FILE), "process 1 since ever").expect("writable");
        FolderLock::refuse_taken(folder).expect("nobody holds it");
        drop(FolderLock::take(folder).expect("nobody holds it"));
        assert_eq!(fs::read_dir(folder).expect("a folder").count(), 0);
    }
}
