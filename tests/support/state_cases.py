"""Ops on variables, for the comparison with TensorFlow: steps of one session, with numbers that a seed draws.

A case builds variables and one op on them, and tells what to fetch step by step: initialise, run the op twice, read. The
tables of scatters and of the optimisers' updates come from the declarations themselves.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import millstream as tf
from millstream.ops.core.registry import REGISTRY
from millstream.ops.state.apply import APPLY

FLOATS = ("float32", "float64", "float16", "bfloat16")
COMPLEX = ("complex64", "complex128")
NUMBERS = ("float32", "float64", "int32", "int64")
OTHERS = ("bfloat16", "int8", "int16", "uint8", "uint16", "uint32", "uint64", *COMPLEX)
SCALARS = {
    "lr": 0.25, "alpha": 0.25, "beta1": 0.75, "beta2": 0.875, "beta1_power": 0.5, "beta2_power": 0.625, "epsilon": 0.0625,
    "rho": 0.75, "momentum": 0.5, "l1": 0.125, "l2": 0.25, "l2_shrinkage": 0.0625, "lr_power": -0.5, "logbase": 1.5,
    "sign_decay": 0.75, "beta": 0.875, "global_step": 3,
}  # fmt: skip
# A mean must stay below the root of the mean square, and the sum that FTRL keeps is mostly negative.
SCALES = {"mg": 0.25, "linear": -1}
FLAGS = ("use_nesterov", "update_slots", "multiply_linear_by_lr")
KINDS = ("Update", "Add", "Sub", "Mul", "Div", "Min", "Max")
ND_KINDS = ("Update", "Add", "Sub", "Min", "Max")

Steps = list[list[Any]]


@dataclass(frozen=True)
class StateCase:
    """One case: `build(case)` makes the graph and returns what to fetch, step by step."""

    op: str
    build: Callable[["StateCase"], Steps]
    dtype: str = "float32"
    flags: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return "-".join([self.op, self.dtype, *(f"{name}={value}" for name, value in self.flags)])

    @property
    def rng(self) -> np.random.Generator:
        """Numbers of its own for each case, the same ones every time."""
        return np.random.default_rng(zlib.crc32(str(self).encode()))

    def numbers(self, low: float, high: float, *dims: int) -> Any:
        """Return an array of the case's dtype; the same call gives the same numbers."""
        drawn = self.rng.uniform(low, high, dims)
        return drawn.astype(tf.as_dtype(self.dtype).as_numpy_dtype)


def variable(name: str, value: Any, resource: bool) -> Any:
    """Return a variable of the default graph."""
    return tf.get_variable(name, initializer=tf.constant(value), use_resource=resource)


def operand(v: Any, resource: bool) -> Any:
    """Return what an op on a variable takes: its handle or the reference."""
    return v.handle if resource else v


def steps(variables: list[Any], node: Any) -> Steps:
    """Return the fetches: initialise, the op twice, the variables afterwards."""
    fetched = [t for t in node.outputs if not t.dtype._is_ref_dtype] or [node]
    return [[tf.global_variables_initializer()], fetched, fetched, [v.read_value() for v in variables]]


def scattered(case: StateCase) -> Steps:
    resource, several = case.op.startswith("Resource"), "Nd" in case.op
    v = variable("v", case.numbers(1, 9, 5, 3), resource)
    rows = np.array([3, 0, 3] if dict(case.flags)["twice"] else [4, 1, 2], dict(case.flags)["indices"])
    updates = case.numbers(1, 4, 3, 3)
    if several:
        rows, updates = np.stack([rows, [2, 0, 1]], 1).astype(rows.dtype), updates[0]
    ignoring = {"bad_indices_policy": "IGNORE"} if dict(case.flags).get("ignoring") else {}
    node = REGISTRY[case.op].node(operand(v, resource), tf.constant(rows), tf.constant(updates), **ignoring)
    return steps([v], node)


def updated(case: StateCase) -> Steps:
    resource, rng = case.op.startswith("Resource"), case.rng
    decl, kind = REGISTRY[case.op], tf.as_dtype(case.dtype).as_numpy_dtype
    variables, inputs = [], []
    for arg in decl.inputs:
        if arg.is_ref or (arg.dtype is not None and arg.dtype.name == "resource"):
            v = variable(arg.name, (rng.uniform(0.5, 2.0, (4, 3)) * SCALES.get(arg.name, 1)).astype(kind), resource)
            variables.append(v)
            inputs.append(operand(v, resource))
        elif arg.name in ("grad", "delta"):
            inputs.append(tf.constant(rng.normal(size=(3 if "Sparse" in case.op else 4, 3)).astype(kind)))
        elif arg.name == "indices":
            inputs.append(tf.constant(np.array([1, 3, 0], "i8" if case.dtype == "float64" else "i4")))
        else:
            inputs.append(tf.constant(np.array(SCALARS[arg.name], "i8" if arg.name == "global_step" else kind)))
    return steps(variables, decl.node(*inputs, **dict(case.flags)))


