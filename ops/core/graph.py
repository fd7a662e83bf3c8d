"""Graph: the append-only collection of nodes that a program builds once and sessions run.

State: `_ops` by creation, `_names` (TensorFlow's case-insensitive uniquifier), `_collections`, and the stacks that scopes
push on (names, devices, control inputs, colocation, regions, gradient overrides). What is found by name, and what reads a
tensor, is an index that catches up with `_ops` when somebody asks. `version` grows with every change, so that plans know
what they were made from. A Graph never runs anything.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ContextDecorator, contextmanager
from typing import Any

from ...devices import spec as device_spec
from . import functions, graphdef, op_defs
from .frames import Frames, user_frames
from .node import Operation, Tensor
from .regions import Region, unreachable
from .registry import OpDecl

_VALID_NAME = re.compile(r"^[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*$")
_VALID_SCOPE = re.compile(r"^[A-Za-z0-9_.\\/>-]*$")

DeviceRequest = str | Callable[[Operation], Any] | None
DeviceEntry = tuple[DeviceRequest, Frames]


class GraphKeys:
    """The names of the collections that TensorFlow's library uses."""

    GLOBAL_VARIABLES = "variables"
    VARIABLES = "variables"
    LOCAL_VARIABLES = "local_variables"
    METRIC_VARIABLES = "metric_variables"
    MODEL_VARIABLES = "model_variables"
    TRAINABLE_VARIABLES = "trainable_variables"
    SUMMARIES = "summaries"
    QUEUE_RUNNERS = "queue_runners"
    TABLE_INITIALIZERS = "table_initializer"
    ASSET_FILEPATHS = "asset_filepaths"
    MOVING_AVERAGE_VARIABLES = "moving_average_variables"
    REGULARIZATION_LOSSES = "regularization_losses"
    CONCATENATED_VARIABLES = "concatenated_variables"
    SAVERS = "savers"
    WEIGHTS = "weights"
    BIASES = "biases"
    ACTIVATIONS = "activations"
    UPDATE_OPS = "update_ops"
    LOSSES = "losses"
    SAVEABLE_OBJECTS = "saveable_objects"
    RESOURCES = "resources"
    LOCAL_RESOURCES = "local_resources"
    TRAINABLE_RESOURCE_VARIABLES = "trainable_resource_variables"
    INIT_OP = "init_op"
    LOCAL_INIT_OP = "local_init_op"
    READY_OP = "ready_op"
    READY_FOR_LOCAL_INIT_OP = "ready_for_local_init_op"
    SUMMARY_OP = "summary_op"
    GLOBAL_STEP = "global_step"
    EVAL_STEP = "eval_step"
    TRAIN_OP = "train_op"
    COND_CONTEXT = "cond_context"
    WHILE_CONTEXT = "while_context"


class NameScope(ContextDecorator):
    """The context manager of `Graph.name_scope`, which gives the scope's name with its final '/'.

    A class, for it is entered for most nodes that are built, and a generator costs three times as much.
    """

    __slots__ = ("_graph", "_name", "_outer")

    def __init__(self, graph: Graph, name: str | None) -> None:
        self._graph, self._name = graph, name
        self._outer: list[str] = []

    def __enter__(self) -> str:
        graph, name = self._graph, self._name
        outer = graph._name_stack
        if not name:
            new = ""
        else:
            pattern = _VALID_SCOPE if outer else _VALID_NAME
            if not pattern.match(name):
                kind = "scope name" if outer else "root scope name"
                raise ValueError(
                    f"'{name}' is not a valid {kind}. A {kind} has to match the following pattern: {pattern.pattern}"
                )
            new = name[:-1] if name[-1] == "/" else graph.unique_name(name)
        self._outer.append(outer)
        graph._name_stack = new
        if not new:
            return ""
        graph._fresh = fresh = f"{new}/"
        return fresh

    def __exit__(self, *error: object) -> None:
        self._graph._name_stack = self._outer.pop()


