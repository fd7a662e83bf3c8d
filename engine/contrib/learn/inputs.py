"""Arrays as a model's input: batches of rows, and the columns that they suggest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ....ops.array import placeholder
from ....ops.core.convert import convert_to_tensor
from ....ops.core.graph import Graph
from ....ops.core.node import Tensor
from ....ops.core.sparse_tensor import SparseTensor
from ....ops.sparse import sparse_placeholder
from ...estimator.inputs import numpy_input_fn, pandas_input_fn
from ...feature_column import numeric_column

InputFn = Callable[[], Any]


def array_of(values: Any) -> Any:
    """Return an array of a list, a data frame or a series; None, arrays and dicts of them as they are."""
    if values is None or isinstance(values, np.ndarray):
        return values
    if isinstance(values, dict):
        return {key: array_of(value) for key, value in values.items()}
    return np.asarray(values)


def input_function(x: Any, y: Any, input_fn: Any, batch_size: int | None, epochs: int | None, shuffle: bool) -> InputFn:
    """Return the input function that was given, or one for the arrays `x` and `y`.

    Raises:
      ValueError: when both are given, or neither is.
    """
    if input_fn is not None:
        if x is not None or y is not None:
            raise ValueError("Can not provide both input_fn and x or y.")
        return input_fn  # type: ignore[no-any-return]
    if x is None:
        raise ValueError("Either x or input_fn must be provided.")
    features, targets = array_of(x), array_of(y)
    rows = len(next(iter(features.values())) if isinstance(features, dict) else features)
    return numpy_input_fn(features, targets, batch_size or max(rows, 1), epochs, shuffle)


def as_tensors(values: Any) -> Any:
    """Return what an input function gave with tensors for its arrays."""
    if isinstance(values, dict):
        return {key: as_tensors(value) for key, value in values.items()}
    if values is None or isinstance(values, Tensor | SparseTensor):
        return values
    return convert_to_tensor(values)


def like(values: Any) -> Any:
    """Return placeholders for the tensors of another graph, of any number of rows; None for None."""
    if isinstance(values, dict):
        return {key: like(value) for key, value in values.items()}
    if isinstance(values, SparseTensor):
        return sparse_placeholder(values.dtype)
    if not isinstance(values, Tensor):
        return None
    dims = values.dims
    return placeholder(values.dtype, dims and (None, *dims[1:]))


def never_ends(values: Any) -> bool:
    """Tell whether nothing that these tensors come from has a state, so that every run gives the same."""
    pending = _flat(values)
    seen = set()
    while pending:
        op = pending.pop().op
        if op in seen:
            continue
        seen.add(op)
        if op.decl.stateful:
            return False
        pending.extend(op.inputs)
    return bool(seen)


def _flat(values: Any) -> list[Tensor]:
    if isinstance(values, dict):
        return [tensor for value in values.values() for tensor in _flat(value)]
    if isinstance(values, SparseTensor):
        return [values.indices, values.values, values.dense_shape]
    return [values] if isinstance(values, Tensor) else []


def infer_real_valued_columns_from_input(x: Any) -> list[Any]:
    """Return the columns of an array (a column named "") or of a dict of arrays: as many numbers as rows have."""
    arrays = array_of(x)
    named = arrays if isinstance(arrays, dict) else {"": arrays}
    return [
        numeric_column(key, shape=value.shape[1:] or (1,), dtype=_number(key, value.dtype))
        for key, value in sorted(named.items())
    ]


def infer_real_valued_columns_from_input_fn(input_fn: InputFn) -> list[Any]:
    """Return the columns of what an input function gives; see `infer_real_valued_columns_from_input`."""
    with Graph().as_default():
        result = input_fn()
        features = as_tensors(result[0] if isinstance(result, tuple) else result)
    named = features if isinstance(features, dict) else {"": features}
    return [
        numeric_column(key, shape=tuple(value.shape.as_list()[1:]) or (1,), dtype=_number(key, value.dtype))
        for key, value in sorted(named.items())
    ]


def _number(key: str, dtype: Any) -> Any:
    kind = getattr(dtype, "as_numpy_dtype", dtype)
    if np.dtype(kind).kind not in "iuf":
        raise ValueError(f"on integer or non floating types are not supported, feature {key!r} is {np.dtype(kind)}")
    return dtype


def extract_pandas_data(data: Any) -> Any:
    """Return the numbers of a data frame, or `data` itself."""
    return data.to_numpy(dtype=np.float64) if hasattr(data, "columns") else data


def extract_pandas_matrix(data: Any) -> Any:
    """Return the matrix of a data frame, or `data` itself."""
    return data.to_numpy() if hasattr(data, "columns") else data


def extract_pandas_labels(labels: Any) -> Any:
    """Return the values of a series or of a data frame with one column, or `labels` itself."""
    if not hasattr(labels, "to_numpy"):
        return labels
    if len(getattr(labels, "columns", ())) > 1:
        raise ValueError("Only one column for labels is allowed.")
    return labels.to_numpy()


def learn_numpy_input_fn(
    x: Any, y: Any = None, batch_size: int = 128, num_epochs: int | None = 1, shuffle: bool = True,
    queue_capacity: int = 1000, num_threads: int = 1,
) -> InputFn:  # fmt: skip
    """Return `tf.estimator.inputs.numpy_input_fn`'s function; rows are shuffled unless the caller says otherwise."""
    return numpy_input_fn(x, y, batch_size, num_epochs, shuffle, queue_capacity, num_threads)


def learn_pandas_input_fn(
    x: Any, y: Any = None, batch_size: int = 128, num_epochs: int | None = 1, shuffle: bool = True,
    queue_capacity: int = 1000, num_threads: int = 1, target_column: str = "target",
) -> InputFn:  # fmt: skip
    """Return `tf.estimator.inputs.pandas_input_fn`'s function; rows are shuffled unless the caller says otherwise."""
    return pandas_input_fn(x, y, batch_size, num_epochs, shuffle, queue_capacity, num_threads, target_column)
