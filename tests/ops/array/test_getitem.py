"""Brackets: NumPy's basic indexing is the oracle, static shapes hold, and wrong keys say what is wrong."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import millstream as tf
from millstream.ops.core.graph import Graph
from support.opcheck import evaluate

DIMS = (3, 4, 5)
DATA = np.arange(60.0).reshape(DIMS)


@st.composite
def keys(draw):
    """Keys of ints, slices, None and at most one ellipsis that are in bounds for DIMS."""
    used = draw(st.integers(0, 3))
    place = draw(st.integers(0, used)) if draw(st.booleans()) else None
    parts = []
    for i in range(used):
        axis = i if place is None or i < place else i - used + 3
        size = DIMS[axis]
        bound = st.none() | st.integers(-size - 2, size + 2)
        step = st.sampled_from([None, 1, 2, -1, -3])
        parts.append(draw(st.integers(-size, size - 1) | st.builds(slice, bound, bound, step)))
    if place is not None:
        parts.insert(place, Ellipsis)
    for _ in range(draw(st.integers(0, 2))):
        parts.insert(draw(st.integers(0, len(parts))), None)
    return tuple(parts)


@settings(max_examples=200, deadline=None)
@given(keys())
def test_as_numpy_indexes(key):
    with Graph().as_default():
        known, unknown = tf.constant(DATA), tf.placeholder_with_default(DATA, None)
        outputs = [known[key], unknown[key]]
        for value in evaluate(outputs):
            np.testing.assert_array_equal(value, DATA[key])
        assert outputs[0].shape.as_list() == list(DATA[key].shape)
        assert outputs[1].shape.is_compatible_with(DATA[key].shape)


def test_tensors_as_indices():
    with Graph().as_default():
        x, i = tf.constant(DATA), tf.placeholder_with_default(1, [])
        wide = tf.constant(2, tf.int64)
        outputs = [x[i], x[i:, 1], x[wide, ::i], x[0, i : i + 2]]
        for value, wanted in zip(evaluate(outputs), [DATA[1], DATA[1:, 1], DATA[2], DATA[0, 1:3]], strict=True):
            np.testing.assert_array_equal(value, wanted)
        assert [o.shape.as_list() for o in outputs] == [[4, 5], [None, 5], [None, 5], [None, 5]]


def test_nodes_are_called_as_in_tensorflow():
    with Graph().as_default() as graph:
        x = tf.constant(DATA, name="x")
        assert x[0, ..., None].op.name == "strided_slice"
        names = ["x", "strided_slice/stack", "strided_slice/stack_1", "strided_slice/stack_2", "strided_slice"]
        assert [op.name for op in graph.get_operations()] == names


def test_masks_select():
    mask = DATA[:, :, 0] > 7
    with Graph().as_default():
        x = tf.constant(DATA)
        outputs = [x[mask], tf.boolean_mask(x, [True, False, True, True], axis=1)]
        values = evaluate(outputs)
    np.testing.assert_array_equal(values[0], DATA[mask])
    np.testing.assert_array_equal(values[1], DATA[:, [0, 2, 3]])


@pytest.mark.parametrize(
    ("key", "error", "words"),
    [
        (3, ValueError, "slice index 3 of dimension 0 out of bounds"),
        ((0, -5), ValueError, "slice index -5 of dimension 1 out of bounds"),
        ((0, 0, 0, 0), ValueError, "Index out of range using input dim 3; input has only 3 dims"),
        ((Ellipsis, Ellipsis), ValueError, "Multiple ellipses in slice spec not allowed"),
        (slice(None, None, 0), ValueError, r"strides\[0\] must be non-zero"),
        (1.5, TypeError, "Only integers, slices .* are valid indices, got 1.5"),
        ("a", TypeError, "are valid indices, got 'a'"),
        ((0, True), TypeError, "are valid indices, got True"),
    ],
)
def test_wrong_keys(key, error, words):
    with Graph().as_default(), pytest.raises(error, match=words):
        tf.constant(DATA)[key]
