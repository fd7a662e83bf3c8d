"""A table: values under keys, kept by a session. On the host.

State: `rows`, from a key to a value (a scalar, or an array for tables of vectors), and whether a table that is filled once was.
Keys that are vectors are tuples there.
Both change under `lock` only, and readers take it too, so that a look-up sees all of an insertion or nothing.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

from ...devices.types import Array
from ..core.dtypes import DType
from ..core.errors import FailedPreconditionError, InvalidArgumentError


class Table:
    """Values of shape `value_dims` under keys; one that is filled once refuses look-ups before, other fillings after."""

    def __init__(
        self, key_dtype: DType, value_dtype: DType, value_dims: tuple[int, ...] = (), mutable: bool = True,
        key_dims: tuple[int, ...] = (),
    ) -> None:  # fmt: skip
        self.key_dtype, self.value_dtype, self.value_dims, self.key_dims = key_dtype, value_dtype, value_dims, key_dims
        self.rows: dict[Any, Any] = {}
        self.mutable = self.filled = mutable
        self.lock = threading.Lock()

    def check_types(self, keys: DType, values: DType) -> None:
        """Raise InvalidArgumentError for keys or values of another type."""
        if keys is not self.key_dtype or values is not self.value_dtype:
            raise InvalidArgumentError(
                None, None, f"Conflicting key/value dtypes {keys.name}->{values.name} with {self.key_dtype.name}->"
                f"{self.value_dtype.name}",
            )  # fmt: skip

    def _items(self, keys: Array) -> list[Any]:
        """Return the keys of an array in order."""
        if not self.key_dims:
            return list(keys.reshape(-1).tolist())
        return [tuple(key) for key in keys.reshape(-1, math.prod(self.key_dims)).tolist()]

    def _leading(self, keys: Array) -> tuple[int, ...]:
        """Return the dimensions in which an array of keys has keys."""
        own = len(self.key_dims)
        lead: tuple[int, ...] = keys.shape[: keys.ndim - own]
        if keys.shape[len(lead) :] != self.key_dims:
            raise InvalidArgumentError(
                None, None, f"Input key shape must be a suffix of the table's key shape: expected {list(self.key_dims)}, "
                f"got {list(keys.shape)}",
            )  # fmt: skip
        return lead

    def _check_filled(self) -> None:
        if not self.filled:
            raise FailedPreconditionError(None, None, "Table not initialized.")

    def find(self, keys: Array, default: Array) -> Array:
        """Return the values under keys, `default` where there is none."""
        items, lead = self._items(keys), self._leading(keys)
        made = np.empty((len(items), *self.value_dims), self.value_dtype.np_dtype)
        fallback = np.asarray(default, self.value_dtype.np_dtype)
        if fallback.shape not in ((), self.value_dims):
            raise InvalidArgumentError(
                None, None, f"Expected shape {list(self.value_dims)} for default value, got {list(fallback.shape)}"
            )
        with self.lock:
            self._check_filled()
            for number, key in enumerate(items):
                made[number] = self.rows.get(key, fallback[()])
        return made.reshape((*lead, *self.value_dims))

    def _pairs(self, keys: Array, values: Array) -> list[tuple[Any, Any]]:
        lead = self._leading(keys)
        if values.shape != (*lead, *self.value_dims):
            raise InvalidArgumentError(
                None, None, f"Expected shape {[*lead, *self.value_dims]} for values, got {list(values.shape)}"
            )
        flat = values.reshape(math.prod(lead), *self.value_dims)
        rows = list(flat.copy()) if self.value_dims else flat.tolist()
        return list(zip(self._items(keys), rows, strict=True))

    def insert(self, keys: Array, values: Array) -> None:
        """Put values under keys, in place of those that are there."""
        pairs = self._pairs(np.asarray(keys), np.asarray(values))
        with self.lock:
            self.rows.update(pairs)

    def fill(self, keys: Array, values: Array) -> None:
        """Fill the table; again with the same, nothing happens.

        Raises:
          InvalidArgumentError: when a key comes with two values. FailedPreconditionError: when it holds something else already.
        """
        rows: dict[Any, Any] = {}
        for key, value in self._pairs(np.asarray(keys), np.asarray(values)):
            if rows.setdefault(key, value) != value:
                raise InvalidArgumentError(
                    None, None, f"HashTable has different value for same key. Key {_shown(key)} has {_shown(rows[key])} and "
                    f"trying to add value {_shown(value)}",
                )  # fmt: skip
        with self.lock:
            if self.filled and not self.mutable:
                if rows != self.rows:
                    raise FailedPreconditionError(None, None, "Table already initialized.")
                return
            self.rows, self.filled = rows, True

    def remove(self, keys: Array) -> None:
        """Forget keys, those that are there."""
        items = self._items(np.asarray(keys))
        with self.lock:
            for key in items:
                self.rows.pop(key, None)

    def size(self) -> int:
        """Return how many keys there are."""
        with self.lock:
            self._check_filled()
            return len(self.rows)

    def export(self) -> tuple[Array, Array]:
        """Return all keys, and their values in the same order."""
        with self.lock:
            held = list(self.rows.items())
        keys = np.empty(len(held), self.key_dtype.np_dtype)
        values = np.empty((len(held), *self.value_dims), self.value_dtype.np_dtype)
        for number, (key, value) in enumerate(held):
            keys[number], values[number] = key, value
        return keys, values

    def replace(self, keys: Array, values: Array) -> None:
        """Hold these keys and no others; a table that is filled once is filled."""
        if not self.mutable:
            self.fill(keys, values)
            return
        pairs = self._pairs(np.asarray(keys), np.asarray(values))
        with self.lock:
            self.rows = dict(pairs)


def _shown(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
