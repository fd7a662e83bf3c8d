"""`input_layer` and `linear_model`: columns as the first layer of a model."""

from __future__ import annotations

from typing import Any

from ...ops.array import concat
from ...ops.core import dtypes
from ...ops.core.node import Tensor
from ...ops.math import add_n, matmul
from ...ops.nn import bias_add
from ...ops.variables import AUTO_REUSE, get_variable, variable_scope
from ...ops.variables.initializers import Zeros
from ..checkpoint import init_from_checkpoint
from .columns import CategoricalColumn, Column, DenseColumn, EmbeddingColumn, Features, check_columns, combined


def input_layer(
    features: Features, feature_columns: Any, weight_collections: Any = None, trainable: bool = True, cols_to_vars: Any = None,
    cols_to_output_tensors: Any = None,
) -> Tensor:  # fmt: skip
    """Return (batch, sum of widths) floats: the dense columns side by side, in the order of their names.

    Args:
      features: tensors or SparseTensors by key. feature_columns: dense columns.
      weight_collections, trainable: for the variables of embeddings.
      cols_to_vars, cols_to_output_tensors: dicts that receive each column's variables and output.
    """
    columns = check_columns(feature_columns)
    for column in columns:
        if not isinstance(column, DenseColumn):
            raise ValueError(
                "Items of feature_columns must be a dense column. You can wrap a categorical column with an embedding_column "
                f"or indicator_column. Given: {column}"
            )
    outputs = []
    with variable_scope(None, "input_layer", values=_tensors(features)) as outer:
        for column in columns:
            scope = getattr(column, "shared_name", None)
            with variable_scope(scope or column.name, reuse=AUTO_REUSE if scope else None) as inner:
                made = column.dense(features, trainable, weight_collections)  # type: ignore[attr-defined]
                _begin_with(column, f"{outer.name}/{scope or column.name}/embedding_weights")
            outputs.append(made)
            if cols_to_vars is not None:
                cols_to_vars[column] = inner.global_variables()
            if cols_to_output_tensors is not None:
                cols_to_output_tensors[column] = made
        return concat(outputs, 1)


def _begin_with(column: Column, name: str) -> None:
    if isinstance(column, EmbeddingColumn) and column.taken_from is not None:
        checkpoint, tensor = column.taken_from
        init_from_checkpoint(checkpoint, {tensor: name})


def linear_model(
    features: Features, feature_columns: Any, units: int = 1, sparse_combiner: str = "sum", weight_collections: Any = None,
    trainable: bool = True, cols_to_vars: Any = None,
) -> Tensor:  # fmt: skip
    """Return (batch, units): a weighted sum of all columns, and a bias.

    Args:
      features: tensors or SparseTensors by key. feature_columns: dense or categorical columns.
      sparse_combiner: how several ids of an example add up: "sum", "mean" or "sqrtn".
      weight_collections, trainable: for the weights. cols_to_vars: a dict that receives each column's weights.
    """
    columns = check_columns(feature_columns)
    sums = []
    with variable_scope(None, "linear_model", values=_tensors(features)):
        for column in columns:
            with variable_scope(column.name):
                rows = column.num_buckets if isinstance(column, CategoricalColumn) else column.width  # type: ignore[attr-defined]
                weights = get_variable(
                    "weights",
                    [rows, units],
                    dtypes.float32,
                    Zeros(),
                    trainable=trainable,
                    collections=weight_collections,
                )
                if isinstance(column, CategoricalColumn):
                    sums.append(combined(weights, column.ids(features), sparse_combiner, units))
                else:
                    sums.append(matmul(column.dense(features, trainable, weight_collections), weights))  # type: ignore[attr-defined]
            if cols_to_vars is not None:
                cols_to_vars[column] = [weights]
        bias = get_variable(
            "bias_weights", [units], dtypes.float32, Zeros(), trainable=trainable, collections=weight_collections
        )
        if cols_to_vars is not None:
            cols_to_vars["bias"] = [bias]
        return bias_add(add_n(sums), bias, name="weighted_sum")


def _tensors(features: Features) -> list[Any]:
    return [value for value in features.values() if isinstance(value, Tensor)]
