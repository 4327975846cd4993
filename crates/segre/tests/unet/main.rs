//! The UNet: its size, its frame of padding, its blocks against burn's own layers; its training; classes of rows.

#![allow(clippy::unwrap_used)] // a failed test is what an unwrap is for here

#[path = "../common/mod.rs"]
mod common;

mod classes;
mod training;

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::nn::conv::Conv2dConfig;
use burn::nn::{GroupNormConfig, LinearConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor, TensorData, activation};
use common::{
    device, image_schema, infinite, model_config, rng, schema, shared_schema, short_run, unet,
};
use rand_distr::{Distribution, StandardNormal};
use segre::data::DataError;
use segre::data::{Dataset, Layout, Schema};
use segre::flow::FlowError;
use segre::flow::training::Trainer;
use segre::flow::{Head, ModelConfig, PriorConfig, site_spec};
use segre::learning::parameters::{Values, collect, replace};
use segre::network::{Dropout, LevelFeatures, Network, NetworkConfig, UnetConfig};

fn normal(count: usize, seed: u64) -> Vec<f32> {
    StandardNormal.sample_iter(rng(seed)).take(count).collect()
}

fn host<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec::<f32>().unwrap()
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let pairs = a.iter().zip(b);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// A network none of whose values is zero.
fn network(config: &UnetConfig, schema: &Schema, device: &Device) -> Network {
    let config = NetworkConfig::Unet(config.clone());
    let network = config.init(&site_spec(schema), &mut rng(1), device);
    let mut values = collect(&network);
    for (place, own) in values.values_mut().enumerate() {
        let noise = normal(own.values.len(), 100 + place as u64);
        let pairs = own.values.iter_mut().zip(noise);
        pairs.for_each(|(value, z)| *value += 0.1 * z);
    }
    replace(network, &values).unwrap()
}

/// Points and levels for some rows of a schema.
fn input(schema: &Schema, rows: usize, device: &Device) -> (Tensor<3>, Tensor<2>) {
    let (sites, categories) = (schema.sites(), schema.max_categories());
    let logits = TensorData::new(
        normal(rows * sites * categories, 3),
        [rows, sites, categories],
    );
    let levels: Vec<f32> = normal(rows * sites, 4).iter().map(|z| z.abs()).collect();
    (
        activation::softmax(Tensor::from_data(logits, device), 2),
        Tensor::from_data(TensorData::new(levels, [rows, sites]), device),
    )
}

/// The published network has two input channels for two categories; ours has the noisy state and the pixel's level beside.
#[test]
fn the_mnist_preset_has_the_published_number_of_parameters() {
    let config = UnetConfig::mnist();
    let sites = site_spec(&image_schema(28, 28, 2));
    let network = NetworkConfig::Unet(config.clone()).init(&sites, &mut rng(1), &device());
    let additions = 3 * 3 * (LevelFeatures::new(1).width() + 2) * config.channels;
    assert_eq!(additions, 1440);
    assert_eq!(network.num_params() - additions, 2_161_346);
}

#[test]
fn images_of_any_size_keep_it() {
    let device = device();
    for (height, width, count, config) in [
        (28, 28, 2, UnetConfig::mnist()),
        (7, 5, 3, UnetConfig::mnist()),
        (1, 1, 2, UnetConfig::tiny()),
        (8, 8, 17, UnetConfig::tiny()),
    ] {
        let schema = image_schema(height, width, count);
        let network = network(&config, &schema, &device);
        let (points, level) = input(&schema, 2, &device);
        let output = network.forward(points, level, None);
        assert_eq!(output.dims(), [2, height * width, count]);
        assert!(host(output).iter().all(|value| value.is_finite()));
    }
}

/// What a network pads to can be asked for; an image that needs no more is the same as without the asking.
#[test]
fn padding_that_is_there_anyway_changes_nothing_and_more_of_it_does() {
    let device = device();
    let config = UnetConfig::tiny();
    let plain = image_schema(7, 5, 3);
    let padded = |height, width| Schema {
        layout: Layout::Image {
            height: 7,
            width: 5,
            pad_to: Some([height, width]),
        },
        ..plain.clone()
    };
    let (points, level) = input(&plain, 2, &device);
    let output = |schema: &Schema| {
        let network = network(&config, schema, &device);
        host(network.forward(points.clone(), level.clone(), None))
    };
    let own = output(&plain);
    assert_eq!(output(&padded(7, 5)), own);
    assert_eq!(output(&padded(8, 6)), own);
    assert!(largest_difference(&output(&padded(16, 16)), &own) > 1e-4);
}

