"""How copies of a variable would agree and be put together, as TensorFlow 1.15's signatures name it.

A variable here has one copy, so these only say what a program asked for; ON_READ also means "not trainable".
"""

from __future__ import annotations

import enum


class VariableSynchronization(enum.Enum):
    """When the copies of a variable are brought together."""

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3


class VariableAggregation(enum.Enum):
    """How the copies of a variable become one value."""

    NONE = 0
    SUM = 1
    MEAN = 2
    ONLY_FIRST_REPLICA = 3
    ONLY_FIRST_TOWER = 3


def is_trainable(trainable: bool | None, synchronization: VariableSynchronization | None) -> bool:
    """Return whether optimisers change a variable: not where it is read and summed over replicas.

    Raises:
      ValueError: when it is asked to be both.
    """
    on_read = synchronization is VariableSynchronization.ON_READ
    if on_read and trainable:
        raise ValueError(
            "Synchronization value can be set to VariableSynchronization.ON_READ only for non-trainable variables. You have "
            "specified trainable=True and synchronization=VariableSynchronization.ON_READ."
        )
    return not on_read if trainable is None else trainable
