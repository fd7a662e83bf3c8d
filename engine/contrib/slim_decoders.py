"""`tf.contrib.slim.tfexample_decoder`: from serialised Examples to items such as an image, its label, its boxes.

A decoder parses the features; handlers make an item each of those that they name by `keys`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ...ops.array import concat, expand_dims, reshape, transpose
from ...ops.array import shape as shape_of
from ...ops.core import dtypes
from ...ops.core.convert import convert_to_tensor
from ...ops.core.node import Tensor as Node
from ...ops.core.sparse_tensor import SparseTensor as Sparse
from ...ops.data import FixedLenFeature, parse_single_example, parse_single_sequence_example
from ...ops.flow import case, cond, map_fn
from ...ops.image import decode_image, decode_jpeg
from ...ops.math import cast, equal, logical_or, reduce_prod
from ...ops.sparse import sparse_reshape, sparse_tensor_to_dense
from ...ops.strings import decode_raw

_JPEGS = ("jpeg", "jpg", "JPEG", "JPG")
_RAW = ("raw", "RAW")


def dense(value: Any, default: Any = 0) -> Node:
    """Return a tensor's values as a dense one."""
    return sparse_tensor_to_dense(value, default_value=default) if isinstance(value, Sparse) else value


class ItemHandler:
    """Base class of what makes an item of features: `keys` names those, `tensors_to_item` takes them by name."""

    def __init__(self, keys: Any) -> None:
        self._keys = list(keys) if isinstance(keys, list | tuple) else [keys]

    @property
    def keys(self) -> list[str]:
        """The features that are read."""
        return self._keys

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        """Return the item."""
        raise NotImplementedError(type(self).__name__)


class ItemHandlerCallback(ItemHandler):
    """Makes an item by a function of the features by name."""

    def __init__(self, keys: Any, func: Callable[[dict[str, Any]], Any]) -> None:
        super().__init__(keys)
        self._func = func

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        """Return what the function returns."""
        return self._func(keys_to_tensors)


class BoundingBox(ItemHandler):
    """Makes boxes, float32 (boxes, 4), of a feature for each side, whose names follow `prefix`."""

    def __init__(self, keys: Any = None, prefix: str = "") -> None:
        sides = ["ymin", "xmin", "ymax", "xmax"] if keys is None else list(keys)
        if len(sides) != 4:
            raise ValueError(f"BoundingBox expects 4 keys but got {len(sides)}")
        super().__init__([prefix + side for side in sides])

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Node:
        """Return the boxes."""
        sides = [keys_to_tensors[key] for key in self.keys]
        rows = [expand_dims(side.values if isinstance(side, Sparse) else side, 0) for side in sides]
        return transpose(concat(rows, 0))


class Tensor(ItemHandler):
    """Makes a dense tensor of a feature.

    Args:
      shape_keys: the features that have its shape; or shape: the shape itself.
      default_value: what a sparse feature has where it has nothing.
    """

    def __init__(self, tensor_key: str, shape_keys: Any = None, shape: Any = None, default_value: Any = 0) -> None:
        if shape_keys is not None and shape is not None:
            raise ValueError("Cannot specify both shape_keys and shape parameters.")
        shape_keys = [shape_keys] if isinstance(shape_keys, str) else list(shape_keys or ())
        super().__init__([tensor_key, *shape_keys])
        self._tensor_key, self._shape_keys, self._shape, self._default = tensor_key, shape_keys, shape, default_value

    def _dims(self, keys_to_tensors: dict[str, Any]) -> Any:
        if not self._shape_keys:
            return self._shape
        parts = [dense(keys_to_tensors[key]) for key in self._shape_keys]
        return concat([reshape(cast(part, dtypes.int64), [-1]) for part in parts], 0)

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        """Return the tensor."""
        found, dims = keys_to_tensors[self._tensor_key], self._dims(keys_to_tensors)
        if isinstance(found, Sparse):
            return dense(found if dims is None else sparse_reshape(found, dims), self._default)
        return found if dims is None else reshape(found, dims)


