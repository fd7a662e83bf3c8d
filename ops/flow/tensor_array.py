"""`TensorArray`: an array of tensors that loops write and read element by element, with gradients.

Writing returns a new object, which carries the flow on; the elements themselves are shared by all objects of one handle.
The gradient of a read writes to an array of gradients, that of a write reads from it; which array that is depends on the call of
`gradients` that asks, so that several differentiations do not mix their sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..array.identity import identity
from ..array.shape_ops import shape
from ..core import shapes
from ..core.convert import convert_to_tensor
from ..core.dtypes import DType, as_dtype, int32, int64
from ..core.graph import get_default_graph
from ..core.node import Operation, Tensor
from ..core.scopes import name_scope
from ..core.shape_rules import constant_value
from ..core.shapes import Shape, TensorShape
from ..math.casts import cast
from ..math.ranges import range as range_
from .sources import source_of
from .tensor_array_ops import (
    tensor_array_close,
    tensor_array_concat,
    tensor_array_gather,
    tensor_array_grad,
    tensor_array_op,
    tensor_array_read,
    tensor_array_scatter,
    tensor_array_size,
    tensor_array_split,
    tensor_array_write,
)


class TensorArray:
    """An array of tensors, each of which is written once.

    Args:
      dtype: the type of the elements.
      size: how many elements there are; a scalar int32.
      dynamic_size: whether writing beyond the end makes the array longer.
      clear_after_read: whether an element is let go when it is read (the default), and cannot be read again.
      tensor_array_name: what error messages call the array.
      handle, flow: an existing array, instead of a size.
      infer_shape: whether all elements have one shape.
      element_shape: the static shape of the elements.
      colocate_with_first_write_call: put the array on the device of the first value that is written.
      name: the name of the node.

    Raises:
      ValueError: when both or neither of `size` and `handle` are given. TypeError: when `handle` is no tensor.
    """

    def __init__(
        self, dtype: Any, size: Any = None, dynamic_size: bool | None = None, clear_after_read: bool | None = None,
        tensor_array_name: str | None = None, handle: Any = None, flow: Any = None, infer_shape: bool = True,
        element_shape: Any = None, colocate_with_first_write_call: bool = True, name: str | None = None,
    ) -> None:  # fmt: skip
        _check_arguments(handle, size, dynamic_size, clear_after_read)
        self._dtype: DType = as_dtype(dtype).base_dtype
        self._dynamic_size = bool(dynamic_size)
        self._colocate_first = colocate_with_first_write_call
        # What the objects of one handle learn from writing, they all know.
        self._anchor: list[Tensor] = []
        dims = shapes.as_shape_tuple(element_shape)
        self._infer_shape = infer_shape or dims is not None
        self._element: list[Shape] = [] if dims is None else [dims]
        self._size = None
        if handle is not None:
            self._handle, self._flow = handle, flow
            return
        with name_scope(name, "TensorArray", [size]) as scope, self._unplaced():
            length = convert_to_tensor(size, int32, name="size")
            self._size = constant_value(length)
            self._handle, self._flow = tensor_array_op(
                length, dtype=self._dtype, element_shape=dims, dynamic_size=self._dynamic_size,
                clear_after_read=clear_after_read is not False, identical_element_shapes=infer_shape,
                tensor_array_name=tensor_array_name or "", name=scope,
            )  # fmt: skip

    @contextmanager
    def _unplaced(self) -> Iterator[None]:
        """Leave the handle free of device scopes where the first value decides."""
        if not self._colocate_first:
            yield
            return
        graph = get_default_graph()
        with graph.device(None), graph.colocate_with(None, ignore_existing=True):
            yield

    @property
    def flow(self) -> Any:
        """The scalar that orders the operations on the array."""
        return self._flow

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return self._dtype

    @property
    def handle(self) -> Any:
        """The reference to the array."""
        return self._handle

    @property
    def dynamic_size(self) -> bool:
        """Whether the array grows when something is written beyond its end."""
        return self._dynamic_size

    @property
    def element_shape(self) -> TensorShape:
        """The static shape of the elements, as far as it is known."""
        return TensorShape(self._element[0]) if self._element else TensorShape(None)

    @property
    def _element_dims(self) -> Shape:
        return self._element[0] if self._element else None

    def _with_flow(self, flow: Any) -> TensorArray:
        made = TensorArray(
            self._dtype, handle=self._handle, flow=flow, infer_shape=self._infer_shape,
            colocate_with_first_write_call=self._colocate_first,
        )  # fmt: skip
        made._anchor, made._element, made._size = self._anchor, self._element, self._size
        made._dynamic_size = self._dynamic_size
        return made

    @contextmanager
    def _beside(self, value: Tensor) -> Iterator[None]:
        """Build where the elements are: with the first value that was written."""
        if not self._colocate_first:
            yield
            return
        if not self._anchor:
            self._anchor.append(value)
        with get_default_graph().colocate_with(self._anchor[0]):
            yield

    def _merge(self, dims: Shape) -> None:
        """Note the static shape of an element."""
        if not self._infer_shape:
            return
        if not self._element:
            self._element.append(dims)
        elif not shapes.compatible(self._element[0], dims):
            raise ValueError(
                f"Inconsistent shapes: saw {TensorShape(dims)} but expected {self.element_shape} (and infer_shape=True)"
            )
        elif self._element[0] is None:
            self._element[0] = dims

    def identity(self) -> TensorArray:
        """Return the array with a flow of its own: operations on it wait for the control inputs that are in force."""
        return self._with_flow(identity(self._flow))

    def grad(self, source: str, flow: Any = None, name: str | None = None) -> TensorArray:
        """Return the array of the gradients that the differentiation called `source` sums."""
        flow = self._flow if flow is None else flow
        graph = get_default_graph()
        with name_scope(name, "TensorArrayGrad", [self._handle]), graph.colocate_with(self._handle):
            handle, _ = tensor_array_grad(self._handle, flow, source=source)
            with graph.control_dependencies([handle]):
                flow = identity(flow, name="gradient_flow")
            made = TensorArray(
                self._dtype,
                handle=handle,
                flow=flow,
                infer_shape=self._infer_shape,
                colocate_with_first_write_call=False,
            )
        made._element, made._size = self._element, self._size
        return made

    # -- elements ------------------------------------------------------------------------------------------------------

    def read(self, index: Any, name: str | None = None) -> Tensor:
        """Return the element at `index`.

        Raises:
          InvalidArgumentError: in the run, when it was not written, or was read and cleared.
        """
        with get_default_graph().colocate_with(self._handle):
            value: Tensor = tensor_array_read(self._handle, index, self._flow, dtype=self._dtype, name=name)
        value.dims = self._element_dims
        return value

    def write(self, index: Any, value: Any, name: str | None = None) -> TensorArray:
        """Return the array with `value` as the element at `index`.

        Raises:
          ValueError: when the value's shape cannot be that of the elements; TypeError: when its type is not theirs.
        """
        with name_scope(name, "TensorArrayWrite", [self._handle, index, value]):
            tensor = self._value(value, "value")
            self._merge(tensor.dims)
            with self._beside(tensor):
                return self._with_flow(tensor_array_write(self._handle, index, tensor, self._flow))

    def _value(self, value: Any, name: str) -> Tensor:
        tensor = convert_to_tensor(value, preferred_dtype=self._dtype, name=name)
        if tensor.dtype.base_dtype is not self._dtype:
            raise TypeError(
                f"TensorArray dtype is {self._dtype.name} but Op is trying to write dtype {tensor.dtype.base_dtype.name}."
            )
        return tensor

    def stack(self, name: str | None = None) -> Tensor:
        """Return all elements as one tensor: [size, ...]."""
        with get_default_graph().colocate_with(self._handle), name_scope(name, "TensorArrayStack", [self._handle]):
            found = self.gather(range_(0, self.size()))
        if self._size is not None and not self._dynamic_size and found.dims is not None:
            found.set_shape([int(self._size), *found.dims[1:]])
        return found

    def gather(self, indices: Any, name: str | None = None) -> Tensor:
        """Return the elements at `indices`, stacked."""
        with get_default_graph().colocate_with(self._handle):
            found: Tensor = tensor_array_gather(
                self._handle, indices, self._flow, dtype=self._dtype, element_shape=self._element_dims, name=name
            )
        return found

    def concat(self, name: str | None = None) -> Tensor:
        """Return all elements concatenated along their first dimension."""
        dims = self._element_dims
        with get_default_graph().colocate_with(self._handle):
            value, _ = tensor_array_concat(
                self._handle, self._flow, dtype=self._dtype, element_shape_except0=dims[1:] if dims else None, name=name
            )
        return value  # type: ignore[no-any-return]

    def unstack(self, value: Any, name: str | None = None) -> TensorArray:
        """Return the array with the rows of `value` as its elements."""
        with name_scope(name, "TensorArrayUnstack", [self._handle, value]):
            tensor = self._value(value, "value")
            count = tensor.dims[0] if tensor.dims else None
            indices = range_(0, shape(tensor)[0] if count is None else count)
            return self.scatter(indices, tensor)

    def scatter(self, indices: Any, value: Any, name: str | None = None) -> TensorArray:
        """Return the array with the rows of `value` as the elements at `indices`."""
        with name_scope(name, "TensorArrayScatter", [self._handle, value, indices]):
            tensor = self._value(value, "value")
            self._merge(None if tensor.dims is None else tensor.dims[1:])
            with self._beside(tensor):
                return self._with_flow(tensor_array_scatter(self._handle, indices, tensor, self._flow))

    def split(self, value: Any, lengths: Any, name: str | None = None) -> TensorArray:
        """Return the array with consecutive pieces of `value`, of these lengths, as its elements."""
        with name_scope(name, "TensorArraySplit", [self._handle, value, lengths]):
            tensor = self._value(value, "value")
            pieces = cast(convert_to_tensor(lengths), int64)
            self._merge(_piece_dims(tensor, constant_value(pieces)))
            with self._beside(tensor):
                return self._with_flow(tensor_array_split(self._handle, tensor, pieces, self._flow))

    def size(self, name: str | None = None) -> Tensor:
        """Return the number of elements, an int32 scalar."""
        with get_default_graph().colocate_with(self._handle):
            found: Tensor = tensor_array_size(self._handle, self._flow, name=name)
        return found

    def mark_used(self) -> None:
        """Say that the array is used, which nobody doubts here."""

    def close(self, name: str | None = None) -> Operation:
        """Return an operation that lets go of the elements."""
        with get_default_graph().colocate_with(self._handle):
            closed: Operation = tensor_array_close(self._handle, name=name)
        return closed


def _check_arguments(handle: Any, size: Any, dynamic_size: bool | None, clear_after_read: bool | None) -> None:
    if handle is not None and size is not None:
        raise ValueError("Cannot provide both a handle and size at the same time")
    if handle is not None and not isinstance(handle, Tensor):
        raise TypeError("Handle must be a Tensor")
    if handle is None and size is None:
        raise ValueError("Size must be provided if handle is not provided")
    if handle is not None and dynamic_size is not None:
        raise ValueError("Cannot provide both a handle and dynamic_size at the same time")
    if handle is not None and clear_after_read is not None:
        raise ValueError("Cannot provide both a handle and clear_after_read at the same time")


def _piece_dims(tensor: Tensor, lengths: Any) -> Shape:
    if tensor.dims is None or not tensor.dims:
        return None
    same = lengths is not None and len(lengths) > 0 and (lengths == lengths[0]).all()
    return (int(lengths[0]) if same else None, *tensor.dims[1:])


# -- gradients ---------------------------------------------------------------------------------------------------------


def _gradients_of(op: Operation, dtype: DType, flow: Tensor) -> TensorArray:
    """Return the array of gradients beside the array that `op` uses.

    Outside of loops it waits for `op`, whose elements tell the shapes of gradients that are zero.
    """
    array = TensorArray(dtype, handle=op.inputs[0], flow=flow, colocate_with_first_write_call=False)
    if op.region is not None or op.graph.current_region is not None:
        return array.grad(source_of(op.graph), flow)
    with op.graph.control_dependencies([op]):
        return array.grad(source_of(op.graph), flow)


def _flow_behind(op: Operation) -> Tensor:
    """Return a flow for the gradient of a read; in a loop the array's first one, which spares a stack of flows."""
    maker = op.inputs[0].op
    return op.inputs[-1] if op.region is None or maker.type != "TensorArrayV3" else maker.outputs[1]


