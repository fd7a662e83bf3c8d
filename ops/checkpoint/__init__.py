"""Checkpoints: the files that hold variables' values, and the ops that write and read them."""

from .bundle import BundleReader as BundleReader
from .bundle import BundleWriter as BundleWriter
from .saving import merge_v2_checkpoints_op as merge_v2_checkpoints_op
from .saving import remove_files as remove_files
from .saving import restore_v2_op as restore_v2_op
from .saving import save_v2_op as save_v2_op
from .saving import sharded_filename_op as sharded_filename_op

__all__: list[str] = []
