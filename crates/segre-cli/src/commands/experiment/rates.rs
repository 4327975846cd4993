//! What the settings of the infinite-time path change: rate, distribution of training times, end time.

use anyhow::Result;

use super::Definition;
use super::run::Run;
use super::write_up::WriteUp;

pub const DEFINITION: Definition = Definition {
    name: "rates",
    about: "The infinite-time path with other rates λ, training times Gamma(k, r) and end times",
    source: "GAF (arXiv 2406.04527), reference settings: λ 0.5, k 1, r 0.25, end 15",
    quantity: "KL(model ‖ target), nats",
    minutes: 12.0,
    seeds: 3,
    run,
};

/// One setting changed at a time, as words of `fit`.
const SETTINGS: [(&str, &str); 10] = [
    ("reference", ""),
    ("λ = 0.25", "--rate 0.25"),
    ("λ = 1", "--rate 1"),
    ("λ = 2", "--rate 2"),
    ("Gamma(1, 0.5)", "--time-rate 0.5"),
    ("Gamma(1, 0.125)", "--time-rate 0.125"),
    ("Gamma(2, 0.5)", "--time-shape 2 --time-rate 0.5"),
    ("end 5", "--end-time 5"),
    ("end 10", "--end-time 10"),
    ("end 30", "--end-time 30"),
];
const TARGETS: [&str; 2] = ["coupled-binary", "potts-chain:c=5,n=4"];

fn run(run: &mut Run) -> Result<WriteUp> {
    let (steps, samples) = run.choose((100, 5_000), (1000, 51_200));
    let targets = run.choose(&TARGETS[..1], &TARGETS[..]);
    run.plan((SETTINGS.len() + 1) * targets.len() * run.seeds().len());
    for target in targets {
        for (name, words) in SETTINGS {
            let fit = format!("--head field --hidden 128 {words}");
            measure(
                run,
                target,
                name,
                &fit,
                &format!("--samples {samples} --sampler rk4"),
                steps,
            )?;
        }
        let sample = format!("--samples {samples} --sampler localisation-heun");
        measure(
            run,
            target,
            "posterior head (has none)",
            "--hidden 128 --components 0",
            &sample,
            steps,
        )?;
    }
    Ok(WriteUp {
        shown: vec![
            ("excess", "above the floor"),
            ("mean_entropy", "entropy left"),
        ],
        notes: NOTES.to_owned(),
        ..WriteUp::default()
    })
}

fn measure(
    run: &mut Run,
    target: &str,
    name: &str,
    fit: &str,
    sample: &str,
    steps: usize,
) -> Result<()> {
    for seed in run.seeds() {
        run.cell(&[("target", target), ("setting", name)], seed, |cell| {
            let fitted = cell.fit(&format!("{target} {fit} --steps {steps}"))?;
            let (measured, _) = cell.divergence(&fitted, sample)?;
            let excess = measured.value - measured.floor.unwrap_or(f64::NAN);
            Ok(measured.and("excess", excess))
        })?;
    }
    Ok(())
}

const NOTES: &str = "
Field heads, 1 000 steps, sampled with 32 steps of RK4; one setting differs from the reference in each line. The
posterior head of the last line is trained at levels of the channel, not at times of the path, so none of the three
settings exists for it.";
