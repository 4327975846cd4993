//! How an operation reaches burn: one trait, and the one place that enters operations into the graph of gradients.
//!
//! An operation has forms. On the processor it is one node of the graph, its value and its gradients computed on slices of
//! 32-bit numbers. On graphics processors it is one, too, where it has a [`Graphics`] form. Elsewhere, and for other numbers,
//! it is composed of burn's operations.

use std::fmt::Debug;
use std::marker::PhantomData;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, Backend, BackendTensor, Dispatch, DispatchAutodiffContext, DispatchTensor,
    DispatchTensorKind, ExtensionType, Flex, TensorMetadata, backend_extension,
};
use burn::tensor::{DType, Device, TensorData};

#[cfg(feature = "graphics")]
use burn::backend::Cube;

#[cfg(feature = "graphics")]
use crate::graphics::{self, Resident};
use crate::is_processor;

/// A tensor in host memory.
pub(crate) type Host = FloatTensor<Flex>;
/// A tensor anywhere, of any number of axes: what [`burn::tensor::Tensor`] calls its dispatch.
pub(crate) type Anywhere = DispatchTensor;

/// A function of `N` tensors with `M` values, of which the first passes gradients on.
pub(crate) trait Operation<const N: usize, const M: usize = 1>:
    Clone + Debug + Send + 'static
{
    /// What the gradients need: inputs, values, and what was found on the way from one to the other.
    type Kept: Clone + Debug + Send + 'static;

    /// On the processor: the values, and what is kept for the gradients of the inputs that are wanted. The inputs are in
    /// order.
    fn value(&self, inputs: [Host; N], wanted: [bool; N]) -> ([Host; M], Self::Kept);

    /// On the processor: the gradients of the inputs that are wanted, given that of the first value, which is in order.
    fn gradients(&self, kept: Self::Kept, gradient: Host, wanted: [bool; N]) -> [Option<Host>; N];

    /// Anywhere: the values composed of burn's operations, by which tests measure the other forms.
    fn reference(&self, inputs: [Anywhere; N]) -> [Anywhere; M];

    /// The form for graphics processors, if there is one.
    #[cfg(feature = "graphics")]
    fn graphics(&self) -> Option<&dyn Graphics<N, M>> {
        None
    }
}

/// An operation on graphics processors, where kernels are queued and nothing waits for them.
#[cfg(feature = "graphics")]
pub(crate) trait Graphics<const N: usize, const M: usize> {
    /// Whether it serves inputs of such shapes.
    fn serves(&self, _inputs: &[Anywhere; N]) -> bool {
        true
    }

    /// The values, and what the gradients need. The inputs are in order.
    fn value(&self, inputs: [Resident; N], wanted: [bool; N]) -> ([Resident; M], Vec<Resident>);

    /// The gradients of the inputs that are wanted, given that of the first value, which is in order.
    fn gradients(
        &self,
        kept: Vec<Resident>,
        gradient: Resident,
        wanted: [bool; N],
    ) -> [Option<Resident>; N];
}

/// How an operation is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// By the device's own form, with gradients of its own: on slices of 32-bit numbers in host memory, or by kernels on a
    /// graphics processor.
    Own,
    /// By burn's operations.
    Composed,
}

impl Form {
    /// The fastest one for the inputs.
    fn of<O: Operation<N, M>, const N: usize, const M: usize>(
        operation: &O,
        inputs: &[Anywhere; N],
    ) -> Self {
        let narrow = inputs.iter().all(|input| input.dtype() == DType::F32);
        match narrow
            && (is_processor(&Device::new(inputs[0].device())) || serves(operation, inputs))
        {
            true => Self::Own,
            false => Self::Composed,
        }
    }
}

/// Whether there are kernels for the inputs where they are.
#[cfg(feature = "graphics")]
fn serves<O: Operation<N, M>, const N: usize, const M: usize>(
    operation: &O,
    inputs: &[Anywhere; N],
) -> bool {
    let form = operation.graphics();
    form.is_some_and(|form| graphics::reaches(&inputs[0]) && form.serves(inputs))
}

#[cfg(not(feature = "graphics"))]
fn serves<O: Operation<N, M>, const N: usize, const M: usize>(_: &O, _: &[Anywhere; N]) -> bool {
    false
}

