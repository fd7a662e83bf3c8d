"""Writing a program as loops over single elements, to be compiled: Python source in the part of the language that numba takes.

One function serves one layout of the inputs. Every result is converted to its dtype by name, because a compiler's own promotion
is not NumPy's. What is reduced is collected in `lanes` separate places, so that sums turn into vector instructions without
anybody's leave to reorder them, and stay as precise as NumPy's pairwise ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .layout import COLUMN, FULL, SCALAR
from .program import CAST, WHERE, Line, Program, Reduction

_BOTH = {
    "add": "{0} + {1}", "subtract": "{0} - {1}", "multiply": "{0} * {1}", "square": "{0} * {0}", "negative": "-{0}",
    "positive": "{0}", "absolute": "abs({0})", "less": "{0} < {1}", "less_equal": "{0} <= {1}", "greater": "{0} > {1}",
    "greater_equal": "{0} >= {1}", "equal": "{0} == {1}", "not_equal": "{0} != {1}", "conjugate": "{0}",
    "maximum": "{0} if ({0} >= {1}) | ({0} != {0}) else {1}", "minimum": "{0} if ({0} <= {1}) | ({0} != {0}) else {1}",
    WHERE: "{1} if {0} else {2}", CAST: "{0}",
}  # fmt: skip
_FLOATS = {
    "true_divide": "{0} / {1}", "reciprocal": "{one} / {0}", "sqrt": "sqrt({0})", "floor": "floor({0})", "ceil": "ceil({0})",
    "trunc": "trunc({0})", "rint": "rint({0})", "isnan": "{0} != {0}", "isinf": "abs({0}) == {inf}",
    "isfinite": "abs({0}) < {inf}",
    "sign": "{0} if {0} != {0} else ({one} if {0} > {zero} else (-{one} if {0} < {zero} else {zero}))",
}  # fmt: skip
_WHOLE = {"sign": "({one} if {0} > {zero} else (-{one} if {0} < {zero} else {zero}))"}
_INTEGERS = {
    **_WHOLE,
    "bitwise_and": "{0} & {1}",
    "bitwise_or": "{0} | {1}",
    "bitwise_xor": "{0} ^ {1}",
    "invert": "~{0}",
}
_TRUTHS = {
    "logical_and": "{0} & {1}", "logical_or": "{0} | {1}", "logical_not": "not {0}", "bitwise_and": "{0} & {1}",
    "bitwise_or": "{0} | {1}", "bitwise_xor": "{0} != {1}", "equal": "{0} == {1}", "not_equal": "{0} != {1}",
    WHERE: _BOTH[WHERE], CAST: "{0}",
}  # fmt: skip
# From scalar_math, for float32 alone.
VECTOR_MATH = {name: f"v_{name}({{0}})" for name in ("exp", "expm1", "tanh", "log", "log1p")}
_NATIVE = {"f": _BOTH | _FLOATS, "i": _BOTH | _INTEGERS, "u": _BOTH | _INTEGERS, "b": _TRUTHS}
DTYPES = ("f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1")
_START = {"sum": "{zero}", "mean": "{zero}", "max": "-{inf}", "min": "{inf}"}
_COLLECT = {
    "sum": "{0} + {1}", "mean": "{0} + {1}", "max": "{1} if ({1} >= {0}) | ({1} != {1}) else {0}",
    "min": "{1} if ({1} <= {0}) | ({1} != {1}) else {0}",
}  # fmt: skip


def short(dtype: np.dtype[Any]) -> str:
    """Return a dtype's name in the sources, such as `f4`."""
    return f"{dtype.kind}{dtype.itemsize}"


def template(line: Line) -> str | None:
    """Return the expression that computes a line, or None where compiled code has none, or a slower one than NumPy."""
    if any(short(dtype) not in DTYPES for dtype in (*line.loop, line.dtype)):
        return None
    operand = line.loop[-1]
    # What becomes of NaN and of numbers out of range is the processor's choice: NumPy makes it everywhere alike.
    if line.name == CAST and operand.kind == "f" and line.dtype.kind in "iu":
        return None
    if short(operand) == "f4" and line.name in VECTOR_MATH:
        return VECTOR_MATH[line.name]
    return _NATIVE[operand.kind].get(line.name)


def can_compile(program: Program) -> bool:
    """Tell whether every line of a program has an expression, and every reduction is of floats that need no wider sum."""
    reductions = all(short(r.dtype) in ("f4", "f8") for r in program.reductions)
    return reductions and all(template(line) is not None for line in program.lines)


class _Writer:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, depth: int, text: str) -> None:
        self.lines.append("    " * depth + text)


