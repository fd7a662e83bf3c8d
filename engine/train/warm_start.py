"""`tf.train.warm_start` and `checkpoints_iterator`: beginning with, and waiting for, what another training saved."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ...ops.core.graph import GraphKeys, get_default_graph
from ..checkpoint import init_from_checkpoint, latest_checkpoint


class WarmStartSettings(NamedTuple):
    """What an Estimator begins with.

    `vars_to_warm_start` is a pattern, or a list of patterns or variables; ".*" means all trainable ones. Names that differ in the
    checkpoint stand in `var_name_to_prev_var_name`. `var_name_to_vocab_info` has to be empty: vocabularies are not remapped here.
    """

    ckpt_to_initialize_from: str
    vars_to_warm_start: Any = ".*"
    var_name_to_vocab_info: dict[str, Any] | None = None
    var_name_to_prev_var_name: dict[str, str] | None = None


def warm_start(
    ckpt_to_initialize_from: str, vars_to_warm_start: Any = ".*", var_name_to_vocab_info: dict[str, Any] | None = None,
    var_name_to_prev_var_name: dict[str, str] | None = None,
) -> None:  # fmt: skip
    """Let variables begin with the values of a checkpoint; see WarmStartSettings.

    Raises:
      ValueError: when vocabularies are to be remapped, or a name is given that is not warm-started.
    """
    if var_name_to_vocab_info:
        raise ValueError(f"Vocabularies are not remapped here: {sorted(var_name_to_vocab_info)}")
    earlier = dict(var_name_to_prev_var_name or {})
    begun = {variable.op.name: variable for variable in _chosen(vars_to_warm_start)}
    unknown = sorted(set(earlier) - set(begun))
    if unknown:
        raise ValueError(
            f"You provided the following variables in var_name_to_prev_var_name that were not used: {unknown}.  Perhaps you "
            "misspelled them?"
        )
    init_from_checkpoint(
        ckpt_to_initialize_from, {earlier.get(name, name): variable for name, variable in begun.items()}
    )


def _chosen(wanted: Any) -> list[Any]:
    """Return the variables that a pattern, or a list of patterns or variables, means."""
    graph = get_default_graph()
    if isinstance(wanted, str):
        return graph.get_collection(GraphKeys.TRAINABLE_VARIABLES, wanted)
    found: list[Any] = []
    for item in wanted or ():
        if not isinstance(item, str):
            found.append(item)
            continue
        found += [v for v in graph.get_collection(GraphKeys.GLOBAL_VARIABLES) if re.match(item, v.op.name)]
    return found


def checkpoints_iterator(
    checkpoint_dir: Any, min_interval_secs: float = 0, timeout: float | None = None,
    timeout_fn: Callable[[], bool] | None = None,
) -> Iterator[str]:  # fmt: skip
    """Yield the prefix of each new checkpoint of a folder, as it is written.

    Args:
      min_interval_secs: the least time between two of them.
      timeout: how long to wait for the next one, for ever when None; then `timeout_fn` says whether to end (it does without one).
    """
    last: str | None = None
    while True:
        began = time.monotonic()
        new = next_checkpoint(checkpoint_dir, last, timeout)
        if new is None:
            if timeout_fn is None or timeout_fn():
                return
            continue
        last = new
        yield new
        time.sleep(max(0.0, began + min_interval_secs - time.monotonic()))


def next_checkpoint(folder: Any, last: str | None, timeout: float | None, pause: float = 0.05) -> str | None:
    """Return the newest checkpoint of a folder once it is another than `last`; None when `timeout` seconds pass before."""
    until = None if timeout is None else time.monotonic() + timeout
    while True:
        found = latest_checkpoint(folder)
        if found is not None and found != last:
            return found
        if until is not None and time.monotonic() >= until:
            return None
        time.sleep(pause if until is None else min(pause, max(0.0, until - time.monotonic())))
