//! Values of SDMetrics, and what a copying and a careless model get.

use std::fmt::Write;

use rand::RngExt;

use super::boosting::{Binned, Boosted, Loss};
use super::rows::{Column, Content, Rows};
use super::*;
use crate::data::{self, DataSource, ReadOptions, Schema};
use crate::progress::{Control, Progress, Silent};

/// Numbers, dates and categories with gaps: the rows of `fixed` in `benches/compare/tables.py`.
fn table(shift: usize) -> String {
    let mut text = String::from("price,amount,day,colour,paid,shop\n");
    for row in 0..300 {
        let random = |step: usize| row * (step + shift) % 997;
        let cents = random(17) * 5;
        let price = match random(19) % 10 {
            0 => String::new(),
            _ => format!("{:.2}", cents as f64 / 100.0),
        };
        let amount = cents / 10 + random(23) % 7;
        let (year, month, day) = (
            2020 + cents / 2000,
            random(29) % 12 + 1,
            random(31) % 28 + 1,
        );
        let colour = match (random(41) % 8, cents < 1500, random(37) % 3) {
            (0, _, _) => "",
            (_, true, _) => "red",
            (_, _, 0) => "green",
            _ => "blue",
        };
        let paid = match (cents > 2500) != (random(43) % 9 == 0) {
            true => "yes",
            false => "no",
        };
        let shop = random(47) % 5;
        writeln!(
            text,
            "{price},{amount},{year}-{month:02}-{day:02},{colour},{paid},s{shop}"
        )
        .unwrap();
    }
    text
}

fn read(text: &str, schema: Option<&Schema>) -> Dataset {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rows.csv");
    std::fs::write(&path, text).unwrap();
    let (source, options) = (DataSource::File(path), ReadOptions::default());
    match schema {
        None => data::read(&source, &options).unwrap(),
        Some(schema) => data::read_as(&source, schema, &options).unwrap(),
    }
}

/// What `python benches/compare/tables.py fixed` prints: SDMetrics 0.32.0 of the same rows.
#[test]
fn shapes_and_trends_are_those_of_sdmetrics() {
    let real = read(&table(0), None);
    let synthetic = read(&table(6), Some(&real.schema));
    let found = Likeness::of(&Rows::of(&real), &Rows::of(&synthetic));
    let close = |found: Option<f64>, expected: f64, what: &str| {
        let found = found.unwrap_or(f64::NAN);
        assert!(
            (found - expected).abs() < 1e-6,
            "{what}: {found} for {expected}"
        );
    };
    let shapes = [
        0.967061885,
        0.973333333,
        0.976666667,
        0.977099237,
        0.99,
        0.963333333,
    ];
    for (column, expected) in found.columns.iter().zip(shapes) {
        close(column.score, expected, &column.column);
    }
    let numbers = found
        .columns
        .iter()
        .map(|column| column.measure == Measure::KsComplement);
    assert_eq!(
        numbers.collect::<Vec<_>>(),
        [true, true, true, false, false, false]
    );
    // Score, correlation or Cramér's V of the real rows.
    let pairs = [
        (0.999999372, 0.999903389),
        (0.988504126, 0.845199872),
        (0.93, 0.532626884),
        (0.923333333, 0.722764951),
        (0.86, 0.124857049),
        (0.992622383, 0.850221498),
        (0.92, 0.543303968),
        (0.926666667, 0.761307435),
        (0.926666667, 0.087084316),
        (0.903333333, 0.437509685),
        (0.936666667, 0.651595209),
        (0.803333333, 0.214678692),
        (0.973333333, 0.497604671),
        (0.833333333, 0.181292616),
        (0.946666667, 0.053509617),
    ];
    assert_eq!(found.pairs.len(), pairs.len());
    for (pair, (score, strength)) in found.pairs.iter().zip(pairs) {
        let name = pair.columns.join(" × ");
        close(pair.score, score, &name);
        close(pair.real_strength, strength, &name);
        assert_eq!(pair.counts, strength > 0.3, "{name}");
    }
    close(found.shapes, 0.974582, "shapes");
    close(found.trends, 0.949446, "trends");
    close(found.all_pairs, 0.924297, "all pairs");
    close(found.overall(), 0.962014, "overall");
}

/// Two numbers that go together, a category that they decide but for chance, another.
fn world(rows: usize, seed: u64) -> String {
    let mut rng = generator(seed, Purpose::Noise, 0);
    let mut text = String::from("x,y,kind,side\n");
    for _ in 0..rows {
        // With ends, as bins reach from the smallest to the largest number.
        let (x, noise) = (rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0));
        let y = 0.9 * x + 0.3 * noise;
        let kind = if x + y + 0.5 * noise > 0.0 { "a" } else { "b" };
        let side = rng.random_range(0..4);
        writeln!(text, "{x:.4},{y:.4},{kind},s{side}").unwrap();
    }
    text
}

