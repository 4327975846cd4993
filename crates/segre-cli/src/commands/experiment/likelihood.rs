//! Estimators of the likelihood against their cost, and how fast importance samples converge (EG Fig. 6).

use std::f64::consts::LN_2;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use segre::data::Dataset;
use segre::flow::Model;
use segre::flow::likelihood::importance::{
    Divergence, Form, ImportanceOptions, ProbeNoise, estimate, log_weights,
};
use segre::flow::likelihood::{ScoreMethod, ScoreOptions, score};
use segre::progress::Silent;
use segre::recipe::Recipe;
use segre::run::{self as segre_run, Card, Parts};

use super::Definition;
use super::results::Measured;
use super::run::{Cell, Run};
use super::write_up::WriteUp;
use segre_report::pictures::chart::{Axis, Look, Panel, Series, draw_charts};
use segre_report::pictures::colour::Palette;

pub const DEFINITION: Definition = Definition {
    name: "likelihood",
    about: "Estimators of the likelihood against their cost; relative error against the number of importance samples",
    source: "EG (arXiv 2402.07846), §4.2 and Fig. 6: within a few per cent from few samples",
    quantity: "negative log-likelihood of held-out rows, bits/dim",
    minutes: 20.0,
    seeds: 1,
    run,
};

/// Rows that are scored, as many as published.
const ROWS: usize = 30;
/// Standard error of the mean at which costs are compared, bits/dim.
const GOAL: f64 = 0.003;
/// The setting of the cells that Fig. 6 is drawn from.
const CONVERGENCE: &str = "convergence (Fig. 6)";

/// A model with rows that it has not seen.
struct Subject {
    model: Model,
    rows: Dataset,
}

/// How a likelihood is estimated.
#[derive(Clone, Copy)]
enum Estimator {
    /// By the I-MMSE integral, this many rounds of 16 levels.
    Immse(usize),
    /// By the chain rule, as many rounds.
    Chain(usize),
    /// By importance samples: number, mass of the balls, form, divergence.
    Importance(usize, Option<f64>, Form, Option<Divergence>),
}

const GAUSSIAN: Divergence = Divergence::Hutchinson {
    probes: 1,
    noise: ProbeNoise::Gaussian,
};

/// Of a table of few columns, whose flow has an exact likelihood.
const FEW: [(&str, Estimator); 8] = [
    ("immse, 2 rounds", Estimator::Immse(2)),
    ("immse, 64 rounds", Estimator::Immse(64)),
    ("chain, 64 rounds", Estimator::Chain(64)),
    (
        "importance, 4 samples",
        Estimator::Importance(4, None, Form::LogMean, None),
    ),
    (
        "importance, 64 samples",
        Estimator::Importance(64, None, Form::LogMean, None),
    ),
    (
        "importance, Jensen, 64 samples",
        Estimator::Importance(64, None, Form::Jensen, None),
    ),
    (
        "importance, mass 0.8, 64 samples",
        Estimator::Importance(64, Some(0.8), Form::LogMean, None),
    ),
    (
        "importance, mass 0.8, Jensen, 64 samples (published)",
        Estimator::Importance(64, Some(0.8), Form::Jensen, None),
    ),
];

/// Of images.
const MANY: [(&str, Estimator); 5] = [
    ("immse, 2 rounds", Estimator::Immse(2)),
    ("immse, 16 rounds", Estimator::Immse(16)),
    (
        "importance, Jensen, 4 samples",
        Estimator::Importance(4, None, Form::Jensen, None),
    ),
    (
        "importance, Jensen, 4 samples, Gaussian probes",
        Estimator::Importance(4, None, Form::Jensen, Some(GAUSSIAN)),
    ),
    (
        "importance, mass 0.8, Jensen, 4 samples (published)",
        Estimator::Importance(4, Some(0.8), Form::Jensen, None),
    ),
];

