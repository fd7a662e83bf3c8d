"""What the interpreter calls of compiled sketches: the types of its arrays, and a function that looks at their shapes.

It cuts the scratch memory into slots and hands flat arrays on: to the loops, or by a table of addresses to a team of threads
first. Shapes are the one thing that numba's signatures do not tell, and what the loops trust.
"""

from __future__ import annotations

from math import prod
from typing import Any, NamedTuple

import numpy as np

from .loops import DTYPES, short
from .nest_team import FIXED, SIGNALS
from .nests import Dims, Item, Memory

ALIGNMENT = 64


class _Slot(NamedTuple):
    begin: int
    size: int
    code: str


class Layout:
    """The arrays of one sketch: shapes and codes of `inputs` and `outputs`, and the `slots` of `scratch` bytes."""

    def __init__(self, inputs: list[Item], outputs: list[Item], memory: Memory) -> None:
        self.inputs = tuple((item.shape, short(item.dtype)) for item in inputs)
        self.outputs = tuple((item.shape, short(item.dtype)) for item in outputs)
        self.slots, self.scratch = [], 0
        for slot in memory.slots:
            self.slots.append(self._cut(slot.size, short(slot.dtype)))
        # Numbers lie there too when a team of threads is to find them.
        self._numbers = {i: self._cut(1, code) for i, (shape, code) in enumerate(self.inputs) if not shape}

    def _cut(self, size: int, code: str) -> _Slot:
        made = _Slot(self.scratch, size, code)
        self.scratch += -(-size * np.dtype(code).itemsize // ALIGNMENT) * ALIGNMENT
        return made

    def _key(self) -> Any:
        return self.inputs, self.outputs, tuple(self.slots)

    def __hash__(self) -> int:
        return hash(self._key())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layout) and self._key() == other._key()

    def sizes(self) -> list[tuple[int, str]]:
        """Return size and code of all that loops are given, in order; size 0 for a number."""
        given = [(prod(shape) if shape else 0, code) for shape, code in self.inputs]
        made = [(prod(shape), code) for shape, code in self.outputs if shape]
        return given + made + [(slot.size, slot.code) for slot in self.slots]

    def flat(self, types: Any) -> list[Any]:
        """Return numba's types of what loops are given."""
        inputs = [_array(types, code, 1, True) if shape else _kind(types, code) for shape, code in self.inputs]
        outputs = [_array(types, code, 1) for shape, code in self.outputs if shape]
        return [*inputs, *outputs, *(_array(types, slot.code, 1) for slot in self.slots)]

    def given(self, types: Any) -> list[Any]:
        """Return numba's types of what the interpreter gives."""
        inputs = [_array(types, code, len(shape), True) if shape else _kind(types, code) for shape, code in self.inputs]
        return [*inputs, *(_array(types, code, len(shape)) for shape, code in self.outputs if shape)]

    def entry(self, team: bool) -> str:
        """Return the source of `entry(inputs…, outputs…, w, c)`; with a `team`, its rows come before the body."""
        arrays = [(f"a{i}", shape) for i, (shape, _) in enumerate(self.inputs)]
        arrays += [(f"o{i}", shape) for i, (shape, _) in enumerate(x for x in self.outputs if x[0])]
        scalars = [code for shape, code in self.outputs if not shape]
        failed = f"return {', '.join(['False', *(f'{code}(0)' for code in scalars)])}"
        lines = [f"def entry({', '.join([*(name for name, _ in arrays), 'w', 'c'])}):"]
        for name, shape in arrays[: len(self.inputs)]:
            lines += [f"    if {name}.shape[{i}] != {n}: {failed}" for i, n in enumerate(shape)]
        lines += [f"    s{i} = {_part(slot)}" for i, slot in enumerate(self.slots)]
        slots = [f"s{i}" for i in range(len(self.slots))]
        if team:
            lines += self._team_lines([name for name, _ in arrays] + slots, failed)
        own = f"c[{FIXED + len(arrays) + len(slots)}:]" if team else "c"
        arguments = [*(_flat(name, shape) for name, shape in arrays), *slots, own]
        return "\n".join([*lines, f"    return body({', '.join(arguments)})"])

    def _team_lines(self, names: list[str], failed: str) -> list[str]:
        """Return the lines that fill the table and start the team."""
        lines = []
        for i, slot in self._numbers.items():
            lines += [f"    p{i} = {_part(slot)}", f"    p{i}[0] = a{i}"]
        for i, name in enumerate(names):
            where = f"p{i}" if i in self._numbers else name
            lines.append(f"    c[{FIXED + i}] = {where}.ctypes.data")
        before = f"u8(c.ctypes.data + {SIGNALS * 8})"
        return [
            *lines,
            "    c[2] = 0",
            "    if c[0] != 0: alone(c.ctypes.data)",
            "    else:",
            f"        mask(how, every, {before})",
            "        start(team, c.ctypes.data, zero, zero)",
            f"        mask(how, {before}, u8(0))",
            f"    if c[2] != 0: {failed}",
        ]


def _part(slot: _Slot) -> str:
    return f"w[{slot.begin}:{slot.begin + slot.size * np.dtype(slot.code).itemsize}].view({slot.code})"


def _flat(name: str, shape: Dims) -> str:
    return f"{name}.reshape({prod(shape)})" if shape else name


def _kind(types: Any, code: str) -> Any:
    assert code in DTYPES
    return types.bool_ if code == "b1" else getattr(types, np.dtype(code).name)


def _array(types: Any, code: str, rank: int, readonly: bool = False) -> Any:
    return types.Array(_kind(types, code), rank, "C", readonly=readonly)
