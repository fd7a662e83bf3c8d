"""`tf.contrib.slim`'s data sets: files, what reads and decodes them, and threads that keep records ready."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...ops.core.scopes import name_scope
from ...ops.io.summaries import scalar_
from ...ops.math import cast
from ...ops.queue import FIFOQueue, PaddingFIFOQueue, RandomShuffleQueue
from ..program import files
from ..queues import QueueRunner, add_queue_runner
from ..queues.input import string_input_producer


class Dataset:
    """A data set: where it is, how it is read and decoded, and further facts as attributes.

    Args:
      data_sources: paths of files, with wildcards if wanted. reader: a class of readers, such as `tf.TFRecordReader`.
      decoder: makes items of a record. num_samples: how many records there are, None when it is not known.
      items_to_descriptions: what each item is.
    """

    def __init__(
        self,
        data_sources: Any,
        reader: Any,
        decoder: Any,
        num_samples: int | None,
        items_to_descriptions: Any,
        **kwargs: Any,
    ) -> None:
        kwargs |= {
            "data_sources": data_sources, "reader": reader, "decoder": decoder, "num_samples": num_samples,
            "items_to_descriptions": items_to_descriptions,
        }  # fmt: skip
        vars(self).update(kwargs)


class DataProvider:
    """Gives tensors by the names of items."""

    def __init__(self, items_to_tensors: dict[str, Any], num_samples: int | None) -> None:
        self._items, self._count = items_to_tensors, num_samples

    def get(self, items: Any) -> list[Any]:
        """Return the tensors of the items that are named.

        Raises:
          ValueError: for an item that there is not.
        """
        lacking = [item for item in items if item not in self._items]
        if lacking:
            raise ValueError(f"Items {lacking} are not there; there are {self.list_items()}")
        return [self._items[item] for item in items]

    def list_items(self) -> list[str]:
        """Return the names of the items."""
        return list(self._items)

    def num_samples(self) -> int | None:
        """Return how many records the data set has."""
        return self._count


class DatasetDataProvider(DataProvider):
    """Gives the items of one record of a data set after the other.

    Args:
      num_readers: how many threads read. reader_kwargs: of the reader class. shuffle: whether files and records are shuffled.
      num_epochs: how often the files are read; for ever by default.
      common_queue_capacity, common_queue_min: of the queue that records wait in.
      record_key: the item that names the record.

    Raises:
      ValueError: when the data set has an item called like the record's name.
    """

    def __init__(
        self, dataset: Any, num_readers: int = 1, reader_kwargs: Any = None, shuffle: bool = True,
        num_epochs: int | None = None, common_queue_capacity: int = 256, common_queue_min: int = 128,
        record_key: str = "record_key", seed: int | None = None, scope: str | None = None,
    ) -> None:  # fmt: skip
        key, data = parallel_read(
            dataset.data_sources, dataset.reader, num_epochs, num_readers, reader_kwargs, shuffle, dtypes=None,
            capacity=common_queue_capacity, min_after_dequeue=common_queue_min, seed=seed, scope=scope,
        )  # fmt: skip
        names = dataset.decoder.list_items()
        if record_key in names:
            raise ValueError(
                f"The item name used for `record_key` cannot also be used for a dataset item: {record_key}"
            )
        items = dict(zip(names, dataset.decoder.decode(data, names), strict=True))
        super().__init__({**items, record_key: key}, dataset.num_samples)


class ParallelReader:
    """Reads records by several readers at once, which put them into one queue.

    Args:
      reader_class: what makes a reader. common_queue: where records go. reader_kwargs: what `reader_class` takes.
    """

    def __init__(
        self, reader_class: Callable[..., Any], common_queue: Any, num_readers: int = 4, reader_kwargs: Any = None
    ) -> None:
        self._readers = [reader_class(**(reader_kwargs or {})) for _ in range(num_readers)]
        self._queue = common_queue

    @property
    def common_queue(self) -> Any:
        """The queue that records go to."""
        return self._queue

    def read(self, queue: Any, name: str | None = None) -> tuple[Any, Any]:
        """Return the key and the value of the next record of the files that `queue` names."""
        self._fill([reader.read(queue) for reader in self._readers])
        key, value = self._queue.dequeue(name=name)
        return key, value

    def read_up_to(self, queue: Any, num_records: int, name: str | None = None) -> tuple[Any, Any]:
        """Return the keys and the values of as many records, fewer at the end."""
        records = [reader.read_up_to(queue, num_records) for reader in self._readers]
        self._fill(records, many=True)
        keys, values = self._queue.dequeue_up_to(num_records, name)
        return keys, values

    def _fill(self, records: list[Any], many: bool = False) -> None:
        enqueue = self._queue.enqueue_many if many else self._queue.enqueue
        add_queue_runner(QueueRunner(self._queue, [enqueue(record) for record in records]))


def parallel_read(
    data_sources: Any, reader_class: Callable[..., Any], num_epochs: int | None = None, num_readers: int = 4,
    reader_kwargs: Any = None, shuffle: bool = True, dtypes: Any = None, capacity: int = 256, min_after_dequeue: int = 128,
    seed: int | None = None, scope: str | None = None,
) -> tuple[Any, Any]:  # fmt: skip
    """Return the key and the value of the next record of files, read by several threads.

    Args:
      data_sources: paths, with wildcards if wanted. reader_class: such as `tf.TFRecordReader`; reader_kwargs: what it takes.
      num_epochs: how often the files are read. num_readers: how many threads. shuffle: whether files and records are shuffled.
      dtypes: of key and value, strings by default. capacity, min_after_dequeue: of the queue that records wait in.

    Raises:
      ValueError: when there are no such files.
    """
    paths = get_data_files(data_sources)
    with name_scope(scope, "parallel_read"):
        names = string_input_producer(paths, num_epochs=num_epochs, shuffle=shuffle, seed=seed, name="filenames")
        kinds = dtypes or ["string", "string"]
        if shuffle:
            queue: Any = RandomShuffleQueue(capacity, min_after_dequeue, kinds, seed=seed, name="common_queue")
        else:
            queue = FIFOQueue(capacity, kinds, name="common_queue")
        scalar_(f"fraction_of_{capacity}_full", cast(queue.size(), "float32") * (1.0 / capacity))
        return ParallelReader(reader_class, queue, num_readers, reader_kwargs).read(names)


def single_pass_read(
    data_sources: Any, reader_class: Callable[..., Any], reader_kwargs: Any = None, scope: str | None = None
) -> tuple[Any, Any]:
    """Return the key and the value of the next record of files, each read once and in order."""
    with name_scope(scope, "single_pass_read"):
        names = string_input_producer(
            get_data_files(data_sources), num_epochs=1, shuffle=False, capacity=1, name="filenames"
        )
        key, value = reader_class(**(reader_kwargs or {})).read(names)
        return key, value


def get_data_files(data_sources: Any) -> list[str]:
    """Return the paths of files, wildcards resolved; ValueError when there are none."""
    if isinstance(data_sources, list | tuple):
        found = [path for source in data_sources for path in get_data_files(source)]
    else:
        found = list(files.glob_v1(data_sources)) if set(data_sources) & set("*?[") else [data_sources]
    if not found:
        raise ValueError(f"No data files found in {data_sources}")
    return found


def prefetch_queue(
    tensors: Any, capacity: int = 8, num_threads: int = 1, dynamic_pad: bool = False, shared_name: str | None = None,
    name: str | None = None,
) -> Any:  # fmt: skip
    """Return a queue in which threads keep batches ready.

    Args:
      tensors: a list or dict of tensors; `dequeue()` gives the same.
      capacity: how many wait. num_threads: how many threads put them there.
      dynamic_pad: whether shapes may have dimensions that are not known.
    """
    listed = list(tensors.values()) if isinstance(tensors, dict) else list(tensors)
    names = list(tensors) if isinstance(tensors, dict) else None
    with name_scope(name, "prefetch_queue", listed):
        kinds, shapes = [t.dtype for t in listed], [t.shape for t in listed]
        make = PaddingFIFOQueue if dynamic_pad else FIFOQueue
        queue = make(capacity, kinds, shapes, names=names, shared_name=shared_name)
        add_queue_runner(QueueRunner(queue, [queue.enqueue(tensors)] * num_threads))
        scalar_(f"fraction_of_{capacity}_full", cast(queue.size(), "float32") * (1.0 / capacity))
        return queue


__all__ = [
    "DataProvider", "Dataset", "DatasetDataProvider", "ParallelReader", "get_data_files", "parallel_read",
    "prefetch_queue", "single_pass_read",
]  # fmt: skip
