"""The optimisers' update ops, one table row each: Apply…, SparseApply…, ResourceApply… and ResourceSparseApply….

A row names the variables that the op changes, its other inputs in TensorFlow's order, and the formula. The kernels are
made of the row by `apply_dense` and `apply_sparse`, which change all of a row's variables or none.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from ...devices.types import Array, Namespace
from ..core import dtypes, shapes
from ..core.context import VariableCell
from ..core.errors import InvalidArgumentError
from ..core.node import Operation
from ..core.registry import KernelEntry, OpDecl, op
from ..core.shapes import Shape, format_brackets
from . import formulas
from .handles import NUMBERS, held_shape
from .updates import Formula, apply_dense, apply_sparse


def _plain(xp: Namespace, *inputs: Any, use_locking: bool = False) -> None: ...


def _nesterov(xp: Namespace, *inputs: Any, use_locking: bool = False, use_nesterov: bool = False) -> None: ...


def _slots(xp: Namespace, *inputs: Any, use_locking: bool = False, update_slots: bool = True) -> None: ...


def _linear(xp: Namespace, *inputs: Any, use_locking: bool = False, multiply_linear_by_lr: bool = False) -> None: ...


class Step(NamedTuple):
    """One optimiser's update: `variables` change, `rest` are the other inputs; `kinds` are the op types that exist."""

    name: str
    variables: str
    rest: str
    formula: Formula
    block: Callable[..., None] = _plain
    kinds: str = "dense sparse resource resource-sparse"


_DENSE = "dense resource"
STEPS = (
    Step("GradientDescent", "var", "alpha delta", formulas.gradient_descent, kinds=_DENSE),
    Step("ProximalGradientDescent", "var", "alpha l1 l2 delta", formulas.proximal_gradient_descent),
    Step("Momentum", "var accum", "lr grad momentum", formulas.momentum, _nesterov),
    Step("KerasMomentum", "var accum", "lr grad momentum", formulas.keras_momentum, _nesterov, "resource resource-sparse"),
    Step(
        "Adam", "var m v", "beta1_power beta2_power lr beta1 beta2 epsilon grad", formulas.adam, _nesterov, _DENSE
    ),
    Step(
        "AdamWithAmsgrad", "var m v vhat", "beta1_power beta2_power lr beta1 beta2 epsilon grad", formulas.amsgrad, _plain,
        "resource",
    ),
    Step("AdaMax", "var m v", "beta1_power lr beta1 beta2 epsilon grad", formulas.adamax, _plain, _DENSE),
    Step("Adagrad", "var accum", "lr grad", formulas.adagrad, _slots),
    Step("AdagradV2", "var accum", "lr epsilon grad", formulas.adagrad_v2, _slots),
    Step("ProximalAdagrad", "var accum", "lr l1 l2 grad", formulas.proximal_adagrad),
    Step(
        "AdagradDA", "var gradient_accumulator gradient_squared_accumulator", "grad lr l1 l2 global_step", formulas.adagrad_da
    ),
    Step("Adadelta", "var accum accum_update", "lr rho epsilon grad", formulas.adadelta),
    Step("RMSProp", "var ms mom", "lr rho momentum epsilon grad", formulas.rmsprop),
    Step("CenteredRMSProp", "var mg ms mom", "lr rho momentum epsilon grad", formulas.centered_rmsprop),
    Step("Ftrl", "var accum linear", "grad lr l1 l2 lr_power", formulas.ftrl, _linear),
    Step("FtrlV2", "var accum linear", "grad lr l1 l2 l2_shrinkage lr_power", formulas.ftrl_v2, _linear),
    Step("AddSign", "var m", "lr alpha sign_decay beta grad", formulas.add_sign, _plain, _DENSE),
    Step("PowerSign", "var m", "lr logbase sign_decay beta grad", formulas.power_sign, _plain, _DENSE),
)  # fmt: skip
_PREFIX = {
    "dense": "Apply",
    "sparse": "SparseApply",
    "resource": "ResourceApply",
    "resource-sparse": "ResourceSparseApply",
}
GRADIENT_NAMES = ("grad", "delta")


