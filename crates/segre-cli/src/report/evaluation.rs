//! The reports of evaluations as tables for the terminal.

use segre::data::Dataset;
use segre::evaluation::classifier::{Agreement, ClassifierReport, SetDistances};
use segre::evaluation::detection::{Detection, OutlierReport};
use segre::evaluation::divergence::DivergenceReport;
use segre::evaluation::imputation::ImputationReport;
use segre::evaluation::maps::{MapDistance, MapReport};
use segre::evaluation::nearest::{DistanceComparison, DistanceSummary, NearestReport};
use segre::evaluation::scores::ScoreReport;

use super::baselines::baseline_table;
use super::table::{Align, Table, estimate};

/// The best that a model's samples can be expected to be.
const PERFECT: &str = "validation (a perfect model)";

/// A table whose first column has names, and all others numbers.
fn numbers(names: &str, columns: &[&str]) -> Table {
    let names = (names, Align::Left);
    let numbers = columns.iter().map(|column| (*column, Align::Decimal));
    Table::new(&std::iter::once(names).chain(numbers).collect::<Vec<_>>())
}

/// Prints bits per dimension beside those of the baselines; `data` are those of which the rows were taken.
pub fn print_scores(found: &ScoreReport, data: &Dataset) {
    let (rows, all) = (found.rows, data.rows());
    let of_all = (rows < all).then(|| format!(" of {all}"));
    let sites = data.sites();
    println!("{rows}{} rows, {sites} sites", of_all.unwrap_or_default());
    let bits = found.bits_per_dim.zip(found.std_error);
    print!("{}", baseline_table(&found.baselines, bits));
    if let Some(entropy) = found.target_entropy {
        println!("entropy of the known target: {entropy:.5} bits/dim");
    }
}

/// Prints the divergence from a known distribution.
pub fn print_divergence(found: &DivergenceReport) {
    let mut table = numbers("KL(· ‖ target), nats", &[""]);
    table.push([
        "segre".into(),
        format!("{:.5} ± {:.5}", found.kl, found.kl_std_error),
    ]);
    let rows = [
        ("perfect sampler (floor)", found.kl_floor),
        ("uniform sampler", found.kl_uniform),
        ("total variation of segre", found.total_variation),
    ];
    for (name, value) in rows {
        table.push([name.into(), format!("{value:.5}")]);
    }
    print!("\n{} samples\n{}", found.samples, table.to_text());
}

/// Prints how well hidden cells are filled in.
pub fn print_imputation(found: &ImputationReport) {
    let some = found.methods.iter().any(|method| method.rmse.is_some());
    let heads = ["log score, nats", "accuracy, %", "RMSE, σ"];
    let heads = &heads[..if some { 3 } else { 2 }];
    let mut table = numbers("hidden cells", heads);
    for method in &found.methods {
        let score = method.log_score;
        let score = score.map(|score| estimate(score, method.log_score_std_error));
        let accuracy = method.accuracy.map(|share| format!("{:.2}", 100.0 * share));
        let rmse = method.rmse.map(|error| format!("{error:.4}"));
        let [score, accuracy, rmse] = [score, accuracy, rmse].map(Option::unwrap_or_default);
        let name = method.name.to_owned();
        match some {
            true => table.push([name, score, accuracy, rmse]),
            false => table.push([name, score, accuracy]),
        }
    }
    print!(
        "\n{} cells ({:.0} %) hidden at random, {} nearest rows\n{}",
        found.hidden_cells,
        100.0 * found.hidden_share,
        found.neighbours,
        table.to_text()
    );
}

/// Prints how far samples are from the training rows.
pub fn print_nearest(found: &NearestReport) {
    let mut table = numbers(
        "sites that differ from the nearest training image",
        &["samples", "test images", PERFECT],
    );
    let all = [
        &found.sample_to_train,
        &found.test_to_train,
        &found.validation_to_train,
    ];
    let mut row = |name: &str, value: &dyn Fn(&DistanceSummary) -> String| {
        let [own, test, validation] = all.map(value);
        table.push([name.into(), own, test, validation]);
    };
    row("mean", &|found| format!("{:.2}", found.mean));
    row("smallest", &|found| found.minimum.to_string());
    row("closest hundredth", &|found| {
        found.first_percentile.to_string()
    });
    for (name, at) in [("lower quartile", 0), ("median", 1), ("upper quartile", 2)] {
        row(name, &|found| found.quartiles[at].to_string());
    }
    let copies = [
        found.share_copies,
        found.test_share_copies,
        found.validation_share_copies,
    ];
    let [own, test, validation] = copies.map(|share| format!("{share:.4}"));
    table.push(["share of copies".into(), own, test, validation]);
    println!("\n{} samples, {} sites", found.samples, found.sites);
    print!("{}", table.to_text());

    let mut table = numbers(
        "samples nearer to the training images than",
        &["test images", PERFECT],
    );
    let both = [&found.against_test, &found.against_validation];
    let mut row = |name: &str, value: &dyn Fn(&DistanceComparison) -> String| {
        let [test, validation] = both.map(value);
        table.push([name.into(), test, validation]);
    };
    row("probability of a pair (0.5: neither)", &|found| {
        format!("{:.4} ± {:.4}", found.probability_nearer, found.std_error)
    });
    row("largest difference of shares (KS)", &|found| {
        format!("{:.4}", found.kolmogorov_smirnov)
    });
    row("share below all of them", &|found| {
        format!("{:.4}", found.share_below_all)
    });
    print!("\n{}", table.to_text());
    println!(
        "share of samples nearer than the closest 1 % of test images: {:.4} (of test images {:.4})",
        found.share_closer, found.test_share_closer
    );
}

