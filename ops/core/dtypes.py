"""The types of tensors' elements, with TensorFlow's names and numbers.

Every DType is a singleton whose properties are precomputed, so the core compares types with `is` and reads plain
attributes while it builds nodes. Invariant: a DType's number is TensorFlow's `DataType` enum (plus 100 for references).
"""

from __future__ import annotations

import builtins
import operator
from typing import Any

import ml_dtypes
import numpy as np

_REF_OFFSET = 100
_FLOAT, _INT, _UINT, _COMPLEX, _BOOL, _QUANTIZED, _STRING, _HANDLE = "f", "i", "u", "c", "b", "q", "s", "h"

_TABLE: tuple[tuple[int, str, Any, str], ...] = (
    (1, "float32", np.float32, _FLOAT),
    (2, "float64", np.float64, _FLOAT),
    (3, "int32", np.int32, _INT),
    (4, "uint8", np.uint8, _UINT),
    (5, "int16", np.int16, _INT),
    (6, "int8", np.int8, _INT),
    (7, "string", np.object_, _STRING),
    (8, "complex64", np.complex64, _COMPLEX),
    (9, "int64", np.int64, _INT),
    (10, "bool", np.bool_, _BOOL),
    (11, "qint8", np.dtype([("qint8", np.int8)]), _QUANTIZED),
    (12, "quint8", np.dtype([("quint8", np.uint8)]), _QUANTIZED),
    (13, "qint32", np.dtype([("qint32", np.int32)]), _QUANTIZED),
    (14, "bfloat16", ml_dtypes.bfloat16, _FLOAT),
    (15, "qint16", np.dtype([("qint16", np.int16)]), _QUANTIZED),
    (16, "quint16", np.dtype([("quint16", np.uint16)]), _QUANTIZED),
    (17, "uint16", np.uint16, _UINT),
    (18, "complex128", np.complex128, _COMPLEX),
    (19, "float16", np.float16, _FLOAT),
    (20, "resource", np.object_, _HANDLE),
    (21, "variant", np.object_, _HANDLE),
    (22, "uint32", np.uint32, _UINT),
    (23, "uint64", np.uint64, _UINT),
    (24, "float8_e5m2", ml_dtypes.float8_e5m2, _FLOAT),
    (25, "float8_e4m3fn", ml_dtypes.float8_e4m3fn, _FLOAT),
    (26, "float8_e4m3fnuz", ml_dtypes.float8_e4m3fnuz, _FLOAT),
    (27, "float8_e4m3b11fnuz", ml_dtypes.float8_e4m3b11fnuz, _FLOAT),
    (28, "float8_e5m2fnuz", ml_dtypes.float8_e5m2fnuz, _FLOAT),
    (29, "int4", ml_dtypes.int4, _INT),
    (30, "uint4", ml_dtypes.uint4, _UINT),
)
_REAL = {"complex64": 1, "complex128": 2}
_LIMITS: dict[str, tuple[Any, Any]] = {
    "bool": (False, True), "uint8": (0, 2**8 - 1), "uint16": (0, 2**16 - 1), "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1), "int8": (-(2**7), 2**7 - 1), "int16": (-(2**15), 2**15 - 1),
    "int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1), "float32": (-1, 1), "float64": (-1, 1),
}  # fmt: skip
_BY_ENUM: dict[int, DType] = {}
_finfo: Any = ml_dtypes.finfo
_iinfo: Any = ml_dtypes.iinfo


