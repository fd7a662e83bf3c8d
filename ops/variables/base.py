"""Variable: what both kinds of variable offer, and how `tf.Variable(...)` chooses between them.

A Variable is a Python object that stands for nodes: the handle, the initialiser, a read. It holds no value; sessions do.
Ref variables (TensorFlow 1's default) are in reference.py, resource variables in resource.py. Invariant: the names of a
variable's nodes are TensorFlow's (`v`, `v/Assign`, `v/read`), because checkpoints and programs know them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

from ..core import protos
from ..core.convert import register_tensor_conversion_function
from ..core.dtypes import DType
from ..core.graph import Graph, GraphKeys, get_default_graph
from ..core.node import Operation, Tensor
from ..core.shapes import TensorShape
from ..state.batches import batch_scatter_update
from .distribution import VariableAggregation, VariableSynchronization, is_trainable
from .initial import check_slices, initialized_value
from .slices import part_of

Creator = Callable[..., Any]

OPERATORS = [
    "__add__",
    "__radd__",
    "__sub__",
    "__rsub__",
    "__mul__",
    "__rmul__",
    "__div__",
    "__rdiv__",
    "__truediv__",
    "__rtruediv__",
    "__floordiv__",
    "__rfloordiv__",
    "__mod__",
    "__rmod__",
    "__lt__",
    "__le__",
    "__gt__",
    "__ge__",
    "__and__",
    "__rand__",
    "__or__",
    "__ror__",
    "__xor__",
    "__rxor__",
    "__invert__",
    "__neg__",
    "__abs__",
    "__pow__",
    "__rpow__",
    "__matmul__",
    "__rmatmul__",
]

_creators: WeakKeyDictionary[Graph, list[Creator]] = WeakKeyDictionary()
_kinds: dict[bool, type[Variable]] = {}
_resources_by_default = [False]


def enable_resource_variables() -> None:
    """Make resource variables where `use_resource` is not given."""
    _resources_by_default[0] = True


def disable_resource_variables() -> None:
    """Make ref variables where `use_resource` is not given, as at the start."""
    _resources_by_default[0] = False


def resource_variables_enabled() -> bool:
    """Tell whether resource variables are made where `use_resource` is not given."""
    return _resources_by_default[0]


@contextmanager
def variable_creator_scope(variable_creator: Creator) -> Iterator[None]:
    """Let `variable_creator(next_creator, **kwargs)` make the variables that are created inside, innermost scope first."""
    stack = _creators.setdefault(get_default_graph(), [])
    stack.append(variable_creator)
    try:
        yield
    finally:
        stack.pop()


def default_creator(next_creator: Creator | None = None, **kwargs: Any) -> Any:
    """Make a variable of the kind that `use_resource` asks for."""
    use_resource = kwargs.pop("use_resource", None)
    if kwargs.get("variable_def") is not None:
        return from_proto(kwargs["variable_def"], kwargs.get("import_scope"))
    return _kinds[_resources_by_default[0] if use_resource is None else bool(use_resource)](**kwargs)


class _Meta(type):
    """Makes `Variable(...)` ask the creators in force for a variable of either kind."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is not Variable:
            return super().__call__(*args, **kwargs)
        given = {**_PARAMETERS, **dict(zip(_PARAMETERS, args, strict=False)), **kwargs}
        unknown = [name for name in given if name not in _PARAMETERS]
        if unknown:
            raise TypeError(f"Variable() got an unexpected keyword argument {unknown[0]!r}")
        creator: Creator = default_creator
        for outer in _creators.get(get_default_graph(), ()):
            creator = _chain(outer, creator)
        return creator(**given)


def _chain(outer: Creator, inner: Creator) -> Creator:
    return lambda **kwargs: outer(inner, **kwargs)