/// The values of an operation, in the fastest form for its inputs.
pub(crate) fn apply<O: Operation<N, M>, const N: usize, const M: usize>(
    operation: O,
    inputs: [Anywhere; N],
) -> [Anywhere; M] {
    match Form::of(&operation, &inputs) {
        Form::Own => apply_in_own_form(operation, inputs),
        Form::Composed => operation.reference(inputs),
    }
}

/// The same in the device's own form, which is not composed; 32-bit inputs.
pub(crate) fn apply_in_own_form<O: Operation<N, M>, const N: usize, const M: usize>(
    operation: O,
    inputs: [Anywhere; N],
) -> [Anywhere; M] {
    Dispatch::apply::<O, N, M>(operation, Tensors(inputs.into())).into_array()
}

/// What burn asks of a backend for all operations at once.
#[backend_extension(Flex, Cube: cfg(feature = "graphics"), Autodiff)]
trait Backends: Backend {
    fn apply<O: Operation<N, M>, const N: usize, const M: usize>(
        operation: O,
        #[extension_type] inputs: Tensors<Self>,
    ) -> Tensors<Self>;
}

impl Backends for Flex {
    fn apply<O: Operation<N, M>, const N: usize, const M: usize>(
        operation: O,
        inputs: Tensors<Self>,
    ) -> Tensors<Self> {
        let inputs = inputs.into_array().map(contiguous);
        let (values, _) = operation.value(inputs, [false; N]);
        Tensors(values.into())
    }
}

impl<C: CheckpointStrategy> Backends for Autodiff<Flex, C> {
    fn apply<O: Operation<N, M>, const N: usize, const M: usize>(
        operation: O,
        inputs: Tensors<Self>,
    ) -> Tensors<Self> {
        let inputs: [FloatTensor<Self>; N] = inputs.into_array();
        let nodes = inputs.each_ref().map(|input| input.node());
        let wanted = inputs.each_ref().map(|input| input.is_tracked());
        let inputs = inputs.map(|input| contiguous(input.into_primitive()));
        let (values, kept) = operation.value(inputs, wanted);
        let mut values = Vec::from(values).into_iter();
        let first = values.next().expect("an operation has a value");
        let prepared = Gradient::<O, N, M>(PhantomData).prepare::<C>(nodes);
        let first = match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((operation, kept), first),
            OpsKind::UnTracked(prepared) => prepared.finish(first),
        };
        let others = values.map(FloatTensor::<Self>::new);
        Tensors(std::iter::once(first).chain(others).collect())
    }
}

/// Hands gradients to the inputs that want them.
fn register<B: Backend, const N: usize>(
    parents: [Option<NodeId>; N],
    results: [Option<FloatTensor<B>>; N],
    gradients: &mut Gradients,
) {
    for (node, result) in parents.into_iter().zip(results) {
        if let (Some(node), Some(result)) = (node, result) {
            gradients.register::<B>(node, result);
        }
    }
}

/// The gradients of an operation, as a step of burn's backward pass.
#[derive(Debug)]
struct Gradient<O, const N: usize, const M: usize>(PhantomData<O>);

impl<O: Operation<N, M>, const N: usize, const M: usize> Backward<Flex, N> for Gradient<O, N, M> {
    type State = (O, O::Kept);

    fn backward(
        self,
        ops: Ops<Self::State, N>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (operation, kept) = ops.state;
        let gradient = contiguous(gradients.consume::<Flex>(&ops.node));
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let results = operation.gradients(kept, gradient, wanted);
        let parents = ops.parents.map(|parent| parent.map(|node| node.id));
        register::<Flex, N>(parents, results, gradients);
    }
}

#[cfg(feature = "graphics")]
impl Backends for Cube {
    fn apply<O: Operation<N, M>, const N: usize, const M: usize>(
        operation: O,
        inputs: Tensors<Self>,
    ) -> Tensors<Self> {
        let inputs = inputs.into_array().map(graphics::contiguous);
        let (values, _) = graphics_of(&operation).value(inputs, [false; N]);
        Tensors(values.into())
    }
}

/// The form that [`Form::of`] has found.
#[cfg(feature = "graphics")]
fn graphics_of<O: Operation<N, M>, const N: usize, const M: usize>(
    operation: &O,
) -> &dyn Graphics<N, M> {
    let form = operation.graphics();
    form.expect("the form of these inputs is that for graphics processors")
}

