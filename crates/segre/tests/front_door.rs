//! The front door: what a program of a few lines gets, in memory and in a folder.

use segre::data::{Layout, MissingIs, PartialDataset};
use segre::energy::ModelSource;
use segre::evaluation::quality::QualityOptions;
use segre::flow::FlowError;
use segre::model::{EnergyFit, Filling, quality_of_tables};
use segre::progress::{Control, Progress, Silent};
use segre::recipe::{Conditional, Recipe};
use segre::run::RunError;
use segre::{Error, Fit, Model};

fn chain() -> segre::Data {
    segre::read("potts-chain:c=3,n=4,rows=600").expect("a built-in")
}

/// The same rows as those of a table that no file holds.
fn table() -> segre::Data {
    let mut rows = chain().dataset().clone();
    rows.schema.layout = Layout::Table;
    rows.into()
}

#[test]
fn a_model_in_memory_and_the_same_from_its_folder_agree() {
    let data = chain();
    let model = Fit::new(&data).steps(30).seed(3).run().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    model.save(&path).unwrap();
    let read = Model::load(&path).unwrap();
    assert_eq!(read.card(), model.card());
    assert_eq!(read.sample(50).unwrap(), model.sample(50).unwrap());
    let rows = data.spread(20);
    assert_eq!(
        read.log_prob(&rows).unwrap(),
        model.log_prob(&rows).unwrap()
    );
    let refused = model.save(&path).unwrap_err();
    assert!(matches!(refused, Error::Run(RunError::Exists { .. })));
}

#[test]
fn a_run_that_is_stopped_and_goes_on_is_the_same_as_one_without_a_break() {
    let data = chain();
    let folder = tempfile::tempdir().unwrap();
    let (broken, whole) = (folder.path().join("broken"), folder.path().join("whole"));
    let fit = |out: &std::path::Path| Fit::new(&data).steps(24).out(out);
    let mut stop = |told: &Progress| match told.fraction >= 0.5 {
        true => Control::Stop,
        false => Control::Continue,
    };
    let stopped = fit(&broken).run_with(&mut stop).unwrap_err();
    assert!(matches!(stopped, Error::Interrupted(_)));
    let on = fit(&broken).resume(true).run().unwrap();
    let straight = fit(&whole).run().unwrap();
    assert_eq!(on.sample(40).unwrap(), straight.sample(40).unwrap());
    let other = Fit::new(&data).seed(9).out(&broken).resume(true).run();
    assert!(matches!(
        other.unwrap_err(),
        Error::Run(RunError::OtherSeed { .. })
    ));
    let nowhere = Fit::new(&data).resume(true).run().unwrap_err();
    assert!(matches!(nowhere, Error::Run(RunError::NowhereToResume)));
}

/// A run that was stopped after a step, went on, and was killed between the line of the validation that follows it and its save.
#[test]
fn a_validation_is_in_the_log_once() {
    let data = chain();
    let folder = tempfile::tempdir().unwrap();
    let (broken, whole) = (folder.path().join("broken"), folder.path().join("whole"));
    let fit = |out: &std::path::Path| Fit::new(&data).steps(24).out(out);
    let lines = |out: &std::path::Path| -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(out.join("metrics.jsonl")).unwrap();
        let mut lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        for line in &mut lines {
            line.as_object_mut().unwrap().remove("seconds");
        }
        lines
    };
    fit(&whole).run().unwrap();
    let expected = lines(&whole);
    let is_validation = |line: &&serde_json::Value| line.get("validation_bits_per_dim").is_some();
    let again = expected.iter().filter(is_validation).nth(5).unwrap();
    let step = again["step"].as_u64().unwrap();
    let mut stop = |told: &Progress| match told.event {
        segre::progress::Event::Step { step: at, .. } if at == step => Control::Stop,
        _ => Control::Continue,
    };
    fit(&broken).run_with(&mut stop).unwrap_err();
    assert_ne!(lines(&broken).last(), Some(again));
    let log = std::fs::OpenOptions::new()
        .append(true)
        .open(broken.join("metrics.jsonl"));
    std::io::Write::write_all(&mut log.unwrap(), format!("{again}\n").as_bytes()).unwrap();
    fit(&broken).resume(true).run().unwrap();
    assert_eq!(lines(&broken), expected);
}

#[test]
fn what_is_known_stays_when_the_rest_is_filled_in() {
    let data = chain();
    let recipe = Recipe::default().conditional(Conditional::Any).steps(40);
    let model = Fit::new(&data).recipe(recipe).run().unwrap();
    assert!(model.knows_conditionals());
    let rows = data.spread(30);
    let given = PartialDataset::hiding(&rows, |row, site| (row + site) % 2 == 0);
    let draws = Filling::Draws(2, model.sampling_options());
    let drawn = model.fill(&given, &draws, &mut Silent).unwrap();
    let likely = model
        .fill(&given, &Filling::MostProbable, &mut Silent)
        .unwrap();
    assert_eq!((drawn.rows(), likely.rows()), (60, 30));
    let marginals = model.marginals(&given, &mut Silent).unwrap();
    for row in 0..30 {
        for site in 0..4 {
            match given.label(row, site) {
                Some(known) => {
                    assert_eq!(drawn.row(2 * row)[site], known);
                    assert_eq!(drawn.row(2 * row + 1)[site], known);
                    assert_eq!(likely.row(row)[site], known);
                }
                None => {
                    let label = likely.row(row)[site];
                    let all = marginals.of(row, site);
                    assert!(all.iter().all(|p| *p <= all[usize::from(label)]));
                    assert!((all.iter().sum::<f32>() - 1.0).abs() < 1e-5);
                }
            }
        }
    }
}

