"""From kernels to programs: a kernel is called once with symbols in place of arrays, and what it does is written down.

So kernels stay as they are, written once against `xp`, and still fuse down to their last ufunc. A kernel that looks at
values or shapes cannot be traced: `Untraceable` says so, and it stays a single opaque line. Every equal step is written
down once. State of a Recorder: its `lines`, the `constants`, and `_known`, steps by what they compute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .program import CAST, OPAQUE, WHERE, Line, Program, Reduction, without_dead_lines

# Powers that an array's operator computes by other means.
_POWERS = {2: "square", 1: "positive", 0.5: "sqrt", -1: "reciprocal"}
# Ufuncs that NumPy itself calls by another name than the ops do.
_SAME = {"divide": "true_divide"}
_WEAK = (int, float, complex)


class Untraceable(Exception):
    """A kernel did something to a symbol that is no element-wise arithmetic."""


class Symbol:
    """An array whose elements are not known: a name and a dtype; its operators are written down."""

    __array_ufunc__ = None
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, recorder: Recorder, name: str, dtype: np.dtype[Any]) -> None:
        self.recorder, self.name, self.dtype = recorder, name, dtype

    def astype(self, dtype: Any, copy: bool = True) -> Symbol:
        """Return the symbol converted to another dtype."""
        return self.recorder.cast(self, np.dtype(dtype))

    def __pow__(self, other: Any) -> Symbol:
        if isinstance(other, int | float) and self.dtype.kind in "fc" and other in _POWERS:
            return self.recorder.apply(_POWERS[other], self)
        return self.recorder.apply("power", self, other)

    def __getattr__(self, name: str) -> Any:
        raise Untraceable(f"uses .{name}")

    def __bool__(self) -> bool:
        raise Untraceable("looks at a truth value")

    def __len__(self) -> int:
        raise Untraceable("asks for a length")

    def __getitem__(self, key: Any) -> Any:
        raise Untraceable("takes an item")

    def __iter__(self) -> Any:
        raise Untraceable("iterates")


def _operator(name: str, swapped: bool) -> Callable[[Symbol, Any], Symbol]:
    def operate(self: Symbol, other: Any) -> Symbol:
        return self.recorder.apply(name, *((other, self) if swapped else (self, other)))

    return operate


_OPERATORS = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "true_divide", "and": "bitwise_and", "or": "bitwise_or",
    "xor": "bitwise_xor",
}  # fmt: skip
_COMPARISONS = {
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal", "ne": "not_equal"
}  # fmt: skip
for _short, _ufunc in _OPERATORS.items():
    setattr(Symbol, f"__{_short}__", _operator(_ufunc, False))
    setattr(Symbol, f"__r{_short}__", _operator(_ufunc, True))
for _short, _ufunc in _COMPARISONS.items():
    setattr(Symbol, f"__{_short}__", _operator(_ufunc, False))
for _short, _ufunc in {"neg": "negative", "abs": "absolute", "invert": "invert"}.items():
    setattr(Symbol, f"__{_short}__", lambda self, name=_ufunc: self.recorder.apply(name, self))


class SymbolicNamespace:
    """`xp` for symbols: the ufuncs of one result, `where` and `clip`; anything else is Untraceable."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def where(self, condition: Any, x: Any, y: Any) -> Symbol:
        """Return `x` where the condition holds, else `y`."""
        return self._recorder.choose(condition, x, y)

    def clip(self, x: Any, low: Any, high: Any) -> Symbol:
        """Return `x` limited to low and high."""
        return self._recorder.apply("minimum", self._recorder.apply("maximum", x, low), high)

    def __getattr__(self, name: str) -> Any:
        found = getattr(np, name, None)
        if isinstance(found, np.ufunc) and found.nout == 1 and found.signature is None:
            known = _SAME.get(found.__name__, found.__name__)
            return lambda *operands: self._recorder.apply(known, *operands)
        if isinstance(found, type) and issubclass(found, np.generic):
            return found
        raise Untraceable(f"uses xp.{name}")


