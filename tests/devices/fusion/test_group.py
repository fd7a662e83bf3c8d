"""Fused groups give what their lines give one by one: whole, in blocks, compiled, on one thread or several."""

from functools import partial

import numpy as np
import pytest

import millstream as tf
from millstream.devices.fusion import compiled, group
from millstream.devices.fusion.group import FusedGroup
from millstream.devices.fusion.layout import fit
from millstream.devices.fusion.tracing import Recorder

F4 = np.dtype("f4")
SIZES = (3, 2 * group.LARGE, 2 * group.LARGE + 7, group.THREADED + 12_345)


@pytest.fixture(params=["numpy", "compiled"])
def compiling(request, monkeypatch):
    """Run a test with NumPy's blocks, and with compiled loops where numba is installed."""
    monkeypatch.setenv("MILLSTREAM_COMPILE", "1" if request.param == "compiled" else "0")
    compiled.available.cache_clear()
    if request.param == "compiled" and not compiled.available():
        pytest.skip("numba is not installed; the extra `fast` brings it")
    yield request.param == "compiled"
    monkeypatch.undo()
    compiled.available.cache_clear()


def settled(fused, *arrays):
    """Return the results of a group after everything that it asked for is compiled."""
    fused(*arrays)
    fused(*arrays)
    compiled.settle()
    return fused(*arrays)


def relu(x):
    return np.maximum(x, np.float32(0))


def two_outputs(hidden=False):
    """t = relu(x * y) + x; u = relu(t - y); a `hidden` relu is a kernel that nobody looks into."""
    recorder = Recorder([F4, F4])
    x, y = recorder.inputs

    def clipped(value):
        return recorder.opaque(relu, [value], F4) if hidden else recorder.apply("maximum", value, np.float32(0))

    first = clipped(x * y) + x
    second = clipped(first - y)
    names = (first.name, second.name)
    return FusedGroup(recorder.program(list(names)), names)


def one_by_one(x, y):
    first = relu(x * y) + x
    return first, relu(first - y)


