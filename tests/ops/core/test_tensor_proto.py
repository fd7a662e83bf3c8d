"""TensorProtos: the very bytes that TensorFlow writes, and every form that it reads."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from millstream.ops.core import dtypes, protos
from millstream.ops.core.tensor_proto import make_ndarray, make_tensor_proto
from support import core_values

# Where NumPy or Python would answer for TensorFlow, in words that say nothing to a user.
DIFFERENCES = {
    "M(1,shape=[None])": (ValueError, "needs a fully known shape"),
    "TensorProto(dtype=20, tensor_shape=S([]).as_proto())": (TypeError, "Unsupported tensor type: resource"),
}
NAMES = [d.name for d in sorted(dtypes.TF_VALUE_DTYPES, key=int) if d.is_numpy_compatible]


@pytest.mark.parametrize(("case", "answer"), core_values.cases("protos", errors=False, except_for=DIFFERENCES))
def test_bytes_are_tensorflows(case, answer):
    assert core_values.evaluate(case).SerializeToString().hex() == answer


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(("case", "answer"), core_values.cases("protos", errors=True, except_for=DIFFERENCES))
def test_errors_are_tensorflows(case, answer):
    with pytest.raises((TypeError, ValueError)) as raised:
        core_values.evaluate(case)
    assert f"!{raised.type.__name__}" == answer


@pytest.mark.parametrize(("case", "answer"), core_values.cases("reads", errors=False))
def test_arrays_read_are_tensorflows(case, answer):
    array = make_ndarray(core_values.evaluate(case))
    assert str((str(array.dtype), array.tolist())) == answer
    assert array.flags.writeable


@pytest.mark.parametrize("case", DIFFERENCES)
def test_errors_that_differ(case):
    error, words = DIFFERENCES[case]
    with pytest.raises(error, match=words):
        value = core_values.evaluate(case)
        make_ndarray(value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 3), (0, 2)], ids=str)
def test_round_trip_of_every_dtype(name, shape):
    dtype = dtypes.BY_NAME[name]
    numbers = np.arange(np.prod(shape, dtype=int)).reshape(shape) % 3
    if dtype is dtypes.string:
        array = np.vectorize(lambda n: b"\0x" * n, otypes=[object])(numbers) if numbers.size else numbers.astype(object)
    elif dtype.is_quantized:
        array = numbers.astype(dtype.np_dtype[0]).view(dtype.np_dtype)
    else:
        array = numbers.astype(dtype.np_dtype)
    message = protos.TensorProto.FromString(make_tensor_proto(array, dtype).SerializeToString())
    again = make_ndarray(message)
    assert message.dtype == int(dtype)
    assert again.dtype == array.dtype and again.shape == array.shape
    assert again.tolist() == array.tolist()


@given(hnp.arrays(np.float32, hnp.array_shapes(min_dims=0, min_side=0, max_side=4)))
def test_round_trip_keeps_every_bit(array):
    assert make_ndarray(make_tensor_proto(array)).tobytes() == array.tobytes()


@given(st.lists(st.binary(max_size=4), max_size=4))
def test_round_trip_of_strings(strings):
    assert make_ndarray(make_tensor_proto(strings, dtypes.string)).tolist() == strings


def test_protos_pass_through():
    message = make_tensor_proto([1, 2])
    assert make_tensor_proto(message) is message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"dtype": 1, "tensor_content": b"1234567"}, "7 bytes of content"),
        ({"dtype": 1, "float_val": [1.0, 2.0]}, "Too many elements provided. Needed at most 1, but received 2"),
        ({"dtype": 7, "tensor_content": b"ab"}, "2 bytes of content"),
    ],
)
def test_broken_messages(fields, message):
    with pytest.raises(ValueError, match=message):
        make_ndarray(protos.TensorProto(**fields))


def test_a_proto_of_unknown_shape_is_refused():
    with pytest.raises(ValueError, match="fully known shape"):
        make_ndarray(protos.TensorProto(dtype=1, tensor_shape={"unknown_rank": True}))
