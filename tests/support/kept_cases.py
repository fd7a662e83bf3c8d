"""What keeps values between ops, in every dtype: lists, arrays of tensors, tables, accumulators, slices of variables.

Cases as in `support.state_cases`: each builds all ops of its family on values of one dtype, and tells what to fetch step by step.
"""

from typing import Any

import numpy as np

import millstream as tf
from millstream.ops.core.registry import REGISTRY, lookup
from support.specimens import cast
from support.state_cases import StateCase, Steps, operand, variable

DTYPES = (
    "float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
    "complex64", "complex128", "bool", "string",
)  # fmt: skip
QUANTISED = ("qint8", "quint8", "qint16", "quint16", "qint32")
KEYS = ("int32", "int64", "string")
PAIRS = (
    *((key, value) for key in ("int64", "string") for value in ("bool", "float32", "float64", "int32", "int64", "string")),
    ("int32", "float32"), ("int32", "int32"), ("int32", "float64"), ("int32", "string"), ("int32", "int64"), ("int32", "bool"),
)  # fmt: skip


def drawn(case: StateCase, *dims: int, dtype: str = "") -> Any:
    """Return numbers of the case's dtype, drawn by its name; texts and quantised numbers are made of them."""
    return cast(case.rng.permutation(np.prod(dims)).reshape(dims) - 1.0, tf.as_dtype(dtype or case.dtype))


def values(case: StateCase, *dims: int, dtype: str = "") -> Any:
    """Return them as a tensor."""
    return tf.constant(drawn(case, *dims, dtype=dtype))


def lists(case: StateCase) -> Steps:
    dtype, kind = tf.as_dtype(case.dtype), dict(case.flags)["shapes"]
    x, dims, any_dims = values(case, 3, 2), tf.constant([2], kind), tf.constant([-1, 2], kind)
    whole = lookup("TensorListFromTensor")(x, dims)
    split = lookup("TensorListSplit")(x, any_dims, tf.constant([1, 2], tf.int64))
    placed = lookup("TensorListScatterV2")(x, [2, 0, 1], dims, 4)
    older = lookup("TensorListScatter")(x, [2, 0, 1], dims)
    room = lookup("TensorListReserve")(dims, 3, element_dtype=dtype)
    filled = lookup("TensorListScatterIntoExistingList")(lookup("TensorListSetItem")(room, 1, x[0]), x[1:], [2, 0])
    pushed = lookup("TensorListPushBack")(lookup("EmptyTensorList")(dims, 5, element_dtype=dtype), x[2])
    popped = lookup("TensorListPopBack")(pushed, [2], element_dtype=dtype)[1]
    stacked = [lookup("TensorListStack")(each, [2], element_dtype=dtype) for each in (whole, older, filled)]
    items = [
        lookup("TensorListGather")(placed, [2, 0], [2], element_dtype=dtype),
        lookup("TensorListGetItem")(whole, 1, dims, element_dtype=dtype),
        lookup("TensorListElementShape")(whole, shape_type=tf.as_dtype(kind)),
        lookup("TensorListLength")(lookup("TensorListResize")(whole, 5)),
        lookup("TensorListStack")(whole, [2], element_dtype=dtype, num_elements=3),
    ]
    joined = lookup("TensorListConcatV2")(split, any_dims, tf.constant([], tf.int64), element_dtype=dtype)
    return [[*stacked, *items, popped, *joined]]


def arrays(case: StateCase) -> Steps:
    dtype, x = tf.as_dtype(case.dtype), values(case, 3, 2)

    def array(size: int) -> Any:
        return lookup("TensorArrayV3")(size, dtype=dtype, **dict(case.flags))

    handle, flow = array(3)
    for i in range(3):
        flow = lookup("TensorArrayWriteV3")(handle, i, x[i], flow)
    read = lookup("TensorArrayReadV3")(handle, 1, flow, dtype=dtype)
    placed, after = array(3)
    after = lookup("TensorArrayScatterV3")(placed, [2, 0, 1], x, after)
    parts, later = array(2)
    later = lookup("TensorArraySplitV3")(parts, x, tf.constant([1, 2], tf.int64), later)
    gathered = lookup("TensorArrayGatherV3")(placed, [0, 2], after, dtype=dtype, element_shape=(2,))
    return [[read, gathered, *lookup("TensorArrayConcatV3")(parts, later, dtype=dtype)]]


