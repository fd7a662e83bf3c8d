"""Looking into checkpoints without a graph, and starting variables from them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ...ops.checkpoint import BundleReader, restore_v2_op
from ...ops.core.convert import constant
from ...ops.core.dtypes import DType
from ...ops.core.graph import get_default_graph
from ...ops.variables import Variable
from ...ops.variables.partitioned import PartitionedVariable
from .state import latest_checkpoint


class CheckpointReader:
    """Reads the tensors of a checkpoint.

    Args:
      filepattern: the prefix of the checkpoint's files.

    Raises:
      NotFoundError: when there is none. DataLossError: when it is damaged.
    """

    def __init__(self, filepattern: Any) -> None:
        self._bundle = BundleReader(os.fspath(filepattern))

    def has_tensor(self, tensor_str: str) -> bool:
        """Tell whether the checkpoint has a tensor of this name."""
        return tensor_str in self._bundle.entries

    def get_tensor(self, tensor_str: str) -> Any:
        """Return a tensor as a NumPy array; NotFoundError when there is none of this name."""
        value = self._bundle.read(tensor_str)
        return value if value.ndim else value[()]

    def get_variable_to_shape_map(self) -> dict[str, list[int]]:
        """Return the shape of each tensor by name."""
        return {name: list(entry.shape) for name, entry in self._bundle.entries.items()}

    def get_variable_to_dtype_map(self) -> dict[str, DType]:
        """Return the dtype of each tensor by name."""
        return {name: entry.dtype for name, entry in self._bundle.entries.items()}

    def debug_string(self) -> bytes:
        """Return a line for each tensor: its name, dtype and shape."""
        lines = [
            f"{name} (DT_{entry.dtype.name.upper().replace('FLOAT32', 'FLOAT').replace('FLOAT64', 'DOUBLE')}) "
            f"[{','.join(map(str, entry.shape))}]\n"
            for name, entry in self._bundle.entries.items()
        ]
        return "".join(lines).encode()


def NewCheckpointReader(filepattern: Any) -> CheckpointReader:
    """Return a reader of the checkpoint with this prefix."""
    return CheckpointReader(filepattern)


def _prefix(ckpt_dir_or_file: Any) -> str:
    """Return the prefix of a checkpoint, the latest one of a folder."""
    path: str = os.fspath(ckpt_dir_or_file)
    if not os.path.isdir(path):
        return path
    latest = latest_checkpoint(path)
    if latest is None:
        raise ValueError(f"Couldn't find 'checkpoint' file or checkpoints in given directory {path}")
    return latest


def load_checkpoint(ckpt_dir_or_file: Any) -> CheckpointReader:
    """Return a reader of a checkpoint, or of the latest one in a folder."""
    return CheckpointReader(_prefix(ckpt_dir_or_file))


def load_variable(ckpt_dir_or_file: Any, name: str) -> Any:
    """Return the value of a variable in a checkpoint as a NumPy array; a name may end in `:0`."""
    return load_checkpoint(ckpt_dir_or_file).get_tensor(name.removesuffix(":0"))


def list_variables(ckpt_dir_or_file: Any) -> list[tuple[str, list[int]]]:
    """Return (name, shape) of each variable in a checkpoint, by name."""
    return sorted(load_checkpoint(ckpt_dir_or_file).get_variable_to_shape_map().items())


def init_from_checkpoint(ckpt_dir_or_file: Any, assignment_map: Any) -> None:
    """Let variables begin with values of a checkpoint, when their initialisers run.

    Args:
      ckpt_dir_or_file: a checkpoint's prefix, or a folder, of which the latest one counts.
      assignment_map: from names in the checkpoint to variables, their names or lists of their parts; or from scopes to scopes,
        both ending in `/`, where "/" is the whole. A list of pairs will do.

    Raises:
      ValueError: when a name is in neither, or shapes differ.
    """
    path = _prefix(ckpt_dir_or_file)
    reader = CheckpointReader(path)
    pairs = assignment_map.items() if isinstance(assignment_map, Mapping) else assignment_map
    for source, target in pairs:
        for name, variable in _pairs(reader, source, target, os.fspath(ckpt_dir_or_file)):
            _start_from(variable, path, name, reader)


def _pairs(reader: CheckpointReader, source: str, target: Any, path: str) -> list[tuple[str, Any]]:
    if not isinstance(target, str):
        return [(source, target)]
    store = _variables_by_name()
    if not source.endswith("/"):
        if target not in store:
            raise ValueError(f"Variable {target} is not found in the graph; {source!r} of {path} was to start it")
        return [(source, store[target])]
    if not target.endswith("/"):
        raise ValueError(
            f"Assignment map with scope only name {source} should map to scope only {target}. "
            "Should be 'scope/': 'other_scope/'."
        )
    inside, found = "" if target == "/" else target, []
    for name, variable in store.items():
        if name.startswith(inside):
            full = ("" if source == "/" else source) + name.removeprefix(inside)
            if not reader.has_tensor(full):
                raise ValueError(
                    f"Tensor {full} ({name} in {target}) is not found in {path} checkpoint {_names(reader)}"
                )
            found.append((full, variable))
    return found


def _variables_by_name() -> dict[str, Any]:
    """Return what get_variable made so far, by name; parts of a partitioned variable as a list under its name."""
    found: dict[str, Any] = {}
    for variable in get_default_graph().get_collection("variables"):
        info = variable._get_save_slice_info()
        if info is None:
            found[variable.op.name] = variable
        else:
            found.setdefault(info.full_name, []).append(variable)
    return found


def _names(reader: CheckpointReader) -> list[str]:
    return sorted(reader.get_variable_to_shape_map())


def _start_from(variable: Any, path: str, name: str, reader: CheckpointReader) -> None:
    if not reader.has_tensor(name):
        raise ValueError(f"Tensor {name} is not found in {path} checkpoint {_names(reader)}")
    parts = list(variable) if isinstance(variable, PartitionedVariable | list | tuple) else [variable]
    for part in parts:
        if not isinstance(part, Variable):
            raise TypeError(f"Expected a variable to start from {name!r}, got {part!r}")
        info = part._get_save_slice_info()
        shape = part.shape.as_list() if info is None else info.full_shape
        stored = reader.get_variable_to_shape_map()[name]
        if stored != list(shape):
            raise ValueError(
                f"Shape of variable {part.name} ({shape}) doesn't match with shape of tensor {name} ({stored}) from "
                "checkpoint reader."
            )
        _replace_initializer(part, path, name, "" if info is None else info.spec)


def _replace_initializer(variable: Variable, path: str, name: str, spec: str) -> None:
    graph = get_default_graph()
    with graph.device(variable.device), graph.device("/cpu:0"), graph.name_scope(None):
        kinds = [variable.dtype.base_dtype]
        where = constant(path), constant([name]), constant([spec])
        (value,) = restore_v2_op(*where, dtypes=kinds, name="checkpoint_initializer")
        value.set_shape(variable.shape)
        variable._initializer_op = variable.assign(value, read_value=False)
        variable._initial_value = value
