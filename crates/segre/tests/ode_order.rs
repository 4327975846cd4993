//! Observed order of every integrator, adaptive error control, and the failures it reports.
//!
//! The flow: `V̇ = cos(t) A V` in e-coordinates, `A` mixing the sites, has the solution
//! `V(t) = exp(sin(t) A) V(0)`. On the manifold it is `Ẇ = R_W[cos(t) A log W]`, nonlinear and
//! non-autonomous, with the known solution `softmax(V(t))`.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

use burn::tensor::{DType, Device, Tensor, TensorData};
use segre::InvalidSetting;
use segre::VectorField;
use segre::geometry::simplex;
use segre::ode::OdeError;
use segre::ode::{
    AdaptiveOptions, Method, OdeSolution, Stepping, TimeGrid, integrate, integrate_observed,
};
use segre::path::{EGeodesic, GaussianPath};

const SITES: usize = 3;
const CATEGORIES: usize = 4;
const COUPLING: [[f64; SITES]; SITES] = [[0.3, -1.0, 0.4], [0.8, -0.2, -0.9], [-0.5, 0.7, 0.1]];
const END: f64 = 2.2;

/// `exp(scale · COUPLING)` by its power series.
fn propagator(scale: f64) -> [[f64; SITES]; SITES] {
    let identity = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))));
    let (mut sum, mut term): (_, [[f64; SITES]; SITES]) = (identity, identity);
    for k in 1..40 {
        let product =
            |i: usize, j: usize| (0..SITES).map(|l| term[i][l] * COUPLING[l][j]).sum::<f64>();
        term =
            std::array::from_fn(|i| std::array::from_fn(|j| product(i, j) * scale / f64::from(k)));
        sum = std::array::from_fn(|i| std::array::from_fn(|j| sum[i][j] + term[i][j]));
    }
    sum
}

/// Sites mixed by a matrix.
fn mix(matrix: [[f64; SITES]; SITES], state: Tensor<3>) -> Tensor<3> {
    let options = (&state.device(), state.dtype());
    let matrix = Tensor::<2>::from_data(TensorData::from(matrix), options);
    matrix
        .unsqueeze::<3>()
        .expand([state.dims()[0], SITES, SITES])
        .matmul(state)
}

fn start() -> Tensor<3> {
    let wave = |k: usize| (1.0 + 2.3 * k as f64).sin();
    let values: Vec<f64> = (0..2 * SITES * CATEGORIES).map(wave).collect();
    let data = TensorData::new(values, [2, SITES, CATEGORIES]);
    simplex::project(Tensor::from_data(data, (&Device::flex(), DType::F64)))
}

fn exact(time: f64) -> Tensor<3> {
    mix(propagator(time.sin()), start())
}

/// The field in e-coordinates.
fn flat(state: Tensor<3>, time: Tensor<1>) -> Tensor<3> {
    let batch = time.dims()[0];
    mix(COUPLING, state) * time.cos().reshape([batch, 1, 1])
}

/// The same field on the manifold.
fn curved(point: Tensor<3>, time: Tensor<1>) -> Tensor<3> {
    simplex::replicator(point.clone(), flat(simplex::coordinates(point), time))
}

fn distance(a: Tensor<3>, b: Tensor<3>) -> f64 {
    (a - b).abs().max().into_scalar()
}

/// Root mean square difference: smooth in the step, where a maximum changes between entries.
fn mean_distance(a: Tensor<3>, b: Tensor<3>) -> f64 {
    (a - b).square().mean().sqrt().into_scalar()
}

fn fixed(method: Method, start: f64, end: f64, steps: usize) -> Stepping {
    Stepping::Fixed {
        method,
        grid: TimeGrid::uniform(start, end, steps).unwrap(),
    }
}

fn adaptive(start: f64, end: f64, tolerance: f64) -> Stepping {
    let options = AdaptiveOptions {
        relative_tolerance: tolerance,
        absolute_tolerance: tolerance,
        ..AdaptiveOptions::default()
    };
    Stepping::Adaptive {
        start,
        end,
        options,
    }
}

/// Slope of the regression line through `(log x, log y)`.
fn slope(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = logs.len() as f64;
    let (x, y) = logs
        .iter()
        .fold((0.0, 0.0), |(a, b), (x, y)| (a + x / count, b + y / count));
    let covariance: f64 = logs.iter().map(|(a, b)| (a - x) * (b - y)).sum();
    covariance / logs.iter().map(|(a, _)| (a - x).powi(2)).sum::<f64>()
}

