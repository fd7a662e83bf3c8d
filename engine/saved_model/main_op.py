"""What a model runs when it is loaded."""

from __future__ import annotations

from ...ops.core.graph import GraphKeys, get_default_graph
from ...ops.core.node import Operation
from ...ops.state.group import group
from ...ops.variables import global_variables_initializer, local_variables_initializer


def _tables() -> Operation:
    return group(*get_default_graph().get_collection(GraphKeys.TABLE_INITIALIZERS), name="init_all_tables")


def main_op() -> Operation:
    """Return an Operation that initialises variables and tables."""
    return group(global_variables_initializer(), local_variables_initializer(), _tables())


def main_op_with_restore(restore_op_name: str) -> Operation:
    """Return an Operation that initialises variables and tables after the restoring one of this name."""
    with get_default_graph().control_dependencies([main_op()]):
        return group(get_default_graph().get_operation_by_name(restore_op_name))
