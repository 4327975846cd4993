//! Critical Ising models on tori: networks fitted to Swendsen–Wang samples or without data, and what their importance
//! weights say of the free energy.

use std::time::Duration;

use anyhow::{Context, Result};
use segre::data::Dataset;
use segre::energy::{ChainSampleOptions, EnergyModel, GridModel, chain_samples};
use segre::flow::Model;
use segre::neural::{WeightedRows, pairwise_prior};
use segre::randomized::schema_of;
use segre::recipe::{Facts, Recipe};

use super::Definition;
use super::results::Measured;
use super::run::{Cell, Run};
use super::write_up::WriteUp;
use crate::interrupt;
use segre_report::pictures::chart::{Axis, Look, Panel, Series, draw_charts};
use segre_report::pictures::colour::{INK, viridis};

pub const DEFINITION: Definition = Definition {
    name: "ising-critical",
    about: "Critical Ising models on tori: free energy by networks, from samples and without data",
    source: "Kaufman 1949; free energies of neural samplers as since arXiv 1809.10606",
    quantity: "F/L² = −log Z/(β L²)",
    minutes: 150.0,
    seeds: 1,
    run,
};

const SAMPLES: &str = "from samples";
const DATA_FREE: &str = "data-free";
const METHODS: [&str; 2] = [SAMPLES, DATA_FREE];
/// Part of a cell that is training, and up to which rows are drawn.
const TRAINING: f64 = 0.8;
/// Parts of a histogram.
const PARTS: usize = 24;

/// A torus at the critical point.
struct Torus {
    side: usize,
    /// `β_c = ln(1 + √2)/2` of spins ±1 with `J = 1`.
    beta: f64,
    grid: GridModel,
    model: EnergyModel,
}

impl Torus {
    fn critical(side: usize) -> Self {
        let beta = 0.5 * (1.0 + 2_f64.sqrt()).ln();
        let grid = GridModel {
            rows: side,
            columns: side,
            states: 2,
            coupling: 2.0 * beta,
            field: 0.0,
            boundary: 0.0,
            periodic: true,
        };
        let model = grid.build();
        Self {
            side,
            beta,
            grid,
            model,
        }
    }

    fn sites(&self) -> f64 {
        (self.side * self.side) as f64
    }

    /// `−log Z/(β L²)` of spins from the `log Z` of the model, whose energy counts unequal neighbours.
    fn free_energy(&self, log_z: f64) -> f64 {
        -(log_z / self.sites() + 2.0 * self.beta) / self.beta
    }

    /// `E/L²` of spins with `J = 1`.
    fn energy_per_site(&self, energy: f64) -> f64 {
        energy / (self.beta * self.sites()) - 2.0
    }

    /// States of Swendsen–Wang chains.
    fn swendsen_wang(&self, count: usize, seed: u64) -> Result<Dataset> {
        let options = ChainSampleOptions {
            seed,
            ..ChainSampleOptions::default()
        };
        let found = chain_samples(&self.model, count, &options, &mut interrupt::Listener)?;
        let schema = schema_of(&self.model, Some(&self.grid))?;
        Ok(Dataset::new(schema, found.labels)?)
    }
}

/// Mean spin of a row.
fn magnetisation(row: &[u16]) -> f64 {
    let up: f64 = row.iter().map(|label| f64::from(*label)).sum();
    2.0 * up / row.len() as f64 - 1.0
}

/// Energy and magnetisation of a row, and its weight.
type Seen = (f64, f64, f64);

fn run(run: &mut Run) -> Result<WriteUp> {
    let sides = run.choose([4, 6], [16, 24]);
    let seeds = run.seeds();
    let quick = run.quick();
    run.plan(sides.len() * METHODS.len() * seeds.len());
    let mut pictures = Vec::new();
    for side in sides {
        let torus = Torus::critical(side);
        for method in METHODS {
            for &seed in &seeds {
                let settings = [("side", &*side.to_string()), ("method", method)];
                run.cell(&settings, seed, |cell| measure(&torus, method, quick, cell))?;
            }
        }
        let name = format!("histograms-{side}.png");
        let lines = histograms(run, side, seeds[0])?;
        let title = format!("{side} × {side}, critical");
        let picture = draw_charts(&title, &lines)?;
        run.picture(&name, &picture)?;
        let caption =
            format!("Energy and magnetisation of {side} × {side}, drawn rows without weights");
        pictures.push((name, caption));
    }
    let mut write_up = WriteUp {
        shown: vec![
            ("variational", "variational F/L²"),
            ("effective_share", "effective share"),
            ("energy", "⟨E⟩/L², weighted"),
            ("energy_swendsen_wang", "⟨E⟩/L², Swendsen–Wang"),
            ("magnetisation", "⟨|m|⟩, weighted"),
            ("magnetisation_swendsen_wang", "⟨|m|⟩, Swendsen–Wang"),
            ("minutes", "minutes"),
        ],
        notes: NOTES.to_owned(),
        pictures,
        ..WriteUp::default()
    };
    write_up.publish(
        &[("side", "24")],
        "exact −2.11215 (at β = 0.4407), neural samplers −2.1121",
    );
    Ok(write_up)
}

