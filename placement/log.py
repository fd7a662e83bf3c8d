"""The placement log: TensorFlow's lines, then the copies, through Python's logging, each once for a session.

Written to the logger `millstream.placement` at level INFO; where no logging is configured, to stderr. A user who asks
for this log wants to see it, so the logger's own level is lowered to INFO unless somebody has set it. Fallbacks are
not part of the log: they warn, once for a node, whether or not the log is on.

State of a PlacementLog: `_told` holds the lines that were written, `_warned` the nodes that were warned of.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Iterable, Sequence

from ..devices.device import Device
from ..ops.core.frames import user_frames
from .assignment import Copy, Row

logger = logging.getLogger("millstream.placement")


def mapping_lines(devices: Sequence[Device]) -> list[str]:
    """Return TensorFlow's `Device mapping:` lines: one for each GPU."""
    gpus = [device for device in devices if device.kind == "GPU"]
    if not gpus:
        return ["Device mapping: no known devices."]
    texts = (device.physical or f"device: {device.index}, name: {device.description}" for device in gpus)
    return ["Device mapping:", *(f"{device.name} -> {text}" for device, text in zip(gpus, texts, strict=True))]


def node_line(row: Row) -> str:
    """Return TensorFlow's line for a node."""
    return f"{row.node}: ({row.op_type}): {row.assigned}"


def size_text(nbytes: int | None) -> str:
    """Return a number of bytes in words."""
    if nbytes is None:
        return "unknown size"
    return "1 byte" if nbytes == 1 else f"{nbytes:,} bytes"


def copy_line(copy: Copy) -> str:
    """Return the line for a copy: what, from where to where, how much, which way, for whom and why."""
    consumers = ", ".join(copy.consumers)
    return (
        f"{copy.tensor}: (Copy): {copy.source} -> {copy.destination}, {size_text(copy.nbytes)}, {copy.direction}, "
        f"for {consumers} ({copy.cause})"
    )


class PlacementLog:
    """What a session has told of its placements; `enabled` is `log_device_placement`, fallbacks warn in any case."""

    def __init__(self, devices: Sequence[Device], enabled: bool = True) -> None:
        self.enabled = enabled
        self.fallbacks = 0
        self._told: set[str] = set()
        self._warned: set[str] = set()
        self._lock = threading.Lock()
        if enabled:
            self._emit(mapping_lines(devices))

    def warn(self, rows: Iterable[Row]) -> None:
        """Warn of the fallbacks among rows, once for each node, and count them."""
        for row in rows:
            if row.fallback and self._is_news(row.node, self._warned):
                self.fallbacks += 1
                _warn(row.fallback)

    def write(self, rows: Iterable[Row], copies: Iterable[Copy]) -> None:
        """Write node lines, then copy lines; whatever was written before is left out."""
        if self.enabled:
            self._emit(map(node_line, rows))
            self._emit(map(copy_line, copies))

    def _is_news(self, text: str, told: set[str]) -> bool:
        with self._lock:
            news = text not in told
            told.add(text)
        return news

    def _emit(self, lines: Iterable[str]) -> None:
        for line in lines:
            if self._is_news(line, self._told):
                emit(line)


def _warn(text: str) -> None:
    """Warn at the user's line that asked for the run, not at one of ours."""
    frames = user_frames()
    code, line = frames[0] if frames else (_warn.__code__, 0)
    warnings.warn_explicit(text, UserWarning, code.co_filename, line)


def emit(line: str) -> None:
    """Write one line to the logger, or to stderr where no logging is configured."""
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    if logger.hasHandlers():
        logger.info("%s", line)
    elif logger.isEnabledFor(logging.INFO):
        sys.stderr.write(f"{line}\n")
