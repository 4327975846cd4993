//! Laws of the probability paths and their Gaussian channels.

use segre::path::{EGeodesic, GaussianPath, InfiniteTime, TimeDistribution};

use super::*;

fn path() -> impl Strategy<Value = GaussianPath> {
    prop_oneof![
        (0.001..0.5).prop_map(|smoothing| GaussianPath::EGeodesic(EGeodesic { smoothing })),
        (0.1..3.0).prop_map(|rate| {
            GaussianPath::InfiniteTime(InfiniteTime {
                rate,
                ..InfiniteTime::default()
            })
        }),
    ]
}

proptest! {
    #![proptest_config(cases())]

    /// Geometry and paths: a site among larger ones gives the numbers it gives alone, and padding
    /// gets exactly nothing.
    #[test]
    fn padding_changes_nothing(
        cardinalities in mixed(),
        path in path(),
        time in 0.01..0.9,
        seed: u64,
    ) {
        let mut world = World::new(&cardinalities, seed);
        let (vector, base, point) = (world.vector(), world.point(), world.point());
        let (labels, corners) = world.data();
        let m = &world.manifold;
        let padding: Tensor<3> = 1.0 - m.mask().cast(DType::F64).unsqueeze();
        type Inputs = [Tensor<3>; 4];
        let maps = |m: &AssignmentManifold, [vector, base, point, corners]: Inputs| {
            let tangent = m.project(vector.clone());
            let sample = path.sample(m, corners.clone(), tangent.clone(), at(time));
            let channel = path.channel(m, at(time));
            [
                m.coordinates(point.clone()),
                m.point(vector.clone()),
                m.lift(base.clone(), vector.clone()),
                m.inverse_lift(base.clone(), point.clone()),
                m.exponential(base.clone(), tangent.clone()),
                m.inverse_exponential(base.clone(), point.clone()),
                m.replicator(base.clone(), vector.clone()),
                m.smooth(corners.clone(), 0.1),
                m.smoothed_coordinates(corners, 0.1),
                m.directions(point.clone()),
                channel.evidence(m, tangent.clone()),
                channel.velocity(m, tangent.clone(), point),
                tangent,
                sample.state,
                sample.target,
            ]
        };
        let sums = |m: &AssignmentManifold, [vector, base, ..]: Inputs| {
            let tangent = m.project(vector.clone());
            [
                m.entropy(vector.clone()),
                m.replicator_norm_squared(base.clone(), vector),
                m.inner_product(base, tangent.clone(), tangent),
            ]
        };
        let inputs = [vector.clone(), base, point, corners];
        let (all, all_sums) = (maps(m, inputs.clone()), sums(m, inputs.clone()));
        for (site, count) in cardinalities.iter().enumerate() {
            let alone = AssignmentManifold::new(&[*count], &Device::flex());
            let cut = |t: Tensor<3>| t.narrow(1, site, 1).narrow(2, 0, *count);
            for (padded, alone) in all.iter().zip(maps(&alone, inputs.clone().map(cut))) {
                assert_close(cut(padded.clone()), alone, 1e-13);
            }
            for (padded, alone) in all_sums.iter().zip(sums(&alone, inputs.clone().map(cut))) {
                assert_close(padded.clone().narrow(1, site, 1), alone, 1e-13);
            }
        }
        for map in all {
            assert_close(map.clone() * padding.clone(), map.zeros_like(), 0.0);
        }
        let legal: Vec<i64> = labels.into_data().iter::<i64>().collect();
        let counts = cardinalities.iter().cycle();
        prop_assert!(legal.iter().zip(counts).all(|(label, count)| *label < *count as i64));
    }

    /// End points; the target is the time derivative of the state for fixed noise.
    #[test]
    fn path_end_points_and_target(
        cardinalities in mixed(),
        path in path(),
        time in 0.01..0.9,
        seed: u64,
    ) {
        let mut world = World::new(&cardinalities, seed);
        let ((_, corners), noise) = (world.data(), world.tangent());
        let m = &world.manifold;
        let sample = |time: f64| path.sample(m, corners.clone(), noise.clone(), at(time));
        assert_close(sample(0.0).state, noise.clone(), 0.0);
        match &path {
            GaussianPath::EGeodesic(path) => {
                let end = m.coordinates(m.smooth(corners.clone(), path.smoothing));
                assert_close(sample(1.0).state, end.clone(), 1e-11);
                assert_close(sample(time).target, end - noise.clone(), 1e-11);
            }
            GaussianPath::InfiniteTime(path) => {
                let travelled = sample(time).state - noise.clone();
                assert_close(travelled, m.directions(corners.clone()) * (path.rate * time), 1e-13);
            }
        }
        let step = 1e-3;
        let slope = (sample(time + step).state - sample(time - step).state) / (2.0 * step);
        assert_close(sample(time).target, slope, 1e-10);
    }

    /// Local evidence is the exact log-likelihood of the Gaussian channel, up to a constant.
    #[test]
    fn evidence_is_the_log_likelihood(
        cardinalities in mixed(),
        path in path(),
        time in 0.01..0.9,
        seed: u64,
    ) {
        let mut world = World::new(&cardinalities, seed);
        let state = world.tangent();
        let channel = path.channel(&world.manifold, at(time));
        let evidence = values(channel.evidence(&world.manifold, state.clone()));
        let state = values(state);
        let width = world.manifold.categories();
        for (index, count) in cardinalities.iter().enumerate().filter(|(_, count)| **count > 1) {
            let (c, site) = (*count as f64, index * width..index * width + count);
            // From the definition of the path, on plain numbers.
            let (length, noise) = match &path {
                GaussianPath::InfiniteTime(path) => (path.rate * time, 1.0),
                GaussianPath::EGeodesic(path) => {
                    let ratio = (1.0 - path.smoothing + path.smoothing / c) / (path.smoothing / c);
                    (time * ratio.ln() * ((c - 1.0) / c).sqrt(), 1.0 - time)
                }
            };
            prop_assert!((path.snr(time, *count) - (length / noise).powi(2)).abs() < 1e-9);
            let log_likelihood = |j: usize| {
                let mean = |k: usize| {
                    length * (c / (c - 1.0)).sqrt() * (f64::from(u8::from(k == j)) - 1.0 / c)
                };
                let entries = state[site.clone()].iter().enumerate();
                let squares = entries.map(|(k, v)| (v - mean(k)).powi(2));
                -squares.sum::<f64>() / (2.0 * noise * noise)
            };
            for j in 1..*count {
                let expected = log_likelihood(j) - log_likelihood(0);
                let got = evidence[site.start + j] - evidence[site.start];
                let tolerance = 1e-9 * (1.0 + expected.abs());
                prop_assert!((got - expected).abs() < tolerance, "{got} {expected}");
            }
        }
    }

    /// The velocity of a posterior is the mean of the targets given the state; `transport` is
    /// exact.
    #[test]
    fn posterior_velocity(
        cardinalities in mixed(),
        path in path(),
        time in 0.01..0.8,
        seed: u64,
    ) {
        let mut world = World::new(&cardinalities, seed);
        let (state, posterior, (_, corners)) = (world.tangent(), world.point(), world.data());
        let noise = world.tangent();
        let m = &world.manifold;
        let channel = path.channel(m, at(time));
        let mut expected = state.zeros_like();
        for j in 0..m.categories() {
            let label = |count: &usize| if j < *count { j as i64 } else { 0 };
            let labels: Vec<i64> = cardinalities.iter().map(label).collect();
            let labels = Tensor::<1, Int>::from_data(labels.as_slice(), &Device::flex());
            let direction = m.directions(m.corners(labels.unsqueeze()).cast(DType::F64));
            let noise = state.clone() - direction.clone() * channel.signal.clone();
            let noise = noise / channel.noise_scale.clone();
            let weight = posterior.clone().narrow(2, j, 1);
            expected = expected + channel.target(direction.expand(state.dims()), noise) * weight;
        }
        let velocity = channel.velocity(m, state.clone(), posterior.clone());
        assert_close(velocity.clone(), expected, 1e-10);
        // A certain posterior carries the state along its own path, to the very end.
        let end = path.channel(m, at(1.0));
        let sample = path.sample(m, corners.clone(), noise.clone(), at(time));
        let carried = channel.transport(&end, m, sample.state, corners.clone());
        assert_close(carried, path.sample(m, corners, noise, at(1.0)).state, 1e-10);
        // Any posterior: the derivative of `transport` is `velocity`.
        let step = 1e-5;
        let near = |step: f64| {
            let there = path.channel(m, at(time + step));
            channel.transport(&there, m, state.clone(), posterior.clone())
        };
        assert_close((near(step) - near(-step)) / (2.0 * step), velocity, 1e-6);
    }

    /// `snr` and its inverse, on numbers and on tensors with one ratio per site.
    #[test]
    fn snr_inverse(cardinalities in mixed(), path in path(), snr in 1e-4..1e3_f64, seed: u64) {
        for count in &cardinalities {
            let time = path.time_at_snr(snr, *count);
            prop_assert!((path.snr(time, *count) / snr - 1.0).abs() < 1e-10);
        }
        let mut world = World::new(&cardinalities, seed);
        let wanted = world.vector().square().narrow(2, 0, 1).squeeze_dim::<2>(2) * snr;
        let times = path.times_at_snr(&world.manifold, wanted.clone());
        let got = path.channel(&world.manifold, times).snr();
        assert_close(got / wanted.clone(), wanted.ones_like(), 1e-9);
        let none = wanted.zeros_like();
        assert_close(path.times_at_snr(&world.manifold, none.clone()), none, 0.0);
        prop_assert_eq!(path.time_at_snr(0.0, 3), 0.0);
    }
}

