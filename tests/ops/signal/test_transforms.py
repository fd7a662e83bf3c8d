"""Fourier transforms: a table of values by NumPy over lengths that are even, odd, cut and padded, with gradients."""

# A table reads best with a row on each line.

import numpy as np
import pytest

import millstream as tf
from millstream.ops import signal
from millstream.ops.core.registry import lookup
from support.opcheck import Row, row_tests, table

RNG = np.random.default_rng(3)
X1, X2, X3 = RNG.normal(size=(2, 6)), RNG.normal(size=(2, 4, 5)), RNG.normal(size=(2, 4, 3))
Z1, Z2, Z3 = (x + 1j * RNG.normal(size=x.shape) for x in (X1, X2, X3))
RANKS = (("", 1, X1, Z1), ("2D", 2, X2, Z2), ("3D", 3, X3, Z3))


def parts(z):
    """Returns both parts of complex numbers, so that derivatives are of real ones."""
    return tf.real(z), tf.imag(z)


def from_parts(function, x):
    """Returns what a function gives for complex numbers made of real ones."""
    return function(tf.complex(x, tf.sin(x)))


def np_complex(x):
    return x + 1j * np.sin(x)


def axes(rank):
    return tuple(range(-rank, 0))


def by_axis(x, lengths):
    """Returns the inverse real transform, the last axis last."""
    x = x[(..., *(slice(0, n) for n in lengths[:-1]), slice(0, lengths[-1] // 2 + 1))]
    for axis in range(-len(lengths), -1):
        x = np.fft.ifft(x, axis=axis)
    return np.fft.irfft(x, lengths[-1])


def full_rows(suffix, rank, x, z):
    name = suffix.lower()
    forward, inverse = getattr(tf, "fft" + name), getattr(tf, "ifft" + name)
    return (
        Row("FFT" + suffix, forward, [z], lambda z: np.fft.fftn(z, axes=axes(rank))),
        Row("IFFT" + suffix, inverse, [z], lambda z: np.fft.ifftn(z, axes=axes(rank))),
        Row(
            "FFT" + suffix,
            lambda x: parts(from_parts(forward, x)),
            [x],
            lambda x: (
                np.fft.fftn(np_complex(x), axes=axes(rank)).real,
                np.fft.fftn(np_complex(x), axes=axes(rank)).imag,
            ),
            gradient=True,
            label="parts",
        ),
        Row(
            "IFFT" + suffix,
            lambda x: parts(from_parts(inverse, x)),
            [x],
            lambda x: (
                np.fft.ifftn(np_complex(x), axes=axes(rank)).real,
                np.fft.ifftn(np_complex(x), axes=axes(rank)).imag,
            ),
            gradient=True,
            label="parts",
        ),
    )


def half_rows(suffix, rank, x, z):
    name = suffix.lower()
    forward, inverse = getattr(signal, "rfft" + name), getattr(signal, "irfft" + name)
    odd, even = [3] * rank, [4] * (rank - 1) + [2]
    if rank == 3:
        odd, even = [2, 3, 3], [1, 4, 2]
    longer = [9] * rank

    def wanted(n):
        def reference(x):
            y = np.fft.rfftn(x, n, axes(rank))
            return y.real, y.imag

        return reference

    back = [*x.shape[-rank:-1], 2 * (x.shape[-1] - 1)]
    return (
        Row("RFFT" + suffix, forward, [x], lambda x: np.fft.rfftn(x, axes=axes(rank))),
        Row("RFFT" + suffix, lambda x: parts(forward(x)), [x], wanted(None), gradient=True, label="parts"),
        *(
            Row(
                "RFFT" + suffix,
                lambda x, n=n: parts(forward(x, n)),
                [x],
                wanted(n),
                gradient=True,
                label=f"parts-{label}",
            )
            for label, n in (("odd", odd), ("even", even), ("padded", longer))
        ),
        Row("IRFFT" + suffix, inverse, [z], lambda z: by_axis(z, back)),
        Row(
            "IRFFT" + suffix,
            lambda x: from_parts(inverse, x),
            [x],
            lambda x: by_axis(np_complex(x), back),
            gradient=True,
            label="parts",
        ),
        *(
            Row(
                "IRFFT" + suffix,
                lambda x, n=n: from_parts(lambda z: inverse(z, n), x),
                [x],
                lambda x, n=n: by_axis(np_complex(x), n),
                gradient=True,
                label=f"parts-{label}",
            )
            for label, n in (("odd", odd), ("even", even))
        ),
        Row(
            "IRFFT" + suffix,
            lambda x: from_parts(lambda z: inverse(z, longer), x),
            [x],
            None,
            gradient=True,
            label="padded",
        ),
    )


ROWS = table(*(row for rank in RANKS for rows in (full_rows, half_rows) for row in rows(*rank)))
test_forward, test_in_sessions, test_gradient = row_tests(ROWS)


def test_short_inputs_are_refused_by_the_op():
    with tf.Graph().as_default(), tf.Session() as sess:
        y = lookup("RFFT")(tf.constant(X1), [9], Tcomplex=tf.complex128)
        with pytest.raises(
            tf.errors.InvalidArgumentError, match="Input dimension 1 must have length of at least 9 but got: 6"
        ):
            sess.run(y)


def test_static_shapes_follow_known_lengths():
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 7])
        assert signal.rfft(x).shape.as_list() == [None, 4]
        assert signal.rfft(x, [5]).shape.as_list() == [None, 3]
        assert signal.irfft(signal.rfft(x)).shape.as_list() == [None, 6]
        assert signal.irfft(signal.rfft(x), [7]).shape.as_list() == [None, 7]


def test_lengths_that_only_the_run_knows():
    with tf.Graph().as_default(), tf.Session() as sess:
        x, n = tf.placeholder(tf.float32), tf.placeholder(tf.int32, [1])
        y = signal.rfft(x, n)
        for length in (4, 6, 9):
            np.testing.assert_allclose(sess.run(y, {x: X1, n: [length]}), np.fft.rfft(X1, length), atol=1e-5)
