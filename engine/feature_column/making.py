"""`tf.feature_column`'s functions that make columns, with the checks that TensorFlow makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...ops.core.dtypes import DType, as_dtype, float32, int64, string
from .columns import (
    BucketizedColumn,
    CategoricalColumn,
    Column,
    CrossedColumn,
    EmbeddingColumn,
    HashedColumn,
    IdentityColumn,
    IndicatorColumn,
    NumericColumn,
    VocabularyColumn,
    WeightedColumn,
)


def numeric_column(
    key: str,
    shape: Any = (1,),
    default_value: Any = None,
    dtype: Any = float32,
    normalizer_fn: Callable[..., Any] | None = None,
) -> NumericColumn:
    """Return a column of numbers; `shape` is that of one example's."""
    dims = (shape,) if isinstance(shape, int) else tuple(int(dim) for dim in shape)
    if any(dim <= 0 for dim in dims):
        raise ValueError(f"shape dimensions must be greater than 0, shape: {shape}")
    kind = as_dtype(dtype)
    if not (kind.is_integer or kind.is_floating):
        raise ValueError(f"dtype must be convertible to float. dtype: {kind}, key: {key}")
    if normalizer_fn is not None and not callable(normalizer_fn):
        raise TypeError(f"normalizer_fn must be a callable. Given: {normalizer_fn}")
    return NumericColumn(key, dims, _defaults(default_value, dims, kind, key), kind, normalizer_fn)


def _defaults(given: Any, dims: tuple[int, ...], dtype: DType, key: str) -> Any:
    """Return a default for each number, as nested tuples; one stands for all. ValueError or TypeError where it fits none."""
    if given is None:
        return None
    known = np.asarray(given)
    if known.dtype.kind not in ("biuf" if dtype.is_floating else "biu"):
        raise TypeError(
            f"default_value must be compatible with dtype. default_value: {given}, dtype: {dtype!r}, key: {key}"
        )
    if known.ndim and known.shape != dims:
        raise ValueError(
            f"The shape of default_value must be equal to given shape. default_value: {given}, shape: {dims}, key: {key}"
        )
    return _nested(np.broadcast_to(known, dims).tolist())


def _nested(values: Any) -> Any:
    return tuple(_nested(value) for value in values) if isinstance(values, list) else values


def bucketized_column(source_column: NumericColumn, boundaries: Sequence[float]) -> BucketizedColumn:
    """Return a column of the intervals [-inf, b0), [b0, b1), ... that numbers are in; boundaries ascend."""
    if not isinstance(source_column, NumericColumn):
        raise ValueError(f"source_column must be a column generated with numeric_column(). Given: {source_column}")
    if len(source_column.shape) > 1:
        raise ValueError(f"source_column must be one-dimensional column. Given: {source_column}")
    if not boundaries or list(boundaries) != sorted(set(boundaries)):
        raise ValueError("boundaries must be a sorted list.")
    return BucketizedColumn(source_column, tuple(boundaries))


def categorical_column_with_identity(key: str, num_buckets: int, default_value: int | None = None) -> IdentityColumn:
    """Return a column of integers from 0 to `num_buckets`."""
    if num_buckets < 1:
        raise ValueError(f"num_buckets {num_buckets} < 1, column_name {key}")
    if default_value is not None and not 0 <= default_value < num_buckets:
        raise ValueError(f"default_value {default_value} not in range [0, {num_buckets}), column_name {key}")
    return IdentityColumn(key, num_buckets, default_value)


def categorical_column_with_vocabulary_list(
    key: str, vocabulary_list: Sequence[Any], dtype: Any = None, default_value: int = -1, num_oov_buckets: int = 0
) -> VocabularyColumn:
    """Return a column of the words or integers of a list; others are `default_value`, or hashed into further ids."""
    words = list(vocabulary_list)
    if not words:
        raise ValueError(f"vocabulary_list {vocabulary_list} must be non-empty, column_name: {key}")
    if len(set(words)) != len(words):
        raise ValueError(f"Duplicate keys in vocabulary_list {vocabulary_list}, column_name: {key}")
    _check_unknown(default_value, num_oov_buckets, key)
    kind = as_dtype(dtype) if dtype is not None else int64 if np.asarray(words).dtype.kind in "iu" else string
    return VocabularyColumn(key, tuple(words), kind, default_value, num_oov_buckets)


def categorical_column_with_vocabulary_file(
    key: str, vocabulary_file: Any, vocabulary_size: int | None = None, num_oov_buckets: int = 0,
    default_value: int | None = None, dtype: Any = string,
) -> VocabularyColumn:  # fmt: skip
    """Return a column of the words of a file, one a line, which is read now."""
    if not vocabulary_file:
        raise ValueError(f"Missing vocabulary_file in {key}.")
    _check_unknown(-1 if default_value is None else default_value, num_oov_buckets, key)
    lines = Path(vocabulary_file).read_bytes().splitlines()
    if vocabulary_size is not None and not 1 <= vocabulary_size <= len(lines):
        raise ValueError(f"Invalid vocabulary_size {vocabulary_size} in {key}: the file has {len(lines)} lines")
    kind = as_dtype(dtype)
    words = [int(line) if kind.is_integer else line for line in lines[:vocabulary_size]]
    return VocabularyColumn(key, tuple(words), kind, -1 if default_value is None else default_value, num_oov_buckets)