/// Outside training, rows are computed a few at a time: 40 rows of 48 × 48 pixels are two parts.
#[test]
fn rows_computed_in_parts_are_the_rows() {
    let device = device();
    let schema = image_schema(48, 48, 2);
    let config = UnetConfig {
        channels: 2,
        multipliers: vec![1],
        blocks: 1,
        heads: 1,
        attention: vec![],
        ..UnetConfig::tiny()
    };
    let network = network(&config, &schema, &device);
    let (points, level) = input(&schema, 40, &device);
    let apart = host(network.forward(points.clone(), level.clone(), None));
    // A generator of dropout masks says that it is training; nothing is dropped.
    let mut dropout = Dropout::of_rows(&rng(1), 0..40);
    let together = host(network.forward(points, level, Some(&mut dropout)));
    assert!(largest_difference(&apart, &together) < 1e-5);
}

/// A network of one resolution and one block, without its attention, built of burn's layers with channels first.
#[test]
fn channels_last_is_channels_first_in_burns_own_layers() {
    let device = device();
    let (height, width, count, channels) = (4, 6, 3, 4);
    let schema = image_schema(height, width, count);
    let config = UnetConfig {
        channels,
        multipliers: vec![1],
        blocks: 1,
        attention: vec![],
        heads: 2,
        dropout: 0.0,
        classes: None,
    };
    let ours = network(&config, &schema, &device);
    // Attention is left out by its projection.
    let mut values = collect(&ours);
    for (name, own) in &mut values {
        if name.contains("attention.result") {
            own.values.fill(0.0);
        }
    }
    let ours = replace(ours, &values).unwrap();
    let (points, level) = input(&schema, 2, &device);
    let evidence = TensorData::new(normal(2 * 24 * 3, 8), [2, 24, 3]);
    let evidence = Tensor::<3>::from_data(evidence, &device) * 3.0;
    let told = Some(evidence.clone());
    let found = host(ours.forward_told(points.clone(), told, level.clone(), None, None));

    let scale: Tensor<3> = (level.clone() * 2.0 + 0.2).unsqueeze_dim(2);
    let states = activation::softmax(evidence / scale, 2);
    let layers = Layers { values, device };
    let features = LevelFeatures::new(1).forward(level);
    let common = host(features.clone().narrow(2, 0, 1).mean_dim(1));
    let waves: Vec<f32> = common
        .iter()
        .flat_map(|x| {
            let angles = [1000.0 * x, 10.0 * x];
            [
                angles[0].cos(),
                angles[1].cos(),
                angles[0].sin(),
                angles[1].sin(),
            ]
        })
        .collect();
    let waves = Tensor::<2>::from_data(TensorData::new(waves, [2, channels]), &layers.device);
    let embedding = layers.linear("embedding.inner", waves);
    let embedding = layers.linear("embedding.outer", activation::silu(embedding));
    let embedding = activation::silu(embedding);
    let centred = |points: Tensor<3>| (points * 3.0 - 1.0) / 2.0_f64.sqrt();
    let images = Tensor::cat(vec![centred(points), features, centred(states)], 2)
        .reshape([2, height, width, 2 * count + 3])
        .permute([0, 3, 1, 2]);
    let start = layers.convolution("input", images);
    let block = |name: &str, images| layers.block(name, images, embedding.clone());
    let first = block("down.0.blocks.0", start.clone());
    let middle = block("middle.1", block("middle.0", first.clone()));
    let up = block("up.0.blocks.0", Tensor::cat(vec![middle, first], 1));
    let up = block("up.0.blocks.1", Tensor::cat(vec![up, start], 1));
    let output = layers.convolution("output", layers.norm("norm", up));
    let output = output.permute([0, 2, 3, 1]);
    let expected = host(output.reshape([2, height * width, count]));
    let off = largest_difference(&found, &expected);
    assert!(off < 1e-4, "differs by {off}");
}

/// burn's layers with the values of a network, channels first.
struct Layers {
    values: BTreeMap<String, Values>,
    device: Device,
}

impl Layers {
    fn tensor<const D: usize>(&self, name: &str) -> Tensor<D> {
        let own = &self.values[&format!("Unet.{name}")];
        let data = TensorData::new(own.values.clone(), own.shape.clone());
        Tensor::from_data(data, &self.device)
    }

