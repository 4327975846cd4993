//! The fast operations as burn sees them: on its processor backend, and with gradients.
//!
//! The numbers come from [`convolution`], [`group_norm`] and [`attention`]; this file packs and unpacks tensors, and says what is kept
//! for the gradients. Nothing is computed for a weight or image whose gradient nobody asks for.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{DType, Device, Tensor, TensorData};

use super::simd::Level;
use super::{Precision, attention, convolution, group_norm, is_processor};

/// A tensor in host memory.
pub(super) type Host = FloatTensor<Flex>;

#[backend_extension(Flex, Autodiff)]
trait Kernels: Backend {
    fn kernel_convolution(
        images: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
        precision: Precision,
    ) -> FloatTensor<Self>;

    fn kernel_group_norm(
        images: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        groups: usize,
        activate: bool,
    ) -> FloatTensor<Self>;

    fn kernel_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
}

/// Whether the operations serve this device and these types.
pub(super) fn serve<const N: usize>(device: Device, types: [DType; N]) -> bool {
    is_processor(&device) && types == [DType::F32; N]
}

/// See [`super::convolution`]; for devices that [`serve`].
pub(super) fn convolve(
    images: Tensor<4>,
    weight: Tensor<4>,
    bias: Tensor<1>,
    stride: usize,
    precision: Precision,
) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::kernel_convolution(
        images.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        stride,
        precision,
    ))
}

/// See [`super::group_norm`]; for devices that [`serve`].
pub(super) fn normalise(
    images: Tensor<4>,
    scale: Tensor<1>,
    shift: Tensor<1>,
    groups: usize,
    activate: bool,
) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::kernel_group_norm(
        images.into_dispatch(),
        scale.into_dispatch(),
        shift.into_dispatch(),
        groups,
        activate,
    ))
}

/// See [`super::attention`]; for devices that [`serve`].
pub(super) fn attend(query: Tensor<4>, key: Tensor<4>, value: Tensor<4>) -> Tensor<4> {
    Tensor::from_dispatch(Dispatch::kernel_attention(
        query.into_dispatch(),
        key.into_dispatch(),
        value.into_dispatch(),
    ))
}

/// The same numbers, in order.
pub(super) fn contiguous(tensor: Host) -> Host {
    match tensor.is_contiguous() {
        true => tensor,
        false => tensor.to_contiguous(),
    }
}

/// The numbers of a tensor in order.
pub(super) fn values(tensor: &Host) -> &[f32] {
    let values = tensor.as_slice();
    values.expect("a tensor in order, of 32-bit numbers")
}

/// The numbers of a tensor, its own memory where nobody else has it.
pub(super) fn into_values(tensor: Host) -> Vec<f32> {
    let values = tensor.into_data().try_into_vec();
    values.expect("a tensor of 32-bit numbers")
}

/// A tensor of numbers.
pub(super) fn tensor<const D: usize>(values: Vec<f32>, dims: [usize; D]) -> Host {
    Host::from_data(TensorData::new(values, dims))
}

fn convolution_sizes(images: &Host, weight: &Host, stride: usize) -> convolution::Sizes {
    let ([batch, height, width, inputs], [kernel, columns, weight_inputs, outputs]) =
        (images.shape().dims(), weight.shape().dims());
    assert_eq!(
        inputs, weight_inputs,
        "channels of the images and of the weight"
    );
    assert!(
        kernel == columns && kernel % 2 == 1,
        "the kernel is {kernel}x{columns}"
    );
    assert!(stride > 0, "a stride of 0");
    convolution::Sizes {
        batch,
        height,
        width,
        inputs,
        outputs,
        kernel,
        stride,
    }
}

fn group_norm_sizes(images: &Host, groups: usize, activate: bool) -> group_norm::Sizes {
    let [batch, height, width, channels] = images.shape().dims();
    assert!(
        groups > 0 && channels.is_multiple_of(groups),
        "{channels} channels in {groups} groups"
    );
    group_norm::Sizes {
        batch,
        sites: height * width,
        channels,
        groups,
        activate,
    }
}

