"""Strings that hold records: lines of CSV, compressed data, and tensors as protos."""

from __future__ import annotations

import csv
import zlib
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes, protos
from ..core.convert import convert_to_tensor
from ..core.dtypes import DType
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import same_shape, scalar, unknown
from ..core.shapes import Shape
from ..core.tensor_proto import content_proto, make_ndarray
from .arrays import coded, each, invalid, strings, text


def _csv_shapes(node: Operation) -> list[Shape]:
    return [node.inputs[0].dims] * len(node.attrs["OUT_TYPE"])


def _fields(record: bytes, delimiter: str, quotes: bool) -> list[bytes]:
    line = text(record).rstrip("\r\n") if not quotes else text(record)
    if not quotes:
        return [coded(field) for field in line.split(delimiter)]
    try:
        rows = list(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise invalid(f"Invalid CSV record {line!r}: {error}") from None
    return [coded(field) for field in rows[0]] if rows else [b""]


def _field(item: bytes, dtype: DType, field: int, record: int) -> Any:
    if dtype is dtypes.string:
        return item
    try:
        found = float(item) if dtype.is_floating else int(item)
        if b"_" in item:
            raise ValueError(item)
        if not dtype.is_floating and not dtype.min <= found <= dtype.max:
            raise ValueError(item)
    except ValueError:
        raise invalid(f"Field {field} in record {record} is not a valid {dtype.name}: {text(item)}") from None
    return found


@op("DecodeCSV", types="records: string, record_defaults: [OUT_TYPE] -> output: [OUT_TYPE]", shape=_csv_shapes,
    devices="CPU", differentiable=False, defaults={"select_cols": []})  # fmt: skip
def decode_csv_op(
    xp: Namespace, records: Array, record_defaults: list[Array], *, OUT_TYPE: list[DType], field_delim: str = ",",
    use_quote_delim: bool = True, na_value: str = "", select_cols: list[int],
) -> Any:  # fmt: skip
    """Returns a column for each field of lines of CSV."""
    lines = strings(records)
    rows = [_fields(record, field_delim, use_quote_delim) for record in lines.reshape(-1).tolist()]
    columns = select_cols or range(len(OUT_TYPE))
    for number, row in enumerate(rows):
        if (not select_cols and len(row) != len(OUT_TYPE)) or max(columns, default=0) >= len(row):
            raise invalid(f"Expect {len(OUT_TYPE)} fields but have {len(row)} in record {number}")
    made = []
    for field, (column, dtype) in enumerate(zip(columns, OUT_TYPE, strict=True)):
        default = np.asarray(record_defaults[field], dtype.np_dtype).reshape(-1)
        found = np.empty(len(rows), dtype.np_dtype)
        for number, row in enumerate(rows):
            item = row[column]
            if item and item != coded(na_value):
                found[number] = _field(item, dtype, field, number)
            elif default.size:
                found[number] = default[0]
            else:
                raise invalid(f"Field {field} is required but missing in record {number}!")
        made.append(found.reshape(lines.shape))
    return made if len(made) != 1 else made[0]


def decode_csv(
    records: Any, record_defaults: Any, field_delim: str = ",", use_quote_delim: bool = True, name: str | None = None,
    na_value: str = "", select_cols: list[int] | None = None,
) -> list[Tensor]:  # fmt: skip
    """Return a tensor of the records' shape for each field of lines of CSV.

    Args:
      records: strings, a line each.
      record_defaults: for each field what an empty one counts as, which tells its type: a scalar or a list of one; an empty
        list or tensor where the field must be there.
      field_delim: between fields.
      use_quote_delim: whether double quotes hold a field together.
      na_value: a text that counts as empty.
      select_cols: which columns to take, rising; all of them for None.
    """
    defaults = [convert_to_tensor(default) for default in record_defaults]
    if select_cols is not None and (any(c < 0 for c in select_cols) or sorted(set(select_cols)) != list(select_cols)):
        raise ValueError("select_cols is not strictly increasing.")
    if select_cols is not None and len(select_cols) != len(defaults):
        raise ValueError("Length of select_cols and record_defaults do not match.")
    found: list[Tensor] = decode_csv_op(
        records, defaults, field_delim=field_delim, use_quote_delim=use_quote_delim, na_value=na_value,
        select_cols=select_cols or [], name=name,
    )  # fmt: skip
    return found


_WINDOWS = {"": None, "ZLIB": zlib.MAX_WBITS, "GZIP": zlib.MAX_WBITS | 16}


@op("DecodeCompressed", types="bytes: string -> output: string", shape=same_shape, devices="CPU", differentiable=False)
def decode_compressed_op(xp: Namespace, bytes: Array, *, compression_type: str = "") -> Array:
    """Returns strings unpacked."""
    window = _WINDOWS[compression_type]
    if window is None:
        return strings(bytes).copy()

    def unpacked(item: Any) -> Any:
        try:
            return zlib.decompress(item, window)
        except zlib.error as error:
            raise invalid(f"Cannot unpack {compression_type} data: {error}") from None

    return each(unpacked, strings(bytes))


def decode_compressed(bytes: Any, compression_type: str = "", name: str | None = None) -> Tensor:
    """Return strings unpacked; `compression_type` is "ZLIB", "GZIP" or "" for none."""
    if compression_type not in _WINDOWS:
        raise ValueError(f"Only ZLIB, GZIP or NONE are supported compressions, got {compression_type!r}")
    return decode_compressed_op(bytes, compression_type=compression_type, name=name)  # type: ignore[no-any-return]


@op("SerializeTensor", types="tensor: T -> serialized: string", shape=scalar, devices="CPU", differentiable=False)
def serialize_tensor_op(xp: Namespace, tensor: Array, *, T: DType) -> Array:
    """Returns a tensor as a TensorProto in a string."""
    return np.asarray(content_proto(np.asarray(tensor), T).SerializeToString(), object)


@op("ParseTensor", types="serialized: string -> output: out_type", shape=unknown, devices="CPU", differentiable=False)
def parse_tensor_op(xp: Namespace, serialized: Array, *, out_type: DType) -> Array:
    """Returns the tensor of a TensorProto in a string."""
    try:
        proto = protos.TensorProto.FromString(strings(serialized).item())
    except Exception:
        raise invalid("Could not parse `serialized` as TensorProto.") from None
    if dtypes.as_dtype(proto.dtype) is not out_type:
        found = dtypes.as_dtype(proto.dtype).name
        raise invalid(f"Type mismatch between parsed tensor ({found}) and dtype ({out_type.name})")
    return np.asarray(make_ndarray(proto), out_type.np_dtype)


def serialize_tensor(tensor: Any, name: str | None = None) -> Tensor:
    """Return a tensor as a TensorProto in a string, ()."""
    return serialize_tensor_op(tensor, name=name)  # type: ignore[no-any-return]


def parse_tensor(serialized: Any, out_type: Any, name: str | None = None) -> Tensor:
    """Return the tensor, of type `out_type`, of a TensorProto in a string."""
    return parse_tensor_op(serialized, out_type=out_type, name=name)  # type: ignore[no-any-return]
