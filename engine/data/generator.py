"""`Dataset.from_generator`: a Python generator as a dataset.

Three functions of the dataset call Python: one starts the generator, one takes its next value, one lets go of it. What
the generator yields is checked against the promised types and shapes, for plans trust these.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...ops.core import dtypes, shapes
from ...ops.core.convert import convert_to_tensor
from ...ops.core.node import Tensor
from ...ops.data.component import Component
from ...ops.data.functions import Traced, trace
from ...ops.data.generators import generator_dataset
from ...ops.data.structure import check_same, flatten
from ...ops.io.python import py_func
from . import elements

_ID = Component(dtypes.int64, ())


class _Running:
    """The iterators of one generator function that are under way, by number."""

    def __init__(self, generator: Callable[..., Any]) -> None:
        self._generator = generator
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._iterators: dict[int, Iterator[Any]] = {}

    def begin(self, *args: Any) -> np.int64:
        made = iter(self._generator(*args))
        with self._lock:
            number = next(self._numbers)
            self._iterators[number] = made
        return np.int64(number)

    def step(self, number: Any) -> Any:
        return next(self._iterators[int(number)])

    def end(self, number: Any) -> np.int64:
        with self._lock:
            self._iterators.pop(int(number), None)
        return np.int64(0)


def generated(generator: Callable[..., Any], components: Any, args: tuple[Any, ...]) -> Tensor:
    """Return the variant tensor of a dataset of what `generator(*args)` yields.

    Raises:
      TypeError: when `generator` cannot be called.
    """
    if not callable(generator):
        raise TypeError("`generator` must be callable.")
    running = _Running(generator)
    leaves = flatten(components)
    given = [convert_to_tensor(arg) for arg in args]

    def take(number: Any) -> list[Any]:
        value = running.step(number)
        return [_checked(v, c) for v, c in zip(_leaves(components, value), leaves, strict=True)]

    def begin() -> list[Tensor]:
        return [py_func(running.begin, given, dtypes.int64)]

    def step(number: Tensor) -> list[Tensor]:
        made = py_func(take, [number], [c.dtype for c in leaves])
        for tensor, component in zip(made, leaves, strict=True):
            tensor.set_shape(component.dims)
        return made  # type: ignore[no-any-return]

    def end(number: Tensor) -> list[Tensor]:
        return [py_func(running.end, [number], dtypes.int64)]

    init, following, final = _function(begin, [], "begin"), _function(step, [_ID], "step"), _function(end, [_ID], "end")
    result: Tensor = generator_dataset(
        init.captured, following.captured, final.captured, init_func=init.region, next_func=following.region,
        finalize_func=final.region, Tinit_func_args=[t.dtype.base_dtype for t in init.captured],
        Tnext_func_args=[t.dtype.base_dtype for t in following.captured],
        Tfinalize_func_args=[t.dtype.base_dtype for t in final.captured], **elements.op_attrs(components),
    )  # fmt: skip
    return result


def _function(function: Callable[..., list[Tensor]], parameters: list[Component], name: str) -> Traced:
    return trace(function, parameters, lambda tensors: tensors, lambda made: (None, made), f"Dataset_generator_{name}")


def _leaves(components: Any, value: Any) -> list[Any]:
    try:
        if isinstance(value, list) and isinstance(components, tuple):
            value = tuple(value)
        check_same(components, value)
    except (TypeError, ValueError):
        raise TypeError(
            f"`generator` yielded an element that did not match the expected structure. The expected structure was "
            f"{elements.types_of(components)}, but the yielded element was {value}."
        ) from None
    return flatten(value)


def _checked(value: Any, component: Component) -> Any:
    dtype = component.dtype
    try:
        array = np.asarray(value, object if dtype is dtypes.string else dtype.np_dtype)
        if dtype is dtypes.string and not all(isinstance(item, str | bytes) for item in array.reshape(-1).tolist()):
            raise TypeError(value)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(
            "`generator` yielded an element that could not be converted to the expected type. The expected type was "
            f"{dtype.name}, but the yielded element was {value}."
        ) from None
    if not shapes.compatible(array.shape, component.dims):
        raise ValueError(
            f"`generator` yielded an element of shape {array.shape} where an element of shape "
            f"{shapes.format_shape(component.dims)} was expected."
        )
    return array
