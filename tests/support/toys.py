"""Small op declarations for tests of the machinery: named as TensorFlow's, kept out of the registry.

They let a test of the placer say what kernels an op has, without depending on the families. Their kernels never run.
"""

from __future__ import annotations

from millstream.ops.core import build, dtypes
from millstream.ops.core.dtypes import DType
from millstream.ops.core.regions import Region
from millstream.ops.core.registry import REGISTRY, op
from millstream.ops.core.shapes import Shape

TASK = "/job:localhost/replica:0/task:0/device:"
CPU0, CPU1, GPU0, GPU1 = (TASK + name for name in ("CPU:0", "CPU:1", "GPU:0", "GPU:1"))


def toy(name, **declaration):
    """Declare an op type under TensorFlow's name without registering it."""

    def declare(block):
        decl = op(f"Toy{name}", **declaration)(block)
        del REGISTRY[decl.name]
        decl.name = name
        return decl

    return declare


def like_first(node):
    return node.inputs[0].dims


def scalar(node):
    return ()


def from_attr(node):
    return node.attrs["shape"]


# Importing it is what lets declarations build nodes.
assert build.build


@toy("Placeholder", types="-> output: dtype", shape=from_attr)
def placeholder(xp, *, dtype: DType, shape: Shape):
    raise NotImplementedError


@toy("Const", types="-> output: dtype", shape=from_attr)
def const(xp, *, dtype: DType, shape: Shape):
    return xp.zeros(shape)


@toy("Mul", types="x: T, y: T -> z: T", shape=like_first)
def mul(xp, x, y):
    return x * y


@toy("Tanh", types="x: T -> y: T", shape=like_first)
def tanh(xp, x):
    return xp.tanh(x)


@toy("Identity", types="input: T -> output: T", shape=like_first)
def identity(xp, x):
    return x


@toy("Cast", types="x: SrcT -> y: DstT", shape=like_first)
def cast(xp, x, *, DstT: DType):
    return x.astype(DstT.np_dtype)


@toy("Less", types="x: T, y: T -> z: bool", shape=like_first)
def less(xp, x, y):
    return x < y


@toy("Shape", types="input: T -> output: int32", host="output", shape=lambda node: (len(node.inputs[0].dims),))
def shape_of(xp, x):
    return xp.array(x.shape)


@toy("Reshape", types="tensor: T, shape: int32 -> output: T", host="shape", shape=lambda node: None)
def reshape(xp, x, shape):
    return x.reshape(shape)


@toy("StringJoin", types="inputs: N*string -> output: string", shape=scalar, devices="CPU")
def string_join(xp, inputs):
    return inputs[0]


@toy("CpuOnly", types="x: T -> y: T", shape=like_first, devices="CPU")
def cpu_only(xp, x):
    return xp.abs(x)


@toy("GpuOnly", types="x: T -> y: T", shape=like_first, devices="GPU")
def gpu_only(xp, x):
    return xp.abs(x)


@toy("NoKernel", types="x: T -> y: T", shape=like_first)
def no_kernel(xp, x): ...


@toy("Conv2D", types="x: T -> y: T", shape=like_first, T=(dtypes.float16, dtypes.float32, dtypes.float64))
def floats_on_gpu(xp, x): ...


floats_on_gpu.kernel("CPU")(lambda xp, x: x)
floats_on_gpu.kernel("GPU", supports=lambda node: node.attrs["T"] is dtypes.float32)(lambda xp, x: x)


@toy("VariableV2", types="-> ref: Ref(dtype)", shape=from_attr, stateful=True)
def variable(*, shape: Shape, dtype: DType, container: str = "", shared_name: str = ""): ...


@toy("Assign", types="ref: Ref(T), value: T -> output_ref: Ref(T)", shape=like_first, writes="ref")
def assign(xp, ref, value):
    return ref


@toy("ApplyBoth", types="var: Ref(T), accum: Ref(T), grad: T -> out: Ref(T)", shape=like_first, writes="var accum")
def apply_both(xp, var, accum, grad):
    return var


@toy("CountUpTo", types="ref: Ref(T) -> output: T", shape=scalar, writes="ref", devices="CPU")
def count_up_to(xp, ref):
    return ref


@toy("VarHandleOp", types="-> resource: resource", shape=scalar, stateful=True)
def var_handle(*, dtype: DType, shape: Shape, container: str = "", shared_name: str = ""): ...


@toy("ReadVariableOp", types="resource: resource -> value: dtype", shape=scalar, stateful=True)
def read_variable(xp, resource, *, dtype: DType):
    return resource


@toy("_Arg", types="-> output: T", shape=from_attr)
def arg(*, T: DType, shape: Shape): ...


@toy("If", types="cond: bool -> output: [Tout]", shape=lambda node: [None] * len(node.attrs["Tout"]))
def if_node(*, Tout: list[DType]): ...


@toy("While", types="input: [T] -> output: [T]", shape=lambda node: [tensor.dims for tensor in node.inputs])
def while_node(): ...


def value(graph, shape=(2,), dtype=dtypes.float32, name="x"):
    """Return a placeholder."""
    with graph.as_default():
        return placeholder(dtype=dtype, shape=shape, name=name)


def loop(graph, initial, condition, body, name="loop"):
    """Build a While node over `initial`; `condition` and `body` are functions of the loop variables' tensors."""
    regions = []
    for kind, function in (("cond", condition), ("body", body)):
        region = Region(graph, kind, f"{name}/{kind}", graph.current_region)
        with graph.region(region):
            region.params = [
                arg(T=t.dtype.base_dtype, shape=t.dims, name=f"{name}/{kind}/arg{i}") for i, t in enumerate(initial)
            ]
            made = function(*region.params)
        region.results = list(made) if isinstance(made, (list, tuple)) else [made]
        regions.append(region)
    return _own(while_node.node(initial, name=name), regions)


def conditional(graph, predicate, branches, dtype=dtypes.float32, name="cond"):
    """Build an If node with one output; `branches` are functions that return its value."""
    regions = []
    for kind, function in zip(("then", "else"), branches, strict=True):
        region = Region(graph, kind, f"{name}/{kind}", graph.current_region)
        with graph.region(region):
            region.results = [function()]
        regions.append(region)
    return _own(if_node.node(predicate, Tout=[dtype], name=name), regions)


def _own(op, regions):
    op.regions = tuple(regions)
    for region in regions:
        region.owner = op
    return op
