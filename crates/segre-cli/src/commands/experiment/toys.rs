//! Pinwheel and eight Gaussians: histograms and marginals beside the target (EG, Figure 5).

use anyhow::{Context, Result};
use segre::data::{DataSource, KnownDistribution};
use segre::flow::Head;
use segre::flow::sampling::Sampler;
use segre::recipe::{NetworkKind, PathKind, Recipe};

use super::Definition;
use super::fitting::by;
use super::run::{Cell, Run};
use super::write_up::WriteUp;
use segre_report::pictures::chart::{Axis, Look, Panel, Series, draw_charts};
use segre_report::pictures::colour::{BLUE, INK, Rgb, VERMILION};
use segre_report::pictures::histogram2d::{HeatMap, SitePair, draw_heat_maps, frequencies};

pub const DEFINITION: Definition = Definition {
    name: "toys",
    about: "Pinwheel and eight Gaussians on 91 × 91 labels: defaults beside the paper's setting",
    source: "EG (arXiv 2402.07846), Fig. 5 left and middle",
    quantity: "KL(model ‖ target), nats",
    minutes: 20.0,
    seeds: 1,
    run,
};

/// Labels of each of the two sites.
const CATEGORIES: usize = 91;
const TARGETS: [&str; 2] = ["pinwheel", "eight-gaussians"];

/// A way to train.
struct Setting {
    name: &'static str,
    caption: &'static str,
    colour: Rgb,
    recipe: fn() -> Recipe,
    steps: u64,
    quick_steps: u64,
    sampler: Sampler,
    /// Samples with `--quick`: as many as fit in some seconds.
    quick_samples: usize,
}

const SETTINGS: [Setting; 2] = [
    Setting {
        name: "defaults",
        caption: "Segre, defaults",
        colour: BLUE,
        recipe: Recipe::default,
        steps: 4000,
        quick_steps: 300,
        sampler: Sampler::Sequential,
        quick_samples: 20_000,
    },
    Setting {
        name: "paper",
        caption: "the paper's setting",
        colour: VERMILION,
        // EG, Appendix A.
        recipe: || {
            Recipe::default()
                .path(PathKind::EGeodesic)
                .head(Head::Field)
                .network(NetworkKind::Dense)
                .hidden(256)
                .learning_rate(5e-4)
                .batch_size(512)
        },
        steps: 2000,
        quick_steps: 400,
        sampler: Sampler::Rk4,
        quick_samples: 5_000,
    },
];

fn run(run: &mut Run) -> Result<WriteUp> {
    let seeds = run.seeds();
    let quick = run.quick();
    run.plan(TARGETS.len() * SETTINGS.len() * seeds.len());
    for target in TARGETS {
        for setting in &SETTINGS {
            for &seed in &seeds {
                let columns = [("target", target), ("setting", setting.name)];
                run.cell(&columns, seed, |cell| {
                    let steps = if quick {
                        setting.quick_steps
                    } else {
                        setting.steps
                    };
                    let samples = if quick {
                        setting.quick_samples
                    } else {
                        512_000
                    };
                    let fitted = cell.fit(target, (setting.recipe)().steps(steps))?;
                    let options = by(setting.sampler);
                    let (measured, samples) = cell.divergence(&fitted, samples, &options)?;
                    let found = frequencies(samples.data.labels(), [CATEGORIES; 2]);
                    write_histogram(cell, &file(target, setting.name, seed), &found)?;
                    let wanted = probabilities(target)?;
                    let divergence = |site| kl(&marginal(&found, site), &marginal(&wanted, site));
                    Ok(measured
                        .and("kl_first_marginal", divergence(0))
                        .and("kl_second_marginal", divergence(1)))
                })?;
            }
        }
    }
    let mut write_up = WriteUp {
        shown: vec![
            ("kl_first_marginal", "KL of the first marginal"),
            ("kl_second_marginal", "of the second"),
        ],
        notes: NOTES.to_owned(),
        ..WriteUp::default()
    };
    write_up.publish(&[("setting", "paper")], "a histogram, no number");
    for target in TARGETS {
        draw(run, target, seeds[0], &mut write_up)?;
    }
    Ok(write_up)
}

fn file(target: &str, setting: &str, seed: u64) -> String {
    format!("{target}-{setting}-seed{seed}.csv")
}

/// Writes the cells of a histogram that are not empty.
fn write_histogram(cell: &mut Cell, name: &str, found: &[f64]) -> Result<()> {
    let mut text = String::from("first,second,frequency\n");
    for (place, frequency) in found.iter().enumerate().filter(|(_, f)| **f > 0.0) {
        let (first, second) = (place / CATEGORIES, place % CATEGORIES);
        text += &format!("{first},{second},{frequency:.9}\n");
    }
    cell.write(name, text.as_bytes())
}

