"""MNIST's files: reading them, batches, and what is refused."""

import gzip

import numpy as np
import pytest

from millstream.engine.interop import mnist

COUNTS = {"train": 12, "test": 5}


@pytest.fixture(params=["packed", "unpacked"])
def folder(request, tmp_path):
    generator = np.random.default_rng(0)
    for part, (images, labels) in mnist.FILES.items():
        n = COUNTS[part]
        pixels = generator.integers(0, 256, (n, 4, 3), np.uint8)
        _write(tmp_path, images, np.array([2051, n, 4, 3], ">i4").tobytes() + pixels.tobytes(), request.param)
        _write(tmp_path, labels, np.array([2049, n], ">i4").tobytes() + bytes(range(n)), request.param)
    return tmp_path


def _write(folder, name, data, form):
    if form == "packed":
        (folder / name).write_bytes(gzip.compress(data))
    else:
        (folder / name.removesuffix(".gz")).write_bytes(data)


def test_reading(folder):
    data = mnist.read_data_sets(str(folder), validation_size=2)
    assert [part.num_examples for part in data] == [10, 2, 5]
    assert data.train.images.shape == (10, 12) and data.train.images.dtype == np.float32
    assert 0.9 < data.train.images.max() <= 1 and data.validation.labels.tolist() == [0, 1]
    plain = mnist.read_data_sets(folder, reshape=False, dtype="uint8", validation_size=0)
    assert plain.test.images.shape == (5, 4, 3, 1) and plain.test.images.dtype == np.uint8


def test_one_hot(folder):
    with pytest.raises(IndexError):
        mnist.read_data_sets(folder, one_hot=True, validation_size=0)  # labels up to 11
    assert mnist.dense_to_one_hot(np.array([1, 0]), 3).tolist() == [[0, 1, 0], [1, 0, 0]]


def test_batches_go_through_all_examples(folder):
    train = mnist.read_data_sets(folder, validation_size=2, seed=7).train
    first = [label for _ in range(2) for label in train.next_batch(4)[1]]
    images, labels = train.next_batch(4)
    assert train.epochs_completed == 1 and images.shape == (4, 12)
    assert sorted([*first, *labels[:2]]) == list(range(2, 12))
    again = mnist.read_data_sets(folder, validation_size=2, seed=7).train
    assert [label for _ in range(2) for label in again.next_batch(4)[1]] == first
    ordered = mnist.read_data_sets(folder, validation_size=2).train
    assert ordered.next_batch(3, shuffle=False)[1].tolist() == [2, 3, 4]


def test_refusals(folder):
    with pytest.raises(ValueError, match="between 0 and 12"):
        mnist.read_data_sets(folder, validation_size=13)
    with pytest.raises(TypeError, match="expected uint8 or float32"):
        mnist.read_data_sets(folder, validation_size=0, dtype="int32")
    for path in folder.iterdir():
        path.write_bytes(b"\0\0\0\0")
    with pytest.raises(ValueError, match="Invalid magic number 0 in MNIST image file"):
        mnist.read_data_sets(folder)


def test_nothing_is_downloaded(tmp_path):
    with pytest.raises(FileNotFoundError, match="is not there, packed or unpacked, and nothing is"):
        mnist.read_data_sets(tmp_path)


def test_fake_data():
    data = mnist.read_data_sets("", fake_data=True, one_hot=True)
    images, labels = data.train.next_batch(2)
    assert images == [[1] * 784] * 2 and labels == [[1] + [0] * 9] * 2 and data.test.num_examples == 10000
