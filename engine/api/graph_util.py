"""`tf.graph_util`."""

from ...ops.core.import_graph import import_graph_def
from ..program.graph_util import *  # noqa: F403
from ..program.graph_util import __all__ as _functions

__all__ = ["import_graph_def", *_functions]
