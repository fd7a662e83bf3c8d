"""`tf.contrib.learn.datasets.base`: tables in CSV files as arrays. Nothing is downloaded."""

from __future__ import annotations

import csv
from collections import namedtuple
from typing import Any

import numpy as np

from ...interop.mnist import Datasets
from ...program.files import GFile

__all__ = ["Dataset", "Datasets", "load_csv_with_header", "load_csv_without_header"]
Dataset = namedtuple("Dataset", ["data", "target"])


def load_csv_with_header(filename: Any, target_dtype: Any, features_dtype: Any, target_column: int = -1) -> Dataset:
    """Return the rows of a file whose first line says how many rows and features there are.

    Args:
      target_dtype, features_dtype: the arrays' types. target_column: which column is the target.
    """
    with GFile(filename) as file:
        rows = csv.reader(file.read().splitlines())
        header = next(rows)
        count, width = int(header[0]), int(header[1])
        data, target = np.zeros((count, width), features_dtype), np.zeros((count,), target_dtype)
        for i, row in enumerate(rows):
            target[i] = np.asarray(row.pop(target_column), dtype=target_dtype)
            data[i] = np.asarray(row, dtype=features_dtype)
    return Dataset(data=data, target=target)


def load_csv_without_header(filename: Any, target_dtype: Any, features_dtype: Any, target_column: int = -1) -> Dataset:
    """Return the rows of a file; see `load_csv_with_header`."""
    data, target = [], []
    with GFile(filename) as file:
        for row in csv.reader(file.read().splitlines()):
            target.append(row.pop(target_column))
            data.append(np.asarray(row, dtype=features_dtype))
    return Dataset(data=np.array(data), target=np.array(target, dtype=target_dtype))
