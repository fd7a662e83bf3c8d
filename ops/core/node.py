"""Operation and Tensor: the nodes of a Graph and their outputs.

A Tensor is (operation, index) with a dtype and a static shape; it holds no value. The static shape is kept as a plain
tuple in `Tensor.dims` (None: unknown rank; None entries: unknown dimensions), the public `shape` wraps it.
Operators (`+`, `[...]`, …) are attached by the op families through `Tensor.overload`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from . import shapes
from .dtypes import DType
from .frames import Frames, describe
from .shapes import Shape, TensorShape

if TYPE_CHECKING:
    from .graph import Graph
    from .regions import Region
    from .registry import OpDecl


class Tensor:
    """One output of an Operation: a symbolic handle to the values that it will produce."""

    # TensorFlow lets programs hang what they like on a tensor: layers their weights, for one.
    __slots__ = ("__dict__", "__weakref__", "_name", "_readers", "dims", "dtype", "index", "op")
    __array_priority__ = 100
    # The operators that functions of tensors stand behind: libraries give types of their own the same ones.
    OVERLOADABLE_OPERATORS: ClassVar[set[str]] = {
        "__abs__", "__add__", "__and__", "__div__", "__floordiv__", "__ge__", "__getitem__", "__gt__", "__invert__", "__le__",
        "__lt__", "__matmul__", "__mod__", "__mul__", "__neg__", "__or__", "__pow__", "__radd__", "__rand__", "__rdiv__",
        "__rfloordiv__", "__rmatmul__", "__rmod__", "__rmul__", "__ror__", "__rpow__", "__rsub__", "__rtruediv__", "__rxor__",
        "__sub__", "__truediv__", "__xor__",
    }  # fmt: skip

    if TYPE_CHECKING:
        # The op families attach these; type checkers have to be told.
        def __add__(self, other: Any) -> Tensor: ...
        def __radd__(self, other: Any) -> Tensor: ...
        def __sub__(self, other: Any) -> Tensor: ...
        def __rsub__(self, other: Any) -> Tensor: ...
        def __mul__(self, other: Any) -> Tensor: ...
        def __rmul__(self, other: Any) -> Tensor: ...
        def __truediv__(self, other: Any) -> Tensor: ...
        def __rtruediv__(self, other: Any) -> Tensor: ...
        def __floordiv__(self, other: Any) -> Tensor: ...
        def __rfloordiv__(self, other: Any) -> Tensor: ...
        def __mod__(self, other: Any) -> Tensor: ...
        def __rmod__(self, other: Any) -> Tensor: ...
        def __pow__(self, other: Any) -> Tensor: ...
        def __rpow__(self, other: Any) -> Tensor: ...
        def __matmul__(self, other: Any) -> Tensor: ...
        def __rmatmul__(self, other: Any) -> Tensor: ...
        def __lt__(self, other: Any) -> Tensor: ...
        def __le__(self, other: Any) -> Tensor: ...
        def __gt__(self, other: Any) -> Tensor: ...
        def __ge__(self, other: Any) -> Tensor: ...
        def __and__(self, other: Any) -> Tensor: ...
        def __rand__(self, other: Any) -> Tensor: ...
        def __or__(self, other: Any) -> Tensor: ...
        def __ror__(self, other: Any) -> Tensor: ...
        def __xor__(self, other: Any) -> Tensor: ...
        def __rxor__(self, other: Any) -> Tensor: ...
        def __getitem__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __abs__(self) -> Tensor: ...
        def __invert__(self) -> Tensor: ...

    def __init__(self, op: Operation, index: int, dtype: DType, dims: Shape) -> None:
        self.op = op
        self.index = index
        self.dtype = dtype
        self.dims = dims
        self._readers: list[Operation] | None = None
        self._name: str | None = None

    @property
    def name(self) -> str:
        """The name of the tensor: its operation's name and its place among the outputs."""
        if self._name is None:
            self._name = f"{self.op.name}:{self.index}"
        return self._name

    @property
    def graph(self) -> Graph:
        """The graph that holds the tensor."""
        return self.op.graph

    @property
    def device(self) -> str:
        """The device that was requested for the tensor's op, not the one that it will run on."""
        return self.op.device

    @property
    def value_index(self) -> int:
        """The tensor's place among its operation's outputs."""
        return self.index

    @property
    def shape(self) -> TensorShape:
        """The static shape, a TensorShape."""
        return shapes.to_public(self.dims)

    def get_shape(self) -> TensorShape:
        """Return the static shape."""
        return shapes.to_public(self.dims)

    def set_shape(self, shape: Any) -> None:
        """Merge `shape` into the static shape; ValueError when the two cannot both hold."""
        self.dims = shapes.merge(self.dims, shapes.as_shape_tuple(shape))

    @property
    def consumer_list(self) -> list[Operation]:
        """The operations that read the tensor, in the order in which they came to: the list itself."""
        self.op.graph.index()
        if self._readers is None:
            self._readers = []
        return self._readers

    def note_reader(self, op: Operation) -> None:
        """Enter `op` among the operations that read the tensor."""
        if self._readers is None:
            self._readers = [op]
        else:
            self._readers.append(op)

    def consumers(self) -> list[Operation]:
        """Return the operations that read the tensor."""
        return list(self.consumer_list)

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """Run this tensor in `session` (default: the default session) and return its value."""
        return self.graph.session_for("eval", session).run(self, feed_dict)

    @classmethod
    def overload(cls, name: str, function: Callable[..., Any]) -> None:
        """Attach `function` as the operator or method `name` of tensors."""
        setattr(cls, name, function)

    def __iter__(self) -> NoReturn:
        raise TypeError(
            "Tensor objects are only iterable when eager execution is enabled. To iterate over this tensor use tf.map_fn."
        )

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "Using a `tf.Tensor` as a Python `bool` is not allowed. Use `if t is not None:` instead of `if t:` to test if a "
            "tensor is defined, and use TensorFlow ops such as tf.cond to execute subgraphs conditioned on the value of a tensor."
        )

    def __len__(self) -> NoReturn:
        raise TypeError(
            f"len is not well defined for symbolic Tensors. ({self.name}) Please call `x.shape` rather than "
            "`len(x)` for shape information."
        )

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError(
            f"Cannot convert a symbolic Tensor ({self.name}) to a numpy array. This error may indicate that "
            "you're trying to pass "
            "a Tensor to a NumPy call, which is not supported"
        )

    def __repr__(self) -> str:
        return f"<tf.Tensor '{self.name}' shape={shapes.format_shape(self.dims)} dtype={self.dtype.name}>"

    def __str__(self) -> str:
        known = f", shape={shapes.format_shape(self.dims)}" if self.dims is not None else ""
        device = f", device={self.device}" if self.device else ""
        return f'Tensor("{self.name}"{known}, dtype={self.dtype.name}{device})'


