"""The variables of a graph by name, as `get_variable` makes and shares them, whole or in parts.

One store per graph, kept in a collection of the graph. Invariant: a name that `get_variable` has given stands for one
variable of the graph, and asking for it again is allowed only where `reuse` says so.
"""

from __future__ import annotations

import functools
import inspect
import traceback
from collections.abc import Callable
from typing import Any

from ..array import slice as slice_of
from ..core.convert import convert_to_tensor
from ..core.dtypes import DType, as_dtype
from ..core.graph import GraphKeys, get_default_graph
from ..core.node import Tensor
from ..core.shapes import TensorShape, as_shape
from .base import Variable, resource_variables_enabled
from .distribution import VariableAggregation, VariableSynchronization, is_trainable
from .initializers import default_initializer
from .partitioned import PartitionedVariable, PartitionInfo, checked_partitions, part_places, place_part

_KEY = ("__variable_store",)
_SHOWN_LINES = 5


class ReuseMode:
    """The type of AUTO_REUSE."""

    def __repr__(self) -> str:
        return "tf.AUTO_REUSE"


AUTO_REUSE = ReuseMode()


class VariableStore:
    """The variables that `get_variable` made in one graph."""

    def __init__(self) -> None:
        self._vars: dict[str, Variable] = {}
        self._partitioned: dict[str, PartitionedVariable] = {}

    def get_variable(self, name: str, *, custom_getter: Callable[..., Any] | None = None, **arguments: Any) -> Any:
        """Return the variable called `name`, made anew or shared as `reuse` says; custom getters see every request."""
        if custom_getter is not None and not callable(custom_getter):
            raise ValueError(f"Passed a custom_getter which is not callable: {custom_getter}")
        if custom_getter is None:
            return self._get(name, **arguments)
        if "constraint" not in _accepted(custom_getter):
            arguments = {key: value for key, value in arguments.items() if key != "constraint"}
        return custom_getter(getter=self._get, name=name, **arguments)

    def _get(
        self, name: str, shape: Any = None, dtype: Any = "float32", initializer: Any = None, regularizer: Any = None,
        reuse: Any = None, trainable: bool | None = None, collections: Any = None, caching_device: Any = None,
        partitioner: Any = None, validate_shape: bool = True, use_resource: bool | None = None, constraint: Any = None,
        synchronization: Any = VariableSynchronization.AUTO, aggregation: Any = VariableAggregation.NONE,
    ) -> Any:  # fmt: skip
        scalar = shape is not None and as_shape(shape).ndims == 0
        wanted = as_dtype(dtype)
        options = {
            "trainable": is_trainable(trainable, synchronization), "collections": collections,
            "caching_device": caching_device, "validate_shape": validate_shape,
            "use_resource": resource_variables_enabled() if use_resource is None else use_resource,
            "constraint": constraint, "synchronization": synchronization, "aggregation": aggregation,
        }  # fmt: skip
        if partitioner is not None and not callable(partitioner):
            raise ValueError(f"Partitioner must be callable, but received: {partitioner}")
        if (partitioner is not None and not scalar) or (reuse is True and name in self._partitioned):
            return self._parts(name.rstrip("/"), shape, wanted, initializer, regularizer, reuse, partitioner, options)
        if f"{name}/part_0" in self._vars:
            raise ValueError(
                f"No partitioner was provided, but a partitioned version of the variable was found: {name}/part_0. Perhaps a "
                "variable of the same name was already created with partitioning?"
            )
        return self._whole(name, shape, wanted, initializer, regularizer, reuse, options)

    def _whole(
        self, name: str, shape: Any, dtype: DType, initializer: Any, regularizer: Any, reuse: Any, options: dict[str, Any],
        partition_info: PartitionInfo | None = None,
    ) -> Variable:  # fmt: skip
        from_value = initializer is not None and not callable(initializer)
        if shape is not None and from_value and partition_info is None:
            raise ValueError("If initializer is a constant, do not specify shape.")
        if name in self._vars:
            return self._shared(name, reuse, as_shape(shape), dtype)
        if reuse is True:
            raise ValueError(
                f"Variable {name} does not exist, or was not created with tf.get_variable(). Did you mean to set "
                "reuse=tf.AUTO_REUSE in VarScope?"
            )
        value, variable_dtype = initializer, None
        if not from_value:
            value, variable_dtype = _initial(name, initializer, shape, dtype, partition_info)
        make: Any = Variable
        variable: Variable = make(initial_value=value, name=name, dtype=variable_dtype, **options)
        self._vars[name] = variable
        if regularizer is not None:
            _add_regularization(name, variable, regularizer)
        return variable

    def _parts(
        self, name: str, shape: Any, dtype: DType, initializer: Any, regularizer: Any, reuse: Any, partitioner: Any,
        options: dict[str, Any],
    ) -> PartitionedVariable:  # fmt: skip
        if name in self._vars:
            raise ValueError(
                f"A partitioner was provided, but an unpartitioned version of the variable was found: {name}.  Perhaps a "
                "variable of the same name was already created without partitioning?"
            )
        full = as_shape(shape)
        from_value = initializer is not None and not callable(initializer)
        if isinstance(initializer, Tensor):
            full, dtype = full.merge_with(initializer.shape), initializer.dtype.base_dtype
        partitions, axis = ([], 0) if partitioner is None else checked_partitions(partitioner, full, dtype)
        if name in self._partitioned:
            return self._shared_parts(name, reuse, full, dtype, partitions)
        if reuse is True:
            raise ValueError(
                f"PartitionedVariable {name} does not exist, or was not created with tf.get_variable(). Did you mean to set "
                "reuse=False or reuse=tf.AUTO_REUSE in VarScope?"
            )
        self._check_parts(name, partitions[axis])
        sizes = [int(size or 0) for size in full.as_list()]
        parts = []
        for i, (offset, size) in enumerate(part_places(sizes, axis, partitions[axis])):
            part_name, info = f"{name}/part_{i}", PartitionInfo(sizes, offset)
            start = _part_of(initializer, dtype, part_name, offset, size) if from_value else initializer
            part = self._whole(part_name, size, dtype, start, regularizer, reuse, options, info)
            place_part(part, name, sizes, offset, size)
            parts.append(part)
        self._partitioned[name] = PartitionedVariable(name, full, dtype, parts, partitions)
        return self._partitioned[name]

    def _check_parts(self, name: str, count: int) -> None:
        """Raise ValueError where variables have the names of parts, but not of as many."""
        if f"{name}/part_0" not in self._vars:
            return
        words = (
            "Partitioner returned a different partitioning than what was already found.  Partitioner returned "
            f"{count} shards, and shard {name}/part_0 was found, but"
        )
        if f"{name}/part_{count - 1}" not in self._vars:
            raise ValueError(f"{words} {name}/part_{count - 1} was not.")
        if f"{name}/part_{count}" in self._vars:
            raise ValueError(f"{words} so was the extra shard {name}/part_{count}.")

    def _shared_parts(
        self, name: str, reuse: Any, shape: TensorShape, dtype: DType, partitions: list[int]
    ) -> PartitionedVariable:
        found = self._partitioned[name]
        if not reuse:
            raise ValueError(
                f"Partitioned variable with name {name} already exists. Did you mean to set reuse=True or "
                "reuse=tf.AUTO_REUSE in VarScope?"
            )
        words = f"Trying to reuse partitioned variable {name}, but specified"
        if not shape.is_compatible_with(found.shape):
            raise ValueError(f"{words} shape {shape} and found shape {found.shape}.")
        if not dtype.is_compatible_with(found.dtype):
            raise ValueError(f"{words} dtype {dtype.name} and found dtype {found.dtype.name}.")
        if partitions and partitions != found._get_partitions():
            raise ValueError(f"{words} partitions {partitions} and found partitions {found._get_partitions()}.")
        return found

    def _shared(self, name: str, reuse: Any, shape: TensorShape, dtype: DType) -> Variable:
        found = self._vars[name]
        if reuse is not AUTO_REUSE and not reuse:
            words = (
                f"Variable {name} already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in "
                "VarScope?"
            )
            frames = [(file, line, function, None) for file, line, function in found.op.traceback[-_SHOWN_LINES:][::-1]]
            raise ValueError(f"{words} Originally defined at:\n\n{''.join(traceback.format_list(frames))}")
        if not shape.is_compatible_with(found.shape):
            raise ValueError(
                f"Trying to share variable {name}, but specified shape {shape} and found shape {found.shape}."
            )
        if not dtype.is_compatible_with(found.dtype):
            raise ValueError(
                f"Trying to share variable {name}, but specified dtype {dtype.name} and found dtype {found.dtype.name}."
            )
        return found


