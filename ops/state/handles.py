"""The nodes that stand for a variable: VariableV2 gives a reference, VarHandleOp a resource.

They have no kernel: the compiler turns each into the session's cell of that name. What a handle is known to hold (its
dtype and shape) is in the attributes of the node that made it, and `held_shape` finds it through whatever only passes
handles on.
"""

from __future__ import annotations

from ..core import dtypes
from ..core.dtypes import DType
from ..core.node import Operation, Tensor
from ..core.registry import op
from ..core.shape_rules import of_attr, scalar
from ..core.shapes import Shape

# TensorFlow's "numbertype": what arithmetic updates take.
NUMBERS = (
    *dtypes.FLOATING, *dtypes.INTEGERS, *dtypes.COMPLEX, dtypes.qint8, dtypes.quint8, dtypes.BY_NAME["qint32"],
    dtypes.qint16, dtypes.quint16,
)  # fmt: skip


@op("VariableV2", types="-> ref: Ref(dtype)", shape=of_attr("shape"), stateful=True)
def variable_v2(xp: object, *, shape: Shape, dtype: DType, container: str = "", shared_name: str = "") -> None:
    """Stand for a variable by reference."""
    ...


def _old_shape(node: Operation) -> Shape:
    return node.attrs["shape"] or None


@op("Variable", types="-> ref: Ref(dtype)", shape=_old_shape, stateful=True)
def variable_v1(xp: object, *, shape: Shape, dtype: DType, container: str = "", shared_name: str = "") -> None:
    """Stand for a variable by reference; a shape of rank 0 means that it is not known."""
    ...


@op("VarHandleOp", types="-> resource: resource", shape=scalar, stateful=True, defaults={"allowed_devices": []})
def var_handle(
    xp: object,
    *,
    container: str = "",
    shared_name: str = "",
    debug_name: str = "",
    dtype: DType,
    shape: Shape,
    allowed_devices: list[str],
) -> None:
    """Stand for a variable as a resource."""
    ...


HANDLES = frozenset({"VariableV2", "Variable", "VarHandleOp"})
_PASS_ON = frozenset({"Identity", "Enter", "RefIdentity"})


def maker(tensor: Tensor) -> Operation | None:
    """Return the node that made a variable's handle or reference, or None where that is not known while building."""
    node = tensor.op
    while node.type in _PASS_ON:
        node = node.inputs[0].op
    return node if node.type in HANDLES else None


def held_shape(tensor: Tensor) -> Shape:
    """Return the static shape of the variable behind a handle; None when it is not known."""
    node = maker(tensor)
    return None if node is None else node.attrs["shape"]
