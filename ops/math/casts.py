"""Conversions between dtypes by name: `to_float` and its like, and the cast that saturates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..core import dtypes
from ..core.convert import convert_to_tensor
from ..core.dtypes import DType, as_dtype
from ..core.graph import get_default_graph
from ..core.node import Tensor
from .complex import cast
from .select import clip_by_value_op

__all__ = [
    "cast", "saturate_cast", "to_bfloat16", "to_complex64", "to_complex128", "to_double", "to_float", "to_int32", "to_int64",
]  # fmt: skip


def _to(dtype: DType, default: str) -> Callable[..., Tensor]:
    def convert(x: Any, name: str = default) -> Tensor:
        return cast(x, dtype, name)

    convert.__name__ = convert.__qualname__ = f"to_{default[2:].lower()}"
    convert.__doc__ = f"Return `x` converted to {dtype.name}."
    return convert


to_float = _to(dtypes.float32, "ToFloat")
to_double = _to(dtypes.float64, "ToDouble")
to_int32 = _to(dtypes.int32, "ToInt32")
to_int64 = _to(dtypes.int64, "ToInt64")
to_bfloat16 = _to(dtypes.bfloat16, "ToBFloat16")
to_complex64 = _to(dtypes.complex64, "ToComplex64")
to_complex128 = _to(dtypes.complex128, "ToComplex128")


def _limits(source: DType, target: DType) -> tuple[Any, Any]:
    """Return the values of `source` between which every value fits into `target`."""
    low, high = max(source.min, target.min), min(source.max, target.max)
    kind = source.np_dtype.type
    if source.is_floating and target.is_integer:
        # The greatest integer may round up to one that the target cannot hold.
        low, high = (kind(bound) for bound in (low, high))
        return low, np.nextafter(high, kind(0)) if int(high) > int(target.max) else high
    return kind(low), kind(high)


def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Tensor:
    """Return `value` converted to `dtype`, what is out of range as the nearest value that is not."""
    with get_default_graph().name_scope(name or "saturate_cast") as scope:
        tensor, wanted = convert_to_tensor(value, name="value"), as_dtype(dtype).base_dtype
        source = tensor.dtype.base_dtype
        if wanted.min > source.min or wanted.max < source.max:
            low, high = _limits(source, wanted)
            tensor = clip_by_value_op(tensor, low, high, name="clamp")
        return cast(tensor, wanted, scope)
