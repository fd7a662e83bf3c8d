"""`map_fn`, `foldl`, `foldr` and `scan`: loops over the first dimension of tensors, built from while_loop and TensorArrays.

The functions see one row of each tensor of a structure. Invariant: whatever the number of rows, a loop body is built once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..array.shape_ops import shape
from ..core import shapes
from ..core.convert import constant, convert_to_tensor
from ..core.dtypes import as_dtype
from ..core.graph import get_default_graph
from ..core.node import Tensor
from ..core.sparse_tensor import SparseTensor
from ..math.binary import add_v2, greater, less, subtract
from .structure import check_same, flatten, pack
from .tensor_array import TensorArray
from .while_loop import while_loop

Function = Callable[..., Any]


class Rows:
    """The rows of a structure of tensors. State: `arrays`, one TensorArray a tensor, and `count`, how many rows there are."""

    def __init__(self, elems: Any) -> None:
        self.structure = elems
        tensors = [convert_to_tensor(elem, name="elem") for elem in flatten(elems)]
        self.tensors = tensors
        for tensor in tensors:
            if tensor.dims == ():
                raise ValueError("elems must be a 1+ dimensional Tensor, not a scalar")
        counts = {tensor.dims[0] for tensor in tensors if tensor.dims is not None} - {None}
        if len(counts) > 1:
            known = dict.fromkeys(tensor.dims[0] for tensor in tensors if tensor.dims is not None)
            raise ValueError(
                f"Dimensions {' and '.join(str(size) for size in known if size is not None)} are not compatible"
            )
        self.static: int | None = next(iter(counts), None)
        self.count: Any = shape(tensors[0])[0] if self.static is None else self.static
        self.arrays = [self._array(tensor) for tensor in tensors]

    def _array(self, tensor: Tensor) -> TensorArray:
        made = TensorArray(tensor.dtype, size=self.count, dynamic_size=False, infer_shape=True)
        return made.unstack(tensor)

    def row(self, index: Any) -> Any:
        """Return row `index` of every tensor, in the structure that was given."""
        return pack(self.structure, [array.read(index) for array in self.arrays])

    def check_there_are(self, initializer: Any) -> None:
        """Raise ValueError when there is no first row to start from."""
        if initializer is None and self.static == 0:
            raise ValueError("elems has no rows, and there is no initializer to start from")


def map_fn(
    fn: Function, elems: Any, dtype: Any = None, parallel_iterations: int | None = None, back_prop: bool = True,
    swap_memory: bool = False, infer_shape: bool = True, name: str | None = None,
) -> Any:  # fmt: skip
    """Return what `fn` gives for each row of `elems`, stacked.

    Args:
      fn: a function of one row (of the structure of `elems`).
      elems: tensors of the same first dimension, also nested.
      dtype: the types that `fn` returns, in its structure; those of `elems` when None.
      back_prop: False when no gradient will flow through the loop.
      infer_shape: whether `fn` gives the same shape for each row.
      parallel_iterations, swap_memory: hints that need no action here.
      name: the name scope, "map" when None.

    Raises:
      TypeError: when `fn` cannot be called, gives another structure or type than `dtype`, or for sparse tensors.
      ValueError: for scalars.

    Example:
      >>> import millstream as tf
      >>> with tf.Graph().as_default(), tf.Session() as sess:
      ...     print(sess.run(tf.map_fn(lambda x: x * x, tf.constant([1, 2, 3]))))
      [1 4 9]
    """
    if not callable(fn):
        raise TypeError("fn must be callable.")
    if isinstance(elems, SparseTensor):
        raise TypeError(
            "To perform a map over the values of a sparse tensor use either  SparseTensor(input.indices, fn(input.values), "
            "input.dense_shape)  or  SparseTensor(input.indices, map_fn(fn, input.values), input.dense_shape)"
        )
    with get_default_graph().name_scope(name or "map"):
        rows = Rows(elems)
        given = dtype is not None
        structure = dtype if given else elems
        types = [as_dtype(d) for d in flatten(dtype)] if given else [t.dtype.base_dtype for t in rows.tensors]
        start = constant(0)
        outputs = [TensorArray(kind, size=rows.count, dynamic_size=False, infer_shape=infer_shape) for kind in types]

        def step(i: Tensor, arrays: list[TensorArray]) -> tuple[Any, list[TensorArray]]:
            result = fn(rows.row(i))
            check_same(structure, result)
            return add_v2(i, 1), [array.write(i, value) for array, value in zip(arrays, flatten(result), strict=True)]

        _, outputs = while_loop(
            lambda i, _: less(i, rows.count), step, (start, outputs), parallel_iterations=parallel_iterations or 10,
            back_prop=back_prop, swap_memory=swap_memory, maximum_iterations=rows.count,
        )  # fmt: skip
        return pack(structure, _stacked(outputs, rows.static))


def _stacked(arrays: list[TensorArray], count: int | None) -> list[Tensor]:
    results = []
    for array in arrays:
        result = array.stack()
        if result.dims is not None:
            result.set_shape(shapes.concatenate((count,), result.dims[1:]))
        results.append(result)
    return results


def _fold(
    fn: Function,
    elems: Any,
    initializer: Any,
    default_name: str,
    options: dict[str, Any],
    name: str | None,
    reverse: bool,
) -> Any:
    if not callable(fn):
        raise TypeError("fn must be callable.")
    with get_default_graph().name_scope(name or default_name):
        rows = Rows(elems)
        rows.check_there_are(initializer)
        if reverse:
            first: Any = rows.count if initializer is not None else _before(rows.count)
            start = rows.row(first) if initializer is None else _tensors(initializer)

            def back(i: Tensor, state: Any) -> list[Any]:
                before = subtract(i, 1)
                return [before, fn(state, rows.row(before))]

            loop = while_loop(
                lambda i, _: greater(i, 0), back, [first, start], maximum_iterations=rows.count, **options
            )
            return loop[1]
        begin = 0 if initializer is not None else 1
        start = rows.row(0) if initializer is None else _tensors(initializer)
        loop = while_loop(
            lambda i, _: less(i, rows.count), lambda i, state: [add_v2(i, 1), fn(state, rows.row(i))],
            [constant(begin), start], maximum_iterations=rows.count, **options,
        )  # fmt: skip
        return loop[1]


def _before(count: Any) -> Any:
    return count - 1 if isinstance(count, int) else subtract(count, 1)


def _tensors(structure: Any) -> Any:
    return pack(structure, [convert_to_tensor(leaf) for leaf in flatten(structure)])


def foldl(
    fn: Function, elems: Any, initializer: Any = None, parallel_iterations: int = 10, back_prop: bool = True,
    swap_memory: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """Combine the rows of `elems`, first to last: `fn(fn(initializer, row 0), row 1)` and so on.

    Args:
      fn: a function of what was combined so far and the next row, which returns the structure of the former.
      elems: tensors of the same first dimension, also nested.
      initializer: what to begin with; row 0 when None.
      parallel_iterations, back_prop, swap_memory, name: as in `map_fn`.

    Raises:
      TypeError: when `fn` cannot be called. ValueError: when there is nothing to begin with.
    """
    options = {"parallel_iterations": parallel_iterations, "back_prop": back_prop, "swap_memory": swap_memory}
    return _fold(fn, elems, initializer, "foldl", options, name, reverse=False)


def foldr(
    fn: Function, elems: Any, initializer: Any = None, parallel_iterations: int = 10, back_prop: bool = True,
    swap_memory: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """Combine the rows of `elems`, last to first; see `foldl`."""
    options = {"parallel_iterations": parallel_iterations, "back_prop": back_prop, "swap_memory": swap_memory}
    return _fold(fn, elems, initializer, "foldr", options, name, reverse=True)


def scan(
    fn: Function, elems: Any, initializer: Any = None, parallel_iterations: int = 10, back_prop: bool = True,
    swap_memory: bool = False, infer_shape: bool = True, reverse: bool = False, name: str | None = None,
) -> Any:  # fmt: skip
    """Combine the rows of `elems` as `foldl` does and return all that came up on the way, stacked.

    Args:
      fn: a function of what was combined so far and the next row, which returns the structure of the former.
      elems: tensors of the same first dimension, also nested.
      initializer: what to begin with; when None row 0, which then is the first result.
      infer_shape: whether `fn` gives the same shape for each row.
      reverse: begin with the last row; results keep the places of their rows.
      parallel_iterations, back_prop, swap_memory, name: as in `map_fn`.

    Raises:
      TypeError: when `fn` cannot be called. ValueError: when there is nothing to begin with.
    """
    if not callable(fn):
        raise TypeError("fn must be callable.")
    with get_default_graph().name_scope(name or "scan"):
        rows = Rows(elems)
        rows.check_there_are(initializer)
        count = rows.count
        first: Any = _before(count) if reverse else 0
        state = rows.row(first) if initializer is None else _tensors(initializer)
        leaves = flatten(state)
        made = [_results(leaf, count, infer_shape) for leaf in leaves]
        begin = first
        if initializer is None:
            made = [array.write(first, leaf) for array, leaf in zip(made, leaves, strict=True)]
            begin = _before(first) if reverse else 1

        def step(i: Tensor, before: Any, arrays: list[TensorArray]) -> list[Any]:
            after = fn(before, rows.row(i))
            check_same(state, after)
            arrays = [array.write(i, leaf) for array, leaf in zip(arrays, flatten(after), strict=True)]
            return [subtract(i, 1) if reverse else add_v2(i, 1), after, arrays]

        _, _, made = while_loop(
            lambda i, *_: greater(i, -1) if reverse else less(i, count), step, [begin, state, made],
            parallel_iterations=parallel_iterations, back_prop=back_prop, swap_memory=swap_memory,
            maximum_iterations=count,
        )  # fmt: skip
        return pack(state, _stacked(made, rows.static))


def _results(leaf: Tensor, count: Any, infer_shape: bool) -> TensorArray:
    dims = leaf.dims if infer_shape else None
    return TensorArray(
        leaf.dtype.base_dtype, size=count, element_shape=dims, dynamic_size=False,
        infer_shape=infer_shape,
    )  # fmt: skip
