//! Networks by name.

use clap::ValueEnum;
use segre::recipe::NetworkKind;

/// Networks by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NetworkName {
    /// Site embeddings and residual dense blocks
    Residual,
    /// Embedded labels, residual dense blocks, logits of unknown columns only: tables with numbers
    Table,
    /// Batch normalisation, dense layers, ReLU (two layers of --hidden)
    Dense,
    /// One-dimensional convolutions
    Cnn,
    /// Convolutions over images, from fine to coarse and back
    Unet,
    /// One matrix
    Linear,
}

impl From<NetworkName> for NetworkKind {
    fn from(name: NetworkName) -> Self {
        match name {
            NetworkName::Residual => Self::Residual,
            NetworkName::Table => Self::Table,
            NetworkName::Dense => Self::Dense,
            NetworkName::Cnn => Self::Cnn,
            NetworkName::Unet => Self::Unet,
            NetworkName::Linear => Self::Linear,
        }
    }
}
