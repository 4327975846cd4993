//! Samples as a classifier sees them: classes, Fréchet distance, agreement with the class that was asked for.

use std::time::Instant;

use anyhow::{Result, ensure};
use segre::classifier::{Classification, Classifier, ClassifierConfig, Moments, total_variation};
use segre::data::{Dataset, RowClasses};
use segre::flow::Model;
use segre::flow::sampling::SamplingOptions;
use segre::flow::saving::ModelCard;
use serde::Serialize;

use crate::args::{ClassifierChecks, Common};
use crate::interrupt;
use crate::report::progress::{Budget, Progress, Spent};
use crate::report::table::{Align, Table};
use crate::session::{LabelFile, Parts, check_writable, sample_classes_with_progress};

/// Most disjoint sets of rows whose distances are averaged.
const SETS: usize = 10;
/// Resolution of the progress bars.
const PROGRESS: u64 = 1000;

/// What a classifier says of samples, and of held-out rows.
#[derive(Serialize)]
pub struct ClassifierReport {
    file: String,
    /// Whether it was trained in this run.
    trained: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    training_seconds: Option<f64>,
    training_rows: usize,
    training_steps: u64,
    /// Whether its training rows are those of this model, so that the accuracies are of rows that it never saw.
    trained_on_these_rows: bool,
    /// Shares of rows that are assigned to their class.
    #[serde(skip_serializing_if = "Option::is_none")]
    validation_accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    test_accuracy: Option<f64>,
    validation_rows: usize,
    test_rows: usize,
    samples: usize,
    /// Rows of each set whose distances from the training rows follow.
    rows: usize,
    sample_to_train: SetDistances,
    test_to_train: SetDistances,
    validation_to_train: SetDistances,
    shares: Shares,
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<Agreement>,
}

/// Distances from all training rows, over disjoint sets of equally many rows.
#[derive(Clone, Copy, Serialize)]
struct SetDistances {
    sets: usize,
    /// Fréchet distance of the features, the mean over sets.
    frechet: f64,
    /// Standard deviation among sets.
    #[serde(skip_serializing_if = "Option::is_none")]
    frechet_deviation: Option<f64>,
    /// Total variation of the shares of classes, the mean over sets.
    classes: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    classes_deviation: Option<f64>,
}

/// Shares of rows assigned to each class.
#[derive(Serialize)]
struct Shares {
    classes: Vec<String>,
    samples: Vec<f64>,
    test: Vec<f64>,
    validation: Vec<f64>,
    train: Vec<f64>,
}

/// How often samples of a class are assigned to it.
#[derive(Serialize)]
struct Agreement {
    samples_per_class: usize,
    guidance: f64,
    overall: f64,
    std_error: f64,
    /// In the order of the classes.
    by_class: Vec<f64>,
}

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

/// Distances of disjoint sets of `rows` rows, each spread over all.
fn distances(
    found: &Classification,
    rows: usize,
    moments: &Moments,
    shares: &[f64],
) -> SetDistances {
    let total = found.classes.len();
    let sets = (total / rows).clamp(1, SETS);
    let (mut frechet, mut classes) = (Vec::new(), Vec::new());
    for set in 0..sets {
        let places: Vec<usize> = (0..rows).map(|k| k * total / rows + set).collect();
        let part = found.select(&places);
        frechet.push(Moments::of(&part).frechet_distance(moments));
        classes.push(total_variation(&part.shares(shares.len()), shares));
    }
    let (frechet, frechet_deviation) = mean_and_deviation(&frechet);
    let (classes, classes_deviation) = mean_and_deviation(&classes);
    SetDistances {
        sets,
        frechet,
        frechet_deviation,
        classes,
        classes_deviation,
    }
}

fn mean_and_deviation(values: &[f64]) -> (f64, Option<f64>) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|value| (value - mean).powi(2));
    let variance = squares.sum::<f64>() / (count - 1.0);
    (mean, (values.len() > 1).then(|| variance.sqrt()))
}