_PARAMETERS: dict[str, Any] = {
    "initial_value": None,
    "trainable": None,
    "collections": None,
    "validate_shape": True,
    "caching_device": None,
    "name": None,
    "variable_def": None,
    "dtype": None,
    "expected_shape": None,
    "import_scope": None,
    "constraint": None,
    "use_resource": None,
    "synchronization": VariableSynchronization.AUTO,
    "aggregation": VariableAggregation.NONE,
    "shape": None,
}


class SliceInfo:
    """Which part of a larger variable a variable is, for checkpoints.

    `full_name` and `full_shape` are the whole's, `var_offset` and `var_shape` the part's place in it.
    """

    def __init__(self, full_name: str, full_shape: Any, var_offset: Any, var_shape: Any) -> None:
        self.full_name = full_name
        self.full_shape = list(full_shape)
        self.var_offset = list(var_offset)
        self.var_shape = list(var_shape)

    @property
    def spec(self) -> str:
        """The place as checkpoints write it: `4 2 0,2:0,2`."""
        sizes = " ".join(map(str, self.full_shape))
        return f"{sizes} " + ":".join(f"{o},{s}" for o, s in zip(self.var_offset, self.var_shape, strict=True))


class Variable(metaclass=_Meta):
    """A value that lives from run to run in a session.

    `Variable(initial_value, trainable=True, name=None, …)` makes a ref variable, or a resource variable with
    `use_resource=True`. The initial value is a tensor, something that converts to one, or a function that returns it.

    Example:
      >>> import millstream as tf
      >>> with tf.Graph().as_default():
      ...     weights = tf.Variable([1.0, 2.0], name="weights")
      >>> weights
      <tf.Variable 'weights:0' shape=(2,) dtype=float32_ref>
    """

    SaveSliceInfo = SliceInfo
    __array_priority__ = 100

    _handle: Tensor
    _initial_value: Tensor | None
    _initializer_op: Operation
    _trainable: bool
    _caching_device: Any
    _constraint: Callable[..., Any] | None
    _save_slice_info: SliceInfo | None
    _synchronization = VariableSynchronization.AUTO
    _aggregation = VariableAggregation.NONE

    def __init__(
        self, initial_value: Any = None, trainable: bool | None = None, collections: Any = None, validate_shape: bool = True,
        caching_device: Any = None, name: str | None = None, variable_def: Any = None, dtype: Any = None,
        expected_shape: Any = None, import_scope: str | None = None, constraint: Any = None,
        synchronization: Any = VariableSynchronization.AUTO, aggregation: Any = VariableAggregation.NONE, shape: Any = None,
    ) -> None:  # fmt: skip
        if initial_value is None:
            raise ValueError("initial_value must be specified.")
        if constraint is not None and not callable(constraint):
            raise ValueError("The `constraint` argument must be a callable.")
        self._trainable = is_trainable(trainable, synchronization)
        self._caching_device = caching_device
        self._constraint = constraint
        self._save_slice_info = None
        self._synchronization = synchronization or VariableSynchronization.AUTO
        self._aggregation = aggregation or VariableAggregation.NONE
        graph = get_default_graph()
        with graph.control_dependencies(None), graph.name_scope(name or "Variable") as scope:
            self._build(graph, scope, initial_value, dtype, validate_shape, shape)
        graph.add_to_collections(collections_for(collections, self._trainable), self)

    def _build(
        self, graph: Graph, scope: str, initial_value: Any, dtype: Any, validate_shape: bool, shape: Any
    ) -> None:
        """Make the variable's nodes inside the open name scope `scope`."""
        raise NotImplementedError

    # -- what it is ------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The name of the variable's handle, such as 'v:0'."""
        return self._handle.name

    @property
    def dtype(self) -> DType:
        """The element type, a reference's for ref variables."""
        return self._handle.dtype

    @property
    def op(self) -> Operation:
        """The operation that makes the variable."""
        return self._handle.op

    @property
    def graph(self) -> Graph:
        """The graph that holds the variable."""
        return self._handle.graph

    @property
    def device(self) -> str:
        """The device that was requested for the variable."""
        return self._handle.op.device

    @property
    def shape(self) -> TensorShape:
        """The static shape."""
        return self._handle.shape

    def get_shape(self) -> TensorShape:
        """Return the static shape."""
        return self.shape

    @property
    def trainable(self) -> bool:
        """Whether the variable was made as trainable."""
        return self._trainable

    @property
    def constraint(self) -> Callable[..., Any] | None:
        """The function that optimisers apply after an update, or None."""
        return self._constraint

    @property
    def synchronization(self) -> VariableSynchronization:
        """When copies of the variable agree, as it was asked for; there is one copy."""
        return self._synchronization

    @property
    def aggregation(self) -> VariableAggregation:
        """How copies of the variable are put together, as it was asked for; there is one copy."""
        return self._aggregation

    @property
    def initializer(self) -> Operation:
        """The operation that gives the variable its initial value."""
        return self._initializer_op

    @property
    def initial_value(self) -> Tensor | None:
        """The tensor that the initialiser assigns."""
        return self._initial_value

    def _get_save_slice_info(self) -> SliceInfo | None:
        return self._save_slice_info

    def _set_save_slice_info(self, info: SliceInfo) -> None:
        self._save_slice_info = info

    # -- reading ---------------------------------------------------------------------------------------------------

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """Return a node that gives the variable `value`."""
        raise NotImplementedError

    def batch_scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Any:
        """Replace, in each batch, the slices that IndexedSlices name; all dimensions of the indices but the last are batches."""
        check_slices(sparse_delta)
        return batch_scatter_update(self, sparse_delta.indices, sparse_delta.values, use_locking, name)

    def value(self) -> Tensor:
        """Return a tensor with the variable's value."""
        raise NotImplementedError

    def read_value(self) -> Tensor:
        """Return a new node that reads the variable where it stands in the order of the run."""
        raise NotImplementedError

    def eval(self, session: Any = None) -> Any:
        """Return the variable's value in `session` (default: the default session)."""
        return self.graph.session_for("eval", session).run(self)

    def load(self, value: Any, session: Any = None) -> None:
        """Give the variable `value` in `session` (default: the default session) without adding a node."""
        session = self.graph.session_for("eval", session)
        session.run(self.initializer, {self.initializer.inputs[1]: value})

    def to_proto(self, export_scope: str | None = None) -> Any:
        """Return the VariableDef that MetaGraphs keep; None when the variable is outside `export_scope`."""
        if export_scope is not None and not self.name.startswith(export_scope + "/"):
            return None
        cut = 0 if export_scope is None else len(export_scope) + 1
        message = protos.VariableDef(variable_name=self.name[cut:], initializer_name=self.initializer.name[cut:])
        message.trainable = self.trainable
        if self._initial_value is not None:
            message.initial_value_name = self._initial_value.name[cut:]
        message.snapshot_name = self._snapshot_name()[cut:]
        message.is_resource = not self.dtype._is_ref_dtype
        if self._save_slice_info is not None:
            info = self._save_slice_info
            part = message.save_slice_info_def
            part.full_name = info.full_name
            for field in ("full_shape", "var_offset", "var_shape"):
                getattr(part, field).extend(getattr(info, field))
        return message

    def _snapshot_name(self) -> str:
        raise NotImplementedError

    @staticmethod
    def from_proto(variable_def: Any, import_scope: str | None = None) -> Variable:
        """Return a variable for nodes of the default graph that a VariableDef names."""
        return from_proto(variable_def, import_scope)

    def initialized_value(self) -> Tensor:
        """Return a tensor of the variable's value when it has one, else of its initial value."""
        return initialized_value(self)

    # -- standing for a tensor -------------------------------------------------------------------------------------

    def _as_graph_element(self) -> Tensor:
        raise NotImplementedError

    @property
    def _as_control_input(self) -> Operation:
        """The operation to wait for: the handle, not a read; after an assignment, that assignment."""
        return self.op

    def _to_tensor(self, as_ref: bool) -> Tensor:
        raise NotImplementedError

    def _assign_part(self, node: Operation, value: Any, name: str | None) -> Any:
        raise NotImplementedError

    def __getitem__(self, key: Any) -> Tensor:
        """Return a part of the variable's value; `v[key].assign(value)` writes it."""
        return part_of(self, key)

    def __iter__(self) -> NoReturn:
        raise TypeError("'Variable' object is not iterable.")

    def __hash__(self) -> int:
        return id(self)

    def __eq__(self, other: object) -> bool:
        return self is other

    def experimental_ref(self) -> Variable:
        """Return something hashable that stands for the variable."""
        return self

    ref = experimental_ref

    def __repr__(self) -> str:
        return f"<tf.Variable '{self.name}' shape={self.shape} dtype={self.dtype.name}>"