fn run(run: &mut Run) -> Result<WriteUp> {
    let own = run.model();
    if let Some(folder) = &own {
        // Its turn comes last: a wrong folder is to be told now.
        match Card::load(folder)? {
            Card::Data(_) => {}
            other => return Err(other.refused(folder).into()),
        }
    }
    let steps = run.choose((200, 150), (1000, 3000));
    let fits = [("coupled-binary", steps.0), ("digits", steps.1)];
    let models = 2 + usize::from(own.is_some());
    run.plan((FEW.len() + (models - 1) * (MANY.len() + 1)) * run.seeds().len());
    let rows = run.choose(6, ROWS);
    for seed in run.seeds() {
        for (name, steps) in fits {
            let mut subject = None;
            let fit = |cell: &mut Cell| fitted(cell, name, steps, rows);
            match name {
                "digits" => {
                    let samples = run.choose(16, 256);
                    measure_many(run, name, seed, &mut subject, &fit, samples)?;
                }
                _ => measure(run, name, seed, &mut subject, &fit, &FEW)?,
            }
        }
        if let Some(folder) = &own {
            let mut subject = None;
            let load = |cell: &mut Cell| loaded(cell, folder, rows);
            // Of a large network a sample takes seconds.
            let samples = run.choose(4, 32);
            measure_many(
                run,
                &folder_name(folder),
                seed,
                &mut subject,
                &load,
                samples,
            )?;
        }
    }
    let mut names = vec!["digits".to_owned()];
    names.extend(own.as_deref().map(folder_name));
    draw_convergence(run, &names)?;
    Ok(WriteUp {
        shown: vec![
            ("above_exact", "above the exact score"),
            ("evaluations", "evaluations per row"),
            ("seconds_per_row", "s per row"),
            ("evaluations_to_goal", "evaluations to ± 0.003"),
            ("seconds_to_goal", "s to ± 0.003"),
        ],
        notes: NOTES.to_owned(),
        pictures: vec![(
            "convergence.png".into(),
            "Relative error of the importance-sampled bound, mean ± σ over the rows".into(),
        )],
        ..WriteUp::default()
    })
}

fn folder_name(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    format!("model {}", name.to_string_lossy())
}

/// Fits a model as `segre fit` would, and keeps the first rows of the test part.
fn fitted(cell: &mut Cell, source: &str, steps: u64, rows: usize) -> Result<Subject> {
    let test = cell.parts(source)?.test;
    let model = cell.fit(source, Recipe::default().steps(steps))?.model;
    Ok(Subject {
        model,
        rows: first(&test, rows),
    })
}

fn loaded(cell: &mut Cell, folder: &Path, rows: usize) -> Result<Subject> {
    let (model, card) = segre_run::load(folder, cell.device)?;
    let test = Parts::of_fit(&card)?.test;
    Ok(Subject {
        model,
        rows: first(&test, rows),
    })
}

fn first(data: &Dataset, rows: usize) -> Dataset {
    data.select(&(0..rows.min(data.rows())).collect::<Vec<_>>())
}

type Prepare<'a> = dyn Fn(&mut Cell) -> Result<Subject> + 'a;

fn measure(
    run: &mut Run,
    name: &str,
    seed: u64,
    subject: &mut Option<Subject>,
    prepare: &Prepare,
    estimators: &[(&str, Estimator)],
) -> Result<()> {
    for (what, estimator) in estimators {
        run.cell(&[("model", name), ("estimator", what)], seed, |cell| {
            let subject = match subject.take() {
                Some(own) => subject.insert(own),
                None => subject.insert(prepare(cell)?),
            };
            measured(cell, subject, *estimator)
        })?;
    }
    Ok(())
}

/// Estimators of images, and the weights that Fig. 6 is drawn from.
fn measure_many(
    run: &mut Run,
    name: &str,
    seed: u64,
    subject: &mut Option<Subject>,
    prepare: &Prepare,
    samples: usize,
) -> Result<()> {
    measure(run, name, seed, subject, prepare, &MANY)?;
    run.cell(
        &[("model", name), ("estimator", CONVERGENCE)],
        seed,
        |cell| {
            let subject = match subject.take() {
                Some(own) => own,
                None => prepare(cell)?,
            };
            convergence(cell, name, &subject, samples)
        },
    )
}

fn options(estimator: Estimator, seed: u64) -> ScoreOptions {
    let (method, rounds) = match estimator {
        Estimator::Immse(rounds) => (ScoreMethod::Immse, rounds),
        Estimator::Chain(rounds) => (ScoreMethod::Sequential, rounds),
        Estimator::Importance(..) => (ScoreMethod::Importance, 2),
    };
    let importance = match estimator {
        Estimator::Importance(samples, mass, form, divergence) => ImportanceOptions {
            samples,
            mass,
            form: Some(form),
            divergence,
            tolerance: 1e-3,
            ..ImportanceOptions::default()
        },
        _ => ImportanceOptions::default(),
    };
    ScoreOptions {
        method: Some(method),
        importance,
        rounds,
        max_rounds: rounds,
        std_error: None,
        seed,
        ..ScoreOptions::default()
    }
}

