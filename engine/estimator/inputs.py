"""`tf.estimator.inputs`: arrays and data frames as batches of tensors, and what an input function may return."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...ops.core import dtypes
from ...ops.core.graph import GraphKeys
from ...ops.core.scopes import add_to_collection
from ...ops.io import py_func


def numpy_input_fn(
    x: Any, y: Any = None, batch_size: int = 128, num_epochs: int | None = 1, shuffle: bool | None = None,
    queue_capacity: int = 1000, num_threads: int = 1,
) -> Callable[[], Any]:  # fmt: skip
    """Return an input function that gives batches of arrays.

    Args:
      x: an array, or a dict of arrays with as many rows. y: None, an array, or a dict of them.
      batch_size: rows of a batch; the last one may have fewer. num_epochs: how often all rows are given, None for ever.
      shuffle: whether every epoch has an order of its own; it has to be said.
      queue_capacity, num_threads: accepted; batches are made when they are asked for.

    Raises:
      ValueError: when `shuffle` is not said, or lengths differ, or a dict is empty.
    """
    if not isinstance(shuffle, bool):
        raise ValueError(
            "shuffle must be provided and explicitly set as boolean (it is recommended to set it as True for training); "
            f"got {shuffle}"
        )
    features, targets = _columns(x, "x"), {} if y is None else _columns(y, "y")
    lengths = {len(array) for array in (*features.values(), *targets.values())}
    if len(lengths) != 1:
        told = {str(name): array.shape for name, array in (*features.items(), *targets.items())}
        raise ValueError(
            f"Length of tensors in x and y is mismatched. All elements in x and y must have the same length. Shapes: {told}"
        )
    (rows,) = lengths

    def input_fn() -> Any:
        arrays = [*features.values(), *targets.values()]
        batches = _batches(arrays, rows, batch_size, num_epochs, shuffle)
        tensors = _tensors(batches, arrays)
        first = dict(zip(features, tensors, strict=False))
        given = first if isinstance(x, dict) else tensors[0]
        if y is None:
            return given
        rest = tensors[len(features) :]
        return given, dict(zip(targets, rest, strict=True)) if isinstance(y, dict) else rest[0]

    return input_fn


def pandas_input_fn(
    x: Any, y: Any = None, batch_size: int = 128, num_epochs: int | None = 1, shuffle: bool | None = None,
    queue_capacity: int = 1000, num_threads: int = 1, target_column: str = "target",
) -> Callable[[], Any]:  # fmt: skip
    """Return an input function that gives batches of a data frame's columns; see `numpy_input_fn`.

    Args:
      x: a data frame. y: None, a series or a data frame with the same index.
      target_column: accepted; the target is given beside the features.
    """
    if y is not None and not np.array_equal(x.index, y.index):
        raise ValueError(f"Index for x and y are mismatched.\nIndex for x: {x.index}\nIndex for y: {y.index}\n")
    features = {name: np.asarray(x[name]) for name in x.columns}
    targets = (
        None if y is None else {n: np.asarray(y[n]) for n in y.columns} if hasattr(y, "columns") else np.asarray(y)
    )
    return numpy_input_fn(features, targets, batch_size, num_epochs, shuffle)


def _columns(values: Any, name: str) -> dict[Any, Any]:
    if isinstance(values, dict):
        if not values:
            raise ValueError(f"{name} cannot be an empty dict")
        return {key: np.asarray(array) for key, array in values.items()}
    if not isinstance(values, np.ndarray):
        raise TypeError(f"{name} must be a dict or array; got {type(values).__name__}")
    return {"": values}


def _batches(arrays: list[Any], rows: int, size: int, epochs: int | None, shuffle: bool) -> Iterator[list[Any]]:
    """Yield lists of arrays; batches run on over the end of an epoch, as a queue's do."""
    rng, done, left = np.random.default_rng(), 0, np.empty(0, np.int64)
    while rows and (epochs is None or done < epochs):
        left = np.concatenate([left, rng.permutation(rows) if shuffle else np.arange(rows)])
        done += 1
        while len(left) >= size:
            yield [array[left[:size]] for array in arrays]
            left = left[size:]
    if len(left):
        yield [array[left] for array in arrays]


def _tensors(batches: Iterator[list[Any]], arrays: list[Any]) -> list[Any]:
    """Return tensors that are the next batch in every run; OutOfRangeError after the last."""
    kinds = [dtypes.string if a.dtype.kind in "OUS" else dtypes.as_dtype(a.dtype) for a in arrays]
    tensors = py_func(lambda: next(batches), [], kinds, stateful=True, name="next_batch")
    for tensor, array in zip(tensors, arrays, strict=True):
        tensor.set_shape([None, *array.shape[1:]])
    return list(tensors)


def features_and_labels(result: Any) -> tuple[Any, Any]:
    """Return (features, labels or None) of what an input function returned; a Dataset's iterator is readied with the session."""
    if hasattr(result, "make_initializable_iterator"):
        iterator = result.make_initializable_iterator()
        add_to_collection(GraphKeys.TABLE_INITIALIZERS, iterator.initializer)
        result = iterator.get_next()
    if isinstance(result, list | tuple):
        if len(result) != 2:
            raise ValueError("input_fn should return (features, labels) as a len 2 tuple.")
        return result[0], result[1]
    return result, None