#[cfg(feature = "graphics")]
impl<C: CheckpointStrategy> Backends for Autodiff<Cube, C> {
    fn apply<O: Operation<N, M>, const N: usize, const M: usize>(
        operation: O,
        inputs: Tensors<Self>,
    ) -> Tensors<Self> {
        let inputs: [FloatTensor<Self>; N] = inputs.into_array();
        let nodes = inputs.each_ref().map(|input| input.node());
        let wanted = inputs.each_ref().map(|input| input.is_tracked());
        let inputs = inputs.map(|input| graphics::contiguous(input.into_primitive()));
        let (values, kept) = graphics_of(&operation).value(inputs, wanted);
        let mut values = Vec::from(values).into_iter();
        let first = values.next().expect("an operation has a value");
        let prepared = GraphicsGradient::<O, N, M>(PhantomData).prepare::<C>(nodes);
        let first = match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish((operation, kept), first),
            OpsKind::UnTracked(prepared) => prepared.finish(first),
        };
        let others = values.map(FloatTensor::<Self>::new);
        Tensors(std::iter::once(first).chain(others).collect())
    }
}

/// The same on a graphics processor.
#[cfg(feature = "graphics")]
#[derive(Debug)]
struct GraphicsGradient<O, const N: usize, const M: usize>(PhantomData<O>);

#[cfg(feature = "graphics")]
impl<O: Operation<N, M>, const N: usize, const M: usize> Backward<Cube, N>
    for GraphicsGradient<O, N, M>
{
    type State = (O, Vec<Resident>);

    fn backward(
        self,
        ops: Ops<Self::State, N>,
        gradients: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (operation, kept) = ops.state;
        let gradient = graphics::contiguous(gradients.consume::<Cube>(&ops.node));
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let results = graphics_of(&operation).gradients(kept, gradient, wanted);
        let parents = ops.parents.map(|parent| parent.map(|node| node.id));
        register::<Cube, N>(parents, results, gradients);
    }
}

/// Tensors of a backend, as many as an operation has; burn's macro can name single ones only.
#[derive(Clone, Debug)]
struct Tensors<B: Backend>(Vec<FloatTensor<B>>);

impl<B: Backend> Tensors<B> {
    fn into_array<const N: usize>(self) -> [FloatTensor<B>; N] {
        let tensors = self.0.try_into();
        tensors.unwrap_or_else(|found: Vec<_>| panic!("{} tensors for {N}", found.len()))
    }
}

impl<B: Backend> ExtensionType<B> for Tensors<B> {
    type Target = Tensors<Dispatch>;

    fn map_to_dispatch<F>(self, map_kind: F, autodiff: DispatchAutodiffContext) -> Self::Target
    where
        F: Fn(BackendTensor<B>) -> DispatchTensorKind,
    {
        let tensors = self.0.into_iter().map(|tensor| DispatchTensor {
            kind: map_kind(BackendTensor::Float(tensor)),
            autodiff,
        });
        Tensors(tensors.collect())
    }

    fn map_from_dispatch<F>(target: Self::Target, unwrap_kind: F) -> Self
    where
        F: Fn(DispatchTensor) -> BackendTensor<B>,
    {
        let tensors = target.0.into_iter();
        Self(tensors.map(|tensor| unwrap_kind(tensor).float()).collect())
    }

    fn routing_tensor(target: &Self::Target) -> Option<&DispatchTensor> {
        target.0.first()
    }

    fn routing_float_tensor(target: &Self::Target) -> Option<&DispatchTensor> {
        target.0.first()
    }

    fn autodiff_context(target: &Self::Target) -> DispatchAutodiffContext {
        let contexts = target.0.iter().map(|tensor| tensor.autodiff);
        contexts.fold(
            DispatchAutodiffContext::Disabled,
            DispatchAutodiffContext::merge,
        )
    }
}

/// The same numbers, in order.
fn contiguous(tensor: Host) -> Host {
    match tensor.is_contiguous() {
        true => tensor,
        false => tensor.to_contiguous(),
    }
}

/// The numbers of a tensor in order.
pub(crate) fn values(tensor: &Host) -> &[f32] {
    let values = tensor.as_slice();
    values.expect("a tensor in order, of 32-bit numbers")
}

/// The numbers of a tensor, its own memory where nobody else has it.
pub(crate) fn into_values(tensor: Host) -> Vec<f32> {
    let values = tensor.into_data().try_into_vec();
    values.expect("a tensor of 32-bit numbers")
}

/// A tensor of numbers.
pub(crate) fn tensor<const D: usize>(values: Vec<f32>, dims: [usize; D]) -> Host {
    Host::from_data(TensorData::new(values, dims))
}
