//! Files that appear whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::file_error::FileError;
use crate::ranks;

/// The path of standard output.
const STANDARD_OUTPUT: &str = "-";

/// A temporary file on its way to becoming another.
pub type PartialFile = BufWriter<File>;

/// Fills a temporary file beside the path, flushes it to disk and renames it to the path.
///
/// A reader, and whoever comes after a crash, sees the old file or the new one. The path `-` is standard output.
///
/// # Errors
/// [`FileError::Io`] if filling or renaming fails; a file that was at the path before is then untouched.
pub fn write(
    path: &Path,
    fill: impl FnOnce(&mut PartialFile) -> io::Result<()>,
) -> Result<(), FileError> {
    // What all processes of a job have is written by one of them.
    if !ranks::is_first() {
        return Ok(());
    }
    if is_device(path) {
        // Nothing can take its place, and nothing may: `/dev/null` is everybody's.
        let written = File::create(path).and_then(|file| {
            let mut file = BufWriter::new(file);
            fill(&mut file)?;
            file.flush()
        });
        return written.map_err(|cause| FileError::writing(path, cause));
    }
    // A link stays one: what it leads to is replaced.
    let target = fs::canonicalize(path);
    let target = target.as_deref().unwrap_or(path);
    if path == Path::new(STANDARD_OUTPUT) {
        return to_standard_output(fill).map_err(|cause| FileError::writing(path, cause));
    }
    let mut taken = None;
    let steps = || {
        let (temporary, file) = temporary_beside(target)?;
        taken = Some(temporary.clone());
        let mut file = BufWriter::new(file);
        fill(&mut file)?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        fs::rename(&temporary, target)
    };
    steps().map_err(|cause| {
        // The first failure is the one to report.
        let _ = taken.map(fs::remove_file);
        FileError::writing(path, cause)
    })
}

/// An empty file in the same folder, because a rename is atomic only within one file system. What a killed process left of the
/// same file is taken over, so that it is not left for good; where another one is writing the same file, or may be, this one's is
/// named after the process.
fn temporary_beside(target: &Path) -> io::Result<(PathBuf, File)> {
    let beside = |end: &str| {
        let mut name = OsString::from(".");
        name.push(target.file_name().unwrap_or_default());
        name.push(end);
        target.with_file_name(name)
    };
    let path = beside(".partial");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    if let Ok(file) = options.open(&path)
        && file.try_lock().is_ok()
        && is_at(&file, &path)
        && file.set_len(0).is_ok()
    {
        return Ok((path, file));
    }
    let path = beside(&format!(".{}.partial", std::process::id()));
    let file = File::create(&path)?;
    Ok((path, file))
}

/// Whether the file of a path is this one still.
#[cfg(unix)]
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let own = file.metadata().map(|own| (own.dev(), own.ino()));
    let there = fs::metadata(path).map(|there| (there.dev(), there.ino()));
    matches!((own, there), (Ok(own), Ok(there)) if own == there)
}

/// Elsewhere a file that is open cannot be removed.
#[cfg(not(unix))]
pub(crate) fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// Fills standard output; a reader that leaves early is no error.
fn to_standard_output(fill: impl FnOnce(&mut PartialFile) -> io::Result<()>) -> io::Result<()> {
    #[cfg(unix)]
    let handle = std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned()?;
    #[cfg(windows)]
    let handle = std::os::windows::io::AsHandle::as_handle(&io::stdout()).try_clone_to_owned()?;
    let mut file = BufWriter::new(File::from(handle));
    match fill(&mut file).and_then(|()| file.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            // What is still in the buffer has no reader either.
            let _ = file.into_parts();
            Ok(())
        }
        written => written,
    }
}

/// [`write()`] with contents that are in memory already.
///
/// # Errors
/// As [`write()`].
pub fn write_bytes(path: &Path, contents: &[u8]) -> Result<(), FileError> {
    write(path, |file| file.write_all(contents))
}