class DType:
    """The type of a tensor's elements. `DType(number)` returns the one instance with TensorFlow's number.

    `as_numpy_dtype` is NumPy's scalar type (a structured dtype for the quantised types, `object` for strings, resources
    and variants). `base_dtype` is the type without reference-ness, `real_dtype` the type of the parts of a complex one.
    """

    __slots__ = (
        "_as_ref", "_is_ref_dtype", "as_datatype_enum", "as_numpy_dtype", "base_dtype", "is_bool", "is_complex",
        "is_floating", "is_integer", "is_numpy_compatible", "is_quantized", "is_unsigned", "name",
        "np_dtype", "real_dtype", "size",
    )  # fmt: skip

    name: str
    as_datatype_enum: int
    as_numpy_dtype: Any
    np_dtype: np.dtype[Any]
    size: int
    base_dtype: DType
    real_dtype: DType
    _as_ref: DType
    _is_ref_dtype: builtins.bool
    is_floating: builtins.bool
    is_integer: builtins.bool
    is_unsigned: builtins.bool
    is_complex: builtins.bool
    is_bool: builtins.bool
    is_quantized: builtins.bool
    is_numpy_compatible: builtins.bool

    def __new__(cls, type_enum: int) -> DType:
        found = _BY_ENUM.get(operator.index(type_enum))
        if found is None:
            raise TypeError(f"type_enum is not a valid types_pb2.DataType: {type_enum!r}")
        return found

    @property
    def min(self) -> Any:
        """Return the least value the type can hold; TypeError for types without an order."""
        return self._extreme("min", "minimum")

    @property
    def max(self) -> Any:
        """Return the greatest value the type can hold; TypeError for types without an order."""
        return self._extreme("max", "maximum")

    def _extreme(self, attribute: str, word: str) -> Any:
        if self.is_floating:
            return getattr(_finfo(self.as_numpy_dtype), attribute)
        if self.is_integer:
            return int(getattr(_iinfo(self.as_numpy_dtype), attribute))
        raise TypeError(f"Cannot find {word} value of {self}.")

    @property
    def limits(self) -> tuple[Any, Any]:
        """Return the (lowest, highest) intensity of an image of this type, the lowest being no less than 0."""
        limits = _LIMITS.get(self.base_dtype.name)
        if limits is None:
            raise ValueError(f"{self} does not have defined limits.")
        return 0, limits[1]

    def is_compatible_with(self, other: Any) -> builtins.bool:
        """Tell whether a tensor of type `other` may stand where this type is expected (a reference for its value)."""
        other = as_dtype(other)
        return self is other or self is other.base_dtype

    def __eq__(self, other: object) -> builtins.bool:
        if self is other:
            return True
        if other is None or isinstance(other, DType):
            return False
        try:
            return self is as_dtype(other)
        except TypeError:
            return False

    def __hash__(self) -> int:
        return self.as_datatype_enum

    def __int__(self) -> int:
        return self.as_datatype_enum

    def __str__(self) -> str:
        return f"<dtype: {self.name!r}>"

    def __repr__(self) -> str:
        return f"tf.{self.name}"

    def __reduce__(self) -> tuple[Any, tuple[int]]:
        return DType, (self.as_datatype_enum,)


def _make(number: int, name: str, numpy_type: Any, kind: str) -> DType:
    made = object.__new__(DType)
    made.name = name
    made.as_datatype_enum = number
    made.as_numpy_dtype = numpy_type
    made.np_dtype = np.dtype(numpy_type)
    made.size = 1 if kind == _HANDLE else made.np_dtype.itemsize
    made.is_floating = kind == _FLOAT
    made.is_integer = kind in (_INT, _UINT)
    made.is_unsigned = kind == _UINT
    made.is_complex = kind == _COMPLEX
    made.is_bool = kind == _BOOL
    made.is_quantized = kind == _QUANTIZED
    made.is_numpy_compatible = kind != _HANDLE
    made._is_ref_dtype = number > _REF_OFFSET
    _BY_ENUM[number] = made
    return made


def _make_pair(number: int, name: str, numpy_type: Any, kind: str) -> DType:
    value = _make(number, name, numpy_type, kind)
    reference = _make(number + _REF_OFFSET, f"{name}_ref", numpy_type, kind)
    for made in (value, reference):
        made.base_dtype = value
        made.real_dtype = _BY_ENUM[_REAL[name]] if name in _REAL else made
        made._as_ref = reference
    return value


_VALUE_TYPES = tuple(_make_pair(*row) for row in _TABLE)
BY_NAME: dict[str, DType] = {made.name: made for made in _BY_ENUM.values()}

