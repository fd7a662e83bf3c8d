"""Tensor lists whose elements are read and set by index: how control flow of TensorFlow 2's kind carries arrays through loops.

A list is immutable here, too: setting an element copies the references, never the elements. An element that was never set is
a `Blank`, which is zeros once somebody asks for its value. Invariant: elements stay on the device that made them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..array.fills import zeros_like
from ..array.shape_ops import shape
from ..core import dtypes
from ..core.dtypes import DType
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import constant_value, scalar
from ..core.shapes import Shape, is_static
from .list_rows import elements_of
from .lists import as_list

_SHAPES = (dtypes.int32, dtypes.int64)
_HOST = (np.ndarray, np.generic)


class Blank:
    """An element that was never set: zeros of a shape that may be known in part."""

    __slots__ = ("shape",)

    def __init__(self, dims: Shape) -> None:
        self.shape = dims


class Terms:
    """An element that is a sum, made where it is read: the host cannot add what lies on a GPU."""

    __slots__ = ("terms",)

    def __init__(self, terms: tuple[Array, ...]) -> None:
        self.terms = terms

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the sum."""
        return self.terms[0].shape  # type: ignore[no-any-return]

    def total(self, xp: Namespace) -> Array:
        """Return the sum."""
        total = self.terms[0]
        for term in self.terms[1:]:
            total = xp.add(total, term)
        return total


class Items:
    """A list as a sequence of elements; the shape and type that they have in common."""

    __slots__ = ("dims", "kind", "values")

    def __init__(self, values: Sequence[Any], kind: Any, dims: Shape) -> None:
        self.values, self.kind, self.dims = values, kind, dims

    def pop(self, xp: Namespace) -> tuple[Items, Array]:
        """Return the list without its last element, and that element."""
        if not self.values:
            raise InvalidArgumentError(None, None, "Trying to pop from an empty list.")
        return Items(self.values[:-1], self.kind, self.dims), self.read(xp, len(self.values) - 1)

    def is_empty(self) -> bool:
        """Tell whether there is no element."""
        return not self.values

    def read(self, xp: Namespace, i: int, dims: Shape = None) -> Array:
        """Return an element; zeros for one that was never set, if `dims` or the list tells its shape."""
        value = self.values[i]
        if not isinstance(value, Blank):
            return value.total(xp) if isinstance(value, Terms) else value
        known = next((d for d in (value.shape, dims, self.dims, *self._others()) if is_static(d)), None)
        if known is None:
            raise InvalidArgumentError(
                None, None, f"Trying to read an uninitialized tensor (index {i}) but element_shape is not fully defined: "
                f"{_words(dims)}",
            )  # fmt: skip
        return xp.zeros(known, self.kind)

    def _others(self) -> list[Shape]:
        return [next((v.shape for v in self.values if not isinstance(v, Blank)), None)]

    def replaced(self, i: int, value: Array) -> Items:
        """Return the list with another element."""
        values = list(self.values)
        values[i] = value
        return Items(values, self.kind, self.dims)

    def zeros(self) -> Items:
        """Return a list of zeros like these elements."""
        return Items([Blank(value.shape) for value in self.values], self.kind, self.dims)


def items_of(xp: Namespace, handle: Any, kind: Any = None) -> Items:
    """Return a list, of whatever form, as a sequence of elements."""
    found = as_list(handle)
    return found if isinstance(found, Items) else Items(elements_of(xp, found), kind, None)


def summed(xp: Namespace, lists: Sequence[Items]) -> Items:
    """Return the element-wise sum of lists; what is blank in all of them stays blank."""
    if len({len(items.values) for items in lists}) > 1:
        lengths = " vs. ".join(str(len(items.values)) for items in lists)
        raise InvalidArgumentError(None, None, f"Trying to add two lists of tensors with different lengths: {lengths}")
    total = list(lists[0].values)
    for items in lists[1:]:
        for i, value in enumerate(items.values):
            if isinstance(value, Blank):
                continue
            total[i] = value if isinstance(total[i], Blank) else _sum_of(xp, total[i], value)
    return Items(total, lists[0].kind, lists[0].dims)


def _sum_of(xp: Namespace, a: Any, b: Any) -> Any:
    if isinstance(a, _HOST) and isinstance(b, _HOST):
        return xp.add(a, b)
    return Terms(tuple(term for x in (a, b) for term in (x.terms if isinstance(x, Terms) else (x,))))


