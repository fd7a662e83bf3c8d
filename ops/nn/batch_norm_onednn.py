"""oneDNN's kernel of batch normalisation: for training on float32 images of rank 4; anything else, and gradients, are NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...devices import onednn
from ...devices.types import Array, Namespace
from ..core import dtypes
from ..core.node import Operation
from ..core.registry import Kernel
from .batch_norm import fused_batch_norm_op, fused_batch_norm_v1_op, fused_batch_norm_v2_op, trained


def serves(node: Operation) -> bool:
    """Tell whether a node trains on float32 images, and oneDNN is there."""
    attrs = node.attrs
    fits = attrs["T"] is attrs.get("U", dtypes.float32) is dtypes.float32 and attrs["data_format"] in ("NHWC", "NCHW")
    return bool(fits and attrs["is_training"] and onednn.available())


def _fits(x: Array, scale: Array, attrs: dict[str, Any]) -> bool:
    axis = 1 if attrs["data_format"] == "NCHW" else 3
    return bool(x.ndim == 4 and x.size and scale.shape == (x.shape[axis],))


def _forward(otherwise: Kernel, has_reserve: bool) -> Kernel:
    def kernel(xp: Namespace, *arrays: Array, **attrs: Any) -> list[Array]:
        x, scale, offset, mean, variance = arrays
        if not _fits(x, scale, attrs) or offset.shape != scale.shape:
            return otherwise(xp, *arrays, **attrs)  # type: ignore[no-any-return]
        y, *batch = onednn.normalise(x, scale, offset, attrs["epsilon"], attrs["data_format"] == "NCHW")
        count, share = x.size // scale.size, attrs["exponential_avg_factor"]
        found = trained(xp, y, (batch[0], batch[1]), (mean, variance), count, share)
        return [*found, np.zeros(0, "f4")] if has_reserve else found

    return kernel


for _decl in (fused_batch_norm_v1_op, fused_batch_norm_v2_op, fused_batch_norm_op):
    _kernel = _forward(_decl.kernels_for("CPU")[0].function, _decl is fused_batch_norm_op)
    _decl.kernel("CPU", supports=serves, label="batch normalisation by oneDNN")(_kernel)
