"""`tf.data`."""

from ..data.dataset import Dataset
from ..data.experimental import Options
from ..data.iterator import Iterator
from ..data.readers import FixedLengthRecordDataset, TextLineDataset, TFRecordDataset
from . import data_experimental as experimental

__all__ = [
    "Dataset", "FixedLengthRecordDataset", "Iterator", "Options", "TFRecordDataset", "TextLineDataset", "experimental",
]  # fmt: skip