def _words(dims: Shape) -> str:
    return "<unknown>" if dims is None else "[" + ",".join("?" if d is None else str(d) for d in dims) + "]"


def _dims(element_shape: Any) -> Shape:
    """Return what an `element_shape` argument says: a scalar -1 says nothing, a negative entry says little."""
    if element_shape is None or np.ndim(element_shape) == 0:
        return None
    return tuple(None if d < 0 else int(d) for d in np.asarray(element_shape).tolist())


def _index(items: Items, index: Any, what: str) -> int:
    i = int(index)
    if not 0 <= i < len(items.values):
        raise InvalidArgumentError(
            None, None, f"Trying to {what} element {i} in a list with {len(items.values)} elements."
        )
    return i


def _rows(leading: Any) -> Any:
    """Return a shape rule: rows of elements whose shape the second or third input tells."""

    def rule(node: Operation) -> Shape:
        count = leading(node)
        dims = _dims(constant_value(node.inputs[-1]))
        return None if dims is None else (*count, *dims)

    return rule


def _stacked(node: Operation) -> tuple[int | None]:
    return (None if node.attrs["num_elements"] < 0 else node.attrs["num_elements"],)


def _gathered(node: Operation) -> tuple[int | None]:
    dims = node.inputs[1].dims
    return (dims[0] if dims else None,)


def _joined(xp: Namespace, values: list[Array], dims: Shape, kind: DType, what: str) -> Array:
    if values:
        first = values[0].shape
        if any(value.shape != first for value in values):
            raise InvalidArgumentError(
                None, None, "TensorList elements have different shapes, so they cannot be stacked"
            )
        return xp.stack(values)
    if not is_static(dims):
        raise InvalidArgumentError(
            None,
            None,
            f"Tried to {what} elements of an empty list with non-fully-defined element_shape: {_words(dims)}",
        )
    return xp.zeros((0, *dims), kind.as_numpy_dtype)  # type: ignore[misc]


# -- making lists -----------------------------------------------------------------------------------------------------------


@op("TensorListReserve", types="element_shape: shape_type, num_elements: int32 -> handle: variant", shape=scalar,
    shape_type=_SHAPES, host="element_shape num_elements handle", differentiable=False)  # fmt: skip
def list_reserve(xp: Namespace, element_shape: Array, num_elements: Array, *, element_dtype: DType) -> Any:
    """Return a list of so many elements that are yet to be set."""
    dims, count = _dims(element_shape), int(num_elements)
    if count < 0:
        raise InvalidArgumentError(
            None, None, f"The num_elements to reserve must be a non negative number, but got {count}"
        )
    return Items([Blank(dims)] * count, element_dtype.as_numpy_dtype, dims)


@op("TensorListFromTensor", types="tensor: element_dtype, element_shape: shape_type -> output_handle: variant",
    shape=scalar, shape_type=_SHAPES, host="element_shape output_handle")  # fmt: skip
def list_from_tensor(xp: Namespace, tensor: Array, element_shape: Array) -> Any:
    """Return the list of the rows of a tensor."""
    if not tensor.ndim:
        raise InvalidArgumentError(None, None, "Tensor must be at least a vector, but saw shape: []")
    boxed = tensor.ndim == 1
    rows = [tensor[i, ...] if boxed else tensor[i] for i in range(tensor.shape[0])]
    return Items(rows, tensor.dtype, tensor.shape[1:])


@op("TensorListScatterV2",
    types="tensor: element_dtype, indices: int32, element_shape: shape_type, num_elements: int32 -> output_handle: variant",
    shape=scalar, shape_type=_SHAPES, host="indices element_shape num_elements output_handle")  # fmt: skip
def list_scatter(xp: Namespace, tensor: Array, indices: Array, element_shape: Array, num_elements: Array) -> Any:
    """Return a list whose elements at `indices` are the rows of a tensor; as long as they ask for, or as is said."""
    return _scattered(xp, tensor, indices, element_shape, int(num_elements))


@op("TensorListScatter", types="tensor: element_dtype, indices: int32, element_shape: shape_type -> output_handle: variant",
    shape=scalar, shape_type=_SHAPES, host="indices element_shape output_handle")  # fmt: skip
def list_scatter_old(xp: Namespace, tensor: Array, indices: Array, element_shape: Array) -> Any:
    """Return a list whose elements at `indices` are the rows of a tensor."""
    return _scattered(xp, tensor, indices, element_shape, -1)


