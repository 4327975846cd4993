//! What can be wrong with a recipe.

use super::unet::{LEAST_ROWS, LEAST_SITES};

/// Why a recipe cannot be followed. Each message is one line that names the setting and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// A setting of the UNet is given for another network.
    #[error("`{setting}` is for `network = unet`; add that, or leave it out")]
    NeedsUnet {
        /// The setting.
        setting: &'static str,
    },

    /// Classes of rows are told to a network that cannot be told them.
    #[error(
        "`labels` is for `network = unet`, which needs images; add that, or leave the labels out"
    )]
    LabelsNeedUnet,

    /// Messages along scanlines are wanted for a head that has no logits.
    #[error("`scanlines` is for `head = posterior`, whose logits it starts; leave one of them out")]
    ScanlinesNeedPosterior,

    /// Messages along scanlines are wanted where an energy is known.
    #[error(
        "the model starts from the beliefs of its energy, which say more than `scanlines`; leave it out"
    )]
    ScanlinesBesideEnergy,

    /// A setting means nothing to the UNet.
    #[error(
        "`{setting}` means nothing to the network unet (the default for images of {LEAST_SITES} pixels and {LEAST_ROWS} \
         rows); {remedy}, or choose `network = residual`"
    )]
    NotForUnet {
        /// The setting.
        setting: &'static str,
        /// What to do.
        remedy: &'static str,
    },

    /// A text is no recipe.
    #[error("{place}{problem}")]
    Unreadable {
        /// File and line, if there are any.
        place: String,
        /// What is wrong, and what would be legal.
        problem: String,
    },

    /// A key that no recipe has.
    #[error("{key:?} is no key of a recipe; use {legal}")]
    UnknownKey {
        /// The key found.
        key: String,
        /// What may have been meant.
        legal: String,
    },

    /// A text assigns nothing.
    #[error("{0:?} assigns nothing; write KEY=VALUE, as network.hidden=64")]
    NoAssignment(String),

    /// A time that is none.
    #[error("{found:?} is no time: {problem}")]
    BadTime {
        /// The text found.
        found: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}