def _accepted(function: Callable[..., Any]) -> set[str]:
    parameters = inspect.signature(function).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return {"constraint", "partition_info"}
    return set(parameters)


def _part_of(value: Any, dtype: DType, name: str, offset: list[int], size: list[int]) -> Tensor:
    with get_default_graph().name_scope(f"{name}/PartitionedInitializer"):
        return slice_of(convert_to_tensor(value, dtype), offset, size)


def _initial(
    name: str, initializer: Any, shape: Any, dtype: DType, partition_info: PartitionInfo | None
) -> tuple[Any, DType | None]:
    """Return a function that makes the initial value, and the variable's dtype (None: that of the value)."""
    if initializer is None:
        if shape is None:
            raise ValueError(f"Variable {name} did not get an initializer, so its `shape` argument must be specified.")
        initializer = default_initializer(name, dtype.base_dtype)
    if inspect.isclass(initializer):
        initializer = initializer()
    full = None if shape is None else as_shape(shape)
    if full is not None and full.is_fully_defined():
        asks = _accepted(initializer) if partition_info is not None else set(inspect.signature(initializer).parameters)
        told = {"partition_info": partition_info} if "partition_info" in asks else {}
        return functools.partial(initializer, full.as_list(), dtype=dtype, **told), dtype.base_dtype
    parameters = inspect.signature(initializer).parameters.values()
    if all(p.default is not p.empty or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters):
        return initializer, None
    raise ValueError(
        "The initializer passed is not valid. It should be a callable with no arguments and the shape should not be provided or "
        "an instance of `tf.keras.initializers.*' and `shape` should be fully defined."
    )


def _add_regularization(name: str, variable: Variable, regularizer: Callable[..., Any]) -> None:
    graph = get_default_graph()
    # Outside of the loop or branch that is being built, for whoever collects the losses is.
    with graph.colocate_with(variable), graph.name_scope(f"{name}/Regularizer/"), graph.control_dependencies(None):
        loss = regularizer(variable)
    if loss is not None:
        graph.add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)


def default_store() -> VariableStore:
    """Return the default graph's store."""
    stores = get_default_graph().get_collection_ref(_KEY)
    if not stores:
        stores.append(VariableStore())
    return stores[0]  # type: ignore[no-any-return]


def check_dtype(initializer: Any, dtype: Any) -> None:
    """Raise ValueError when a constant initialiser is not of the dtype that was asked for."""
    if dtype is None or initializer is None or callable(initializer):
        return
    found = convert_to_tensor(initializer).dtype.base_dtype
    if found != as_dtype(dtype):
        raise ValueError(f"Initializer type '{found}' and explicit dtype '{dtype}' don't match.")
