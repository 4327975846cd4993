//! The log of a run: a JSON object a line.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
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

/// What the log says of training, to be drawn.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrainingLog {
    /// Training losses.
    pub losses: Vec<Logged>,
    /// Validations.
    pub validations: Vec<Logged>,
    /// The validation whose model was kept.
    pub kept: Option<Logged>,
    /// Rounds of a fit to an energy alone.
    pub rounds: Vec<LoggedRound>,
}

/// A round of the log.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoggedRound {
    /// Optimisation steps so far.
    pub step: f64,
    /// Inverse temperature of the energy that was learned: 1 is the energy itself.
    pub inverse_temperature: f64,
    /// Effective sample size as a share of the draws.
    pub effective_share: f64,
}

/// A value of the log.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Logged {
    /// Optimisation steps so far.
    pub step: f64,
    /// Seconds of training so far; none in a log without a clock.
    pub seconds: Option<f64>,
    /// Nats per site of a loss, bits per dimension of a validation.
    pub value: f64,
}

impl TrainingLog {
    /// Of validations as an observer was told them, a JSON list; others are left out.
    pub fn of_events(events: &str) -> Self {
        let events: Vec<Value> = serde_json::from_str(events).unwrap_or_default();
        let mut log = Self::default();
        for event in events.iter().filter(|event| event["kind"] == "validation") {
            if let (Some(step), Some(value)) =
                (event["step"].as_f64(), event["bits_per_dim"].as_f64())
            {
                let seconds = event["seconds"].as_f64();
                let found = Logged {
                    step,
                    seconds,
                    value,
                };
                log.validations.push(found);
                if event["kept"] == Value::Bool(true) {
                    log.kept = Some(found);
                }
            }
        }
        log
    }

    /// Reads the log of a folder; lines that say neither are left out.
    ///
    /// # Errors
    /// [`FileError::Io`] if the file cannot be read.
    pub fn read(folder: &Path) -> Result<Self, FileError> {
        let path = folder.join(METRICS_FILE);
        let text = fs::read_to_string(&path).map_err(|cause| FileError::reading(&path, cause))?;
        let mut log = Self::default();
        for line in text.lines() {
            let Ok(line) = serde_json::from_str::<Value>(line) else {
                continue;
            };
            let logged = |value| {
                Some(Logged {
                    step: line["step"].as_f64()?,
                    seconds: line["seconds"].as_f64(),
                    value,
                })
            };
            let round = ["step", "inverse_temperature", "effective_share"];
            if let [Some(step), Some(inverse_temperature), Some(effective_share)] =
                round.map(|key| line[key].as_f64())
            {
                log.rounds.push(LoggedRound {
                    step,
                    inverse_temperature,
                    effective_share,
                });
            }
            if let Some(found) = line["validation_bits_per_dim"].as_f64().and_then(logged) {
                log.validations.push(found);
                if line["kept"] == Value::Bool(true) {
                    log.kept = Some(found);
                }
            } else if let Some(found) = line["loss"].as_f64().and_then(logged) {
                log.losses.push(found);
            }
        }
        Ok(log)
    }
}