class Graph:
    """A dataflow graph: operations and the tensors between them.

    Example:
      >>> import millstream as tf
      >>> with tf.Graph().as_default() as graph:
      ...     total = tf.add(2, 3, name="total")
      >>> [op.name for op in graph.get_operations()]
      ['total/x', 'total/y', 'total']
    """

    def __init__(self) -> None:
        self._ops: list[Operation] = []
        self._ids = itertools.count()
        self._names: dict[str, int] = {}
        self._fresh = ""
        self._indexed = 0
        self._named: dict[str, Operation] = {}
        self._collections: dict[Any, list[Any]] = {}
        self._name_stack = ""
        self._devices: list[DeviceEntry] = []
        self._device_cache: str | None = ""
        self._controls: list[tuple[tuple[Operation, ...], bool, set[Operation]]] = []
        self._colocation: list[tuple[Operation, Frames]] = []
        self._regions: list[Region | None] = []
        self._overrides: dict[str, str] = {}
        self._container = ""
        self._unfeedable: set[Tensor] = set()
        self._unfetchable: set[Any] = set()
        self._finalized = False
        self._changes = 0
        self._lock = threading.RLock()
        self.seed: int | None = None
        self.functions: dict[str, Any] = {}
        self.inlined_functions: set[str] = set()
        # Branches of imported conditionals, whose nodes can be fetched, and what stands outside for those that were.
        self.open_regions: set[Region] = set()
        self.reached: dict[Any, Any] = {}

    # -- building --------------------------------------------------------------------------------------------------

    def append(self, op: Operation) -> None:
        """Append a finished node."""
        op.id = next(self._ids)
        self._ops.append(op)
        if op.region is not None:
            op.region.ops.append(op)

    def index(self) -> None:
        """Enter the nodes made since the last time among the names, and among what reads each tensor.

        Not while they are built: few programs ask before their first run, and a list for each tensor is a third of the
        objects that the garbage collector would have to walk.
        """
        if self._indexed == len(self._ops):
            return
        with self._lock:
            new = self._ops[self._indexed :]
            for op in new:
                self._named[op.name] = op
                for tensor in op.inputs:
                    tensor.note_reader(op)
            self._indexed += len(new)

    def take_off(self, op: Operation) -> None:
        """Remove the newest node, which nobody has seen yet."""
        self._ops.pop()
        self._ids = itertools.count(op.id)
        self._changes += 2
        if self._indexed > len(self._ops):
            self._indexed = len(self._ops)
            del self._named[op.name]
            for tensor in op.inputs:
                tensor.consumer_list.remove(op)
        if op.region is not None:
            op.region.ops.remove(op)
        for _, _, made in self._controls:
            made.discard(op)

    @property
    def version(self) -> int:
        """A number that grows with every change of the graph."""
        return len(self._ops) + self._changes

    @property
    def _by_name(self) -> dict[str, Operation]:
        self.index()
        return self._named

    def place_request(self, op: Operation) -> None:
        """Give a finished node its requested device and colocation group out of the scopes around it."""
        device = self._device_cache
        if device is None:
            self._apply_device_functions(op)
        elif device:
            op.device_string = device if not op.device_string else device_spec.merge(op.device_string, device)
        if self._colocation:
            self._colocate(op)
        if self._devices and op.device_string:
            op.device_frames = self._devices[-1][1]

    def _colocate(self, op: Operation) -> None:
        """Put a node in the groups of all colocation scopes around it, on the device of the innermost that has one."""
        anchors = [anchor for anchor, _ in reversed(self._colocation)]
        op.colocation = tuple(sorted({*op.colocation, *(group for anchor in anchors for group in groups_of(anchor))}))
        op.device_string = next((anchor.device_string for anchor in anchors if anchor.device_string), op.device_string)

    def _check_inputs(self, op: Operation, region: Region | None) -> None:
        for tensor in op.inputs:
            source = tensor.op
            if source.graph is not self:
                raise ValueError(f"{tensor} must be from the same graph as the node {op.name!r} ({op.type}).")
            if source.region is not region and source.region is not None and not source.region.encloses(region):
                raise ValueError(unreachable(tensor, region))

    def _controls_for(self, op: Operation) -> tuple[Operation, ...]:
        """Return the control inputs that the scopes around a node give it.

        A scope gives none to a node one of whose inputs was made inside it, for that input waits already; and no node waits for
        what it reads.
        """
        scopes: list[tuple[Operation, ...]] = []
        sources = {tensor.op for tensor in op.inputs}
        for ops, clear, made in reversed(self._controls):
            if made.isdisjoint(sources):
                scopes.append(ops)
            made.add(op)
            if clear:
                break
        merged = dict.fromkeys(control for ops in reversed(scopes) for control in ops)
        return tuple(c for c in merged if c not in sources and (c.region is None or c.region.encloses(op.region)))

    def _waited_for(self) -> set[Operation]:
        """Return what the open scopes of control dependencies make nodes wait for: an inner scope does not say it again."""
        found: set[Operation] = set()
        for ops, clear, _ in reversed(self._controls):
            found.update(ops)
            if clear:
                break
        return found

    def _apply_device_functions(self, op: Operation) -> None:
        for request, _ in reversed(self._devices):
            if request is None:
                break
            if callable(request):
                op.device_string = device_spec.canonical_name(request(op))
            else:
                op.device_string = device_spec.merge(op.device_string, request)

    def current_graph_import(self, tensor: Tensor) -> Tensor:
        """Return `tensor` as the region being built may use it."""
        region = self._regions[-1] if self._regions else None
        source = tensor.op.region
        if source is None or source is region:
            return tensor
        if region is None:
            raise ValueError(unreachable(tensor, None))
        return region.import_tensor(tensor)

    def touch(self) -> None:
        """Count a change, so that plans made before it are not taken for current."""
        if self._finalized:
            raise RuntimeError("Graph is finalized and cannot be modified.")
        self._changes += 1

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """Return `name` inside the current name scope, with TensorFlow's `_1`, `_2` … when it is taken."""
        if self._name_stack:
            name = f"{self._name_stack}/{name}"
        key, names = name.lower(), self._names
        count = names.get(key, 0)
        if not count:
            if mark_as_used:
                names[key] = 1
            return name
        unique = f"{key}_{count}"
        while unique in names:
            count += 1
            unique = f"{key}_{count}"
        if mark_as_used:
            names[unique] = 1
            names[key] = count + 1
        return unique if key == name else f"{name}_{count}"

    def node_name(self, name: str | None, op_type: str) -> str:
        """Return the full name of a new node: unique inside the scope, or as it is where it ends with '/'.

        Raises:
          ValueError: for a name that no node may have.
        """
        if not name:
            return self.unique_name(op_type)
        if name is self._fresh:
            return name[:-1]
        if not (_VALID_SCOPE if self._name_stack else _VALID_NAME).match(name):
            raise ValueError(f"'{name}' is not a valid node name")
        return name[:-1] if name[-1] == "/" else self.unique_name(name)

    def operator_name(self, label: str) -> str:
        """Return the name, ending with '/', of the one node that an operator makes: its scope's, as if that were open."""
        self._fresh = name = f"{self.unique_name(label)}/"
        return name

    # -- scopes ----------------------------------------------------------------------------------------------------

    def name_scope(self, name: str | None) -> NameScope:
        """Prefix the names of nodes made inside; a name that ends with '/' re-enters that scope; None or '' resets it."""
        return NameScope(self, name)

    def get_name_scope(self) -> str:
        """Return the open name scope; '' outside of any."""
        return self._name_stack

    @property
    def current_name_scope(self) -> str:
        """The open name scope; '' outside of any."""
        return self._name_stack

    @contextmanager
    def device(self, device_name_or_function: Any) -> Iterator[None]:
        """Ask for a device for the nodes made inside: a name, a DeviceSpec, a function of the node, or None."""
        request = device_name_or_function
        resolved = request if request is None or callable(request) else device_spec.canonical_name(request)
        self._devices.append((resolved, user_frames()))
        old, self._device_cache = self._device_cache, self._merge_devices()
        try:
            yield
        finally:
            self._devices.pop()
            self._device_cache = old

    def _merge_devices(self) -> str | None:
        """Return the merged request of the device scopes, or None when a function must see each node."""
        merged = ""
        for request, _ in reversed(self._devices):
            if request is None:
                break
            if callable(request):
                return None
            merged = device_spec.merge(merged, request)
        return merged

    @contextmanager
    def colocate_with(self, op: Any, ignore_existing: bool = False) -> Iterator[None]:
        """Put the nodes made inside with `op`: in its colocation group, on its device; device scopes do not apply."""
        if op is None and not ignore_existing:
            raise ValueError("Trying to colocate with None: pass ignore_existing=True to clear the colocation.")
        anchor = None if op is None else self._anchor(op)
        devices, cache, groups = self._devices, self._device_cache, self._colocation
        self._devices, self._device_cache = [], ""
        self._colocation = [] if ignore_existing else list(groups)
        if anchor is not None:
            self._colocation.append((anchor, user_frames()))
        try:
            yield
        finally:
            self._devices, self._device_cache, self._colocation = devices, cache, groups

    def _anchor(self, item: Any) -> Operation:
        """Return the node that colocation with `item` means; for a resource variable that is its handle."""
        element = self.as_graph_element(getattr(item, "handle", item))
        return element.op if isinstance(element, Tensor) else element

    @contextmanager
    def control_dependencies(self, control_inputs: Any) -> Iterator[None]:
        """Make the nodes built inside run after `control_inputs`; None clears the outer dependencies."""
        clear = control_inputs is None
        known = set() if clear else self._waited_for()
        ops: list[Operation] = []
        for item in () if clear else control_inputs:
            element = self.as_graph_element(getattr(item, "_as_control_input", item))
            op = element.op if isinstance(element, Tensor) else element
            if op not in known:
                ops.append(op)
                known.add(op)
        self._controls.append((tuple(ops), clear, set()))
        regions = self._regions
        if clear:
            self._regions = []
        try:
            yield
        finally:
            self._controls.pop()
            self._regions = regions

    @contextmanager
    def region(self, region: Region | None) -> Iterator[Region | None]:
        """Build the nodes made inside into `region`."""
        self._regions.append(region)
        try:
            yield region
        finally:
            self._regions.pop()

    @property
    def current_region(self) -> Region | None:
        """The branch or body that is being built, None outside of any."""
        return self._regions[-1] if self._regions else None

    @contextmanager
    def gradient_override_map(self, op_type_map: dict[str, str]) -> Iterator[None]:
        """Use the gradient registered under another name for the op types given, for nodes made inside."""
        if not isinstance(op_type_map, dict):
            raise TypeError("op_type_map must be a dictionary mapping strings to strings")
        if not all(isinstance(text, str) for pair in op_type_map.items() for text in pair):
            raise TypeError("op_type_map must be a dictionary mapping strings to strings")
        old, self._overrides = self._overrides, {**self._overrides, **op_type_map}
        try:
            yield
        finally:
            self._overrides = old

    @contextmanager
    def container(self, container_name: str) -> Iterator[str]:
        """Keep the state of the nodes made inside (variables, queues …) in this container, which sessions can reset alone."""
        old, self._container = self._container, container_name
        try:
            yield container_name
        finally:
            self._container = old

    @contextmanager
    def as_default(self) -> Iterator[Graph]:
        """Make this graph the default one of the thread."""
        stack = _stack.graphs
        stack.append(self)
        try:
            yield self
        finally:
            if stack and stack[-1] is not self:
                raise AssertionError("Nesting violated for default stack of Graph objects")
            # Empty after `leave_default_graphs`.
            del stack[-1:]

    # -- looking up ------------------------------------------------------------------------------------------------

    def get_operations(self) -> list[Operation]:
        """Return the operations in the order in which they were made."""
        return list(self._ops)

    def get_operation_by_name(self, name: str) -> Operation:
        """Return the operation of that name; KeyError when there is none."""
        if not isinstance(name, str):
            raise TypeError(f"Operation names are strings (or similar), not {type(name).__name__}.")
        element = self.as_graph_element(name, allow_tensor=False)
        assert isinstance(element, Operation)
        return element

    def get_tensor_by_name(self, name: str) -> Tensor:
        """Return the tensor called `operation:index`; KeyError when there is none."""
        if not isinstance(name, str):
            raise TypeError(f"Tensor names are strings (or similar), not {type(name).__name__}.")
        element = self.as_graph_element(name, allow_operation=False)
        assert isinstance(element, Tensor)
        return element

    def as_graph_element(self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Any:
        """Return the Tensor or Operation of this graph that `obj` (a name, node, or an object that stands for one) means.

        Raises:
          KeyError: when no node has the name. ValueError: when it is of another graph. TypeError: when it is no node.
        """
        if obj.__class__ is Tensor and allow_tensor and obj.op.graph is self:
            return obj
        kinds = (("Tensor", allow_tensor), ("Operation", allow_operation))
        wanted = " or ".join([kind for kind, allowed in kinds if allowed])
        convert = getattr(obj, "_as_graph_element", None)
        if convert is not None:
            obj = convert()
        if (isinstance(obj, Tensor) and allow_tensor) or (isinstance(obj, Operation) and allow_operation):
            if obj.graph is not self:
                shown = obj if isinstance(obj, Tensor) else repr(obj.name)
                raise ValueError(f"{type(obj).__name__} {shown} is not an element of this graph.")
            return obj
        if isinstance(obj, bytes):
            obj = obj.decode()
        if isinstance(obj, str):
            return self._element_by_name(obj, wanted, allow_tensor, allow_operation)
        raise TypeError(f"Can not convert a {type(obj).__name__} into a {wanted}.")

    def _element_by_name(self, name: str, wanted: str, allow_tensor: bool, allow_operation: bool) -> Any:
        if ":" in name and allow_tensor:
            op_name, _, index = name.rpartition(":")
            if not op_name or not index.isdigit():
                raise ValueError(
                    f"The name {name!r} looks a like a Tensor name, but is not a valid one. Tensor names must be of "
                    'the form "<op_name>:<output_index>".'
                )
            op = self._by_name.get(op_name)
            if op is None:
                raise KeyError(
                    f"The name {name!r} refers to a Tensor which does not exist. The operation, {op_name!r}, does "
                    "not exist in the graph."
                )
            if int(index) >= len(op.outputs):
                raise KeyError(
                    f"The name {name!r} refers to a Tensor which does not exist. The operation, {op_name!r}, exists "
                    f"but only has {len(op.outputs)} outputs."
                )
            return op.outputs[int(index)]
        if ":" in name:
            raise ValueError(f"Name {name!r} appears to refer to a Tensor, not a {wanted}.")
        if not allow_operation:
            hint = " but is not a valid Tensor name" if name not in self._by_name else ", not a Tensor"
            raise ValueError(
                f'The name {name!r} refers to an Operation{hint}. Tensor names must be of the form "<op_name>:<output_index>".'
            )
        op = self._by_name.get(name)
        if op is None:
            raise KeyError(f"The name {name!r} refers to an Operation not in the graph.")
        return op

    # -- collections -----------------------------------------------------------------------------------------------

    def add_to_collection(self, name: Any, value: Any) -> None:
        """Append `value` to a collection."""
        self._check_open()
        self._collections.setdefault(name, []).append(value)

    def add_to_collections(self, names: Any, value: Any) -> None:
        """Append `value` to each of the collections `names`."""
        for name in dict.fromkeys((names,) if isinstance(names, str) else names):
            self.add_to_collection(name, value)

    def get_collection_ref(self, name: Any) -> list[Any]:
        """Return the collection's list itself, made when it is new."""
        return self._collections.setdefault(name, [])

    def get_collection(self, name: Any, scope: str | None = None) -> list[Any]:
        """Return a copy of a collection; `scope` is a regular expression that item names must begin with."""
        items = self._collections.get(name, [])
        if scope is None:
            return list(items)
        pattern = re.compile(scope)
        return [item for item in items if hasattr(item, "name") and pattern.match(item.name)]

    def get_all_collection_keys(self) -> list[Any]:
        """Return the collections' names that are strings."""
        return [name for name in self._collections if isinstance(name, str)]

    @property
    def collections(self) -> list[Any]:
        """The collections' names."""
        return list(self._collections)

    def clear_collection(self, name: Any) -> None:
        """Drop everything in a collection."""
        self._check_open()
        self._collections.pop(name, None)

    # -- the rest --------------------------------------------------------------------------------------------------

    def finalize(self) -> None:
        """Refuse every further node."""
        self._finalized = True

    def _unsafe_unfinalize(self) -> None:
        """Take further nodes again: a monitored session that finalised the graph has ended."""
        self._finalized = False

    @property
    def finalized(self) -> bool:
        """Whether the graph refuses further nodes."""
        return self._finalized

    def _check_open(self) -> None:
        if self._finalized:
            raise RuntimeError("Graph is finalized and cannot be modified.")

    def prevent_feeding(self, tensor: Tensor) -> None:
        """Refuse values fed for `tensor`."""
        self._unfeedable.add(tensor)

    def is_feedable(self, tensor: Any) -> bool:
        """Tell whether a run may feed `tensor`."""
        tensor = self.as_graph_element(tensor)
        return tensor not in self._unfeedable and tensor.op.region is None

    def prevent_fetching(self, op: Any) -> None:
        """Refuse to fetch `op`, an operation or a tensor."""
        self._unfetchable.add(op)

    def is_fetchable(self, tensor_or_op: Any) -> bool:
        """Tell whether a run may fetch a tensor or an operation."""
        item = tensor_or_op
        op = item.op if isinstance(item, Tensor) else item
        return item not in self._unfetchable and op not in self._unfetchable and op.region is None

    @property
    def building_function(self) -> bool:
        """Tell whether this graph is the body of a function: never, because bodies are regions of a graph."""
        return False

    def as_graph_def(self, from_version: int | None = None, add_shapes: bool = False) -> Any:
        """Return the GraphDef proto of the graph."""
        return functions.graph_def(self, from_version, add_shapes)

    def node_def(self, op: Operation) -> Any:
        """Return the NodeDef of `op`."""
        return graphdef.node_def(op)

    def op_def(self, op: Operation) -> Any:
        """Return the OpDef of the type of `op`."""
        return op_defs.op_def(op.decl)

    def attr_for_user(self, op: Operation, name: str) -> Any:
        """Return an attribute of `op` as TensorFlow hands it out."""
        return graphdef.attr_for_user(op, name)

    def session_for(self, what: str, session: Any) -> Any:
        """Return `session`, or the default one; ValueError with TensorFlow's words when there is none for this graph."""
        doing, thing = ("evaluate tensor", "tensor") if what == "eval" else ("execute operation", "operation")
        which, hint = "given", ""
        if session is None:
            session = _stack.sessions[-1] if _stack.sessions else None
            which, hint = "default", f" Pass an explicit session to `{what}(session=sess)`."
            if session is None:
                raise ValueError(
                    f"Cannot {doing} using `{what}()`: No default session is registered. Use `with sess.as_default():` "
                    f"or pass an explicit session to `{what}(session=sess)`"
                )
        if session.graph is not self:
            raise ValueError(
                f"Cannot use the {which} session to {doing}: the {thing}'s graph is different from the session's "
                f"graph.{hint}"
            )
        return session


def groups_of(op: Operation) -> tuple[str, ...]:
    """Return the colocation groups of a node: those that it was put in, or its own."""
    return op.colocation or (f"loc:@{op.name}",)


class _DefaultStacks(threading.local):
    """Per thread: the stack of default graphs and that of default sessions."""

    def __init__(self) -> None:
        self.graphs: list[Graph] = []
        self.sessions: list[Any] = []


_stack = _DefaultStacks()
_global_default: list[Graph] = []


def get_default_graph() -> Graph:
    """Return the innermost graph made default in this thread, else the process's default graph."""
    if _stack.graphs:
        return _stack.graphs[-1]
    if not _global_default:
        _global_default.append(Graph())
    return _global_default[0]


def reset_default_graph() -> None:
    """Replace the process's default graph by an empty one."""
    if _stack.graphs:
        raise AssertionError(
            "Do not use tf.reset_default_graph() to clear nested graphs. If you need a cleared graph, exit "
            "the nesting and create a new graph."
        )
    _global_default[:] = [Graph()]


def leave_default_graphs() -> None:
    """Forget which graphs were made default in this thread, as tests that failed inside of one leave them."""
    _stack.graphs.clear()


def default_sessions() -> list[Any]:
    """Return this thread's stack of default sessions, innermost last."""
    return _stack.sessions


def new_operation(
    graph: Graph, decl: OpDecl, name: str, inputs: tuple[Tensor, ...], attrs: dict[str, Any],
    depth: int = 1, reachable: bool = False,
) -> Operation:  # fmt: skip
    """Make a node out of checked parts: append it, infer its outputs and apply the scopes around it.

    `depth` frames are the package's, this one counted; `reachable` says that the inputs are known to be of this graph and
    of the region that is being built. One thread at a time builds a graph, as in TensorFlow: names are not guarded.
    """
    if graph._finalized:
        raise RuntimeError("Graph is finalized and cannot be modified.")
    op = Operation(graph, decl, name, inputs, attrs)
    if graph._overrides and decl.name in graph._overrides:
        op.attrs = attrs = {**attrs, "_gradient_op_type": graph._overrides[decl.name]}
    if graph._container and attrs.get("container") == "":
        op.attrs = attrs = {**attrs, "container": graph._container}
    single = decl.single
    if single is None:
        _infer_outputs(op)
    else:
        dtype: Any = attrs[single.type_attr] if single.type_attr else single.dtype
        op.outputs = (Tensor(op, 0, dtype._as_ref if single.is_ref else dtype, decl.shape(op)),)  # type: ignore[arg-type]
    if graph._regions:
        op.region = graph._regions[-1]
    if not reachable:
        graph._check_inputs(op, op.region)
    op.frames = user_frames(depth + 1)
    if graph._controls:
        op.control_inputs = graph._controls_for(op)
    graph.append(op)
    if graph._devices or graph._colocation:
        graph.place_request(op)
    return op


def _infer_outputs(op: Operation) -> None:
    """Set an op's outputs from its declaration: dtypes out of the attributes, shapes by its rule."""
    decl = op.decl
    dims = decl.shape(op)
    types = output_dtypes(decl, op.attrs)
    all_dims = dims if isinstance(dims, list) else [dims] * len(types)
    if len(all_dims) != len(types):
        raise ValueError(f"{decl.name}: {len(all_dims)} shapes for {len(types)} outputs")
    op.outputs = tuple(
        Tensor(op, i, dtype, shape) for i, (dtype, shape) in enumerate(zip(types, all_dims, strict=True))
    )


def output_dtypes(decl: OpDecl, attrs: dict[str, Any]) -> list[Any]:
    """Return the dtype of every flat output under these attributes."""
    types: list[Any] = []
    for arg in decl.outputs:
        if arg.type_list_attr:
            types.extend(attrs[arg.type_list_attr])
            continue
        dtype: Any = attrs[arg.type_attr] if arg.type_attr else arg.dtype
        types.extend([dtype._as_ref if arg.is_ref else dtype] * (attrs[arg.number_attr] if arg.number_attr else 1))
    return types