def _operator(name: str) -> Callable[..., Any]:
    def run(self: Variable, *args: Any) -> Any:
        return getattr(Tensor, name)(self.value(), *args)

    run.__name__ = name
    return run


for _name in OPERATORS:
    setattr(Variable, _name, _operator(_name))


def variable_kind(use_resource: bool) -> Callable[[type[Variable]], type[Variable]]:
    """Register a class as the kind of variable that is made for this value of `use_resource`."""

    def register(cls: type[Variable]) -> type[Variable]:
        _kinds[use_resource] = cls
        return cls

    return register


def from_proto(variable_def: Any, import_scope: str | None = None) -> Variable:
    """Return a variable for nodes of the default graph that a VariableDef names."""
    graph = get_default_graph()
    prefix = f"{import_scope}/" if import_scope else ""
    cls = _kinds[variable_def.is_resource]
    variable: Any = cls.__new__(cls)
    variable._handle = graph.get_tensor_by_name(prefix + variable_def.variable_name)
    variable._initializer_op = graph.as_graph_element(prefix + variable_def.initializer_name)
    initial = variable_def.initial_value_name
    variable._initial_value = graph.get_tensor_by_name(prefix + initial) if initial else None
    snapshot = variable_def.snapshot_name
    variable._adopt_snapshot(graph.get_tensor_by_name(prefix + snapshot) if snapshot else None)
    variable._trainable = variable_def.trainable
    variable._save_slice_info = None
    variable._caching_device = variable._constraint = None
    if variable_def.HasField("save_slice_info_def"):
        info = variable_def.save_slice_info_def
        variable._save_slice_info = SliceInfo(prefix + info.full_name, info.full_shape, info.var_offset, info.var_shape)
    return variable  # type: ignore[no-any-return]


