"""Every row of the op tables again, with inputs whose shapes only a run knows: values, and derivatives, which then follow shapes.

Element-wise ops also get operands of shapes that are drawn: of any rank, broadcast against each other, some of no elements.
"""

import zlib
from typing import Any

import numpy as np
import pytest

from millstream.ops.array import placeholder
from millstream.ops.core.graph import Graph
from millstream.ops.core.registry import REGISTRY, OpDecl
from support import oracle, tables
from support.opcheck import Row
from support.row_comparison import NO_MEASURE, compare

if not oracle.available:
    pytest.skip("TensorFlow is not installed beside the project", allow_module_level=True)

ROWS = [row for row in tables.load()[0] if str(row) not in NO_MEASURE]
DRAWS = 3
# Rows whose derivatives TensorFlow has for known shapes only, by reason.
NO_MEASURE_OF_DERIVATIVES = {
    **{
        f"{inverse}RFFT{rank}-parts-{length}": "TensorFlow's derivative takes the signal's length for the transform's"
        for inverse in ("", "I")
        for rank in ("", "2D")
        for length in ("odd", "even")
    },
    "IRFFT-padded": "TensorFlow's derivative takes the signal's length for the transform's",
    **{f"SparseTensorDenseMatMul-{flag}-True": "TensorFlow's derivative transposes by a rank" for flag in (False, True)},
}


def nothing(dims: tuple[int, ...]) -> None:
    """Return what is known of a shape of which nothing is."""


def ranks(dims: tuple[int, ...]) -> list[None]:
    """Return what is known of a shape of which the rank is."""
    return [None] * len(dims)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_row(row: Row) -> None:
    arrays = row.arrays(row.dtypes[-1] if row.floating else None)
    with Graph().as_default():
        try:
            row.build(*[placeholder(array.dtype) for array in arrays])
        except (ValueError, TypeError):
            pytest.skip("the row's function needs to know a shape")
    if not compare(row, arrays, derivatives=str(row) not in NO_MEASURE_OF_DERIVATIVES, view=nothing):
        pytest.skip("TensorFlow needs to know a shape, or has no kernel")


def elementwise(decl: OpDecl) -> bool:
    """Tell whether an op computes element by element from numbers of one type."""
    typed = {arg.type_attr for arg in decl.inputs}
    return decl.fuse is not None and len(typed) == 1 and None not in typed and "float32" in _types(decl, *typed)


def _types(decl: OpDecl, attr: Any) -> list[str]:
    allowed = decl.attrs[attr].allowed
    return ["float32"] if allowed is None else [dtype.name for dtype in allowed]


def operands(name: str, count: int, draw: int) -> list[Any]:
    """Return arrays that broadcast to one shape, of no elements at times."""
    rng = np.random.default_rng(zlib.crc32(f"{name} {draw}".encode()))
    dims = rng.choice([0, 1, 2, 3], rng.integers(0, 5), p=[0.1, 0.2, 0.4, 0.3])
    found = []
    for _ in range(count):
        own = np.where(rng.random(len(dims)) < 0.3, 1, dims)[rng.integers(0, len(dims) + 1) if found else 0 :]
        found.append(rng.uniform(0.1, 0.9, own).astype(np.float32))
    return found


@pytest.mark.parametrize("op", [op for op in sorted(REGISTRY) if elementwise(REGISTRY[op])])
def test_drawn_shapes(op: str) -> None:
    decl = REGISTRY[op]
    for draw in range(DRAWS):
        arrays = operands(op, len(decl.inputs), draw)
        try:
            with Graph().as_default():
                decl(*[placeholder(array.dtype, array.shape) for array in arrays])
        except (ValueError, TypeError):
            arrays = [arrays[0]] * len(arrays)
        row = Row(op, decl, arrays, reference=lambda *xs: xs, label=f"draw-{draw}")
        compare(row, arrays, view=(lambda dims: dims, ranks, nothing)[draw % 3])
