//! Files of energy models: UAI networks, evidence and results; libDAI factor graphs.

mod evidence;
mod fg;
mod results;
mod tokens;
mod uai;

pub use evidence::{parse_evidence, read_evidence};
pub use fg::parse_fg;
pub use results::{marginals_text, partition_text, write_results};
pub use uai::{parse_uai, uai_text, write_uai};

use std::path::Path;

use super::error::EnergyError;
use super::model::EnergyModel;
use crate::energy::error::Result;
use crate::file_error::FileError;

/// Reads a model by the extension of its file: `.uai` or `.fg`.
///
/// # Errors
/// [`FileError::Io`], [`EnergyError::UnknownFormat`], and what [`parse_uai`] and [`parse_fg`] return.
pub fn read_model(path: &Path) -> Result<EnergyModel> {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    match extension.to_lowercase().as_str() {
        "uai" => parse_uai(&read_text(path)?, path),
        "fg" => parse_fg(&read_text(path)?, path),
        _ => Err(EnergyError::UnknownFormat { path: path.into() }),
    }
}

/// A whole text file.
fn read_text(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|cause| FileError::reading(path, cause))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let lines = error.as_bytes()[..offset]
            .iter()
            .filter(|byte| **byte == b'\n');
        FileError::InvalidUtf8 {
            path: path.into(),
            line: lines.count() as u64 + 1,
            offset: offset as u64,
        }
    });
    Ok(text?)
}
