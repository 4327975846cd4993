//! The library's errors as exceptions of `segre._errors`, with the place where they have one.

use pyo3::prelude::*;
use segre::data::DataError;
use segre::evaluation::EvaluationError;
use segre::flow::FlowError;
use segre::run::RunError;

/// The exception of an error.
pub fn raise(error: impl Into<segre::Error>) -> PyErr {
    let error = error.into();
    let message = error.to_string();
    Python::attach(|py| match exception(py, &error, &message) {
        Ok(exception) => PyErr::from_value(exception),
        Err(error) => error,
    })
}

fn exception<'py>(
    py: Python<'py>,
    error: &segre::Error,
    message: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let classes = py.import("segre._errors")?;
    if let Some(data) = data_error(error) {
        let place = data.place();
        let arguments = (message, place.column, place.row, place.value);
        return classes.getattr("DataError")?.call1(arguments);
    }
    let class = match error {
        segre::Error::File(_) | segre::Error::Run(RunError::File(_)) => "FileError",
        segre::Error::Run(RunError::Exists { .. }) => "FolderExistsError",
        segre::Error::Setting(_)
        | segre::Error::Parameter(_)
        | segre::Error::Recipe(_)
        | segre::Error::Run(RunError::Setting(_) | RunError::Recipe(_))
        | segre::Error::Flow(FlowError::Setting(_)) => "SettingError",
        segre::Error::Energy(_) | segre::Error::Run(RunError::Energy(_)) => "EnergyError",
        _ => "Error",
    };
    classes.getattr(class)?.call1((message,))
}

/// What is wrong with data, whichever room met it.
fn data_error(error: &segre::Error) -> Option<&DataError> {
    let data = match error {
        segre::Error::Data(data)
        | segre::Error::Run(RunError::Data(data))
        | segre::Error::Flow(FlowError::Data(data))
        | segre::Error::Run(RunError::Flow(FlowError::Data(data)))
        | segre::Error::Evaluation(EvaluationError::Data(data)) => data,
        _ => return None,
    };
    match data {
        // Files and settings have exceptions of their own.
        DataError::File(_) | DataError::Setting(_) | DataError::Parameter(_) => None,
        data => Some(data),
    }
}
