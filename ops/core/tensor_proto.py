"""Values as arrays and as TensorProtos: TensorFlow's rules from Python values to dtypes, and its compressed forms.

Strings are object arrays of bytes. Reading takes every form that TensorFlow writes; writing uses `tensor_content`, or a single
repeated value where all elements are equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from . import dtypes, protos, shapes
from .dtypes import DType, as_dtype
from .shapes import as_shape_tuple

_PYTHON_KINDS = {bool: "bool", int: "int", float: "float", complex: "complex", str: "string", bytes: "string"}
_DEFAULTS = {"bool": dtypes.bool, "int": dtypes.int32, "float": dtypes.float32, "complex": dtypes.complex128, "string": dtypes.string}


def to_array(values: Any, dtype: DType | None = None, shape: Any = None, verify_shape: bool = False) -> Any:
    """Return `values` as a fresh ndarray of the dtype that it has as a tensor.

    Raises:
      TypeError: when the value has no tensor type, or another than `dtype`. ValueError: when it does not fit `shape`.
    """
    if values is None:
        raise ValueError("None values not supported.")
    array = _as_ndarray(values, dtype)
    found = dtype or as_dtype(array.dtype)
    array = _cast(array, found, values)
    return array if shape is None else _fit(array, as_shape_tuple(shape), verify_shape)


def _as_ndarray(values: Any, dtype: DType | None) -> Any:
    if isinstance(values, np.ndarray | np.generic):
        return np.asarray(values)
    if isinstance(values, str | bytes):
        return np.array(_as_bytes(values), object)
    leaf = next(_leaves(values), None)
    if isinstance(values, list | tuple) and not isinstance(leaf, np.generic | np.ndarray) and leaf is not None:
        _check_rectangle(values)
    kind = _kind_of_leaves(values)
    if dtype is not None and kind is not None:
        _check_kind(values, kind, dtype)
    if kind == "string":
        return _bytes_array(values)
    if kind is not None and dtype is None:
        return _default_array(values, kind)
    try:
        array = np.array(values, None if dtype is None or dtype is dtypes.string or leaf is None else dtype.as_numpy_dtype)
    except OverflowError:
        raise TypeError(f"Expected {dtype.name if dtype else 'int32'}, but got {values!r}, which is out of its range.") from None
    except (TypeError, ValueError):
        raise TypeError(f"Failed to convert object of type {type(values)} to Tensor. Contents: {values}. Consider casting elements to a supported type.") from None
    if leaf is None and dtype is None:
        array = array.astype(np.float32)
    if array.dtype == object:
        raise TypeError(f"Failed to convert object of type {type(values)} to Tensor. Contents: {values}. Consider casting elements to a supported type.")
    return array


def _leaves(values: Any) -> Iterator[Any]:
    if isinstance(values, list | tuple):
        for value in values:
            yield from _leaves(value)
    else:
        yield values


def _kind_of_leaves(values: Any) -> str | None:
    """Return the widest Python kind among the leaves, or None when some leaf is no Python scalar."""
    order = ("bool", "int", "float", "complex", "string")
    widest = -1
    for leaf in _leaves(values):
        kind = _PYTHON_KINDS.get(type(leaf))
        if kind is None:
            return None
        widest = max(widest, order.index(kind))
    return order[widest] if widest >= 0 else None


_ACCEPTS = {
    "bool": lambda d: d.is_bool,
    "int": lambda d: d.is_integer or d.is_floating or d.is_complex or d.is_quantized,
    "float": lambda d: d.is_floating or d.is_complex,
    "complex": lambda d: d.is_complex,
    "string": lambda d: d is dtypes.string,
}


def _check_kind(values: Any, kind: str, dtype: DType) -> None:
    for leaf in _leaves(values):
        leaf_kind = _PYTHON_KINDS[type(leaf)]
        if not _ACCEPTS[leaf_kind](dtype):
            raise TypeError(f"Expected {dtype.name}, got {leaf!r} of type '{type(leaf).__name__}' instead.")


def _default_array(values: Any, kind: str) -> Any:
    leaves = {_PYTHON_KINDS[type(leaf)] for leaf in _leaves(values)}
    if "bool" in leaves and len(leaves) > 1:
        odd = next(leaf for leaf in _leaves(values) if not isinstance(leaf, bool))
        raise TypeError(f"Expected bool, got {odd!r} of type '{type(odd).__name__}' instead.")
    try:
        return np.array(values, _DEFAULTS[kind].as_numpy_dtype)
    except OverflowError:
        raise ValueError(f"Attempt to convert a value ({values!r}) with an unsupported size to a Tensor: it does not fit int32; pass dtype=tf.int64") from None


def _check_rectangle(values: Any) -> None:
    def dims(value: Any) -> tuple[int, ...]:
        if not isinstance(value, list | tuple):
            return ()
        inner = [dims(v) for v in value]
        if inner and any(d != inner[0] for d in inner):
            raise ValueError(f"Argument must be a dense tensor: {values!r} - got lists of different lengths or depths")
        return (len(value), *(inner[0] if inner else ()))

    dims(values)


def _as_bytes(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return bytes(value)
    raise TypeError(f"Expected string, got {value!r} of type '{type(value).__name__}' instead.")


def _bytes_array(values: Any) -> Any:
    array = np.array(values, object)
    flat = np.empty(array.size, object)
    for i, item in enumerate(array.ravel()):
        flat[i] = _as_bytes(item)
    return flat.reshape(array.shape)


def _cast(array: Any, dtype: DType, values: Any) -> Any:
    if dtype is dtypes.string:
        if array.dtype.kind not in "OSU":
            raise TypeError(f"Expected string, got {values!r} of type '{array.dtype}' instead.")
        return _bytes_array(array)
    if array.dtype == dtype.np_dtype:
        return array.copy() if isinstance(values, np.ndarray) else array
    if array.dtype.kind == "f" and (dtype.is_integer or dtype.is_bool) and array.size:
        raise TypeError(f"Expected {dtype.name}, got {values!r} of type '{array.dtype}' instead.")
    return array.astype(dtype.as_numpy_dtype)


def _fit(array: Any, shape: shapes.Shape, verify: bool) -> Any:
    if not shapes.is_static(shape):
        raise ValueError(f"A constant needs a fully known shape, got {shapes.format_shape(shape)}")
    assert shape is not None
    if verify and array.shape != shape:
        raise TypeError(f"Expected Tensor's shape: {shape}, got {array.shape}.")
    size = shapes.num_elements(shape)
    assert size is not None
    if array.size > size:
        raise ValueError(f"Too many elements provided. Needed at most {size}, but received {array.size}")
    if array.size < size:
        if array.size == 0:
            raise ValueError(f"Cannot create a tensor of shape {shape} from no elements")
        flat = array.ravel()
        array = np.concatenate([flat, np.full(size - flat.size, flat[-1], array.dtype)])
    return array.reshape(shape)


_FIELDS = {
    "float32": "float_val", "float64": "double_val", "int32": "int_val", "uint8": "int_val", "int16": "int_val", "int8": "int_val",
    "string": "string_val", "complex64": "scomplex_val", "int64": "int64_val", "bool": "bool_val", "qint8": "int_val",
    "quint8": "int_val", "qint32": "int_val", "bfloat16": "half_val", "qint16": "int_val", "quint16": "int_val",
    "uint16": "int_val", "complex128": "dcomplex_val", "float16": "half_val", "uint32": "uint32_val", "uint64": "uint64_val",
}  # fmt: skip


def make_tensor_proto(values: Any, dtype: Any = None, shape: Any = None, verify_shape: bool = False) -> Any:
    """Return `values` as a TensorProto."""
    if isinstance(values, protos.TensorProto):
        return values
    wanted = None if dtype is None else as_dtype(dtype).base_dtype
    array = to_array(values, wanted, shape, verify_shape)
    found = wanted or as_dtype(array.dtype)
    message = protos.TensorProto(dtype=found.as_datatype_enum)
    message.tensor_shape.SetInParent()
    for dim in array.shape:
        message.tensor_shape.dim.add(size=dim)
    if found is dtypes.string:
        message.string_val.extend(array.ravel().tolist())
    elif array.size == 1 and found.name in _FIELDS and not found.is_complex:
        _write_scalar(message, array, found)
    else:
        message.tensor_content = np.ascontiguousarray(array).tobytes()
    return message


def _write_scalar(message: Any, array: Any, dtype: DType) -> None:
    field = _FIELDS[dtype.name]
    if field == "half_val":
        message.half_val.append(int(array.reshape(()).view(np.uint16)))
    else:
        getattr(message, field).append(array.reshape(()).item())


def make_ndarray(message: Any) -> Any:
    """Return the ndarray that a TensorProto holds.

    Raises:
      TypeError: for dtypes without an array form. ValueError: when the values do not fill the shape.
    """
    dtype = as_dtype(message.dtype)
    dims = tuple(d.size for d in message.tensor_shape.dim)
    size = int(np.prod(dims, dtype=np.int64))
    if message.tensor_content:
        array = np.frombuffer(message.tensor_content, dtype.np_dtype)
        if array.size != size:
            raise ValueError(f"TensorProto of shape {dims} holds {array.size} elements")
        return array.reshape(dims).copy()
    values = _read_values(message, dtype)
    if values.size > size:
        raise ValueError(f"TensorProto of shape {dims} holds {values.size} elements")
    if values.size < size:
        filler = values[-1] if values.size else (b"" if dtype is dtypes.string else dtype.np_dtype.type(0))
        rest = np.empty(size - values.size, dtype.np_dtype)
        rest[:] = filler
        values = np.concatenate([values, rest])
    return values.reshape(dims)


def _read_values(message: Any, dtype: DType) -> Any:
    field = _FIELDS.get(dtype.name)
    if field is None:
        raise TypeError(f"Unsupported tensor type: {dtype.name}")
    values = list(getattr(message, field))
    if field == "half_val":
        return np.array(values, np.uint16).view(dtype.np_dtype)
    if dtype.is_complex:
        return (np.array(values[::2]) + 1j * np.array(values[1::2])).astype(dtype.np_dtype)
    array = np.empty(len(values), dtype.np_dtype)
    array[:] = values
    return array