impl Kernels for Flex {
    fn kernel_convolution(
        images: Host,
        weight: Host,
        bias: Host,
        stride: usize,
        precision: Precision,
    ) -> Host {
        let [images, weight, bias] = [images, weight, bias].map(contiguous);
        let sizes = convolution_sizes(&images, &weight, stride);
        let output = convolution::value(
            Level::of(precision),
            &sizes,
            values(&images),
            values(&weight),
            values(&bias),
        );
        let [height, width] = sizes.output();
        tensor(output, [sizes.batch, height, width, sizes.outputs])
    }

    fn kernel_group_norm(
        images: Host,
        scale: Host,
        shift: Host,
        groups: usize,
        activate: bool,
    ) -> Host {
        let parts = [images, scale, shift].map(contiguous);
        group_norm_value(&parts, groups, activate).0
    }

    fn kernel_attention(query: Host, key: Host, value: Host) -> Host {
        attention_value(&[query, key, value].map(contiguous)).0
    }
}

fn attention_sizes([query, key, value]: &[Host; 3]) -> attention::Sizes {
    let dims = query.shape().dims();
    let others = [key, value].map(|tensor| tensor.shape().dims());
    assert_eq!(
        others, [dims; 2],
        "shapes of key and value, and of the query"
    );
    let [batch, heads, sites, width] = dims;
    attention::Sizes {
        heads: batch * heads,
        sites,
        width,
    }
}

fn attention_value(parts: &[Host; 3]) -> (Host, Vec<f32>) {
    let sizes = attention_sizes(parts);
    let (output, logarithms) =
        attention::value(Level::detect(), &sizes, parts.each_ref().map(values));
    (tensor(output, parts[0].shape().dims::<4>()), logarithms)
}

fn group_norm_value(
    [images, scale, shift]: &[Host; 3],
    groups: usize,
    activate: bool,
) -> (Host, group_norm::Statistics) {
    let sizes = group_norm_sizes(images, groups, activate);
    let parts = [images, scale, shift].map(values);
    let (output, statistics) =
        group_norm::value(Level::detect(), &sizes, parts[0], parts[1], parts[2]);
    (tensor(output, images.shape().dims::<4>()), statistics)
}

/// The gradient of a convolution.
#[derive(Debug)]
struct ConvolutionGradient;

/// What [`ConvolutionGradient`] needs, if anything depends on it.
#[derive(Clone, Debug)]
struct ConvolutionState {
    sizes: convolution::Sizes,
    precision: Precision,
    /// For the gradient of the weight.
    images: Option<Host>,
    /// For the gradient of the images.
    weight: Option<Host>,
}

impl Backward<Flex, 3> for ConvolutionGradient {
    type State = ConvolutionState;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (level, sizes) = (Level::of(ops.state.precision), ops.state.sizes);
        let [images, weight, bias] = ops.parents;
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let gradient = values(&gradient);
        if let (Some(node), Some(weight)) = (images, &ops.state.weight) {
            let result = convolution::input_gradient(level, &sizes, values(weight), gradient);
            let dims = [sizes.batch, sizes.height, sizes.width, sizes.inputs];
            gradients.register::<Flex>(node.id, tensor(result, dims));
        }
        if let (Some(node), Some(images)) = (weight, &ops.state.images) {
            let result = convolution::weight_gradient(level, &sizes, values(images), gradient);
            let dims = [sizes.kernel, sizes.kernel, sizes.inputs, sizes.outputs];
            gradients.register::<Flex>(node.id, tensor(result, dims));
        }
        if let Some(node) = bias {
            let result = convolution::bias_gradient(sizes.outputs, gradient);
            gradients.register::<Flex>(node.id, tensor(result, [sizes.outputs]));
        }
    }
}

/// The gradient of a group normalisation.
#[derive(Debug)]
struct GroupNormGradient;

/// What [`GroupNormGradient`] needs.
#[derive(Clone, Debug)]
struct GroupNormState {
    sizes: group_norm::Sizes,
    /// Images, scale and shift.
    parts: [Host; 3],
    statistics: group_norm::Statistics,
}

