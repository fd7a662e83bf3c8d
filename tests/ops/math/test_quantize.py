"""Numbers as steps of a range and back: scales by hand, errors below half a step, gradients that pass unchanged."""

# A table reads best with a row on each line.
# ruff: noqa: E501

import numpy as np
import pytest

import millstream as tf
from millstream.ops.core.registry import lookup
from support.opcheck import Row, row_tests, table

RNG = np.random.default_rng(10)
X = RNG.uniform(-8, 8, (3, 4)).astype(np.float32)
LOW, HIGH = np.float32(-3), np.float32(5)
FLOAT = ("float32",)
WIDTHS = {tf.qint8: tf.int8, tf.quint8: tf.uint8, tf.qint16: tf.int16, tf.quint16: tf.uint16, tf.qint32: tf.int32}


def stepped(x, low, high, bits=8, narrow=False):
    """Returns numbers rounded to the steps of the greatest signed scale that fits both bounds."""
    first, last = -(2 ** (bits - 1)) + narrow, 2 ** (bits - 1) - 1
    scale = min(first / low if low < 0 else np.inf, last / high if high > 0 else np.inf)
    return np.rint(np.clip(x * scale, first, last)) / scale


def both(x, low, high, **more):
    return tf.quantization.quantize_and_dequantize(x, low, high, **more)


def steps(kind, mode, **more):
    """Returns a builder of the steps' numbers and of the range."""

    def build(x, low, high):
        q, low, high = tf.quantize(x, low, high, kind, mode, **more)
        return tf.bitcast(q, WIDTHS[kind]), low, high

    return build


def there_and_back(kind, mode):
    def build(x, low, high):
        q, low, high = tf.quantize(x, low, high, kind, mode)
        return tf.dequantize(q, low, high, mode)

    return build


def v3(x, low, high):
    return lookup("QuantizeAndDequantizeV3")(x, low, high, 4)


ROWS = table(
    Row("QuantizeAndDequantizeV2", lambda x, a, b: both(x, a, b, range_given=True), [X, LOW, HIGH], stepped, dtypes=FLOAT),
    Row("QuantizeAndDequantizeV2", lambda x, a, b: both(x, a, b, num_bits=4, narrow_range=True), [X, LOW, HIGH], lambda x, a, b: stepped(x, x.min(), x.max(), 4, True), label="own-range", error=10),
    Row("QuantizeAndDequantizeV2", lambda x, a, b: both(x, a, b, range_given=True, signed_input=False, round_mode="HALF_UP"), [X, np.float32(0), HIGH], lambda x, a, b: np.floor(np.clip(x, 0, 5) * 51 + 0.5) / 51, dtypes=FLOAT, label="unsigned"),
    Row("QuantizeAndDequantizeV2", lambda x, a, b: both(x, a, b, range_given=True, axis=1), [X, np.full(4, LOW), np.full(4, HIGH)], lambda x, a, b: stepped(x, LOW, HIGH), dtypes=FLOAT, label="axis"),
    Row("QuantizeAndDequantizeV3", v3, [X, LOW, HIGH], lambda x, a, b: stepped(x, a, b, 4), dtypes=FLOAT),
    Row("QuantizeV2", steps(tf.quint8, "MIN_COMBINED"), [X, LOW, HIGH], lambda x, a, b: (np.floor((np.clip(x, a, b) - a) * np.float32(255 / 8) + 0.5).astype(np.uint8), a, b), dtypes=FLOAT, devices="CPU"),
    Row("QuantizeV2", steps(tf.qint8, "SCALED"), [X, LOW, HIGH], lambda x, a, b: (np.rint(np.clip(x, -5 * 128 / 127, 5) * 25.4).astype(np.int8), np.float32(-5 * 128 / 127), b), dtypes=FLOAT, devices="CPU", label="scaled"),
    *(Row("Dequantize", there_and_back(kind, mode), [X, LOW, HIGH], None, dtypes=FLOAT, devices="CPU", label=f"{kind.name}-{mode}") for kind in (tf.qint8, tf.quint8, tf.qint16, tf.quint16) for mode in ("MIN_COMBINED", "MIN_FIRST", "SCALED")),
)  # fmt: skip
test_forward, test_in_sessions, test_gradient = row_tests(ROWS)


@pytest.mark.parametrize("mode", ["MIN_COMBINED", "MIN_FIRST", "SCALED"])
@pytest.mark.parametrize("kind", list(WIDTHS))
def test_what_comes_back_is_within_half_a_step(kind, mode):
    with tf.Graph().as_default(), tf.Session() as sess:
        found = sess.run(there_and_back(kind, mode)(tf.constant(X), LOW, HIGH))
    unsigned = kind.name.startswith("qu")
    inside = np.clip(X, 0 if mode == "SCALED" and unsigned else LOW, HIGH)
    step = (10.1 if mode == "SCALED" else 8.1) / 2 ** min(8 * np.dtype(WIDTHS[kind].as_numpy_dtype).itemsize, 20)
    covered = X >= LOW if mode == "SCALED" else np.full(X.shape, True)
    assert np.abs(found - inside)[covered].max() <= step


def test_gradients_pass_unchanged():
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.constant(X)
        outside = both(x, LOW, HIGH, range_given=True) + v3(x, LOW, HIGH)
        np.testing.assert_array_equal(sess.run(tf.gradients(outside, x)[0]), np.full(X.shape, 2))


def test_ranges_are_checked():
    with (
        tf.Graph().as_default(),
        tf.Session() as sess,
        pytest.raises(tf.errors.InvalidArgumentError, match="Invalid range"),
    ):
        sess.run(both(X, 5.0, -5.0, range_given=True))
