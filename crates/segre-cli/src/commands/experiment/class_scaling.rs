//! Independent sites with more and more categories, on every path (GAF §4.1).

use anyhow::Result;
use segre::flow::Head;
use segre::flow::sampling::{Sampler, SamplingOptions};
use segre::recipe::{PathKind, Recipe};

use super::Definition;
use super::fitting::by;
use super::lines::{Chart, Reference, draw_lines};
use super::run::Run;
use super::write_up::WriteUp;

pub const DEFINITION: Definition = Definition {
    name: "class-scaling",
    about: "Four independent sites of 5 to 4096 categories: the default, and every path with one network",
    source: "GAF (arXiv 2406.04527), §4.1",
    quantity: "site-averaged KL(model ‖ target), nats",
    minutes: 60.0,
    seeds: 3,
    run,
};

/// The published numbers of categories, and what lies beyond.
const PUBLISHED: [usize; 10] = [5, 10, 20, 40, 60, 80, 100, 120, 140, 160];
const BEYOND: [usize; 3] = [320, 1024, 4096];
/// Where the paths are compared.
const COMPARED: [usize; 4] = [5, 20, 60, 160];

/// The network of the comparison: small, with nothing that fits one path only.
fn compared_recipe() -> Recipe {
    Recipe::default()
        .components(0)
        .affinity(false)
        .hidden(128)
        .batch_size(256)
}

/// A path with a head, and how it is sampled.
struct Method {
    name: &'static str,
    path: PathKind,
    head: Head,
    sampler: Sampler,
    /// The sampler's own number, where it is none.
    steps: Option<usize>,
}

const fn method(
    name: &'static str,
    path: PathKind,
    head: Head,
    sampler: Sampler,
    steps: Option<usize>,
) -> Method {
    Method {
        name,
        path,
        head,
        sampler,
        steps,
    }
}

const METHODS: [Method; 10] = [
    method(
        "infinite, posterior",
        PathKind::Infinite,
        Head::Posterior,
        Sampler::LocalisationHeun,
        Some(8),
    ),
    method(
        "infinite, field (GAF)",
        PathKind::Infinite,
        Head::Field,
        Sampler::Heun,
        Some(25),
    ),
    method(
        "e-geodesic, field (EG)",
        PathKind::EGeodesic,
        Head::Field,
        Sampler::Heun,
        Some(25),
    ),
    method(
        "linear, posterior",
        PathKind::Linear,
        Head::Posterior,
        Sampler::Ancestral,
        Some(16),
    ),
    method(
        "linear, field",
        PathKind::Linear,
        Head::Field,
        Sampler::Euler,
        Some(50),
    ),
    method(
        "Dirichlet, posterior",
        PathKind::Dirichlet,
        Head::Posterior,
        Sampler::Ancestral,
        Some(16),
    ),
    method(
        "Dirichlet, field",
        PathKind::Dirichlet,
        Head::Field,
        Sampler::Euler,
        Some(50),
    ),
    method(
        "great-circle, posterior",
        PathKind::GreatCircle,
        Head::Posterior,
        Sampler::Ancestral,
        Some(16),
    ),
    method(
        "great-circle, field",
        PathKind::GreatCircle,
        Head::Field,
        Sampler::Euler,
        Some(50),
    ),
    method(
        "masked",
        PathKind::Masked,
        Head::Posterior,
        Sampler::Sequential,
        None,
    ),
];
const DEFAULT: &str = "default";

