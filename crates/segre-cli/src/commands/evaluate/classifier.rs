//! The classifier that samples are shown to: read from its file, or trained and kept there.

use std::time::Instant;

use anyhow::{Result, ensure};
use segre::atomic::check_writable;
use segre::data::{Dataset, RowClasses};
use segre::evaluation::classifier::{self, Classifier, ClassifierConfig, ClassifierReport};
use segre::flow::Model;
use segre::flow::sampling::SamplingOptions;
use segre::progress::Silent;
use segre::run::{LabelFile, ModelCard, Parts};
use serde::Serialize;

use super::args::ClassifierChecks;
use crate::args::Common;
use crate::interrupt;
use crate::report::evaluation::print_classifier;
use crate::watched::sample_classes_with_progress;

/// A classifier with what it is to be judged by.
pub struct Opened {
    classifier: Classifier,
    training_seconds: Option<f64>,
    /// Classes of the test rows, where they are known.
    test_classes: Option<Vec<u16>>,
}

/// What a classifier says, and where it comes from.
#[derive(Serialize)]
pub struct Seen {
    file: String,
    /// Whether it was trained in this run.
    trained: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    training_seconds: Option<f64>,
    #[serde(flatten)]
    report: ClassifierReport,
}

/// Refuses before any work what cannot be done.
pub fn refuse_early(checks: &ClassifierChecks, model: &Model, card: &ModelCard) -> Result<()> {
    let Some(path) = &checks.classifier else {
        return Ok(());
    };
    ensure!(
        checks.labels.is_none() || card.labels.is_none(),
        "--labels: the model was told the classes of its rows in the fit; leave --labels out"
    );
    ensure!(
        path.is_file() || checks.labels.is_some() || card.labels.is_some(),
        "{}: no such file, and the model was not told classes to train a classifier with; give them with --labels FILE",
        path.display()
    );
    if !path.is_file() {
        check_writable(path)?;
    }
    if checks.agreement.is_some() {
        model.of_class(0, checks.guidance)?;
    }
    Ok(())
}

/// The file of labels of the fit's data.
pub fn label_file(checks: &ClassifierChecks) -> Option<LabelFile<'_>> {
    let path = checks.labels.as_deref()?;
    Some(LabelFile {
        path,
        column: checks.label_column.as_deref(),
    })
}

/// Reads the classifier, or trains it and writes its file.
///
/// `names` are those of the classes of the parts, where there are some; `test` are the rows that are evaluated.
pub fn open(
    checks: &ClassifierChecks,
    parts: &Parts,
    names: Option<&[String]>,
    test: &Dataset,
    seed: u64,
    common: &Common,
) -> Result<Option<Opened>> {
    let Some(path) = &checks.classifier else {
        return Ok(None);
    };
    let device = common.device.open()?;
    let found = match path.is_file() {
        true => Some(Classifier::load(path, &device)?),
        false => None,
    };
    // The order of classes is that of the rows, or the file's.
    let known = found.as_ref().map(|found| &found.card().classes[..]);
    if let (Some(known), Some(names)) = (known, names) {
        ensure!(
            known == names,
            "{}: the classifier knows the classes {}, not {}; choose another --classifier",
            path.display(),
            known.join(", "),
            names.join(", ")
        );
    }
    let names = known.or(names).unwrap_or_default().to_vec();
    let test_classes = test_classes(checks, &names, test)?;
    if let Some(classifier) = found {
        // Images of another kind are refused before anything is drawn.
        classifier.classify(&test.select(&[]), &mut Silent)?;
        return Ok(Some(Opened {
            classifier,
            training_seconds: None,
            test_classes,
        }));
    }
    let (start, train) = (Instant::now(), &parts.train);
    let config = ClassifierConfig::for_rows(train.rows(), seed);
    let classifier = common.watch(
        |bar| Classifier::train(train, &names, config, &device, bar),
        |_| format!("{} rows", train.rows()),
    )?;
    classifier.save(path)?;
    Ok(Some(Opened {
        classifier,
        training_seconds: Some(start.elapsed().as_secs_f64()),
        test_classes,
    }))
}

impl Opened {
    /// Shows samples beside the parts; draws samples of every class where agreement is asked for.
    pub fn look_at(
        &self,
        checks: &ClassifierChecks,
        samples: &Dataset,
        model: &Model,
        (parts, test): (&Parts, &Dataset),
        options: &SamplingOptions,
        common: &Common,
    ) -> Result<Seen> {
        let (train, validation) = (&parts.train, &parts.validation);
        let (own, classes) = (&self.classifier, self.test_classes.as_deref());
        let mut report = common.watch(
            |bar| classifier::run(own, samples, train, validation, test, classes, bar),
            |_| {
                let sets = [samples, test, validation, train];
                format!(
                    "{} rows",
                    sets.iter().map(|data| data.rows()).sum::<usize>()
                )
            },
        )?;
        if let Some(each) = checks.agreement {
            let (all, guidance) = (0..own.card().classes.len(), checks.guidance);
            let drawn = sample_classes_with_progress(model, all, guidance, each, options, common)?;
            let listener = &mut interrupt::Listener;
            let found = classifier::agreement(own, &drawn.data, each, guidance, listener)?;
            report.agreement = Some(found);
        }
        let path = checks.classifier.as_ref();
        Ok(Seen {
            file: path.map_or_else(String::new, |path| path.display().to_string()),
            trained: self.training_seconds.is_some(),
            training_seconds: self.training_seconds,
            report,
        })
    }
}

impl Seen {
    /// Prints tables for the terminal.
    pub fn print(&self) {
        let report = &self.report;
        let origin = match self.training_seconds {
            Some(seconds) => format!("trained in {seconds:.0} s"),
            None if report.trained_on_these_rows => "read".to_owned(),
            None => "read, and trained on other rows than this model".to_owned(),
        };
        println!(
            "\nclassifier {}: {origin}, {} rows",
            self.file, report.training_rows
        );
        print_classifier(report);
    }
}

/// The classes of the test rows: their own, or those of a file, by the names of the classes.
fn test_classes(
    checks: &ClassifierChecks,
    names: &[String],
    test: &Dataset,
) -> Result<Option<Vec<u16>>> {
    let Some(path) = &checks.test_labels else {
        return Ok(test.classes().map(<[u16]>::to_vec));
    };
    ensure!(
        test.classes().is_none(),
        "--test-labels: the classes of the test part are among those of the fit's data; leave --test-labels out"
    );
    let column = checks.label_column.as_deref();
    let found = RowClasses::read(path, column, "the evaluated data", test.rows())?;
    match found.in_order_of(names) {
        Ok(classes) => Ok(Some(classes)),
        Err(unknown) => anyhow::bail!(
            "{}: {unknown:?} is none of the classes {}; correct the labels",
            path.display(),
            names.join(", ")
        ),
    }
}