def _scattered(xp: Namespace, tensor: Array, indices: Array, element_shape: Array, count: int) -> Items:
    places = indices.tolist()
    if tensor.shape[:1] != (len(places),):
        raise InvalidArgumentError(
            None, None, f"Specified a list with shape {list(tensor.shape)} from a tensor with {len(places)} indices"
        )
    longest = max(places, default=-1) + 1
    if min(places, default=0) < 0 or (count >= 0 and longest > count):
        raise InvalidArgumentError(
            None, None, f"TensorListScatter: index out of range in {places}, the list has {count}"
        )
    dims = _dims(element_shape)
    values: list[Any] = [Blank(dims)] * max(longest, count)
    for row, place in enumerate(places):
        values[place] = tensor[row, ...] if tensor.ndim == 1 else tensor[row]
    return Items(values, tensor.dtype, dims)


@op("TensorListScatterIntoExistingList",
    types="input_handle: variant, tensor: element_dtype, indices: int32 -> output_handle: variant", shape=scalar,
    host="input_handle indices output_handle")  # fmt: skip
def list_scatter_into(xp: Namespace, input_handle: Any, tensor: Array, indices: Array) -> Any:
    """Return a list with the rows of a tensor as its elements at `indices`; it grows where they ask for it."""
    items, rows = items_of(xp, input_handle, tensor.dtype), _scattered(xp, tensor, indices, np.int32(-1), -1)
    values = [*items.values, *rows.values[len(items.values) :]]
    for place in indices.tolist():
        values[place] = rows.values[place]
    return Items(values, tensor.dtype, items.dims)


# -- elements ---------------------------------------------------------------------------------------------------------------


@op("TensorListGetItem", types="input_handle: variant, index: int32, element_shape: Tshape -> item: element_dtype",
    shape=lambda node: _dims(constant_value(node.inputs[2])), Tshape=_SHAPES, defaults={"Tshape": dtypes.int32},
    host="input_handle index element_shape")  # fmt: skip
def list_get(xp: Namespace, input_handle: Any, index: Array, element_shape: Array, *, element_dtype: DType) -> Array:
    """Return an element; zeros where none was set."""
    items = items_of(xp, input_handle, element_dtype.as_numpy_dtype)
    return items.read(xp, _index(items, index, "access"), _dims(element_shape))


@op("TensorListSetItem",
    types="input_handle: variant, index: int32, item: element_dtype -> output_handle: variant", shape=scalar,
    host="input_handle index output_handle")  # fmt: skip
def list_set(
    xp: Namespace, input_handle: Any, index: Array, item: Array, *, resize_if_index_out_of_bounds: bool = False
) -> Any:
    """Return the list with another element."""
    items = items_of(xp, input_handle, item.dtype)
    missing = int(index) + 1 - len(items.values)
    if resize_if_index_out_of_bounds and missing > 0:
        items = Items([*items.values, *[Blank(items.dims)] * missing], items.kind, items.dims)
    return items.replaced(_index(items, index, "modify"), item)


@op("TensorListGather", types="input_handle: variant, indices: int32, element_shape: int32 -> values: element_dtype",
    shape=_rows(_gathered), host="input_handle indices element_shape")  # fmt: skip
def list_gather(
    xp: Namespace, input_handle: Any, indices: Array, element_shape: Array, *, element_dtype: DType
) -> Array:
    """Return the elements at `indices`, stacked."""
    items, dims = items_of(xp, input_handle, element_dtype.as_numpy_dtype), _dims(element_shape)
    found = [items.read(xp, _index(items, i, "gather"), dims) for i in indices.tolist()]
    return _joined(xp, found, dims if is_static(dims) else items.dims, element_dtype, "gather")


@op("TensorListStack", types="input_handle: variant, element_shape: int32 -> tensor: element_dtype",
    shape=_rows(_stacked), host="input_handle element_shape")  # fmt: skip
def list_stack(
    xp: Namespace, input_handle: Any, element_shape: Array, *, element_dtype: DType, num_elements: int = -1
) -> Array:
    """Return all elements, stacked."""
    items, dims = items_of(xp, input_handle, element_dtype.as_numpy_dtype), _dims(element_shape)
    if num_elements >= 0 and len(items.values) != num_elements:
        raise InvalidArgumentError(
            None, None, f"Operation expected a list with {num_elements} elements but got a list with {len(items.values)} "
            "elements.",
        )  # fmt: skip
    found = [items.read(xp, i, dims) for i in range(len(items.values))]
    return _joined(xp, found, dims if is_static(dims) else items.dims, element_dtype, "stack")


