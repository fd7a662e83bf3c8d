"""`tf.io`."""

from ...ops.data import (
    FixedLenFeature,
    FixedLenSequenceFeature,
    SparseFeature,
    VarLenFeature,
    decode_json_example,
    parse_example,
    parse_single_example,
    parse_single_sequence_example,
)
from ...ops.io import matching_files, read_file, write_file
from ...ops.strings import decode_raw
from ..data.python_io import TFRecordCompressionType, TFRecordOptions, TFRecordWriter, tf_record_iterator
from . import io_gfile as gfile

__all__ = [
    "FixedLenFeature", "FixedLenSequenceFeature", "SparseFeature", "TFRecordCompressionType", "TFRecordOptions", "TFRecordWriter",
    "VarLenFeature", "decode_json_example", "decode_raw", "gfile", "matching_files", "parse_example", "parse_single_example",
    "parse_single_sequence_example", "read_file", "tf_record_iterator", "write_file",
]  # fmt: skip
