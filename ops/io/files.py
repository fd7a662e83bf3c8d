"""Whole files and the clock: ReadFile, WriteFile, MatchingFiles, Timestamp. On CPUs, in host memory."""

from __future__ import annotations

import glob
import time
from pathlib import Path
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core.errors import FailedPreconditionError, NotFoundError, OpError, PermissionDeniedError, UnknownError
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import no_outputs, scalar

_FAILURES: tuple[tuple[type[OSError], type[OpError]], ...] = (
    (FileNotFoundError, NotFoundError),
    (PermissionError, PermissionDeniedError),
    (IsADirectoryError, FailedPreconditionError),
)


def _failure(error: OSError, name: str) -> OpError:
    kind = next((to for known, to in _FAILURES if isinstance(error, known)), UnknownError)
    return kind(None, None, f"{name}; {error.strerror}")


def _string(data: bytes) -> Array:
    made = np.empty((), object)
    made[()] = data
    return made


@op("ReadFile", types="filename: string -> contents: string", shape=scalar, devices="CPU", differentiable=False)
def read_file_op(xp: Namespace, filename: Array) -> Array:
    """Return the contents of a file."""
    name = filename.item().decode()
    try:
        return _string(Path(name).read_bytes())
    except OSError as error:
        raise _failure(error, name) from error


@op(
    "WriteFile",
    types="filename: string, contents: string ->",
    shape=no_outputs,
    stateful=True,
    devices="CPU",
    differentiable=False,
)
def write_file_op(xp: Namespace, filename: Array, contents: Array) -> None:
    """Write a file, and the folders that it needs."""
    name = filename.item().decode()
    try:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(contents.item())
    except OSError as error:
        raise _failure(error, name) from error


@op(
    "MatchingFiles",
    types="pattern: string -> filenames: string",
    shape=lambda node: (None,),
    devices="CPU",
    differentiable=False,
)
def matching_files_op(xp: Namespace, pattern: Array) -> Array:
    """Return the names of the files that match any of the patterns, sorted."""
    names = sorted({name for item in pattern.ravel().tolist() for name in glob.glob(item.decode())})
    made = np.empty(len(names), object)
    made[:] = [name.encode() for name in names]
    return made


@op("Timestamp", types="-> ts: float64", shape=scalar, stateful=True, devices="CPU", differentiable=False)
def timestamp_op(xp: Namespace) -> Array:
    """Return the seconds since 1970."""
    return np.float64(time.time())


def read_file(filename: Any, name: str | None = None) -> Tensor:
    """Return the contents of a file as a scalar string; NotFoundError at a run when there is none."""
    return read_file_op(filename, name=name)  # type: ignore[no-any-return]


def write_file(filename: Any, contents: Any, name: str | None = None) -> Operation:
    """Return an operation that writes a string to a file, making the folders that it needs."""
    return write_file_op.node(filename, contents, name=name)


def matching_files(pattern: Any, name: str | None = None) -> Tensor:
    """Return the sorted names of the files that match a pattern, or any of several."""
    return matching_files_op(pattern, name=name)  # type: ignore[no-any-return]


def timestamp(name: str | None = None) -> Tensor:
    """Return the seconds since 1970, as a float64 scalar, each time it runs."""
    return timestamp_op(name=name)  # type: ignore[no-any-return]
