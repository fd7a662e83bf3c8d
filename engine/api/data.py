"""`tf.data`."""

from ..data.dataset import Dataset
from ..data.iterator import Iterator
from ..data.readers import FixedLengthRecordDataset, TextLineDataset, TFRecordDataset

__all__ = ["Dataset", "FixedLengthRecordDataset", "Iterator", "TFRecordDataset", "TextLineDataset"]
