"""`pywrap_tensorflow.EventsWriter`: what programs log with that write TensorBoard's events themselves."""

from __future__ import annotations

import os
import socket
import time
from typing import Any

from ...ops.core import protos
from ..data.python_io import TFRecordWriter


class EventsWriter:
    """Writes Event protos to a file of its own, `PREFIX.out.tfevents.TIME.HOST`, whose first event names the format."""

    def __init__(self, file_prefix: str | bytes) -> None:
        self._prefix = os.fsdecode(file_prefix)
        self._suffix = ""
        self._path = ""
        self._writer: Any = None

    def InitWithSuffix(self, suffix: str | bytes) -> None:
        """Open the file, its name ending with `suffix`."""
        self._suffix = os.fsdecode(suffix)
        self._open()

    def _open(self) -> Any:
        if self._writer is None:
            self._path = f"{self._prefix}.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}{self._suffix}"
            self._writer = TFRecordWriter(self._path)
            self.WriteEvent(protos.Event(wall_time=time.time(), file_version="brain.Event:2"))
        return self._writer

    def FileName(self) -> bytes:
        """Return the file's path."""
        self._open()
        return os.fsencode(self._path)

    def WriteEvent(self, event: Any) -> None:
        """Write an Event."""
        self._open().write(event.SerializeToString())

    def Flush(self) -> bool:
        """Hand what was written to the system."""
        self._open().flush()
        return True

    def Close(self) -> bool:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        return True
