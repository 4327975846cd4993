//! Statistics of sampled label maps beside those of held-out ones.

use anyhow::Result;
use segre::data::Dataset;
use segre::evaluation::maps::{MapDistance, MapStatistics};
use serde::Serialize;

use crate::report::table::{Align, Table};
use crate::session::Parts;

/// Distances of statistics from those of the training part.
///
/// Test data may come from elsewhere (another street, another day); the validation part is always drawn as
/// the training part is, so that a perfect model is as near as that, with as many images.
#[derive(Serialize)]
pub struct MapReport {
    /// Images of samples and of the test part: as many of both.
    images: usize,
    validation_images: usize,
    sample_to_train: MapDistance,
    test_to_train: MapDistance,
    validation_to_train: MapDistance,
    frequencies: Frequencies,
}

#[derive(Serialize)]
struct Frequencies {
    classes: Vec<String>,
    samples: Vec<f64>,
    test: Vec<f64>,
    train: Vec<f64>,
}

/// Compares samples, test and validation images with the training images.
pub fn map_statistics(samples: &Dataset, parts: &Parts, test: &Dataset) -> Result<MapReport> {
    let Parts {
        train, validation, ..
    } = parts;
    // Statistics of few images scatter: both sides have the same number.
    let images = samples.rows().min(test.rows());
    let first = |data: &Dataset| MapStatistics::of(&data.select(&(0..images).collect::<Vec<_>>()));
    let (own, reference) = (first(samples)?, first(test)?);
    let known = MapStatistics::of(train)?;
    let classes = train.schema.max_categories() as u16;
    let name = |label| train.schema.category_name(0, label).into_owned();
    Ok(MapReport {
        images,
        sample_to_train: own.distance(&known),
        test_to_train: reference.distance(&known),
        validation_images: validation.rows(),
        validation_to_train: MapStatistics::of(validation)?.distance(&known),
        frequencies: Frequencies {
            classes: (0..classes).map(name).collect(),
            samples: own.frequencies,
            test: reference.frequencies,
            train: known.frequencies,
        },
    })
}

impl MapReport {
    /// Prints tables for the terminal.
    pub fn print(&self) {
        let mut table = Table::new(&[
            ("distance from the training part", Align::Left),
            ("samples", Align::Decimal),
            ("test part", Align::Decimal),
            ("validation (a perfect model)", Align::Decimal),
        ]);
        let all = [
            &self.sample_to_train,
            &self.test_to_train,
            &self.validation_to_train,
        ];
        let mut row = |name: &str, value: fn(&MapDistance) -> f64| {
            let [own, test, validation] = all.map(|distance| format!("{:.5}", value(distance)));
            table.push([name.into(), own, test, validation]);
        };
        row("classes, JS nats", |found| found.frequencies);
        row("neighbouring classes, JS nats", |found| found.neighbours);
        row("regions per image and class", |found| found.region_numbers);
        row("areas of regions, KS", |found| found.region_areas);
        let (images, validation) = (self.images, self.validation_images);
        println!("\n{images} samples and test images, {validation} validation images");
        print!("{}", table.to_text());
        let names = ["share of class", "samples", "test", "training"];
        let mut table = Table::new(&names.map(|name| match name {
            "share of class" => (name, Align::Left),
            _ => (name, Align::Decimal),
        }));
        let shares = &self.frequencies;
        for (class, name) in shares.classes.iter().enumerate() {
            let share = |of: &[f64]| format!("{:.4}", of[class]);
            let (own, test, train) = (
                share(&shares.samples),
                share(&shares.test),
                share(&shares.train),
            );
            table.push([name.clone(), own, test, train]);
        }
        print!("\n{}", table.to_text());
    }
}
