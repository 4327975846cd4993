//! The operations composed of burn's own: on every device, with every gradient, and the reference of the tests.

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Int, Tensor, TensorData, activation, module};

use super::propagation::Propagation;
use super::scanlines::Scanlines;

/// Added to the variance in a group normalisation.
const EPSILON: f64 = 1e-5;
/// Most numbers in a table of attention weights; queries beyond it come in later chunks.
const MOST_WEIGHTS: usize = 1 << 24;

pub(super) fn convolution(
    images: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
) -> Tensor<4> {
    let [_, _, _, inputs] = images.dims();
    let [kernel, _, weight_inputs, outputs] = weight.dims();
    assert_eq!(
        inputs, weight_inputs,
        "channels of the images and of the weight"
    );
    if kernel == 1 && stride == 1 {
        let [batch, height, width, _] = images.dims();
        let flat = images.reshape([batch * height * width, inputs]);
        let product = flat.matmul(weight.reshape([inputs, outputs])) + bias.unsqueeze::<2>();
        return product.reshape([batch, height, width, outputs]);
    }
    let options = ConvOptions::new([stride; 2], [kernel / 2; 2], [1; 2], 1);
    let images = images.permute([0, 3, 1, 2]);
    module::conv2d(images, weight.permute([3, 2, 0, 1]), Some(bias), options).permute([0, 2, 3, 1])
}

pub(super) fn group_norm(
    images: Tensor<4>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    groups: usize,
    activate: bool,
) -> Tensor<4> {
    let [batch, height, width, channels] = images.dims();
    let grouped = images.reshape([batch, height * width, groups, channels / groups]);
    let mean_of = |values: Tensor<4>| values.mean_dim(1).mean_dim(3); // [batch, 1, groups, 1]
    let centred = grouped.clone() - mean_of(grouped);
    let variance = mean_of(centred.clone().square());
    let normal = centred / (variance + EPSILON).sqrt();
    let normal = normal.reshape([batch, height, width, channels]);
    let output = normal * scale.unsqueeze::<4>() + shift.unsqueeze::<4>();
    match activate {
        true => activation::silu(output),
        false => output,
    }
}

pub(super) fn attention(query: Tensor<4>, key: Tensor<4>, value: Tensor<4>) -> Tensor<4> {
    let [batch, heads, sites, width] = query.dims();
    let scale = (width as f64).sqrt().recip();
    let chunk = (MOST_WEIGHTS / (batch * heads * sites)).clamp(1, sites);
    let key = key.swap_dims(2, 3);
    let attend = |query: Tensor<4>| {
        let weights = activation::softmax(query.matmul(key.clone()) * scale, 3);
        weights.matmul(value.clone())
    };
    if chunk == sites {
        return attend(query);
    }
    let parts = query.split(chunk, 2).into_iter().map(attend).collect();
    Tensor::cat(parts, 2)
}

pub(super) fn affine(
    input: Tensor<2>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    rectify: bool,
) -> Tensor<2> {
    let output = input.matmul(weight) + bias.unsqueeze::<2>();
    match rectify {
        true => activation::relu(output),
        false => output,
    }
}

pub(super) fn columns(input: Tensor<3>, taps: usize, dilation: usize) -> Tensor<2> {
    let [batch, sites, inputs] = input.dims();
    let padding = Tensor::zeros([batch, taps / 2 * dilation, inputs], &input.device());
    let padded = Tensor::cat(vec![padding.clone(), input, padding], 1);
    let shifted = |tap: usize| {
        let from = tap * dilation;
        padded.clone().slice([0..batch, from..from + sites])
    };
    let columns = Tensor::cat((0..taps).map(shifted).collect(), 2);
    columns.reshape([batch * sites, taps * inputs])
}

pub(super) fn taps(weight: Tensor<3>, taps: usize) -> Tensor<2> {
    let [outputs, inputs, kernel] = weight.dims();
    let first = kernel / 2 - taps / 2;
    weight
        .slice([0..outputs, 0..inputs, first..first + taps])
        .permute([2, 1, 0])
        .reshape([taps * inputs, outputs])
}

