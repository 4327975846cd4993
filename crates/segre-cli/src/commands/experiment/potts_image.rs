//! A picture whose subject may be of either of two labels: joint samples against pixelwise ones (RAF, Fig. 1).

use anyhow::{Context, Result};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use segre::data::{Class, Dataset, Layout, Schema, Vocabulary};
use segre::energy::{ChainSampleOptions, EnergyModel, Factor, chain_samples};
use segre::learning::Budget;
use segre::randomized::{
    Coupling, Covariance, Objective, Parametrisation, RandomizedConfig, Target, TrainingConfig,
};

use super::Definition;
use super::ising::uniform;
use super::results::Measured;
use super::run::Run;
use super::write_up::WriteUp;
use crate::interrupt;
use segre_report::pictures::colour::INK;
use segre_report::pictures::drawing::{Anchor, Drawing, Style};

pub const DEFINITION: Definition = Definition {
    name: "potts-image",
    about: "A Potts model of a picture with an ambiguous subject: joint samples against pixelwise marginal ones",
    source: "RAF (SSVM 2023), Fig. 1",
    quantity: "share of the subject's pixels that have its most frequent label",
    minutes: 6.0,
    seeds: 1,
    run,
};

/// Side of the picture.
const SIDE: usize = 64;
const LABELS: usize = 3;
/// Pictures of each kind in the figure.
const SHOWN: usize = 6;
/// Nats for a pixel of the background to be of the subject, and the other way round.
const CONTRAST: f64 = 2.5;
/// Largest preference of a subject's pixel for one of its two labels: noise without a mean.
const NOISE: f64 = 0.1;
/// Nats for neighbours of different labels.
const COUPLING: f64 = 1.4;

const TARGET: &str = "model (chain)";
const JOINT: &str = "randomised flow";
const PIXELWISE: &str = "pixelwise marginals";
const KINDS: [&str; 3] = [TARGET, JOINT, PIXELWISE];

/// Whether a pixel belongs to the subject: a fish.
fn subject(row: usize, column: usize) -> bool {
    let (x, y) = (column as f64 - 28.0, row as f64 - 32.0);
    let body = (x / 22.0).powi(2) + (y / 13.0).powi(2) < 1.0;
    let tail = (18.0..=32.0).contains(&x) && y.abs() < 2.0 + 0.8 * (x - 18.0);
    let fin = (-4.0..=10.0).contains(&x) && y < -8.0 && y > -20.0 + 0.8 * (x + 4.0);
    let eye = (x + 13.0).powi(2) + (y + 3.0).powi(2) < 4.0;
    (body || tail || fin) && !eye
}

/// The Potts model: the background is known, the subject is of label 1 or 2, and each of its pixels says something
/// else of that.
fn picture() -> EnergyModel {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut factors = Vec::new();
    let noise: Vec<f64> = (0..SIDE * SIDE)
        .map(|_| NOISE * (2.0 * uniform(&mut rng) - 1.0))
        .collect();
    let sites = || (0..SIDE).flat_map(|row| (0..SIDE).map(move |column| (row, column)));
    let of_subject = || sites().filter(|(row, column)| subject(*row, *column));
    let mean =
        of_subject().map(|(r, c)| noise[r * SIDE + c]).sum::<f64>() / of_subject().count() as f64;
    for (row, column) in sites() {
        let site = row * SIDE + column;
        let own = noise[site] - mean;
        let field = match subject(row, column) {
            true => vec![-CONTRAST, own, -own],
            false => vec![0.0, -CONTRAST, -CONTRAST],
        };
        factors.push(Factor::new(vec![site], vec![LABELS], field));
        let mut join = |other| {
            let different = |k: usize| {
                if k / LABELS == k % LABELS {
                    0.0
                } else {
                    -COUPLING
                }
            };
            let table = (0..LABELS * LABELS).map(different).collect();
            factors.push(Factor::new(vec![site, other], vec![LABELS; 2], table));
        };
        if column + 1 < SIDE {
            join(site + 1);
        }
        if row + 1 < SIDE {
            join(site + SIDE);
        }
    }
    EnergyModel::new(vec![LABELS; SIDE * SIDE], factors)
}

fn schema() -> Schema {
    let class = |(name, colour): (&str, [u8; 3])| Class {
        name: name.into(),
        colour: Some(colour),
    };
    let names = (0..SIDE * SIDE).map(|site| format!("r{}c{}", site / SIDE, site % SIDE));
    let layout = Layout::Image {
        height: SIDE,
        width: SIDE,
        pad_to: None,
    };
    let classes = COLOURS.map(class).into();
    Schema::shared(layout, names.collect(), Vocabulary::Classes { classes })
}

