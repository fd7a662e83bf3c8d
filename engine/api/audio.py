"""`tf.audio`."""

from ...ops.io.wav import decode_wav, encode_wav

__all__ = ["decode_wav", "encode_wav"]