fn measure(torus: &Torus, method: &str, quick: bool, cell: &mut Cell) -> Result<Measured> {
    let start = std::time::Instant::now();
    let (rows, count) = if quick { (2000, 500) } else { (20_000, 512) };
    cell.tell(0.0, || "Swendsen–Wang".into());
    let reference = torus.swendsen_wang(rows, cell.seed)?;
    let model = fit(torus, method, quick, &reference, cell)?;
    let seed = cell.seed.wrapping_add(1);
    let (energy, sites) = (&torus.model, torus.side * torus.side);
    let mut watch = cell.watch(TRAINING..1.0, "drawing");
    let weighted = WeightedRows::draw(&model, energy, count, sites, seed, &mut watch)?;
    let found = weighted.estimate(1.0);
    let logs = weighted.log_weights(1.0);
    let of_row = |((row, energy), log): ((&[u16], &f64), &f64)| {
        let weight = (log - found.log_z.value).exp();
        (torus.energy_per_site(*energy), magnetisation(row), weight)
    };
    let pairs = weighted.data().iter().zip(weighted.energies()).zip(&logs);
    let own: Vec<Seen> = pairs.map(of_row).collect();
    store(cell, torus.side, method, &own)?;
    let plain = WeightedRows::new(reference, vec![0.0; rows], energy);
    let pairs = plain.data().iter().zip(plain.energies());
    let pairs =
        pairs.map(|(row, energy)| (torus.energy_per_site(*energy), magnetisation(row), 1.0));
    let others: Vec<Seen> = pairs.collect();
    store(cell, torus.side, "swendsen-wang", &others)?;
    let mean = |rows: &[Seen], value: &dyn Fn(&Seen) -> f64| {
        let total: f64 = rows.iter().map(|row| row.2).sum();
        rows.iter().map(|row| row.2 * value(row)).sum::<f64>() / total
    };
    let scale = torus.beta * torus.sites();
    let measured = Measured {
        value: torus.free_energy(found.log_z.value),
        std_error: Some(found.log_z.std_error / scale),
        floor: torus
            .grid
            .torus_log_z()
            .map(|log_z| torus.free_energy(log_z)),
        ..Measured::default()
    };
    Ok(measured
        .and("variational", torus.free_energy(found.bound.value))
        .and("effective_share", found.effective_share)
        .and("energy", mean(&own, &|row| row.0))
        .and("energy_swendsen_wang", mean(&others, &|row| row.0))
        .and("magnetisation", mean(&own, &|row| row.1.abs()))
        .and(
            "magnetisation_swendsen_wang",
            mean(&others, &|row| row.1.abs()),
        )
        .and("samples", count as f64)
        .and("parameters", model.parameters() as f64)
        .and("minutes", start.elapsed().as_secs_f64() / 60.0))
}

fn fit(
    torus: &Torus,
    method: &str,
    quick: bool,
    reference: &Dataset,
    cell: &mut Cell,
) -> Result<Model> {
    let recipe = match quick {
        true => Recipe::default().steps(150),
        false => Recipe::default().time(Duration::from_secs(1800)),
    };
    if method == SAMPLES {
        let prior = pairwise_prior(&torus.model);
        // The network is that of a fit without data, whatever the number of samples.
        let facts = Facts::of_schema(&reference.schema);
        let drawn = Recipe::default().resolve(&facts)?;
        let network = Recipe::resolved(&drawn, &facts).network.kind;
        let recipe = network.into_iter().fold(recipe, Recipe::network);
        return Ok(cell.fit_data(reference.clone(), recipe, prior)?.model);
    }
    cell.fit_data_free(&torus.model, &reference.schema, recipe)
}