class Operation:
    """A node of a Graph.

    `device` is the request ('' when nobody asked), `attrs` holds Python values by TensorFlow's attribute names,
    `region` the branch or loop body that the node is in, `regions` those that it owns (If and While only).
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "attrs",
        "colocation",
        "control_inputs",
        "decl",
        "device_frames",
        "device_string",
        "frames",
        "graph",
        "id",
        "inputs",
        "name",
        "outputs",
        "region",
        "regions",
    )  # fmt: skip

    def __init__(
        self, graph: Graph, decl: OpDecl, name: str, inputs: tuple[Tensor, ...], attrs: dict[str, Any]
    ) -> None:
        self.graph = graph
        self.decl = decl
        self.name = name
        self.inputs = inputs
        self.attrs = attrs
        self.control_inputs: tuple[Operation, ...] = ()
        self.colocation: tuple[str, ...] = ()
        self.device_string = ""
        self.device_frames: Frames = ()
        self.frames: Frames = ()
        self.outputs: tuple[Tensor, ...] = ()
        self.region: Region | None = None
        self.regions: tuple[Region, ...] = ()
        self.id = -1

    @property
    def type(self) -> str:
        """The op's type, such as 'MatMul'."""
        return self.decl.name

    @property
    def device(self) -> str:
        """The requested device; '' where nothing was asked for."""
        return self.device_string

    def set_device(self, device: str) -> None:
        """Replace the requested device; '' asks for nothing."""
        self.device_string = device

    _set_device = set_device

    def values(self) -> tuple[Tensor, ...]:
        """Return the outputs."""
        return self.outputs

    def arg(self, name: str) -> Any:
        """Return the input called `name` in the op's declaration: a Tensor, or a list for list arguments."""
        return self.decl.pick(self, name)

    def get_attr(self, name: str) -> Any:
        """Return the attribute `name`; strings come as bytes, as in TensorFlow.

        Raises:
          ValueError: when the op has no such attribute.
        """
        return self.graph.attr_for_user(self, name)

    @property
    def node_def(self) -> Any:
        """The operation's NodeDef."""
        return self.graph.node_def(self)

    @property
    def op_def(self) -> Any:
        """The OpDef of the operation's type."""
        return self.graph.op_def(self)

    @property
    def traceback(self) -> list[tuple[str, int, str]]:
        """The user's frames that made this node, outermost first, as (file, line, function)."""
        return [(code.co_filename, line, code.co_name) for code, line in reversed(self.frames)]

    @property
    def created_at(self) -> str:
        """The user's line that made this node."""
        return describe(self.frames)

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Run this operation in `session` (default: the default session)."""
        self.graph.session_for("run", session).run(self, feed_dict)

    def colocation_groups(self) -> list[bytes]:
        """Return the names of the groups that share a device with this node, as bytes."""
        return [group.encode() for group in self.colocation] or [f"loc:@{self.name}".encode()]

    def add_control_inputs(self, ops: Iterable[Operation]) -> None:
        """Make this node run after `ops`, on top of the control inputs that it has."""
        self.control_inputs = tuple(dict.fromkeys((*self.control_inputs, *ops)))
        self.graph.touch()

    _add_control_inputs = add_control_inputs

    def _add_control_input(self, op: Operation) -> None:
        self.add_control_inputs([op])

    def update_input(self, index: int, tensor: Tensor) -> None:
        """Replace input `index` by `tensor`; TypeError when its dtype differs."""
        old = self.inputs[index]
        if old.dtype.base_dtype is not tensor.dtype.base_dtype:
            raise TypeError(
                f"Input {index} of node {self.name!r} ({self.type}) is {old.dtype.name}, cannot become {tensor.dtype.name}"
            )
        tensor.consumer_list.append(self)
        self.inputs = (*self.inputs[:index], tensor, *self.inputs[index + 1 :])
        if old not in self.inputs:
            old.consumer_list.remove(self)
        self.graph.touch()

    _update_input = update_input

    def __repr__(self) -> str:
        return f"<tf.Operation '{self.name}' type={self.type}>"

    def __str__(self) -> str:
        return str(self.node_def)
