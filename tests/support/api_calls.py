"""Calling a public function with every keyword argument that TensorFlow documents for it, and running what it gives."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

import numpy as np

import millstream as tf

from .signatures import parameters, resolve, wanted


def every_keyword(path: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call that leaves out none that TensorFlow documents."""
    ours = parameters(resolve(path))
    arguments = {
        name: ours[name].default
        for name, *rest in wanted(path) or []
        if rest and name in ours and name not in given and ours[name].default is not ours[name].empty
    }
    if "name" in arguments and arguments["name"] is None:
        arguments["name"] = "named"
    return {**arguments, **given}


def call(path: str, /, **given: Any) -> Any:
    """Call what programs reach as `tf.<path>` with `given` and with every other keyword's default."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return resolve(path)(**every_keyword(path, given))


def nodes(found: Any) -> list[Any]:
    """Return the tensors and operations in what a function returned."""
    if isinstance(found, tf.Tensor | tf.Operation | tf.Variable | tf.SparseTensor | tf.IndexedSlices):
        return [found]
    if isinstance(found, dict):
        return nodes(list(found.values()))
    if isinstance(found, list | tuple):
        return [node for item in found for node in nodes(item)]
    return []


def use(found: Any) -> Any:
    """Use what a function returned as programs do: a cell or layer on a batch, an initialiser on a shape, an optimiser."""
    if isinstance(found, tf.nn.rnn_cell.RNNCell):
        return found(tf.ones([2, 3]), found.zero_state(2, tf.float32))
    if isinstance(found, tf.layers.Layer):
        return found(tf.ones([2, 5, 5, 2]))
    if isinstance(found, tf.train.Optimizer):
        return found.minimize(tf.square(tf.get_variable("trained", [2])))
    if callable(found) and next(iter(inspect.signature(found).parameters), "") == "shape":
        return found([2, 3])
    if hasattr(found, "log_prob"):
        return [found.sample(3), found.log_prob(0.5), found.entropy()]
    if callable(found):
        return found(tf.ones([2]))
    return found


def run(found: Any) -> list[Any]:
    """Run what a function returned, with variables and tables initialised; return values."""
    made = nodes(found)
    with tf.Session() as session:
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        values = session.run(made)
    for value in values:
        for array in np.atleast_1d(value) if not isinstance(value, tuple) and value is not None else ():
            assert np.asarray(array).dtype.kind != "f" or np.isfinite(array).all()
    return list(values)
