//! Layers of small networks, and the loss of a field, as burn sees them: on its processor backend, and with gradients.
//!
//! An [`Operation`] says its value and its gradients on tensors in host memory; what burn wants to know besides is said
//! once, for all of them.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, Flex, backend_extension};
use burn::tensor::Tensor;

use super::affine::Affine;
use super::batch_norm::BatchNorm;
use super::layer_norm::LayerNorm;
use super::matching::MatchingError;
use super::operation::{Host, contiguous};
use super::propagation::{Beliefs, Propagation};
use super::scanlines::{Messages, Scanlines};
use super::taps::{Columns, Taps};

/// An operation of `N` tensors.
pub(super) trait Operation<const N: usize>: Clone + Debug + Send + 'static {
    /// What the gradients need besides the inputs.
    type Kept: Clone + Debug + Send + 'static;

    /// The value; inputs are in order.
    fn value(&self, inputs: &[Host; N]) -> (Host, Self::Kept);

    /// The gradients of the inputs that are wanted, given that of the value, which is in order too.
    fn gradients(
        &self,
        inputs: &[Host; N],
        kept: &Self::Kept,
        gradient: Host,
        wanted: [bool; N],
    ) -> [Option<Host>; N];
}

#[backend_extension(Flex, Autodiff)]
trait Layers: Backend {
    fn kernel_affine(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        rectify: bool,
    ) -> FloatTensor<Self>;

    fn kernel_columns(input: FloatTensor<Self>, taps: usize, dilation: usize) -> FloatTensor<Self>;

    fn kernel_taps(weight: FloatTensor<Self>, taps: usize) -> FloatTensor<Self>;

    fn kernel_layer_norm(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    fn kernel_batch_norm(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);

    fn kernel_matching_error(
        field: FloatTensor<Self>,
        points: FloatTensor<Self>,
        target: FloatTensor<Self>,
    ) -> FloatTensor<Self>;

    fn kernel_scanlines(local: FloatTensor<Self>, lines: Arc<Scanlines>) -> FloatTensor<Self>;

    fn kernel_propagate(local: FloatTensor<Self>, pairs: Arc<Propagation>) -> FloatTensor<Self>;
}

/// See [`super::affine`]; for devices that are served, like all functions here.
pub(super) fn affine(
    input: Tensor<2>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    rectify: bool,
) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::kernel_affine(
        input.into_dispatch(),
        weight.into_dispatch(),
        bias.into_dispatch(),
        rectify,
    ))
}

/// Sites beside those at the taps: `[batch, sites, c]` → `[batch · sites, taps · c]`, zeros beyond the ends.
pub(super) fn columns(input: Tensor<3>, taps: usize, dilation: usize) -> Tensor<2> {
    let input = input.into_dispatch();
    Tensor::from_dispatch(Dispatch::kernel_columns(input, taps, dilation))
}

/// The middle taps as a matrix: `[outputs, inputs, kernel]` → `[taps · inputs, outputs]`.
pub(super) fn taps(weight: Tensor<3>, taps: usize) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::kernel_taps(weight.into_dispatch(), taps))
}

/// See [`super::layer_norm`].
pub(super) fn layer_norm(input: Tensor<2>, scale: Tensor<1>, shift: Tensor<1>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::kernel_layer_norm(
        input.into_dispatch(),
        scale.into_dispatch(),
        shift.into_dispatch(),
    ))
}

/// See [`super::batch_norm`].
pub(super) fn batch_norm(
    input: Tensor<2>,
    scale: Tensor<1>,
    shift: Tensor<1>,
) -> (Tensor<2>, Tensor<1>, Tensor<1>) {
    let (output, mean, variance) = Dispatch::kernel_batch_norm(
        input.into_dispatch(),
        scale.into_dispatch(),
        shift.into_dispatch(),
    );
    (
        Tensor::from_dispatch(output),
        Tensor::from_dispatch(mean),
        Tensor::from_dispatch(variance),
    )
}

/// See [`super::matching_error`].
pub(super) fn matching_error(field: Tensor<3>, points: Tensor<3>, target: Tensor<3>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::kernel_matching_error(
        field.into_dispatch(),
        points.into_dispatch(),
        target.into_dispatch(),
    ))
}

/// See [`super::scanlines`].
pub(super) fn scanlines(local: Tensor<3>, lines: Arc<Scanlines>) -> Tensor<3> {
    Tensor::from_dispatch(Dispatch::kernel_scanlines(local.into_dispatch(), lines))
}

/// See [`super::propagate`].
pub(super) fn propagate(local: Tensor<3>, pairs: Arc<Propagation>) -> Tensor<3> {
    Tensor::from_dispatch(Dispatch::kernel_propagate(local.into_dispatch(), pairs))
}

