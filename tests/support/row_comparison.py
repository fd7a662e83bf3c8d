"""One row of an op table on TensorFlow: values, and derivatives, side by side with ours.

The graph that a row builds is given to TensorFlow as a GraphDef: names, attributes and order of inputs are compared with
the values. Derivatives are our own ops on our side and TensorFlow's on its side.
"""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from millstream import ConfigProto, Session, gradients
from millstream.devices import simulated_gpus
from millstream.ops.array import placeholder
from millstream.ops.core.errors import OpError
from millstream.ops.core.graph import Graph
from millstream.ops.core.node import Tensor
from support import opcheck, oracle
from support.meanings import meaning
from support.opcheck import Row

# The relative error allowed by the narrowest dtype around; libraries differ in the last digits of transcendental functions.
TOLERANCE = {"float16": 1e-2, "bfloat16": 6e-2, "float32": 2e-4, "complex64": 2e-4, "float64": 1e-7, "complex128": 1e-7}

# Ops that compute in single precision whatever their types: both libraries' weights are of that.
SINGLE = frozenset({"ResizeBicubic", "ResizeBilinear"})

# Rows where TensorFlow's own answer is no measure, by reason.
NO_MEASURE = {
    "Dequantize-quint8-MIN_FIRST": "TensorFlow's two kernels of QuantizeV2 round the lower bound differently",
    "QuantizeAndDequantizeV2-axis": "TensorFlow's host kernel takes one range only",
    "Round-int32": "TensorFlow 2.21 rounds whole numbers to 0",
    "Conv2DBackpropInput-atrous-transpose": "TensorFlow's host kernels have no transposed dilated convolutions",
    "DepthwiseConv2dNative-NCHW": "TensorFlow's host kernel serves NHWC only",
}
NO_MEASURE_OF_DERIVATIVES = {
    **{
        f"{op}-ignoring": "TensorFlow's derivative does not ignore what the op ignores"
        for op in ("GatherNd", "ScatterNd", *(f"TensorScatter{suffix}" for suffix in ("Update", "Add", "Sub", "Max", "Min")))
    },
    "BlockLSTMV2": "TensorFlow's derivative differs from that of its own forward pass in ordinary ops",
    "RGBToHSV-edges": "hue and saturation have no derivatives at greys",
    "DebugGradientIdentity": "TensorFlow asserts that its debugger has registered the node",
    "Conv2D-dilated": "TensorFlow's host kernels have no derivatives of dilated convolutions",
    "Conv2D-grouped": "TensorFlow's host kernels have no derivatives of grouped convolutions",
    "SoftmaxCrossEntropyWithLogits": "TensorFlow leaves out what the labels do to the second output",
    "Conv2D-atrous": "TensorFlow's host kernels have no derivatives of dilated convolutions",
    "MatrixDiagV2": "TensorFlow's derivative aligns bands to the right, where the op aligns them to the left",
    "MatrixSetDiagV2": "TensorFlow's derivative aligns bands to the right, where the op aligns them to the left",
    "MatrixDiagPartV2": "TensorFlow's derivative aligns bands to the right, where the op aligns them to the left",
    "FusedBatchNormGrad": "the last two outputs are empty here, as TensorFlow's shape function says, and scalars there",
}


def measures_derivatives(row: Row) -> bool:
    """Tell whether TensorFlow's derivatives of a row count: the table names rows, or op types."""
    return not {str(row), row.op, row.op.removesuffix("V3").removesuffix("V2")} & NO_MEASURE_OF_DERIVATIVES.keys()