class Recorder:
    """Writes a program down, member by member."""

    def __init__(self, dtypes: list[np.dtype[Any]]) -> None:
        self.inputs = [Symbol(self, f"a{i}", np.dtype(dtype)) for i, dtype in enumerate(dtypes)]
        self.lines: list[Line] = []
        self.reductions: list[Reduction] = []
        self.constants: dict[str, Any] = {}
        self.xp = SymbolicNamespace(self)
        self.owner = 0
        self._known: dict[Any, Symbol] = {}

    def trace(self, kernel: Callable[..., Any], arguments: list[Any]) -> Symbol:
        """Call `kernel(xp, *arguments)` and return its result's symbol; Untraceable leaves no lines behind."""
        before, known = len(self.lines), dict(self._known)
        try:
            result = kernel(self.xp, *arguments)
        except Exception as error:
            del self.lines[before:]
            self._known = known
            if isinstance(error, Untraceable):
                raise
            raise Untraceable(f"{type(error).__name__}: {error}") from error
        if not isinstance(result, Symbol):
            raise Untraceable(f"returns {type(result).__name__}")
        return result

    def apply(self, name: str, *operands: Any) -> Symbol:
        """Write a ufunc down and return its result."""
        ufunc = getattr(np, name)
        kinds = [
            type(v) if type(v) in _WEAK else np.asarray(v).dtype if not isinstance(v, Symbol) else v.dtype
            for v in operands
        ]
        try:
            *loop, dtype = ufunc.resolve_dtypes((*kinds, None))
        except (TypeError, ValueError, OverflowError) as error:
            raise Untraceable(str(error)) from error
        return self._line(name, operands, tuple(loop), dtype, ufunc)

    def choose(self, condition: Any, x: Any, y: Any) -> Symbol:
        """Write a choice down."""
        kinds = [v.dtype if isinstance(v, Symbol) else v for v in (x, y)]
        dtype = np.result_type(*kinds)
        return self._line(WHERE, (condition, x, y), (np.dtype(bool), dtype, dtype), dtype, np.where)

    def cast(self, x: Symbol, dtype: np.dtype[Any]) -> Symbol:
        """Write a conversion down."""
        return x if x.dtype == dtype else self._line(CAST, (x,), (x.dtype,), dtype, None)

    def opaque(self, function: Callable[..., Any], arguments: list[Symbol], dtype: np.dtype[Any]) -> Symbol:
        """Write down the call of a kernel that nobody can look into."""
        return self._line(OPAQUE, tuple(arguments), tuple(a.dtype for a in arguments), dtype, function)

    def reduce(
        self, x: Symbol, kind: str, axes: int | None, keep: bool, dtype: np.dtype[Any], function: Callable[[Any], Any]
    ) -> str:
        """Write a reduction down, the last thing that happens to `x` on that way; return the name of its result."""
        result = f"r{len(self.reductions)}"
        self.reductions.append(Reduction(result, x.name, kind, axes, keep, dtype, function, self.owner))
        return result

    def program(self, outputs: list[str]) -> Program:
        """Return what was written down, handing these names back."""
        whole = Program(
            tuple(symbol.dtype for symbol in self.inputs), tuple(self.lines), tuple(outputs), self.constants,
            tuple(self.reductions),
        )  # fmt: skip
        return without_dead_lines(whole)

    def _line(self, name: str, operands: Any, loop: tuple[Any, ...], dtype: np.dtype[Any], function: Any) -> Symbol:
        names = tuple(self._name(v, kind) for v, kind in zip(operands, loop, strict=True))
        key = (name, names, dtype, id(function))
        if key not in self._known:
            result = f"t{len(self.lines)}"
            self.lines.append(Line(result, name, names, loop, np.dtype(dtype), function, self.owner))
            self._known[key] = Symbol(self, result, np.dtype(dtype))
        return self._known[key]

    def _name(self, value: Any, dtype: np.dtype[Any]) -> str:
        if isinstance(value, Symbol):
            if value.recorder is not self:
                raise Untraceable("mixes programs")
            return value.name
        array = np.asarray(value)
        if array.ndim:
            raise Untraceable("holds an array")
        constant = array.astype(dtype)[()]
        for name, known in self.constants.items():
            if known.dtype == constant.dtype and known.tobytes() == constant.tobytes():
                return name
        name = f"k{len(self.constants)}"
        self.constants[name] = constant
        return name


def program_of(function: Callable[..., Any], dtypes: list[np.dtype[Any]]) -> Program:
    """Return what `function(xp, *arrays) -> tuple of arrays` computes, as a program; Untraceable when it cannot be told."""
    recorder = Recorder(dtypes)
    results = function(recorder.xp, *recorder.inputs)
    if not all(isinstance(result, Symbol) for result in results):
        raise Untraceable("returns constants")
    return recorder.program([result.name for result in results])