pub(super) fn layer_norm(input: Tensor<2>, scale: Tensor<1>, shift: Tensor<1>) -> Tensor<2> {
    module::layer_norm(input, scale, Some(shift), EPSILON)
}

pub(super) fn batch_norm(
    input: Tensor<2>,
    scale: Tensor<1>,
    shift: Tensor<1>,
) -> (Tensor<2>, Tensor<1>, Tensor<1>) {
    let found = module::batch_norm_train(input, scale, shift, EPSILON);
    (found.output, found.mean.detach(), found.variance.detach())
}

pub(super) fn matching_error(field: Tensor<3>, points: Tensor<3>, target: Tensor<3>) -> Tensor<2> {
    let difference = field - target;
    let mean = (points.clone() * difference.clone()).sum_dim(2);
    let variance = (points * (difference - mean).square()).sum_dim(2);
    variance.squeeze_dim(2)
}

pub(super) fn scanlines(local: Tensor<3>, lines: &Scanlines) -> Tensor<3> {
    let ([batch, sites, c], device) = (local.dims(), local.device());
    let images = local.clone().reshape([batch, lines.height, lines.width, c]);
    let mut sum = Tensor::zeros([batch, sites, c], &device);
    for direction in 0..4 {
        let ratios = lines.ratios[direction].clone();
        let ratios = Tensor::<2>::from_data(TensorData::new(ratios, [c, c]), &device).unsqueeze();
        let silence = lines.silence[direction].clone();
        let silence = TensorData::new(silence, [1, lines.height, lines.width, c]);
        let silence = Tensor::<4>::from_data(silence, &device);
        // Lines of pixels across the direction, one after the other.
        let axis = 2 - direction / 2;
        let length = [lines.height, lines.width][axis - 1];
        let first = images.clone().narrow(axis, 0, 1).zeros_like();
        let mut messages = vec![first];
        for step in 1..length {
            let (sender, receiver) = match direction % 2 {
                0 => (step - 1, step),
                _ => (length - step, length - step - 1),
            };
            let said = messages[step - 1].clone();
            let beliefs = activation::softmax(images.clone().narrow(axis, sender, 1) + said, 3);
            let silence = silence.clone().narrow(axis, receiver, 1);
            messages.push((beliefs.matmul(ratios.clone()) / silence).log());
        }
        if direction % 2 == 1 {
            messages.reverse();
        }
        sum = sum + Tensor::cat(messages, axis).reshape([batch, sites, c]);
    }
    sum
}

pub(super) fn propagate(local: Tensor<3>, pairs: &Propagation) -> Tensor<3> {
    let ([batch, sites, categories], device) = (local.dims(), local.device());
    let (slots, numbers) = (sites * pairs.slots, categories * batch);
    let weights = TensorData::new(pairs.weights.clone(), [slots, categories, categories]);
    let weights = Tensor::<3>::from_data(weights, &device);
    let index = |places: &[usize]| {
        let places: Vec<i64> = places.iter().map(|place| *place as i64).collect();
        Tensor::<1, Int>::from_data(&places[..], &device)
    };
    let (senders, answers) = (index(&pairs.senders), index(&pairs.answers));
    // The batch runs fastest: messages of all rows are one product of small matrices and long ones.
    let local = local.permute([1, 2, 0]).reshape([sites, numbers]);
    let gathered = |messages: &Tensor<2>| {
        let received = messages.clone().reshape([sites, pairs.slots, numbers]);
        local.clone() + received.sum_dim(1).squeeze_dim::<2>(1)
    };
    let damping = pairs.damping;
    let mut messages = Tensor::<2>::zeros([slots, numbers], &device);
    for round in 0..pairs.rounds {
        let beliefs = gathered(&messages);
        let cavity =
            beliefs.select(0, senders.clone()) - messages.clone().select(0, answers.clone());
        let cavity = cavity.reshape([slots, categories, batch]);
        let cavity = cavity.clone() - cavity.max_dim(1);
        let sent = weights.clone().matmul(cavity.exp()).log();
        let sent = sent.reshape([slots, numbers]);
        messages = match round {
            0 => sent,
            _ => messages * damping + sent * (1.0 - damping),
        };
    }
    gathered(&messages)
        .reshape([sites, categories, batch])
        .permute([2, 0, 1])
}
