"""What is composed of transforms: windows, frames, spectra over time, cosine transforms, mel scales; held to SciPy."""

import numpy as np
import pytest
import scipy.fft
import scipy.signal

import millstream as tf
from support.opcheck import Row, row_tests, table

RNG = np.random.default_rng(5)
X = RNG.normal(size=(2, 23))
BINS = RNG.normal(size=(3, 10))


def run(build, *arrays):
    with tf.Graph().as_default(), tf.Session() as sess:
        return sess.run(build(*map(tf.constant, arrays)))


def np_frames(x, length, step, pad_end=False, value=0.0):
    count = -(-x.shape[-1] // step) if pad_end else max(0, 1 + (x.shape[-1] - length) // step)
    x = np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, length + count * step)], constant_values=value)
    return np.stack([x[..., i * step : i * step + length] for i in range(count)], -2)


def np_added(frames, step):
    count, length = frames.shape[-2:]
    found = np.zeros((*frames.shape[:-2], (count - 1) * step + length), frames.dtype)
    for i in range(count):
        found[..., i * step : i * step + length] += frames[..., i, :]
    return found


def magnitudes(x):
    return tf.abs(tf.signal.stft(x, 8, 3))


def np_magnitudes(x):
    return np.abs(np.fft.rfft(np_frames(x, 8, 3) * scipy.signal.get_window("hann", 8)))


ROWS = table(
    Row("RFFT", magnitudes, [X], np_magnitudes, gradient=True, unknown=False, error=10, label="stft"),
    Row("GatherV2", lambda x: tf.signal.frame(x, 5, 2), [X], lambda x: np_frames(x, 5, 2), True, unknown=False, label="frame"),
    Row("Sum", lambda x: tf.signal.overlap_and_add(x, 3), [np_frames(X, 8, 3)], lambda x: np_added(x, 3), True, label="added"),
)  # fmt: skip
test_forward, test_in_sessions, test_gradient = row_tests(ROWS)


@pytest.mark.parametrize("pad_end", [False, True])
@pytest.mark.parametrize(("length", "step"), [(3, 2), (4, 4), (2, 5), (30, 3)])
def test_frames_along_any_axis(length, step, pad_end):
    expected = np_frames(X, length, step, pad_end, 1.5) if pad_end or length < 23 else np.zeros((2, 0, length))
    for axis, source in ((-1, X), (1, X), (0, X.T), (-2, X.T)):
        found = run(lambda x, axis=axis: tf.signal.frame(x, length, step, pad_end, 1.5, axis), source)
        np.testing.assert_array_equal(found if source is X else found.transpose(2, 0, 1), expected)


@pytest.mark.parametrize(("count", "length", "step"), [(5, 4, 2), (3, 5, 2), (3, 4, 6), (4, 3, 1), (2, 4, 4)])
def test_frames_add_up_to_a_signal_of_known_length(count, length, step):
    frames = RNG.normal(size=(2, count, length))
    with tf.Graph().as_default(), tf.Session() as sess:
        whole = tf.signal.overlap_and_add(tf.constant(frames), step)
        np.testing.assert_allclose(sess.run(whole), np_added(frames, step))
        assert whole.shape.as_list() == [2, (count - 1) * step + length]


@pytest.mark.parametrize("length", [1, 2, 8, 9])
@pytest.mark.parametrize("name", ["hann", "hamming"])
def test_windows(name, length):
    window = getattr(tf.signal, f"{name}_window")
    wanted = scipy.signal.get_window(name, length, fftbins=length % 2 == 0)
    np.testing.assert_allclose(run(lambda: window(length)), wanted, atol=1e-6)
    wanted = scipy.signal.get_window(name, length, fftbins=False)
    np.testing.assert_allclose(run(lambda: window(length, False, tf.float64)), wanted, atol=1e-12)


def test_other_windows():
    kaiser = run(lambda: tf.signal.kaiser_window(8, 5.0, tf.float64))
    np.testing.assert_allclose(kaiser, np.kaiser(8, 5.0))
    derived = run(lambda: tf.signal.kaiser_bessel_derived_window(8, 5.0, tf.float64))
    np.testing.assert_allclose(derived, scipy.signal.windows.kaiser_bessel_derived(8, 5.0, sym=True))
    vorbis = run(lambda: tf.signal.vorbis_window(8, tf.float64))
    np.testing.assert_allclose(vorbis[:4] ** 2 + vorbis[4:] ** 2, 1)


