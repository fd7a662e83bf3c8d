"""`tf.keras.datasets.mnist` and `tf.keras.utils.get_file`: files that must be on this machine. Nothing is downloaded."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np


def load_data(path: str = "mnist.npz") -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Return (images, labels) of training and (images, labels) of test, as uint8 arrays.

    Args:
      path: a file, or its name in ~/.keras/datasets.

    Raises:
      FileNotFoundError: when it is in neither place; nothing is downloaded.
    """
    for candidate in (Path(path), Path.home() / ".keras" / "datasets" / path):
        if candidate.is_file():
            with np.load(candidate) as arrays:
                return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])
    raise FileNotFoundError(
        f"{path} is neither here nor in {Path.home() / '.keras' / 'datasets'}, and nothing is downloaded: put MNIST's npz "
        "file there"
    )


def to_categorical(y: Any, num_classes: int | None = None, dtype: str = "float32") -> Any:
    """Return rows with a 1 at each class."""
    classes = np.asarray(y, int)
    if classes.ndim > 1 and classes.shape[-1] == 1:
        classes = classes[..., 0]
    return np.eye(num_classes or int(classes.max()) + 1, dtype=dtype)[classes]


def get_file(
    fname: Any, origin: str, untar: bool = False, md5_hash: str | None = None, file_hash: str | None = None,
    cache_subdir: str = "datasets", hash_algorithm: str = "auto", extract: bool = False, archive_format: str | None = "auto",
    cache_dir: Any = None,
) -> str:  # fmt: skip
    """Return the path of a file in keras's cache; of the unpacked folder, without the archive's suffix, with `untar`.

    Args:
      fname: the file's name. origin: where it is published, which the error tells.
      untar: the file there is `fname` with .tar.gz behind it, and is unpacked. extract: unpack an archive beside it.
      md5_hash, file_hash: what its hash must be. hash_algorithm: "md5", "sha256", or "auto" for the one of that length.
      cache_dir: ~/.keras when None. cache_subdir: the folder in it, or a path. archive_format: "tar", "zip"; told when "auto".

    Raises:
      FileNotFoundError: when the file is not there. ValueError: when its hash is another one.
    """
    folder = os.path.join(os.fspath(cache_dir) if cache_dir else Path.home() / ".keras", cache_subdir)
    path = os.path.join(folder, os.fspath(fname))
    archive = f"{path}.tar.gz" if untar else path
    if untar and os.path.isdir(path):
        return path
    if not os.path.exists(archive):
        raise FileNotFoundError(
            f"{archive} is not there, and nothing is downloaded: put there what is published at {origin}"
        )
    _check_hash(archive, file_hash or md5_hash, hash_algorithm)
    if untar or extract:
        shutil.unpack_archive(archive, folder, None if archive_format in ("auto", None) or untar else archive_format)
    return path


def _check_hash(path: str, wanted: str | None, algorithm: str) -> None:
    if wanted is None:
        return
    kind = algorithm if algorithm != "auto" else "sha256" if len(wanted) == 64 else "md5"
    found = hashlib.new(kind, Path(path).read_bytes()).hexdigest()
    if found != wanted:
        raise ValueError(f"{path} has the {kind} hash {found}, and should have {wanted}")
