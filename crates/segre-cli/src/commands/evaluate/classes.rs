//! Samples as a classifier sees them: classes, Fréchet distance, agreement with the class that was asked for.

use std::time::Instant;

use anyhow::{Result, ensure};
use segre::data::{Dataset, RowClasses};
use segre::evaluation::classifier::{Classification, Classifier, ClassifierConfig, Moments};
use segre::flow::Model;
use segre::flow::sampling::SamplingOptions;
use segre::flow::saving::ModelCard;

use super::classes_report::{Agreement, ClassifierReport, Shares, distances};
use crate::args::{ClassifierChecks, Common};
use crate::interrupt;
use crate::report::progress::{Budget, Progress, Spent};
use crate::session::{LabelFile, Parts, check_writable, sample_classes_with_progress};

/// Resolution of the progress bars.
const PROGRESS: u64 = 1000;

/// A classifier with what it is to be judged by.
pub struct Judge {
    classifier: Classifier,
    training_seconds: Option<f64>,
    /// Classes of the test rows, where they are known.
    test_classes: Option<Vec<u16>>,
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

impl Judge {
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
    ) -> Result<Option<Self>> {
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
        let (classifier, training_seconds) = match found {
            Some(found) => {
                // Images of another kind are refused before anything is drawn.
                found.classify(&test.select(&[]), &mut |_| true)?;
                (found, None)
            }
            None => {
                let start = Instant::now();
                let config = ClassifierConfig::for_rows(parts.train.rows(), seed);
                let mut bar = bar("classifier", common);
                let trained =
                    Classifier::train(&parts.train, &names, config, &device, &mut |done| {
                        bar.update((done * PROGRESS as f64) as u64, String::new);
                        !interrupt::asked()
                    })?;
                bar.finish(&format!("{} rows", parts.train.rows()));
                trained.save(path)?;
                (trained, Some(start.elapsed().as_secs_f64()))
            }
        };
        Ok(Some(Self {
            classifier,
            training_seconds,
            test_classes,
        }))
    }

    /// Judges samples beside the parts; draws samples of every class where agreement is asked for.
    pub fn report(
        &self,
        checks: &ClassifierChecks,
        samples: &Dataset,
        parts: &Parts,
        test: &Dataset,
        common: &Common,
    ) -> Result<ClassifierReport> {
        let card = self.classifier.card();
        let Parts {
            train, validation, ..
        } = parts;
        let all = [samples, test, validation, train];
        let total: usize = all.iter().map(|data| data.rows()).sum();
        let (mut bar, mut before) = (bar("classify", common), 0);
        let mut found = Vec::new();
        for data in all {
            found.push(self.classifier.classify(data, &mut |done| {
                let done = before as f64 + done * data.rows() as f64;
                bar.update((done / total as f64 * PROGRESS as f64) as u64, String::new);
                !interrupt::asked()
            })?);
            before += data.rows();
        }
        bar.finish(&format!("{total} rows"));
        let [own, of_test, of_validation, of_train] = &found[..] else {
            unreachable!("four data sets were classified");
        };
        let rows = samples.rows().min(test.rows()).min(validation.rows());
        ensure!(
            rows >= 2,
            "a distance of distributions needs at least 2 images of each kind, there are {rows}; give more with --images"
        );
        let moments = Moments::of(of_train);
        let shares = |found: &Classification| found.shares(card.classes.len());
        let known = shares(of_train);
        let distances = |found: &Classification| distances(found, rows, &moments, &known);
        let accuracy = |found: &Classification, known: Option<&[u16]>| {
            known.map(|known| found.accuracy(known))
        };
        Ok(ClassifierReport {
            file: checks
                .classifier
                .as_ref()
                .map_or_else(String::new, |path| path.display().to_string()),
            trained: self.training_seconds.is_some(),
            training_seconds: self.training_seconds,
            training_rows: card.rows,
            training_steps: card.steps,
            trained_on_these_rows: self.classifier.was_trained_on(train),
            validation_accuracy: accuracy(of_validation, validation.classes()),
            test_accuracy: accuracy(of_test, self.test_classes.as_deref()),
            validation_rows: validation.rows(),
            test_rows: test.rows(),
            samples: samples.rows(),
            rows,
            sample_to_train: distances(own),
            test_to_train: distances(of_test),
            validation_to_train: distances(of_validation),
            shares: Shares {
                classes: card.classes.clone(),
                samples: shares(own),
                test: shares(of_test),
                validation: shares(of_validation),
                train: known.clone(),
            },
            agreement: None,
        })
    }

    /// Draws samples of every class and counts how often they are assigned to it.
    pub fn agreement(
        &self,
        checks: &ClassifierChecks,
        model: &Model,
        options: &SamplingOptions,
        report: &mut ClassifierReport,
        common: &Common,
    ) -> Result<()> {
        let Some(each) = checks.agreement else {
            return Ok(());
        };
        let count = self.classifier.card().classes.len();
        let guidance = checks.guidance;
        let drawn =
            sample_classes_with_progress(model, 0..count, guidance, each, options, common)?.data;
        let found = self
            .classifier
            .classify(&drawn, &mut |_| !interrupt::asked())?;
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
        report.agreement = Some(Agreement {
            samples_per_class: each,
            guidance,
            overall,
            std_error: (overall * (1.0 - overall) / asked.len() as f64).sqrt(),
            by_class: (0..count).map(of_class).collect(),
        });
        Ok(())
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
    let places: Vec<Option<usize>> = found
        .names
        .iter()
        .map(|name| names.iter().position(|known| known == name))
        .collect();
    let class = |own: &u16| {
        let place = places[usize::from(*own)].map(|place| place as u16);
        ensure!(
            place.is_some(),
            "{}: {:?} is none of the classes {}; correct the labels",
            path.display(),
            found.names[usize::from(*own)],
            names.join(", ")
        );
        Ok(place.unwrap_or_default())
    };
    found
        .values
        .iter()
        .map(class)
        .collect::<Result<_>>()
        .map(Some)
}

fn bar(task: &str, common: &Common) -> Progress {
    let budget = Budget {
        steps: Some(PROGRESS),
        time: None,
    };
    Progress::new(task, budget, Spent::default(), common.display()).uncounted()
}
