"""`tf.contrib.layers`' feature columns: the older names for what `tf.feature_column` makes, and the layers over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...ops.core.dtypes import as_dtype, float32, int64, string
from ...ops.core.node import Tensor
from ...ops.variables import variable_scope
from ..feature_column import (
    bucketized_column as bucketized,
)
from ..feature_column import (
    categorical_column_with_hash_bucket,
    categorical_column_with_identity,
    categorical_column_with_vocabulary_file,
    categorical_column_with_vocabulary_list,
    indicator_column,
    input_layer,
    linear_model,
    make_parse_example_spec,
    numeric_column,
    weighted_categorical_column,
)
from ..feature_column import (
    crossed_column as crossed,
)
from ..feature_column import (
    embedding_column as embedded,
)
from ..feature_column import (
    shared_embedding_columns as shared,
)
from ..feature_column.columns import CategoricalColumn, Column, HashedColumn, IndicatorColumn


def real_valued_column(
    column_name: str, dimension: int | None = 1, default_value: Any = None, dtype: Any = float32,
    normalizer: Callable[..., Any] | None = None,
) -> Column:  # fmt: skip
    """Return a column of `dimension` numbers."""
    if dimension is None:
        raise ValueError(
            f"Column {column_name}: dimension=None, numbers of any length, is not there; say how many there are"
        )
    if not isinstance(dimension, int) or dimension < 1:
        raise ValueError(f"dimension must be greater than 0. dimension: {dimension}, column_name: {column_name}")
    return numeric_column(column_name, (dimension,), default_value, dtype, normalizer)


def bucketized_column(source_column: Any, boundaries: Sequence[float]) -> Column:
    """Return a column of the intervals that numbers are in."""
    return bucketized(source_column, sorted(set(boundaries)))


def _combined(column: CategoricalColumn, combiner: str) -> CategoricalColumn:
    if combiner != "sum":
        raise ValueError(
            f'combiner {combiner!r} is not there, for column {column.name}: weights of ids are added up, "sum"'
        )
    return column


def sparse_column_with_hash_bucket(
    column_name: str, hash_bucket_size: int, combiner: str = "sum", dtype: Any = string, hash_keys: Any = None
) -> CategoricalColumn:
    """Return a column of strings or integers, as the hash of each."""
    if hash_keys is not None:
        raise ValueError(f"hash_keys are not there, for column {column_name}; leave them None")
    return _combined(categorical_column_with_hash_bucket(column_name, hash_bucket_size, as_dtype(dtype)), combiner)


def sparse_column_with_integerized_feature(
    column_name: str, bucket_size: int, combiner: str = "sum", dtype: Any = int64
) -> CategoricalColumn:
    """Return a column of integers from 0 to `bucket_size`."""
    if not as_dtype(dtype).is_integer:
        raise ValueError(f"dtype must be an integer. dtype: {dtype} column_name: {column_name}")
    return _combined(categorical_column_with_identity(column_name, bucket_size), combiner)


def sparse_column_with_keys(
    column_name: str, keys: Sequence[Any], default_value: int = -1, combiner: str = "sum", dtype: Any = string
) -> CategoricalColumn:
    """Return a column of words, as their places in `keys`; others are `default_value`."""
    found = categorical_column_with_vocabulary_list(column_name, list(keys), as_dtype(dtype), default_value)
    return _combined(found, combiner)


def sparse_column_with_vocabulary_file(
    column_name: str, vocabulary_file: str, num_oov_buckets: int = 0, vocab_size: int | None = None,
    default_value: int = -1, combiner: str = "sum", dtype: Any = string,
) -> CategoricalColumn:  # fmt: skip
    """Return a column of words, as the numbers of their lines in a file."""
    found = categorical_column_with_vocabulary_file(
        column_name, vocabulary_file, vocab_size, num_oov_buckets, None if num_oov_buckets else default_value, dtype
    )
    return _combined(found, combiner)


def weighted_sparse_column(sparse_id_column: CategoricalColumn, weight_column_name: str, dtype: Any = float32) -> Any:
    """Return a column whose ids have weights."""
    return weighted_categorical_column(sparse_id_column, weight_column_name, dtype)


def crossed_column(
    columns: Sequence[Any], hash_bucket_size: int, combiner: str = "sum", ckpt_to_load_from: str | None = None,
    tensor_name_in_ckpt: str | None = None, hash_key: int | None = None,
) -> CategoricalColumn:  # fmt: skip
    """Return a column of what several columns say together, hashed."""
    if ckpt_to_load_from is not None or tensor_name_in_ckpt is not None:
        raise ValueError("a crossed column cannot begin with a checkpoint's weights; leave ckpt_to_load_from None")
    # Columns that hash are crossed by what they hash: the newer column takes their features by name.
    keys = [column.key if isinstance(column, HashedColumn) else column for column in columns]
    return _combined(crossed(keys, hash_bucket_size, hash_key), combiner)


def one_hot_column(sparse_id_column: CategoricalColumn) -> IndicatorColumn:
    """Return a dense column of how often each id occurs."""
    return indicator_column(sparse_id_column)


def embedding_column(
    sparse_id_column: CategoricalColumn, dimension: int, combiner: str = "mean", initializer: Any = None,
    ckpt_to_load_from: str | None = None, tensor_name_in_ckpt: str | None = None, max_norm: float | None = None,
    trainable: bool = True,
) -> Any:  # fmt: skip
    """Return a dense column of a trained vector for each id."""
    return embedded(
        sparse_id_column, dimension, combiner, initializer, ckpt_to_load_from, tensor_name_in_ckpt, max_norm, trainable
    )


def shared_embedding_columns(
    sparse_id_columns: Sequence[CategoricalColumn], dimension: int, combiner: str = "mean",
    shared_embedding_name: str | None = None, initializer: Any = None, ckpt_to_load_from: str | None = None,
    tensor_name_in_ckpt: str | None = None, max_norm: float | None = None, trainable: bool = True,
) -> list[Any]:  # fmt: skip
    """Return dense columns that take their vectors from one table."""
    return list(shared(
        sparse_id_columns, dimension, combiner, initializer, shared_embedding_name, ckpt_to_load_from,
        tensor_name_in_ckpt, max_norm, trainable,
    ))  # fmt: skip


def input_from_feature_columns(
    columns_to_tensors: Any, feature_columns: Any, weight_collections: Any = None, trainable: bool = True,
    scope: Any = None, cols_to_outs: Any = None,
) -> Tensor:  # fmt: skip
    """Return the dense columns side by side; see `tf.feature_column.input_layer`."""
    with variable_scope(scope, default_name="input_from_feature_columns"):
        return input_layer(
            columns_to_tensors,
            list(feature_columns),
            weight_collections,
            trainable,
            cols_to_output_tensors=cols_to_outs,
        )


def weighted_sum_from_feature_columns(
    columns_to_tensors: Any, feature_columns: Any, num_outputs: int, weight_collections: Any = None,
    trainable: bool = True, scope: Any = None,
) -> tuple[Tensor, dict[Any, Any], Any]:  # fmt: skip
    """Return a weighted sum of the columns, the weights by column, and the bias."""
    weights: dict[Any, Any] = {}
    with variable_scope(scope, default_name="weighted_sum_from_feature_columns"):
        found = linear_model(
            columns_to_tensors, list(feature_columns), num_outputs, "sum", weight_collections, trainable, weights
        )
    bias = weights.pop("bias")
    return found, weights, bias[0] if isinstance(bias, list) else bias


def create_feature_spec_for_parsing(feature_columns: Any) -> dict[str, Any]:
    """Return the features that `tf.parse_example` has to read for these columns."""
    return make_parse_example_spec(list(feature_columns))
