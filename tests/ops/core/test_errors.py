"""The errors of running graphs: TensorFlow's codes, what they print, and that they travel between processes."""

import pickle
from types import SimpleNamespace

import pytest

from millstream.ops.core import errors

CODES = {
    "CancelledError": 1, "UnknownError": 2, "InvalidArgumentError": 3, "DeadlineExceededError": 4, "NotFoundError": 5,
    "AlreadyExistsError": 6, "PermissionDeniedError": 7, "ResourceExhaustedError": 8, "FailedPreconditionError": 9,
    "AbortedError": 10, "OutOfRangeError": 11, "UnimplementedError": 12, "InternalError": 13, "UnavailableError": 14,
    "DataLossError": 15, "UnauthenticatedError": 16,
}  # fmt: skip
every_class = pytest.mark.parametrize(("name", "code"), CODES.items())
OP = SimpleNamespace(name="x", type="MatMul", unpicklable=lambda: None)


@every_class
def test_class_and_code(name, code):
    cls = getattr(errors, name)
    error = cls(None, OP, "bad")
    assert isinstance(error, errors.OpError)
    assert (error.error_code, error.message, error.op, error.node_def) == (code, "bad", OP, None)
    assert errors.exception_type_from_error_code(code) is cls
    assert errors.error_code_from_exception_type(cls) == code


@every_class
def test_code_has_its_name(name, code):
    words = "".join("_" + c if c.isupper() else c.upper() for c in name.removesuffix("Error"))
    assert getattr(errors, words.lstrip("_")) == code


def test_codes_without_a_class():
    with pytest.raises(KeyError):
        errors.exception_type_from_error_code(errors.OK)
    assert errors.error_code_from_exception_type(errors.OpError) == errors.UNKNOWN
    assert errors.OpError(None, None, "m", 44).error_code == 44


@pytest.mark.parametrize(
    ("op", "node_def", "place", "expected"),
    [
        (None, None, {}, "bad"),
        (OP, None, {}, "bad\n\t [[node 'x' (MatMul)]]"),
        (None, SimpleNamespace(name="y", op="Add"), {}, "bad\n\t [[node 'y' (Add)]]"),
        (OP, None, {"device": "GPU:0", "user_frame": "a.py:7"},
         "bad\n\t [[node 'x' (MatMul) on GPU:0, created at a.py:7]]"),
        (None, None, {"device": "CPU:0"}, "bad\n\t [[on CPU:0]]"),
        (None, None, {"user_frame": "a.py:7"}, "bad\n\t [[created at a.py:7]]"),
    ],
)  # fmt: skip
def test_what_is_printed(op, node_def, place, expected):
    error = errors.InvalidArgumentError(node_def, op, "bad", **place)
    assert str(error) == expected
    assert repr(error) == "InvalidArgumentError('bad')"


def test_pickled_errors_keep_their_words_and_drop_the_graph():
    error = errors.OutOfRangeError(None, OP, "end", device="CPU:0", user_frame="a.py:7")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is errors.OutOfRangeError
    assert str(again) == str(error)
    assert (again.op, again.error_code, again.device) == (None, error.error_code, "CPU:0")
