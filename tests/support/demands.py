"""What a comparison of an op type has to try: every dtype and every value that its declaration and TensorFlow's kernels allow.

Asked of TensorFlow itself: the OpDef tells which values an attribute takes, the registry of kernels for which of them there is
something to compare with on a CPU.
"""

import functools
from collections.abc import Mapping
from typing import Any

from support import opdefs, oracle

FACTS = opdefs.load()
# Attributes that say how to compute, not what: names of resources, hints.
HINTS = frozenset({
    "container", "shared_name", "parallel_iterations", "use_cudnn_on_gpu", "swap_memory", "message", "cse", "metadata",
    "use_locking",
})  # fmt: skip
# So many different values are asked for of an attribute that has no end of them.
SEVERAL = 2


def kernels(op: str) -> list[dict[str, set[str]]]:
    """Return what each of TensorFlow's CPU kernels of an op allows: the dtypes of the type attributes that it names."""
    from tensorflow.python.framework import kernels as registry

    tf = oracle.tensorflow()
    return [
        {c.name: {tf.as_dtype(number).name for number in c.allowed_values.list.type} for c in kernel.constraint}
        for kernel in registry.get_registered_kernels_for_op(op).kernel
        if kernel.device_type in ("CPU", "DEFAULT")
    ]


def types(op: str, attr: opdefs.AttrFacts) -> set[str] | None:
    """Return the dtypes that a type attribute has to be compared with; None where neither side names any."""
    named = [kernel[attr.name] for kernel in kernels(op) if attr.name in kernel]
    served = set().union(*named) if named and len(named) == len(kernels(op)) else None
    allowed = None if attr.allowed is None else set(attr.allowed)
    if served is None or allowed is None:
        return served if allowed is None else allowed
    return served & allowed


@functools.cache
def demanded(op: str) -> dict[str, set[str] | int]:
    """Return for each attribute of an op the values to be compared (as `told` tells them), or how many different ones."""
    found: dict[str, set[str] | int] = {}
    for name, attr in opdefs.load()[op].attrs.items():
        if name in HINTS or name.startswith("_"):
            continue
        if attr.type == "type":
            found[name] = types(op, attr) or SEVERAL
        elif attr.type == "bool":
            found[name] = {"True", "False"}
        elif attr.type == "string" and attr.allowed:
            found[name] = {repr(word) for word in attr.allowed}
        else:
            found[name] = SEVERAL
    return found


def told(value: Any) -> str:
    """Return an attribute's value as a text, equal for equal values."""
    if hasattr(value, "as_datatype_enum"):
        return str(value.base_dtype.name)
    if isinstance(value, list | tuple):
        return str([told(item) for item in value])
    return repr(value)


class Seen:
    """What was compared of an op type: for each attribute the texts of its values."""

    def __init__(self) -> None:
        self.values: dict[str, set[str]] = {}

    def add(self, attrs: dict[str, Any]) -> None:
        for name, value in attrs.items():
            self.values.setdefault(name, set()).add(told(value))

    def lacks(self, op: str, attrs: dict[str, Any]) -> bool:
        """Tell whether a node with these attributes would add something."""
        return not self.values or any(
            told(attrs[name]) in left if isinstance(left, list) else told(attrs[name]) not in self.values[name]
            for name, left in self.missing(op).items()
            if name in attrs
        )

    def missing(self, op: str) -> dict[str, list[str] | int]:
        """Return what is still to be compared: values, or how many more different ones."""
        found: dict[str, list[str] | int] = {}
        for name, wanted in demanded(op).items():
            seen = self.values.get(name, set())
            left = sorted(wanted - seen) if isinstance(wanted, set) else max(0, wanted - len(seen))
            if left:
                found[name] = left
        return found


def without(
    missing: dict[str, list[str] | int], excused: Mapping[tuple[str, str, str], str], op: str
) -> dict[str, list[str] | int]:
    """Return what is missing but for what has an excuse, by (op or "*", attribute or "*", value or "*")."""
    found: dict[str, list[str] | int] = {}
    for name, left in missing.items():
        wanted = left if isinstance(left, list) else [""]
        rest = [
            value for value in wanted
            if not any((o, n, v) in excused for o in (op, "*") for n in (name, "*") for v in (value, "*"))
        ]  # fmt: skip
        if rest:
            found[name] = rest if isinstance(left, list) else left
    return found
