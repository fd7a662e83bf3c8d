"""`tf.gfile`."""

from ..program.files import GFile
from ..program.files import GFile as FastGFile
from ..program.files import GFile as Open
from ..program.files import copy_v1 as Copy
from ..program.files import delete_recursively as DeleteRecursively
from ..program.files import exists_v1 as Exists
from ..program.files import glob_v1 as Glob
from ..program.files import is_directory as IsDirectory
from ..program.files import list_directory as ListDirectory
from ..program.files import make_dir as MkDir
from ..program.files import make_dirs as MakeDirs
from ..program.files import remove_v1 as Remove
from ..program.files import rename_v1 as Rename
from ..program.files import stat_v1 as Stat
from ..program.files import walk_v1 as Walk

__all__ = [
    "Copy", "DeleteRecursively", "Exists", "FastGFile", "GFile", "Glob", "IsDirectory", "ListDirectory", "MakeDirs",
    "MkDir", "Open", "Remove", "Rename", "Stat", "Walk",
]  # fmt: skip
