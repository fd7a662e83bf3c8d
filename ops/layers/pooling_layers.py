"""The pools of `tf.layers`: of sequences, images and volumes, as classes and functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..array import expand_dims, squeeze
from ..core.node import Tensor
from ..nn import avg_pool, avg_pool3d, max_pool, max_pool3d
from .base import Layer
from .convolution_layers import layout_of, sizes
from .input_spec import InputSpec

__all__ = [
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
    "average_pooling1d", "average_pooling2d", "average_pooling3d", "max_pooling1d", "max_pooling2d", "max_pooling3d",
]  # fmt: skip


class _Pooling(Layer):
    """A pool over windows.

    Args:
      pool_size, strides: an int, or one for each spatial dimension.
      padding: "valid" or "same".
      data_format: "channels_last" or "channels_first".
      name: the layer's name.
    """

    rank = 2
    pool: Callable[..., Tensor] = staticmethod(max_pool)

    def __init__(
        self, pool_size: Any, strides: Any, padding: str = "valid", data_format: str = "channels_last",
        name: str | None = None, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(name=name or _function_name(type(self).__name__), **options)
        self.pool_size, self.strides = sizes(pool_size, self.rank, "pool_size"), sizes(strides, self.rank, "strides")
        if padding.lower() not in ("valid", "same"):
            raise ValueError(f'The `padding` argument must be one of "valid", "same". Received: {padding}')
        self.padding, self.data_format = padding.upper(), data_format
        self.layout = layout_of(data_format, self.rank)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def call(self, inputs: Any, **options: Any) -> Tensor:
        """Return the pooled windows."""
        return self._pooled(inputs, self.pool_size, self.strides, self.layout)

    def _pooled(self, inputs: Tensor, size: tuple[int, ...], strides: tuple[int, ...], layout: str) -> Tensor:
        first = layout.startswith("NC")
        ksize, steps = ([1, 1, *values] if first else [1, *values, 1] for values in (size, strides))
        return self.pool(inputs, ksize, steps, self.padding, data_format=layout)


def _function_name(name: str) -> str:
    """Return `max_pooling2d` for `MaxPooling2D`."""
    return name.replace("Pooling", "_pooling").lower()


class _SequencePooling(_Pooling):
    """A pool over windows of sequences: images of one column."""

    rank = 1

    def call(self, inputs: Any, **options: Any) -> Tensor:
        """Return the pooled windows."""
        axis = 3 if self.layout == "NCW" else 2
        layout = "NCHW" if self.layout == "NCW" else "NHWC"
        images = self._pooled(expand_dims(inputs, axis), (*self.pool_size, 1), (*self.strides, 1), layout)
        return squeeze(images, [axis])


class MaxPooling1D(_SequencePooling):
    """The greatest element of each window of sequences (batch, width, channels)."""


class MaxPooling2D(_Pooling):
    """The greatest element of each window of images (batch, height, width, channels)."""


class MaxPooling3D(_Pooling):
    """The greatest element of each window of volumes (batch, depth, height, width, channels)."""

    rank, pool = 3, staticmethod(max_pool3d)


class AveragePooling1D(_SequencePooling):
    """The mean of each window of sequences (batch, width, channels)."""

    pool = staticmethod(avg_pool)


class AveragePooling2D(_Pooling):
    """The mean of each window of images (batch, height, width, channels)."""

    pool = staticmethod(avg_pool)


class AveragePooling3D(_Pooling):
    """The mean of each window of volumes (batch, depth, height, width, channels)."""

    rank, pool = 3, staticmethod(avg_pool3d)


def _function(kind: type[_Pooling]) -> Callable[..., Tensor]:
    def pooling(
        inputs: Any, pool_size: Any, strides: Any, padding: str = "valid", data_format: str = "channels_last",
        name: str | None = None,
    ) -> Tensor:  # fmt: skip
        outputs: Tensor = kind(pool_size, strides, padding, data_format, name)(inputs)
        return outputs

    pooling.__name__ = pooling.__qualname__ = _function_name(kind.__name__)
    pooling.__doc__ = f"Return {(kind.__doc__ or '')[0].lower()}{(kind.__doc__ or '')[1:-1]}; see `{kind.__name__}`."
    return pooling


max_pooling1d, max_pooling2d, max_pooling3d = (_function(kind) for kind in (MaxPooling1D, MaxPooling2D, MaxPooling3D))
average_pooling1d, average_pooling2d, average_pooling3d = (
    _function(kind) for kind in (AveragePooling1D, AveragePooling2D, AveragePooling3D)
)