def _check_unknown(default_value: int, num_oov_buckets: int, key: str) -> None:
    if num_oov_buckets < 0:
        raise ValueError(f"Invalid num_oov_buckets {num_oov_buckets} in {key}.")
    if num_oov_buckets and default_value != -1:
        raise ValueError(f"Can't specify both num_oov_buckets and default_value in {key}.")


def categorical_column_with_hash_bucket(key: str, hash_bucket_size: int, dtype: Any = string) -> HashedColumn:
    """Return a column of words or integers by their hash."""
    if hash_bucket_size is None or hash_bucket_size < 1:
        raise ValueError(f"hash_bucket_size must be at least 1. hash_bucket_size: {hash_bucket_size}, key: {key}")
    return HashedColumn(key, hash_bucket_size, as_dtype(dtype))


def crossed_column(keys: Sequence[Any], hash_bucket_size: int, hash_key: int | None = None) -> CrossedColumn:
    """Return a column of the combinations of features (by their keys) and categorical columns, by their hash."""
    if not hash_bucket_size or hash_bucket_size < 1:
        raise ValueError(f"hash_bucket_size must be > 1. hash_bucket_size: {hash_bucket_size}")
    if not keys or len(keys) < 2:
        raise ValueError(f"keys must be a list with length > 1. Given: {keys}")
    for key in keys:
        if not isinstance(key, str | CategoricalColumn):
            raise ValueError(
                f"Unsupported key type. All keys must be either string, or categorical column. Given: {key}"
            )
        if isinstance(key, HashedColumn):
            raise ValueError(f"categorical_column_with_hash_bucket is not supported for crossing. Given: {key}")
    return CrossedColumn(tuple(keys), hash_bucket_size, hash_key)


def weighted_categorical_column(
    categorical_column: CategoricalColumn, weight_feature_key: str, dtype: Any = float32
) -> WeightedColumn:
    """Return a column whose ids have weights, which the feature `weight_feature_key` gives."""
    return WeightedColumn(categorical_column, weight_feature_key, as_dtype(dtype))


def indicator_column(categorical_column: CategoricalColumn) -> IndicatorColumn:
    """Return a dense column of how often each id occurs."""
    return IndicatorColumn(_categorical(categorical_column))


def embedding_column(
    categorical_column: CategoricalColumn, dimension: int, combiner: str = "mean", initializer: Any = None,
    ckpt_to_load_from: str | None = None, tensor_name_in_ckpt: str | None = None, max_norm: float | None = None,
    trainable: bool = True, use_safe_embedding_lookup: bool = True,
) -> EmbeddingColumn:  # fmt: skip
    """Return a dense column of a trained vector for each id, combined by "mean", "sqrtn" or "sum".

    Args:
      initializer: of the table, truncated normal with deviation 1/sqrt(dimension) when None.
      ckpt_to_load_from, tensor_name_in_ckpt: a checkpoint and a name in it to begin with; both or neither.
      max_norm: clip vectors to this norm. trainable: whether the table is trained.
    """
    if dimension is None or dimension < 1:
        raise ValueError(f"Invalid dimension {dimension}.")
    if (ckpt_to_load_from is None) != (tensor_name_in_ckpt is None):
        raise ValueError("Must specify both `ckpt_to_load_from` and `tensor_name_in_ckpt` or none of them.")
    if initializer is not None and not callable(initializer):
        raise ValueError(
            f"initializer must be callable if specified. Embedding of column_name: {categorical_column.name}"
        )
    taken = (ckpt_to_load_from, tensor_name_in_ckpt) if ckpt_to_load_from and tensor_name_in_ckpt else None
    return EmbeddingColumn(
        _categorical(categorical_column), dimension, combiner, initializer, max_norm, trainable, taken_from=taken
    )


def shared_embedding_columns(
    categorical_columns: Sequence[CategoricalColumn], dimension: int, combiner: str = "mean", initializer: Any = None,
    shared_embedding_collection_name: str | None = None, ckpt_to_load_from: str | None = None,
    tensor_name_in_ckpt: str | None = None, max_norm: float | None = None, trainable: bool = True,
    use_safe_embedding_lookup: bool = True,
) -> list[EmbeddingColumn]:  # fmt: skip
    """Return dense columns that take their vectors from one table; see `embedding_column`."""
    if len({column.num_buckets for column in categorical_columns}) != 1:
        raise ValueError(
            "To use shared_embedding_column, all categorical_columns must have the same number of buckets."
        )
    name = (
        shared_embedding_collection_name or "_".join(sorted(c.name for c in categorical_columns)) + "_shared_embedding"
    )
    taken = (ckpt_to_load_from, tensor_name_in_ckpt) if ckpt_to_load_from and tensor_name_in_ckpt else None
    return [
        EmbeddingColumn(_categorical(column), dimension, combiner, initializer, max_norm, trainable, name, taken)
        for column in categorical_columns
    ]


def _categorical(column: Any) -> CategoricalColumn:
    if not isinstance(column, CategoricalColumn):
        raise ValueError(f"A categorical column is needed. Given: {column!r}")
    return column


def make_parse_example_spec(feature_columns: Sequence[Column]) -> dict[str, Any]:
    """Return the features that `tf.parse_example` has to read for these columns."""
    spec: dict[str, Any] = {}
    for column in feature_columns:
        if not isinstance(column, Column):
            raise ValueError(f"All feature_columns must be feature columns. Given: {column!r}")
        for key, feature in column.parse_spec().items():
            if key in spec and spec[key] != feature:
                raise ValueError(
                    f"feature_columns contain different parse_spec for key {key}. Given {spec[key]} and {feature}"
                )
            spec[key] = feature
    return spec
