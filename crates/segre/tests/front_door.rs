//! The front door: what a program of a few lines gets, in memory and in a folder.

use segre::data::{MissingIs, PartialDataset};
use segre::flow::FlowError;
use segre::model::Filling;
use segre::progress::{Control, Progress, Silent};
use segre::recipe::{Conditional, Recipe};
use segre::run::RunError;
use segre::{Error, Fit, Model};

fn chain() -> segre::Data {
    segre::read("potts-chain:c=3,n=4,rows=600").expect("a built-in")
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
