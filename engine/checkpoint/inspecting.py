"""What a checkpoint holds, as text: the `millstream checkpoint` command, and TensorFlow's `inspect_checkpoint`."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from ...placement.log import size_text
from .reader import CheckpointReader, load_checkpoint

_FILES = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})\Z")


def prefix_of(path: Any) -> str:
    """Return what `load_checkpoint` takes for a path that may name one of a checkpoint's files."""
    name = os.fspath(path)
    return name if os.path.isdir(name) else _FILES.sub("", name)


def describe(path: Any) -> list[dict[str, Any]]:
    """Return name, dtype, shape and size in bytes (None for strings) of every tensor of a checkpoint, by name.

    Raises:
      NotFoundError: when there is none. DataLossError: when it is damaged. ValueError: for a folder without checkpoints.
    """
    reader = load_checkpoint(prefix_of(path))
    kinds, found = reader.get_variable_to_dtype_map(), []
    for name, shape in sorted(reader.get_variable_to_shape_map().items()):
        size = None if kinds[name].name == "string" else int(np.prod(shape, dtype=np.int64)) * kinds[name].size
        found.append({"name": name, "dtype": kinds[name].name, "shape": shape, "bytes": size})
    return found


def listing(rows: list[dict[str, Any]]) -> str:
    """Return a table of what `describe` found, and a line with the totals."""
    name_width = max((len(row["name"]) for row in rows), default=0)
    kind_width = max((len(row["dtype"]) for row in rows), default=0)
    lines = [f"{row['name']:{name_width}}  {row['dtype']:{kind_width}}  {row['shape']}" for row in rows]
    count = sum(int(np.prod(row["shape"], dtype=np.int64)) for row in rows)
    size = sum(row["bytes"] or 0 for row in rows)
    return "\n".join([*lines, f"{len(rows)} tensors, {count:,} elements, {size_text(size)}"])


def check(path: Any) -> int:
    """Read every tensor of a checkpoint, which checks its checksum, and return how many there are."""
    reader = load_checkpoint(prefix_of(path))
    names = list(reader.get_variable_to_shape_map())
    for name in names:
        reader.get_tensor(name)
    return len(names)


def value_text(path: Any, name: str, whole: bool = False) -> str:
    """Return a tensor of a checkpoint as text, shortened unless `whole`."""
    value = load_checkpoint(prefix_of(path)).get_tensor(name.removesuffix(":0"))
    with np.printoptions(threshold=2**62 if whole else 1000, linewidth=120):
        return str(value)


def print_tensors_in_checkpoint_file(
    file_name: Any, tensor_name: str | None, all_tensors: bool, all_tensor_names: bool = False,
    count_exclude_pattern: str = "",
) -> None:  # fmt: skip
    """Print what a checkpoint holds.

    Args:
      file_name: the checkpoint's prefix.
      tensor_name: the tensor to print; a list of them all when this is empty and the flags are False.
      all_tensors: print all values. all_tensor_names: print all names.
      count_exclude_pattern: names that match it are left out of the number of elements.
    """
    reader = CheckpointReader(prefix_of(file_name))
    if all_tensors or all_tensor_names:
        for name, kind in sorted(reader.get_variable_to_dtype_map().items()):
            print(f"tensor: {name} ({kind.name}) {reader.get_variable_to_shape_map()[name]}")
            if all_tensors:
                print(reader.get_tensor(name))
    elif tensor_name:
        print(f"tensor_name:  {tensor_name}\n{reader.get_tensor(tensor_name)}")
    else:
        print(reader.debug_string().decode())
    shapes = reader.get_variable_to_shape_map()
    counted = [n for n in shapes if not (count_exclude_pattern and re.search(count_exclude_pattern, n))]
    print(f"# Total number of params: {sum(int(np.prod(shapes[n], dtype=np.int64)) for n in counted)}")