fn file(side: usize, method: &str, seed: u64) -> String {
    format!("rows-{side}-{}-seed{seed}.csv", method.replace(' ', "-"))
}

fn store(cell: &mut Cell, side: usize, method: &str, rows: &[Seen]) -> Result<()> {
    let mut text = "energy,magnetisation,weight\n".to_owned();
    for (energy, magnetisation, weight) in rows {
        text += &format!("{energy:.6},{magnetisation:.6},{weight:.6e}\n");
    }
    let name = file(side, method, cell.seed);
    cell.write(&name, text.as_bytes())
}

fn restore(run: &Run, side: usize, method: &str, seed: u64) -> Result<Vec<Seen>> {
    let name = file(side, method, seed);
    let text = run.read(&name)?;
    let row = |line: &str| {
        let mut numbers = line.split(',').map(str::parse::<f64>);
        let mut next = || numbers.next()?.ok();
        Some((next()?, next()?, next()?))
    };
    let rows = text.lines().skip(1).map(row).collect::<Option<_>>();
    rows.with_context(|| format!("{name} is damaged; start anew with --force"))
}

/// Energy and magnetisation of the rows as drawn, beside those of Swendsen–Wang.
fn histograms(run: &Run, side: usize, seed: u64) -> Result<[Panel<'static>; 2]> {
    let mut all = vec![(
        "Swendsen–Wang",
        INK,
        Look::Dashed,
        restore(run, side, "swendsen-wang", seed)?,
    )];
    for (number, method) in METHODS.into_iter().enumerate() {
        let colour = viridis(0.2 + 0.5 * number as f64);
        all.push((
            method,
            colour,
            Look::Line,
            restore(run, side, method, seed)?,
        ));
    }
    let panel = |name: &'static str, value: &dyn Fn(&Seen) -> f64| {
        let values = || all.iter().flat_map(|(.., rows)| rows).map(value);
        let low = values().fold(f64::INFINITY, f64::min);
        let high = values().fold(f64::NEG_INFINITY, f64::max).max(low + 1e-6);
        let width = (high - low) / PARTS as f64;
        let series = all.iter().map(|(name, colour, look, rows)| {
            let mut counts = [0_usize; PARTS];
            for row in rows {
                let part = ((value(row) - low) / width) as usize;
                counts[part.min(PARTS - 1)] += 1;
            }
            let density = |(part, count): (usize, usize)| {
                let middle = low + (part as f64 + 0.5) * width;
                (middle, count as f64 / rows.len() as f64 / width, 0.0)
            };
            Series {
                name: (*name).to_owned(),
                colour: *colour,
                points: counts.into_iter().enumerate().map(density).collect(),
                look: *look,
            }
        });
        let axis = |name| Axis {
            name,
            logarithmic: false,
        };
        Panel {
            across: axis(name),
            up: axis("density"),
            series: series.collect(),
        }
    };
    Ok([
        panel("E/L²", &|row| row.0),
        panel("magnetisation", &|row| row.1),
    ])
}

const NOTES: &str = "
Spins ±1 on an L × L torus with J = 1 at β = ln(1 + √2)/2, where correlations are as long as the torus. The free energy is that of
importance weights, `log mean w` with its error; the variational one is `−E[log w]/(β L²)`, which lies above the truth. The effective
share is Kish's effective sample size over the rows drawn: where it is a few rows, the weighted values and their errors are not to
be trusted, and the variational value is what the network itself has reached. The floor is Kaufman's exact value;
the published −2.11215 of 24 × 24 is that of β rounded to 0.4407.

*From samples* learns 20 000 states of Swendsen–Wang chains, *data-free* rows of its own, weighted and moved by Gibbs sweeps while
the temperature falls. Both have the same network, the masked path and the same time of training.";

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn units_are_those_of_the_published_values() {
        let torus = Torus::critical(24);
        let exact = torus.grid.torus_log_z().unwrap();
        assert!((torus.free_energy(exact) + 2.112_172_7).abs() < 1e-7);
        let aligned = torus.model.energy(&[0; 576]);
        assert!((torus.energy_per_site(aligned) + 2.0).abs() < 1e-12);
        assert_eq!(magnetisation(&[1, 1, 0, 1]), 0.5);
    }
}
