"""Rounding as if quantised: fixed, learned and per-channel ranges against plain loops, and where gradients go."""

# A table reads best with a row on each line.
# ruff: noqa: E501

import numpy as np
import pytest

import millstream as tf
from support.opcheck import Row, row_tests, table

RNG = np.random.default_rng(9)
X = RNG.uniform(-8, 8, (3, 4, 5)).astype(np.float32)
LOW, HIGH = np.array([-6.0, -1.0, 0.0, 0.0, -3.0], np.float32), np.array([6.0, 2.0, 4.0, 0.0, 0.5], np.float32)
DY = RNG.normal(size=X.shape).astype(np.float32)
FLOAT = ("float32",)


def nudge(low, high, bits, narrow):
    """Returns the range whose steps include 0, and a step."""
    first, last = int(narrow), 2**bits - 1
    scale = (high - low) / (last - first)
    zero = min(max(round(first - low / scale), first), last)
    return (first - zero) * scale, (last - zero) * scale, scale


def one(x, low, high, bits=8, narrow=False):
    if low == high == 0:
        return np.zeros_like(x)
    low, high, scale = nudge(float(low), float(high), bits, narrow)
    return (np.floor((np.clip(x, low, high) - low) / scale + 0.5) * scale + low).astype(np.float32)


def each(x, low, high, *rest):
    return np.stack([one(x[..., i], low[i], high[i], *rest) for i in range(len(low))], -1)


def back(dy, x, low, high):
    if low == high == 0:
        return dy, np.float32(0), np.float32(0)
    low, high, _ = nudge(float(low), float(high), 8, False)
    return np.where((x >= low) & (x <= high), dy, 0), dy[x < low].sum(dtype="f4"), dy[x > high].sum(dtype="f4")


def back_each(dy, x, low, high):
    parts = [back(dy[..., i], x[..., i], low[i], high[i]) for i in range(len(low))]
    return np.stack([p[0] for p in parts], -1), np.array([p[1] for p in parts]), np.array([p[2] for p in parts])


def row(name, build, inputs, reference, label=""):
    return Row(name, build, inputs, reference, dtypes=FLOAT, label=label)


ROWS = table(
    row("FakeQuantWithMinMaxArgs", tf.fake_quant_with_min_max_args, [X], lambda x: one(x, -6, 6)),
    row("FakeQuantWithMinMaxArgs", lambda x: tf.fake_quant_with_min_max_args(x, -1, 4, 4, True), [X], lambda x: one(x, -1, 4, 4, True), "narrow"),
    row("FakeQuantWithMinMaxArgsGradient", tf.fake_quant_with_min_max_args_gradient, [DY, X], lambda dy, x: back(dy, x, -6, 6)[0]),
    row("FakeQuantWithMinMaxVars", tf.fake_quant_with_min_max_vars, [X, LOW[4], HIGH[4]], one),
    row("FakeQuantWithMinMaxVars", tf.fake_quant_with_min_max_vars, [X, LOW[3], HIGH[3]], one, "empty"),
    row("FakeQuantWithMinMaxVarsGradient", tf.fake_quant_with_min_max_vars_gradient, [DY, X, LOW[4], HIGH[4]], back),
    row("FakeQuantWithMinMaxVarsGradient", tf.fake_quant_with_min_max_vars_gradient, [DY, X, LOW[3], HIGH[3]], back, "empty"),
    row("FakeQuantWithMinMaxVarsPerChannel", tf.fake_quant_with_min_max_vars_per_channel, [X, LOW, HIGH], each),
    row("FakeQuantWithMinMaxVarsPerChannelGradient", tf.fake_quant_with_min_max_vars_per_channel_gradient, [DY, X, LOW, HIGH], back_each),
)  # fmt: skip
test_forward, test_in_sessions, test_gradient = row_tests(ROWS)


@pytest.mark.parametrize(
    ("function", "more"),
    [
        (tf.fake_quant_with_min_max_vars, (LOW[0], HIGH[0])),
        (tf.fake_quant_with_min_max_vars_per_channel, (LOW, HIGH)),
    ],
)
def test_gradients_pass_inside_the_range(function, more):
    with tf.Graph().as_default(), tf.Session() as sess:
        inputs = [tf.constant(value) for value in (X, *more)]
        found = sess.run(tf.gradients(function(*inputs), inputs, tf.constant(DY)))
    wanted = back(DY, X, *more) if np.ndim(more[0]) == 0 else back_each(DY, X, *more)
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_ranges_are_checked():
    with tf.Graph().as_default(), tf.Session() as sess:
        with pytest.raises(tf.errors.InvalidArgumentError, match="min has to be smaller than max, was: 6 >= -6"):
            sess.run(tf.fake_quant_with_min_max_args(X, 6, -6))
        with pytest.raises(tf.errors.InvalidArgumentError, match="num_bits must be between 2 and 16"):
            sess.run(tf.fake_quant_with_min_max_args(X, num_bits=17))
