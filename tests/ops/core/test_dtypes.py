"""DType: TensorFlow's numbers, names and properties, and everything that stands for one."""

import copy
import pickle

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millstream.ops.core import dtypes
from support import core_values

FACTS = (
    "is_floating", "is_integer", "is_complex", "is_bool", "is_quantized", "is_unsigned", "is_numpy_compatible",
    "_is_ref_dtype",
)  # fmt: skip
ALL = sorted(dtypes.BY_NAME.values(), key=int)
every_dtype = pytest.mark.parametrize("dtype", ALL, ids=lambda dtype: dtype.name)


@every_dtype
def test_facts_are_tensorflows(dtype):
    found = [int(dtype), dtype.base_dtype.name, dtype.real_dtype.name, *(getattr(dtype, fact) for fact in FACTS)]
    assert found == core_values.GOLDEN["facts"][dtype.name]


@pytest.mark.parametrize(("case", "name"), core_values.cases("as_dtype", errors=False))
def test_as_dtype(case, name):
    assert dtypes.as_dtype(core_values.evaluate(case)) is dtypes.BY_NAME[name]


@pytest.mark.parametrize(("case", "_"), core_values.cases("as_dtype", errors=True))
def test_as_dtype_refuses(case, _):
    value = core_values.evaluate(case)
    with pytest.raises(TypeError) as raised:
        dtypes.as_dtype(value)
    assert str(raised.value) == f"Cannot convert value {value!r} to a TensorFlow DType."


@pytest.mark.parametrize("value", [np.float32(3.0), True, np.array([1])])
def test_values_are_no_dtypes(value):
    with pytest.raises(TypeError, match="Cannot convert value"):
        dtypes.as_dtype(value)


@every_dtype
def test_one_instance_each(dtype):
    again = (
        dtypes.DType(dtype.as_datatype_enum), dtypes.as_dtype(dtype.name), dtypes.as_dtype(int(dtype)),
        copy.deepcopy(dtype), pickle.loads(pickle.dumps(dtype)),
    )  # fmt: skip
    assert all(found is dtype for found in again)


@every_dtype
def test_references(dtype):
    reference = dtype._as_ref
    assert reference.base_dtype is dtype.base_dtype
    assert reference._as_ref is reference
    assert reference.as_numpy_dtype is dtype.as_numpy_dtype
    assert dtype.base_dtype.is_compatible_with(reference)
    assert not reference.is_compatible_with(dtype.base_dtype)


@every_dtype
def test_words(dtype):
    assert repr(dtype) == f"tf.{dtype.name}"
    assert str(dtype) == f"<dtype: '{dtype.name}'>"


@pytest.mark.parametrize("dtype", [d for d in ALL if d.is_numpy_compatible and not d._is_ref_dtype], ids=str)
def test_equals_what_stands_for_it(dtype):
    for other in (dtype.name, dtype.np_dtype, dtype.as_numpy_dtype, int(dtype)):
        assert dtype == other and other == dtype
    assert dtypes.np_dtype(dtype) == dtype.as_numpy_dtype


@pytest.mark.parametrize("other", [None, "foo", 3.5, [], dtypes.int64, np.int64, dtypes.int32._as_ref])
def test_differs_from_everything_else(other):
    assert dtypes.int32 != other


@given(st.sampled_from(ALL), st.sampled_from(ALL))
def test_equal_ones_hash_alike(a, b):
    assert (a == b) == (a is b)
    assert a != b or hash(a) == hash(b)


@pytest.mark.parametrize(
    ("dtype", "least", "greatest"),
    [
        (dtypes.int8, -128, 127), (dtypes.uint64, 0, 2**64 - 1), (dtypes.int4, -8, 7),
        (dtypes.float8_e5m2, -57344, 57344),
        (dtypes.float32, np.finfo(np.float32).min, np.finfo(np.float32).max), (dtypes.float16, -65504, 65504),
        (dtypes.bfloat16, ml_dtypes.finfo(ml_dtypes.bfloat16).min, ml_dtypes.finfo(ml_dtypes.bfloat16).max),
        (dtypes.int32._as_ref, -(2**31), 2**31 - 1),
    ],
)  # fmt: skip
def test_extremes(dtype, least, greatest):
    assert (dtype.min, dtype.max) == (least, greatest)


@pytest.mark.parametrize(
    "dtype", [dtypes.bool, dtypes.string, dtypes.complex64, dtypes.qint8, dtypes.resource], ids=str
)
def test_types_without_extremes(dtype):
    with pytest.raises(TypeError, match="Cannot find minimum value of"):
        _ = dtype.min
    with pytest.raises(TypeError, match="Cannot find maximum value of"):
        _ = dtype.max


def test_limits():
    assert dtypes.uint8.limits == dtypes.uint8._as_ref.limits == (0, 255)
    assert dtypes.int8.limits == (0, 127)
    assert dtypes.float32.limits == (0, 1)
    assert dtypes.bool.limits == (0, True)
    with pytest.raises(ValueError, match="does not have defined limits"):
        _ = dtypes.string.limits


@pytest.mark.parametrize(
    ("dtype", "size"),
    [(dtypes.float64, 8), (dtypes.bfloat16, 2), (dtypes.qint32, 4), (dtypes.resource, 1), (dtypes.bool, 1)],
)
def test_size(dtype, size):
    assert dtype.size == size


def test_unknown_number():
    with pytest.raises(TypeError, match="not a valid"):
        dtypes.DType(77)