class LookupTensor(Tensor):
    """Makes of a feature what a table has for its values."""

    def __init__(
        self, tensor_key: str, table: Any, shape_keys: Any = None, shape: Any = None, default_value: Any = ""
    ) -> None:
        super().__init__(tensor_key, shape_keys, shape, default_value)
        self._table = table

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        """Return the table's values."""
        return self._table.lookup(super().tensors_to_item(keys_to_tensors))


class BackupHandler(ItemHandler):
    """Makes an item by one handler, and by another where the first one's has no elements."""

    def __init__(self, handler: ItemHandler, backup: ItemHandler) -> None:
        for given in (handler, backup):
            if not isinstance(given, ItemHandler):
                raise ValueError(f"Handler is of type {type(given)} instead of ItemHandler")
        super().__init__([*handler.keys, *backup.keys])
        self._handler, self._backup = handler, backup

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        """Return the item."""
        item = self._handler.tensors_to_item(keys_to_tensors)
        sizes = item.dense_shape if isinstance(item, Sparse) else shape_of(item)
        return cond(
            equal(reduce_prod(sizes), 0),
            lambda: self._backup.tensors_to_item(keys_to_tensors),
            lambda: item,
        )


class SparseTensor(ItemHandler):
    """Makes a sparse tensor, or with `densify` a dense one, of features with its indices and its values.

    Args:
      shape_key: the feature with its shape; or shape: the shape itself.
    """

    def __init__(
        self, indices_key: str | None = None, values_key: str | None = None, shape_key: str | None = None, shape: Any = None,
        densify: bool = False, default_value: Any = 0,
    ) -> None:  # fmt: skip
        self._indices, self._values = indices_key or "indices", values_key or "values"
        super().__init__([self._indices, self._values, *([shape_key] if shape_key else [])])
        self._shape_key, self._shape, self._densify, self._default = shape_key, shape, densify, default_value

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        """Return the tensor."""
        indices, values = keys_to_tensors[self._indices], keys_to_tensors[self._values]
        dims = self._shape
        if self._shape_key:
            dims = keys_to_tensors[self._shape_key]
            dims = dims.values if isinstance(dims, Sparse) else dims
        places = indices.values if isinstance(indices, Sparse) else indices
        dims = convert_to_tensor(dims, None if isinstance(dims, Node) else dtypes.int64)
        made = Sparse(
            reshape(places, [-1, dims.shape[0].value or 1]), values.values if isinstance(values, Sparse) else values,
            cast(dims, dtypes.int64),
        )  # fmt: skip
        return dense(made, self._default) if self._densify else made


class Image(ItemHandler):
    """Makes pixels (height, width, channels) of a feature with a file, or raw bytes, and one that names the format.

    Args:
      image_key, format_key: "image/encoded" and "image/format" by default.
      shape: of the pixels; needed for raw bytes. channels: how many. dtype: uint8, uint16 for PNGs, any for raw bytes.
      repeated: whether the feature holds several files; the item has a dimension more then.
      dct_method: of JPEGs, "INTEGER_FAST" or "INTEGER_ACCURATE".
    """

    def __init__(
        self, image_key: str | None = None, format_key: str | None = None, shape: Any = None, channels: int = 3,
        dtype: Any = dtypes.uint8, repeated: bool = False, dct_method: str = "",
    ) -> None:  # fmt: skip
        self._image, self._format = image_key or "image/encoded", format_key or "image/format"
        super().__init__([self._image, self._format])
        self._shape, self._channels, self._dtype = shape, channels, dtypes.as_dtype(dtype)
        self._repeated, self._dct = repeated, dct_method

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Node:
        """Return the pixels."""
        content, kind = dense(keys_to_tensors[self._image], ""), dense(keys_to_tensors[self._format], "")
        if not self._repeated:
            return self._decoded(content, kind)
        return map_fn(lambda one: self._decoded(one, kind), content, dtype=self._dtype)  # type: ignore[no-any-return]

    def _decoded(self, content: Node, kind: Node) -> Node:
        content = reshape(content, [])
        kinds = {self._raw: _RAW} | ({self._jpeg: _JPEGS} if self._dtype is dtypes.uint8 else {})
        pairs = [(_is_one_of(kind, names), _later(decode, content)) for decode, names in kinds.items()]
        pixels: Node = case(pairs, default=_later(self._file, content), exclusive=True)
        pixels.set_shape([None, None, self._channels])
        return pixels if self._shape is None else reshape(pixels, self._shape)

    def _file(self, content: Node) -> Node:
        return decode_image(content, channels=self._channels, dtype=self._dtype)

    def _jpeg(self, content: Node) -> Node:
        pixels: Node = decode_jpeg(content, channels=self._channels, dct_method=self._dct)
        return pixels

    def _raw(self, content: Node) -> Node:
        pixels: Node = decode_raw(content, self._dtype)
        return pixels if self._shape is None else reshape(pixels, self._shape)


