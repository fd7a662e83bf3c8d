"""Every dtype and every value of an attribute that TensorFlow's declarations and kernels allow, op type by op type.

Takes the nodes of the op tables one by one, changes one attribute at a time, gives each inputs drawn anew, and compares values
and derivatives with TensorFlow's. What has not been compared at the end fails the op type's test, unless a table says why.
"""

from typing import Any

import pytest

from millstream.ops.array import placeholder
from millstream.ops.core.dtypes import as_dtype
from millstream.ops.core.graph import Graph
from support import demands, oracle, specimens
from support.demands import Seen
from support.row_comparison import NO_MEASURE, compare, refuses
from support.specimen_cases import VALUES
from support.specimens import Specimen
from support.uncovered import NO_MEASURE_OF_DERIVATIVES, NO_MEASURE_OF_DRAWS, NO_MEASURE_OF_VALUES, NOT_TRIED, UNCOVERED

if not oracle.available:
    pytest.skip("TensorFlow is not installed beside the project", allow_module_level=True)

# Handles pass through ops; programs that keep them are compared by what comes out.
HANDLES = ("resource", "variant")
DERIVED = ("float32", "float64", "complex64")


def builds(specimen: Specimen) -> bool:
    """Tell whether our shape rules take a node."""
    with Graph().as_default():
        try:
            specimen.row().build(*[placeholder(array.dtype, array.shape) for array in specimen.inputs])
        except (ValueError, TypeError, IndexError, NotImplementedError):
            return False
        return True


def agree(specimen: Specimen, derivatives: bool = True) -> bool:
    """Compare a node; return whether there were values to compare. Where TensorFlow refuses, we have to."""
    if not builds(specimen):
        return False
    row, arrays = specimen.row(), list(specimen.inputs)
    try:
        return compare(row, arrays, derivatives and not {specimen.op, str(specimen)} & NO_MEASURE_OF_DERIVATIVES.keys())
    except (oracle.tensorflow().errors.OpError, ValueError) as error:
        assert refuses(row, arrays), f"TensorFlow refuses: {error}"
        return False


def values(op: str, name: str, left: list[str] | int, specimen: Specimen) -> list[Any]:
    """Return what to change an attribute to: what is left of a set, or two numbers or dtypes beside its own."""
    kind = demands.FACTS[op].attrs[name].type
    if isinstance(left, list):
        read = {"type": as_dtype, "bool": "True".__eq__, "string": lambda text: text[1:-1]}[kind]
        return [read(text) for text in left if text not in HANDLES]
    own = specimen.attrs[name]
    if (op, name) in VALUES:
        return VALUES[op, name]
    if kind == "int":
        return [own + 1, own + 2 if "seed" in name else own - 1]
    if kind == "float":
        return [own * 0.5 + 0.3]
    return [as_dtype(text) for text in ("float64", "int32", "string")] if kind == "type" else []


def differentiates(value: Any) -> bool:
    return getattr(value, "name", "float32") in DERIVED


def attempt(specimen: Specimen, seen: Seen, wrong: list[str], what: str, derivatives: bool = True) -> None:
    """Compare a node, and note what has been seen or is wrong."""
    try:
        if agree(specimen, derivatives):
            seen.add(specimen.attrs)
    except Exception as error:
        wrong.append(f"{specimen}, {what}: {str(error) or error!r}")


def counted(op: str) -> list[Specimen]:
    """Return the nodes of an op type whose values count."""
    return [
        found
        for found in specimens.load()[op]
        if str(found) not in NO_MEASURE and str(found) not in NO_MEASURE_OF_VALUES
    ]


def as_they_are(op: str, seen: Seen, wrong: list[str]) -> None:
    """Compare nodes as the tables have them, where that adds something, and with other numbers."""
    for specimen in counted(op):
        if seen.lacks(op, specimen.attrs):
            attempt(specimen, seen, wrong, "as it is")
            if not {op, str(specimen)} & NO_MEASURE_OF_DRAWS.keys():
                attempt(specimen.redrawn(1), seen, wrong, "other numbers")


def changed(op: str, seen: Seen, wrong: list[str]) -> None:
    """Compare nodes with one attribute changed, until nothing is left."""
    for specimen in counted(op):
        for name, left in seen.missing(op).items():
            for value in values(op, name, left, specimen) if name in specimen.attrs else ():
                excuse = {(op, name, demands.told(value)), (op, name, "*")} & UNCOVERED.keys()
                if not excuse and (op, name) not in NOT_TRIED:
                    attempt(specimen.with_attr(name, value), seen, wrong, f"{name}={value!r}", differentiates(value))


@pytest.mark.parametrize(
    "op", [op for op in specimens.load() if not specimens.waits(op) and op not in NO_MEASURE_OF_VALUES]
)
def test_every_value(op: str) -> None:
    seen, wrong = Seen(), []
    as_they_are(op, seen, wrong)
    changed(op, seen, wrong)
    assert not wrong, "\n".join(wrong)
    assert demands.without(seen.missing(op), UNCOVERED, op) == {}


def test_the_table_of_excuses_names_what_there_is() -> None:
    everywhere = {attr for facts in demands.FACTS.values() for attr in facts.attrs}
    wrong = []
    for op, name, value in UNCOVERED:
        known = everywhere if op == "*" else demands.FACTS[op].attrs
        wanted = demands.demanded(op)[name] if op != "*" and name in known else None
        if (name != "*" and name not in known) or (isinstance(wanted, set) and value not in {"*", *wanted}):
            wrong.append((op, name, value))
    assert wrong == []