def _asked(case: StateCase, table: Any, ready: list[Any], keys: Any, default: Any, export: bool) -> Steps:
    types = {"Tout": tf.as_dtype(dict(case.flags)["value"])}
    prefix = "V2" if table.dtype is tf.resource else ""
    found = lookup(f"LookupTableFind{prefix}")(table, keys, default, **types)
    size = lookup(f"LookupTableSize{prefix}")(table)
    steps = [[node] for node in ready] + [[found, size]]
    if export:
        kinds = {"Tkeys": tf.as_dtype(case.dtype), "Tvalues": types["Tout"]}
        imported = lookup(f"LookupTableImport{prefix}").node(table, keys[:1], default if default.shape.ndims else default[None])
        made = lookup(f"LookupTableExport{prefix}")(table, **kinds)
        steps += [[imported], list(made)]
    return steps


def tables(case: StateCase) -> Steps:
    kind = dict(case.flags)["value"]
    keys, items = values(case, 3), values(case, 3, dtype=kind)
    table = lookup(case.op)(key_dtype=tf.as_dtype(case.dtype), value_dtype=tf.as_dtype(kind))
    suffix = "V2" if case.op.endswith("V2") else ""
    filled = f"InitializeTable{suffix}" if case.op.startswith("Hash") else f"LookupTableInsert{suffix}"
    export = case.op.startswith("Mutable")
    ready = [lookup(filled).node(table, keys, items)]
    return _asked(case, table, ready, keys[::-1], items[0], export)


def wide_tables(case: StateCase) -> Steps:
    kind = dict(case.flags)["value"]
    keys, items = values(case, 3), values(case, 3, 2, dtype=kind)
    attrs = {"key_dtype": tf.as_dtype(case.dtype), "value_dtype": tf.as_dtype(kind), "value_shape": (2,)}
    suffix = "V2" if case.op.endswith("V2") else ""
    table = lookup(case.op)(**attrs)
    ready = [lookup(f"LookupTableInsert{suffix}").node(table, keys, items)]
    return _asked(case, table, ready, keys[::-1], items[0], False)


def dense_tables(case: StateCase) -> Steps:
    kind = dict(case.flags)["value"]
    five = values(case, 5)
    items = values(case, 3, dtype=kind)
    table = lookup(case.op)(five[3], five[4], value_dtype=tf.as_dtype(kind), value_shape=(), initial_num_buckets=8)
    ready = [lookup("LookupTableInsertV2").node(table, five[:3], items)]
    if kind == "int64":
        ready.append(lookup("LookupTableRemoveV2").node(table, five[:1]))
    return _asked(case, table, ready, five[2::-1], items[0], False)


def accumulated(case: StateCase) -> Steps:
    dtype, resource = tf.as_dtype(case.dtype), case.op.startswith("Resource")
    handle = lookup(case.op)(dtype=dtype, shape=(2,), **dict(case.flags))
    prefix = "Resource" if resource else ""
    apply = lookup(f"{prefix}AccumulatorApplyGradient")
    nodes = [apply.node(handle, tf.constant(0, tf.int64), values(case, 2)) for _ in range(2)]
    return [*([node] for node in nodes), [lookup(f"{prefix}AccumulatorTakeGradient")(handle, 2, dtype=dtype)]]


def sparsely_accumulated(case: StateCase) -> Steps:
    dtype = tf.as_dtype(case.dtype)
    handle = lookup(case.op)(dtype=dtype, shape=(4, 2), **dict(case.flags))
    apply, zero, dims = lookup("SparseAccumulatorApplyGradient"), tf.constant(0, tf.int64), tf.constant([4, 2], tf.int64)
    nodes = [
        apply.node(handle, zero, tf.constant(rows, tf.int64), values(case, 2, 2), dims, has_known_shape=True)
        for rows in ([0, 2], [1, 2])
    ]
    return [*([node] for node in nodes), list(lookup("SparseAccumulatorTakeGradient")(handle, 2, dtype=dtype))]