def compare(
    row: Row, arrays: list[Any], derivatives: bool = True, view: Callable[[tuple[int, ...]], Any] = lambda dims: dims
) -> bool:
    """Compare a row on these inputs, of whose shapes graphs know what `view` leaves; return whether TensorFlow could run it."""
    with Graph().as_default() as graph, simulated_gpus(0):
        xs = [placeholder(array.dtype, view(array.shape)) for array in arrays]
        ys = [y for y in opcheck._flat(row.build(*xs)) if isinstance(y, Tensor)]
        feeds = dict(zip(xs, arrays, strict=True))
        try:
            peer = oracle.Peer(graph)
            wanted = peer.run([y.name for y in ys], {x.name: array for x, array in feeds.items()})
        except oracle.NothingToCompare:
            return False
        found = run(ys, feeds)
        for y, ours, theirs in zip(ys, found, wanted, strict=True):
            if "FusedBatchNormGrad" in row.op and y.value_index > 2:
                continue
            if row.reference is not None or y.op.decl.stateful is False:
                check(ours, theirs, row, arrays, f"{y}", y.value_index if y.op.type == row.op else -1)
        if derivatives and measures_derivatives(row):
            compare_gradients(row, peer, ys, found, feeds)
    return True


def refuses(row: Row, arrays: list[Any]) -> bool:
    """Tell whether a session of ours ends with an error on these inputs."""
    with Graph().as_default(), simulated_gpus(0):
        xs = [placeholder(array.dtype, array.shape) for array in arrays]
        ys = opcheck._flat(row.build(*xs))
        try:
            run(ys, dict(zip(xs, arrays, strict=True)))
        except OpError:
            return True
        return False


def run(fetches: list[Any], feeds: dict[Any, Any]) -> list[Any]:
    """Run a session of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Session(config=ConfigProto(allow_soft_placement=True)) as session:
            return list(session.run(fetches, feeds))


def compare_gradients(row: Row, peer: oracle.Peer, ys: list[Tensor], values: list[Any], feeds: dict[Any, Any]) -> None:
    """Compare the derivatives of all floating outputs by all floating inputs, where TensorFlow has them."""
    xs = [x for x in feeds if x.dtype.is_floating]
    above = [(y, np.asarray(value)) for y, value in zip(ys, values, strict=True) if y.dtype.is_floating]
    if not xs or not above:
        return
    random = np.random.default_rng(11)
    weights = [random.uniform(0.5, 1.5, value.shape).astype(value.dtype) for _, value in above]
    names = peer.gradients([y.name for y, _ in above], [x.name for x in xs], weights)
    if names is None or not any(names):
        return
    ours = gradients([y for y, _ in above], xs, list(weights))
    missing = [x.name for x, g, name in zip(xs, ours, names, strict=True) if name is not None and g is None]
    assert not missing, f"TensorFlow has derivatives by {missing}"
    both = [(g, name) for g, name in zip(ours, names, strict=True) if g is not None and name is not None]
    try:
        wanted = peer.run([name for _, name in both], {x.name: array for x, array in feeds.items()})
    except oracle.NothingToCompare:
        return
    found = run([g for g, _ in both], feeds)
    for (gradient, _), mine, theirs in zip(both, found, wanted, strict=True):
        mine = mine if isinstance(mine, np.ndarray | np.generic) else dense(mine)
        check(mine, theirs, row, list(feeds.values()), f"derivative {gradient}")


def dense(slices: Any) -> Any:
    """Return an IndexedSlicesValue as an array."""
    array = np.zeros(slices.dense_shape, slices.values.dtype)
    np.add.at(array, slices.indices, slices.values)
    return array


def check(ours: Any, theirs: Any, row: Row, arrays: list[Any], what: str, place: int = -1) -> None:
    """Compare a value with TensorFlow's: dtype, shape, numbers."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if ours.dtype.names:  # TensorFlow hands quantised numbers out as whole ones
        ours = ours[ours.dtype.names[0]]
    ours, theirs = meaning(row.op, place, ours), meaning(row.op, place, theirs)
    assert ours.shape == theirs.shape, f"{what}: shape {ours.shape}, TensorFlow's {theirs.shape}"
    assert ours.dtype == theirs.dtype, f"{what}: {ours.dtype}, TensorFlow's {theirs.dtype}"
    if ours.dtype.kind in "fcV":
        names = [array.dtype.name for array in (*arrays, ours)] + ["float32"] * (row.op in SINGLE)
        error = row.error * max(TOLERANCE.get(name, 0.0) for name in names)
        np.testing.assert_allclose(oracle.plain(ours), oracle.plain(theirs), rtol=error, atol=error, err_msg=what)
    else:
        np.testing.assert_array_equal(ours, theirs, err_msg=what)
