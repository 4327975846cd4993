//! What energy models, their files and their inference can get wrong.

use std::path::PathBuf;

use crate::file_error::FileError;
use crate::progress::Interrupted;
use crate::setting::{InvalidSetting, ParameterError};

/// What this room's fallible functions return.
pub type Result<T, E = EnergyError> = std::result::Result<T, E>;

/// Everything that can fail in [`crate::energy`]; each message is one line with place, value and remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnergyError {
    /// A model argument names neither a built-in nor a file.
    #[error(
        "{name:?} is no built-in energy model and no such file exists; built-ins are ising:3x8 and \
         potts:20x20,c=3, otherwise give the path of a .uai or .fg file"
    )]
    UnknownModel {
        /// The argument.
        name: String,
    },
    /// The name of a model's file has an extension that no reader knows.
    #[error("{path}: unknown type of energy model; use .uai (UAI competition) or .fg (libDAI)")]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// A file ends too early.
    #[error(
        "{path}:{line}: the file ends after {tokens} tokens where {expected} is expected; \
         it is truncated, write or download it again"
    )]
    FileEnds {
        /// The file.
        path: PathBuf,
        /// The last line, from 1.
        line: usize,
        /// Tokens (words) that are there.
        tokens: usize,
        /// What is missing.
        expected: String,
    },
    /// A token is not what belongs there.
    #[error("{path}:{line}: token {token} is {found:?} where {expected} is expected; correct it")]
    BadToken {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Number of the token in the file, from 1.
        token: usize,
        /// The token.
        found: String,
        /// What is legal.
        expected: String,
    },
    /// The table of a factor has another size than its variables say.
    #[error(
        "{path}:{line}: token {token}: the table of factor {factor} has {found} entries where its \
         variables have {expected} configurations; correct the size or the variables"
    )]
    TableSize {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Number of the token in the file, from 1.
        token: usize,
        /// The factor, from 0.
        factor: usize,
        /// Entries said to be there.
        found: String,
        /// Configurations of the variables.
        expected: String,
    },
    /// A potential is zero everywhere.
    #[error(
        "{path}:{line}: token {token}: all {entries} entries of factor {factor} are 0, so no \
         configuration is possible; correct the table (it holds weights: write energies as exp(−energy))"
    )]
    ZeroFactor {
        /// The file.
        path: PathBuf,
        /// Line of the last entry, from 1.
        line: usize,
        /// Number of the last entry's token, from 1.
        token: usize,
        /// The factor, from 0.
        factor: usize,
        /// Size of the table.
        entries: usize,
    },
    /// Something follows after the end of a file's contents.
    #[error(
        "{path}:{line}: token {token} ({found:?}) follows after the end of {what}; \
         remove it or correct the counts before it"
    )]
    ExtraToken {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Number of the token in the file, from 1.
        token: usize,
        /// The token.
        found: String,
        /// What has ended.
        what: &'static str,
    },
    /// An observed variable or its state is not in the model.
    #[error(
        "evidence on variable {variable}, state {state}: the model has {variables} variables, and \
         {states} states there; correct the evidence"
    )]
    EvidenceOutOfRange {
        /// The variable, from 0.
        variable: usize,
        /// The state, from 0.
        state: usize,
        /// Variables of the model.
        variables: usize,
        /// States of that variable; 0 if it does not exist.
        states: usize,
    },
    /// No configuration has positive weight.
    #[error(
        "no configuration has positive weight{place}, so there is no distribution (Z = 0); \
         correct the evidence or the zeros of the potentials"
    )]
    NoConfiguration {
        /// Where it was seen, starting with a space; empty if nowhere in particular.
        place: String,
    },
    /// A weight is too large or too small for a floating-point number.
    #[error(
        "{path}: factor {factor} has an entry exp({log_value}) that the format cannot hold; \
         add a constant to the factor's logarithms or subtract one"
    )]
    WeightOutOfRange {
        /// The file.
        path: PathBuf,
        /// The factor, from 0.
        factor: usize,
        /// Logarithm of the entry.
        log_value: f64,
    },
    /// Exact inference would need more memory than allowed.
    #[error(
        "exact inference needs about {needed} (width {width}, largest table 2^{log2_table:.1} entries), \
         which is above the budget of {budget}; raise the memory budget or use an approximate method \
         (bp, mean-field, gibbs)"
    )]
    TooWide {
        /// Memory needed, with its unit.
        needed: String,
        /// Memory allowed, with its unit.
        budget: String,
        /// Width of the best elimination order found.
        width: usize,
        /// Binary logarithm of the largest table's size.
        log2_table: f64,
    },
    /// Enumeration would visit too many configurations.
    #[error(
        "2^{log2_configurations:.1} configurations are too many to enumerate (at most 2^24); \
         use the junction tree"
    )]
    TooManyConfigurations {
        /// Binary logarithm of their number.
        log2_configurations: f64,
    },
    /// A Markov chain found no configuration to start from.
    #[error(
        "chain {chain} found no configuration with positive weight in {sweeps} sweeps; \
         the model has hard constraints, use the exact method or bp"
    )]
    NoStart {
        /// The chain, from 0.
        chain: usize,
        /// Sweeps tried.
        sweeps: usize,
    },
    /// No product of independent variables was found that avoids the zeros of a model.
    #[error(
        "none of {starts} starts of mean field avoids the zeros of the model, so there is no bound; \
         use the exact method or bp, or more starts (`restarts`)"
    )]
    NoBound {
        /// Starts tried.
        starts: usize,
    },
    /// Swendsen–Wang was asked of a model that it does not know.
    #[error(
        "Swendsen–Wang needs a ferromagnetic Ising or Potts model, but factor {factor} {problem}; \
         use gibbs, bp or the exact method"
    )]
    NotFerromagnetic {
        /// The factor, from 0.
        factor: usize,
        /// What is the matter with it.
        problem: NotPotts,
    },
    /// All messages to a variable contradict each other.
    #[error(
        "belief propagation met a contradiction at variable {variable} after {sweeps} sweeps; \
         the model may be impossible, use the exact method or more damping"
    )]
    Contradiction {
        /// The variable, from 0.
        variable: usize,
        /// Sweeps done.
        sweeps: usize,
    },
    /// What reading and writing files can get wrong.
    #[error(transparent)]
    File(#[from] FileError),
    /// A setting outside its range.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// What the parameters of a built-in can get wrong.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The caller stopped the work.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

/// Why a factor is not that of a ferromagnetic Potts model.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum NotPotts {
    /// It has more than two variables.
    #[error("has {0} variables")]
    Order(usize),
    /// Its variables have different numbers of states.
    #[error("joins variables of {0} and {1} states")]
    Cardinalities(usize, usize),
    /// It has a zero entry.
    #[error("has a zero entry")]
    Zero,
    /// It is no sum of fields and a coupling.
    #[error("is no sum of fields and one coupling (off by {0:.3e})")]
    Form(f64),
    /// Its coupling favours different labels.
    #[error("has the antiferromagnetic coupling {0}")]
    Antiferromagnetic(f64),
}