fn run(run: &mut Run) -> Result<WriteUp> {
    let published = run.choose(vec![5, 20], PUBLISHED.to_vec());
    let beyond = run.choose(vec![], BEYOND.to_vec());
    let compared = run.choose(vec![5], COMPARED.to_vec());
    // The default's, and those of the comparison.
    let (steps, compared_steps) = run.choose((100, 100), (300, 600));
    let (samples, compared_samples) = run.choose((20_000, 5_000), (512_000, 25_600));
    let seeds = run.seeds();
    let cells = published.len() + METHODS.len() * compared.len();
    run.plan(cells * seeds.len() + beyond.len());
    for categories in published.iter().chain(&beyond) {
        // They cost as much more as there are more categories, and the first step already knows the marginals.
        let (steps, samples, seeds) = match *categories > 160 {
            true => (steps / 3, samples / 5, &seeds[..1]),
            false => (steps, samples, &seeds[..]),
        };
        for &seed in seeds {
            let recipe = Recipe::default().steps(steps);
            let options = SamplingOptions::default();
            measure(
                run,
                (DEFAULT, *categories),
                seed,
                &recipe,
                (samples, &options),
            )?;
        }
    }
    for method in &METHODS {
        for &categories in &compared {
            for &seed in &seeds {
                let recipe = compared_recipe()
                    .path(method.path)
                    .head(method.head)
                    .steps(compared_steps);
                let options = SamplingOptions {
                    steps: method.steps,
                    ..by(method.sampler)
                };
                let sampling = (compared_samples, &options);
                measure(run, (method.name, categories), seed, &recipe, sampling)?;
            }
        }
    }
    draw_lines(
        run,
        "class-scaling.png",
        &Chart {
            title: "Class scaling: site-averaged KL",
            lines: "method",
            across: ("categories", "categories", true),
            up: ("KL, nats", true),
            references: &[Reference::Floor(Some(DEFAULT)), Reference::Uniform(DEFAULT)],
        },
    )?;
    let mut write_up = WriteUp {
        shown: vec![
            ("excess", "above the floor"),
            ("training_seconds", "training, s"),
            ("milliseconds_per_step", "a step, ms"),
            ("peak_mebibytes", "peak memory so far, MiB"),
        ],
        notes: NOTES.to_owned(),
        pictures: vec![(
            "class-scaling.png".into(),
            "KL against the number of categories; floor and uniform are those of the default's samples".into(),
        )],
        ..WriteUp::default()
    };
    write_up.publish(
        &[("method", "infinite, field (GAF)"), ("categories", "160")],
        "0.12–0.14",
    );
    Ok(write_up)
}

fn measure(
    run: &mut Run,
    (method, categories): (&str, usize),
    seed: u64,
    recipe: &Recipe,
    (samples, options): (usize, &SamplingOptions),
) -> Result<()> {
    let columns = [("method", method), ("categories", &categories.to_string())];
    run.cell(&columns, seed, |cell| {
        let fitted = cell.fit(&format!("product:c={categories},n=4"), recipe.clone())?;
        let (measured, _) = cell.divergence(&fitted, samples, options)?;
        let excess = measured.value - measured.floor.unwrap_or(f64::NAN);
        let step = 1e3 * fitted.seconds / fitted.steps.max(1) as f64;
        Ok(measured
            .and("excess", excess)
            .and("milliseconds_per_step", step)
            .and("peak_mebibytes", peak_mebibytes()))
    })
}

/// The most memory that this process has had, in MiB; not a number where the system does not tell.
fn peak_mebibytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = peak.and_then(|peak| {
        peak.trim()
            .trim_end_matches("kB")
            .trim()
            .parse::<f64>()
            .ok()
    });
    kibibytes.map_or(f64::NAN, |kibibytes| kibibytes / 1024.0)
}

const NOTES: &str = "
Target: a product of four categorical distributions softmax(U[0,1]^c), 500 000 rows, the seed draws rows, parameters
and noise. GAF prints 0.12–0.14 at 160 categories and does not say whether per site or summed over the sites; a sampler
that draws uniformly has 0.039 per site, 0.16 summed, so that number alone says little. A perfect sampler has the floor.

`default` is `segre fit product:c=…,n=4 --steps 300`, 512 000 samples by the chain rule (above 160 categories 100 steps,
102 400 samples, one seed). The
other lines share one network (`--set network.components=0 --set network.affinity=false --hidden 128 --batch-size 256
--steps 600`) and differ in path and head only; their samples are fewer, so that their floor is higher: compare the
column above the floor. A posterior head adds the exact local evidence of its path to what the network says, so it starts
with the right marginals; a field head has to learn the evidence too, as the published methods do. Validations are
part of the training time.";
