"""Files and the clock: reading and writing whole files, finding their names, telling the time.

TensorFlow declares reading stateless although files change; `blocking` and a static value of None keep every plan and shape
rule from reading early. Failures of the file system become TensorFlow's error classes by errno.
"""

from __future__ import annotations

import errno
import fnmatch
import glob
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import errors
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import no_outputs, scalar
from ..core.shapes import Shape

_BY_ERRNO: dict[int | None, type[errors.OpError]] = {
    errno.ENOENT: errors.NotFoundError,
    errno.ENOTDIR: errors.FailedPreconditionError,
    errno.EISDIR: errors.FailedPreconditionError,
    errno.EACCES: errors.PermissionDeniedError,
    errno.EPERM: errors.PermissionDeniedError,
    errno.EROFS: errors.PermissionDeniedError,
    errno.EEXIST: errors.AlreadyExistsError,
    errno.ENOSPC: errors.ResourceExhaustedError,
    errno.EMFILE: errors.ResourceExhaustedError,
    errno.ENAMETOOLONG: errors.InvalidArgumentError,
}


def failure(error: OSError, path: str) -> errors.OpError:
    """Return the error of TensorFlow's that says what the file system said of a path."""
    kind = _BY_ERRNO.get(error.errno, errors.UnknownError)
    return kind(None, None, f"{path}; {error.strerror or error}")


def _path(filename: Array) -> str:
    if np.ndim(filename):
        raise errors.InvalidArgumentError(
            None, None, f"Input filename tensor must be scalar, not of shape {list(np.shape(filename))}"
        )
    path = os.fsdecode(np.asarray(filename).item())
    if "\0" in path:
        raise errors.InvalidArgumentError(None, None, f"The file name {path!r} holds a null byte")
    return path


def _not_known(node: Operation) -> None:
    """Keep files from being read while the graph is built."""


def _scalar_path(node: Operation) -> Shape:
    dims = node.inputs[0].dims
    if dims:
        raise ValueError(f"Shape must be rank 0 but is rank {len(dims)}")
    return ()


def _strings(values: list[bytes]) -> Array:
    result = np.empty(len(values), object)
    result[:] = values
    return result


@op(
    "ReadFile", types="filename: string -> contents: string", shape=_scalar_path, blocking=True, devices="CPU",
    static_value=_not_known, differentiable=False,
)  # fmt: skip
def read_file_op(xp: Namespace, filename: Array) -> Array:
    """Return the whole contents of a file."""
    path = _path(filename)
    try:
        return _strings([Path(path).read_bytes()]).reshape(())
    except OSError as error:
        raise failure(error, path) from error


@op(
    "WriteFile", types="filename: string, contents: string ->", shape=no_outputs, stateful=True, blocking=True,
    devices="CPU", differentiable=False,
)  # fmt: skip
def write_file_op(xp: Namespace, filename: Array, contents: Array) -> None:
    """Write a string to a file, and make the folders that it needs."""
    path = _path(filename)
    if np.ndim(contents):
        raise errors.InvalidArgumentError(
            None, None, f"Contents tensor must be scalar, not of shape {list(np.shape(contents))}"
        )
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(np.asarray(contents).item())
    except OSError as error:
        raise failure(error, path) from error


@op(
    "MatchingFiles", types="pattern: string -> filenames: string", shape=lambda node: (None,), blocking=True, devices="CPU",
    static_value=_not_known, differentiable=False,
)  # fmt: skip
def matching_files_op(xp: Namespace, pattern: Array) -> Array:
    """Return the sorted names of the files that match any of the patterns; `*` stays within one folder."""
    patterns = [os.fsdecode(item) for item in np.asarray(pattern).reshape(-1).tolist()]
    return _strings(sorted({os.fsencode(name) for item in patterns for name in _matches(item)}))


def _matches(pattern: str) -> list[str]:
    """Return the paths that match; unlike a shell's, TensorFlow's `*` also finds names that begin with a dot."""
    folder, last = os.path.split(pattern)
    folders = glob.glob(folder, include_hidden=True) if glob.has_magic(folder) else [folder]
    found = []
    for parent in folders:
        try:
            names = os.listdir(parent or ".")
        except OSError:
            continue
        found += [os.path.join(parent, name) for name in names if fnmatch.fnmatchcase(name, last)]
    return found


@op("Timestamp", types="-> ts: float64", shape=scalar, stateful=True, devices="CPU", differentiable=False)
def timestamp_op(xp: Namespace) -> Array:
    """Return the seconds since the epoch."""
    return np.float64(time.time())


def read_file(filename: Any, name: str | None = None) -> Tensor:
    """Read the whole of a file into a string scalar.

    Raises:
      NotFoundError, PermissionDeniedError, FailedPreconditionError (for a folder): when the node runs.
    """
    tensor: Tensor = read_file_op(filename, name=name)
    return tensor


def write_file(filename: Any, contents: Any, name: str | None = None) -> Operation:
    """Create an operation that writes a string scalar to a file, and makes the folders that it is in."""
    return write_file_op.node(filename, contents, name=name)


def matching_files(pattern: Any, name: str | None = None) -> Tensor:
    """Find the names of files that match a glob pattern, or any of several; sorted, empty when there are none."""
    tensor: Tensor = matching_files_op(pattern, name=name)
    return tensor


def timestamp(name: str | None = None) -> Tensor:
    """Return the seconds since the epoch at the time when the node runs, as float64."""
    tensor: Tensor = timestamp_op(name=name)
    return tensor
