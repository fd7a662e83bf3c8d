"""`tensor[...]`: what a program writes in brackets, as one StridedSlice.

Ints, slices, None, an ellipsis and scalar tensors are taken; a boolean mask goes to `boolean_mask`. Node names are
TensorFlow's: `strided_slice/stack`, `stack_1`, `stack_2`, `strided_slice`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core import dtypes
from ..core.convert import constant, convert_to_tensor
from ..core.node import Tensor
from ..core.scopes import name_scope
from ..core.shapes import Dimension
from .masks import boolean_mask
from .pack import stack
from .slicing import MASKS, strided_slice_op

newaxis = None


class _Spec:
    """The parts of a key so far: lists of begins, ends and strides, and the five masks."""

    def __init__(self) -> None:
        self.begin: list[Any] = []
        self.end: list[Any] = []
        self.strides: list[Any] = []
        self.masks = dict.fromkeys(MASKS, 0)

    def add(self, begin: Any, end: Any, stride: Any, *masks: str) -> None:
        for mask in masks:
            self.masks[mask] |= 1 << len(self.begin)
        self.begin.append(begin)
        self.end.append(end)
        self.strides.append(stride)


def _is_mask(key: Any) -> bool:
    if isinstance(key, bool | np.bool_):
        return True
    return isinstance(key, Tensor | np.ndarray) and dtypes.as_dtype(key.dtype).base_dtype is dtypes.bool


def _check_index(part: Any) -> None:
    if isinstance(part, bool) or not (isinstance(part, int | np.integer | Dimension) or _is_index_tensor(part)):
        shown = f" with dtype {part.dtype!r}" if hasattr(part, "dtype") else ""
        raise TypeError(
            "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar tf.int32/tf.int64 tensors are "
            f"valid indices, got {part!r}{shown}"
        )


def _is_index_tensor(part: Any) -> bool:
    dtype = getattr(part, "dtype", None)
    if dtype is None or not hasattr(part, "shape"):
        return False
    if dtypes.as_dtype(dtype).base_dtype not in (dtypes.int16, dtypes.int32, dtypes.int64, dtypes.uint8, dtypes.int8):
        return False
    dims = part.dims if isinstance(part, Tensor) else part.shape
    return dims is None or len(dims) == 0


def _number(part: Any) -> Any:
    return part.value if isinstance(part, Dimension) else part


def _add_part(spec: _Spec, part: Any) -> None:
    if isinstance(part, slice):
        masks = [name for name, bound in (("begin_mask", part.start), ("end_mask", part.stop)) if bound is None]
        bounds = [_number(bound) for bound in (part.start, part.stop, part.step)]
        for bound in bounds:
            if bound is not None:
                _check_index(bound)
        begin, end, step = bounds
        spec.add(0 if begin is None else begin, 0 if end is None else end, 1 if step is None else step, *masks)
    elif part is Ellipsis:
        spec.add(0, 0, 1, "ellipsis_mask")
    elif part is None:
        spec.add(0, 0, 1, "new_axis_mask")
    else:
        part = _number(part)
        _check_index(part)
        spec.add(part, part + 1, 1, "shrink_axis_mask")


def _widest(parts: list[Any]) -> Any:
    wide = any(hasattr(p, "dtype") and dtypes.as_dtype(p.dtype).base_dtype is dtypes.int64 for p in parts)
    return dtypes.int64 if wide else None


def getitem(tensor: Tensor, key: Any) -> Tensor:
    """Return the part of a tensor that `key` (what stands in the brackets) means.

    Raises:
      TypeError: for keys that tensors do not take. ValueError: for too many indices, or one that is out of bounds.

    Example:
      >>> import millstream as tf
      >>> with tf.Graph().as_default():
      ...     x = tf.zeros([4, 5, 6])
      ...     print(x[1:, ..., None, ::-1].shape)
      (3, 5, 1, 6)
    """
    if _is_mask(key):
        return boolean_mask(tensor, key)
    spec = _Spec()
    parts = key if isinstance(key, list | tuple) else [key]
    given = [spec_part for part in parts for spec_part in _tensors_of(part)]
    for part in parts:
        _add_part(spec, part)
    with name_scope(None, "strided_slice", [tensor, *given]) as scope:
        if not spec.begin:
            empty = constant(np.zeros(0, np.int32))
            return strided_slice_op(tensor, empty, empty, empty, name=scope)  # type: ignore[no-any-return]
        wide = _widest([*spec.begin, *spec.end, *spec.strides])
        begin, end, strides = (_stacked(values, wide) for values in (spec.begin, spec.end, spec.strides))
        return strided_slice_op(tensor, begin, end, strides, **spec.masks, name=scope)  # type: ignore[no-any-return]


def _stacked(values: list[Any], wide: Any) -> Tensor:
    if wide is None:
        return stack(values)
    return convert_to_tensor(values, wide, name="stack")


def _tensors_of(part: Any) -> list[Any]:
    bounds = (part.start, part.stop, part.step) if isinstance(part, slice) else (part,)
    return [bound for bound in bounds if hasattr(bound, "op")]


Tensor.overload("__getitem__", getitem)
