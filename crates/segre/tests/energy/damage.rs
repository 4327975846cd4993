//! Files damaged in every way: each is read or refused with its place, quickly and within bounded memory, and never a panic.

use super::{Recipe, SMALL, seconds_computed};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use segre::energy::exact::ExactPlan;
use segre::energy::format::{read_evidence, read_model, uai_text};
use segre::energy::{BeliefPropagationOptions, EnergyError, EnergyModel, belief_propagation};
use segre::progress::Silent;
use std::path::Path;

/// Damaged files of each format.
const INPUTS: u64 = 10_000;
/// What reading one may take.
const MOST_SECONDS: f64 = 1.0;

/// Words that lie about sizes, numbers that are none, and numbers out of range.
const WORDS: [&str; 22] = [
    "NaN",
    "inf",
    "-1",
    "-0.0",
    "0",
    "1",
    "3",
    "1e400",
    "1e-400",
    "1e99999999999",
    "1e3",
    "0x10",
    "4096",
    "65536",
    "1048575",
    "1048577",
    "16777216",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "99999999999999999999",
    "٣",
];

/// A valid file.
fn valid(ending: &str, seed: u64) -> String {
    let recipe = Recipe {
        variables: 4,
        factors: 4,
        zeros: 0.2,
        ..SMALL
    };
    match ending {
        "uai" => uai_text(&recipe.model(seed), Path::new("m.uai")).unwrap(),
        "fg" => [
            "2\n\n2\n0 3\n2 3\n5\n0 1\n1 4\n2 2\n4 3\n5 6\n\n1\n0\n2\n2\n0 0.5\n1 2\n",
            "# sparse\n3\n\n2\n0 1\n2 2\n1\n3 1\n\n3\n1 2 5\n2 4 3\n2\n0 1\n23 0.25\n\n0\n1\n0 2.5\n",
        ][seed as usize % 2]
            .into(),
        _ => ["3 0 0 1 0 3 0\n", "1\n2 0 0 2 0\n", "2\n1 0 0\n0\n", "0\n"][seed as usize % 4].into(),
    }
}

/// One to three damages.
fn damage(text: &str, rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..rng.random_range(1..=3) {
        let place = rng.random_range(0..bytes.len().max(1));
        match rng.random_range(0..7) {
            0 => bytes.truncate(place),
            1 if !bytes.is_empty() => bytes[place] ^= 1 << rng.random_range(0..8),
            2 if !bytes.is_empty() => {
                bytes.remove(place);
            }
            3 => bytes.insert(
                place,
                *b"0123456789 -.eE+\n\r\t#\0\xff"
                    .get(rng.random_range(0..22))
                    .unwrap(),
            ),
            _ => {
                // A word for another, twice, or gone.
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let mut words: Vec<&str> = text.split_inclusive(char::is_whitespace).collect();
                if words.is_empty() {
                    continue;
                }
                let place = rng.random_range(0..words.len());
                let other = format!("{} ", WORDS[rng.random_range(0..WORDS.len())]);
                match rng.random_range(0..6) {
                    0 => words.insert(place, words[place]),
                    1 => {
                        words.remove(place);
                    }
                    2 => {
                        let second = rng.random_range(0..words.len());
                        words.swap(place, second);
                    }
                    _ => words[place] = &other,
                }
                bytes = words.concat().into_bytes();
            }
        }
    }
    bytes
}

/// A model that was read must be usable, and not larger than its file or the stated limits allow.
fn use_model(model: &EnergyModel, words: usize) {
    let states: usize = model.cardinalities().iter().sum();
    let entries: usize = model.factors().iter().map(|f| f.log_values().len()).sum();
    assert!(model.variables() <= words.max(1 << 20));
    assert!(states <= (1 << 25), "{states} states");
    assert!(entries <= words + (1 << 24), "{entries} entries");
    let logs = model.factors().iter().flat_map(|f| f.log_values());
    assert!(logs.clone().all(|log| *log < f64::INFINITY), "{model:?}");
    if states + entries > 1 << 12 {
        return;
    }
    if let Ok(plan) = ExactPlan::new(model)
        && plan.check(1 << 20).is_ok()
    {
        match plan.infer(&mut Silent) {
            Ok(found) => {
                assert!(found.log_z.unwrap().is_finite());
                let mut marginals = found.marginals.iter().flatten();
                let probable = marginals.all(|p| (0.0..=1.0 + 1e-9).contains(p));
                assert!(probable, "{found:?}");
            }
            Err(error) => assert!(matches!(error, EnergyError::NoConfiguration { .. })),
        }
    }
    let options = BeliefPropagationOptions {
        sweeps: 3,
        ..BeliefPropagationOptions::default()
    };
    if let Ok(found) = belief_propagation(model, &options, &mut Silent) {
        assert!(found.log_z.unwrap().is_finite());
        assert!(found.marginals.iter().flatten().all(|p| p.is_finite()));
    }
}

#[track_caller]
fn check_damaged(ending: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("damaged.{ending}"));
    let network = Recipe {
        variables: 4,
        most_states: 3,
        ..SMALL
    };
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (mut refused, mut accepted) = (0, 0);
    for seed in 0..INPUTS {
        let bytes = damage(&valid(ending, seed), &mut rng);
        std::fs::write(&path, &bytes).unwrap();
        let shown = String::from_utf8_lossy(&bytes);
        let words = shown.split_whitespace().count();
        let started = seconds_computed();
        let read = match ending {
            "evid" => {
                let model = network.model(seed % 8);
                // What contradicts the model is said by the model, without a place in the file.
                read_evidence(&path, &model).map(|evidence| drop(model.condition(&evidence)))
            }
            _ => read_model(&path).map(|model| use_model(&model, words)),
        };
        let seconds = seconds_computed() - started;
        assert!(seconds < MOST_SECONDS, "{seconds:.1} s for {shown:?}");
        match read {
            Ok(()) => accepted += 1,
            Err(error) => {
                let message = error.to_string();
                let place = message.strip_prefix(&format!("{}:", path.display()));
                let line = place.and_then(|rest| rest.split(':').next()?.parse::<usize>().ok());
                assert!(
                    line.is_some() && !message.contains('\n'),
                    "{message:?} of {shown:?}"
                );
                assert!(message.chars().count() < 600, "{message}");
                refused += 1;
            }
        }
    }
    assert!(
        refused > INPUTS / 3 && accepted > INPUTS / 50,
        "{refused} refused, {accepted} accepted"
    );
}

#[test]
fn damaged_networks_are_refused_with_their_place() {
    check_damaged("uai");
}

#[test]
fn damaged_factor_graphs_are_refused_with_their_place() {
    check_damaged("fg");
}

#[test]
fn damaged_evidence_is_refused_with_its_place() {
    check_damaged("evid");
}
