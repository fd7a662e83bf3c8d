"""`tensorflow.examples.tutorials.mnist.input_data`: MNIST from its four idx files, as the tutorials read it.

Nothing is downloaded: the files must be in the folder, as they are published (`.gz`) or unpacked.
"""

from __future__ import annotations

import gzip
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np

from ...ops.core.dtypes import as_dtype, float32
from ...ops.random.seeds import get_seed

__all__ = [
    "DataSet",
    "Datasets",
    "dense_to_one_hot",
    "extract_images",
    "extract_labels",
    "load_mnist",
    "read_data_sets",
]

Array = Any
Datasets = namedtuple("Datasets", ["train", "validation", "test"])
FILES = {
    "train": ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
    "test": ("t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"),
}
_IMAGES, _LABELS = 2051, 2049


class DataSet:
    """Images and labels that are handed out in shuffled batches.

    State: `_order`, what is still to come in this epoch starts at `_at`; `epochs_completed` counts the epochs.
    """

    def __init__(
        self, images: Any, labels: Any, fake_data: bool = False, one_hot: bool = False, dtype: Any = float32,
        reshape: bool = True, seed: int | None = None,
    ) -> None:  # fmt: skip
        seed1, seed2 = get_seed(seed)
        self._random = np.random.RandomState(seed1 if seed is None else seed2)
        kind = as_dtype(dtype).base_dtype
        if kind.name not in ("uint8", "float32"):
            raise TypeError(f"Invalid image dtype {kind!r}, expected uint8 or float32")
        self.one_hot, self._fake = one_hot, fake_data
        self._at, self._epochs = 0, 0
        if fake_data:
            self._examples = 10000
        else:
            if images.shape[0] != labels.shape[0]:
                raise AssertionError(f"images.shape: {images.shape} labels.shape: {labels.shape}")
            self._examples = images.shape[0]
            if reshape:
                images = images.reshape(images.shape[0], -1)
            if kind.name == "float32":
                images = np.multiply(images.astype(np.float32), np.float32(1.0 / 255.0))
        self._images, self._labels = images, labels

    @property
    def images(self) -> Array:
        """The images, in the order of the current epoch."""
        return self._images

    @property
    def labels(self) -> Array:
        """The labels, in the order of the current epoch."""
        return self._labels

    @property
    def num_examples(self) -> int:
        """The number of images."""
        return int(self._examples)

    @property
    def epochs_completed(self) -> int:
        """How often all images were handed out."""
        return self._epochs

    def next_batch(self, batch_size: int, fake_data: bool = False, shuffle: bool = True) -> tuple[Any, Any]:
        """Return the next images and labels; a batch across the end of an epoch takes the rest from the next one."""
        if fake_data or self._fake:
            label = [1] + [0] * 9 if self.one_hot else 0
            return [[1] * 784 for _ in range(batch_size)], [label for _ in range(batch_size)]
        start = self._at
        if self._epochs == 0 and start == 0 and shuffle:
            self._shuffle()
        if start + batch_size <= self._examples:
            self._at = start + batch_size
            return self._images[start : self._at], self._labels[start : self._at]
        self._epochs += 1
        rest = self._images[start:], self._labels[start:]
        if shuffle:
            self._shuffle()
        self._at = batch_size - len(rest[0])
        return np.concatenate([rest[0], self._images[: self._at]]), np.concatenate([rest[1], self._labels[: self._at]])

    def _shuffle(self) -> None:
        order = np.arange(self._examples)
        self._random.shuffle(order)
        self._images, self._labels = self._images[order], self._labels[order]


def _bytes(file: Any) -> bytes:
    data: bytes = file.read()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def _header(data: bytes, wanted: int, what: str, name: str) -> list[int]:
    """Return the sizes that an idx file gives; ValueError when it is another kind of file."""
    magic = int.from_bytes(data[:4], "big")
    if magic != wanted:
        raise ValueError(f"Invalid magic number {magic} in MNIST {what} file: {name}")
    return [int.from_bytes(data[4 * i + 4 : 4 * i + 8], "big") for i in range(magic & 0xFF)]


def extract_images(f: Any) -> Array:
    """Return uint8 images [count, height, width, 1] from an open idx file."""
    data = _bytes(f)
    count, height, width = _header(data, _IMAGES, "image", getattr(f, "name", "?"))
    return np.frombuffer(data, np.uint8, count * height * width, 16).reshape(count, height, width, 1)


def extract_labels(f: Any, one_hot: bool = False, num_classes: int = 10) -> Array:
    """Return uint8 labels [count], or one-hot ones [count, classes], from an open idx file."""
    data = _bytes(f)
    (count,) = _header(data, _LABELS, "label", getattr(f, "name", "?"))
    labels = np.frombuffer(data, np.uint8, count, 8)
    return dense_to_one_hot(labels, num_classes) if one_hot else labels


def dense_to_one_hot(labels_dense: Array, num_classes: int) -> Array:
    """Return float64 rows with a 1 at each label."""
    return np.eye(num_classes)[labels_dense]


def _open(folder: Any, name: str) -> Any:
    for candidate in (Path(folder, name), Path(folder, name.removesuffix(".gz"))):
        if candidate.is_file():
            return candidate.open("rb")
    raise FileNotFoundError(
        f"{Path(folder, name)} is not there, packed or unpacked, and nothing is downloaded: put MNIST's files "
        f"{', '.join(n for pair in FILES.values() for n in pair)} into {folder}"
    )


def _read(folder: Any, part: str, one_hot: bool) -> tuple[Array, Array]:
    images, labels = FILES[part]
    with _open(folder, images) as file:
        found = extract_images(file)
    with _open(folder, labels) as file:
        return found, extract_labels(file, one_hot=one_hot)


def read_data_sets(
    train_dir: Any, fake_data: bool = False, one_hot: bool = False, dtype: Any = float32, reshape: bool = True,
    validation_size: int = 5000, seed: int | None = None, source_url: str | None = None,
) -> Datasets:  # fmt: skip
    """Return MNIST as `train`, `validation` and `test`.

    Args:
      train_dir: the folder of the four idx files.
      fake_data: give constant batches, and read nothing.
      one_hot: give labels as rows with a 1.
      dtype: uint8 for 0 to 255, float32 for 0 to 1.
      reshape: give images as rows of 784 numbers.
      validation_size: how many of the 60,000 training images become the validation set.
      seed: of the shuffling.
      source_url: not used, as nothing is downloaded.

    Raises:
      FileNotFoundError: naming the file that is missing. ValueError: when a file is no idx file, or there are too few images.
    """
    options: dict[str, Any] = {"dtype": dtype, "reshape": reshape, "seed": seed}
    if fake_data:
        return Datasets(*(DataSet([], [], fake_data=True, one_hot=one_hot, dtype=dtype, seed=seed) for _ in range(3)))
    images, labels = _read(train_dir, "train", one_hot)
    if not 0 <= validation_size <= len(images):
        raise ValueError(f"Validation size should be between 0 and {len(images)}. Received: {validation_size}.")
    return Datasets(
        train=DataSet(images[validation_size:], labels[validation_size:], **options),
        validation=DataSet(images[:validation_size], labels[:validation_size], **options),
        test=DataSet(*_read(train_dir, "test", one_hot), **options),
    )


def load_mnist(train_dir: str = "MNIST-data") -> Datasets:
    """Return `read_data_sets(train_dir)`."""
    return read_data_sets(train_dir)
