"""`tf.parse_example` and its kin: what features are asked for, and the ops that find them in serialized Examples."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

from ..array.concat import concat
from ..array.reshape import expand_dims, reshape, squeeze
from ..core import dtypes, shapes
from ..core.convert import convert_to_tensor
from ..core.dtypes import as_dtype
from ..core.graph import get_default_graph
from ..core.node import Tensor
from ..core.registry import lookup
from ..core.shapes import Shape
from ..core.sparse_tensor import SparseTensor
from ..io import parse_ops, sequences
from ..math.complex import cast


class VarLenFeature(namedtuple("VarLenFeature", ["dtype"])):
    """A feature with any number of values, parsed to a SparseTensor."""

    __slots__ = ()


class SparseFeature(
    namedtuple("SparseFeature", ["index_key", "value_key", "dtype", "size", "already_sorted"], defaults=[False])
):
    """A sparse tensor kept in several features: the places (one key per dimension), and the values.

    `size` is the size of each dimension; `already_sorted` says that the places come in order.
    """

    __slots__ = ()


class FixedLenFeature(namedtuple("FixedLenFeature", ["shape", "dtype", "default_value"], defaults=[None])):
    """A feature with as many values as `shape` has; `default_value` stands for one that is missing."""

    __slots__ = ()


class FixedLenSequenceFeature(
    namedtuple("FixedLenSequenceFeature", ["shape", "dtype", "allow_missing", "default_value"], defaults=[False, None])
):
    """A feature with any number of rows of `shape`; shorter ones of a batch are filled up with `default_value`."""

    __slots__ = ()


class Asked:
    """What a dict of features asks for: sparse and dense keys in order, and how sparse tensors are put together.

    `shapes` of dense features begin with None where the first dimension varies.
    """

    def __init__(self, features: dict[str, Any], kinds: tuple[type, ...] | None = None) -> None:
        kinds = _KINDS if kinds is None else kinds
        self.sparse: dict[str, Any] = {}
        self.dense: dict[str, tuple[Any, Shape, Any, bool]] = {}
        self.merged: dict[str, SparseFeature] = {}
        for key in sorted(features):
            if not isinstance(features[key], kinds):
                raise ValueError(
                    f"Unsupported {type(features[key]).__name__} {features[key]}." if isinstance(features[key], _KINDS) else
                    f"Invalid feature {key}:{features[key]}."
                )  # fmt: skip
            _ADD[type(features[key])](self, key, features[key])

    def add_var_len(self, key: str, feature: VarLenFeature) -> None:
        if not feature.dtype:
            raise ValueError(f"Missing type for feature {key}.")
        self._sparse(key, as_dtype(feature.dtype))

    def add_sparse(self, key: str, feature: SparseFeature) -> None:
        for name in ("index_key", "value_key", "dtype", "size"):
            if getattr(feature, name) in (None, "", []):
                raise ValueError(f"Missing {name} for SparseFeature {feature}.")
        for index_key in _several(feature.index_key):
            self._sparse(index_key, dtypes.int64)
        self._sparse(feature.value_key, as_dtype(feature.dtype))
        self.merged[key] = feature

    def add_fixed(self, key: str, feature: FixedLenFeature) -> None:
        if not feature.dtype:
            raise ValueError(f"Missing type for feature {key}.")
        if feature.shape is None:
            raise ValueError(f"Missing shape for feature {key}.")
        dims = shapes.as_shape_tuple(feature.shape)
        if dims is None or None in dims[1:] or (dims and dims[0] is None):
            raise ValueError(
                f"First dimension of shape for feature {key} unknown. Consider using FixedLenSequenceFeature."
            )
        self.dense[key] = as_dtype(feature.dtype), dims, feature.default_value, False

    def add_sequence(self, key: str, feature: FixedLenSequenceFeature) -> None:
        if not feature.dtype:
            raise ValueError(f"Missing type for feature {key}.")
        if feature.shape is None:
            raise ValueError(f"Missing shape for feature {key}.")
        dims = shapes.as_shape_tuple(feature.shape)
        self.dense[key] = as_dtype(feature.dtype), (None, *(dims or ())), feature.default_value, feature.allow_missing

    def _sparse(self, key: str, dtype: Any) -> None:
        if self.sparse.setdefault(key, dtype) is not dtype:
            raise ValueError(f"Conflicting type {self.sparse[key].name} vs {dtype.name} for feature {key}.")

    def defaults(self) -> list[Tensor]:
        """Return the default of each dense feature; one without elements where the feature is required."""
        return [_default(key, *facts) for key, facts in self.dense.items()]

    def types(self) -> list[Any]:
        """Return the types of the dense features."""
        return [facts[0] for facts in self.dense.values()]

    def dims(self) -> list[Shape]:
        """Return the shapes of the dense features."""
        return [facts[1] for facts in self.dense.values()]

    def result(self, outputs: Any) -> dict[str, Any]:
        """Return the parsed features by key, out of the outputs of an op."""
        n = len(self.sparse)
        found: dict[str, Any] = {}
        for i, key in enumerate(self.sparse):
            found[key] = SparseTensor(outputs[i], outputs[n + i], outputs[2 * n + i])
        found.update(zip(self.dense, outputs[3 * n :], strict=True))
        return self.merge(found)

    def merge(self, found: dict[str, Any]) -> dict[str, Any]:
        """Return parsed features with sparse tensors, whose parts were parsed apart, put together."""
        inner = self._inner()
        result = {key: value for key, value in found.items() if key not in inner}
        for key, feature in self.merged.items():
            result[key] = _merged(found, feature)
        return result

    def _inner(self) -> set[str]:
        """Return the keys that were asked for only to put sparse tensors together."""
        return {k for f in self.merged.values() for k in (*_several(f.index_key), f.value_key)} - self.merged.keys()


_ADD: dict[type, Any] = {
    VarLenFeature: Asked.add_var_len,
    SparseFeature: Asked.add_sparse,
    FixedLenFeature: Asked.add_fixed,
    FixedLenSequenceFeature: Asked.add_sequence,
}
_KINDS = tuple(_ADD)


def _several(keys: Any) -> list[str]:
    return list(keys) if isinstance(keys, list | tuple) else [keys]


def _default(key: str, dtype: Any, dims: Shape, value: Any, varies: bool) -> Tensor:
    name = "key_" + "".join(c if c.isalnum() or c == "_" else "_" for c in key)
    if value is None and not varies:
        return convert_to_tensor(np.empty(0, dtype.np_dtype), dtype, name)
    if dims and dims[0] is None:
        filled = convert_to_tensor(("" if dtype is dtypes.string else 0) if value is None else value, dtype, name)
        return reshape(filled, [1] * len(dims)) if len(dims) > 1 else filled
    if not isinstance(value, Tensor):
        value = np.asarray(value, object if dtype is dtypes.string else dtype.np_dtype)
        if value.size == 1 and value.ndim != len(dims or ()):
            value = value.reshape(dims)
    return convert_to_tensor(value, dtype, name) if isinstance(value, Tensor) else reshaped(value, dtype, dims, name)


def reshaped(value: Any, dtype: Any, dims: Shape, name: str) -> Tensor:
    """Return a default as a constant of a feature's shape."""
    return convert_to_tensor(value.reshape(dims), dtype, name)