/// Mean and covariance of `V_t | β` from 40 000 draws, each within 5 standard errors (that of a
/// covariance is at most `√2 σ²/√draws`).
#[test]
fn the_channel_has_the_stated_mean_and_covariance() {
    let (count, cardinalities) = (40_000, [3, 2, 1, 4]);
    let manifold = AssignmentManifold::new(&cardinalities, &Device::flex());
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let labels = Tensor::<1, Int>::from_data([2, 0, 0, 1], &Device::flex()).unsqueeze();
    let corners = manifold.corners(labels);
    let e_geodesic = GaussianPath::EGeodesic(EGeodesic::default());
    for (path, time) in [(GaussianPath::default(), 3.0), (e_geodesic, 0.4)] {
        let noise = manifold.reference_noise(count, &mut rng);
        let times = Tensor::full([count, 1], time, &Device::flex());
        let all = corners.clone().expand([count, 4, 4]);
        let state: Vec<f64> = path
            .sample(&manifold, all, noise, times)
            .state
            .into_data()
            .iter::<f64>()
            .collect();
        let moment = |i: usize, j: usize| {
            state.chunks(16).map(|row| row[i] * row[j]).sum::<f64>() / count as f64
        };
        let mean = |i: usize| state.chunks(16).map(|row| row[i]).sum::<f64>() / count as f64;
        let means: Vec<f64> = (0..16).map(mean).collect();
        let variance = match path {
            GaussianPath::InfiniteTime(_) => 1.0,
            GaussianPath::EGeodesic(_) => (1.0 - time) * (1.0 - time),
        };
        let error = 5.0 * variance / (count as f64).sqrt();
        for i in 0..16 {
            for j in 0..16 {
                let (site, c) = (i / 4, cardinalities[i / 4] as f64);
                let legal = |k: usize| k % 4 < cardinalities[k / 4];
                let expected = match (site == j / 4 && legal(i) && legal(j), i == j) {
                    (true, same) => variance * (f64::from(u8::from(same)) - 1.0 / c),
                    (false, _) => 0.0,
                };
                let covariance = moment(i, j) - means[i] * means[j];
                assert!(
                    (covariance - expected).abs() < 2f64.sqrt() * error,
                    "{path:?} {i} {j}: {covariance}"
                );
            }
        }
        for (site, label) in [2, 0, 0, 1].into_iter().enumerate() {
            let c = cardinalities[site] as f64;
            if c == 1.0 {
                continue;
            }
            // The mean is the signal times the unit direction, so its length shows the stated SNR.
            let signal = (path.snr(time, cardinalities[site]) * variance).sqrt();
            for j in 0..cardinalities[site] {
                let unit = (c / (c - 1.0)).sqrt() * (f64::from(u8::from(j == label)) - 1.0 / c);
                let difference = means[4 * site + j] - signal * unit;
                assert!(
                    difference.abs() < 5.0 * (variance / count as f64).sqrt(),
                    "{path:?} {site} {j}"
                );
            }
        }
    }
}

