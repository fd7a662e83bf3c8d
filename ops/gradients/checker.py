"""Numeric gradients, to hold the symbolic ones against (`tf.test.compute_gradient_error`).

The Jacobian of y by x is a matrix [size of x, size of y]; complex numbers count as pairs of reals.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..array.placeholders import placeholder
from ..core.graph import get_default_graph
from ..core.node import Tensor
from .gradients import gradients


def compute_gradient(
    x: Any, x_shape: Any, y: Any, y_shape: Any, x_init_value: Any = None, delta: float = 1e-3,
    init_targets: Any = None, extra_feed_dict: Any = None,
) -> Any:  # fmt: skip
    """Return the symbolic and the numeric Jacobian of `y` by `x`, computed in the default session.

    Args:
      x, y: tensors (or lists of x, for which a list of pairs is returned).
      x_shape, y_shape: their shapes, as lists of ints.
      x_init_value: where to differentiate; random when None.
      delta: the step of the numeric derivative.
      init_targets: operations to run first.
      extra_feed_dict: what else to feed.
    """
    session = get_default_graph().session_for("eval", None)
    for target in init_targets or ():
        session.run(target)
    if isinstance(x, list):
        values = [_initial(s, t, v) for t, s, v in zip(x, x_shape, x_init_value or [None] * len(x), strict=True)]
        feeds = {**(extra_feed_dict or {}), **dict(zip(x, values, strict=True))}
        return [_pair(session, t, y, y_shape, v, delta, feeds) for t, v in zip(x, values, strict=True)]
    value = _initial(x_shape, x, x_init_value)
    return _pair(session, x, y, y_shape, value, delta, {**(extra_feed_dict or {}), x: value})


def compute_gradient_error(
    x: Any, x_shape: Any, y: Any, y_shape: Any, x_init_value: Any = None, delta: float = 1e-3,
    init_targets: Any = None, extra_feed_dict: Any = None,
) -> float:  # fmt: skip
    """Return the largest absolute difference between the two Jacobians that `compute_gradient` returns."""
    pairs = compute_gradient(x, x_shape, y, y_shape, x_init_value, delta, init_targets, extra_feed_dict)
    worst = 0.0
    for symbolic, numeric in pairs if isinstance(pairs, list) else [pairs]:
        if symbolic.size or numeric.size:
            worst = max(worst, float(np.fabs(symbolic - numeric).max()))
    return worst


def _initial(shape: Any, x: Tensor, value: Any) -> Any:
    dtype = x.dtype.base_dtype.as_numpy_dtype
    return np.random.random_sample(tuple(shape)).astype(dtype) if value is None else np.array(value, dtype)


def _reals(array: Any) -> Any:
    flat = np.ascontiguousarray(array).ravel()
    return flat.view(flat.real.dtype) if np.iscomplexobj(flat) else flat


def _pair(session: Any, x: Tensor, y: Tensor, y_shape: Any, value: Any, delta: float, feeds: Any) -> tuple[Any, Any]:
    return _symbolic(session, x, y, y_shape, value, feeds), _numeric(session, x, y, value, delta, feeds)


def _symbolic(session: Any, x: Tensor, y: Tensor, y_shape: Any, value: Any, feeds: Any) -> Any:
    """Return the Jacobian by one run per number in y."""
    start = np.zeros(tuple(y_shape), y.dtype.base_dtype.as_numpy_dtype)
    seed = placeholder(y.dtype.base_dtype, start.shape, name="seed")
    (found,) = gradients(y, x, grad_ys=seed)
    units = _reals(start).size
    jacobian = np.zeros((_reals(value).size, units), _reals(value).dtype)
    for column in range(units):
        unit = np.zeros_like(start)
        _reals_view(unit)[column] = 1
        if found is not None:
            grad = session.run(found, {**feeds, seed: unit})
            jacobian[:, column] = _reals(_dense(grad, value.shape))
    return jacobian


def _reals_view(array: Any) -> Any:
    flat = array.reshape(-1)
    return flat.view(flat.real.dtype) if np.iscomplexobj(flat) else flat


def _dense(grad: Any, shape: Any) -> Any:
    if not hasattr(grad, "indices"):
        return np.asarray(grad)
    whole = np.zeros(shape, grad.values.dtype)
    np.add.at(whole, grad.indices, grad.values)
    return whole


def _numeric(session: Any, x: Tensor, y: Tensor, value: Any, delta: float, feeds: Any) -> Any:
    """Return the Jacobian by central differences, two runs per number in x."""
    rows = []
    for i in range(_reals(value).size):
        moved = []
        for step in (delta, -delta):
            shifted = value.copy()
            _reals_view(shifted)[i] += step
            moved.append(_reals(session.run(y, {**feeds, x: shifted})))
        rows.append((moved[0] - moved[1]) / (2 * delta))
    return np.array(rows).reshape(_reals(value).size, -1)
