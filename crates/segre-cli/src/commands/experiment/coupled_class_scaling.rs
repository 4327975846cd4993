//! Dependent sites with more and more categories: a Potts chain.

use anyhow::{Context, Result};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use segre::evaluation::divergence::Divergence;
use segre::flow::likelihood::{KnownPosterior, ScoreMethod, ScoreOptions, immse_gap, score};
use segre::flow::sampling::SamplingOptions;
use segre::recipe::{PathKind, Recipe};

use super::Definition;
use super::fitting::Fitted;
use super::lines::{Chart, Reference, draw_lines};
use super::results::Measured;
use super::run::{Cell, Run};
use super::write_up::WriteUp;

pub const DEFINITION: Definition = Definition {
    name: "coupled-class-scaling",
    about: "A Potts chain of four sites and 5 to 160 categories: joint, not marginal, divergence",
    source: "beyond the papers (docs/mathematics.md §7)",
    quantity: "bound on KL(target ‖ model), nats: chain-rule score plus exact log-probability of fresh rows",
    minutes: 30.0,
    seeds: 1,
    run,
};

const CATEGORIES: [usize; 10] = [5, 10, 20, 40, 60, 80, 100, 120, 140, 160];

/// Decides one thing more.
type Decide = fn(Recipe) -> Recipe;

/// The default, without what it has for such targets, and the outsider.
const METHODS: [(&str, Decide); 3] = [
    ("default", |recipe| recipe),
    ("without affinity", |recipe| recipe.affinity(false)),
    ("masked", |recipe| recipe.path(PathKind::Masked)),
];

fn run(run: &mut Run) -> Result<WriteUp> {
    let categories = run.choose(vec![5], CATEGORIES.to_vec());
    let compared = run.choose(vec![5], vec![5, 20, 60, 160]);
    let steps = run.choose(400, 5000);
    let seeds = run.seeds();
    run.plan((categories.len() + (METHODS.len() - 1) * compared.len()) * seeds.len());
    for (method, decide) in METHODS {
        let own = if method == "default" {
            &categories
        } else {
            &compared
        };
        for &categories in own {
            for &seed in &seeds {
                let columns = [("method", method), ("categories", &categories.to_string())];
                let quick = run.quick();
                run.cell(&columns, seed, |cell| {
                    let source = format!("potts-chain:c={categories},n=4");
                    let fitted = cell.fit(&source, decide(Recipe::default().steps(steps)))?;
                    measure(cell, &fitted, quick)
                })?;
            }
        }
    }
    draw_lines(
        run,
        "coupled-class-scaling.png",
        &Chart {
            title: "Potts chain: nats above the entropy",
            lines: "method",
            across: ("categories", "categories", true),
            up: ("nats", true),
            references: &[Reference::Uniform("default")],
        },
    )?;
    Ok(WriteUp {
        shown: vec![
            ("immse_gap", "the same by I-MMSE"),
            ("immse_std_error", "its error"),
            ("kl_excess", "KL of 512 000 samples above the floor"),
            ("training_seconds", "training, s"),
        ],
        notes: NOTES.to_owned(),
        pictures: vec![(
            "coupled-class-scaling.png".into(),
            "Bound on KL(target ‖ model) against the number of categories".into(),
        )],
        ..WriteUp::default()
    })
}

/// Rows that the gap is measured on; drawn anew.
const FRESH_ROWS: usize = 20_000;
/// Stream of the generator of the fresh rows: the fit's rows have another.
const FRESH_STREAM: u64 = 7;

fn measure(cell: &mut Cell, fitted: &Fitted, quick: bool) -> Result<Measured> {
    let target = fitted.target.as_deref().context("a known target")?;
    let mut rng = ChaCha8Rng::seed_from_u64(cell.seed);
    rng.set_stream(FRESH_STREAM);
    let rows = target.sample(if quick { 2_000 } else { FRESH_ROWS }, &mut rng)?;
    let options = |method| ScoreOptions {
        method: Some(method),
        levels: if quick { 4 } else { 16 },
        rounds: 2,
        std_error: None,
        seed: cell.seed,
        ..ScoreOptions::default()
    };
    let chain_rule = options(ScoreMethod::Sequential);
    let immse = options(ScoreMethod::Immse);
    let mut tell = cell.watch(0.7..0.8, "scoring");
    let scores = score(&fitted.model, &rows, &chain_rule, &mut tell)?;
    let pairs = rows.iter().zip(&scores.rows);
    let (value, std_error) = mean(pairs.map(|(row, own)| own.value + target.log_pmf(row)));
    let mut measured = Measured {
        value,
        std_error: Some(std_error),
        floor: Some(0.0),
        uniform: Some(target.kl_to_uniform()),
        ..Measured::default()
    };
    if fitted.model.gaussian_path().is_ok() {
        let exact = KnownPosterior::new(target, fitted.model.device());
        let exact = exact.context("a chain has a posterior")?;
        let gap = immse_gap(
            &fitted.model,
            &exact,
            &fitted.model,
            &rows,
            &immse,
            &mut tell,
        )?;
        let (value, std_error) = mean(gap.rows.iter().map(|own| own.value));
        measured = measured
            .and("immse_gap", value)
            .and("immse_std_error", std_error);
    }
    measured = measured
        .and("training_seconds", fitted.seconds)
        .and("training_steps", fitted.steps as f64);
    if Divergence::is_possible(target) {
        let samples = if quick { 20_000 } else { 512_000 };
        let (found, _) = cell.divergence(fitted, samples, &SamplingOptions::default())?;
        let floor = found.floor.unwrap_or(f64::NAN);
        measured.function_evaluations = found.function_evaluations;
        measured = measured
            .and("kl", found.value)
            .and("kl_floor", floor)
            .and("kl_excess", found.value - floor);
    }
    Ok(measured)
}

/// Mean of independent values and its standard error.
fn mean(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let values: Vec<f64> = values.collect();
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0) / count).sqrt())
}

const NOTES: &str = "
Target: `potts-chain:c=…,n=4`, `P(β) ∝ Π exp h_i(β_i) Π exp(J [β_i = β_{i+1}])` with `h` uniform on [0, 1] and
`J = ln c`: half of the neighbours agree. Entropy and probabilities are exact by the transfer matrix. The value is the
mean over 20 000 fresh rows of score plus exact log-probability: an upper bound on KL(target ‖ model). The chain-rule
score is that of the sequential sampler, which is the default here. The I-MMSE gap is that of the flow, measured against the exact
posterior (messages along the chain) under the same noise, which leaves little of the bound's variance. Where 512 000
samples allow it (up to 40 categories) the divergence of the samples is there too, above that of a perfect sampler.

A table of all pairs of neighbouring labels, such as the Chow–Liu tree has, cannot be had from these rows: its estimation
alone costs 3 (c−1)²/(2·400 000) nats, 0.095 at 160 categories. `without affinity` is the default with
`network.affinity = false`.";
