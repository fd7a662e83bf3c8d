"""What TensorFlow calls behaviour: switches between TensorFlow 1 and 2, and the version that programs ask for.

There is one behaviour, TensorFlow 1's. Turning off what is off is accepted; turning on what there is not raises, so that a
program learns it at the switch and not by wrong results.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ...ops.core import errors
from ...ops.core.graph import get_default_graph

__all__ = [
    "COMPILER_VERSION", "CXX11_ABI_FLAG", "GIT_VERSION", "MONOLITHIC_BUILD", "VERSION", "control_flow_v2_enabled",
    "disable_control_flow_v2", "disable_eager_execution", "disable_tensor_equality", "disable_v2_behavior",
    "disable_v2_tensorshape", "enable_control_flow_v2", "enable_eager_execution", "enable_tensor_equality",
    "enable_v2_behavior", "enable_v2_tensorshape", "executing_eagerly", "executing_eagerly_outside_functions", "init_scope",
]  # fmt: skip

# The TensorFlow whose documentation is followed: programs compare it with the one that they need.
VERSION = "1.15.0"
GIT_VERSION = "v1.15.0"
COMPILER_VERSION = "none"
CXX11_ABI_FLAG = 0
MONOLITHIC_BUILD = 0


def _accepted(name: str, why: str) -> Callable[[], None]:
    def switch() -> None:
        return None

    switch.__name__ = switch.__qualname__ = name
    switch.__doc__ = f"Do nothing: {why}."
    return switch


def _refused(name: str, what: str) -> Callable[..., Any]:
    def switch(*args: Any, **kwargs: Any) -> Any:
        raise errors.UnimplementedError(None, None, f"tf.{name}: {what}. Build a graph and run it in a tf.Session.")

    switch.__name__ = switch.__qualname__ = name
    switch.__doc__ = f"Raise UnimplementedError: {what}."
    return switch


disable_v2_behavior = _accepted("disable_v2_behavior", "TensorFlow 1's behaviour is the only one")
disable_eager_execution = _accepted("disable_eager_execution", "graphs are the only way to compute")
disable_control_flow_v2 = _accepted("disable_control_flow_v2", "conditionals and loops act as TensorFlow 1's anyway")
enable_control_flow_v2 = _accepted("enable_control_flow_v2", "conditionals and loops are If and While nodes already")
disable_tensor_equality = _accepted("disable_tensor_equality", "tensors are compared by identity")
disable_v2_tensorshape = _accepted("disable_v2_tensorshape", "shapes hold Dimensions")
enable_eager_execution = _refused("enable_eager_execution", "nothing is computed before a session runs")
enable_v2_behavior = _refused("enable_v2_behavior", "only TensorFlow 1's behaviour is there")
enable_tensor_equality = _refused("enable_tensor_equality", "`==` compares tensors by identity; use tf.equal")
enable_v2_tensorshape = _refused("enable_v2_tensorshape", "shapes hold Dimensions; use `.value`")


def executing_eagerly() -> bool:
    """Return False: nothing is computed before a session runs."""
    return False


def executing_eagerly_outside_functions() -> bool:
    """Return False: nothing is computed before a session runs."""
    return False


def control_flow_v2_enabled() -> bool:
    """Return True: conditionals and loops are If and While nodes."""
    return True


@contextmanager
def init_scope() -> Iterator[None]:
    """Build nodes outside of loops, conditionals and control dependencies; names keep their scope."""
    with get_default_graph().control_dependencies(None):
        yield
