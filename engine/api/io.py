"""`tf.io`."""

from ...ops.io import matching_files, read_file, write_file
from . import io_gfile as gfile

__all__ = ["gfile", "matching_files", "read_file", "write_file"]
