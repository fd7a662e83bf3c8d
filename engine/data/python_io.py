"""`tf.python_io`: writing and reading TFRecord files without a graph."""

from __future__ import annotations

from collections.abc import Iterator
from os import fspath
from typing import Any

from ...ops.io.record_writer import Packing, RecordWriter
from ...ops.io.records import read_records


class TFRecordCompressionType:
    """The ways in which a TFRecord file may be compressed."""

    NONE = 0
    ZLIB = 1
    GZIP = 2


_NAMES = {TFRecordCompressionType.NONE: "", TFRecordCompressionType.ZLIB: "ZLIB", TFRecordCompressionType.GZIP: "GZIP"}


class TFRecordOptions:
    """How a TFRecord file is written or read: its compression, and what zlib takes besides.

    Args:
      compression_type: "GZIP", "ZLIB", "" (none), or a TFRecordCompressionType.
      compression_level, compression_method, window_bits, mem_level, compression_strategy: zlib's, for writing.
      flush_mode: zlib's, for what was gathered in `input_buffer_size` bytes, when compressed files are written.
      output_buffer_size: how many bytes go to the file at once.
    """

    compression_type_map = _NAMES

    def __init__(
        self, compression_type: Any = None, flush_mode: int | None = None, input_buffer_size: int | None = None,
        output_buffer_size: int | None = None, window_bits: int | None = None, compression_level: int | None = None,
        compression_method: int | None = None, mem_level: int | None = None, compression_strategy: int | None = None,
    ) -> None:  # fmt: skip
        self.compression_type = self.get_compression_type_string(compression_type)
        self.flush_mode = flush_mode
        self.input_buffer_size, self.output_buffer_size = input_buffer_size, output_buffer_size
        self.window_bits = window_bits
        self.compression_level, self.compression_method = compression_level, compression_method
        self.mem_level, self.compression_strategy = mem_level, compression_strategy

    def packing(self) -> Packing:
        """Return what a writer takes of these."""
        given = {
            "level": self.compression_level, "method": self.compression_method, "window_bits": self.window_bits,
            "mem_level": self.mem_level, "strategy": self.compression_strategy, "flush_mode": self.flush_mode,
            "input_buffer_size": self.input_buffer_size, "output_buffer_size": self.output_buffer_size,
        }  # fmt: skip
        return Packing(**{name: value for name, value in given.items() if value is not None})

    @classmethod
    def get_compression_type_string(cls, options: Any) -> str:
        """Return the name of a compression, given as options, a TFRecordCompressionType or a name.

        Raises:
          ValueError: when it is none.
        """
        if not options:
            return ""
        if isinstance(options, TFRecordOptions):
            return options.compression_type
        if isinstance(options, int):
            options = _NAMES.get(options, options)
        if options not in ("", "GZIP", "ZLIB", "NONE"):
            raise ValueError(f"Not a valid compression_type: {options!r}")
        return "" if options == "NONE" else str(options)


class TFRecordWriter:
    """Writes records to a TFRecord file, which replaces one of that name; a context manager.

    Args:
      path: the file.
      options: TFRecordOptions, or a TFRecordCompressionType.

    Raises:
      NotFoundError: when its folder does not exist.
    """

    def __init__(self, path: Any, options: Any = None) -> None:
        if not isinstance(options, TFRecordOptions):
            options = TFRecordOptions(options)
        self._writer = RecordWriter(fspath(path), options.compression_type, options.packing())

    def __enter__(self) -> TFRecordWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def write(self, record: bytes) -> None:
        """Append a record.

        Raises:
          TypeError: when it is no byte string. FailedPreconditionError: when the writer is closed.
        """
        if not isinstance(record, bytes | bytearray | memoryview):
            raise TypeError(f"A record is a byte string, not {type(record).__name__}: {record!r:.100}")
        self._writer.write(bytes(record))

    def flush(self) -> None:
        """Hand what was written to the file."""
        self._writer.flush()

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()


def tf_record_iterator(path: Any, options: Any = None) -> Iterator[bytes]:
    """Yield the records of a TFRecord file.

    Args:
      path: the file.
      options: TFRecordOptions, or a TFRecordCompressionType.

    Raises:
      NotFoundError: when there is no such file. DataLossError: when it is damaged.
    """
    return read_records(fspath(path), TFRecordOptions.get_compression_type_string(options))
