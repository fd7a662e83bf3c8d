"""The errors that running a graph raises, one class for each of TensorFlow's error codes.

Programs catch these by class or read `error_code`. Beside TensorFlow's `message`, `op` and `node_def` an error knows
the device and the user's line that created the node, and prints them. Invariant: an error can be pickled even though
the graph it came from cannot; what it printed before it prints after.
"""

from __future__ import annotations

from typing import Any

OK = 0
CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
ABORTED = 10
OUT_OF_RANGE = 11
UNIMPLEMENTED = 12
INTERNAL = 13
UNAVAILABLE = 14
DATA_LOSS = 15
UNAUTHENTICATED = 16


def _describe_node(node_def: Any, op: Any) -> str:
    node = op if op is not None else node_def
    if node is None:
        return ""
    kind = getattr(node, "type", None) or getattr(node, "op", None)
    return f"node '{node.name}' ({kind})" if kind else f"node '{node.name}'"


def _describe_place(node: str, device: str | None, user_frame: str | None) -> str:
    place = node + (f" on {device}" if device else "")
    created = f"created at {user_frame}" if user_frame else ""
    return ", ".join(part for part in (place.strip(), created) if part)


class OpError(Exception):
    """The base class of the errors that running a graph raises.

    `node_def` and `op` may be None. `device` is the device's name, `user_frame` the `file:line` that created the node.
    """

    code = UNKNOWN

    def __init__(
        self, node_def: Any, op: Any, message: str, error_code: int | None = None, *,
        device: str | None = None, user_frame: str | None = None,
    ) -> None:  # fmt: skip
        super().__init__(node_def, op, message)
        self._node_def = node_def
        self._op = op
        self._message = message
        self._error_code = self.code if error_code is None else error_code
        self.device = device
        self.user_frame = user_frame
        self._place = _describe_place(_describe_node(node_def, op), device, user_frame)

    @property
    def message(self) -> str:
        """The error in words."""
        return self._message

    @property
    def op(self) -> Any:
        """The Operation that failed, or None when it is not known or is no part of the user's graph."""
        return self._op

    @property
    def node_def(self) -> Any:
        """The NodeDef of the node that failed, or None."""
        return self._node_def if self._node_def is not None else getattr(self._op, "node_def", None)

    @property
    def error_code(self) -> int:
        """TensorFlow's number for this kind of error."""
        return self._error_code

    def __str__(self) -> str:
        return f"{self._message}\n\t [[{self._place}]]" if self._place else self._message

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._message!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        state = {"device": self.device, "user_frame": self.user_frame, "_place": self._place}
        return type(self), (self._node_def, None, self._message, self._error_code), state


class CancelledError(OpError):
    """An operation was cancelled: its session was closed, or what it waited for was."""

    code = CANCELLED


class UnknownError(OpError):
    """An error of no known kind."""

    code = UNKNOWN


class InvalidArgumentError(OpError):
    """An operation received a value it cannot work on."""

    code = INVALID_ARGUMENT


class DeadlineExceededError(OpError):
    """A wait took longer than it was allowed to."""

    code = DEADLINE_EXCEEDED


class NotFoundError(OpError):
    """Something asked for, such as a file, was not found."""

    code = NOT_FOUND


class AlreadyExistsError(OpError):
    """Something that was to be created already exists."""

    code = ALREADY_EXISTS


class PermissionDeniedError(OpError):
    """The caller may not do this."""

    code = PERMISSION_DENIED


class UnauthenticatedError(OpError):
    """The caller has not said who it is."""

    code = UNAUTHENTICATED


class ResourceExhaustedError(OpError):
    """Something, often a device's memory, ran out."""

    code = RESOURCE_EXHAUSTED


class FailedPreconditionError(OpError):
    """The system is not in the state this needs, such as a variable that was not initialised."""

    code = FAILED_PRECONDITION


class AbortedError(OpError):
    """An operation was given up, usually because another one interfered."""

    code = ABORTED


class OutOfRangeError(OpError):
    """An operation went past the end, such as an iterator that has no more elements."""

    code = OUT_OF_RANGE


class UnimplementedError(OpError):
    """There is no kernel for what was asked."""

    code = UNIMPLEMENTED


class InternalError(OpError):
    """An invariant of the system is broken."""

    code = INTERNAL


class UnavailableError(OpError):
    """Something is not available now and may be later."""

    code = UNAVAILABLE


class DataLossError(OpError):
    """Data that cannot be recovered is lost or corrupted."""

    code = DATA_LOSS


_BY_CODE: dict[int, type[OpError]] = {cls.code: cls for cls in OpError.__subclasses__()}


def exception_type_from_error_code(error_code: int) -> type[OpError]:
    """Return the class of error for one of TensorFlow's codes; KeyError for OK and for codes that it does not have."""
    return _BY_CODE[error_code]


def error_code_from_exception_type(cls: type[OpError]) -> int:
    """Return TensorFlow's code for a class of error; UNKNOWN for other classes."""
    return cls.code if cls in _BY_CODE.values() else UNKNOWN