fn read_histogram(text: &str) -> Result<Vec<f64>> {
    let mut found = vec![0.0; CATEGORIES * CATEGORIES];
    for record in csv::Reader::from_reader(text.as_bytes()).deserialize() {
        let (first, second, frequency): (usize, usize, f64) = record?;
        let cell = found.get_mut(first * CATEGORIES + second);
        *cell.context("a histogram with labels out of range")? = frequency;
    }
    Ok(found)
}

/// The target's probabilities, `[first, second]`.
fn probabilities(target: &str) -> Result<Vec<f64>> {
    let target = DataSource::parse(target)?.known_distribution();
    let target = target.context("a built-in distribution")?;
    let target: &dyn KnownDistribution = target.as_ref();
    let labels = 0..CATEGORIES as u16;
    let pairs = labels
        .clone()
        .flat_map(|first| labels.clone().map(move |second| [first, second]));
    Ok(pairs.map(|pair| target.log_pmf(&pair).exp()).collect())
}

fn marginal(joint: &[f64], site: usize) -> Vec<f64> {
    let mut sums = vec![0.0; CATEGORIES];
    for (place, p) in joint.iter().enumerate() {
        sums[[place / CATEGORIES, place % CATEGORIES][site]] += p;
    }
    sums
}

fn kl(found: &[f64], wanted: &[f64]) -> f64 {
    let pairs = found.iter().zip(wanted).filter(|(p, _)| **p > 0.0);
    pairs.map(|(p, q)| p * (p / q).ln()).sum()
}

fn draw(run: &mut Run, target: &str, seed: u64, write_up: &mut WriteUp) -> Result<()> {
    let wanted = probabilities(target)?;
    let mut found = Vec::new();
    for setting in &SETTINGS {
        found.push(read_histogram(&run.read(&file(
            target,
            setting.name,
            seed,
        ))?)?);
    }
    let mut maps = vec![HeatMap {
        caption: "target",
        probabilities: &wanted,
    }];
    maps.extend(SETTINGS.iter().zip(&found).map(|(setting, found)| HeatMap {
        caption: setting.caption,
        probabilities: found,
    }));
    let sites = SitePair {
        names: ["first label", "second label"],
        categories: [CATEGORIES; 2],
    };
    let name = format!("{target}.png");
    run.picture(&name, &draw_heat_maps(&maps, sites)?)?;
    let caption =
        format!("{target}: probabilities of the target, histograms of the models' samples");
    write_up.pictures.push((name, caption));

    let line = |name: &str, colour, look, joint: &[f64], site| Series {
        name: name.to_owned(),
        colour,
        points: (0..)
            .zip(marginal(joint, site))
            .map(|(k, p)| (f64::from(k), p, 0.0))
            .collect(),
        look,
    };
    let panels = [0, 1].map(|site| {
        let mut series = vec![line("target", INK, Look::Dashed, &wanted, site)];
        series.extend(SETTINGS.iter().zip(&found).map(|(setting, found)| {
            line(setting.caption, setting.colour, Look::Line, found, site)
        }));
        Panel {
            across: Axis {
                name: sites.names[site],
                logarithmic: false,
            },
            up: Axis {
                name: "marginal probability",
                logarithmic: false,
            },
            series,
        }
    });
    let name = format!("{target}-marginals.png");
    let drawing = draw_charts(&format!("Marginals of {target}"), &panels)?;
    run.picture(&name, &drawing)?;
    write_up
        .pictures
        .push((name, format!("{target}: marginals")));
    Ok(())
}

const NOTES: &str = "
The paper prints histograms and no numbers. `defaults` is `segre fit TARGET --steps 4000` (without `--steps` the same
for 90 seconds); `paper` is `segre fit TARGET --path e-geodesic --head field --network dense --hidden 256 --steps 2000
--learning-rate 5e-4 --batch-size 512` (EG, Appendix A), sampled with 32 steps of RK4. The optimiser's warm-up, cosine
decay and averaging of the parameters are Segre's in both.";

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_is_read_as_it_was_written_and_marginals_sum_to_one() {
        let wanted = probabilities("pinwheel").unwrap();
        assert!((wanted.iter().sum::<f64>() - 1.0).abs() < 1e-6);
        for site in [0, 1] {
            let marginal = marginal(&wanted, site);
            assert_eq!(marginal.len(), CATEGORIES);
            assert!(kl(&marginal, &marginal).abs() < 1e-12);
        }
        let found = read_histogram("first,second,frequency\n0,2,0.25\n90,90,0.75\n").unwrap();
        assert_eq!((found[2], found[CATEGORIES * CATEGORIES - 1]), (0.25, 0.75));
        assert_eq!(marginal(&found, 1)[2], 0.25);
        assert!(read_histogram("first,second,frequency\n91,0,1\n").is_err());
    }
}