def _merged(found: dict[str, SparseTensor], feature: SparseFeature) -> SparseTensor:
    """Return the sparse tensor whose places and values were parsed apart."""
    keys, sizes = _several(feature.index_key), _several(feature.size)
    with get_default_graph().name_scope("SparseMerge"):
        values = found[feature.value_key]
        rows = values.indices[:, :-1]
        columns = [expand_dims(found[key].values, 1) for key in keys]
        places = concat([rows, *(cast(column, dtypes.int64) for column in columns)], 1)
        dims = concat([values.dense_shape[:-1], convert_to_tensor([int(s) for s in sizes], dtypes.int64)], 0)
        if not feature.already_sorted:
            places, ordered = lookup("SparseReorder")(places, values.values, dims)
            return SparseTensor(places, ordered, dims)
        return SparseTensor(places, values.values, dims)


def parse_example(serialized: Any, features: Any, name: str | None = None, example_names: Any = None) -> dict[str, Any]:
    """Parse a batch of serialized Examples.

    Args:
      serialized: a string vector.
      features: what to look for, by key: FixedLenFeature, VarLenFeature, SparseFeature or FixedLenSequenceFeature.
      example_names: a string vector, for errors.

    Returns:
      Tensors and SparseTensors by key, with a first dimension for the batch.

    Raises:
      ValueError: for features of other kinds or without a type. InvalidArgumentError: when an Example does not fit, at run time.
    """
    if not features:
        raise ValueError("Missing features.")
    asked = Asked(features, _KINDS)
    for key, feature in features.items():
        if isinstance(feature, FixedLenSequenceFeature) and not feature.allow_missing:
            raise ValueError(f"Unsupported: FixedLenSequenceFeature requires allow_missing to be True. Feature: {key}")
    with get_default_graph().name_scope(name or "ParseExample"):
        names = convert_to_tensor([] if example_names is None else example_names, dtypes.string, "names")
        node = parse_ops.parse_example_op.node(
            serialized, names, list(asked.sparse), list(asked.dense), asked.defaults(),
            sparse_types=list(asked.sparse.values()), Tdense=asked.types(), dense_shapes=asked.dims(), name="ParseExample",
            Nsparse=len(asked.sparse), Ndense=len(asked.dense),
        )  # fmt: skip
        return asked.result(node.outputs)