const COLOURS: [(&str, [u8; 3]); LABELS] = [
    ("background", [222, 222, 226]),
    ("first", [0, 114, 178]),
    ("second", [213, 94, 0]),
];

fn run(run: &mut Run) -> Result<WriteUp> {
    let model = picture();
    let (steps, rows, drawn) = run.choose((100, 500, 100), (400, 2000, 500));
    let seeds = run.seeds();
    run.plan(KINDS.len() * seeds.len());
    for &seed in &seeds {
        let mut chain = None;
        for kind in KINDS {
            run.cell(&[("samples", kind)], seed, |cell| {
                if chain.is_none() {
                    let options = ChainSampleOptions {
                        chains: 50,
                        burn_in: 200,
                        thinning: 5,
                        seed,
                    };
                    let found = chain_samples(&model, rows, &options, &mut interrupt::Listener)?;
                    chain = Some(Dataset::new(schema(), found.labels)?);
                }
                let target = chain.as_ref().context("the chain's states")?;
                let data = match kind {
                    TARGET => every(target, drawn)?,
                    PIXELWISE => pixelwise(target, drawn, seed)?,
                    _ => {
                        let training = TrainingConfig {
                            budget: Budget {
                                steps: Some(steps),
                                seconds: None,
                            },
                            objective: Objective::Forward,
                            draws: 32,
                            batch_size: 64,
                            ..TrainingConfig::default()
                        };
                        let samples = Target {
                            samples: Some(target),
                            energy: Some(&model),
                        };
                        let flow = cell.fit_randomized(config(), training, schema(), samples)?;
                        cell.sample_randomized(&flow, drawn)?
                    }
                };
                let first = data.select(&(0..SHOWN.min(data.rows())).collect::<Vec<_>>());
                cell.write(&file(kind, seed), to_text(&first).as_bytes())?;
                let (coherence, std_error, first_label) = coherence(&data);
                let energy: Vec<f64> = data.iter().map(|row| energy(&model, row)).collect();
                Ok(Measured {
                    value: coherence,
                    std_error: Some(std_error),
                    ..Measured::default()
                }
                .and("first_label", first_label)
                .and("energy", energy.iter().sum::<f64>() / energy.len() as f64)
                .and("samples", data.rows() as f64))
            })?;
        }
    }
    let mut kinds = Vec::new();
    for kind in KINDS {
        kinds.push((kind, from_text(&run.read(&file(kind, seeds[0]))?)?));
    }
    run.picture("potts-image.png", &draw(&kinds))?;
    Ok(WriteUp {
        shown: vec![
            ("first_label", "share of pictures with the first label"),
            ("energy", "⟨E⟩"),
        ],
        notes: NOTES.to_owned(),
        pictures: vec![(
            "potts-image.png".into(),
            "Samples of the Potts model, of the randomised flow fitted to it, and of its pixelwise marginals".into(),
        )],
        ..WriteUp::default()
    })
}

/// A convolution over the picture, random together with the initial point.
fn config() -> RandomizedConfig {
    RandomizedConfig {
        coupling: Coupling::Convolution {
            height: SIDE,
            width: SIDE,
            kernel: 3,
        },
        parametrisation: Parametrisation::General,
        covariance: Covariance::LowRank { rank: 8 },
        random_start: true,
        end_time: 1.0,
        step: 0.1,
    }
}

/// So many rows, spread over all chains.
fn every(data: &Dataset, count: usize) -> Result<Dataset> {
    let count = count.min(data.rows());
    let rows: Vec<usize> = (0..count).map(|k| k * data.rows() / count).collect();
    Ok(data.select(&rows))
}

/// Every pixel by its own frequencies alone.
fn pixelwise(data: &Dataset, count: usize, seed: u64) -> Result<Dataset> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut labels = Vec::with_capacity(count * data.sites());
    for _ in 0..count {
        for site in 0..data.sites() {
            let row = (uniform(&mut rng) * data.rows() as f64) as usize;
            labels.push(data.row(row)[site]);
        }
    }
    Ok(Dataset::new(data.schema.clone(), labels)?)
}