# -- lists as a whole -------------------------------------------------------------------------------------------------------


@op("TensorListLength", types="input_handle: variant -> length: int32", shape=scalar, host="input_handle length",
    differentiable=False)  # fmt: skip
def list_length(xp: Namespace, input_handle: Any) -> Any:
    """Return how many elements a list has."""
    return np.int32(len(items_of(xp, input_handle).values))


@op("TensorListElementShape", types="input_handle: variant -> element_shape: shape_type",
    shape=lambda node: None, shape_type=_SHAPES, host="input_handle element_shape", differentiable=False)  # fmt: skip
def list_element_shape(xp: Namespace, input_handle: Any, *, shape_type: DType) -> Any:
    """Return the shape that all elements have: -1 where it is not known."""
    dims = items_of(xp, input_handle).dims
    found = -1 if dims is None else [-1 if d is None else d for d in dims]
    return np.array(found, shape_type.as_numpy_dtype)


@op("TensorListResize", types="input_handle: variant, size: int32 -> output_handle: variant", shape=scalar,
    host="input_handle size output_handle")  # fmt: skip
def list_resize(xp: Namespace, input_handle: Any, size: Array) -> Any:
    """Return the list cut to, or filled up to, so many elements."""
    items, count = items_of(xp, input_handle), int(size)
    if count < 0:
        raise InvalidArgumentError(None, None, f"TensorListSlice expects size to be non-negative. Got: {count}")
    more = [Blank(items.dims)] * (count - len(items.values))
    return Items([*items.values[:count], *more], items.kind, items.dims)


# -- gradients --------------------------------------------------------------------------------------------------------------


def _row_shape(tensor: Tensor) -> Tensor:
    return shape(tensor)[1:]


@list_from_tensor.gradient
def list_from_tensor_grad(op: Operation, dlist: Tensor) -> list[Any]:
    with op.graph.colocate_with(op):
        return [list_stack(dlist, _row_shape(op.inputs[0]), element_dtype=op.attrs["element_dtype"]), None]


@list_stack.gradient
def list_stack_grad(op: Operation, dy: Tensor) -> list[Any]:
    with op.graph.colocate_with(op):
        return [list_from_tensor(dy, _row_shape(dy)), None]


@list_get.gradient
def list_get_grad(op: Operation, dy: Tensor) -> list[Any]:
    handle, index, _ = op.inputs
    with op.graph.colocate_with(op):
        empty = list_reserve(
            list_element_shape(handle, shape_type=dtypes.int32),
            list_length(handle),
            element_dtype=op.attrs["element_dtype"],
        )
        return [list_set(empty, index, dy), None, None]


@list_set.gradient
def list_set_grad(op: Operation, dlist: Tensor) -> list[Any]:
    _, index, item = op.inputs
    with op.graph.colocate_with(op):
        found = list_get(dlist, index, shape(item), element_dtype=op.attrs["element_dtype"])
        return [list_set(dlist, index, zeros_like(item)), None, found]


@list_resize.gradient
def list_resize_grad(op: Operation, dlist: Tensor) -> list[Any]:
    return [list_resize(dlist, list_length(op.inputs[0])), None]


@list_gather.gradient
def list_gather_grad(op: Operation, dy: Tensor) -> list[Any]:
    with op.graph.colocate_with(op):
        return [list_scatter(dy, op.inputs[1], _row_shape(dy), list_length(op.inputs[0])), None, None]


def _scatter_grad(op: Operation, dlist: Tensor) -> list[Any]:
    tensor, indices = op.inputs[:2]
    with op.graph.colocate_with(op):
        found = list_gather(dlist, indices, _row_shape(tensor), element_dtype=op.attrs["element_dtype"])
    return [found, *[None] * (len(op.inputs) - 1)]


list_scatter.gradient(_scatter_grad)
list_scatter_old.gradient(_scatter_grad)


@list_scatter_into.gradient
def list_scatter_into_grad(op: Operation, dlist: Tensor) -> list[Any]:
    handle, tensor, indices = op.inputs
    with op.graph.colocate_with(op):
        found = list_gather(dlist, indices, _row_shape(tensor), element_dtype=op.attrs["element_dtype"])
        rest = list_scatter_into(dlist, zeros_like(tensor), indices)
        return [list_resize(rest, list_length(handle)), found, None]