impl Backward<Flex, 3> for GroupNormGradient {
    type State = GroupNormState;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let state = ops.state;
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let [images, scale, shift] = state.parts.each_ref().map(values);
        let result = group_norm::gradients(
            Level::detect(),
            &state.sizes,
            images,
            [scale, shift],
            &state.statistics,
            values(&gradient),
        );
        let results = [result.images, result.scale, result.shift];
        for ((node, result), part) in ops.parents.into_iter().zip(results).zip(&state.parts) {
            if let Some(node) = node {
                let data = TensorData::new(result, part.shape());
                gradients.register::<Flex>(node.id, Host::from_data(data));
            }
        }
    }
}

/// The gradient of an attention.
#[derive(Debug)]
struct AttentionGradient;

/// What [`AttentionGradient`] needs.
#[derive(Clone, Debug)]
struct AttentionState {
    /// Query, key and value.
    parts: [Host; 3],
    output: Host,
    logarithms: Vec<f32>,
}

impl Backward<Flex, 3> for AttentionGradient {
    type State = AttentionState;

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let state = ops.state;
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let known = attention::Known {
            output: values(&state.output),
            logarithms: &state.logarithms,
        };
        let results = attention::gradients(
            Level::detect(),
            &attention_sizes(&state.parts),
            state.parts.each_ref().map(values),
            known,
            values(&gradient),
        );
        for (node, result) in ops.parents.into_iter().zip(results) {
            if let Some(node) = node {
                let data = TensorData::new(result, state.output.shape());
                gradients.register::<Flex>(node.id, Host::from_data(data));
            }
        }
    }
}

impl<C: CheckpointStrategy> Kernels for Autodiff<Flex, C> {
    fn kernel_convolution(
        images: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        stride: usize,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let tracked = [images.is_tracked(), weight.is_tracked()];
        let ((images, images_node), (weight, weight_node), (bias, bias_node)) =
            (images.into_parts(), weight.into_parts(), bias.into_parts());
        // In order once, for the value and for the gradients.
        let [images, weight] = [images, weight].map(contiguous);
        let output =
            Flex::kernel_convolution(images.clone(), weight.clone(), bias, stride, precision);
        let operation = ConvolutionGradient.prepare::<C>([images_node, weight_node, bias_node]);
        match operation.compute_bound().stateful() {
            OpsKind::Tracked(operation) => {
                let state = ConvolutionState {
                    sizes: convolution_sizes(&images, &weight, stride),
                    precision,
                    images: tracked[1].then_some(images),
                    weight: tracked[0].then_some(weight),
                };
                operation.finish(state, output)
            }
            OpsKind::UnTracked(operation) => operation.finish(output),
        }
    }

    fn kernel_group_norm(
        images: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        groups: usize,
        activate: bool,
    ) -> FloatTensor<Self> {
        let ((images, images_node), (scale, scale_node), (shift, shift_node)) =
            (images.into_parts(), scale.into_parts(), shift.into_parts());
        let parts = [images, scale, shift].map(contiguous);
        let (output, statistics) = group_norm_value(&parts, groups, activate);
        let operation = GroupNormGradient.prepare::<C>([images_node, scale_node, shift_node]);
        match operation.compute_bound().stateful() {
            OpsKind::Tracked(operation) => {
                let sizes = group_norm_sizes(&parts[0], groups, activate);
                let state = GroupNormState {
                    sizes,
                    parts,
                    statistics,
                };
                operation.finish(state, output)
            }
            OpsKind::UnTracked(operation) => operation.finish(output),
        }
    }

    fn kernel_attention(
        query: FloatTensor<Self>,
        key: FloatTensor<Self>,
        value: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let ((query, query_node), (key, key_node), (value, value_node)) =
            (query.into_parts(), key.into_parts(), value.into_parts());
        let parts = [query, key, value].map(contiguous);
        let (output, logarithms) = attention_value(&parts);
        let operation = AttentionGradient.prepare::<C>([query_node, key_node, value_node]);
        match operation.compute_bound().stateful() {
            OpsKind::Tracked(operation) => {
                let state = AttentionState {
                    parts,
                    output: output.clone(),
                    logarithms,
                };
                operation.finish(state, output)
            }
            OpsKind::UnTracked(operation) => operation.finish(output),
        }
    }
}
