//! One law for all networks: shapes, gradients, parameters, rows of a batch, levels of sites.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

mod common;

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use common::{
    cnn, dense, device, fourier_cnn, geodesic, image_schema, infinite, linear, mixed, model_config,
    residual, rng, schema, shared_schema, short_run, unet, untrained,
};
use rand_distr::{Distribution, StandardNormal};
use segre::data::SplitConfig;
use segre::data::{Dataset, Layout, ReadOptions, Schema};
use segre::flow::FlowError;
use segre::flow::{Denoiser, Head, ModelConfig, PriorConfig, site_spec};
use segre::learning::LearningError;
use segre::learning::parameters::{Values, collect, names, replace};
use segre::network::{Dropout, Network, NetworkConfig};
use segre::run::{ModelCard, RunError, load, save_card, save_parameters};

const BATCH: usize = 5;

/// A network, the sites it is for, and whether it sees the level of each site or their mean only.
struct Case {
    name: String,
    config: NetworkConfig,
    schema: Schema,
    per_site: bool,
}

fn cases() -> Vec<Case> {
    let networks = [
        ("linear", linear(), false),
        ("dense", dense(), false),
        ("residual", residual(), true),
        ("mixture", mixed(), true),
        ("cnn", cnn(), true),
        ("fourier cnn", fourier_cnn(), true),
    ];
    let schemas = [
        ("shared", shared_schema(3, 4)),
        ("mixed", schema(&[2, 4, 3])),
    ];
    let mut cases = Vec::new();
    for (network, config, per_site) in &networks {
        for (sites, schema) in &schemas {
            cases.push(Case {
                name: format!("{network}, {sites}"),
                config: config.clone(),
                schema: schema.clone(),
                per_site: *per_site,
            });
        }
    }
    cases.push(Case {
        name: "unet, image".to_owned(),
        config: unet(),
        schema: image_schema(1, 3, 4),
        per_site: true,
    });
    cases
}

fn normal(count: usize, seed: u64) -> Vec<f32> {
    StandardNormal.sample_iter(rng(seed)).take(count).collect()
}

impl Case {
    /// A network all of whose values are random, also those that start at zero.
    fn network(&self, device: &Device) -> Network {
        let network = self
            .config
            .init(&site_spec(&self.schema), &mut rng(1), device);
        replace(network.clone(), &perturbed(&network, 0.1, 2)).unwrap()
    }

    fn shape(&self) -> [usize; 3] {
        [BATCH, self.schema.sites(), self.schema.max_categories()]
    }

    /// Points and levels of a batch.
    fn input(&self, device: &Device) -> (Tensor<3>, Tensor<2>) {
        let [batch, sites, categories] = self.shape();
        let manifold =
            segre::geometry::AssignmentManifold::new(&self.schema.cardinalities(), device);
        let logits = TensorData::new(normal(batch * sites * categories, 3), self.shape());
        let levels: Vec<f32> = normal(batch * sites, 4).iter().map(|z| z.abs()).collect();
        (
            manifold.point(Tensor::from_data(logits, device)),
            Tensor::from_data(TensorData::new(levels, [batch, sites]), device),
        )
    }
}

/// The network's values with noise added; running variances stay positive.
fn perturbed(network: &Network, deviation: f32, seed: u64) -> BTreeMap<String, Values> {
    let mut values = collect(network);
    for (place, (name, own)) in values.iter_mut().enumerate() {
        let noise = normal(own.values.len(), seed * 1000 + place as u64);
        for (value, z) in own.values.iter_mut().zip(noise) {
            *value += deviation * if name.contains("var") { z.abs() } else { z };
        }
    }
    values
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec::<f32>().unwrap()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
}

#[test]
fn the_output_has_a_number_per_category() {
    for case in cases() {
        for device in [device(), device().autodiff()] {
            let network = case.network(&device);
            let (points, level) = case.input(&device);
            let rows = points.dims()[0];
            let mut dropout = Dropout::of_rows(&rng(5), 0..rows);
            let output = network.forward(points, level, Some(&mut dropout));
            assert_eq!(output.dims(), case.shape(), "{}", case.name);
            let values = host(output);
            assert!(values.iter().all(|v| v.is_finite()), "{}", case.name);
            assert!(largest_difference(&values, &vec![values[0]; values.len()]) > 1e-4);
        }
    }
}

