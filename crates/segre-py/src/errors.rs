//! The library's errors as exceptions of `segre._errors`, with the place where they have one.

use pyo3::prelude::*;
use segre::data::DataError;
use segre::evaluation::EvaluationError;
use segre::flow::FlowError;
use segre::ode::OdeError;
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
    classes.getattr(class_of(error))?.call1((message,))
}

const FILE: &str = "FileError";
const SETTING: &str = "SettingError";
const ENERGY: &str = "EnergyError";
const OTHER: &str = "Error";

/// The class of an error that is none of data.
fn class_of(error: &segre::Error) -> &'static str {
    match error {
        segre::Error::File(_) => FILE,
        segre::Error::Setting(_) | segre::Error::Parameter(_) | segre::Error::Recipe(_) => SETTING,
        segre::Error::Energy(_) => ENERGY,
        segre::Error::Data(error) => of_data(error),
        segre::Error::Flow(error) => of_flow(error),
        segre::Error::Run(error) => of_run(error),
        segre::Error::Evaluation(error) => match error {
            EvaluationError::File(_) => FILE,
            EvaluationError::Setting(_) => SETTING,
            EvaluationError::Energy(_) => ENERGY,
            EvaluationError::Data(error) => of_data(error),
            EvaluationError::Flow(error) => of_flow(error),
            EvaluationError::Run(error) => of_run(error),
            _ => OTHER,
        },
        _ => OTHER,
    }
}

fn of_run(error: &RunError) -> &'static str {
    match error {
        RunError::Exists { .. } => "FolderExistsError",
        RunError::File(_) => FILE,
        RunError::Setting(_) | RunError::Recipe(_) => SETTING,
        RunError::Energy(_) => ENERGY,
        RunError::Data(error) => of_data(error),
        RunError::Flow(error) => of_flow(error),
        _ => OTHER,
    }
}

fn of_flow(error: &FlowError) -> &'static str {
    match error {
        FlowError::File(_) => FILE,
        FlowError::Setting(_) | FlowError::Ode(OdeError::Setting(_)) => SETTING,
        FlowError::Data(error) => of_data(error),
        _ => OTHER,
    }
}

fn of_data(error: &DataError) -> &'static str {
    match error {
        DataError::File(_) => FILE,
        DataError::Setting(_) | DataError::Parameter(_) => SETTING,
        _ => OTHER,
    }
}

/// What is wrong with data, whichever room met it.
fn data_error(error: &segre::Error) -> Option<&DataError> {
    let data = match error {
        segre::Error::Data(data)
        | segre::Error::Run(RunError::Data(data))
        | segre::Error::Flow(FlowError::Data(data))
        | segre::Error::Run(RunError::Flow(FlowError::Data(data)))
        | segre::Error::Evaluation(
            EvaluationError::Data(data)
            | EvaluationError::Flow(FlowError::Data(data))
            | EvaluationError::Run(RunError::Data(data)),
        ) => data,
        _ => return None,
    };
    match data {
        // Files and settings have exceptions of their own.
        DataError::File(_) | DataError::Setting(_) | DataError::Parameter(_) => None,
        data => Some(data),
    }
}
