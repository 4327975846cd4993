//! Files that appear whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Writes `bytes` to a temporary file beside `path`, then renames it to `path`.
///
/// # Errors
/// If the folder does not exist or is not writable, or the disk is full; the message names the
/// path. A file that was at `path` before is then untouched.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = temporary_beside(path);
    let written = write_and_rename(&temporary, path, bytes);
    if written.is_err() {
        // The first error is the one to report; the temporary file may never have existed.
        let _ = fs::remove_file(&temporary);
    }
    written.with_context(|| {
        format!(
            "cannot write {}: check that its folder exists, is writable and has free space",
            path.display()
        )
    })
}

fn write_and_rename(temporary: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(temporary, path)
}

/// `folder/.name.<process id>.tmp`: the same folder, because a rename is atomic only within one
/// file system.
fn temporary_beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An empty folder of this test's own, removed when dropped.
    pub(crate) struct Folder(pub(crate) PathBuf);

    impl Folder {
        pub(crate) fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("report-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).expect("temporary folder");
            Self(path)
        }

        pub(crate) fn files(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).expect("folder");
            entries
                .map(|entry| {
                    entry
                        .expect("entry")
                        .file_name()
                        .to_string_lossy()
                        .into_owned()
                })
                .collect()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn replaces_the_old_file_and_leaves_nothing_else() {
        let folder = Folder::new("replace");
        let path = folder.0.join("picture.png");
        write_file(&path, b"old").expect("first write");
        write_file(&path, b"new").expect("second write");
        assert_eq!(fs::read(&path).expect("file"), b"new");
        assert_eq!(folder.files(), ["picture.png"]);
    }

    #[test]
    fn a_failed_rename_keeps_the_target_and_removes_the_temporary_file() {
        let folder = Folder::new("rename");
        let path = folder.0.join("taken");
        fs::create_dir(&path).expect("a folder where the file should go");
        write_file(&path, b"x").expect_err("a file cannot replace a folder");
        assert_eq!(folder.files(), ["taken"]);
    }

    #[test]
    fn a_missing_folder_is_an_error_that_names_the_path() {
        let folder = Folder::new("missing");
        let path = folder.0.join("nowhere").join("picture.png");
        let error = write_file(&path, b"x").expect_err("no such folder");
        let message = format!("{error:#}");
        assert!(message.contains(&path.display().to_string()), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
}