#[test]
fn every_method_has_its_claimed_order() {
    // Steps small enough for the leading error term, large enough to stay above rounding.
    let cases = [
        (Method::Euler, [1600, 2400, 3200, 4800]),
        (Method::Heun, [200, 300, 400, 600]),
        (Method::Rk4, [60, 90, 120, 180]),
        (Method::DormandPrince, [70, 90, 120, 150]),
    ];
    let fields: [(&str, &dyn VectorField, Tensor<3>, Tensor<3>); 2] = [
        (
            "on the manifold",
            &curved,
            simplex::point(start()),
            simplex::point(exact(END)),
        ),
        ("in e-coordinates", &flat, start(), exact(END)),
    ];
    for (method, counts) in cases {
        for (place, field, start, end) in &fields {
            let error = |steps: usize| {
                let solution = integrate(*field, start.clone(), &fixed(method, 0.0, END, steps));
                (
                    1.0 / steps as f64,
                    mean_distance(solution.unwrap().state, end.clone()),
                )
            };
            let observed = slope(&counts.map(error));
            println!("{method:?} {place}: observed order {observed:.3}");
            let claimed = method.tableau().order as f64;
            assert!(
                (observed - claimed).abs() < 0.1,
                "{method:?} {place}: {observed}"
            );
        }
    }
}

#[test]
fn the_adaptive_error_follows_the_tolerance() {
    let tolerances = [1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11];
    let points = tolerances.map(|tolerance| {
        let solution = integrate(&flat, start(), &adaptive(0.0, END, tolerance)).unwrap();
        let error = distance(solution.state.clone(), exact(END));
        println!(
            "tolerance {tolerance:e}: error {error:e}, {} steps",
            solution.accepted
        );
        assert!(
            error < 10.0 * tolerance,
            "error {error:e} at tolerance {tolerance:e}"
        );
        // Two evaluations find the first step; the last stage of a step is the first of the next.
        let attempts = solution.accepted + solution.rejected;
        assert_eq!(solution.evaluations, 2 + 6 * attempts);
        (tolerance, error)
    });
    let observed = slope(&points);
    println!("slope of error on tolerance {observed:.3}");
    assert!((observed - 1.0).abs() < 0.15, "slope {observed}");
}

#[test]
fn fixed_methods_cost_their_stages() {
    let evaluations = Method::ALL.map(|method| {
        let solution = integrate(&flat, start(), &fixed(method, 0.0, END, 10)).unwrap();
        assert_eq!((solution.accepted, solution.rejected), (10, 0));
        solution.evaluations
    });
    assert_eq!(evaluations, [10, 20, 40, 61]);
}

#[test]
fn backward_undoes_forward() {
    for (forward, backward, tolerance) in [
        (
            fixed(Method::Rk4, 0.0, END, 100),
            fixed(Method::Rk4, END, 0.0, 100),
            1e-6,
        ),
        (
            fixed(Method::DormandPrince, 0.0, END, 100),
            fixed(Method::DormandPrince, END, 0.0, 100),
            1e-9,
        ),
        (adaptive(0.0, END, 1e-11), adaptive(END, 0.0, 1e-11), 1e-9),
    ] {
        let there = integrate(&flat, start(), &forward).unwrap().state;
        assert!(distance(there.clone(), start()) > 0.1, "the flow must move");
        let back = integrate(&flat, there, &backward).unwrap().state;
        assert!(distance(back, start()) < tolerance, "{forward:?}");
    }
}

/// An example's error does not depend on its company: idle examples do not dilute the norm.
#[test]
fn the_error_norm_is_per_example() {
    let alone = start().narrow(0, 0, 1);
    let idle = Tensor::zeros([63, SITES, CATEGORIES], (&Device::flex(), DType::F64));
    let crowd = Tensor::cat(vec![alone.clone(), idle], 0);
    let run = |start| integrate(&flat, start, &adaptive(0.0, END, 1e-6)).unwrap();
    let (one, many): (OdeSolution, OdeSolution) = (run(alone), run(crowd));
    assert_eq!(one.evaluations, many.evaluations);
    assert!(distance(one.state, many.state.narrow(0, 0, 1)) < 1e-12);
}

