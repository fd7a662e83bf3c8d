"""Running a fused group of element-wise ops over cache-sized blocks, with the very ufuncs that the single ops would call.

A group is a little program over arrays of one shape and scalars. Small arrays go straight through; large contiguous ones run
block by block with `out=` into scratch that stays in the cache, on several threads when they are very large; anything
else (broadcasting, odd strides) goes straight through, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from ...devices.threads import divide
from .buffers import Make, new_array

# What tracebacks call the two functions of a group; both have one line for each op, in order.
STRAIGHT, BLOCKED = "<fused straight>", "<fused blocked>"
# Elements a block: small enough for a cache, large enough that threads seldom meet at the interpreter's lock.
BLOCK = 1 << 16
LARGE = 1 << 15
THREADED = 1 << 20


@dataclass(frozen=True)
class Line:
    """One op of a group: `result = function(*arguments)`; names are inputs `a0…`, temporaries `t0…` or outputs `o0…`.

    `into` tells that the function is a ufunc and takes `out=`; other kernels give an array of their own for each piece.
    """

    result: str
    function: Any
    arguments: tuple[str, ...]
    dtype: Any
    into: bool = True

    def blocked(self, function: str, arguments: str, target: str) -> str:
        """Return the source that computes this line on a block."""
        if self.into:
            return f"{function}({arguments}, out={target})"
        return f"{target}{'' if self.result[0] == 't' else '[...]'} = {function}({arguments})"


class FusedGroup:
    """A callable that computes a group's outputs from its inputs.

    Args:
      lines: the program, in order. inputs, outputs: how many arrays go in and come out. Temporaries are local to a block.
    """

    def __init__(self, lines: list[Line], inputs: int, outputs: list[Any]) -> None:
        self.lines, self.inputs, self.outputs = lines, inputs, outputs
        self._slots = _slots_of(lines)
        names = {f"u{i}": line.function for i, line in enumerate(lines)}
        self.straight: Callable[..., tuple[Any, ...]] = _compile(self._straight_source(), names, "straight", STRAIGHT)
        self._blocked: Callable[..., None] = _compile(self._blocked_source(), names, "blocked", BLOCKED)

    def __call__(self, *arrays: Any, make: Make = new_array) -> tuple[Any, ...]:
        flat = _flatten(arrays)
        if flat is None:
            return self.straight(*arrays)
        shape, size, items = flat
        made = tuple(make(i, shape, dtype) for i, dtype in enumerate(self.outputs))
        self._run(size, [*items, *(array.reshape(-1) for array in made)])
        return made

    def _run(self, size: int, arrays: list[Any]) -> None:
        def part(start: int, stop: int) -> None:
            self._blocked(start, stop, *arrays, *self._scratch())

        if size < THREADED:
            part(0, size)
        else:
            divide(part, size, BLOCK)

    def _scratch(self) -> list[Any]:
        return [np.empty(BLOCK, dtype) for dtype in self._slots[1]]

    def _straight_source(self) -> str:
        head = ", ".join(f"a{i}" for i in range(self.inputs))
        body = [f"    {line.result} = u{i}({', '.join(line.arguments)})" for i, line in enumerate(self.lines)]
        tail = "".join(f"o{i}, " for i in range(len(self.outputs)))
        return "\n".join([f"def straight({head}):", *body, f"    return ({tail})"])

    def _blocked_source(self) -> str:
        slots, kinds = self._slots
        arrays = [f"a{i}" for i in range(self.inputs)] + [f"o{i}" for i in range(len(self.outputs))]
        scratch = [f"s{i}" for i in range(len(kinds))]
        lines = [f"def blocked(lo, hi, {', '.join(arrays + scratch)}):", f"    for i in range(lo, hi, {BLOCK}):"]
        lines.append(f"        j = min(i + {BLOCK}, hi)")
        lines += [f"        {n}_ = {n}[i:j] if {n}.ndim else {n}" for n in arrays]
        lines += [f"        {n}_ = {n}[:j - i]" for n in scratch]
        where = {line.result: f"{line.result}_" for line in self.lines} | {n: f"{n}_" for n in arrays}
        where |= {name: f"s{slot}_" for name, slot in slots.items()}
        for i, line in enumerate(self.lines):
            arguments = ", ".join(where[name] for name in line.arguments)
            lines.append("        " + line.blocked(f"u{i}", arguments, where[line.result]))
        return "\n".join(lines)


def _compile(source: str, names: dict[str, Any], function: str, filename: str) -> Any:
    scope = dict(names)
    exec(compile(source, filename, "exec"), scope)
    return scope[function]


def _slots_of(lines: list[Line]) -> tuple[dict[str, int], list[Any]]:
    """Give temporaries scratch buffers, reusing one after its last use."""
    last = {name: i for i, line in enumerate(lines) for name in line.arguments}
    slots: dict[str, int] = {}
    kinds: list[Any] = []
    free: list[int] = []
    for i, line in enumerate(lines):
        if line.into and line.result.startswith("t"):
            slot = next((s for s in free if kinds[s] == line.dtype), None)
            if slot is None:
                slot = len(kinds)
                kinds.append(line.dtype)
            else:
                free.remove(slot)
            slots[line.result] = slot
        for name in {*line.arguments, line.result}:
            if name in slots and last.get(name, i) == i:
                free.append(slots[name])
    return slots, kinds


def _flatten(arrays: tuple[Any, ...]) -> tuple[tuple[int, ...], int, list[Any]] | None:
    """Return (shape, size, flat views) when all arrays are scalars or contiguous of one large shape, else None.

    A scalar that was broadcast to the shape counts as the scalar that it is.
    """
    shape = next((array.shape for array in arrays if array.ndim), None)
    if shape is None:
        return None
    size = prod(shape)
    if size < LARGE:
        return None
    flat: list[Any] = []
    for array in arrays:
        if not array.ndim:
            flat.append(array)
        elif array.shape != shape:
            return None
        elif array.flags.c_contiguous:
            flat.append(array.reshape(-1))
        elif not any(array.strides):
            flat.append(array[(0,) * array.ndim])
        else:
            return None
    return shape, size, flat
