//! What can be wrong with a recipe.

/// Why a recipe cannot be followed. Each message is one line that names the setting and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// A decision means nothing to the chosen network, path or kind of fit.
    #[error("`{setting}` is for {needs}")]
    Useless {
        /// The setting.
        setting: &'static str,
        /// What has a use for it, and what to do.
        needs: &'static str,
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