def test_windows_are_floating():
    with tf.Graph().as_default(), pytest.raises(ValueError, match="dtype must be a floating point type"):
        tf.signal.hann_window(4, dtype=tf.int32)


@pytest.mark.parametrize(("length", "step", "points"), [(8, 2, None), (8, 4, 16), (6, 3, None)])
def test_a_signal_comes_back(length, step, points):
    def build(x):
        inverse = tf.signal.inverse_stft_window_fn(step)
        return tf.signal.inverse_stft(tf.signal.stft(x, length, step, points), length, step, points, inverse)

    found = run(build, X)
    inner = slice(length, found.shape[-1] - length)
    np.testing.assert_allclose(found[:, inner], X[:, inner], atol=1e-9)


@pytest.mark.parametrize("window", [tf.signal.vorbis_window, tf.signal.kaiser_bessel_derived_window, None])
@pytest.mark.parametrize("norm", [None, "ortho"])
def test_a_signal_comes_back_from_halved_frames(norm, window):
    def build(x):
        return tf.signal.inverse_mdct(tf.signal.mdct(x, 8, window, norm=norm), window, norm)

    np.testing.assert_allclose(run(build, X)[:, 4:-4], X[:, 4 : 4 * (23 // 4) - 4], atol=1e-9)


@pytest.mark.parametrize("norm", [None, "ortho"])
@pytest.mark.parametrize("n", [None, 4, 12])
@pytest.mark.parametrize("kind", [1, 2, 3, 4])
def test_cosine_transforms(kind, n, norm):
    if kind == 1 and norm:
        with (
            tf.Graph().as_default(),
            pytest.raises(ValueError, match="Normalization is not supported for the Type-I DCT"),
        ):
            tf.spectral.dct(BINS, 1, norm=norm)
        return
    found = run(lambda x: tf.spectral.dct(x, kind, n, norm=norm), BINS)
    np.testing.assert_allclose(found, scipy.fft.dct(BINS, kind, n, norm=norm), atol=1e-9)
    back = run(lambda x: tf.spectral.idct(x, kind, norm=norm), found)
    whole = np.pad(BINS, ((0, 0), (0, 2)))[:, : n or 10]
    factor = 1 if norm else 2 * (whole.shape[1] - (kind == 1))
    np.testing.assert_allclose(back / factor, whole, atol=1e-9)


@pytest.mark.parametrize("axes", [None, 0, -1, [0, 1], [1]])
def test_shifts(axes):
    for name in ("fftshift", "ifftshift"):
        for x in (BINS, X):
            found = run(lambda x, name=name: getattr(tf.signal, name)(x, axes), x)
            np.testing.assert_array_equal(found, getattr(np.fft, name)(x, axes))


def test_mel_triangles():
    weights = run(lambda: tf.signal.linear_to_mel_weight_matrix(10, 65, 16000, 80.0, 7600.0, tf.float64))
    assert weights.shape == (65, 10)
    assert not weights[0].any()
    mel = 1127 * np.log(1 + np.linspace(0, 8000, 65) / 700)
    edges = np.linspace(1127 * np.log(1 + 80 / 700), 1127 * np.log(1 + 7600 / 700), 12)
    for i in range(10):
        expected = np.interp(mel, edges[i : i + 3], [0, 1, 0])
        np.testing.assert_allclose(weights[1:, i], expected[1:], atol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0,), "num_mel_bins must be positive. Got: 0"),
        ((20, 129, 8000, -1.0), "lower_edge_hertz must be non-negative. Got: -1"),
        ((20, 129, 8000, 200.0, 100.0), "lower_edge_hertz 200.0 >= upper_edge_hertz 100.0"),
        ((20, 129, 8000, 125.0, 5000.0), "must not be larger than the Nyquist frequency"),
        ((20, 129, 0), "sample_rate must be positive. Got: 0"),
    ],
)
def test_mel_scales_are_checked(arguments, words):
    with tf.Graph().as_default(), pytest.raises(ValueError, match=words):
        tf.signal.linear_to_mel_weight_matrix(*arguments)


def test_cepstra():
    found = run(tf.signal.mfccs_from_log_mel_spectrograms, BINS)
    np.testing.assert_allclose(found, scipy.fft.dct(BINS, 2) / np.sqrt(20), atol=1e-9)


def test_contrib_knows_the_same_names():
    assert tf.contrib.signal.stft is tf.signal.stft
