//! What runs and their folders can get wrong.

use std::path::PathBuf;

use crate::data::DataError;
use crate::energy::EnergyError;
use crate::file_error::FileError;
use crate::flow::FlowError;
use crate::learning::LearningError;
use crate::neural::NeuralError;
use crate::progress::Interrupted;
use crate::randomized::RandomizedError;
use crate::recipe::RecipeError;
use crate::setting::InvalidSetting;

/// What this room's fallible functions return.
pub type Result<T, E = RunError> = std::result::Result<T, E>;

impl RunError {
    /// The error with the file that it is about, if it does not name it.
    pub(super) fn of_file(self, path: &std::path::Path) -> Self {
        match self {
            Self::File(_) => self,
            other => Self::Unfit {
                path: path.to_path_buf(),
                cause: Box::new(other),
            },
        }
    }
}

/// Everything that can fail in [`crate::run`].
///
/// Each message is one line: where, what was found, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// A folder for a new run is there already.
    #[error("{path} exists; go on with `resume`, replace it with `force`, or choose another `out`")]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A folder's settings cannot be, or its parameters are not those of its settings.
    #[error("{path}: {cause}")]
    Unfit {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: Box<RunError>,
    },
    /// Another process writes in the folder.
    #[error("{path} is in use by {holder}; wait for its end or stop it, or choose another `out`")]
    InUse {
        /// The folder.
        path: PathBuf,
        /// Who it is, and since when.
        holder: String,
    },
    /// A file is where the folder should be.
    #[error("{path} is not a folder; choose another `out`")]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// A folder that is to be replaced holds something else than a run.
    #[error("{path} is not a model folder; choose another `out`")]
    NotOurs {
        /// The folder.
        path: PathBuf,
    },
    /// The operating system refused to make or clear the folder.
    #[error("cannot {action} {path}; choose another `out`")]
    Folder {
        /// `create`, `read`, `clear` or `write to`.
        action: &'static str,
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        cause: std::io::Error,
    },
    /// A folder holds no model.
    #[error(
        "{path}: not a model folder, {missing} is missing; give a folder written by `segre fit`"
    )]
    NotAModel {
        /// The folder.
        path: PathBuf,
        /// The file that is missing.
        missing: &'static str,
    },
    /// A folder does not say what kind of model it holds.
    #[error(
        "{path} was written by an earlier Segre, its settings name no kind of model; fit again"
    )]
    NoKind {
        /// The folder.
        path: PathBuf,
    },
    /// A folder holds a model of another kind than is asked for.
    #[error("{path} holds a model of kind {kind}, {uses}")]
    OtherKind {
        /// The folder.
        path: PathBuf,
        /// What its settings say.
        kind: &'static str,
        /// What that kind is for.
        uses: &'static str,
    },
    /// The parts of the data are wanted of a fit that had none.
    #[error(
        "the model learned the energy {source_name} without data, of which parts are wanted; compare it with that (segre \
         energy compare)"
    )]
    NoData {
        /// The energy.
        source_name: String,
    },
    /// The parts of the data are wanted of a fit to rows that no file holds.
    #[error(
        "the rows of the fit were in memory, and no folder holds them; give the model the same rows again (with_data)"
    )]
    InMemory,
    /// The data of a fit are not what they were.
    #[error(
        "{source_name}: the data have changed since the fit; give the data as an argument, or fit again"
    )]
    DataChanged {
        /// Where the data came from.
        source_name: String,
    },
    /// The classes of the rows are not what they were.
    #[error("{path}: the labels have changed since the fit; fit again")]
    LabelsChanged {
        /// Their file.
        path: PathBuf,
    },
    /// A run is to go on with other data.
    #[error("{path} was fitted to {own}, not {asked}; resume with that data")]
    OtherData {
        /// The folder.
        path: PathBuf,
        /// Its data.
        own: String,
        /// The data that are given.
        asked: String,
    },
    /// A run is to go on with another energy model.
    #[error("{path} was fitted to {own}, not {asked}; resume with that model")]
    OtherEnergy {
        /// The folder.
        path: PathBuf,
        /// Its model.
        own: String,
        /// The model that is given.
        asked: String,
    },
    /// A run is to go on with another seed.
    #[error("the run in {path} has seed {own}, not {asked}")]
    OtherSeed {
        /// The folder.
        path: PathBuf,
        /// Its seed.
        own: u64,
        /// The seed that is given.
        asked: u64,
    },
    /// A run is to go on with another setting.
    #[error(
        "the run in {path} has {name} {own}, not {asked}; leave the option out, or start anew with `force`"
    )]
    OtherSetting {
        /// The folder.
        path: PathBuf,
        /// The setting.
        name: String,
        /// Its value in the run.
        own: String,
        /// The value that is given.
        asked: String,
    },
    /// Exact samples are wanted, but exact inference is not to be had.
    #[error("no exact samples; use `samples_from = chain`")]
    NoExactSamples(#[source] EnergyError),
    /// Samples are to come from a file that is not there.
    #[error(
        "`samples_from = {file}` is no file; give exact, chain or the path of a table or array"
    )]
    NoSamples {
        /// What was given.
        file: String,
    },
    /// Samples in a file are of other variables.
    #[error("{file} has not the variables of the model")]
    OtherVariables {
        /// The file.
        file: String,
        /// What is wrong with them.
        #[source]
        cause: DataError,
    },
    /// A run is to go on, but has no folder.
    #[error("a run goes on in its folder: give it as `out`")]
    NowhereToResume,
    /// A checkpoint cannot be taken up.
    #[error("{0}; or start anew with `force`")]
    Checkpoint(Box<RunError>),
    /// What reading and writing files can get wrong.
    #[error(transparent)]
    File(#[from] FileError),
    /// A setting outside its range.
    #[error(transparent)]
    Setting(#[from] InvalidSetting),
    /// The caller stopped the work.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// What data can get wrong.
    #[error(transparent)]
    Data(#[from] DataError),
    /// What energy models, their files and their inference can get wrong.
    #[error(transparent)]
    Energy(#[from] EnergyError),
    /// What learning can get wrong.
    #[error(transparent)]
    Learning(#[from] LearningError),
    /// What models and their training can get wrong.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// What randomised flows can get wrong.
    #[error(transparent)]
    Randomized(#[from] RandomizedError),
    /// What networks fitted to an energy can get wrong.
    #[error(transparent)]
    Neural(#[from] NeuralError),
    /// What a recipe can get wrong.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
}
