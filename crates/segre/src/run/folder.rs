//! A model's folder: the names of its files, making room for a new run, its settings as text.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::{Result, RunError};
use super::lock::{FolderLock, is_left_over};
use crate::atomic;
use crate::file_error::FileError;
use crate::progress::Interrupted;
use crate::ranks;

/// File of the parameters.
pub const MODEL_FILE: &str = "model.safetensors";
/// File of the settings.
pub const CONFIG_FILE: &str = "config.json";
/// File of a run's state.
pub const CHECKPOINT_FILE: &str = "checkpoint.safetensors";
/// File of the log, a JSON object a line.
pub const METRICS_FILE: &str = "metrics.jsonl";
/// File of what was seen of a model, for its page.
pub const REPORT_FILE: &str = "report.json";

/// Between checkpoints that are not due to anything else.
pub(super) const CHECKPOINT_EVERY: Duration = Duration::from_secs(20);

/// Everything that a run and its pictures leave; the settings come last, for a folder without them is not cleared again.
const FILES: [&str; 11] = [
    MODEL_FILE,
    CHECKPOINT_FILE,
    METRICS_FILE,
    REPORT_FILE,
    "report.html",
    "samples.png",
    "samples.csv",
    "samples.txt",
    "samples.fasta",
    "training.png",
    CONFIG_FILE,
];

/// Refuses a folder that is there, unless it may be replaced and no process writes in it; the processes of a job look at it together,
/// before the first one makes it.
///
/// # Errors
/// [`RunError::Exists`], [`RunError::InUse`].
pub fn refuse_existing(folder: &Path, force: bool) -> Result<()> {
    let refused = FolderLock::refuse_taken(folder).and_then(|()| match folder.exists() && !force {
        true => Err(RunError::Exists {
            path: folder.to_path_buf(),
        }),
        false => Ok(()),
    });
    ranks::together(refused, || Interrupted.into())
}

/// The folder of a new run, or of one in place of what a former run left there, and its lock; none on processes after the first, which
/// keeps the run of all.
///
/// # Errors
/// As [`refuse_existing`] and [`create_folder`].
pub(super) fn new_folder(folder: &Path, force: bool) -> Result<Option<(PathBuf, FolderLock)>> {
    refuse_existing(folder, force)?;
    let make = || Ok((folder.to_path_buf(), create_folder(folder)?));
    ranks::is_first().then(make).transpose()
}

/// Makes an empty folder for a run, of one that a former run left too, and takes its lock.
///
/// # Errors
/// [`RunError::NotAFolder`], [`RunError::NotOurs`] if it holds anything else, [`RunError::InUse`], [`RunError::Folder`] and
/// [`FileError`] if the operating system refuses.
pub fn create_folder(folder: &Path) -> Result<FolderLock> {
    if folder.exists() {
        refuse_other(folder)?;
    }
    fs::create_dir_all(folder).map_err(|cause| RunError::Folder {
        action: "create",
        path: folder.to_path_buf(),
        cause,
    })?;
    let lock = FolderLock::take(folder)?;
    atomic::check_writable(&folder.join(CONFIG_FILE))?;
    clear(folder)?;
    Ok(lock)
}

/// Takes the lock of a model's folder, to go on with the run in it.
pub(super) fn lock_model(folder: &Path) -> Result<FolderLock> {
    file_of(folder, CONFIG_FILE)?;
    FolderLock::take(folder)
}

/// Refuses a folder that is neither empty nor a model's; what a process leaves that was killed at the very start is neither.
fn refuse_other(folder: &Path) -> Result<()> {
    let path = || folder.to_path_buf();
    if !folder.is_dir() {
        return Err(RunError::NotAFolder { path: path() });
    }
    let entries = fs::read_dir(folder).map_err(|cause| RunError::Folder {
        action: "read",
        path: path(),
        cause,
    })?;
    let ours = |entry: std::io::Result<fs::DirEntry>| {
        let name = entry.map(|entry| entry.file_name().to_string_lossy().into_owned());
        name.is_ok_and(|name| is_left_over(&name))
    };
    let empty = entries.into_iter().all(ours);
    match empty || folder.join(CONFIG_FILE).is_file() {
        true => Ok(()),
        false => Err(RunError::NotOurs { path: path() }),
    }
}

/// Removes what a former run left, and nothing else.
fn clear(folder: &Path) -> Result<()> {
    let refused = |cause| RunError::Folder {
        action: "clear",
        path: folder.to_path_buf(),
        cause,
    };
    for name in FILES {
        let file = folder.join(name);
        if file.exists() {
            fs::remove_file(&file).map_err(refused)?;
        }
    }
    Ok(())
}

/// A file of a model's folder, which must be there.
pub(super) fn file_of(folder: &Path, missing: &'static str) -> Result<PathBuf> {
    let path = folder.join(missing);
    match path.is_file() {
        true => Ok(path),
        false => Err(RunError::NotAModel {
            path: folder.to_path_buf(),
            missing,
        }),
    }
}

/// Reads the settings in a folder.
pub(super) fn read_settings<T: DeserializeOwned>(folder: &Path) -> Result<T> {
    let path = file_of(folder, CONFIG_FILE)?;
    let text = fs::read_to_string(&path).map_err(|cause| FileError::reading(&path, cause))?;
    let settings = serde_json::from_str(&text).map_err(|error| FileError::Damaged {
        path,
        detail: error.to_string(),
    });
    Ok(settings?)
}

/// Stores settings in a folder.
pub(super) fn write_settings<T: Serialize>(folder: &Path, card: &T) -> Result<(), FileError> {
    let text = serde_json::to_string_pretty(card).expect("a model card is plain data");
    let path = folder.join(CONFIG_FILE);
    atomic::write_bytes(&path, text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_does_not_make_a_folder_anothers() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        for name in ["run.lock", ".segre.partial", ".model.safetensors.7.partial"] {
            fs::write(folder.join(name), "half").expect("writable");
        }
        drop(create_folder(folder).expect("it holds nothing"));
        assert_eq!(fs::read_dir(folder).expect("a folder").count(), 0);
        fs::write(folder.join("thesis.tex"), "much work").expect("writable");
        let refused = create_folder(folder).expect_err("it holds something");
        assert!(matches!(refused, RunError::NotOurs { .. }), "{refused}");
    }

    #[test]
    fn a_folder_is_known_for_a_models_until_all_else_is_cleared() {
        // Killed in between, a run is replaced by the next as if nothing had happened.
        assert_eq!(FILES.last(), Some(&CONFIG_FILE));
    }
}
