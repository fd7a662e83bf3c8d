"""Writing a program as Python that calls NumPy: once over whole arrays, and once over blocks that stay in the cache.

The blocked function writes with `out=` into scratch that it uses again, and into blocks of the results. Every line of both
functions belongs to a member of the group; `OWNERS`, a global of theirs, tells which, so that a failure finds its op.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..types import Namespace
from .layout import COLUMN, FULL
from .program import CAST, OPAQUE, WHERE, Line, Program

# What tracebacks call the generated functions.
FILENAME = "<fused group>"
OWNERS = "_owners"
# Elements a block: small enough for a cache, large enough that threads seldom meet at the interpreter's lock.
BLOCK = 1 << 16
_COLLECT = {"sum": "add", "mean": "add", "max": "maximum", "min": "minimum"}


class _Source:
    """Lines of source, and the owner of each."""

    def __init__(self, program: Program) -> None:
        self.lines: list[str] = []
        self.owners: dict[int, int] = {}
        self.names: dict[str, Any] = dict(program.constants)

    def add(self, text: str, owner: int | None = None) -> None:
        self.lines.append(text)
        if owner is not None:
            self.owners[len(self.lines)] = owner

    def bind(self, hint: str, thing: Any) -> str:
        name = next((n for n, known in self.names.items() if known is thing), f"{hint}_{len(self.names)}")
        self.names[name] = thing
        return name

    def function(self, name: str) -> Any:
        scope = {**self.names, OWNERS: self.owners, "empty": np.empty, "copyto": np.copyto}
        exec(compile("\n".join(self.lines), FILENAME, "exec"), scope)
        return scope[name]


def owner_of(frame: Any, line: int) -> int | None:
    """Return the member of a group whose line a frame of a generated function is at; None for any other frame."""
    if frame.f_code.co_filename != FILENAME:
        return None
    found: int | None = frame.f_globals[OWNERS].get(line)
    return found


def straight(program: Program, results: tuple[str, ...], xp: Namespace = np) -> Any:
    """Return `f(*inputs) -> results`, over whole arrays of the namespace."""
    source = _Source(program)
    source.add(f"def straight({', '.join(f'a{i}' for i in range(len(program.inputs)))}):")
    for line in program.lines:
        source.add(f"    {line.result} = {_whole(source, line, xp)}", line.owner)
    for r in program.reductions:
        source.add(f"    {r.result} = {source.bind(r.kind, r.function)}({r.source})", r.owner)
    given = [f"a{i}" for i in range(len(program.inputs))]
    returned = []
    for name in results:
        # Every result is an array of its own, also where two are equal.
        returned.append(f"{name}.copy(), " if name in given else f"{name}, ")
        given.append(name)
    source.add(f"    return ({''.join(returned)})")
    return source.function("straight")


def _whole(source: _Source, line: Line, xp: Namespace) -> str:
    if line.name == CAST:
        return f"{line.arguments[0]}.astype({source.bind('kind', line.dtype)})"
    function = line.function if line.name == OPAQUE else getattr(xp, line.name)
    return f"{source.bind(line.name, function)}({', '.join(line.arguments)})"


def slots_of(program: Program) -> tuple[dict[str, int], list[Any]]:
    """Give results that stay inside a block scratch arrays, using one again after its last use."""
    lines = program.lines
    last = {name: i for i, line in enumerate(lines) for name in line.arguments}
    last |= {r.source: len(lines) for r in program.reductions}
    slots: dict[str, int] = {}
    kinds: list[Any] = []
    free: list[int] = []
    for i, line in enumerate(lines):
        dying = {name for name in (*line.arguments, line.result) if name in slots and last.get(name, i) == i}
        if line.into:
            # A ufunc may write over an operand that nobody needs any more.
            free += [slots[name] for name in dying]
        if line.name != OPAQUE and line.result not in program.outputs:
            slot = next((s for s in free if kinds[s] == line.dtype), None)
            if slot is None:
                slot = len(kinds)
                kinds.append(line.dtype)
            else:
                free.remove(slot)
            slots[line.result] = slot
        if not line.into:
            free += [slots[name] for name in dying]
        if line.result in slots and line.result not in last:
            free.append(slots[line.result])
    return slots, kinds


def blocked(program: Program, kinds: str, table: bool) -> Any:
    """Return `f(lo, hi, step, columns, partials, inputs, outputs, scratch)`, for inputs of these kinds.

    It computes elements (rows of a table) `lo` to `hi`, `step` of them at a time. What is reduced over all axes leaves one
    number a block in its array of `partials`; reductions of rows are written to theirs like outputs.
    """
    slots, scratch = slots_of(program)
    source = _Source(program)
    inputs = "".join(f"a{i}, " for i in range(len(program.inputs)))
    outputs = "".join(f"o{i}, " for i in range(len(program.outputs)))
    source.add("def blocked(lo, hi, step, columns, partials, inputs, outputs, scratch):")
    source.add(f"    ({inputs}) = inputs")
    source.add(f"    ({outputs}) = outputs")
    source.add(f"    ({''.join(f'{r.result}, ' for r in program.reductions)}) = partials")
    source.add(f"    ({''.join(f's{i}, ' for i in range(len(scratch)))}) = scratch")
    source.add("    for i in range(lo, hi, step):")
    source.add("        j = min(i + step, hi)")
    where = {name: name for name in program.constants}
    for i, kind in enumerate(kinds):
        where[f"a{i}"] = f"a{i}_" if kind in (FULL, COLUMN) else f"a{i}"
        if kind in (FULL, COLUMN):
            source.add(f"        a{i}_ = a{i}[i:j]")
    for i in range(len(scratch)):
        source.add(
            f"        s{i}_ = s{i}[:(j - i) * columns].reshape(j - i, columns)"
            if table
            else f"        s{i}_ = s{i}[:j - i]"
        )
    _body(source, program, where, slots)
    return source.function("blocked")


def _body(source: _Source, program: Program, where: dict[str, str], slots: dict[str, int]) -> None:
    passed: list[tuple[int, str]] = []
    for i, name in enumerate(program.outputs):
        if name in where:
            passed.append((i, name))
        else:
            source.add(f"        {name}_ = o{i}[i:j]")
            where[name] = f"{name}_"
    for line in program.lines:
        target = where.get(line.result) or (f"s{slots[line.result]}_" if line.result in slots else f"{line.result}_")
        arguments = [where[name] for name in line.arguments]
        source.add("        " + _piece(source, line, arguments, target, line.result in program.outputs), line.owner)
        where[line.result] = target
    for i, name in passed:
        source.add(f"        o{i}[i:j] = {where[name]}")
    for r in program.reductions:
        collect = source.bind(_COLLECT[r.kind], getattr(np, _COLLECT[r.kind]).reduce)
        index, axis = ("i // step", "None") if r.axes is None else ("i:j", "1")
        wide = ", dtype=" + source.bind("wide", wide_of(r.dtype)) if r.kind in ("sum", "mean") else ""
        source.add(f"        {r.result}[{index}] = {collect}({where[r.source]}, axis={axis}{wide})", r.owner)


def wide_of(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype in which sums are collected: 16-bit floats in 32 bits, all others in their own."""
    return np.dtype("f4") if dtype == np.dtype("f2") else dtype


def _piece(source: _Source, line: Line, arguments: list[str], target: str, is_output: bool) -> str:
    if line.name == WHERE:
        condition, x, y = arguments
        return f"copyto({target}, {y}); copyto({target}, {x}, where={condition})"
    if line.name == CAST:
        return f"copyto({target}, {arguments[0]}, casting='unsafe')"
    function = source.bind(line.name, line.function)
    if line.name == OPAQUE:
        return f"{target}{'[...]' if is_output else ''} = {function}({', '.join(arguments)})"
    return f"{function}({', '.join(arguments)}, out={target})"