def collections_for(collections: Any, trainable: bool) -> list[Any]:
    """Return the collections that a new variable goes into.

    Raises:
      ValueError: when `collections` is no list.
    """
    found = [GraphKeys.GLOBAL_VARIABLES] if collections is None else collections
    if not isinstance(found, list | tuple | set):
        raise ValueError(
            f"collections argument to Variable constructor must be a list, tuple, or set. Got {found} of type {type(found)}"
        )
    if trainable and GraphKeys.TRAINABLE_VARIABLES not in found:
        return [*found, GraphKeys.TRAINABLE_VARIABLES]
    return list(found)


@contextmanager
def group_named(graph: Graph, name: str) -> Iterator[None]:
    """Put the nodes made inside into the colocation group of a node that does not exist yet."""
    start = len(graph._ops)
    yield
    for node in graph._ops[start:]:
        if not node.colocation and node.name != name:
            node.colocation = (f"loc:@{name}",)


def _convert(value: Variable, dtype: DType | None = None, name: str | None = None, as_ref: bool = False) -> Any:
    if dtype is not None and not dtype.is_compatible_with(value.dtype):
        raise ValueError(
            f"Incompatible type conversion requested to type {dtype.name!r} for variable of type {value.dtype.name!r}"
        )
    return value._to_tensor(as_ref)


register_tensor_conversion_function(Variable, _convert, 0)
