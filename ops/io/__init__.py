"""Ops that reach outside the graph: messages, Python functions, files, the clock."""

from . import wav as wav
from .files import matching_files, read_file, timestamp, write_file
from .messages import Print
from .python import numpy_function, py_func

__all__ = [
    "Print", "matching_files", "numpy_function", "py_func", "read_file", "timestamp", "write_file",
]  # fmt: skip