    fn convolution(&self, name: &str, images: Tensor<4>) -> Tensor<4> {
        let weight: Tensor<4> = self.tensor(&format!("{name}.weight"));
        let [kernel, _, inputs, outputs] = weight.dims();
        let mut layer = Conv2dConfig::new([inputs, outputs], [kernel; 2])
            .with_padding(PaddingConfig2d::Same)
            .init(&self.device);
        layer.weight = Param::from_tensor(weight.permute([3, 2, 0, 1]));
        layer.bias = Some(Param::from_tensor(self.tensor(&format!("{name}.bias"))));
        layer.forward(images)
    }

    /// Group normalisation and SiLU.
    fn norm(&self, name: &str, images: Tensor<4>) -> Tensor<4> {
        let channels = images.dims()[1];
        let mut layer = GroupNormConfig::new(channels / 2, channels).init(&self.device);
        layer.gamma = Some(Param::from_tensor(self.tensor(&format!("{name}.scale"))));
        layer.beta = Some(Param::from_tensor(self.tensor(&format!("{name}.shift"))));
        activation::silu(layer.forward(images))
    }

    fn linear(&self, name: &str, input: Tensor<2>) -> Tensor<2> {
        let weight: Tensor<2> = self.tensor(&format!("{name}.weight"));
        let [inputs, outputs] = weight.dims();
        let mut layer = LinearConfig::new(inputs, outputs).init(&self.device);
        layer.weight = Param::from_tensor(weight);
        layer.bias = Some(Param::from_tensor(self.tensor(&format!("{name}.bias"))));
        layer.forward(input)
    }

    fn block(&self, name: &str, images: Tensor<4>, embedding: Tensor<2>) -> Tensor<4> {
        let part = |part: &str| format!("{name}.residual.{part}");
        let hidden = self.norm(&part("input_norm"), images.clone());
        let hidden = self.convolution(&part("input"), hidden);
        let level = self.linear(&part("level"), embedding);
        let hidden = hidden + level.unsqueeze_dims::<4>(&[2, 3]);
        let hidden = self.norm(&part("result_norm"), hidden);
        let hidden = self.convolution(&part("result"), hidden);
        let skip = part("skip");
        match self.values.contains_key(&format!("Unet.{skip}.weight")) {
            true => self.convolution(&skip, images) + hidden,
            false => images + hidden,
        }
    }
}

fn unet_model(config: NetworkConfig) -> ModelConfig {
    ModelConfig {
        prior: PriorConfig::Scanlines,
        ..model_config(Head::Posterior, infinite(), config)
    }
}

#[test]
fn data_that_are_no_images_are_refused() {
    for schema in [schema(&[2, 3]), shared_schema(4, 2)] {
        let sites = schema.sites();
        let data = Dataset::new(schema, vec![0; sites * 20]).unwrap();
        let trained = Trainer::new(unet_model(unet()), short_run(1), &data, &device());
        let error = trained.err().unwrap();
        assert!(
            matches!(error, FlowError::Data(DataError::NotAnImage { .. })),
            "{error}"
        );
        assert!(
            error.to_string().contains("`network = residual`"),
            "{error}"
        );
    }
}

#[test]
fn bad_sizes_are_refused_by_name() {
    let good = UnetConfig::tiny();
    let bad = [
        (
            "channels",
            UnetConfig {
                channels: 0,
                ..good.clone()
            },
        ),
        (
            "channels",
            UnetConfig {
                channels: 15,
                ..good.clone()
            },
        ),
        (
            "multipliers",
            UnetConfig {
                multipliers: vec![],
                ..good.clone()
            },
        ),
        (
            "multiplier",
            UnetConfig {
                multipliers: vec![1, 0],
                ..good.clone()
            },
        ),
        (
            "blocks",
            UnetConfig {
                blocks: 0,
                ..good.clone()
            },
        ),
        (
            "attention",
            UnetConfig {
                attention: vec![3],
                ..good.clone()
            },
        ),
        (
            "heads",
            UnetConfig {
                heads: 0,
                ..good.clone()
            },
        ),
        (
            "heads",
            UnetConfig {
                heads: 3,
                ..good.clone()
            },
        ),
        (
            "dropout",
            UnetConfig {
                dropout: 1.0,
                ..good.clone()
            },
        ),
    ];
    for (name, config) in bad {
        let error = NetworkConfig::Unet(config).validate().unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
    for preset in [good, UnetConfig::mnist(), UnetConfig::cityscapes()] {
        NetworkConfig::Unet(preset).validate().unwrap();
    }
}

fn with_classes(classes: Option<usize>) -> NetworkConfig {
    NetworkConfig::Unet(UnetConfig {
        channels: 8,
        heads: 2,
        classes,
        ..UnetConfig::tiny()
    })
}