fn judge(train: &Dataset, held_out: &Dataset, synthetic: &Dataset) -> QualityReport {
    run(
        train,
        held_out,
        synthetic,
        &QualityOptions::default(),
        &mut Silent,
    )
    .unwrap()
}

/// Columns in orders of their own: right shapes, no dependence.
fn independent(data: &str) -> String {
    let rows: Vec<Vec<&str>> = data.lines().map(|line| line.split(',').collect()).collect();
    let count = rows.len() - 1;
    let field = |row: usize, column: usize| match row {
        0 => rows[0][column],
        _ => rows[1 + (row * [1, 7, 11, 13][column] + column) % count][column],
    };
    let line = |row: usize| -> String {
        let fields: Vec<&str> = (0..4).map(|column| field(row, column)).collect();
        fields.join(",")
    };
    (0..=count).map(|row| line(row) + "\n").collect()
}

#[test]
fn new_rows_of_the_truth_are_perfect_and_copies_are_flagged() {
    let text = world(2003, 1);
    let train = read(&text, None);
    let schema = Some(&train.schema);
    let held_out = read(&world(1000, 2), schema);
    let truth = judge(&train, &held_out, &read(&world(2003, 3), schema));
    let near = |measure: &Compared, bound: f64| {
        let (value, perfect) = (measure.value.unwrap(), measure.perfect.unwrap());
        assert!((value - perfect).abs() < bound, "{measure:?}");
    };
    near(&truth.column_shapes, 0.02);
    near(&truth.column_pair_trends, 0.02);
    near(&truth.two_sample.score, 0.08);
    near(&truth.usefulness.as_ref().unwrap().synthetic, 0.06);
    near(&truth.privacy.share_nearer_training, 0.08);
    near(&truth.privacy.membership_auc, 0.06);
    assert_eq!(truth.privacy.share_copies.value, Some(0.0));
    assert_eq!(truth.memorisation, Memorisation::None, "{}", truth.verdict);
    assert_eq!(truth.usefulness.unwrap().target, "side");

    let copied = judge(&train, &held_out, &train);
    assert_eq!(copied.column_shapes.value, Some(1.0));
    assert_eq!(copied.memorisation, Memorisation::Copies);
    assert!(
        copied.verdict.contains("REPEAT TRAINING ROWS"),
        "{}",
        copied.verdict
    );
    assert_eq!(copied.privacy.share_copies.value, Some(1.0));
    for measure in [
        copied.privacy.membership_auc,
        copied.privacy.share_nearer_training,
    ] {
        let (value, copying) = (measure.value.unwrap(), measure.copying.unwrap());
        assert!(value > 0.7 && (value - copying).abs() < 0.05, "{measure:?}");
    }
    // Some of the rows are enough to be flagged, and hidden among new ones they still are.
    let mixed: String = text
        .lines()
        .take(800)
        .map(|line| format!("{line}\n"))
        .collect();
    let further = world(1200, 4);
    let mixed = mixed + further.split_once('\n').unwrap().1;
    let partly = judge(&train, &held_out, &read(&mixed, schema));
    assert_eq!(
        partly.memorisation,
        Memorisation::Copies,
        "{}",
        partly.verdict
    );

    let broken = judge(&train, &held_out, &read(&independent(&text), schema));
    assert!(
        broken.column_shapes.value.unwrap() > 0.99,
        "{:?}",
        broken.column_shapes
    );
    assert!(
        broken.column_pair_trends.value.unwrap() < 0.8,
        "{:?}",
        broken.column_pair_trends
    );
    assert!(
        broken.two_sample.score.value.unwrap() < 0.3,
        "{:?}",
        broken.two_sample
    );
}

/// A category that the others decide is of use; a number has R².
#[test]
fn usefulness_is_what_the_target_allows() {
    let train = read(&world(1500, 5), None);
    let schema = Some(&train.schema);
    let (held_out, truth) = (read(&world(800, 6), schema), read(&world(1500, 7), schema));
    let with = |target: &str, synthetic: &Dataset| {
        let options = QualityOptions {
            target: Some(target.into()),
            seed: 1,
        };
        run(&train, &held_out, synthetic, &options, &mut Silent)
    };
    let broken = read(&independent(&world(1500, 5)), schema);
    for (target, measure, least) in [("kind", "AUC", 0.95), ("y", "R²", 0.85)] {
        let found = with(target, &truth).unwrap().usefulness.unwrap();
        assert_eq!((found.target.as_str(), found.measure), (target, measure));
        assert!(found.real > least, "{found:?}");
        assert!(
            (found.synthetic.value.unwrap() - found.real).abs() < 0.03,
            "{found:?}"
        );
        let useless = with(target, &broken).unwrap().usefulness.unwrap();
        assert!(useless.synthetic.value.unwrap() < 0.6, "{useless:?}");
    }
    let refused = with("z", &truth).expect_err("no such column").to_string();
    assert!(
        refused.contains('z') && refused.contains("side"),
        "{refused}"
    );
}

