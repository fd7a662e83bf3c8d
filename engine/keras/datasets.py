"""`tf.keras.datasets.mnist`: MNIST from keras's file, which must be on this machine."""

from __future__ import annotations

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
