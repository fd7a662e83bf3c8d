"""Saving and restoring: Saver, MetaGraphs, the state file of a folder, and looking into checkpoints."""

from .importing import import_meta_graph
from .meta_graph import export_meta_graph
from .reader import NewCheckpointReader, init_from_checkpoint, list_variables, load_checkpoint, load_variable
from .saver import Saver
from .state import (
    checkpoint_exists,
    generate_checkpoint_state_proto,
    get_checkpoint_mtimes,
    get_checkpoint_state,
    latest_checkpoint,
    remove_checkpoint,
    update_checkpoint_state,
)

__all__ = [
    "NewCheckpointReader",
    "Saver",
    "checkpoint_exists",
    "export_meta_graph",
    "generate_checkpoint_state_proto",
    "get_checkpoint_mtimes",
    "get_checkpoint_state",
    "import_meta_graph",
    "init_from_checkpoint",
    "latest_checkpoint",
    "list_variables",
    "load_checkpoint",
    "load_variable",
    "remove_checkpoint",
    "update_checkpoint_state",
]
