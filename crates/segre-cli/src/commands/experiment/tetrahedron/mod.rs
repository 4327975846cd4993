//! The learned flow of two coupled bits in the tetrahedron of their joint distributions (EG, Figures 1 to 3).

mod picture;

use anyhow::Result;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use segre::VectorField;
use segre::flow::sampling::Sampler;
use segre::flow::{Head, Model};
use segre::ode::{Method, Stepping, TimeGrid, integrate_observed};
use segre::recipe::{NetworkKind, PathKind, Recipe};

use self::picture::draw;
use super::Definition;
use super::coupled_binary::{OUTCOMES, TARGET};
use super::fitting::by;
use super::run::Run;
use super::write_up::WriteUp;

pub const DEFINITION: Definition = Definition {
    name: "tetrahedron",
    about: "1000 integral curves on the embedded surface of factorising distributions, ending at the vertices",
    source: "EG (arXiv 2402.07846), Fig. 1, 2, 3",
    quantity: "KL(model ‖ target), nats",
    minutes: 0.2,
    seeds: 1,
    run,
};

/// Steps of RK4 along a curve.
const STEPS: usize = 48;

/// A point of the square `W`: the probability that each bit is 1.
type Place = [f64; 2];

fn run(run: &mut Run) -> Result<WriteUp> {
    let seeds = run.seeds();
    let (steps, samples, curves) = run.choose((600, 65_536, 300), (2000, 512_000, 1000));
    run.plan(seeds.len());
    for &seed in &seeds {
        let columns = [
            ("path", "e-geodesic"),
            ("head", "field"),
            ("network", "linear"),
        ];
        run.cell(&columns, seed, |cell| {
            let recipe = Recipe::default()
                .path(PathKind::EGeodesic)
                .head(Head::Field)
                .network(NetworkKind::Linear)
                .learning_rate(2e-2)
                .steps(steps)
                .batch_size(512);
            let fitted = cell.fit("coupled-binary", recipe)?;
            let (mut measured, _) = cell.divergence(&fitted, samples, &by(Sampler::Rk4))?;
            let found = trajectories(&fitted.model, curves, seed)?;
            cell.write(&file(seed), to_csv(&found).as_bytes())?;
            for (outcome, weight) in OUTCOMES.iter().zip(weights(&found)) {
                measured = measured.and(&format!("weight{outcome}"), weight);
            }
            Ok(measured)
        })?;
    }
    let found = from_csv(&run.read(&file(seeds[0]))?)?;
    let drawing = draw(&found, weights(&found), TARGET);
    run.picture("tetrahedron.png", &drawing)?;
    run.write("tetrahedron.svg", drawing.to_svg().as_bytes())?;
    let mut write_up = WriteUp {
        shown: vec![
            ("weight(0,0)", "weight of (0,0)"),
            ("weight(0,1)", "(0,1)"),
            ("weight(1,0)", "(1,0)"),
            ("weight(1,1)", "(1,1)"),
        ],
        notes: NOTES.to_owned(),
        pictures: vec![(
            "tetrahedron.png".into(),
            "Integral curves of the learned flow, in the tetrahedron and on the square".into(),
        )],
        ..WriteUp::default()
    };
    write_up.publish(&[], "weights 0.45, 0.05, 0.05, 0.45");
    Ok(write_up)
}

fn file(seed: u64) -> String {
    format!("trajectories-seed{seed}.csv")
}

/// Integral curves from the reference distribution, each from the start to the end of the path.
fn trajectories(model: &Model, curves: usize, seed: u64) -> Result<Vec<Vec<Place>>> {
    let field = |state, time| model.velocity(state, time);
    let field: &dyn VectorField = &field;
    let manifold = model.manifold();
    let start = manifold.reference_noise(curves, &mut ChaCha8Rng::seed_from_u64(seed));
    let stepping = Stepping::Fixed {
        method: Method::Rk4,
        grid: TimeGrid::uniform(0.0, model.gaussian_path()?.end_time(), STEPS)?,
    };
    let mut found = vec![Vec::with_capacity(STEPS + 1); curves];
    integrate_observed(field, start, &stepping, &mut |_, state| {
        let points = manifold
            .point(state.clone())
            .into_data()
            .iter::<f64>()
            .collect::<Vec<_>>();
        // Two sites with two labels: of each site the probability of label 1.
        for (curve, point) in found.iter_mut().zip(points.chunks(4)) {
            curve.push([point[1], point[3]]);
        }
    })?;
    Ok(found)
}

/// The share of curves that end at each vertex.
fn weights(curves: &[Vec<Place>]) -> [f64; 4] {
    let mut weights = [0.0; 4];
    for curve in curves {
        weights[end(curve)] += 1.0 / curves.len() as f64;
    }
    weights
}

/// The index of the vertex that a curve ends at.
fn end(curve: &[Place]) -> usize {
    let [first, second] = curve.last().copied().unwrap_or_default();
    2 * usize::from(first > 0.5) + usize::from(second > 0.5)
}

fn to_csv(curves: &[Vec<Place>]) -> String {
    let mut text = String::from("curve,step,first_is_1,second_is_1\n");
    for (curve, places) in curves.iter().enumerate() {
        for (step, [first, second]) in places.iter().enumerate() {
            text += &format!("{curve},{step},{first:.5},{second:.5}\n");
        }
    }
    text
}

fn from_csv(text: &str) -> Result<Vec<Vec<Place>>> {
    let mut curves: Vec<Vec<Place>> = Vec::new();
    for record in csv::Reader::from_reader(text.as_bytes()).deserialize() {
        let (curve, _, first, second): (usize, usize, f64, f64) = record?;
        if curve >= curves.len() {
            curves.push(Vec::new());
        }
        if let Some(last) = curves.last_mut() {
            last.push([first, second]);
        }
    }
    Ok(curves)
}

const NOTES: &str = "
The tetrahedron holds all joint distributions of two bits; its vertices are the four labelings. The surface is the
image of the Segre embedding `T(W) = ((1−a)(1−b), (1−a) b, a (1−b), a b)` of the square of factorising distributions,
`a` and `b` being the probabilities that the first and the second bit is 1. The target `p` is no point of the surface:
the point of the surface with the same marginals is the barycentre. Every curve solves the learned flow from noise
around the barycentre; it stays on the surface and ends near a vertex. The mean of the vertices, weighted with the
shares of the curves that end there, is the model's joint distribution, and lies at the target. Of 1000 curves a share
of 0.45 has a standard error of 0.016, one of 0.05 of 0.007; the KL in the table is from many more samples.";

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn curves_survive_the_file() {
        let curves = vec![
            vec![[0.5, 0.5], [0.25, 0.75], [0.0, 1.0]],
            vec![[0.5, 0.25], [1.0, 1.0]],
        ];
        assert_eq!(from_csv(&to_csv(&curves)).unwrap(), curves);
        assert_eq!(weights(&curves), [0.0, 0.5, 0.0, 0.5]);
    }
}
