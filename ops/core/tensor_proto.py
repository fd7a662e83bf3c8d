"""Tensors as TensorFlow's TensorProto messages, both ways.

A TensorProto holds either raw bytes (`tensor_content`) or a list of values for its dtype, which may be shorter than the
tensor: the last value then stands for all that are missing. Reading takes every such form; invariant: writing gives the
very bytes that TensorFlow gives, so graphs compare equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import dtypes, protos
from .dtypes import DType, as_dtype
from .values import check_fit, convert, fill, static_shape

_INT_TYPES = "int32 int16 int8 uint8 uint16 int4 uint4 qint8 qint16 qint32 quint8 quint16"
_FIELDS = {
    "float32": "float_val", "float64": "double_val", "int64": "int64_val", "bool": "bool_val", "string": "string_val",
    "uint32": "uint32_val", "uint64": "uint64_val", "complex64": "scomplex_val", "complex128": "dcomplex_val",
    "float16": "half_val", "bfloat16": "half_val", **dict.fromkeys(_INT_TYPES.split(), "int_val"),
    **{name: "float8_val" for name in dtypes.BY_NAME if name.startswith("float8") and not name.endswith("_ref")},
}  # fmt: skip
# TensorFlow writes several elements of these types as raw bytes, and of the others one by one.
_RAW_TYPES = frozenset({
    "float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint32", "uint64",
    "qint8", "qint16", "qint32", "quint8", "quint16",
})  # fmt: skip
_LARGEST = 2**31


def make_tensor_proto(
    values: Any, dtype: Any = None, shape: Any = None, verify_shape: bool = False, allow_broadcast: bool = False
) -> Any:
    """Return `values` as a TensorProto.

    Args:
      values: a Python or NumPy value, nested lists of them, or a TensorProto (returned as it is).
      dtype: its dtype; found from the values when None.
      shape: a shape to lay the values out in; missing ones repeat the last.
      verify_shape: refuse values of another shape than `shape`.
      allow_broadcast: as `verify_shape`, but let a scalar fill any shape.

    Raises:
      TypeError: when the values suit no dtype, or not `dtype`, or have another shape than they must.
      ValueError: when there are more values than `shape` has room for, or more than 2 GB of them.
    """
    if allow_broadcast and verify_shape:
        raise ValueError("allow_broadcast and verify_shape are not both allowed.")
    if isinstance(values, protos.TensorProto):
        return values
    wanted = None if dtype is None else as_dtype(dtype).base_dtype
    array = convert(values, wanted)
    found = wanted or as_dtype(array.dtype)
    dims = array.shape if shape is None else static_shape(shape)
    check_fit(array, dims, verify_shape or (allow_broadcast and array.size != 1))
    message = protos.TensorProto(dtype=found.as_datatype_enum)
    message.tensor_shape.SetInParent()
    for dim in dims:
        message.tensor_shape.dim.add(size=dim)
    _write(message, array, found, array.size == np.prod(dims, dtype=np.int64))
    return message


def content_proto(array: Any, dtype: DType) -> Any:
    """Return an array as the TensorProto that TensorFlow's kernels write: raw bytes for one element, too."""
    message = make_tensor_proto(array, dtype)
    if array.size and dtype.np_dtype.kind != "O" and not message.tensor_content:
        message.ClearField(_field(dtype))
        message.tensor_content = array.tobytes()
    return message


def _write(message: Any, array: Any, dtype: DType, complete: bool) -> None:
    if complete and array.size > 1 and dtype.name in _RAW_TYPES:
        if array.nbytes >= _LARGEST:
            raise ValueError("Cannot create a tensor proto whose content is larger than 2GB.")
        message.tensor_content = array.tobytes()
        return
    field = _field(dtype)
    stored = _stored(array.reshape(-1), dtype, field)
    if field == "float8_val":
        message.float8_val = stored.tobytes()
    else:
        getattr(message, field).extend(stored.tolist())


def _field(dtype: DType) -> str:
    field = _FIELDS.get(dtype.name)
    if field is None:
        raise TypeError(f"Unsupported tensor type: {dtype.name}")
    return field


def _stored(flat: Any, dtype: DType, field: str) -> Any:
    """Return the elements as they stand in the message's list: bits for short floats, pairs for complex numbers."""
    if field == "half_val":
        return flat.view(np.uint16)
    if dtype.is_complex:
        return flat.view(dtype.real_dtype.np_dtype)
    if dtype.is_quantized:
        return flat.view(dtype.np_dtype[0])
    return flat.astype(np.int32) if field == "int_val" else flat


def joined_strings(items: list[bytes]) -> bytes:
    """Return strings as the content of a TensorProto: all their lengths, then all of them."""
    return b"".join([*map(_varint, map(len, items)), *items])


def _varint(number: int) -> bytes:
    low, rest = number & 127, number >> 7
    return bytes([low | 128]) + _varint(rest) if rest else bytes([low])


def split_strings(content: bytes, count: int) -> Any:
    """Return the strings that the content of a TensorProto holds.

    Raises:
      ValueError: where it does not hold so many.
    """
    lengths, place = [], 0
    try:
        for _ in range(count):
            number = shift = 0
            while True:
                byte, place = content[place], place + 1
                number |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            lengths.append(number)
    except IndexError:
        lengths = [-1]
    if place + sum(lengths) != len(content):
        raise ValueError(f"TensorProto of {count} strings has {len(content)} bytes of content.")
    ends = np.cumsum(lengths, dtype=np.int64) + place
    made = np.empty(count, object)
    made[:] = [content[end - length : end] for end, length in zip(ends.tolist(), lengths, strict=True)]
    return made


def make_ndarray(tensor: Any) -> Any:
    """Return the ndarray that a TensorProto holds, writable and its own; strings as an object array of bytes.

    Raises:
      TypeError: for dtypes that no array has. ValueError: when the values do not fit the shape.
    """
    dtype = as_dtype(tensor.dtype).base_dtype
    field = _field(dtype)
    dims = static_shape(tensor.tensor_shape)
    if not tensor.tensor_content:
        return fill(_read_list(tensor, dtype, field), dims)
    if dtype is dtypes.string:
        return fill(split_strings(tensor.tensor_content, int(np.prod(dims, dtype=np.int64))), dims)
    if len(tensor.tensor_content) != dtype.size * np.prod(dims, dtype=np.int64):
        raise ValueError(f"TensorProto of {dtype.name} {dims} has {len(tensor.tensor_content)} bytes of content.")
    return np.frombuffer(tensor.tensor_content, dtype.np_dtype.newbyteorder("<")).astype(dtype.np_dtype).reshape(dims)


def _read_list(tensor: Any, dtype: DType, field: str) -> Any:
    stored = getattr(tensor, field)
    if field == "float8_val":
        return np.frombuffer(stored, dtype.np_dtype)
    if field == "half_val":
        return np.array(stored, np.uint16).view(dtype.np_dtype)
    if dtype.is_complex:
        return np.array(stored, dtype.real_dtype.np_dtype).view(dtype.np_dtype)
    if dtype.is_quantized:
        return np.array(stored, np.int32).astype(dtype.np_dtype[0]).view(dtype.np_dtype)
    if field == "int_val":
        return np.array(stored, np.int32).astype(dtype.np_dtype)
    return np.array(stored, dtype.np_dtype)
