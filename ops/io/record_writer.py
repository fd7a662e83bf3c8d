"""Writing TFRecord files, plain or compressed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

from ..core import errors
from .files import failure
from .records import framed

_BITS = {"ZLIB": 15, "GZIP": 31}


@dataclass(frozen=True)
class Packing:
    """How records are compressed and buffered: zlib's own words, `window_bits` by the kind of file where it is None.

    `flush_mode` says how what was gathered in `input_buffer_size` bytes is flushed: not at all with Z_NO_FLUSH.
    """

    level: int = -1
    method: int = zlib.DEFLATED
    window_bits: int | None = None
    mem_level: int = 9
    strategy: int = zlib.Z_DEFAULT_STRATEGY
    flush_mode: int = zlib.Z_NO_FLUSH
    input_buffer_size: int = 1 << 18
    output_buffer_size: int = 1 << 18

    def compressor(self, compression: str) -> Any:
        """Return zlib's compressor, None for plain files; InvalidArgumentError for numbers that zlib does not take."""
        bits = _BITS.get(compression)
        if bits is None:
            return None
        try:
            return zlib.compressobj(self.level, self.method, self.window_bits or bits, self.mem_level, self.strategy)
        except (ValueError, OverflowError) as error:
            raise errors.InvalidArgumentError(None, None, f"zlib does not take {self}: {error}") from error


class RecordWriter:
    """Writes records to a file, which replaces one of that name; a context manager.

    State: the file, the compressor, and how many bytes this has got since it was flushed.

    Args:
      path: the file.
      compression: "ZLIB", "GZIP" or "" for none.
      packing: how to compress and to buffer.

    Raises:
      NotFoundError: when its folder does not exist.
    """

    def __init__(self, path: str, compression: str = "", packing: Packing | None = None) -> None:
        self._packing = packing or Packing()
        self._compressor = self._packing.compressor(compression)
        self._gathered = 0
        try:
            self._file = open(path, "wb", buffering=max(2, self._packing.output_buffer_size))  # noqa: SIM115
        except OSError as error:
            raise failure(error, path) from error

    def __enter__(self) -> RecordWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def write(self, record: bytes) -> None:
        """Append a record; FailedPreconditionError when the writer is closed."""
        self._check()
        data = framed(record)
        self._file.write(data if self._compressor is None else self._packed(data))

    def _packed(self, data: bytes) -> bytes:
        """Compress, and flush first what was gathered when this is too much for the buffer."""
        before = b""
        if self._gathered + len(data) > self._packing.input_buffer_size and self._gathered:
            before = self._compressor.flush(self._packing.flush_mode) if self._packing.flush_mode else b""
            self._gathered = 0
        self._gathered += len(data)
        return before + bytes(self._compressor.compress(data))

    def flush(self) -> None:
        """Hand what was written to the file."""
        self._check()
        if self._compressor is not None:
            self._file.write(self._compressor.flush(zlib.Z_SYNC_FLUSH))
        self._file.flush()

    def close(self) -> None:
        """Finish the file."""
        if self._file.closed:
            return
        if self._compressor is not None:
            self._file.write(self._compressor.flush())
        self._file.close()

    def _check(self) -> None:
        if self._file.closed:
            raise errors.FailedPreconditionError(None, None, "Writer is closed.")
