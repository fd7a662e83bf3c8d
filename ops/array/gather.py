"""Taking slices by index: Gather, GatherV2, GatherNd, and IndexedSlices for the gradient of a gather of rows.

Indices are checked on CPUs, in TensorFlow's words; GPUs clear the slices of indices that are out of bounds, as TensorFlow's do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes, shapes
from ..core.convert import convert_to_tensor
from ..core.errors import InvalidArgumentError
from ..core.node import Operation, Tensor
from ..core.registry import lookup, op
from ..core.scopes import name_scope
from ..core.shape_rules import constant_value
from ..core.shapes import Shape
from .concat import concat
from .shape_ops import shape

INDEX = (dtypes.int16, dtypes.int32, dtypes.int64)


def check_bounds(indices: Array, limit: int, what: str = "indices") -> None:
    """Raise InvalidArgumentError, naming the first, when host indices are outside [0, limit)."""
    bad = (indices < 0) | (indices >= limit)
    if not bad.any():
        return
    if np.ndim(indices) == 0:
        raise InvalidArgumentError(None, None, f"{what} = {int(indices)} is not in [0, {limit})")
    where = tuple(int(i) for i in np.argwhere(bad)[0])
    raise InvalidArgumentError(
        None, None, f"{what}[{','.join(map(str, where))}] = {int(indices[where])} is not in [0, {limit})"
    )


def _gathered(params: Shape, indices: Shape, axis: int | None, batch_dims: int) -> Shape:
    if params is None or indices is None:
        return None
    shapes.with_rank_at_least(params, max(batch_dims, 1))
    if axis is None:
        return (None,) * (len(params) - 1 + len(indices) - batch_dims)
    if not -len(params) <= axis < len(params):
        raise ValueError(f"Shape must be at least rank {axis + 1 if axis >= 0 else -axis} but is rank {len(params)}")
    axis %= len(params)
    batch = batch_dims + len(indices) * (batch_dims < 0)
    if not 0 <= batch <= min(len(indices), axis):
        raise ValueError(
            f"batch_dims {batch_dims} must be at most the rank of indices ({len(indices)}) and the axis ({axis})"
        )
    for i in range(batch):
        shapes.merge_dim(params[i], indices[i])
    return (*params[:axis], *indices[batch:], *params[axis + 1 :])


def _gather_shape(node: Operation) -> Shape:
    return _gathered(node.inputs[0].dims, node.inputs[1].dims, 0, 0)


def _gather_v2_shape(node: Operation) -> Shape:
    params, indices, axis = node.inputs
    value = constant_value(axis)
    return _gathered(params.dims, indices.dims, None if value is None else int(value), node.attrs["batch_dims"])


def take_cpu(xp: Namespace, params: Array, indices: Array, axis: int) -> Array:
    """Return rows of an array on a CPU; an index outside raises."""
    check_bounds(indices, params.shape[axis])
    return (
        params.take(indices, axis) if np.ndim(indices) else params[(*(slice(None),) * axis, int(indices), ...)].copy()
    )


def take_gpu(xp: Namespace, params: Array, indices: Array, axis: int) -> Array:
    """Return rows of an array on a GPU; an index outside gives zeros, as nothing is read back to find it."""
    size = params.shape[axis]
    if size == 0 or indices.size == 0:
        return xp.zeros((*params.shape[:axis], *indices.shape, *params.shape[axis + 1 :]), params.dtype)
    found = xp.take(params, indices, axis)
    inside = ((indices >= 0) & (indices < size)).reshape(
        (*(1,) * axis, *indices.shape, *(1,) * (params.ndim - axis - 1))
    )
    return xp.where(inside, found, xp.zeros((), params.dtype))


def _batched(take: Any, xp: Namespace, params: Array, indices: Array, axis: int, batch: int) -> Array:
    """Gather within each of the leading `batch` dimensions, by turning them into offsets of one dimension."""
    if batch == 0:
        return take(xp, params, indices, axis)
    lead, mid, size = params.shape[:batch], params.shape[batch:axis], params.shape[axis]
    if indices.shape[:batch] != lead:
        raise InvalidArgumentError(
            None,
            None,
            f"params.shape[0:{batch}] {list(lead)} should be equal to indices.shape[0:{batch}] {list(indices.shape[:batch])}",
        )
    count = int(np.prod(lead, dtype=np.int64))
    if take is take_cpu:
        check_bounds(indices, size)
    order = [*range(batch), axis, *range(batch, axis), *range(axis + 1, params.ndim)]
    rows = params.transpose(order).reshape((count * size, *mid, *params.shape[axis + 1 :]))
    offsets = xp.arange(count, dtype=np.int64).reshape((*lead, *(1,) * (indices.ndim - batch))) * size
    found = take(xp, rows, indices + offsets, 0)
    inner = indices.ndim - batch
    back = [*range(batch), *range(batch + inner, batch + inner + len(mid)), *range(batch, batch + inner)]
    return found.transpose([*back, *range(len(back), found.ndim)])


def _run_axis(params: Array, axis: int) -> int:
    if not -params.ndim <= axis < params.ndim:
        raise InvalidArgumentError(
            None, None, f"Expected axis in the range [{-params.ndim}, {params.ndim}), but got {axis}"
        )
    return axis % int(params.ndim)


@op("Gather", types="params: Tparams, indices: Tindices -> output: Tparams", Tindices=dtypes.INDEX, shape=_gather_shape)
def gather_op(xp: Namespace, params: Array, indices: Array, *, validate_indices: bool = True) -> Array: ...


@op(
    "GatherV2",
    types="params: Tparams, indices: Tindices, axis: Taxis -> output: Tparams",
    Tindices=INDEX,
    Taxis=dtypes.INDEX,
    shape=_gather_v2_shape,
    host="axis",
)
def gather_v2_op(xp: Namespace, params: Array, indices: Array, axis: Array, *, batch_dims: int = 0) -> Array: ...


def _attach(kind: str, take: Any) -> None:
    def gather_kernel(xp: Namespace, params: Array, indices: Array, *, validate_indices: bool = True) -> Array:
        return take(xp, params, indices, 0)

    def gather_v2_kernel(xp: Namespace, params: Array, indices: Array, axis: Array, *, batch_dims: int = 0) -> Array:
        batch = batch_dims + np.ndim(indices) * (batch_dims < 0)
        return _batched(take, xp, params, indices, _run_axis(params, int(axis)), batch)

    gather_op.kernel(kind)(gather_kernel)
    gather_v2_op.kernel(kind)(gather_v2_kernel)


_attach("CPU", take_cpu)
_attach("GPU", take_gpu)


def _gather_nd_shape(node: Operation) -> Shape:
    params, indices = (t.dims for t in node.inputs)
    if indices is None or params is None:
        return None
    shapes.with_rank_at_least(indices, 1)
    depth = indices[-1]
    if depth is None:
        return None
    if depth > len(params):
        raise ValueError(
            f"indices.shape[-1] must be <= params.rank, but saw indices shape: "
            f"{shapes.format_brackets(indices)} and params shape: {shapes.format_brackets(params)}"
        )
    return (*indices[:-1], *params[depth:])


def check_tuples(indices: Array, dims: tuple[int, ...], what: str = "params") -> None:
    """Raise InvalidArgumentError, naming the first, when index tuples on the host are outside of `dims`."""
    bad = ((indices < 0) | (indices >= np.array(dims[: indices.shape[-1]], np.int64))).any(axis=-1)
    if not bad.any():
        return
    where = tuple(int(i) for i in np.argwhere(bad)[0])
    found = ", ".join(str(int(i)) for i in indices[where])
    place = f"[{','.join(map(str, where))}]" if where else ""
    raise InvalidArgumentError(
        None, None, f"indices{place} = [{found}] does not index into {what} shape {shapes.format_brackets(dims)}"
    )


def checks_tuples(xp: Namespace, policy: str) -> bool:
    """Tell whether index tuples out of bounds fail the run, by `bad_indices_policy`: on the host, unless they are to be ignored.

    Raises:
      InvalidArgumentError: for a policy that does not exist, or "ERROR" on a GPU, which does not look at its indices.
    """
    if policy not in _POLICIES:
        raise InvalidArgumentError(None, None, f"Unknown bad indices handling attribute: {policy}")
    if policy == "ERROR" and xp is not np:
        raise InvalidArgumentError(None, None, "bad_indices_policy ERROR is not supported on a GPU")
    return xp is np and policy != "IGNORE"


_POLICIES = ("", "DEFAULT", "ERROR", "IGNORE")


def inside_of(xp: Namespace, indices: Array, dims: tuple[int, ...]) -> Array:
    """Return which index tuples are inside of `dims`, boolean (indices' shape without the last dimension)."""
    inside = xp.ones(indices.shape[:-1], bool)
    for i, size in enumerate(dims[: indices.shape[-1]]):
        inside = inside & (indices[..., i] >= 0) & (indices[..., i] < size)
    return inside


def _check_depth(indices: Array, params: Array) -> None:
    if indices.ndim == 0 or indices.shape[-1] > params.ndim:
        raise InvalidArgumentError(
            None,
            None,
            "index innermost dimension length must be <= params rank; saw: "
            f"{indices.shape[-1] if indices.ndim else 0} vs. {params.ndim}",
        )


def _columns(indices: Array) -> tuple[Array, ...]:
    return tuple(indices[..., i] for i in range(indices.shape[-1]))


@op("GatherNd", types="params: Tparams, indices: Tindices -> output: Tparams", Tindices=INDEX, shape=_gather_nd_shape)
def gather_nd_op(xp: Namespace, params: Array, indices: Array, *, bad_indices_policy: str = "") -> Array: ...


@gather_nd_op.kernel("CPU")
def gather_nd_cpu(xp: Namespace, params: Array, indices: Array, *, bad_indices_policy: str = "") -> Array:
    """Return the slices of the parameters at index tuples; InvalidArgumentError when one is out of bounds."""
    if not checks_tuples(xp, bad_indices_policy):
        return _inside_only(xp, params, indices)
    _check_depth(indices, params)
    check_tuples(indices, params.shape)
    depth = indices.shape[-1]
    if depth == 0:
        return np.broadcast_to(params, (*indices.shape[:-1], *params.shape)).copy()
    return np.asarray(params[_columns(indices)], params.dtype)


@gather_nd_op.kernel("GPU")
def gather_nd_gpu(xp: Namespace, params: Array, indices: Array, *, bad_indices_policy: str = "") -> Array:
    """Return the slices of the parameters at index tuples; zeros where one is out of bounds."""
    checks_tuples(xp, bad_indices_policy)
    return _inside_only(xp, params, indices)


def _inside_only(xp: Namespace, params: Array, indices: Array) -> Array:
    """Return slices at index tuples; where one is out of bounds what stands for nothing: zeros, empty texts."""
    _check_depth(indices, params)
    depth = indices.shape[-1]
    whole = (*indices.shape[:-1], *params.shape[depth:])
    if depth == 0:
        return xp.broadcast_to(params, whole).copy()
    if 0 in whole or 0 in params.shape:
        return np.full(whole, b"", object) if params.dtype == object else xp.zeros(whole, params.dtype)
    inside = inside_of(xp, indices, params.shape)
    found = params[tuple(xp.where(inside, column, 0) for column in _columns(indices))]
    nothing = np.array(b"", object) if params.dtype == object else xp.zeros((), params.dtype)
    return xp.where(inside.reshape((*inside.shape, *(1,) * (params.ndim - depth))), found, nothing)


def gather(
    params: Any,
    indices: Any,
    validate_indices: bool | None = None,
    name: str | None = None,
    axis: Any = None,
    batch_dims: int = 0,
) -> Tensor:
    """Return slices of `params` by index along an axis.

    Args:
      params: a tensor, or a variable.
      indices: an integer tensor of indices.
      validate_indices: accepted for old programs; indices are always checked on CPUs.
      name: the node's name.
      axis: the axis to take from; the first after the batch dimensions when None.
      batch_dims: how many leading dimensions `params` and `indices` share.

    Raises:
      InvalidArgumentError: at a run on a CPU, for an index out of bounds; on a GPU its slice is zero.
    """
    if axis is None:
        axis = batch_dims
    if axis == 0 and batch_dims == 0 and hasattr(params, "sparse_read"):
        return params.sparse_read(indices, name=name)  # type: ignore[no-any-return]
    return gather_v2_op(params, indices, axis, batch_dims=batch_dims, name=name)  # type: ignore[no-any-return]


def gather_nd(params: Any, indices: Any, name: str | None = None, batch_dims: int = 0) -> Tensor:
    """Return slices of `params`, a tensor or a variable, at the index tuples in the last dimension of `indices`.

    Raises:
      ValueError: for batch_dims that are not below both ranks, or when the rank of `indices` is not known.
      InvalidArgumentError: at a run on a CPU, for an index out of bounds; on a GPU its slice is zero.
    """
    if batch_dims:
        return _batched_gather_nd(params, indices, batch_dims, name)
    if hasattr(params, "gather_nd"):
        return params.gather_nd(indices, name=name)  # type: ignore[no-any-return]
    return gather_nd_op(params, indices, name=name)  # type: ignore[no-any-return]


def _batched_gather_nd(params: Any, indices: Any, batch_dims: int, name: str | None) -> Tensor:
    """Add the batch's own positions, a range along each batch dimension, to the index tuples."""
    with name_scope(name, "BatchGatherND", [params, indices]):
        indices = convert_to_tensor(indices, name="indices")
        params = convert_to_tensor(params, name="params")
        rank = None if indices.dims is None else len(indices.dims)
        _check_batch(params, rank, batch_dims)
        if rank is None:
            raise ValueError(f"gather_nd with batch_dims={batch_dims} needs the rank of indices, which is unknown")
        sizes = shape(indices)[:-1] if None in indices.dims[:-1] else np.array(indices.dims[:-1], np.int32)
        places = [_places(sizes, d, rank, indices.dtype) for d in range(batch_dims)]
        return gather_nd_op(params, concat([*places, indices], -1))  # type: ignore[no-any-return]


def _check_batch(params: Tensor, rank: int | None, batch_dims: int) -> None:
    if batch_dims < 0:
        raise ValueError("tf.gather_nd does not allow negative batch_dims.")
    for what, count in (("indices", rank), ("params", None if params.dims is None else len(params.dims))):
        if count is not None and batch_dims >= count:
            raise ValueError(f"batch_dims = {batch_dims} must be less than rank({what}) = {count}")


def _places(sizes: Any, dim: int, rank: int, dtype: dtypes.DType) -> Tensor:
    """Return each index tuple's position along a batch dimension, in the tuples' shape with a last dimension of 1."""
    numbers = lookup("Cast")(lookup("Range")(0, sizes[dim], 1), DstT=dtype.base_dtype)
    column = lookup("Reshape")(numbers, [1] * dim + [-1] + [1] * (rank - dim - 1))
    return lookup("BroadcastTo")(column, concat([sizes, [1]], 0))  # type: ignore[no-any-return]