@tensor_array_read.gradient
def read_grad(op: Operation, grad: Tensor) -> list[Any]:
    array = _gradients_of(op, op.attrs["dtype"], _flow_behind(op))
    return [None, None, array.write(op.inputs[1], grad).flow]


@tensor_array_write.gradient
def write_grad(op: Operation, flow: Tensor) -> list[Any]:
    array = _gradients_of(op, op.attrs["T"], flow)
    found = array.read(op.inputs[1])
    found.dims = op.inputs[2].dims
    return [None, None, found, flow]


@tensor_array_gather.gradient
def gather_grad(op: Operation, grad: Tensor) -> list[Any]:
    array = _gradients_of(op, op.attrs["dtype"], _flow_behind(op))
    return [None, None, array.scatter(op.inputs[1], grad).flow]


@tensor_array_scatter.gradient
def scatter_grad(op: Operation, flow: Tensor) -> list[Any]:
    array = _gradients_of(op, op.attrs["T"], flow)
    dims = op.inputs[2].dims
    array._element = [None if dims is None else dims[1:]]
    return [None, None, array.gather(op.inputs[1]), flow]


@tensor_array_concat.gradient
def concat_grad(op: Operation, grad: Tensor, _: Any = None) -> list[Any]:
    array = _gradients_of(op, op.attrs["dtype"], _flow_behind(op))
    return [None, array.split(grad, op.outputs[1]).flow]


@tensor_array_split.gradient
def split_grad(op: Operation, flow: Tensor) -> list[Any]:
    array = _gradients_of(op, op.attrs["T"], flow)
    return [None, array.concat(), None, flow]
