//! Samples as a classifier sees them: classes, Fréchet distance, agreement with the class that was asked for.

use serde::Serialize;

use super::{Classification, Classifier, Moments, SetDistances};
use crate::data::Dataset;
use crate::evaluation::error::{EvaluationError, Result};
use crate::progress::{Observer, Part};

/// What a classifier says of samples, and of held-out rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClassifierReport {
    /// Rows that the classifier was trained on.
    pub training_rows: usize,
    /// Steps of its training.
    pub training_steps: u64,
    /// Whether its training rows are those of this model, so that the accuracies are of rows that it never saw.
    pub trained_on_these_rows: bool,
    /// Share of validation rows that are assigned to their class, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_accuracy: Option<f64>,
    /// The same of test rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_accuracy: Option<f64>,
    /// Number of validation rows.
    pub validation_rows: usize,
    /// Number of test rows.
    pub test_rows: usize,
    /// Number of samples.
    pub samples: usize,
    /// Rows of each set whose distances from the training rows follow.
    pub rows: usize,
    /// Distances of samples.
    pub sample_to_train: SetDistances,
    /// Distances of test rows.
    pub test_to_train: SetDistances,
    /// Distances of validation rows, which a perfect model's samples are as far as.
    pub validation_to_train: SetDistances,
    /// Shares of the classes.
    pub shares: Shares,
    /// How often samples of a class are assigned to it, if that was looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Agreement>,
}

/// Shares of rows assigned to each class, in the order of the classes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Shares {
    /// Their names.
    pub classes: Vec<String>,
    /// Shares of samples.
    pub samples: Vec<f64>,
    /// Shares of test rows.
    pub test: Vec<f64>,
    /// Shares of validation rows.
    pub validation: Vec<f64>,
    /// Shares of training rows.
    pub train: Vec<f64>,
}

/// How often samples of a class are assigned to it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// Samples of each class.
    pub samples_per_class: usize,
    /// How typical of their class they were to be.
    pub guidance: f64,
    /// Share of all samples.
    pub overall: f64,
    /// Its standard error.
    pub std_error: f64,
    /// Share of the samples of each class, in the order of the classes.
    pub by_class: Vec<f64>,
}

/// Classifies samples, and beside them the test and validation rows, and compares all with the training rows.
///
/// `test_classes` are the classes of the test rows, where they are known.
///
/// # Errors
/// [`EvaluationError::FewImages`], and those of [`Classifier::classify`].
pub fn run(
    classifier: &Classifier,
    samples: &Dataset,
    train: &Dataset,
    validation: &Dataset,
    test: &Dataset,
    test_classes: Option<&[u16]>,
    observer: &mut dyn Observer,
) -> Result<ClassifierReport> {
    let total: usize = [samples, test, validation, train]
        .iter()
        .map(|data| data.rows())
        .sum();
    let mut before = 0;
    let mut classify = |data: &Dataset| {
        let span = [before, before + data.rows()].map(|rows| rows as f64 / total as f64);
        before += data.rows();
        classifier.classify(data, &mut Part::new(observer, "classify", span[0]..span[1]))
    };
    let own = classify(samples)?;
    let of_test = classify(test)?;
    let of_validation = classify(validation)?;
    let of_train = classify(train)?;
    let rows = samples.rows().min(test.rows()).min(validation.rows());
    if rows < 2 {
        return Err(EvaluationError::FewImages { rows });
    }
    let card = classifier.card();
    let moments = Moments::of(&of_train);
    let shares = |found: &Classification| found.shares(card.classes.len());
    let known = shares(&of_train);
    let distances = |found: &Classification| SetDistances::of(found, rows, &moments, &known);
    let accuracy =
        |found: &Classification, known: Option<&[u16]>| known.map(|known| found.accuracy(known));
    Ok(ClassifierReport {
        training_rows: card.rows,
        training_steps: card.steps,
        trained_on_these_rows: classifier.was_trained_on(train),
        validation_accuracy: accuracy(&of_validation, validation.classes()),
        test_accuracy: accuracy(&of_test, test_classes),
        validation_rows: validation.rows(),
        test_rows: test.rows(),
        samples: samples.rows(),
        rows,
        sample_to_train: distances(&own),
        test_to_train: distances(&of_test),
        validation_to_train: distances(&of_validation),
        shares: Shares {
            classes: card.classes.clone(),
            samples: shares(&own),
            test: shares(&of_test),
            validation: shares(&of_validation),
            train: known,
        },
        agreement: None,
    })
}

/// Counts how often samples are assigned to their class: `each` of every class, drawn with this `guidance`, one class after the
/// other.
///
/// # Errors
/// Those of [`Classifier::classify`].
///
/// # Panics
/// If there are not `each` samples of every class of the classifier.
pub fn agreement(
    classifier: &Classifier,
    samples: &Dataset,
    each: usize,
    guidance: f64,
    observer: &mut dyn Observer,
) -> Result<Agreement> {
    let count = classifier.card().classes.len();
    let found = classifier.classify(samples, observer)?;
    let asked: Vec<u16> = (0..count)
        .flat_map(|class| vec![class as u16; each])
        .collect();
    let of_class = |class: usize| {
        let rows: Vec<usize> = (class * each..(class + 1) * each).collect();
        found
            .select(&rows)
            .accuracy(&asked[class * each..(class + 1) * each])
    };
    let overall = found.accuracy(&asked);
    Ok(Agreement {
        samples_per_class: each,
        guidance,
        overall,
        std_error: (overall * (1.0 - overall) / asked.len() as f64).sqrt(),
        by_class: (0..count).map(of_class).collect(),
    })
}
