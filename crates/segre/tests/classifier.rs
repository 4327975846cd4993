//! The classifier of images: what it learns, repeats, stores and refuses, and distances between sets of images.

#![allow(clippy::unwrap_used)]

mod common;

use common::{device, shared_schema};
use rand::RngExt;
use segre::InvalidSetting;
use segre::data::DataError;
use segre::data::{Dataset, Layout, Schema, Vocabulary};
use segre::evaluation::EvaluationError;
use segre::evaluation::classifier::{Classifier, ClassifierConfig, Moments, total_variation};
use segre::progress::{Control, Progress, Silent};

const SIDE: usize = 9;

fn schema() -> Schema {
    let layout = Layout::Image {
        height: SIDE,
        width: SIDE,
        pad_to: None,
    };
    let names = (0..SIDE * SIDE).map(|site| format!("p{site}")).collect();
    Schema::shared(layout, names, Vocabulary::Integers { count: 3 })
}

fn names() -> Vec<String> {
    ["row", "column", "square"].map(String::from).to_vec()
}

/// A line across, a line down or a square of ones anywhere; a tenth of all pixels is any label.
///
/// Classes come with the given shares, so that a set can lack one.
fn shapes(rows: usize, shares: [f64; 3], seed: u64) -> Dataset {
    let mut rng = common::rng(seed);
    let (mut labels, mut classes) = (Vec::new(), Vec::new());
    for _ in 0..rows {
        let draw = rng.random::<f64>();
        let class = usize::from(draw >= shares[0]) + usize::from(draw >= shares[0] + shares[1]);
        let (at, beside) = (rng.random_range(0..SIDE - 2), rng.random_range(0..SIDE - 2));
        for place in 0..SIDE * SIDE {
            let (row, column) = (place / SIDE, place % SIDE);
            let inside = match class {
                0 => row == at,
                1 => column == at,
                _ => row.wrapping_sub(at) < 3 && column.wrapping_sub(beside) < 3,
            };
            labels.push(match rng.random_bool(0.1) {
                true => rng.random_range(0..3),
                false => u16::from(inside),
            });
        }
        classes.push(class as u16);
    }
    Dataset::new(schema(), labels)
        .unwrap()
        .with_classes(classes)
}

const EQUAL: [f64; 3] = [1.0 / 3.0; 3];

fn trained(train: &Dataset, seed: u64) -> Classifier {
    let config = ClassifierConfig {
        steps: 150,
        ..ClassifierConfig::for_rows(train.rows(), seed)
    };
    Classifier::train(train, &names(), config, &device(), &mut Silent).unwrap()
}

#[test]
fn shapes_are_told_apart_and_missing_ones_are_noticed() {
    let train = shapes(600, EQUAL, 1);
    let classifier = trained(&train, 0);
    assert!(classifier.was_trained_on(&train));
    let classify = |data: &Dataset| classifier.classify(data, &mut Silent).unwrap();
    let held_out = shapes(400, EQUAL, 2);
    assert!(!classifier.was_trained_on(&held_out));
    let found = classify(&held_out);
    let accuracy = found.accuracy(held_out.classes().unwrap());
    assert!(accuracy > 0.97, "{accuracy}");

    let lacking = classify(&shapes(400, [0.5, 0.5, 0.0], 3));
    let known = classify(&train);
    let variation = |found: &segre::evaluation::classifier::Classification| {
        total_variation(&found.shares(3), &known.shares(3))
    };
    // A third of the mass has moved; the other sets differ by chance, about √(p q / n).
    assert!(
        (variation(&lacking) - 1.0 / 3.0).abs() < 0.08,
        "{}",
        variation(&lacking)
    );
    assert!(variation(&found) < 0.08, "{}", variation(&found));
    let moments = Moments::of(&known);
    let distance = |found| Moments::of(found).frechet_distance(&moments);
    let (near, far) = (distance(&found), distance(&lacking));
    assert!(near > 0.0 && far > 10.0 * near, "{near} and {far}");
}

/// Same seed, same classifier, for any number of threads; stored and read it says the same.
#[test]
fn training_repeats_and_files_hold_all() {
    let (train, others) = (shapes(200, EQUAL, 1), shapes(50, EQUAL, 2));
    let alone = rayon_pool(1).install(|| trained(&train, 5));
    let classify = |own: &Classifier| own.classify(&others, &mut Silent).unwrap();
    let expected = classify(&alone);
    assert_eq!(
        classify(&rayon_pool(3).install(|| trained(&train, 5))),
        expected
    );
    assert_ne!(classify(&trained(&train, 6)).features, expected.features);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.safetensors");
    alone.save(&path).unwrap();
    let read = Classifier::load(&path, &device()).unwrap();
    assert_eq!((read.card(), classify(&read)), (alone.card(), expected));
    let mut bytes = std::fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let error = Classifier::load(&path, &device()).unwrap_err();
    assert!(error.to_string().contains("checksum"), "{error}");
}

fn rayon_pool(threads: usize) -> rayon::ThreadPool {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
    pool.build().unwrap()
}

#[test]
fn what_cannot_be_learned_or_classified_is_refused() {
    let train = |data: &Dataset, names: &[String], steps| {
        let config = ClassifierConfig {
            steps,
            ..ClassifierConfig::for_rows(10, 0)
        };
        Classifier::train(data, names, config, &device(), &mut Silent).unwrap_err()
    };
    let data = shapes(20, EQUAL, 1);
    let bare = Dataset::new(schema(), data.labels().to_vec()).unwrap();
    assert!(
        train(&bare, &names(), 1)
            .to_string()
            .contains("`labels = FILE`")
    );
    let error = train(&data, &names()[..2], 1);
    assert!(error.to_string().contains("without a name"), "{error}");
    let one = bare.clone().with_classes(vec![1; 20]);
    assert!(
        train(&one, &names(), 1)
            .to_string()
            .contains("the same one")
    );
    assert!(matches!(
        train(&data.select(&[]), &names(), 1),
        EvaluationError::Data(DataError::NoRows)
    ));
    assert!(matches!(
        train(&data, &names(), 0),
        EvaluationError::Setting(InvalidSetting { .. })
    ));
    let sequence = Dataset::new(shared_schema(4, 2), vec![0; 8]).unwrap();
    let error = train(&sequence.clone().with_classes(vec![0, 1]), &names(), 1);
    assert!(
        matches!(error, EvaluationError::Data(DataError::NotAnImage { .. })),
        "{error}"
    );

    let config = ClassifierConfig::for_rows(20, 0);
    let device = device();
    let stopped = Classifier::train(&data, &names(), config, &device, &mut |_: &Progress| {
        Control::Stop
    });
    assert!(matches!(stopped, Err(EvaluationError::Interrupted(_))));
    let classifier = trained(&data, 0);
    let layout = Layout::Image {
        height: 2,
        width: 2,
        pad_to: None,
    };
    let pixels = (0..4).map(|site| format!("p{site}")).collect();
    let small = Schema::shared(layout, pixels, Vocabulary::Integers { count: 3 });
    let small = Dataset::new(small, vec![0; 4]).unwrap();
    let error = classifier.classify(&small, &mut Silent).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("2×2") && message.contains("9×9"),
        "{message}"
    );
    assert!(classifier.classify(&sequence, &mut Silent).is_err());
    assert!(matches!(
        classifier.classify(&data, &mut |_: &Progress| Control::Stop),
        Err(EvaluationError::Interrupted(_))
    ));
}