def _names(step: Step, sparse: bool) -> list[str]:
    """Return the names of the inputs that are not variables; in a sparse op `indices` follow the gradient."""
    names: list[str] = []
    for name in step.rest.split():
        if sparse and name in GRADIENT_NAMES:
            names += ["grad", "indices"]
        else:
            names.append(name)
    return names


def _type_of(name: str) -> str:
    return {"indices": "Tindices", "global_step": "int64"}.get(name, "T")


def _shape_rule(count: int, names: list[str], resource: bool, sparse: bool) -> Callable[[Operation], Any]:
    """Check that variables and gradient have one shape and everything else is a scalar; give the variable's shape."""
    gradient = next(name for name in names if name in GRADIENT_NAMES)

    def rule(node: Operation) -> Shape | list[Shape]:
        held = [held_shape(t) if resource else t.dims for t in node.inputs[:count]]
        rest = dict(zip(names, (t.dims for t in node.inputs[count:]), strict=True))
        merged = held[0]
        for dims in held[1:]:
            merged = shapes.merge(merged, dims)
        grad = rest.pop(gradient)
        if sparse:
            shapes.merge(
                grad, shapes.concatenate(shapes.with_rank(rest.pop("indices"), 1), shapes.slice_dims(merged, 1))
            )
        else:
            merged = shapes.merge(merged, grad)
        for dims in rest.values():
            shapes.with_rank(dims, 0)
        return [] if resource else merged

    return rule


def _kernel(
    step: Step, names: list[str], sparse: bool, resource: bool, checked: bool
) -> Callable[..., VariableCell | None]:
    count = len(step.variables.split())
    gradient = count + next(i for i, name in enumerate(names) if name in GRADIENT_NAMES)
    scalars = [count + i for i, name in enumerate(names) if name not in (*GRADIENT_NAMES, "indices")]

    def kernel(xp: Namespace, *inputs: Any, use_locking: bool = False, **attrs: bool) -> VariableCell | None:
        others = [_scalar(inputs[i], names[i - count]) for i in scalars]
        formula = partial(step.formula, **attrs) if attrs else step.formula
        if sparse:
            apply_sparse(xp, inputs[:count], formula, inputs[gradient], inputs[gradient + 1], others, checked)
        else:
            apply_dense(xp, inputs[:count], formula, inputs[gradient], others)
        return None if resource else inputs[0]

    return kernel


def _scalar(value: Array, name: str) -> Array:
    if value.shape:
        raise InvalidArgumentError(None, None, f"{name} is not a scalar: {format_brackets(value.shape)}")
    return value


def _declare(step: Step, kind: str) -> OpDecl:
    resource, sparse = kind.startswith("resource"), kind.endswith("sparse")
    names, variables = _names(step, sparse), step.variables.split()
    held = "resource" if resource else "Ref(T)"
    inputs = [f"{name}: {held}" for name in variables] + [f"{name}: {_type_of(name)}" for name in names]
    result = "" if resource else "out: Ref(T)"
    allowed: dict[str, Any] = {"T": NUMBERS, **({"Tindices": dtypes.INDEX} if sparse else {})}
    decl = op(
        _PREFIX[kind] + step.name, types=f"{', '.join(inputs)} -> {result}", writes=step.variables,
        shape=_shape_rule(len(variables), names, resource, sparse), **allowed,
    )(step.block)  # fmt: skip
    decl.kernels = [
        KernelEntry(_kernel(step, names, sparse, resource, place == "CPU"), place) for place in ("CPU", "GPU")
    ]
    return decl


APPLY: dict[str, OpDecl] = {
    _PREFIX[kind] + step.name: _declare(step, kind) for step in STEPS for kind in step.kinds.split()
}
# Those of them by a gradient with a value for every element.
DENSE = frozenset(_PREFIX[kind] + step.name for step in STEPS for kind in step.kinds.split() if "sparse" not in kind)
