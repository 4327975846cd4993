//! The log of a run: a JSON object a line.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use serde_json::Value;

use super::folder::METRICS_FILE;
use crate::atomic;
use crate::file_error::FileError;
use crate::progress::Event;

/// An open log.
#[derive(Debug)]
pub struct Metrics {
    file: File,
}

impl Metrics {
    /// Opens a log for appending, without the lines that are to be written again: those that `stays` refuses.
    ///
    /// # Errors
    /// [`FileError::Io`] if the file cannot be written.
    pub fn open(path: &Path, stays: impl Fn(&Value) -> bool) -> Result<Self, FileError> {
        let stays = |line: &&str| {
            let value: Option<Value> = serde_json::from_str(line).ok();
            value.is_some_and(|value| stays(&value))
        };
        let kept: String = fs::read_to_string(path)
            .unwrap_or_default()
            .lines()
            .filter(stays)
            .map(|line| format!("{line}\n"))
            .collect();
        atomic::write_bytes(path, kept.as_bytes())?;
        let file = OpenOptions::new().append(true).open(path);
        let file = file.map_err(|cause| FileError::writing(path, cause))?;
        Ok(Self { file })
    }

    /// Appends a line. A full disk must not end a run whose checkpoints may still fit: what is told of it is returned.
    pub fn line(&mut self, value: &Value) -> Option<Event> {
        let written = writeln!(self.file, "{value}");
        let notice = |error| Event::Notice(format!("cannot write {METRICS_FILE}: {error}"));
        written.err().map(notice)
    }
}
