"""Lookup tables: what a session keeps under keys, and the ops that fill, ask and change it."""

from . import table_ops as table_ops
from .tables import Table as Table

__all__ = ["Table", "table_ops"]