def parse_single_example(
    serialized: Any, features: Any, name: str | None = None, example_names: Any = None
) -> dict[str, Any]:
    """Parse one serialized Example, a string scalar; see `parse_example`. `example_names`, a string scalar, is for errors."""
    if not features:
        raise ValueError("Missing features.")
    if example_names is not None:
        return _parse_named_example(serialized, features, name, example_names)
    asked = Asked(features, _KINDS)
    with get_default_graph().name_scope(name or "ParseSingleExample"):
        node = parse_ops.parse_single_example_op.node(
            serialized, asked.defaults(), num_sparse=len(asked.sparse), sparse_keys=list(asked.sparse),
            dense_keys=list(asked.dense), sparse_types=list(asked.sparse.values()), Tdense=asked.types(),
            dense_shapes=asked.dims(), name="ParseSingleExample",
        )  # fmt: skip
        return asked.result(node.outputs)


def _parse_named_example(serialized: Any, features: Any, name: str | None, example_name: Any) -> dict[str, Any]:
    """Parse a batch of one, as only the op for batches knows names."""
    with get_default_graph().name_scope(name or "ParseSingleExample"):
        given = (convert_to_tensor(text, dtypes.string) for text in (serialized, example_name))
        text, label = (expand_dims(one, 0) for one in given)
        return {key: _first(found) for key, found in parse_example(text, features, example_names=label).items()}


def _first(batch: Any) -> Any:
    """Return the one example of a batch."""
    if isinstance(batch, SparseTensor):
        return SparseTensor(batch.indices[:, 1:], batch.values, batch.dense_shape[1:])
    return squeeze(batch, [0])


