"""`tf.logging`: Python's logging with TensorFlow's names, under the logger "tensorflow" that programs know.

The logger writes to stderr where nobody configured logging; it shows warnings and above until `set_verbosity`.
State: `_counts`, how often each place in the program called `log_every_n` or `log_first_n`.
"""

from __future__ import annotations

import logging
import sys
import threading
from logging import DEBUG, ERROR, FATAL, INFO, WARN
from typing import Any

__all__ = [
    "DEBUG", "ERROR", "FATAL", "INFO", "WARN", "TaskLevelStatusMessage", "debug", "error", "fatal", "flush", "get_logger",
    "get_verbosity", "info", "log", "log_every_n", "log_first_n", "log_if", "set_verbosity", "vlog", "warn", "warning",
]  # fmt: skip

_lock = threading.Lock()
_counts: dict[tuple[str, int], int] = {}
_logger: list[logging.Logger] = []


def get_logger() -> logging.Logger:
    """Return the logger, with a handler for stderr where logging is not configured."""
    with _lock:
        if not _logger:
            logger = logging.getLogger("tensorflow")
            if not logging.getLogger().handlers and not logger.handlers:
                handler = logging.StreamHandler(sys.stderr)
                handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
                logger.addHandler(handler)
            _logger.append(logger)
        return _logger[0]


def log(level: int, msg: Any, *args: Any, **kwargs: Any) -> None:
    """Log a message at a level."""
    get_logger().log(level, msg, *args, stacklevel=2, **kwargs)


def debug(msg: Any, *args: Any, **kwargs: Any) -> None:
    """Log a message at level DEBUG."""
    get_logger().debug(msg, *args, stacklevel=2, **kwargs)


def info(msg: Any, *args: Any, **kwargs: Any) -> None:
    """Log a message at level INFO."""
    get_logger().info(msg, *args, stacklevel=2, **kwargs)


def warning(msg: Any, *args: Any, **kwargs: Any) -> None:
    """Log a message at level WARN."""
    get_logger().warning(msg, *args, stacklevel=2, **kwargs)


warn = warning


def error(msg: Any, *args: Any, **kwargs: Any) -> None:
    """Log a message at level ERROR."""
    get_logger().error(msg, *args, stacklevel=2, **kwargs)


def fatal(msg: Any, *args: Any, **kwargs: Any) -> None:
    """Log a message at level FATAL; the program goes on."""
    get_logger().fatal(msg, *args, stacklevel=2, **kwargs)


def vlog(level: int, msg: Any, *args: Any, **kwargs: Any) -> None:
    """Log a message at a level."""
    get_logger().log(level, msg, *args, stacklevel=2, **kwargs)


def TaskLevelStatusMessage(msg: Any) -> None:
    """Log a message at level ERROR."""
    get_logger().error(msg, stacklevel=2)


def flush() -> None:
    """Do nothing: handlers write at once."""


def get_verbosity() -> int:
    """Return the least level that is shown."""
    return get_logger().getEffectiveLevel()


def set_verbosity(v: int | str) -> None:
    """Show messages of this level and above: one of DEBUG, INFO, WARN, ERROR, FATAL."""
    get_logger().setLevel(v)


def _count() -> int:
    """Return how often the place in the program that called the caller has been here before."""
    frame = sys._getframe(2)
    place = frame.f_code.co_filename, frame.f_lineno
    with _lock:
        _counts[place] = _counts.get(place, -1) + 1
        return _counts[place]


def log_every_n(level: int, msg: Any, n: int, *args: Any) -> None:
    """Log a message the first time that this line runs, and then every `n` times."""
    if _count() % n == 0:
        get_logger().log(level, msg, *args, stacklevel=2)


def log_first_n(level: int, msg: Any, n: int, *args: Any) -> None:
    """Log a message the first `n` times that this line runs."""
    if _count() < n:
        get_logger().log(level, msg, *args, stacklevel=2)


def log_if(level: int, msg: Any, condition: Any, *args: Any) -> None:
    """Log a message where `condition` holds."""
    if condition:
        get_logger().log(level, msg, *args, stacklevel=2)
