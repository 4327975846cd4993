//! Every sampler and time grid with more and more evaluations of one network.

use anyhow::Result;

use super::Definition;
use super::fitting::Fitted;
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

/// Samplers as words of `evaluate`, and their numbers of steps.
const SAMPLERS: [(&str, &str, &[usize]); 9] = [
    ("sequential (default)", "--sampler sequential", &[1, 2]),
    (
        "localisation-heun",
        "--sampler localisation-heun",
        &[2, 4, 7, 16],
    ),
    ("localisation", "--sampler localisation", &[4, 8, 15, 32]),
    ("ancestral", "--sampler ancestral", &[4, 8, 15, 32]),
    (
        "ancestral, log-snr",
        "--sampler ancestral --grid log-snr",
        &[8, 15, 32],
    ),
    ("euler", "--sampler euler", &[8, 16, 32]),
    ("heun", "--sampler heun", &[4, 8, 16]),
    ("rk4", "--sampler rk4", &[2, 4, 8, 75]),
    ("rk4, log-snr", "--sampler rk4 --grid log-snr", &[4, 8]),
];

fn run(run: &mut Run) -> Result<WriteUp> {
    let (steps, samples) = run.choose((300, 10_000), (6000, 204_800));
    let targets = run.choose(&TARGETS[1..], &TARGETS[..]);
    let cells: usize = SAMPLERS.iter().map(|(_, _, steps)| steps.len()).sum();
    run.plan(cells * targets.len() * run.seeds().len());
    for target in targets {
        for seed in run.seeds() {
            let mut model: Option<Fitted> = None;
            for (name, words, numbers) in SAMPLERS {
                for number in numbers {
                    let columns = [
                        ("target", *target),
                        ("sampler", name),
                        ("steps", &number.to_string()),
                    ];
                    run.cell(&columns, seed, |cell| {
                        let fitted = match model.take() {
                            Some(fitted) => model.insert(fitted),
                            None => model.insert(cell.fit(&format!("{target} --steps {steps}"))?),
                        };
                        let words = format!("{words} --steps {number} --samples {samples}");
                        let (measured, _) = cell.divergence(fitted, &words)?;
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