def assigned(case: StateCase) -> Steps:
    resource = case.op.endswith("VariableOp")
    v = variable("v", case.numbers(1, 9, 2, 3), resource)
    return steps([v], REGISTRY[case.op].node(operand(v, resource), tf.constant(case.numbers(-4, 4, 2, 3))))


def counted(case: StateCase) -> Steps:
    resource = case.op.startswith("Resource")
    v = variable("v", np.array(3, case.dtype), resource)
    attrs = {"T": tf.as_dtype(case.dtype)} if resource else {}
    return steps([v], REGISTRY[case.op].node(operand(v, resource), limit=dict(case.flags).get("limit", 5), **attrs))


def gathered(case: StateCase) -> Steps:
    v = variable("v", case.numbers(-9, 9, 4, 3), True)
    several = case.op.endswith("Nd")
    places = [[[3, 0], [1, 2]]] if several else [[3, 0, 1], [1, 1, 2]]
    indices = tf.constant(np.array(places, dict(case.flags)["indices"]))
    return steps([v], REGISTRY[case.op].node(v.handle, indices, dtype=tf.as_dtype(case.dtype)))


def told(case: StateCase) -> Steps:
    """Ask a variable before and after it has a value, and what it is."""
    resource = case.op not in ("VariableV2", "IsVariableInitialized")
    v = variable("v", case.numbers(-9, 9, 2, 3), resource)
    known = tf.is_variable_initialized(v)
    asked = [v.read_value(), known] + ([REGISTRY["VariableShape"](v.handle)] if resource else [])
    return [[known], [tf.global_variables_initializer()], asked]


def destroyed(case: StateCase) -> Steps:
    v = variable("v", case.numbers(-9, 9, 2, 3), True)
    known = tf.is_variable_initialized(v)
    return [[tf.global_variables_initializer()], [known], [REGISTRY["DestroyResourceOp"].node(v.handle)], [known]]


def left_alone(case: StateCase) -> Steps:
    v = variable("v", case.numbers(-9, 9, 2, 3), True)
    return steps([v], REGISTRY[case.op].node(v.handle))


def _choices(op: str) -> list[tuple[tuple[str, bool], ...]]:
    named = [name for name in FLAGS if name in REGISTRY[op].attrs]
    return [(), *(((name, not REGISTRY[op].attrs[name].default),) for name in named)]


def _takes(op: str, dtype: str) -> bool:
    """Tell whether an op on variables takes a dtype."""
    decl = REGISTRY[op]
    attr = decl.attrs["T" if "T" in decl.attrs else "dtype"]
    return attr.allowed is None or tf.as_dtype(dtype) in attr.allowed


def _scatters() -> list[StateCase]:
    names = [f"{prefix}Scatter{kind}" for prefix in ("", "Resource") for kind in KINDS]
    names += [f"{prefix}ScatterNd{kind}" for prefix in ("", "Resource") for kind in ND_KINDS]
    return [
        StateCase(name, scattered, dtype, (("indices", indices), ("twice", twice)))
        for name in names
        for dtype in (*NUMBERS, "float16")
        for indices, twice in (("int32", True), ("int64", False))
    ] + [
        StateCase(name, scattered, dtype, (("indices", "int32"), ("twice", True)))
        for name in names
        for dtype in OTHERS
        if _takes(name, dtype)
    ]


ASSIGNMENTS = (
    "Assign", "AssignAdd", "AssignSub", "AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp",
)  # fmt: skip
TOLD = ("VariableV2", "IsVariableInitialized", "VarHandleOp", "VarIsInitializedOp", "ReadVariableOp", "VariableShape")

CASES = [
    *_scatters(),
    *(StateCase(op, updated, dtype, flags) for op in APPLY for dtype in FLOATS for flags in _choices(op)),
    *(StateCase(op, updated, dtype) for op in APPLY for dtype in COMPLEX if _takes(op, dtype)),
    *(StateCase(op, assigned, dtype) for op in ASSIGNMENTS for dtype in (*NUMBERS, "float16", *OTHERS)),
    *(StateCase(op, counted, dtype) for op in ("CountUpTo", "ResourceCountUpTo") for dtype in ("int32", "int64")),
    *(StateCase(op, counted, "int64", (("limit", 7),)) for op in ("CountUpTo", "ResourceCountUpTo")),
    *(
        StateCase(f"{prefix}ScatterNd{kind}", scattered, "float32", (("indices", "int32"), ("twice", False), ("ignoring", True)))
        for prefix in ("", "Resource")
        for kind in ND_KINDS
    ),
    *(
        StateCase(op, gathered, dtype, (("indices", indices),))
        for op in ("ResourceGather", "ResourceGatherNd")
        for dtype in (*NUMBERS, "float16", "bool", *OTHERS)
        for indices in ("int32", "int64")
    ),
    *(StateCase(op, told, dtype) for op in TOLD for dtype in ("float32", "int64", "bool")),
    StateCase("DestroyResourceOp", destroyed),
    StateCase("DisableCopyOnRead", left_alone),
]
