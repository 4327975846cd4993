//! What a classifier says of samples, as numbers and tables.

use segre::evaluation::classifier::{Classification, Moments, total_variation};
use serde::Serialize;

use crate::report::table::{Align, Table};

/// Most disjoint sets of rows whose distances are averaged.
const SETS: usize = 10;

/// What a classifier says of samples, and of held-out rows.
#[derive(Serialize)]
pub struct ClassifierReport {
    pub file: String,
    /// Whether it was trained in this run.
    pub trained: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training_seconds: Option<f64>,
    pub training_rows: usize,
    pub training_steps: u64,
    /// Whether its training rows are those of this model, so that the accuracies are of rows that it never saw.
    pub trained_on_these_rows: bool,
    /// Shares of rows that are assigned to their class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_accuracy: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_accuracy: Option<f64>,
    pub validation_rows: usize,
    pub test_rows: usize,
    pub samples: usize,
    /// Rows of each set whose distances from the training rows follow.
    pub rows: usize,
    pub sample_to_train: SetDistances,
    pub test_to_train: SetDistances,
    pub validation_to_train: SetDistances,
    pub shares: Shares,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<Agreement>,
}

/// Distances from all training rows, over disjoint sets of equally many rows.
#[derive(Clone, Copy, Serialize)]
pub struct SetDistances {
    pub sets: usize,
    /// Fréchet distance of the features, the mean over sets.
    pub frechet: f64,
    /// Standard deviation among sets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frechet_deviation: Option<f64>,
    /// Total variation of the shares of classes, the mean over sets.
    pub classes: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes_deviation: Option<f64>,
}

/// Shares of rows assigned to each class.
#[derive(Serialize)]
pub struct Shares {
    pub classes: Vec<String>,
    pub samples: Vec<f64>,
    pub test: Vec<f64>,
    pub validation: Vec<f64>,
    pub train: Vec<f64>,
}

/// How often samples of a class are assigned to it.
#[derive(Serialize)]
pub struct Agreement {
    pub samples_per_class: usize,
    pub guidance: f64,
    pub overall: f64,
    pub std_error: f64,
    /// In the order of the classes.
    pub by_class: Vec<f64>,
}

/// Distances of disjoint sets of `rows` rows, each spread over all.
pub fn distances(
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
