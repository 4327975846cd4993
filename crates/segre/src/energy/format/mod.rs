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
use crate::stream::read_text;

/// Reads a model by the extension of its file: `.uai` or `.fg`, also with `.gz`.
///
/// # Errors
/// [`FileError`](crate::FileError), [`EnergyError::UnknownFormat`], and what [`parse_uai`] and [`parse_fg`] return.
pub fn read_model(path: &Path) -> Result<EnergyModel> {
    let name = path.to_string_lossy().to_lowercase();
    let plain = Path::new(name.strip_suffix(".gz").unwrap_or(&name));
    let extension = plain.extension().unwrap_or_default().to_string_lossy();
    match extension.as_ref() {
        "uai" => parse_uai(&read_text(path)?, path),
        "fg" => parse_fg(&read_text(path)?, path),
        _ => Err(EnergyError::UnknownFormat { path: path.into() }),
    }
}
