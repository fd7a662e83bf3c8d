"""Event files: what TensorBoard reads."""

from .descriptions import all_v2_summary_ops, get_summary_description, initialize
from .graph_files import write_graph
from .reading import summary_iterator
from .writer import FileWriter, FileWriterCache

__all__ = [
    "FileWriter", "FileWriterCache", "all_v2_summary_ops", "get_summary_description", "initialize",
    "summary_iterator", "write_graph",
]  # fmt: skip
