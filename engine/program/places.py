"""`tf.sysconfig` and `tf.resource_loader`: where the package and the program's files are."""

from __future__ import annotations

import inspect
import os
from pathlib import Path

from ...ops.core import errors

__all__ = [
    "get_data_files_path",
    "get_path_to_datafile",
    "get_root_dir_with_all_resources",
    "load_resource",
    "readahead_file_path",
]

_PACKAGE = Path(__file__).resolve().parents[2]


def _folder_of_caller() -> str:
    frame = inspect.stack()[2]
    return os.path.dirname(os.path.abspath(frame.filename))


def get_data_files_path() -> str:
    """Return the folder of the file that calls."""
    return _folder_of_caller()


def get_path_to_datafile(path: str) -> str:
    """Return the path of a file beside the one that calls."""
    return os.path.join(_folder_of_caller(), path)


def load_resource(path: str) -> bytes:
    """Return the contents of a file, found from the folder of the one that calls; NotFoundError when there is none."""
    found = Path(_folder_of_caller(), path)
    if not found.is_file():
        raise errors.NotFoundError(None, None, f"{found}; No such file or directory")
    return found.read_bytes()


def get_root_dir_with_all_resources() -> str:
    """Return the folder of the package."""
    return str(_PACKAGE)


def readahead_file_path(path: str, readahead: str = "128M") -> str:
    """Return the path as it is."""
    return path


def _no_library(*_: str) -> str:
    raise errors.UnimplementedError(
        None, None, "there are no C++ headers or libraries to build ops against: write kernels in Python"
    )


def get_include() -> str:
    """Raise UnimplementedError: there are no headers."""
    return _no_library()


def get_lib() -> str:
    """Raise UnimplementedError: there is no library."""
    return _no_library()


def load_op_library(library_filename: str) -> str:
    """Raise UnimplementedError: kernels in C++ cannot be loaded."""
    return _no_library(library_filename)


load_library = load_op_library
load_file_system_library = load_op_library