impl ClassifierReport {
    /// Prints tables for the terminal.
    pub fn print(&self) {
        let origin = match self.training_seconds {
            Some(seconds) => format!("trained in {seconds:.0} s"),
            None if self.trained_on_these_rows => "read".to_owned(),
            None => "read, and trained on other rows than this model".to_owned(),
        };
        println!(
            "\nclassifier {}: {origin}, {} rows",
            self.file, self.training_rows
        );
        for (part, accuracy, rows) in [
            ("validation", self.validation_accuracy, self.validation_rows),
            ("test", self.test_accuracy, self.test_rows),
        ] {
            if let Some(accuracy) = accuracy {
                let error = (accuracy * (1.0 - accuracy) / rows as f64).sqrt();
                println!("accuracy on the {part} part, {rows} rows: {accuracy:.4} ± {error:.4}");
            }
        }
        self.print_distances();
        self.print_shares();
    }

    fn print_distances(&self) {
        let all = [
            ("samples", &self.sample_to_train),
            ("test part", &self.test_to_train),
            ("validation (a perfect model)", &self.validation_to_train),
        ];
        let mut table = Table::new(&[
            ("distance from the training part", Align::Left),
            (all[0].0, Align::Decimal),
            (all[1].0, Align::Decimal),
            (all[2].0, Align::Decimal),
        ]);
        let with = |value: f64, deviation: Option<f64>| match deviation {
            Some(deviation) => format!("{value:.4} ± {deviation:.4}"),
            None => format!("{value:.4}"),
        };
        let [own, test, validation] = all.map(|(_, d)| with(d.frechet, d.frechet_deviation));
        table.push(["Fréchet distance of features".into(), own, test, validation]);
        let [own, test, validation] = all.map(|(_, d)| with(d.classes, d.classes_deviation));
        table.push(["classes, total variation".into(), own, test, validation]);
        let sets = all.map(|(_, distances)| distances.sets.to_string());
        println!(
            "\n{} images each; mean ± standard deviation among {} disjoint sets",
            self.rows,
            sets.join(", ")
        );
        print!("{}", table.to_text());
    }

    fn print_shares(&self) {
        let mut columns = vec![
            ("share of class", Align::Left),
            ("samples", Align::Decimal),
            ("test", Align::Decimal),
            ("validation", Align::Decimal),
            ("training", Align::Decimal),
            ("agreement", Align::Decimal),
        ];
        let shares = &self.shares;
        let row = |class: usize| -> [String; 5] {
            let all = [
                &shares.samples,
                &shares.test,
                &shares.validation,
                &shares.train,
            ];
            let [own, test, validation, train] = all.map(|of| format!("{:.4}", of[class]));
            [shares.classes[class].clone(), own, test, validation, train]
        };
        let classes = 0..shares.classes.len();
        println!();
        let Some(agreement) = &self.agreement else {
            columns.pop();
            let mut table = Table::new(&columns);
            classes.for_each(|class| table.push(row(class)));
            print!("{}", table.to_text());
            return;
        };
        let mut table = Table::new(&columns);
        for class in classes {
            let [name, own, test, validation, train] = row(class);
            let agreed = format!("{:.4}", agreement.by_class[class]);
            table.push([name, own, test, validation, train, agreed]);
        }
        print!("{}", table.to_text());
        println!(
            "samples of a class that are assigned to it: {:.4} ± {:.4} ({} of each class, guidance {})",
            agreement.overall, agreement.std_error, agreement.samples_per_class, agreement.guidance
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sets are disjoint and of equal size, whatever the numbers: each row is counted once at most.
    #[test]
    fn sets_are_disjoint() {
        for (total, rows) in [(10, 10), (10, 3), (11, 4), (100, 7), (7, 2), (25, 1)] {
            let found = Classification {
                classes: (0..total as u16).collect(),
                features: vec![0.0; total],
                width: 1,
            };
            let moments = Moments::of_vectors(&[0.0, 0.0], 1);
            // All classes differ, so a repeated one would change the shares.
            let shares = vec![0.0; total];
            let found = distances(&found, rows, &moments, &shares);
            assert_eq!(found.sets, (total / rows).clamp(1, SETS), "{total} {rows}");
            assert!((found.classes - 0.5).abs() < 1e-12);
        }
    }

    #[test]
    fn means_and_deviations() {
        assert_eq!(mean_and_deviation(&[2.0]), (2.0, None));
        assert_eq!(mean_and_deviation(&[1.0, 3.0]), (2.0, Some(2.0_f64.sqrt())));
    }
}