/// Mean share of the most frequent of the two labels in the subject, its standard error, and the share of pictures
/// where that is the first.
fn coherence(data: &Dataset) -> (f64, f64, f64) {
    let (mut shares, mut firsts) = (Vec::new(), 0.0);
    for row in data.iter() {
        let mut counts = [0.0; LABELS];
        for (site, label) in row.iter().enumerate() {
            if subject(site / SIDE, site % SIDE) {
                counts[usize::from(*label)] += 1.0;
            }
        }
        let total: f64 = counts.iter().sum();
        shares.push(counts[1].max(counts[2]) / total);
        firsts += f64::from(u8::from(counts[1] > counts[2]));
    }
    let rows = shares.len() as f64;
    let mean = shares.iter().sum::<f64>() / rows;
    let squares: f64 = shares.iter().map(|share| (share - mean).powi(2)).sum();
    (
        mean,
        (squares / (rows - 1.0).max(1.0) / rows).sqrt(),
        firsts / rows,
    )
}

fn energy(model: &EnergyModel, row: &[u16]) -> f64 {
    let labels: Vec<usize> = row.iter().map(|label| usize::from(*label)).collect();
    model.energy(&labels)
}

fn file(kind: &str, seed: u64) -> String {
    let name: String = kind.chars().filter(char::is_ascii_alphabetic).collect();
    format!("{name}-seed{seed}.txt")
}

/// A line of digits for every row of pixels.
fn to_text(data: &Dataset) -> String {
    let line = |labels: &[u16]| labels.iter().map(u16::to_string).collect::<String>() + "\n";
    data.labels().chunks(SIDE).map(line).collect()
}

fn from_text(text: &str) -> Result<Dataset> {
    let digits = text.chars().filter_map(|c| c.to_digit(10));
    let labels: Result<Vec<u16>, _> = digits.map(u16::try_from).collect();
    Ok(Dataset::new(schema(), labels?)?)
}

const NAME: Style = Style {
    size: 18.0,
    bold: false,
    colour: INK,
};
const MARGIN: f32 = 14.0;
const NAMES: f32 = 190.0;
const PIXEL: f32 = 2.0;

/// A line of pictures for every kind.
fn draw(kinds: &[(&str, Dataset)]) -> Drawing {
    let tile = PIXEL * SIDE as f32;
    let step = tile + MARGIN;
    let mut drawing = Drawing::new(
        NAMES + SHOWN as f32 * step + MARGIN,
        kinds.len() as f32 * step + MARGIN,
    );
    for (line, (name, data)) in kinds.iter().enumerate() {
        let top = MARGIN + line as f32 * step;
        drawing.text((MARGIN, top + tile / 2.0), Anchor::Start, NAME, name);
        for (number, row) in data.iter().take(SHOWN).enumerate() {
            let left = NAMES + number as f32 * step;
            let colours: Vec<_> = row
                .iter()
                .map(|label| COLOURS[usize::from(*label)].1)
                .collect();
            drawing.pixels((left, top), (tile, tile), SIDE, &colours);
        }
    }
    drawing
}

const NOTES: &str = "
A Potts model on 64 × 64 pixels of our own making: background and subject are known, but the subject is of either of two labels,
and each of its pixels prefers one of them a little, without a mean. So the model has two modes, which differ in the label of the
whole subject.

The randomised flow has a 3 × 3 convolution with three channels, random together with the initial point by a factor of eight rows,
and is trained by the likelihood of states of Swendsen–Wang chains. Its samples are of one label or the other. The pixelwise
samples have the same marginals, and mix both labels within one subject. The first picture of each kind is the first of the samples,
not chosen.";

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use segre::randomized::schema_of;

    #[test]
    fn the_subject_is_balanced_and_pictures_survive_the_file() {
        let pixels = (0..SIDE * SIDE).filter(|site| subject(site / SIDE, site % SIDE));
        let count = pixels.count();
        assert!((600..1600).contains(&count), "{count}");
        let model = picture();
        let of = |label: u16| -> Vec<u16> {
            let place = |site: usize| u16::from(subject(site / SIDE, site % SIDE)) * label;
            (0..SIDE * SIDE).map(place).collect()
        };
        assert!((energy(&model, &of(1)) - energy(&model, &of(2))).abs() < 1e-6);
        assert_eq!(
            schema().cardinalities(),
            schema_of(&model, None).unwrap().cardinalities()
        );
        let data = Dataset::new(schema(), [of(1), of(2)].concat()).unwrap();
        assert_eq!(from_text(&to_text(&data)).unwrap(), data);
        assert_eq!(coherence(&data), (1.0, 0.0, 0.5));
    }
}
