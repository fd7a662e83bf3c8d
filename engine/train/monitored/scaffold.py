"""Scaffold: the operations that a training program needs around its step, found or made when the graph is complete."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ....ops.array import concat
from ....ops.core.graph import GraphKeys, get_default_graph
from ....ops.core.scopes import add_to_collection, get_collection
from ....ops.io.summaries import merge_all
from ....ops.state.group import group
from ....ops.variables import (
    global_variables,
    global_variables_initializer,
    local_variables_initializer,
    report_uninitialized_variables,
)
from ...checkpoint import Saver

Feeds = dict[Any, Any] | None


def only_of(key: str, make: Callable[[], Any]) -> Any:
    """Return the only element of a collection, made and added when there is none.

    Raises:
      RuntimeError: when there are several.
    """
    found = get_collection(key)
    if len(found) > 1:
        raise RuntimeError(f"More than one item in the collection {key!r}; tell the Scaffold which to use: {found}")
    if found:
        return found[0]
    made = make()
    if made is not None:
        add_to_collection(key, made)
    return made


def default_local_init_op() -> Any:
    """Return an operation that initialises local variables, tables and local resources."""
    return group(
        local_variables_initializer(),
        *get_collection(GraphKeys.TABLE_INITIALIZERS),
        *_creators(GraphKeys.LOCAL_RESOURCES),
    )


def _creators(key: str) -> list[Any]:
    return [resource.create for resource in get_collection(key) if hasattr(resource, "create")]


def _only_saver() -> Any:
    def make() -> Saver:
        return Saver(sharded=True, allow_empty=True)

    return only_of(GraphKeys.SAVERS, make)


class Scaffold:
    """What a monitored session needs: operations that initialise, that report readiness, summaries, a Saver.

    Args:
      init_op, init_feed_dict: run when there is no checkpoint; all global variables by default.
      init_fn: a function of (scaffold, session), called after `init_op`.
      ready_op: a tensor of the names of what is not initialised; empty when the model is ready.
      ready_for_local_init_op: the same, asked before `local_init_op` runs.
      local_init_op, local_init_feed_dict: run in every new session; local variables and tables by default.
      summary_op: the merged summaries. saver: the Saver.
      copy_from_scaffold: another Scaffold, whose parts stand for those that are None.
    """

    def __init__(
        self, init_op: Any = None, init_feed_dict: Feeds = None, init_fn: Callable[[Scaffold, Any], Any] | None = None,
        ready_op: Any = None, ready_for_local_init_op: Any = None, local_init_op: Any = None, summary_op: Any = None,
        saver: Any = None, copy_from_scaffold: Scaffold | None = None, local_init_feed_dict: Feeds = None,
    ) -> None:  # fmt: skip
        given = {
            "_init_op": init_op, "_init_feed_dict": init_feed_dict, "_user_init_fn": init_fn, "_ready_op": ready_op,
            "_ready_for_local_init_op": ready_for_local_init_op, "_local_init_op": local_init_op,
            "_local_init_feed_dict": local_init_feed_dict, "_summary_op": summary_op, "_saver": saver,
        }  # fmt: skip
        if copy_from_scaffold is not None and not isinstance(copy_from_scaffold, Scaffold):
            raise TypeError("copy_from_scaffold is not a Scaffold instance.")
        for name, value in given.items():
            setattr(self, name, value if value is not None else getattr(copy_from_scaffold, name, None))

    _init_op: Any
    _init_feed_dict: Feeds
    _user_init_fn: Callable[[Scaffold, Any], Any] | None
    _ready_op: Any
    _ready_for_local_init_op: Any
    _local_init_op: Any
    _local_init_feed_dict: Feeds
    _summary_op: Any
    _saver: Any

    def finalize(self) -> Scaffold:
        """Find or make what is missing, and finalise the graph."""
        if self._init_op is None:
            self._init_op = only_of(
                GraphKeys.INIT_OP, lambda: group(global_variables_initializer(), *_creators(GraphKeys.RESOURCES))
            )
        if self._ready_op is None:
            self._ready_op = only_of(GraphKeys.READY_OP, lambda: concat([report_uninitialized_variables()], 0))
        if self._ready_for_local_init_op is None:
            self._ready_for_local_init_op = only_of(
                GraphKeys.READY_FOR_LOCAL_INIT_OP, lambda: report_uninitialized_variables(global_variables())
            )
        if self._local_init_op is None:
            self._local_init_op = only_of(GraphKeys.LOCAL_INIT_OP, default_local_init_op)
        if self._summary_op is None:
            self._summary_op = only_of(GraphKeys.SUMMARY_OP, merge_all)
        if self._saver is None:
            self._saver = _only_saver()
        self._saver.build()
        get_default_graph().finalize()
        return self

    @property
    def init_op(self) -> Any:
        """The operation that initialises the model."""
        return self._init_op

    @property
    def init_feed_dict(self) -> Feeds:
        """What is fed to `init_op`."""
        return self._init_feed_dict

    @property
    def init_fn(self) -> Callable[[Any], Any] | None:
        """The function to call with a session after `init_op`."""
        function = self._user_init_fn
        return None if function is None else lambda session: function(self, session)

    @property
    def ready_op(self) -> Any:
        """The tensor that names what is not initialised."""
        return self._ready_op

    @property
    def ready_for_local_init_op(self) -> Any:
        """The tensor that names what has to be initialised before `local_init_op`."""
        return self._ready_for_local_init_op

    @property
    def local_init_op(self) -> Any:
        """The operation that readies a new session."""
        return self._local_init_op

    @property
    def local_init_feed_dict(self) -> Feeds:
        """What is fed to `local_init_op`."""
        return self._local_init_feed_dict

    @property
    def summary_op(self) -> Any:
        """The merged summaries, None when there are none."""
        return self._summary_op

    @property
    def saver(self) -> Any:
        """The Saver."""
        return self._saver

    @staticmethod
    def get_or_default(arg_name: str, collection_key: str, default_constructor: Callable[[], Any]) -> Any:
        """Return the only element of a collection, or a new one; RuntimeError naming `arg_name` when there are several."""
        try:
            return only_of(collection_key, default_constructor)
        except RuntimeError as error:
            raise RuntimeError(f"{error}. Please set Scaffold's {arg_name}.") from error

    @staticmethod
    def default_local_init_op() -> Any:
        """Return an operation that initialises local variables, tables and local resources."""
        return default_local_init_op()
