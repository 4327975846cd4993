//! Where energy models come from: a name with parameters, or a file.

use std::path::{Path, PathBuf};

use super::error::EnergyError;
use super::format::read_model;
use super::grid::GridModel;
use super::model::EnergyModel;
use crate::energy::error::Result;

/// A model argument: `ising:3x8`, `potts:20x20,c=3`, `model.uai`, `model.fg`.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelSource {
    /// A grid that comes with the library.
    Grid(GridModel),
    /// A file.
    File(PathBuf),
}

impl ModelSource {
    /// Understands a model argument; write `./ising:3x8` for a file of such a name.
    ///
    /// # Errors
    /// [`EnergyError::UnknownModel`], and what [`GridModel::parse`] returns.
    pub fn parse(text: &str) -> Result<Self> {
        if let Some(grid) = GridModel::parse(text)? {
            return Ok(Self::Grid(grid));
        }
        let path = Path::new(text);
        match path.exists() {
            true => Ok(Self::File(path.into())),
            false => Err(EnergyError::UnknownModel { name: text.into() }),
        }
    }

    /// Builds or reads the model.
    ///
    /// # Errors
    /// As [`read_model`].
    pub fn load(&self) -> Result<EnergyModel> {
        match self {
            Self::Grid(grid) => Ok(grid.build()),
            Self::File(path) => read_model(path),
        }
    }
}