fn measured(cell: &mut Cell, subject: &Subject, estimator: Estimator) -> Result<Measured> {
    let Subject { model, rows } = subject;
    let options = options(estimator, cell.seed);
    let start = Instant::now();
    let mut watch = cell.watch(0.6..1.0, "scoring");
    let found = score(model, rows, &options, &mut watch)?;
    let seconds = start.elapsed().as_secs_f64();
    let bits = found.bits_per_dim;
    let exact = ScoreOptions {
        method: Some(ScoreMethod::Exact),
        ..options
    };
    let exact = score(model, rows, &exact, &mut Silent).ok();
    let above = exact.map_or(f64::NAN, |exact| bits.value - exact.bits_per_dim.value);
    let more = (bits.std_error / GOAL).powi(2);
    let count = rows.rows() as f64;
    Ok(Measured {
        value: bits.value,
        std_error: Some(bits.std_error),
        ..Measured::default()
    }
    .and("above_exact", above)
    .and("evaluations", found.evaluations as f64 / count)
    .and("seconds_per_row", seconds / count)
    .and("evaluations_to_goal", found.evaluations as f64 * more)
    .and("seconds_to_goal", seconds * more))
}

/// The bound from more and more of the same samples, beside that from all of them.
fn convergence(cell: &mut Cell, name: &str, subject: &Subject, samples: usize) -> Result<Measured> {
    let form = Form::Jensen;
    let options = options(
        Estimator::Importance(samples, Some(0.8), form, None),
        cell.seed,
    );
    let mut watch = cell.watch(0.0..1.0, "importance samples");
    let weights = log_weights(&subject.model, &subject.rows, &options, &mut watch)?;
    let mut curve = Vec::new();
    let mut count = 1;
    while 2 * count <= samples {
        let errors: Vec<f64> = weights
            .rows
            .iter()
            .map(|own| {
                let reference = estimate(own, form).value;
                (estimate(&own[..count], form).value - reference).abs() / reference.abs()
            })
            .collect();
        let rows = errors.len() as f64;
        let mean = errors.iter().sum::<f64>() / rows;
        let squares: f64 = errors.iter().map(|error| (error - mean).powi(2)).sum();
        curve.push((count as f64, mean, (squares / (rows - 1.0).max(1.0)).sqrt()));
        count *= 2;
    }
    let file = curve_file(name, cell.seed);
    cell.write(&file, serde_json::to_string(&curve)?.as_bytes())?;
    let dims = subject.rows.sites() as f64 * LN_2;
    let all: Vec<f64> = weights
        .rows
        .iter()
        .map(|own| estimate(own, form).value / dims)
        .collect();
    let rows = all.len() as f64;
    let at = |samples: f64| {
        curve
            .iter()
            .find(|own| own.0 == samples)
            .map_or(f64::NAN, |own| own.1)
    };
    Ok(Measured {
        value: all.iter().sum::<f64>() / rows,
        ..Measured::default()
    }
    .and("evaluations", weights.evaluations as f64 / rows)
    .and("relative_error_1", at(1.0))
    .and("relative_error_8", at(8.0))
    .and("relative_error_64", at(64.0)))
}

fn curve_file(name: &str, seed: u64) -> String {
    let plain = |letter: char| match letter.is_ascii_alphanumeric() {
        true => letter,
        false => '-',
    };
    let name: String = name.chars().map(plain).collect();
    format!("convergence-{name}-{seed}.json")
}

fn draw_convergence(run: &mut Run, names: &[String]) -> Result<()> {
    let palette = Palette::distinct(names.len() + 1)?;
    let seed = run.seeds()[0];
    let mut series = Vec::new();
    for (name, colour) in names.iter().zip(1..) {
        let points: Vec<(f64, f64, f64)> =
            serde_json::from_str(&run.read(&curve_file(name, seed))?)?;
        series.push(Series {
            name: name.clone(),
            colour: palette.colour(colour).unwrap_or_default(),
            points,
            look: Look::Line,
        });
    }
    let panel = Panel {
        across: Axis {
            name: "importance samples",
            logarithmic: true,
        },
        up: Axis {
            name: "relative error of the bound",
            logarithmic: false,
        },
        series,
    };
    let drawing = draw_charts("Convergence of the importance-sampled bound", &[panel])?;
    run.picture("convergence.png", &drawing)
}

const NOTES: &str = "
Held-out rows, the same for all estimators of a model. *Exact* is the quadrature of the deterministic flow, where it has at most
three dimensions. `immse` bounds the stochastic flow, `chain` the sequential sampler, `importance` the deterministic flow; each is
compared with the deterministic one. The published proposal holds 0.8 of its mass in the balls around the labels (EG App. B);
by default it is as wide as the path's noise. Costs to ± 0.003 are those of the mean over these rows, from the standard error found;
an evaluation of `importance` includes a backward pass. Fig. 6: errors are relative to the bound from all samples.";