def parse_single_sequence_example(
    serialized: Any, context_features: Any = None, sequence_features: Any = None, example_name: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any]]:  # fmt: skip
    """Parse one serialized SequenceExample.

    Args:
      serialized: a string scalar.
      context_features: what to look for in the context: FixedLenFeature or VarLenFeature by key.
      sequence_features: what to look for in the lists: FixedLenSequenceFeature or VarLenFeature by key.
      example_name: a string scalar, for errors.

    Returns:
      The context's features and the lists, by key; lists have a first dimension for time.
    """
    if not (context_features or sequence_features):
        raise ValueError("Missing features.")
    context = Asked(context_features or {}, (VarLenFeature, FixedLenFeature))
    lists = Asked(sequence_features or {}, (VarLenFeature, FixedLenSequenceFeature))
    missing = [key for key, facts in lists.dense.items() if facts[3]]
    with get_default_graph().name_scope(name or "ParseSingleSequenceExample"):
        node = parse_ops.parse_single_sequence_example_op.node(
            serialized, convert_to_tensor(missing, dtypes.string), list(context.sparse), list(context.dense),
            list(lists.sparse), list(lists.dense), context.defaults(), "" if example_name is None else example_name,
            context_sparse_types=list(context.sparse.values()), Tcontext_dense=context.types(),
            context_dense_shapes=context.dims(), feature_list_sparse_types=list(lists.sparse.values()),
            feature_list_dense_types=lists.types(), feature_list_dense_shapes=[(d or ())[1:] for d in lists.dims()],
            name="ParseSingleSequenceExample", Ncontext_sparse=len(context.sparse), Ncontext_dense=len(context.dense),
            Nfeature_list_sparse=len(lists.sparse), Nfeature_list_dense=len(lists.dense),
        )  # fmt: skip
        outputs = list(node.outputs)
        count = 3 * len(context.sparse) + len(context.dense)
        return context.result(outputs[:count]), lists.result(outputs[count:])


def parse_sequence_example(
    serialized: Any, context_features: Any = None, sequence_features: Any = None, example_names: Any = None,
    name: str | None = None,
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Tensor]]:  # fmt: skip
    """Parse a batch of serialized SequenceExamples.

    Args:
      serialized: a string vector.
      context_features: what to look for in the contexts: FixedLenFeature or VarLenFeature by key.
      sequence_features: what to look for in the lists: FixedLenSequenceFeature or VarLenFeature by key.
      example_names: a string vector, for errors.

    Returns:
      The contexts' features and the lists, by key: lists have a dimension for time after the batch's, filled up to the
      longest; and how long each dense list is, int64 vectors by key.
    """
    if not (context_features or sequence_features):
        raise ValueError(
            "Both `context_features` and `sequence_features` argument are None, but at least one should have values."
        )
    context = Asked(context_features or {}, (VarLenFeature, FixedLenFeature))
    lists = Asked(sequence_features or {}, (VarLenFeature, FixedLenSequenceFeature))
    with get_default_graph().name_scope(name or "ParseSequenceExample"):
        node = sequences.parse_sequence_example_op.node(
            serialized, convert_to_tensor([] if example_names is None else example_names, dtypes.string, "debug_name"),
            context.defaults(),
            feature_list_dense_missing_assumed_empty=[key for key, facts in lists.dense.items() if facts[3]],
            context_sparse_keys=list(context.sparse), context_dense_keys=list(context.dense),
            feature_list_sparse_keys=list(lists.sparse), feature_list_dense_keys=list(lists.dense),
            Ncontext_sparse=len(context.sparse), Ncontext_dense=len(context.dense), Nfeature_list_sparse=len(lists.sparse),
            Nfeature_list_dense=len(lists.dense), context_sparse_types=list(context.sparse.values()),
            context_dense_shapes=context.dims(), feature_list_sparse_types=list(lists.sparse.values()),
            feature_list_dense_types=lists.types(), feature_list_dense_shapes=[(d or ())[1:] for d in lists.dims()],
            name="ParseSequenceExample",
        )  # fmt: skip
        outputs = list(node.outputs)
        first = 3 * len(context.sparse) + len(context.dense)
        last = len(outputs) - len(lists.dense)
        lengths = dict(zip(lists.dense, outputs[last:], strict=True))
        return context.result(outputs[:first]), lists.result(outputs[first:last]), lengths


def decode_json_example(json_examples: Any, name: str | None = None) -> Tensor:
    """Return Examples given as JSON (strings of any shape) as serialized ones."""
    made: Tensor = parse_ops.decode_json_example_op(json_examples, name=name)
    return made
