"""Event files: what TensorBoard reads."""

from .writer import FileWriter, FileWriterCache

__all__ = ["FileWriter", "FileWriterCache"]