SECOND = {
    "array": lambda rng, size: rng.randn(size).astype("f4"),
    "scalar": lambda rng, size: np.float32(0.5),
    "broadcast scalar": lambda rng, size: np.broadcast_to(np.float32(0.5), size),
    "column": lambda rng, size: np.ones((2, 1), "f4"),
    "every other": lambda rng, size: rng.randn(2 * size).astype("f4")[::2],
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("second", SECOND)
@pytest.mark.parametrize("hidden", [False, True])
def test_groups_equal_their_ops(size, second, hidden, compiling):
    rng = np.random.RandomState(size % 1000)
    x = rng.randn(size).astype("f4")
    y = SECOND[second](rng, size)
    for made, expected in zip(settled(two_outputs(hidden), x, y), one_by_one(x, y), strict=True):
        assert made.dtype == expected.dtype and made.shape == expected.shape
        np.testing.assert_array_equal(made, expected)


SHAPES = {
    "rows": ((700, 130), (130,)),
    "rows with axes": ((70, 10, 130), (1, 1, 130)),
    "tables": ((70, 10, 130), (10, 130)),
    "columns": ((700, 130), (700, 1)),
    "blocks of columns": ((70, 10, 130), (70, 10, 1)),
    "neither": ((70, 10, 130), (70, 1, 130)),
    "transposed": ((300, 300), (300, 300)),
    "long rows": ((2, 400_000), (400_000,)),
    "many": ((1100, 1000), (1000,)),
}


@pytest.mark.parametrize("case", SHAPES)
def test_rows_and_columns_are_broadcast(case, compiling):
    rng = np.random.RandomState(0)
    first, second = SHAPES[case]
    x, y = rng.randn(*first).astype("f4"), rng.randn(*second).astype("f4")
    if case == "transposed":
        y = y.T
    fused = two_outputs()
    found = settled(fused, x, y)
    assert (fit(fused.program, (x, y), 1) is None) == (case in ("neither", "transposed"))
    for made, expected in zip(found, one_by_one(x, y), strict=True):
        np.testing.assert_array_equal(made, expected)


def test_inputs_stay_as_they_are(compiling):
    x, y = np.full(2 * group.LARGE, -1, "f4"), np.full(2 * group.LARGE, 2, "f4")
    settled(two_outputs(), x, y)
    assert (x == -1).all() and (y == 2).all()


def test_outputs_may_be_inputs_or_each_other(compiling):
    """An op that hands its argument on still gives an array of its own."""
    recorder = Recorder([F4])
    (x,) = recorder.inputs
    names = ("a0", (x + x).name, (x + x).name)
    fused = FusedGroup(recorder.program(list(names)), names)
    for size in (3, 2 * group.LARGE):
        value = np.arange(size, dtype="f4")
        found = settled(fused, value)
        assert not np.shares_memory(found[0], value) and not np.shares_memory(found[1], found[2])
        for made, expected in zip(found, (value, value + value, value + value), strict=True):
            np.testing.assert_array_equal(made, expected)


KINDS = {"sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("axes", [None, 1, 2])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("shape", [(3, 4, 5), (60, 30, 50), (300, 100, 50)])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_reductions_end_a_chain(kind, axes, keep, shape, dtype, compiling):
    recorder = Recorder([np.dtype(dtype)])
    (x,) = recorder.inputs
    along = None if axes is None else tuple(range(-axes, 0))
    whole = partial(KINDS[kind], axis=along, keepdims=keep)
    chain = x * x - x
    names = (recorder.reduce(chain, kind, axes, keep, np.dtype(dtype), whole), (chain + x).name)
    fused = FusedGroup(recorder.program([names[1]]), names)
    value = np.random.RandomState(1).rand(*shape).astype(dtype)
    reduced, stored = settled(fused, value)
    expected = whole(value * value - value)
    assert reduced.dtype == expected.dtype and np.shape(reduced) == np.shape(expected)
    np.testing.assert_allclose(reduced, expected, rtol=1e-6, atol=1e-6 if kind in ("sum", "mean") else 0)
    np.testing.assert_array_equal(stored, value * value - value + value)


@pytest.mark.parametrize("kind", ["max", "min"])
@pytest.mark.parametrize("axes", [None, 1])
def test_extremes_pass_nan_on(kind, axes, compiling):
    recorder = Recorder([F4])
    chain = recorder.inputs[0] + recorder.inputs[0]
    name = recorder.reduce(chain, kind, axes, False, F4, partial(KINDS[kind], axis=None if axes is None else -1))
    fused = FusedGroup(recorder.program([]), (name,))
    value = np.ones((500, 200), "f4")
    value[3, 5] = np.nan
    (found,) = settled(fused, value)
    assert np.isnan(np.ravel(found)).sum() == 1


def test_threads_are_as_quiet_as_the_caller():
    """Ops on very large arrays run on other threads, where NumPy's warnings would be on again."""
    x = tf.placeholder(tf.float32, [None])
    y = tf.exp(tf.log(x) * 2.0)
    with tf.Session(graph=x.graph) as sess:
        assert not sess.run(y, {x: np.zeros(group.THREADED + 1, "f4")}).any()


def test_gradients_of_a_chain_join_its_groups():
    """Kernels that are no ufuncs, and sums of gradients, run inside groups."""
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.placeholder(tf.float32, [100_000])
        y = tf.sigmoid(tf.tanh(x) * x)
        (gradient,) = tf.gradients(y, x)
        value = np.linspace(-2, 2, 100_000, dtype="f4")
        assert sess.plan(gradient, [x]).source.count("fused") == 1
        inner = np.tanh(value) * value
        slope = np.exp(-inner) / (1 + np.exp(-inner)) ** 2 * (np.tanh(value) + value / np.cosh(value) ** 2)
        np.testing.assert_allclose(sess.run(gradient, {x: value}), slope, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("size", [10, 2 * group.LARGE, group.THREADED + 1])
def test_a_failure_names_the_op_that_failed(size, monkeypatch):
    """Whole, in blocks and on other threads alike."""
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.placeholder(tf.float32, [None])
        guilty = tf.sigmoid(tf.exp(x), name="guilty")
        y = tf.sqrt(guilty) + 1.0

        def fail(xp, value):
            if value.shape[0] and value[-1] < 0.5:
                raise ValueError("no good")
            return value

        (entry,) = guilty.op.decl.kernels_for("CPU")
        monkeypatch.setattr(guilty.op.decl, "kernels", [type(entry)(fail, "CPU")])
        values = np.ones(size, "f4")
        values[-1] = -9.0
        with pytest.raises(tf.errors.InvalidArgumentError, match="no good") as info:
            sess.run(y, {x: values})
        assert info.value.op is guilty.op