/// The value, and what its gradients would need.
fn plain<O: Operation<N>, const N: usize>(operation: &O, inputs: [Host; N]) -> (Host, O::Kept) {
    operation.value(&inputs.map(contiguous))
}

/// The same, with gradients.
fn tracked<O: Operation<N>, C: CheckpointStrategy, const N: usize>(
    operation: O,
    inputs: [FloatTensor<Autodiff<Flex, C>>; N],
) -> (FloatTensor<Autodiff<Flex, C>>, O::Kept) {
    let nodes = inputs.each_ref().map(|input| input.node());
    let inputs = inputs.map(|input| contiguous(input.into_primitive()));
    let (output, kept) = operation.value(&inputs);
    let prepared = Gradient::<O, N>(PhantomData).prepare::<C>(nodes);
    let output = match prepared.compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish((operation, inputs, kept.clone()), output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    };
    (output, kept)
}

/// The gradients of an operation.
#[derive(Debug)]
struct Gradient<O, const N: usize>(PhantomData<O>);

impl<O: Operation<N>, const N: usize> Backward<Flex, N> for Gradient<O, N> {
    type State = (O, [Host; N], O::Kept);

    fn backward(
        self,
        ops: Ops<Self::State, N>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (operation, inputs, kept) = ops.state;
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let results = operation.gradients(&inputs, &kept, gradient, wanted);
        for (node, result) in ops.parents.into_iter().zip(results) {
            if let (Some(node), Some(result)) = (node, result) {
                gradients.register::<Flex>(node.id, result);
            }
        }
    }
}

impl Layers for Flex {
    fn kernel_affine(input: Host, weight: Host, bias: Host, rectify: bool) -> Host {
        plain(&Affine { rectify }, [input, weight, bias]).0
    }

    fn kernel_columns(input: Host, taps: usize, dilation: usize) -> Host {
        plain(&Columns { taps, dilation }, [input]).0
    }

    fn kernel_taps(weight: Host, taps: usize) -> Host {
        plain(&Taps { taps }, [weight]).0
    }

    fn kernel_layer_norm(input: Host, scale: Host, shift: Host) -> Host {
        plain(&LayerNorm, [input, scale, shift]).0
    }

    fn kernel_batch_norm(input: Host, scale: Host, shift: Host) -> (Host, Host, Host) {
        let (output, statistics) = plain(&BatchNorm, [input, scale, shift]);
        let [mean, variance] = BatchNorm::moments(&statistics);
        (output, mean, variance)
    }

    fn kernel_matching_error(field: Host, points: Host, target: Host) -> Host {
        plain(&MatchingError::new(points, target), [field]).0
    }

    fn kernel_scanlines(local: Host, lines: Arc<Scanlines>) -> Host {
        plain(&Messages { lines }, [local]).0
    }

    fn kernel_propagate(local: Host, pairs: Arc<Propagation>) -> Host {
        plain(&Beliefs { pairs }, [local]).0
    }
}

impl<C: CheckpointStrategy> Layers for Autodiff<Flex, C> {
    fn kernel_affine(
        input: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        rectify: bool,
    ) -> FloatTensor<Self> {
        tracked::<_, C, 3>(Affine { rectify }, [input, weight, bias]).0
    }

    fn kernel_columns(input: FloatTensor<Self>, taps: usize, dilation: usize) -> FloatTensor<Self> {
        tracked::<_, C, 1>(Columns { taps, dilation }, [input]).0
    }

    fn kernel_taps(weight: FloatTensor<Self>, taps: usize) -> FloatTensor<Self> {
        tracked::<_, C, 1>(Taps { taps }, [weight]).0
    }

    fn kernel_layer_norm(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        tracked::<_, C, 3>(LayerNorm, [input, scale, shift]).0
    }

    fn kernel_batch_norm(
        input: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let (output, statistics) = tracked::<_, C, 3>(BatchNorm, [input, scale, shift]);
        let [mean, variance] = BatchNorm::moments(&statistics).map(FloatTensor::<Self>::new);
        (output, mean, variance)
    }

    fn kernel_matching_error(
        field: FloatTensor<Self>,
        points: FloatTensor<Self>,
        target: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        assert!(
            !points.is_tracked() && !target.is_tracked(),
            "points and target are constants of the loss"
        );
        let [points, target] = [points, target].map(|tensor| tensor.into_primitive());
        tracked::<_, C, 1>(MatchingError::new(points, target), [field]).0
    }

    fn kernel_scanlines(local: FloatTensor<Self>, lines: Arc<Scanlines>) -> FloatTensor<Self> {
        tracked::<_, C, 1>(Messages { lines }, [local]).0
    }

    fn kernel_propagate(local: FloatTensor<Self>, pairs: Arc<Propagation>) -> FloatTensor<Self> {
        tracked::<_, C, 1>(Beliefs { pairs }, [local]).0
    }
}