class Loops:
    """The source of one function `kernel(lo, hi, step, columns, lanes, zero, …)`; all six numbers are unsigned.

    After the numbers come the inputs, then the outputs that are none of `aliases` (those are written over the input that the
    alias names), a row of partial results for each reduction, and a row of lanes for each. A function that writes over its
    inputs ends with `done, part`: it does nothing where `done[part]`, and sets it when it has finished.
    """

    def __init__(self, program: Program, kinds: str, table: bool, aliases: tuple[int | None, ...]) -> None:
        self.program, self.kinds, self.table, self.aliases = program, kinds, table, aliases
        self.in_place = any(alias is not None for alias in aliases)
        self._out = _Writer()
        self.source = self._source()

    def _source(self) -> str:
        names = [f"a{i}" for i in range(len(self.kinds))]
        names += [f"o{i}" for i, alias in enumerate(self.aliases) if alias is None]
        names += [f"r{i}" for i in range(len(self.program.reductions))]
        names += [f"q{i}" for i in range(len(self.program.reductions))]
        names += ["done", "part"] if self.in_place else []
        self._out.add(0, f"def kernel(lo, hi, step, columns, lanes, zero, {', '.join(names)}):")
        if self.in_place:
            self._out.add(1, "if done[part]: return")
        self._out.add(1, "for b in range(lo, hi, step):")
        self._out.add(2, "e = min(b + step, hi)")
        whole = [i for i, r in enumerate(self.program.reductions) if r.axes is None]
        rows = [i for i, r in enumerate(self.program.reductions) if r.axes is not None]
        self._reset(2, whole)
        if self.table:
            self._out.add(2, "for r in range(b, e):")
            self._columns(3)
            self._reset(3, rows)
            self._stretch(3, "zero", "columns")
            self._flush(3, rows, "r")
        else:
            self._stretch(2, "b", "e")
        self._flush(2, whole, "b // step")
        if self.in_place:
            self._out.add(1, "done[part] = True")
        return "\n".join(self._out.lines)

    def _columns(self, depth: int) -> None:
        for i, kind in enumerate(self.kinds):
            if kind == COLUMN:
                self._out.add(depth, f"x{i} = a{i}[r, zero]")

    def _reset(self, depth: int, reductions: list[int]) -> None:
        for i in reductions:
            reduction = self.program.reductions[i]
            self._out.add(
                depth, f"for k in range(zero, lanes): q{i}[k] = {_numbers(_START[reduction.kind], reduction.dtype)}"
            )

    def _flush(self, depth: int, reductions: list[int], index: str) -> None:
        for i in reductions:
            reduction = self.program.reductions[i]
            start = _START[reduction.kind].format(zero="0.0", inf="f8(inf)")
            self._out.add(depth, f"total = f8({start})")
            self._out.add(
                depth,
                f"for k in range(zero, lanes): total = {_COLLECT[reduction.kind].format('total', f'f8(q{i}[k])')}",
            )
            self._out.add(depth, f"r{i}[{index}] = total")

    def _stretch(self, depth: int, start: str, stop: str) -> None:
        """Write the loop over the elements of a block, or of a row."""
        if not self.program.reductions:
            self._out.add(depth, f"for i in range({start}, {stop}):")
            self._element(depth + 1)
            return
        self._out.add(depth, f"for g in range({start}, {stop}, lanes):")
        self._out.add(depth + 1, f"for k in range(zero, min(lanes, {stop} - g)):")
        self._out.add(depth + 2, "i = g + k")
        self._element(depth + 2)

    def _element(self, depth: int) -> None:
        at = "r, i" if self.table else "i"
        for i, kind in enumerate(self.kinds):
            if kind not in (SCALAR, COLUMN):
                self._out.add(depth, f"x{i} = a{i}[{at if kind == FULL else 'i'}]")
        names = {f"a{i}": f"a{i}" if kind == SCALAR else f"x{i}" for i, kind in enumerate(self.kinds)}
        for line in self.program.lines:
            self._out.add(depth, f"{line.result} = {self._expression(line, names)}")
        for i, reduction in enumerate(self.program.reductions):
            self._out.add(depth, self._collect(i, reduction, names.get(reduction.source, reduction.source)))
        for i, (name, alias) in enumerate(zip(self.program.outputs, self.aliases, strict=True)):
            target = f"o{i}" if alias is None else f"a{alias}"
            self._out.add(depth, f"{target}[{at}] = {names.get(name, name)}")

    def _collect(self, i: int, reduction: Reduction, source: str) -> str:
        kind = short(reduction.dtype)
        return f"q{i}[k] = {kind}({_COLLECT[reduction.kind].format(f'q{i}[k]', source)})"

    def _expression(self, line: Line, names: dict[str, str]) -> str:
        words = template(line)
        assert words is not None
        operands = []
        for name, loop in zip(line.arguments, line.loop, strict=True):
            given = self.program.dtypes[name]
            text = names.get(name, name)
            operands.append(text if given == loop else f"{short(loop)}({text})")
        return f"{short(line.dtype)}({_numbers(words, line.loop[-1], operands)})"


def _numbers(words: str, dtype: np.dtype[Any], operands: list[str] | None = None) -> str:
    kind = short(dtype)
    return words.format(*(operands or []), one=f"{kind}(1)", zero=f"{kind}(0)", inf=f"{kind}(inf)")