/// Largest gradient of every trainable parameter, `None` without a gradient.
struct Gradients {
    gradients: GradientsParams,
    path: Vec<String>,
    largest: BTreeMap<String, Option<f32>>,
}

impl ModuleVisitor for Gradients {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if parameter.val().is_require_grad() {
            let gradient = self.gradients.remove::<D>(parameter.id);
            let largest = gradient.map(|g| host(g).iter().fold(0.0, |a: f32, b| a.max(b.abs())));
            self.largest.insert(self.path.join("."), largest);
        }
    }
}

fn gradients(case: &Case, network: &Network, device: &Device) -> BTreeMap<String, Option<f32>> {
    let (points, level) = case.input(device);
    let weights = TensorData::new(normal(case.shape().iter().product(), 6), case.shape());
    let output = network.forward(points, level, None);
    let loss = (output * Tensor::from_data(weights, device)).sum();
    let mut visitor = Gradients {
        gradients: GradientsParams::from_grads(loss.backward(), network),
        path: vec![],
        largest: BTreeMap::new(),
    };
    network.visit(&mut visitor);
    visitor.largest
}

/// Outputs within 1e-4 of the processor's, and of every parameter's gradient the largest element within a thousandth.
#[cfg(any(feature = "vulkan", feature = "wgpu"))]
#[test]
fn a_graphics_processor_computes_what_the_processor_computes() {
    let (own, processor) = (device().autodiff(), Device::flex().autodiff());
    for case in cases() {
        let compute = |device: &Device| {
            let network = case.network(device);
            let (points, level) = case.input(device);
            let output = host(network.forward(points, level, None));
            (output, gradients(&case, &network, device))
        };
        let (found, expected) = (compute(&own), compute(&processor));
        let difference = largest_difference(&found.0, &expected.0);
        assert!(difference < 1e-4, "{}: {difference}", case.name);
        for (name, found) in found.1 {
            let (found, expected) = (found.unwrap(), expected.1[&name].unwrap());
            let difference = (found - expected).abs();
            assert!(
                difference < 1e-3 * expected.max(1e-2),
                "{}: {name} {found} {expected}",
                case.name
            );
        }
    }
}

#[test]
fn a_gradient_reaches_every_parameter() {
    let device = device().autodiff();
    for case in cases() {
        let network = case.network(&device);
        let found = gradients(&case, &network, &device);
        let fixed = ["running_mean", "running_var", "frequencies"];
        let trainable: Vec<String> = names(&network)
            .into_iter()
            .filter(|name| !fixed.iter().any(|fixed| name.contains(fixed)))
            .collect();
        assert_eq!(
            found
                .keys()
                .cloned()
                .collect::<std::collections::BTreeSet<_>>(),
            trainable.into_iter().collect(),
            "{}",
            case.name
        );
        for (name, largest) in found {
            let largest =
                largest.unwrap_or_else(|| panic!("{}: {name} has no gradient", case.name));
            assert!(
                largest > 1e-6 && largest.is_finite(),
                "{}: {name}: {largest}",
                case.name
            );
        }
    }
}

/// A gradient reaches what stands before an output that starts at zero after one step, not before.
#[test]
fn residual_networks_start_at_zero_and_learn_from_there() {
    let device = device().autodiff();
    for case in cases()
        .into_iter()
        .filter(|case| case.name.starts_with("residual") || case.name.starts_with("unet"))
    {
        let network = case
            .config
            .init(&site_spec(&case.schema), &mut rng(1), &device);
        let (points, level) = case.input(&device);
        let output = host(network.forward(points, level, None));
        assert!(output.iter().all(|v| *v == 0.0), "{}", case.name);
        let found = gradients(&case, &network, &device);
        let moving: Vec<_> = found
            .iter()
            .filter(|(_, g)| g.is_some_and(|g| g > 0.0))
            .collect();
        assert!(!moving.is_empty(), "{}: nothing learns", case.name);
        assert!(
            moving.iter().all(|(name, _)| name.contains("output")),
            "{}: {moving:?}",
            case.name
        );
    }
}

