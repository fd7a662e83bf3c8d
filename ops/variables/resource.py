"""Resource variables: the handle names the variable, and each read is a node with a value of its own.

A read sees the value that the variable has where the read stands in the order of the run. An assignment returns an
`UnreadVariable`, which reads the variable after that assignment wherever it is used.
"""

from __future__ import annotations

from typing import Any

from ..array.identity import identity
from ..core.convert import convert_to_tensor
from ..core.dtypes import DType, as_dtype
from ..core.graph import Graph
from ..core.node import Operation, Tensor
from ..core.registry import OpDecl
from ..core.shapes import TensorShape, compatible, to_public
from ..state.assign import (
    assign_add_resource,
    assign_resource,
    assign_sub_resource,
    count_up_to_resource,
    is_initialized_resource,
    read_variable,
)
from ..state.handles import var_handle
from ..state.rows import SCATTER, SCATTER_ND, resource_gather, resource_gather_nd
from ..state.slices import written_slice
from .base import Variable, group_named, variable_kind
from .initial import check_slices, guarded, initial_shape


@variable_kind(use_resource=True)
class ResourceVariable(Variable):
    """A variable that other nodes read and write through its handle."""

    def _build(
        self, graph: Graph, scope: str, initial_value: Any, dtype: Any, validate_shape: bool, shape: Any
    ) -> None:
        wanted = None if dtype is None else as_dtype(dtype).base_dtype
        with group_named(graph, scope[:-1]), graph.name_scope("Initializer"), graph.device(None):
            given = initial_value() if callable(initial_value) else initial_value
            value = convert_to_tensor(given, wanted, "initial_value")
        self._initial_value = value
        self._dtype = value.dtype.base_dtype
        self._dims = initial_shape(value, shape, validate_shape)
        self._handle = var_handle(
            shape=self._dims, dtype=self._dtype, shared_name=scope[:-1], name=scope, allowed_devices=[]
        )
        with graph.name_scope("IsInitialized"):
            is_initialized_resource(self._handle)
        with (
            graph.name_scope("Assign") as name,
            graph.colocate_with(None, ignore_existing=True),
            graph.device(self.device),
        ):
            self._initializer_op = assign_resource.node(self._handle, guarded(value, scope[:-1]), name=name)
        with graph.name_scope("Read"), graph.device(self.device):
            self._graph_element = self._read()
            self._cached = self._cached_read()

    def _cached_read(self) -> Tensor | None:
        if self._caching_device is None:
            return None
        with self.graph.colocate_with(None, ignore_existing=True), self.graph.device(self._caching_device):
            return identity(self._graph_element)  # type: ignore[no-any-return]

    def _adopt_snapshot(self, snapshot: Tensor | None) -> None:
        self._dtype = self._handle.op.attrs["dtype"]
        self._dims = self._handle.op.attrs["shape"]
        self._graph_element = self._read() if snapshot is None else snapshot
        self._cached = None

    def _snapshot_name(self) -> str:
        return self._graph_element.name

    # -- what it is ------------------------------------------------------------------------------------------------

    @property
    def handle(self) -> Tensor:
        """The tensor that names the variable."""
        return self._handle

    @property
    def dtype(self) -> DType:
        """The element type."""
        return self._dtype

    @property
    def shape(self) -> TensorShape:
        """The static shape."""
        return to_public(self._dims)

    @property
    def create(self) -> Operation:
        """The operation that gives the variable its initial value."""
        return self._initializer_op

    def set_shape(self, shape: Any) -> None:
        """Check `shape` against the variable's; ValueError when the two cannot both hold."""
        self._dims = tuple(self.shape.merge_with(shape).as_list())

    def is_initialized(self, name: str | None = None) -> Tensor:
        """Return a node that tells whether the variable has a value."""
        return is_initialized_resource(self._handle, name=name)  # type: ignore[no-any-return]

    # -- reading ---------------------------------------------------------------------------------------------------

    def _read(self) -> Tensor:
        read: Tensor = read_variable(self._handle, dtype=self._dtype)
        read.set_shape(self._dims)
        return read

    def value(self) -> Tensor:
        """Return a new node that reads the variable (the cached read where there is a caching device)."""
        if self._cached is not None:
            return self._cached
        with self.graph.colocate_with(None, ignore_existing=True), self.graph.device(self.device):
            return self._read()

    def read_value(self) -> Tensor:
        """Return a new node that reads the variable where it stands in the order of the run."""
        with self.graph.name_scope("Read"), self.graph.device(self.device):
            value = self._read()
        return identity(value)  # type: ignore[no-any-return]

    def sparse_read(self, indices: Any, name: str | None = None) -> Tensor:
        """Return the rows of the variable that `indices` name, without reading the rest."""
        with self.graph.name_scope(name or "Gather") as scope:
            return resource_gather(self._handle, indices, dtype=self._dtype, name=scope)  # type: ignore[no-any-return]

    def gather_nd(self, indices: Any, name: str | None = None) -> Tensor:
        """Return the slices of the variable that the rows of `indices` name."""
        with self.graph.name_scope(name or "GatherNd") as scope:
            return resource_gather_nd(self._handle, indices, dtype=self._dtype, name=scope)  # type: ignore[no-any-return]

    def _as_graph_element(self) -> Tensor:
        return self._graph_element

    def _to_tensor(self, as_ref: bool) -> Tensor:
        return self._handle if as_ref else self.value()

    # -- writing ---------------------------------------------------------------------------------------------------

    def _write(self, decl: OpDecl, value: Any, name: str | None, read_value: bool, **attrs: Any) -> Any:
        tensor = convert_to_tensor(value, self._dtype)
        if not compatible(self._dims, tensor.dims):
            raise ValueError(
                f"Cannot assign value to variable '{self.name}': Shape mismatch. The variable shape {self.shape}, and "
                f"the assigned value shape {tensor.shape} are incompatible."
            )
        written = decl.node(self._handle, tensor, name=name, **attrs)
        return UnreadVariable(self, written) if read_value else written

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Return the variable as it is after it was given `value`; the Operation without `read_value`."""
        return self._write(assign_resource, value, name, read_value, validate_shape=self._dims is not None)

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Return the variable as it is after `delta` was added."""
        return self._write(assign_add_resource, delta, name, read_value)

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Return the variable as it is after `delta` was subtracted."""
        return self._write(assign_sub_resource, delta, name, read_value)

    def _assign_part(self, node: Operation, value: Any, name: str | None) -> UnreadVariable:
        return UnreadVariable(self, written_slice(self._handle, node, convert_to_tensor(value, self._dtype), name))

    def count_up_to(self, limit: int) -> Tensor:
        """Return a node that gives the variable's value and adds one, until OutOfRangeError at `limit`."""
        return count_up_to_resource(self._handle, limit=limit, T=self._dtype)  # type: ignore[no-any-return]

    def _scatter_rows(self, kind: str, indices: Any, updates: Any, name: str | None) -> UnreadVariable:
        updates = convert_to_tensor(updates, self._dtype)
        return UnreadVariable(self, SCATTER[kind][1].node(self._handle, indices, updates, name=name))

    def _scatter(self, kind: str, delta: Any, name: str | None) -> UnreadVariable:
        check_slices(delta)
        return self._scatter_rows(kind, delta.indices, delta.values, name)

    def _scatter_slices(self, kind: str, indices: Any, updates: Any, name: str | None) -> UnreadVariable:
        updates = convert_to_tensor(updates, self._dtype)
        return UnreadVariable(self, SCATTER_ND[kind][1].node(self._handle, indices, updates, name=name))

    def scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> UnreadVariable:
        """Return the variable after the rows that the IndexedSlices name were replaced."""
        return self._scatter("Update", sparse_delta, name)

    def scatter_add(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> UnreadVariable:
        """Return the variable after IndexedSlices were added."""
        return self._scatter("Add", sparse_delta, name)

    def scatter_sub(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> UnreadVariable:
        """Return the variable after IndexedSlices were subtracted."""
        return self._scatter("Sub", sparse_delta, name)

    def scatter_mul(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> UnreadVariable:
        """Return the variable after rows were multiplied by IndexedSlices."""
        return self._scatter("Mul", sparse_delta, name)

    def scatter_div(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> UnreadVariable:
        """Return the variable after rows were divided by IndexedSlices."""
        return self._scatter("Div", sparse_delta, name)

    def scatter_min(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> UnreadVariable:
        """Return the variable after rows were lowered to IndexedSlices where these are less."""
        return self._scatter("Min", sparse_delta, name)

    def scatter_max(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> UnreadVariable:
        """Return the variable after rows were raised to IndexedSlices where these are more."""
        return self._scatter("Max", sparse_delta, name)

    def scatter_nd_update(self, indices: Any, updates: Any, name: str | None = None) -> UnreadVariable:
        """Return the variable after the slices that `indices` name were replaced."""
        return self._scatter_slices("Update", indices, updates, name)

    def scatter_nd_add(self, indices: Any, updates: Any, name: str | None = None) -> UnreadVariable:
        """Return the variable after `updates` were added to the slices that `indices` name."""
        return self._scatter_slices("Add", indices, updates, name)

    def scatter_nd_sub(self, indices: Any, updates: Any, name: str | None = None) -> UnreadVariable:
        """Return the variable after `updates` were subtracted from the slices that `indices` name."""
        return self._scatter_slices("Sub", indices, updates, name)


class UnreadVariable(ResourceVariable):
    """A resource variable as it is after the operation that wrote it: every read waits for that."""

    def __init__(self, variable: ResourceVariable, written: Operation) -> None:
        self.__dict__.update(variable.__dict__)
        self._written = written
        self._cached = None
        self._graph_element = self._read()

    @property
    def op(self) -> Operation:
        """The operation that wrote the variable."""
        return self._written

    @property
    def name(self) -> str:
        """The name of the handle."""
        return self._handle.name

    def _read(self) -> Tensor:
        with self.graph.control_dependencies([self._written]):
            return super()._read()

    def read_value(self) -> Tensor:
        """Return a new node that reads the variable after the operation that wrote it."""
        with self.graph.control_dependencies([self._written]):
            return super().read_value()

    def sparse_read(self, indices: Any, name: str | None = None) -> Tensor:
        """Return rows of the variable after the operation that wrote it."""
        with self.graph.control_dependencies([self._written]):
            return super().sparse_read(indices, name)

    def gather_nd(self, indices: Any, name: str | None = None) -> Tensor:
        """Return slices of the variable after the operation that wrote it."""
        with self.graph.control_dependencies([self._written]):
            return super().gather_nd(indices, name)