def sliced(case: StateCase) -> Steps:
    resource = case.op.startswith("Resource")
    v = variable("v", drawn(case, 4, 3), resource)
    kind = dict(case.flags)["index"]
    bounds = [tf.constant(bound, kind) for bound in ([1, 0], [4, 2], [2, 1])]
    node = REGISTRY[case.op].node(operand(v, resource), *bounds, values(case, 2, 2), begin_mask=2)
    return [[tf.global_variables_initializer()], [node], [v.read_value()]]


def held(case: StateCase) -> Steps:
    """Assign what is no number, and replace rows of it."""
    resource = case.op.startswith("Resource") or case.op.endswith("VariableOp")
    v = variable("v", drawn(case, 4, 2), resource)
    if "Scatter" in case.op:
        indices = [[2], [0]] if "Nd" in case.op else [2, 0]
        node = REGISTRY[case.op].node(operand(v, resource), tf.constant(indices), values(case, 2, 2))
    else:
        node = REGISTRY[case.op].node(operand(v, resource), values(case, 4, 2))
    return [[tf.global_variables_initializer()], [node], [v.read_value()]]


def asked(case: StateCase) -> Steps:
    """Ask a variable for its shape, and for rows of each batch."""
    v = variable("v", drawn(case, 2, 3, 2), True)
    indices = tf.constant([[2, 0], [1, 1]])
    rows = REGISTRY["ResourceGather"](v.handle, indices, dtype=v.dtype, batch_dims=1, validate_indices=False)
    places = REGISTRY["ResourceGatherNd"](v.handle, tf.constant([[1, 2], [0, 0]]), dtype=v.dtype)
    return [[tf.global_variables_initializer()], [rows, places, REGISTRY["VariableShape"](v.handle, out_type=tf.int64)]]


def stacks(case: StateCase) -> Steps:
    x = values(case, 3)
    handle = lookup("StackV2")(4, elem_type=x.dtype, stack_name="s")
    with tf.control_dependencies([lookup("StackPushV2")(handle, x)]):
        return [[lookup("StackPopV2")(handle, elem_type=x.dtype)]]


HELD = ("Assign", "AssignVariableOp", "ScatterUpdate", "ResourceScatterUpdate", "ScatterNdUpdate", "ResourceScatterNdUpdate")
KEPT = [
    *(StateCase("TensorListStack", lists, dtype, (("shapes", "int32"),)) for dtype in (*DTYPES, *QUANTISED)),
    StateCase("TensorListStack", lists, "float32", (("shapes", "int64"),)),
    *(StateCase("TensorArrayV3", arrays, dtype) for dtype in DTYPES),
    StateCase("TensorArrayV3", arrays, "float32", (("dynamic_size", True), ("clear_after_read", False))),
    *(
        StateCase(op, tables, key, (("value", value),))
        for op in ("HashTable", "HashTableV2", "MutableHashTable", "MutableHashTableV2")
        for key, value in PAIRS
    ),
    *(
        StateCase(op, wide_tables, key, (("value", value),))
        for op in ("MutableHashTableOfTensors", "MutableHashTableOfTensorsV2")
        for key, value in PAIRS
    ),
    *(StateCase("MutableDenseHashTableV2", dense_tables, key, (("value", value),)) for key, value in PAIRS),
    *(
        StateCase(f"{prefix}ConditionalAccumulator", accumulated, dtype, (("reduction_type", reduction),))
        for prefix in ("", "Resource")
        for dtype in ("float16", "float32", "float64")
        for reduction in ("MEAN", "SUM")
    ),
    *(
        StateCase("SparseConditionalAccumulator", sparsely_accumulated, dtype, (("reduction_type", reduction),))
        for dtype in ("float16", "float32", "float64")
        for reduction in ("MEAN", "SUM")
    ),
    *(
        StateCase(op, sliced, dtype, (("index", "int32"),))
        for op in ("StridedSliceAssign", "ResourceStridedSliceAssign")
        for dtype in DTYPES
    ),
    *(StateCase(op, sliced, "float32", (("index", "int64"),)) for op in ("StridedSliceAssign", "ResourceStridedSliceAssign")),
    *(StateCase(op, held, dtype) for op in HELD for dtype in ("bool", "string")),
    *(StateCase(op, held, dtype) for op in HELD[:2] for dtype in QUANTISED),
    *(StateCase("StackV2", stacks, dtype) for dtype in DTYPES),
    *(StateCase("ResourceGather", asked, dtype) for dtype in DTYPES),
]
