"""`tf.contrib.layers`: words as bags, dense ids as sparse ones, images as sequences, and the greatest of several units."""

from __future__ import annotations

from typing import Any

from ...ops.array import gather_nd, reshape, shape, transpose
from ...ops.core import dtypes
from ...ops.core.convert import constant, convert_to_tensor
from ...ops.core.node import Tensor
from ...ops.core.sparse_tensor import SparseTensor
from ...ops.gradients import custom_gradient
from ...ops.layers.embedding import embedding_lookup
from ...ops.layers.embedding_sparse import safe_embedding_lookup_sparse as lookup
from ...ops.math import not_equal, reduce_max, reduce_mean, where
from ...ops.variables.scope import variable_scope
from .arg_scope import add_arg_scope
from .outputs import collect_named_outputs
from .variables import model_variable

__all__ = [
    "bow_encoder", "dense_to_sparse", "images_to_sequence", "maxout", "safe_embedding_lookup_sparse", "scale_gradient",
    "sequence_to_images",
]  # fmt: skip


@add_arg_scope
def maxout(inputs: Any, num_units: int, axis: int = -1, scope: Any = None) -> Tensor:
    """Return the greatest of each group of units: `num_units` groups along `axis`.

    Raises:
      ValueError: when the groups do not divide the axis.
    """
    with variable_scope(scope, "MaxOut", [inputs]):
        tensor = convert_to_tensor(inputs)
        sizes: list[Any] = list(tensor.shape.as_list())
        channels = sizes[axis]
        if channels % num_units:
            raise ValueError(f"number of features({channels}) is not a multiple of num_units({num_units})")
        sizes[axis] = num_units
        sizes.append(channels // num_units)
        sizes = [shape(tensor)[i] if size is None else size for i, size in enumerate(sizes)]
        return reduce_max(reshape(tensor, sizes), -1)


@add_arg_scope
def dense_to_sparse(
    tensor: Any, eos_token: Any = 0, outputs_collections: Any = None, scope: Any = None
) -> SparseTensor:
    """Return the elements of a tensor that differ from `eos_token`, in their places."""
    with variable_scope(scope, "dense_to_sparse", [tensor]) as opened:
        dense = convert_to_tensor(tensor)
        places = where(not_equal(dense, constant(eos_token, dense.dtype.base_dtype)))
        found = SparseTensor(places, gather_nd(dense, places), shape(dense, out_type=dtypes.int64))
        return collect_named_outputs(outputs_collections, opened.name, found)


def safe_embedding_lookup_sparse(
    embedding_weights: Any, sparse_ids: Any, sparse_weights: Any = None, combiner: str | None = None, default_id: Any = None,
    name: str | None = None, partition_strategy: str = "div", max_norm: float | None = None,
) -> Tensor:  # fmt: skip
    """Return `tf.nn.safe_embedding_lookup_sparse`; the combiner is "mean" when None."""
    return lookup(
        embedding_weights,
        sparse_ids,
        sparse_weights,
        combiner or "mean",
        default_id,
        name,
        partition_strategy,
        max_norm,
    )


@add_arg_scope
def bow_encoder(
    ids: Any, vocab_size: int, embed_dim: int, sparse_lookup: bool = True, initializer: Any = None, regularizer: Any = None,
    trainable: bool = True, scope: Any = None, reuse: Any = None,
) -> Tensor:  # fmt: skip
    """Return the mean of the embeddings of each row's ids, [batch, embed_dim].

    Args:
      ids: [batch, length] ids below `vocab_size`, dense or a SparseTensor; dense zeros are no ids where `sparse_lookup`.

    Raises:
      TypeError: for a SparseTensor without `sparse_lookup`.
    """
    with variable_scope(scope, "BowEncoder", [ids], reuse=reuse):
        table = model_variable(
            "embeddings",
            shape=[vocab_size, embed_dim],
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
        )
        if sparse_lookup:
            sparse = ids if isinstance(ids, SparseTensor) else dense_to_sparse(ids)
            return safe_embedding_lookup_sparse([table], sparse, combiner="mean", default_id=0)
        if isinstance(ids, SparseTensor):
            raise TypeError(f"ids are expected to be dense Tensor, got: {ids}")
        return reduce_mean(embedding_lookup(table, ids), 1)


def scale_gradient(inputs: Any, gradient_multiplier: Any) -> Tensor:
    """Return the inputs; their gradient is multiplied."""

    @custom_gradient
    def scaled(x: Tensor) -> Any:
        return x, lambda dy: dy * gradient_multiplier

    return scaled(convert_to_tensor(inputs))  # type: ignore[no-any-return]


@add_arg_scope
def images_to_sequence(
    inputs: Any, data_format: str = "NHWC", outputs_collections: Any = None, scope: Any = None
) -> Tensor:
    """Return images as sequences of their columns: [width, batch · height, channels]."""
    _check_layout(data_format)
    with variable_scope(scope, "ImagesToSequence", [inputs]) as opened:
        tensor = convert_to_tensor(inputs)
        if data_format == "NCHW":
            tensor = transpose(tensor, [0, 2, 3, 1])
        _, _, width, channels = tensor.shape.as_list()
        sizes = shape(tensor)
        rows = reshape(tensor, [sizes[0] * sizes[1], sizes[2], channels])
        found = transpose(rows, [1, 0, 2])
        found.set_shape([width, None, channels])
        return collect_named_outputs(outputs_collections, opened.name, found)


@add_arg_scope
def sequence_to_images(
    inputs: Any,
    height: int,
    output_data_format: str = "channels_last",
    outputs_collections: Any = None,
    scope: Any = None,
) -> Tensor:
    """Return what `images_to_sequence` was given: sequences of columns as images of this height."""
    with variable_scope(scope, "SequenceToImages", [inputs]) as opened:
        tensor = convert_to_tensor(inputs)
        width, _, channels = tensor.shape.as_list()
        sizes = shape(tensor)
        length = sizes[0] if width is None else width
        images = transpose(reshape(tensor, [length, -1, height, channels]), [1, 2, 0, 3])
        if output_data_format == "channels_first":
            images = transpose(images, [0, 3, 1, 2])
        return collect_named_outputs(outputs_collections, opened.name, images)


def _check_layout(data_format: str) -> None:
    if data_format not in ("NHWC", "NCHW"):
        raise ValueError("data_format has to be either NCHW or NHWC.")
