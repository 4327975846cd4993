//! Settings out of range, and parameters that a built-in has not.

/// A setting outside its range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{name} is {value}, but it must be {expected}")]
pub struct InvalidSetting {
    /// Name of the setting as the user knows it.
    pub name: &'static str,
    /// The rejected value.
    pub value: f64,
    /// What would be accepted.
    pub expected: &'static str,
}

/// What the parameters in the name of a built-in can get wrong, as in `ising:3x8,coupling=1`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParameterError {
    /// A built-in was given a parameter that it does not have.
    #[error("{built_in} has no parameter {parameter:?}; it takes {legal}")]
    Unknown {
        /// The built-in.
        built_in: &'static str,
        /// The unknown parameter.
        parameter: String,
        /// The legal parameters.
        legal: String,
    },
    /// A parameter of a built-in has an illegal value.
    #[error("{built_in}: {parameter}={value:?} is not {expected}")]
    Bad {
        /// The built-in.
        built_in: &'static str,
        /// The parameter.
        parameter: String,
        /// The value found.
        value: String,
        /// What is legal.
        expected: String,
    },
}
