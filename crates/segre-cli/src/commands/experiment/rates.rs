//! What the settings of the infinite-time path change: rate, distribution of training times, end time.

use anyhow::Result;
use segre::flow::Head;
use segre::flow::sampling::Sampler;
use segre::recipe::{PathChoices, Recipe};

use super::Definition;
use super::fitting::by;
use super::results::Summary;
use super::run::Run;
use super::write_up::WriteUp;
use segre_report::pictures::chart::{Axis, Look, Panel, Series, draw_charts};
use segre_report::pictures::colour::{BLUE, INK, VERMILION};

pub const DEFINITION: Definition = Definition {
    name: "rates",
    about: "The infinite-time path with other rates λ, training times Gamma(k, r) and end times",
    source: "GAF (arXiv 2406.04527), reference settings: λ 0.5, k 1, r 0.25, end 15",
    quantity: "KL(model ‖ target), nats",
    minutes: 12.0,
    seeds: 3,
    run,
};

/// Decides one thing about the path.
type Decide = fn(&mut PathChoices);

/// One setting changed at a time.
const SETTINGS: [(&str, Decide); 10] = [
    ("reference", |_| ()),
    ("λ = 0.25", |path| path.rate = Some(0.25)),
    ("λ = 1", |path| path.rate = Some(1.0)),
    ("λ = 2", |path| path.rate = Some(2.0)),
    ("Gamma(1, 0.5)", |path| path.time_rate = Some(0.5)),
    ("Gamma(1, 0.125)", |path| path.time_rate = Some(0.125)),
    ("Gamma(2, 0.5)", |path| {
        path.time_shape = Some(2.0);
        path.time_rate = Some(0.5);
    }),
    ("end 5", |path| path.end_time = Some(5.0)),
    ("end 10", |path| path.end_time = Some(10.0)),
    ("end 30", |path| path.end_time = Some(30.0)),
];
const TARGETS: [&str; 2] = ["coupled-binary", "potts-chain:c=5,n=4"];
const POSTERIOR: &str = "posterior head (has none)";

/// Where the settings lie across the three panels of the picture; `Gamma(k, r)` at its mean `k/r`.
const PANELS: [(&str, &[(&str, f64)]); 3] = [
    (
        "rate λ",
        &[
            ("λ = 0.25", 0.25),
            ("reference", 0.5),
            ("λ = 1", 1.0),
            ("λ = 2", 2.0),
        ],
    ),
    (
        "mean of the training times, k/r, with k = 1",
        &[
            ("Gamma(1, 0.5)", 2.0),
            ("reference", 4.0),
            ("Gamma(1, 0.125)", 8.0),
        ],
    ),
    (
        "end time",
        &[
            ("end 5", 5.0),
            ("end 10", 10.0),
            ("reference", 15.0),
            ("end 30", 30.0),
        ],
    ),
];

fn run(run: &mut Run) -> Result<WriteUp> {
    let (steps, samples) = run.choose((100, 5_000), (1000, 51_200));
    let targets = run.choose(&TARGETS[..1], &TARGETS[..]);
    run.plan((SETTINGS.len() + 1) * targets.len() * run.seeds().len());
    for target in targets {
        let hidden = Recipe::default().steps(steps).hidden(128);
        for (name, decide) in SETTINGS {
            let mut recipe = hidden.clone().head(Head::Field);
            decide(&mut recipe.path);
            measure(run, target, name, &recipe, samples, Sampler::Rk4)?;
        }
        let recipe = hidden.components(0);
        let sampler = Sampler::LocalisationHeun;
        measure(run, target, POSTERIOR, &recipe, samples, sampler)?;
    }
    draw(run, targets)?;
    Ok(WriteUp {
        shown: vec![
            ("excess", "above the floor"),
            ("mean_entropy", "entropy left"),
        ],
        notes: NOTES.to_owned(),
        pictures: vec![(
            "rates.png".into(),
            "KL against each of the three settings, the other two as in the reference".into(),
        )],
        ..WriteUp::default()
    })
}

fn measure(
    run: &mut Run,
    target: &str,
    name: &str,
    recipe: &Recipe,
    samples: usize,
    sampler: Sampler,
) -> Result<()> {
    for seed in run.seeds() {
        run.cell(&[("target", target), ("setting", name)], seed, |cell| {
            let fitted = cell.fit(target, recipe.clone())?;
            let (measured, _) = cell.divergence(&fitted, samples, &by(sampler))?;
            let excess = measured.value - measured.floor.unwrap_or(f64::NAN);
            Ok(measured.and("excess", excess))
        })?;
    }
    Ok(())
}

/// One panel for each setting; a line for each target, dashed what a perfect sampler and the posterior head have.
fn draw(run: &mut Run, targets: &[&str]) -> Result<()> {
    let of = |target: &str, setting: &str| -> Option<&Summary> {
        run.summary().iter().find(|summary| {
            let settings = &summary.settings;
            settings["target"] == target && settings["setting"] == setting
        })
    };
    let panels = PANELS.map(|(name, settings)| {
        let level = |value: Option<f64>| -> Vec<(f64, f64, f64)> {
            let value = value.unwrap_or(f64::NAN);
            settings.iter().map(|(_, x)| (*x, value, 0.0)).collect()
        };
        let mut series = Vec::new();
        for (target, colour) in targets.iter().zip([BLUE, VERMILION]) {
            let points = settings.iter().filter_map(|(setting, x)| {
                let cell = of(target, setting)?;
                Some((*x, cell.mean, cell.sigma.or(cell.std_error).unwrap_or(0.0)))
            });
            series.push(Series {
                name: (*target).to_owned(),
                colour,
                points: points.collect(),
                look: Look::Line,
            });
            let posterior = of(target, POSTERIOR);
            series.push(Series {
                name: format!("{target}, posterior head"),
                colour,
                points: level(posterior.map(|cell| cell.mean)),
                look: Look::Dashed,
            });
            series.push(Series {
                name: "floors".to_owned(),
                colour: INK,
                points: level(posterior.and_then(|cell| cell.floor)),
                look: Look::Dashed,
            });
        }
        Panel {
            across: Axis {
                name,
                logarithmic: true,
            },
            up: Axis {
                name: "KL, nats",
                logarithmic: true,
            },
            series,
        }
    });
    let drawing = draw_charts(
        "What the settings of the infinite-time path change",
        &panels,
    )?;
    run.picture("rates.png", &drawing)
}

const NOTES: &str = "
Field heads, 1 000 steps, sampled with 32 steps of RK4; one setting differs from the reference in each line. The
posterior head of the last line is trained at levels of the channel, not at times of the path, so none of the three
settings exists for it.";