#[test]
fn parameters_survive_collecting_and_replacing() {
    for case in cases() {
        for device in [device(), device().autodiff()] {
            let network = case
                .config
                .init(&site_spec(&case.schema), &mut rng(1), &device);
            let start = collect(&network);
            let values = perturbed(&network, 0.1, 7);
            assert_ne!(values, start, "{}", case.name);
            // Running statistics are shared by clones: this changes those of `network`.
            let filled = replace(network.clone(), &values).unwrap();
            assert_eq!(collect(&filled), values, "{}", case.name);
            let mut sorted = names(&network);
            sorted.sort();
            assert_eq!(
                sorted,
                values.keys().cloned().collect::<Vec<_>>(),
                "{}",
                case.name
            );
            // Same seed, same network; another seed, another one.
            let again = case
                .config
                .init(&site_spec(&case.schema), &mut rng(1), &device);
            assert_eq!(collect(&again), start, "{}", case.name);
            let other = case
                .config
                .init(&site_spec(&case.schema), &mut rng(2), &device);
            assert_ne!(collect(&other), start, "{}", case.name);
            for name in values.keys() {
                let mut lacking = values.clone();
                lacking.remove(name);
                let error = replace(network.clone(), &lacking).unwrap_err();
                assert!(
                    matches!(&error, LearningError::ParameterMismatch { name: found, found: None, .. } if found == name),
                    "{}: {error}",
                    case.name
                );
            }
        }
    }
}

#[test]
fn a_row_does_not_depend_on_its_batch() {
    let device = device();
    for case in cases() {
        let network = case.network(&device);
        let (points, level) = case.input(&device);
        let all = host(network.forward(points.clone(), level.clone(), None));
        let width = all.len() / BATCH;
        for row in 0..BATCH {
            let own = network.forward(
                points.clone().narrow(0, row, 1),
                level.clone().narrow(0, row, 1),
                None,
            );
            let off = largest_difference(&host(own), &all[row * width..(row + 1) * width]);
            assert!(off < 1e-5, "{}: row {row} differs by {off}", case.name);
        }
        // Another row gives another output.
        assert!(
            largest_difference(&all[..width], &all[width..2 * width]) > 1e-4,
            "{}",
            case.name
        );
    }
}

#[test]
fn the_level_is_used_per_site_where_the_network_can() {
    let device = device();
    for case in cases() {
        let network = case.network(&device);
        let (points, _) = case.input(&device);
        let output = |levels: [f32; 3]| {
            let levels = Tensor::<2>::from_floats([levels], &device).repeat_dim(0, BATCH);
            host(network.forward(points.clone(), levels, None))
        };
        let equal = output([1.0, 1.0, 1.0]);
        let higher = largest_difference(&equal, &output([2.0, 2.0, 2.0]));
        assert!(higher > 1e-3, "{}: the level is not used", case.name);
        let (first, last) = (output([2.0, 1.0, 0.0]), output([0.0, 1.0, 2.0]));
        let apart = largest_difference(&equal, &first);
        let exchanged = largest_difference(&first, &last);
        if case.per_site {
            assert!(
                apart > 1e-3 && exchanged > 1e-3,
                "{}: {apart}, {exchanged}",
                case.name
            );
        } else {
            // The mean of the levels is all that these networks see.
            assert!(
                apart < 1e-5 && exchanged < 1e-5,
                "{}: {apart}, {exchanged}",
                case.name
            );
        }
    }
}

/// An observed site has an infinite signal-to-noise ratio.
#[test]
fn an_infinite_level_is_finite_to_networks_with_bounded_features() {
    let device = device();
    for case in cases() {
        if !["residual", "cnn", "unet"]
            .iter()
            .any(|name| case.name.starts_with(name))
        {
            continue;
        }
        let network = case.network(&device);
        let (points, _) = case.input(&device);
        let output = |first: f32| {
            let levels = Tensor::<2>::from_floats([[first, 0.5, 1.0]], &device);
            host(network.forward(points.clone(), levels.repeat_dim(0, BATCH), None))
        };
        let infinite = output(f32::INFINITY);
        assert!(infinite.iter().all(|v| v.is_finite()), "{}", case.name);
        // It is the limit of high levels.
        assert!(
            largest_difference(&infinite, &output(1e6)) < 1e-3,
            "{}",
            case.name
        );
        assert!(
            largest_difference(&infinite, &output(1.0)) > 1e-3,
            "{}",
            case.name
        );
    }
}

