"""WAV files, both ways; bytes and samples are TensorFlow's."""

import numpy as np
import pytest

import millstream as tf
from millstream.ops.core.registry import lookup
from support.opcheck import Row, row_tests, table

AUDIO = np.array([[0.0, 0.5], [-0.25, 1.5], [-1.0, 0.00002], [0.99999, -2.0]])


def decoded(audio, **attrs):
    file = lookup("EncodeWav")(audio, 8000)
    return lookup("DecodeWav")(file, **attrs)


def kept(audio):
    return np.clip(np.round(audio * 32768), -32768, 32767) / 32768, np.int32(8000)


ROWS = table(
    Row("EncodeWav", lambda x: tf.reshape(lookup("EncodeWav")(x, 16000), [1]), [AUDIO], dtypes=("float32",), devices="CPU"),
    Row("DecodeWav", decoded, [AUDIO], kept, dtypes=("float32",), devices="CPU"),
    Row("DecodeWav", lambda x: decoded(x, desired_channels=3, desired_samples=6), [AUDIO], dtypes=("float32",), devices="CPU",
        label="more"),
    Row("DecodeWav", lambda x: decoded(x, desired_channels=1, desired_samples=2), [AUDIO], dtypes=("float32",), devices="CPU",
        label="less"),
)  # fmt: skip

test_forward, test_in_sessions, _ = row_tests(ROWS)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: tf.audio.decode_wav("nothing")[0], "Bad WAV data"),
        (lambda: tf.audio.encode_wav([[0.5]], 0), "must be positive"),
        (lambda: tf.audio.encode_wav([0.5], 1), "2-dimensional"),
    ],
)
def test_errors(build, words) -> None:
    with tf.Graph().as_default(), tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError, match=words):
        session.run(build())