def _later(function: Callable[[Node], Node], content: Node) -> Callable[[], Node]:
    return lambda: function(content)


def _is_one_of(kind: Node, names: Iterable[str]) -> Node:
    first, *rest = (equal(reshape(kind, []), name) for name in names)
    for other in rest:
        first = logical_or(first, other)
    return first


class DataDecoder:
    """Base class of what makes items of data: `list_items()` names them, `decode(data, items)` makes them."""

    def decode(self, data: Any, items: Any) -> list[Any]:
        """Return the items, in the order in which they are named."""
        raise NotImplementedError(type(self).__name__)

    def list_items(self) -> list[str]:
        """Return the names of the items."""
        raise NotImplementedError(type(self).__name__)


class TFExampleDecoder(DataDecoder):
    """Makes items of a serialised Example.

    Args:
      keys_to_features: what to parse, as for `tf.parse_single_example`.
      items_to_handlers: the handler of each item.
    """

    def __init__(self, keys_to_features: dict[str, Any], items_to_handlers: dict[str, ItemHandler]) -> None:
        self._features, self._handlers = keys_to_features, items_to_handlers

    def list_items(self) -> list[str]:
        """Return the names of the items."""
        return list(self._handlers)

    def decode(self, serialized_example: Any, items: Any = None) -> list[Any]:
        """Return the items that are named, all by default."""
        parsed = dict(parse_single_example(serialized_example, self._features))
        for key in sorted(self._features):
            feature = self._features[key]
            if isinstance(feature, FixedLenFeature):
                parsed[key] = reshape(parsed[key], feature.shape)
        return _items(self._handlers, parsed, items)


class TFSequenceExampleDecoder(DataDecoder):
    """Makes items of a serialised SequenceExample.

    Args:
      keys_to_context_features, keys_to_sequence_features: what to parse, as for `tf.parse_single_sequence_example`.
      items_to_handlers: the handler of each item.

    Raises:
      ValueError: when a context feature and one of the sequences have one name.
    """

    def __init__(
        self, keys_to_context_features: dict[str, Any], keys_to_sequence_features: dict[str, Any],
        items_to_handlers: dict[str, ItemHandler],
    ) -> None:  # fmt: skip
        twice = set(keys_to_context_features) & set(keys_to_sequence_features)
        if twice:
            raise ValueError(f"Context features and sequence features have common keys: {sorted(twice)}")
        self._context, self._sequence, self._handlers = (
            keys_to_context_features,
            keys_to_sequence_features,
            items_to_handlers,
        )

    def list_items(self) -> list[str]:
        """Return the names of the items."""
        return list(self._handlers)

    def decode(self, serialized_example: Any, items: Any = None) -> list[Any]:
        """Return the items that are named, all by default."""
        context, sequences = parse_single_sequence_example(serialized_example, self._context, self._sequence)
        return _items(self._handlers, {**context, **sequences}, items)


def _items(handlers: dict[str, ItemHandler], parsed: dict[str, Any], items: Any) -> list[Any]:
    chosen = [handlers[item] for item in items or handlers]
    return [handler.tensors_to_item({key: parsed[key] for key in handler.keys}) for handler in chosen]


__all__ = [
    "BackupHandler", "BoundingBox", "Image", "ItemHandler", "ItemHandlerCallback", "LookupTensor", "SparseTensor",
    "TFExampleDecoder", "TFSequenceExampleDecoder", "Tensor",
]  # fmt: skip