float32 = BY_NAME["float32"]
float64 = BY_NAME["float64"]
float16 = BY_NAME["float16"]
bfloat16 = BY_NAME["bfloat16"]
float8_e5m2 = BY_NAME["float8_e5m2"]
float8_e4m3fn = BY_NAME["float8_e4m3fn"]
float8_e4m3fnuz = BY_NAME["float8_e4m3fnuz"]
float8_e4m3b11fnuz = BY_NAME["float8_e4m3b11fnuz"]
float8_e5m2fnuz = BY_NAME["float8_e5m2fnuz"]
half = float16
double = float64
int4 = BY_NAME["int4"]
int8 = BY_NAME["int8"]
int16 = BY_NAME["int16"]
int32 = BY_NAME["int32"]
int64 = BY_NAME["int64"]
uint4 = BY_NAME["uint4"]
uint8 = BY_NAME["uint8"]
uint16 = BY_NAME["uint16"]
uint32 = BY_NAME["uint32"]
uint64 = BY_NAME["uint64"]
complex64 = BY_NAME["complex64"]
complex128 = BY_NAME["complex128"]
bool = BY_NAME["bool"]
string = BY_NAME["string"]
resource = BY_NAME["resource"]
variant = BY_NAME["variant"]
qint8 = BY_NAME["qint8"]
qint16 = BY_NAME["qint16"]
qint32 = BY_NAME["qint32"]
quint8 = BY_NAME["quint8"]
quint16 = BY_NAME["quint16"]

TF_VALUE_DTYPES = frozenset(_VALUE_TYPES)
QUANTIZED_DTYPES = frozenset(made for made in _BY_ENUM.values() if made.is_quantized)

FLOATING = (bfloat16, half, float32, float64)
INTEGERS = (int8, int16, int32, int64, uint8, uint16, uint32, uint64)
SIGNED = (int8, int16, int32, int64)
INDEX = (int32, int64)
COMPLEX = (complex64, complex128)
REAL = FLOATING + INTEGERS
NUMERIC = REAL + COMPLEX
INEXACT = FLOATING + COMPLEX

_ALIASES: dict[Any, DType] = {
    "half": float16, "float": float32, "double": float64, "half_ref": float16._as_ref, "float_ref": float32._as_ref,
    "double_ref": float64._as_ref, float: float32, builtins.bool: bool, object: string, np.longlong: int64,
    np.ulonglong: uint64, np.bytes_: string, np.str_: string,
}  # fmt: skip


def _lookup_table() -> dict[Any, DType]:
    table: dict[Any, DType] = {**BY_NAME}
    for made in _VALUE_TYPES:
        if made.is_numpy_compatible:
            table[made.as_numpy_dtype] = made
            table[made.np_dtype] = made
    return {**table, **_ALIASES}


_LOOKUP = _lookup_table()


def _search(value: Any) -> DType | None:
    if isinstance(value, np.dtype):
        return _LOOKUP.get(value.newbyteorder("=")) or _LOOKUP.get(value.type)
    if isinstance(value, int | np.integer) and not isinstance(value, builtins.bool):
        return _BY_ENUM.get(int(value))
    return None


def as_dtype(type_value: Any) -> DType:
    """Return the DType for a DType, a name, a NumPy type or dtype, `float`, `bool`, or TensorFlow's number.

    Raises:
      TypeError: when `type_value` names no type of TensorFlow's (as `int` and `str` do not).
    """
    if type_value.__class__ is DType:
        return type_value
    try:
        found = _LOOKUP.get(type_value)
    except TypeError:
        found = None
    if found is None:
        found = _search(type_value)
    if found is None:
        raise TypeError(f"Cannot convert value {type_value!r} to a TensorFlow DType.")
    return found


def np_dtype(type_value: Any) -> np.dtype[Any]:
    """Return NumPy's dtype for anything that `as_dtype` accepts."""
    return as_dtype(type_value).np_dtype
