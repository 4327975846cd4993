//! Group normalisations against the composed ones and the definition.

use burn::tensor::{Device, Tensor, TensorData};

use super::GroupNorm;
use super::processor::{self, Sizes};
use crate::operation::Operation;
use crate::simd::Level;
use crate::testing::{differences, distance, numbers, values, wide};

fn group_norm_cases() -> Vec<Sizes> {
    let mut cases = vec![];
    let channels = [
        (1, 1),
        (2, 1),
        (3, 3),
        (16, 4),
        (32, 32),
        (33, 11),
        (48, 3),
        (64, 32),
    ];
    for (index, (channels, groups)) in channels.into_iter().enumerate() {
        for (sites, batch) in [(35, 1 + index % 3), (4, 2), (1200, 2)] {
            for activate in [false, true] {
                cases.push(Sizes {
                    batch,
                    sites,
                    channels,
                    groups,
                    activate,
                });
            }
        }
    }
    cases
}

#[test]
fn group_norm_agrees_with_the_composed_one() {
    let device = Device::flex().autodiff();
    for sizes in group_norm_cases() {
        let dims = [sizes.batch, sizes.sites, 1, sizes.channels];
        let images: Vec<f32> = numbers(dims.iter().product(), 1)
            .iter()
            .enumerate()
            .map(|(index, x)| x * 2.0 + (index % sizes.channels) as f32 * 0.1)
            .collect();
        let scale = numbers(sizes.channels, 2);
        let shift = numbers(sizes.channels, 3);
        let gradient = numbers(images.len(), 4);
        let tensor = |values: &Vec<f32>| {
            Tensor::<4>::from_data(TensorData::new(values.clone(), dims), &device)
        };
        let vector = |values: &Vec<f32>| Tensor::<1>::from_floats(values.as_slice(), &device);
        let x = tensor(&images).require_grad();
        let a = vector(&scale).require_grad();
        let b = vector(&shift).require_grad();
        let operation = GroupNorm {
            groups: sizes.groups,
            activate: sizes.activate,
        };
        let [y] = operation.reference([
            x.clone().into_dispatch(),
            a.clone().into_dispatch(),
            b.clone().into_dispatch(),
        ]);
        let y = Tensor::<4>::from_dispatch(y);
        let expected = values(y.clone());
        let gradients = (y * tensor(&gradient)).sum().backward();
        let message = "the tensor is tracked";
        let expected_images = values(x.grad(&gradients).expect(message));
        let expected_scale = values(a.grad(&gradients).expect(message));
        let expected_shift = values(b.grad(&gradients).expect(message));
        for level in Level::available() {
            let (y, statistics) = processor::value(level, &sizes, &images, &scale, &shift);
            let got = processor::gradients(
                level,
                &sizes,
                &images,
                [&scale, &shift],
                &statistics,
                &gradient,
            );
            for (name, got, expected) in [
                ("value", y, &expected),
                ("images", got.images, &expected_images),
                ("scale", got.scale, &expected_scale),
                ("shift", got.shift, &expected_shift),
            ] {
                let distance = distance(&got, expected);
                assert!(distance < 2e-5, "{level:?} {sizes:?} {name}: {distance}");
            }
        }
    }
}

/// Group normalisation and `SiLU` by their definition, in 64 bits; one image.
fn normalise(groups: usize, images: &[f64], scale: &[f64], shift: &[f64]) -> Vec<f64> {
    let (channels, width) = (scale.len(), scale.len() / groups);
    let group = |index: usize| (index % channels) / width;
    let each = |of: usize| {
        images
            .iter()
            .enumerate()
            .filter(move |(k, _)| group(*k) == of)
    };
    let count = (images.len() / groups) as f64;
    let result = images.iter().enumerate().map(|(index, value)| {
        let mean = each(group(index)).map(|(_, x)| x).sum::<f64>() / count;
        let squares = each(group(index)).map(|(_, x)| (x - mean).powi(2));
        let deviation = (squares.sum::<f64>() / count + 1e-5).sqrt();
        let channel = index % channels;
        let y = (value - mean) / deviation * scale[channel] + shift[channel];
        y / (1.0 + (-y).exp())
    });
    result.collect()
}

#[test]
fn group_norm_and_its_gradients_follow_from_the_definition() {
    let sizes = Sizes {
        batch: 1,
        sites: 9,
        channels: 6,
        groups: 3,
        activate: true,
    };
    let images = numbers(54, 1);
    let scale = numbers(6, 2);
    let shift = numbers(6, 3);
    let gradient = numbers(54, 4);
    let (x, a, b) = (wide(&images), wide(&scale), wide(&shift));
    let expected: Vec<f32> = normalise(3, &x, &a, &b).iter().map(|y| *y as f32).collect();
    let by_images = differences(|x| normalise(3, x, &a, &b), &images, &gradient, 1e-4);
    let by_scale = differences(|a| normalise(3, &x, a, &b), &scale, &gradient, 1e-4);
    let by_shift = differences(|b| normalise(3, &x, &a, b), &shift, &gradient, 1e-4);
    for level in Level::available() {
        let (y, statistics) = processor::value(level, &sizes, &images, &scale, &shift);
        let parts = [scale.as_slice(), shift.as_slice()];
        let got = processor::gradients(level, &sizes, &images, parts, &statistics, &gradient);
        assert!(distance(&y, &expected) < 2e-6);
        assert!(distance(&got.images, &by_images) < 2e-6);
        assert!(distance(&got.scale, &by_scale) < 2e-6);
        assert!(distance(&got.shift, &by_shift) < 2e-6);
    }
}

#[test]
fn group_norm_is_accurate_far_from_zero() {
    let sizes = Sizes {
        batch: 1,
        sites: 1 << 16,
        channels: 2,
        groups: 1,
        activate: false,
    };
    let images: Vec<f32> = numbers(2 << 16, 1).iter().map(|x| 1000.0 + x).collect();
    let mean = wide(&images).iter().sum::<f64>() / images.len() as f64;
    let squares = wide(&images).into_iter().map(|x| (x - mean).powi(2));
    let deviation = (squares.sum::<f64>() / images.len() as f64 + 1e-5).sqrt();
    for level in Level::available() {
        let (_, statistics) = processor::value(level, &sizes, &images, &[1.0; 2], &[0.0; 2]);
        assert!((f64::from(statistics.mean[0]) - mean).abs() < 1e-4);
        assert!((f64::from(statistics.inverse[0]) * deviation - 1.0).abs() < 1e-5);
    }
}
