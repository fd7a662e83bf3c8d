"""From values to arrays: what the golden bytes do not say, such as messages, ownership and lenience."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millstream.ops.core import dtypes
from millstream.ops.core.shapes import Dimension
from millstream.ops.core.values import to_array


@pytest.mark.parametrize(
    ("value", "dtype", "error", "message"),
    [
        (1.5, dtypes.int32, TypeError, "Expected int32, got 1.5 of type 'float' instead."),
        ([[1, "a"]], dtypes.float32, TypeError, "Expected float32, got 'a' of type 'str' instead."),
        ([1, None], dtypes.int32, TypeError, "Expected int32, got None of type 'NoneType' instead."),
        (1, dtypes.string, TypeError, "Expected string, got 1 of type 'int' instead."),
        (None, None, ValueError, "None values not supported."),
        ([1, None], None, TypeError, "Failed to convert object of type <class 'list'> to Tensor. Contents: [1, None]. "
         "Consider casting elements to a supported type."),
        ([1, "a"], None, TypeError, "Expected binary or unicode string, got 1"),
        ([[1, 2], [3]], None, ValueError, "Argument must be a dense tensor: [[1, 2], [3]] - got lists of different "
         "lengths or depths, but wanted [2, 2]."),
        ([Dimension(None), 2], None, TypeError, "Expected int32, got Dimension(None) of type 'Dimension' instead: the "
         "dimension is not known."),
    ],
)  # fmt: skip
def test_words(value, dtype, error, message):
    with pytest.raises(error) as raised:
        to_array(value, dtype)
    assert str(raised.value) == message


def test_too_many_elements():
    with pytest.raises(ValueError, match=r"Too many elements provided\. Needed at most 2, but received 3"):
        to_array([1, 2, 3], None, [2])


def test_long_contents_are_cut_in_messages():
    with pytest.raises(TypeError) as raised:
        to_array([None] * 100_000)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize("value", [np.arange(6.0), np.arange(6).reshape(2, 3).T, np.arange(4)[::-1], np.ones(2, ">f4")])
@pytest.mark.parametrize("shape", [None, "same"])
def test_arrays_are_fresh_native_and_in_order(value, shape):
    array = to_array(value, None, value.shape if shape else None)
    assert array.tolist() == value.tolist()
    assert not np.shares_memory(array, value)
    assert array.flags.c_contiguous and array.dtype.isnative


def test_object_arrays_are_fresh():
    value = np.array([b"a", "b"], object)
    assert to_array(value).tolist() == [b"a", b"b"]
    assert value.tolist() == [b"a", "b"]


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        ([Dimension(3), 2], None, np.array([3, 2], np.int32)),
        ([Dimension(3), 2], dtypes.int64, np.array([3, 2], np.int64)),
        (Dimension(3), None, np.array(3, np.int32)),
        (range(3), None, np.arange(3, dtype=np.int32)),
        ([np.array([1.0, 2.0]), np.array([3.0, 4.0])], None, np.array([[1, 2], [3, 4]], np.float32)),
        ([1, 2], dtypes.qint8, np.array([(1,), (2,)], [("qint8", "i1")])),
        ((1, 2), dtypes.quint8, np.array([(1,), (2,)], [("quint8", "u1")])),
        (np.array([3]), dtypes.qint32, np.array([(3,)], [("qint32", "i4")])),
        (2, dtypes.float32._as_ref, np.array(2, np.float32)),
        (["a", b"\xff"], None, np.array([b"a", b"\xff"], object)),
        ([2**31 - 1, -(2**31)], None, np.array([2**31 - 1, -(2**31)], np.int32)),
        ([2**31], None, np.array([2**31], np.int64)),
    ],
)  # fmt: skip
def test_conversions_beyond_plain_values(value, dtype, expected):
    array = to_array(value, dtype)
    assert array.dtype == expected.dtype
    assert array.tolist() == expected.tolist()


class HasArray:
    """Something like a data frame: NumPy can make an array of it."""

    def __array__(self, dtype=None, copy=None):
        return np.array([1.0, 2.0])


def test_objects_with_an_array_keep_its_dtype():
    assert to_array(HasArray()).dtype == np.float64
    assert to_array(HasArray(), dtypes.int32).tolist() == [1, 2]


@pytest.mark.parametrize(("values", "zero"), [([], 0.0), (np.array([], object), b"")])
def test_shapes_without_elements_are_filled_with_zeros(values, zero):
    assert to_array(values, None, [2]).tolist() == [zero, zero]


def test_the_last_element_fills_the_shape():
    assert to_array(["a", "b"], None, [2, 2]).tolist() == [[b"a", b"b"], [b"b", b"b"]]
    assert to_array(7, None, [2]).tolist() == [7, 7]
    with pytest.raises(TypeError, match=r"Expected Tensor's shape: \(3,\), got \(2,\)."):
        to_array([1, 2], None, [3], verify_shape=True)
    with pytest.raises(ValueError, match=r"fully known shape, got \(2, \?\)"):
        to_array(1, None, [2, None])


SCALARS = st.one_of(st.booleans(), st.integers(-(2**40), 2**40), st.floats(width=32))


@given(st.recursive(SCALARS, lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda xs: [xs[0]] * len(xs))))
def test_nested_lists_become_what_numpy_makes_of_them(values):
    expected = np.array(values)
    array = to_array(values)
    assert array.shape == expected.shape
    assert array.dtype in (np.bool_, np.int32, np.int64, np.float32)
    np.testing.assert_array_equal(array, expected)
