//! Every sampler and time grid with more and more evaluations of one network.

use anyhow::Result;
use segre::flow::sampling::{LevelGrid, Sampler, SamplingOptions};
use segre::recipe::Recipe;

use super::Definition;
use super::fitting::{Fitted, by_steps};
use super::lines::{Chart, Reference, draw_lines};
use super::run::Run;
use super::write_up::WriteUp;

pub const DEFINITION: Definition = Definition {
    name: "samplers",
    about: "KL against evaluations of the network, for every sampler and time grid, on pinwheel and eight Gaussians",
    source: "beyond the papers; GAF's reference uses RK4 with step 0.2 to time 15, 300 evaluations",
    quantity: "KL(model ‖ target), nats",
    minutes: 25.0,
    seeds: 1,
    run,
};

const TARGETS: [&str; 2] = ["pinwheel", "eight-gaussians"];

/// A sampler on a grid, and its numbers of steps.
struct Line {
    name: &'static str,
    sampler: Sampler,
    /// The default's, where there is none.
    grid: Option<LevelGrid>,
    steps: &'static [usize],
}

const fn line(
    name: &'static str,
    sampler: Sampler,
    grid: Option<LevelGrid>,
    steps: &'static [usize],
) -> Line {
    Line {
        name,
        sampler,
        grid,
        steps,
    }
}

const LOG_SNR: Option<LevelGrid> = Some(LevelGrid::LogSnr);
const LINES: [Line; 9] = [
    line("sequential (default)", Sampler::Sequential, None, &[1, 2]),
    line(
        "localisation-heun",
        Sampler::LocalisationHeun,
        None,
        &[2, 4, 7, 16],
    ),
    line("localisation", Sampler::Localisation, None, &[4, 8, 15, 32]),
    line("ancestral", Sampler::Ancestral, None, &[4, 8, 15, 32]),
    line(
        "ancestral, log-snr",
        Sampler::Ancestral,
        LOG_SNR,
        &[8, 15, 32],
    ),
    line("euler", Sampler::Euler, None, &[8, 16, 32]),
    line("heun", Sampler::Heun, None, &[4, 8, 16]),
    line("rk4", Sampler::Rk4, None, &[2, 4, 8, 75]),
    line("rk4, log-snr", Sampler::Rk4, LOG_SNR, &[4, 8]),
];

fn run(run: &mut Run) -> Result<WriteUp> {
    let (steps, samples) = run.choose((300, 10_000), (6000, 204_800));
    let targets = run.choose(&TARGETS[1..], &TARGETS[..]);
    let cells: usize = LINES.iter().map(|line| line.steps.len()).sum();
    run.plan(cells * targets.len() * run.seeds().len());
    for target in targets {
        for seed in run.seeds() {
            let mut model: Option<Fitted> = None;
            for line in &LINES {
                for number in line.steps {
                    let columns = [
                        ("target", *target),
                        ("sampler", line.name),
                        ("steps", &number.to_string()),
                    ];
                    run.cell(&columns, seed, |cell| {
                        let fitted = match model.take() {
                            Some(fitted) => model.insert(fitted),
                            None => model.insert(cell.fit(target, Recipe::default().steps(steps))?),
                        };
                        let options = SamplingOptions {
                            grid: line.grid,
                            ..by_steps(line.sampler, *number)
                        };
                        let (measured, _) = cell.divergence(fitted, samples, &options)?;
                        let evaluations = measured.function_evaluations.unwrap_or(0);
                        Ok(measured.and("evaluations", evaluations as f64))
                    })?;
                }
            }
        }
    }
    let mut pictures = Vec::new();
    for target in targets {
        let name = format!("{target}.png");
        draw_lines(
            run,
            &name,
            &Chart {
                title: &format!("Samplers on {target}"),
                lines: "sampler",
                across: ("evaluations", "evaluations of the network per sample", true),
                up: ("KL, nats", true),
                references: &[Reference::Only("target", target), Reference::Floor(None)],
            },
        )?;
        pictures.push((name, format!("{target}: KL against evaluations")));
    }
    Ok(WriteUp {
        shown: vec![
            ("sampling_seconds", "sampling, s"),
            ("mean_entropy", "entropy left"),
        ],
        notes: NOTES.to_owned(),
        pictures,
        ..WriteUp::default()
    })
}

const NOTES: &str = "
One model per target, `segre fit TARGET --steps 6000`, and its samples by every sampler. `sequential` with two steps
draws one coordinate from its marginal and the other given the first: no error but the network's. `rk4` with 75 steps is
the published way to sample (300 evaluations).";