#[test]
fn the_same_seed_gives_the_same_report_for_any_number_of_threads() {
    let train = read(&table(0), None);
    let (held_out, synthetic) = (train.spread(100), read(&table(6), Some(&train.schema)));
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap()
            .install(|| judge(&train, &held_out, &synthetic))
    };
    assert_eq!(with(1), with(3));
}

#[test]
fn what_is_no_table_or_too_few_rows_is_refused_and_work_can_be_stopped() {
    let train = read(&table(0), None);
    let (few, options) = (train.spread(5), QualityOptions::default());
    let refused = run(&train, &few, &train, &options, &mut Silent).unwrap_err();
    assert!(matches!(
        refused,
        EvaluationError::FewRows {
            rows: 5,
            part: "held-out",
            ..
        }
    ));
    let digits = data::read(
        &DataSource::parse("digits").unwrap(),
        &ReadOptions::default(),
    )
    .unwrap();
    let refused = run(&digits, &digits, &digits, &options, &mut Silent).unwrap_err();
    assert!(matches!(
        refused,
        EvaluationError::NotATable { layout: "image" }
    ));
    let mut stop = |_: &Progress| Control::Stop;
    let refused = run(&train, &train, &train, &options, &mut stop).unwrap_err();
    assert!(matches!(refused, EvaluationError::Interrupted(_)));
}

fn rows(columns: Vec<Content>, count: usize) -> Rows {
    let column = |values| Column {
        name: String::new(),
        values,
    };
    let columns = columns.into_iter().map(column).collect();
    Rows { columns, count }
}

/// Trees find a step, a category among many, a missing value and an interaction; and nothing where there is nothing.
#[test]
fn trees_learn_steps_categories_gaps_and_interactions() {
    let count = 2000;
    let number = |step: usize| move |row: usize| (row * step % 1009) as f64 / 1009.0;
    let (x, y) = (number(31), number(57));
    let gap = |row: usize| {
        if row * 13 % 101 < 20 {
            f64::NAN
        } else {
            number(77)(row)
        }
    };
    let code = |row: usize| (row * 17 % 601) as u32;
    let data = rows(
        vec![
            Content::Numbers((0..count).map(x).collect()),
            Content::Numbers((0..count).map(y).collect()),
            Content::Numbers((0..count).map(gap).collect()),
            Content::Categories {
                codes: (0..count).map(|row| code(row) % 12).collect(),
                count: 12,
                missing: None,
            },
        ],
        count,
    );
    let data = Binned::of(&data, None);
    let (train, test): (Vec<usize>, Vec<usize>) = (0..count).partition(|row| row % 3 != 0);
    type Truth<'a> = &'a dyn Fn(usize) -> f64;
    let truths: [(&str, Truth); 4] = [
        ("step", &|row| f64::from(x(row) > 0.37)),
        ("category", &|row| f64::from(code(row) % 12 == 7)),
        ("gap", &|row| f64::from(gap(row).is_nan())),
        ("interaction", &|row| {
            f64::from((x(row) > 0.5) != (y(row) > 0.5))
        }),
    ];
    for (name, truth) in truths {
        let targets: Vec<f64> = train.iter().map(|row| truth(*row)).collect();
        for loss in [Loss::Logistic, Loss::Squares] {
            let scores = Boosted::fit(&data, &train, &targets, loss).scores(&data, &test);
            let middle = if loss == Loss::Logistic { 0.0 } else { 0.5 };
            let right = scores.iter().zip(&test);
            let right = right.filter(|(score, row)| (**score > middle) == (truth(**row) > 0.5));
            let share = right.count() as f64 / test.len() as f64;
            assert!(share > 0.97, "{name}, {loss:?}: {share}");
        }
    }
    let mut rng = generator(3, Purpose::Noise, 0);
    let targets: Vec<f64> = train
        .iter()
        .map(|_| f64::from(rng.random::<bool>()))
        .collect();
    let scores = Boosted::fit(&data, &train, &targets, Loss::Logistic).scores(&data, &test);
    let coin: Vec<bool> = test.iter().map(|_| rng.random::<bool>()).collect();
    let area = super::auc::Auc::of_rows(&scores, |place| coin[place]).unwrap();
    assert!((area.value - 0.5).abs() < 5.0 * area.std_error, "{area:?}");
}