/// Makes the folder of a path where it is missing, and refuses one that cannot be written to: before long work rather than
/// after it.
///
/// # Errors
/// [`FileError::NotWritable`].
pub fn check_writable(path: &Path) -> Result<(), FileError> {
    if is_device(path) {
        return Ok(());
    }
    let target = fs::canonicalize(path);
    let path = target.as_deref().unwrap_or(path);
    if path == Path::new(STANDARD_OUTPUT) {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let probe = folder.join(".segre.partial");
    let tried = fs::create_dir_all(folder)
        .and_then(|()| fs::write(&probe, b""))
        .and_then(|()| fs::remove_file(&probe));
    // Another process may have removed it.
    let tried = tried.or_else(|cause| match cause.kind() {
        ErrorKind::NotFound if folder.is_dir() => Ok(()),
        _ => Err(cause),
    });
    tried.map_err(|cause| FileError::NotWritable {
        folder: folder.to_path_buf(),
        cause,
    })
}

/// Whether a path leads to something that is neither file nor folder: `/dev/null`, a pipe.
fn is_device(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty folder of this test's own, removed when dropped.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("segre-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).expect("temporary folder");
            Self(path)
        }

        fn files(&self) -> Vec<OsString> {
            let entries = fs::read_dir(&self.0).expect("folder");
            entries
                .map(|entry| entry.expect("entry").file_name())
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
        let path = folder.0.join("file");
        write_bytes(&path, b"old").expect("first write");
        write_bytes(&path, b"new").expect("second write");
        assert_eq!(fs::read(&path).expect("file"), b"new");
        assert_eq!(folder.files(), ["file"]);
    }

    #[test]
    fn a_failure_half_way_keeps_the_old_file_and_removes_the_new_one() {
        let folder = Folder::new("half");
        let path = folder.0.join("file");
        write_bytes(&path, b"old").expect("first write");
        let failed = write(&path, |file| {
            file.write_all(b"ne")?;
            Err(io::Error::other("disk full"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).expect("file"), b"old");
        assert_eq!(folder.files(), ["file"]);
    }

    #[test]
    fn what_a_killed_process_left_is_taken_over_and_what_another_writes_is_not() {
        let folder = Folder::new("left");
        let (path, left) = (folder.0.join("file"), folder.0.join(".file.partial"));
        fs::write(&left, "half of a longer file").expect("writable");
        write_bytes(&path, b"new").expect("nobody holds it");
        assert_eq!(fs::read(&path).expect("file"), b"new");
        assert_eq!(folder.files(), ["file"]);
        let other = File::create(&left).expect("writable");
        other.lock().expect("nobody else's");
        write_bytes(&path, b"newer").expect("beside the other");
        assert_eq!(fs::read(&path).expect("file"), b"newer");
        assert!(left.is_file() && folder.files().len() == 2);
    }

    #[cfg(unix)]
    #[test]
    fn links_and_devices_stay_what_they_are() {
        let folder = Folder::new("links");
        let (link, file) = (folder.0.join("link"), folder.0.join("file"));
        write_bytes(&file, b"old").expect("a file");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        write_bytes(&link, b"new").expect("through the link");
        assert!(link.is_symlink());
        assert_eq!(fs::read(&file).expect("file"), b"new");
        assert_eq!(folder.files().len(), 2);
        let null = Path::new("/dev/null");
        check_writable(null).expect("everybody may");
        write_bytes(null, b"gone").expect("everybody may");
        assert!(is_device(null));
        let full = Path::new("/dev/full");
        if full.exists() {
            let message = write_bytes(full, b"x").expect_err("full").to_string();
            assert!(
                message.contains("/dev/full") && message.contains("make room"),
                "{message}"
            );
        }
    }

    #[test]
    fn a_file_cannot_replace_a_folder() {
        let folder = Folder::new("taken");
        let path = folder.0.join("taken");
        fs::create_dir(&path).expect("a folder where the file should go");
        write_bytes(&path, b"x").expect_err("a file cannot replace a folder");
        assert_eq!(folder.files(), ["taken"]);
    }

    #[test]
    fn a_missing_folder_is_an_error_of_one_line_that_names_the_path() {
        let folder = Folder::new("missing");
        let path = folder.0.join("nowhere").join("file");
        let message = write_bytes(&path, b"x")
            .expect_err("no such folder")
            .to_string();
        assert!(message.contains(&path.display().to_string()), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
}