#[test]
fn dropout_needs_a_generator_and_follows_it() {
    for case in cases()
        .into_iter()
        .filter(|case| case.name.starts_with("residual") || case.name.starts_with("unet"))
    {
        let device = device().autodiff();
        let network = case.network(&device);
        let (points, level) = case.input(&device);
        let output = |seed: Option<u64>| {
            let rows = 0..points.dims()[0];
            let mut dropout = seed.map(|seed| Dropout::of_rows(&rng(seed), rows));
            host(network.forward(points.clone(), level.clone(), dropout.as_mut()))
        };
        // The last row alone loses what it loses among the others.
        let (whole, rows) = (output(Some(1)), points.dims()[0]);
        let [last, of_level] = [points.clone(), level.clone().unsqueeze_dim(2)]
            .map(|all: Tensor<3>| all.narrow(0, rows - 1, 1));
        let mut dropout = Dropout::of_rows(&rng(1), rows - 1..rows);
        let alone = host(network.forward(last, of_level.squeeze_dim(2), Some(&mut dropout)));
        let among = &whole[whole.len() - alone.len()..];
        assert!(largest_difference(&alone, among) < 1e-5, "{}", case.name);
        assert_eq!(output(None), output(None));
        assert_eq!(output(Some(1)), output(Some(1)));
        assert!(
            largest_difference(&output(Some(1)), &output(Some(2))) > 1e-3,
            "{}",
            case.name
        );
        assert!(
            largest_difference(&output(Some(1)), &output(None)) > 1e-3,
            "{}",
            case.name
        );
    }
}

#[test]
fn a_saved_model_has_the_same_posterior() {
    let device = device();
    for case in cases() {
        for (head, path) in [(Head::Posterior, infinite()), (Head::Field, geodesic())] {
            let sites = case.schema.sites();
            let train = Dataset::new(
                case.schema.clone(),
                [vec![0; sites], vec![1; sites]].concat(),
            );
            let train = train.unwrap();
            let image = matches!(case.schema.layout, Layout::Image { .. });
            let prior = match image && head == Head::Posterior {
                true => PriorConfig::Scanlines,
                false => PriorConfig::Marginals,
            };
            let config = ModelConfig {
                prior,
                ..model_config(head, path, case.config.clone())
            };
            let model = untrained(config.clone(), &train);
            let card = ModelCard {
                version: "test".into(),
                source: "test".into(),
                energy: None,
                read_options: ReadOptions::default(),
                fingerprint: Some(train.fingerprint()),
                split: SplitConfig::default(),
                test_data: None,
                labels: None,
                model: config,
                training: short_run(1),
                schema: case.schema.clone(),
            };
            let folder = tempfile::tempdir().unwrap();
            save_card(folder.path(), card.clone()).unwrap();
            save_parameters(folder.path(), &model).unwrap();
            let (loaded, read) = load(folder.path(), &device).unwrap();
            assert_eq!(read, card, "{}", case.name);
            let (state, level) = case.input(&device);
            let before = host(model.posterior_mean(state.clone(), level.clone()));
            let after = host(loaded.posterior_mean(state, level));
            assert_eq!(before, after, "{}", case.name);
            assert!(before.iter().all(|p| p.is_finite()), "{}", case.name);
            let [batch, ..] = case.shape();
            let cardinalities = case.schema.cardinalities();
            for (place, point) in before.chunks(case.schema.max_categories()).enumerate() {
                let total: f32 = point.iter().sum();
                assert!((total - 1.0).abs() < 1e-4, "{}: {point:?}", case.name);
                let padding = &point[cardinalities[place % sites]..];
                assert!(
                    padding.iter().all(|p| *p == 0.0),
                    "{}: {point:?}",
                    case.name
                );
            }
            assert_eq!(before.len(), batch * sites * case.schema.max_categories());
            // Another network's file is refused.
            let other = untrained(
                model_config(
                    head,
                    infinite(),
                    if case.config == dense() {
                        linear()
                    } else {
                        dense()
                    },
                ),
                &train,
            );
            save_parameters(folder.path(), &other).unwrap();
            let error = load(folder.path(), &device).unwrap_err();
            let RunError::Unfit { cause, .. } = &error else {
                panic!("{error}");
            };
            assert!(
                matches!(
                    **cause,
                    RunError::Flow(FlowError::Learning(LearningError::ParameterMismatch { .. }))
                ),
                "{error}"
            );
        }
    }
}