#[test]
fn training_times_have_the_stated_moments() {
    let count = 40_000;
    let cases = [
        (TimeDistribution::Uniform, 0.5, 1.0 / 12.0),
        (
            TimeDistribution::Gamma {
                shape: 1.0,
                rate: 0.25,
            },
            4.0,
            16.0,
        ),
        (
            TimeDistribution::Gamma {
                shape: 3.0,
                rate: 2.0,
            },
            1.5,
            0.75,
        ),
    ];
    for (distribution, mean, variance) in cases {
        let draw = |seed| distribution.sample(count, &mut ChaCha8Rng::seed_from_u64(seed));
        let times = draw(1);
        let sample_mean = times.iter().sum::<f64>() / count as f64;
        let squares = times.iter().map(|time| (time - mean).powi(2));
        let sample_variance = squares.sum::<f64>() / count as f64;
        let error = (variance / count as f64).sqrt();
        assert!(
            (sample_mean - mean).abs() < 5.0 * error,
            "{distribution:?}: mean {sample_mean}"
        );
        assert!(
            (sample_variance / variance - 1.0).abs() < 0.1,
            "{distribution:?}: {sample_variance}"
        );
        assert!(times.iter().all(|time| *time >= 0.0));
        assert_eq!(times, draw(1));
        assert_ne!(times, draw(2));
    }
}

#[test]
fn settings_survive_json_and_bad_ones_are_named() {
    for path in [
        GaussianPath::default(),
        GaussianPath::EGeodesic(EGeodesic::default()),
    ] {
        path.validate().unwrap();
        let text = serde_json::to_string(&path).unwrap();
        assert_eq!(serde_json::from_str::<GaussianPath>(&text).unwrap(), path);
    }
    let bad = |rate, shape, smoothing| {
        let training_times = TimeDistribution::Gamma { shape, rate: 1.0 };
        let infinite = InfiniteTime {
            rate,
            training_times,
            end_time: 1.0,
        };
        let paths = [
            GaussianPath::InfiniteTime(infinite),
            GaussianPath::EGeodesic(EGeodesic { smoothing }),
        ];
        paths.map(|path| path.validate().err().map(|error| error.to_string()))
    };
    let [rate, smoothing] = bad(0.0, 1.0, 1.0);
    assert!(rate.unwrap().contains("path rate") && smoothing.unwrap().contains("smoothing"));
    let [shape, smoothing] = bad(1.0, f64::NAN, f64::NAN);
    assert!(shape.unwrap().contains("shape") && smoothing.is_some());
}