/// Prints statistics of label maps.
pub fn print_maps(found: &MapReport) {
    let mut table = numbers(
        "distance from the training part",
        &["samples", "test part", PERFECT],
    );
    let all = [
        &found.sample_to_train,
        &found.test_to_train,
        &found.validation_to_train,
    ];
    let mut row = |name: &str, value: fn(&MapDistance) -> f64| {
        let [own, test, validation] = all.map(|distance| format!("{:.5}", value(distance)));
        table.push([name.into(), own, test, validation]);
    };
    row("classes, JS nats", |found| found.frequencies);
    row("neighbouring classes, JS nats", |found| found.neighbours);
    row("regions per image and class", |found| found.region_numbers);
    row("areas of regions, KS", |found| found.region_areas);
    println!(
        "\n{} samples and test images, {} validation images",
        found.images, found.validation_images
    );
    print!("{}", table.to_text());
    let mut table = numbers("share of class", &["samples", "test", "training"]);
    let shares = &found.frequencies;
    for (class, name) in shares.classes.iter().enumerate() {
        let all = [&shares.samples, &shares.test, &shares.train];
        let [own, test, train] = all.map(|of| format!("{:.4}", of[class]));
        table.push([name.clone(), own, test, train]);
    }
    print!("\n{}", table.to_text());
}

/// Prints what a classifier says of samples.
pub fn print_classifier(found: &ClassifierReport) {
    for (part, accuracy, rows) in [
        (
            "validation",
            found.validation_accuracy,
            found.validation_rows,
        ),
        ("test", found.test_accuracy, found.test_rows),
    ] {
        if let Some(accuracy) = accuracy {
            let error = (accuracy * (1.0 - accuracy) / rows as f64).sqrt();
            println!("accuracy on the {part} part, {rows} rows: {accuracy:.4} ± {error:.4}");
        }
    }
    let all = [
        &found.sample_to_train,
        &found.test_to_train,
        &found.validation_to_train,
    ];
    let mut table = numbers(
        "distance from the training part",
        &["samples", "test part", PERFECT],
    );
    let with = |value: f64, deviation: Option<f64>| match deviation {
        Some(deviation) => format!("{value:.4} ± {deviation:.4}"),
        None => format!("{value:.4}"),
    };
    let mut row = |name: &str, value: &dyn Fn(&SetDistances) -> String| {
        let [own, test, validation] = all.map(value);
        table.push([name.into(), own, test, validation]);
    };
    row("Fréchet distance of features", &|d| {
        with(d.frechet, d.frechet_deviation)
    });
    row("classes, total variation", &|d| {
        with(d.classes, d.classes_deviation)
    });
    let sets = all.map(|distances| distances.sets.to_string());
    println!(
        "\n{} images each; mean ± standard deviation among {} disjoint sets",
        found.rows,
        sets.join(", ")
    );
    print!("{}", table.to_text());
    println!();
    match &found.agreement {
        None => print!("{}", class_shares(found).to_text()),
        Some(agreement) => print_agreement(found, agreement),
    }
}

/// Shares of samples and parts of every class.
fn class_shares(found: &ClassifierReport) -> Table {
    let mut table = numbers(
        "share of class",
        &["samples", "test", "validation", "training"],
    );
    for class in 0..found.shares.classes.len() {
        table.push(shares_of(found, class));
    }
    table
}

/// The name of a class, and its shares.
fn shares_of(found: &ClassifierReport, class: usize) -> [String; 5] {
    let shares = &found.shares;
    let all = [
        &shares.samples,
        &shares.test,
        &shares.validation,
        &shares.train,
    ];
    let [own, test, validation, train] = all.map(|of| format!("{:.4}", of[class]));
    [shares.classes[class].clone(), own, test, validation, train]
}

fn print_agreement(found: &ClassifierReport, agreement: &Agreement) {
    let mut table = numbers(
        "share of class",
        &["samples", "test", "validation", "training", "agreement"],
    );
    for (class, agreed) in agreement.by_class.iter().enumerate() {
        let [name, own, test, validation, train] = shares_of(found, class);
        let agreed = format!("{agreed:.4}");
        table.push([name, own, test, validation, train, agreed]);
    }
    print!("{}", table.to_text());
    println!(
        "samples of a class that are assigned to it: {:.4} ± {:.4} ({} of each class, guidance {})",
        agreement.overall, agreement.std_error, agreement.samples_per_class, agreement.guidance
    );
}

/// Prints how well other data are told from test rows.
pub fn print_outliers(found: &OutlierReport) {
    let mut table = Table::new(&[
        ("outliers", Align::Left),
        ("bits/dim", Align::Decimal),
        ("score", Align::Left),
        ("AUROC", Align::Decimal),
        ("AUPR", Align::Decimal),
        ("FPR at 95 % TPR", Align::Decimal),
    ]);
    for set in &found.sets {
        for (place, own) in set.scores.iter().enumerate() {
            let (name, bits) = match place {
                0 => (set.name.clone(), format!("{:.4}", set.bits_per_dim)),
                _ => (String::new(), String::new()),
            };
            let Detection {
                auroc,
                aupr,
                fpr_at_95_tpr,
            } = own.detection;
            let [auroc, aupr, fpr] = [auroc, aupr, fpr_at_95_tpr].map(|x| format!("{x:.4}"));
            table.push([name, bits, own.score.into(), auroc, aupr, fpr]);
        }
    }
    println!(
        "\n{} test rows of {:.4} bits/dim against outliers; recommended: {}",
        found.rows, found.test_bits_per_dim, found.recommended
    );
    print!("{}", table.to_text());
}
