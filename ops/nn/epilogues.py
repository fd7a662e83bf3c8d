"""Products and convolutions with a bias and relu as one kernel, for plans that find the three in a row.

oneDNN adds the bias as it makes a convolution; NumPy's convolution finishes each block while it is in the cache. Where oneDNN has
no primitive, or is not there, for its relu and for products of matrices (its primitive with a bias took up to 1.3 of the plain
call's time and a pass), the product's own memory is gone over once. Invariant: the results are those of the ops
one after the other, NaN included, up to the rounding of the products' sums.
"""

from __future__ import annotations

from typing import Any

from ...devices import onednn
from ...devices.onednn import OneDnnError
from ...devices.types import Array, Empty, Namespace
from ..core.registry import Kernel
from . import conv, onednn_kernels
from .finishing import finish


def in_memory(into: Kernel) -> Kernel:
    """Return the kernel that finishes in place what another one writes: `kernel(xp, empty, a, b, bias, *, relu, **attrs)`."""

    def kernel(xp: Namespace, empty: Empty, a: Array, b: Array, bias: Array, *, relu: bool, **attrs: Any) -> Array:
        return finish(into(xp, empty, a, b, **attrs), bias, relu)

    return kernel


def _convolution_onednn(
    xp: Namespace, empty: Empty, input: Array, filter: Array, bias: Array, *, relu: bool, **attrs: Any
) -> Array:
    shape = onednn_kernels.of_convolution(input.shape, filter.shape, attrs)
    if shape is not None:
        try:
            return finish(onednn.convolution_layer(shape, input, filter, bias, empty), None, relu)
        except OneDnnError:
            pass
    return finish(onednn_kernels.conv2d_onednn(xp, empty, input, filter, **attrs), bias, relu)


def _convolution_in_blocks(
    xp: Namespace, empty: Empty, input: Array, filter: Array, bias: Array, *, relu: bool, **attrs: Any
) -> Array:
    if conv.in_one_piece(input, filter, attrs):
        return conv.convolve(xp, input, filter, attrs, conv.IN_BLOCKS, empty, bias, relu)
    return finish(conv.convolve(xp, input, filter, attrs, conv.IN_BLOCKS, empty), bias, relu)


_WHOLE: dict[Kernel, Kernel] = {
    conv.conv2d_into: _convolution_in_blocks,
    onednn_kernels.conv2d_onednn: _convolution_onednn,
}


def with_epilogue(into: Kernel) -> Kernel:
    """Return the kernel of a product that writes by `into`, a bias for each element of the last axis, and perhaps relu.

    It is called as `kernel(xp, empty, a, b, bias, *, relu, **attrs)`.
    """
    return _WHOLE.get(into) or in_memory(into)