#[test]
fn a_column_is_predicted_without_a_look_at_it() {
    let data = chain();
    let recipe = Recipe::default().conditional(Conditional::Any).steps(40);
    let model = Fit::new(&data).recipe(recipe).run().unwrap();
    let name = data.schema.sites[1].name.clone();
    let rows = PartialDataset::hiding(&data.spread(40), |_, _| false);
    let hidden = rows.without(|_, site| site == 1);
    let (seen, unseen) = (
        model.predict(&rows, &name).unwrap(),
        model.predict(&hidden, &name).unwrap(),
    );
    assert_eq!((seen.report.known, unseen.report.known), (40, 0));
    assert_eq!(unseen.report.accuracy, None);
    for row in 0..40 {
        assert_eq!(seen.probabilities(row), unseen.probabilities(row));
        assert_eq!(seen.category(row), unseen.category(row));
    }
    let filled = unseen.rows(&hidden, |spread| spread.median).unwrap();
    for row in 0..40 {
        let name = filled.schema.category_name(1, filled.row(row)[1]);
        assert_eq!(name, unseen.category(row));
    }
    let wrong = model.predict(&rows, "no such column").unwrap_err();
    let text = wrong.to_string();
    assert!(
        text.contains("no such column") && text.contains(&name),
        "{text}"
    );
}

#[test]
fn a_model_says_what_it_is_worth_and_what_it_cannot_do() {
    let data = chain();
    let model = Fit::new(&data).steps(60).run().unwrap();
    let report = model.evaluate().unwrap();
    assert_eq!(report.rows, 60);
    let entropy = report.target_entropy;
    // Rows in memory have no known distribution; of a built-in's name there is one.
    assert!(entropy.is_some_and(|bits| bits < report.baselines.uniform));
    let other = segre::read("digits").unwrap();
    let refused = model.log_prob(&other).unwrap_err();
    assert!(
        matches!(refused, Error::Flow(FlowError::Data(_))),
        "{refused}"
    );
    let gaps = model.read_gaps("no-such-file.csv", MissingIs::Unknown);
    assert!(gaps.unwrap_err().to_string().contains("no-such-file.csv"));
}

#[test]
fn rows_in_memory_are_given_again_and_none_but_these() {
    let data = table();
    let model = Fit::new(&data).steps(10).run().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    model.save(&path).unwrap();
    let read = Model::load(&path).unwrap();
    let nothing = read.evaluate().unwrap_err();
    assert!(matches!(nothing, Error::Run(RunError::InMemory)));
    let other = read.clone().with_data(data.spread(500)).unwrap_err();
    assert!(matches!(other, Error::Run(RunError::DataChanged { .. })));
    let again = read.with_data(data.dataset().clone()).unwrap();
    assert_eq!(again.evaluate().unwrap(), model.evaluate().unwrap());
    let asked = QualityOptions::default();
    let found = again.quality(None, &asked, &mut Silent).unwrap();
    assert_eq!((found.training_rows, found.held_out_rows), (480, 60));
}

#[test]
fn tables_are_compared_without_a_model_and_a_copy_is_seen() {
    let data = table();
    let (asked, rows) = (QualityOptions::default(), data.spread(300));
    let apart = quality_of_tables(&rows, None, &rows, &asked, &mut Silent).unwrap();
    assert_eq!((apart.training_rows, apart.held_out_rows), (240, 60));
    let told = quality_of_tables(&rows, Some(&data), &rows, &asked, &mut Silent).unwrap();
    assert_eq!((told.training_rows, told.held_out_rows), (300, 600));
    assert_eq!(told.overall.value, Some(1.0));
}

#[test]
fn a_model_of_an_energy_knows_its_probabilities() {
    let source = ModelSource::parse("ising:2x2,coupling=1").unwrap();
    let (energy, ModelSource::Grid(grid)) = (source.load().unwrap(), source) else {
        panic!("a grid");
    };
    let asked = EnergyFit {
        recipe: Recipe::default().steps(20),
        samples: Some(2000),
        ..EnergyFit::default()
    };
    let fit = |asked: &EnergyFit| {
        Model::of_energy(&energy, Some(&grid), "an energy", asked, &mut Silent).unwrap()
    };
    let (model, stopped) = fit(&asked);
    assert!(!stopped);
    let rows = model.sample(400).unwrap();
    assert_eq!(rows.schema.row_shape(), [2, 2]);
    let energies = |row: &[u16]| {
        let states: Vec<usize> = row.iter().map(|label| usize::from(*label)).collect();
        -energy.energy(&states)
    };
    let scores = model.log_prob(&rows).unwrap();
    // log p(x) + E(x) is −log Z everywhere.
    let constants = rows.iter().zip(&scores.rows);
    let constants: Vec<f64> = constants
        .map(|(row, score)| -score.value - energies(row))
        .collect();
    let mean = constants.iter().sum::<f64>() / constants.len() as f64;
    let log_z = (0..16_u16)
        .map(|k| energies(&[k & 1, k >> 1 & 1, k >> 2 & 1, k >> 3]).exp())
        .sum::<f64>()
        .ln();
    assert!((mean + log_z).abs() < 0.1, "{mean} {log_z}");
    let (free, _) = fit(&EnergyFit {
        data_free: true,
        ..asked
    });
    assert_eq!(free.sample(3).unwrap().rows(), 3);
}