#[test]
fn single_precision_stays_single() {
    let field = |state: Tensor<3>, time: Tensor<1>| {
        assert_eq!((state.dtype(), time.dtype()), (DType::F32, DType::F32));
        flat(state, time)
    };
    for stepping in [fixed(Method::Rk4, 0.0, END, 50), adaptive(0.0, END, 1e-5)] {
        let solution = integrate(&field, start().cast(DType::F32), &stepping).unwrap();
        assert_eq!(solution.state.dtype(), DType::F32);
        assert!(distance(solution.state.cast(DType::F64), exact(END)) < 1e-4);
    }
}

#[test]
fn the_observer_sees_the_exact_curve() {
    let mut seen = Vec::new();
    let mut observe = |time: f64, state: &Tensor<3>| {
        assert!(distance(state.clone(), exact(time)) < 1e-6);
        seen.push(time);
    };
    integrate_observed(&flat, start(), &adaptive(0.0, END, 1e-8), &mut observe).unwrap();
    assert_eq!((seen[0], seen[seen.len() - 1]), (0.0, END));
    assert!(seen.windows(2).all(|pair| pair[0] < pair[1]));
}

/// One grid is uniform in log SNR for sites of every cardinality.
#[test]
fn a_log_snr_grid_is_uniform_in_log_snr() {
    let path = GaussianPath::EGeodesic(EGeodesic::default());
    let snrs = (0..13).map(|k| 0.01 * 10_f64.powf(0.5 * f64::from(k)));
    let times = snrs.map(|snr| path.time_at_snr(snr, 5));
    let grid = TimeGrid::new(std::iter::once(0.0).chain(times).collect()).unwrap();
    for categories in [2, 5, 91] {
        let snr: Vec<f64> = grid
            .times()
            .iter()
            .map(|time| path.snr(*time, categories))
            .collect();
        assert_eq!(snr[0], 0.0);
        for pair in snr[1..].windows(2) {
            assert!(((pair[1] / pair[0]).log10() - 0.5).abs() < 1e-9, "{snr:?}");
        }
    }
}

#[test]
fn failures_are_typed() {
    let broken = |state: Tensor<3>, time: Tensor<1>| {
        let late = time
            .greater_elem(1.0)
            .float()
            .cast(state.dtype())
            .reshape([2, 1, 1]);
        state / (1.0 - late)
    };
    let error = integrate(&broken, start(), &fixed(Method::Euler, 0.0, 2.0, 8)).unwrap_err();
    assert!(
        matches!(error, OdeError::NonFiniteState { time } if time == 1.5),
        "{error}"
    );
    let error = integrate(&broken, start(), &adaptive(0.0, 2.0, 1e-6)).unwrap_err();
    assert!(
        matches!(error, OdeError::StepSizeUnderflow { time, .. } if (time - 1.0).abs() < 1e-6),
        "{error}"
    );
    let nan = start() * f64::NAN;
    let error = integrate(&flat, nan, &adaptive(0.25, 2.0, 1e-6)).unwrap_err();
    assert!(
        matches!(error, OdeError::NonFiniteState { time } if time == 0.25),
        "{error}"
    );
    let Stepping::Adaptive {
        start: from,
        end,
        options,
    } = adaptive(0.0, END, 1e-10)
    else {
        unreachable!()
    };
    let options = AdaptiveOptions {
        max_steps: 3,
        ..options
    };
    let error = integrate(
        &flat,
        start(),
        &Stepping::Adaptive {
            start: from,
            end,
            options,
        },
    );
    assert!(matches!(
        error,
        Err(OdeError::TooManySteps { limit: 3, .. })
    ));
    let error = integrate(&flat, start(), &adaptive(0.0, END, -1.0)).unwrap_err();
    assert!(
        matches!(
            error,
            OdeError::Setting(InvalidSetting {
                name: "relative tolerance",
                ..
            })
        ),
        "{error}"
    );
}

#[test]
fn an_empty_span_returns_the_start() {
    let solution = integrate(&flat, start(), &adaptive(1.0, 1.0, 1e-6)).unwrap();
    assert_eq!(solution.evaluations, 0);
    assert_eq!(distance(solution.state, start()), 0.0);
}
