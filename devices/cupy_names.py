"""What CuPy offers: the committed list that simulated GPUs are held to, and the check of a call against it.

The list is made by scripts/cupy_names.py from a real CuPy, and read when the first simulated GPU is made.
"""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from .errors import UnsupportedByDevice


class Params(NamedTuple):
    """The parameters of a function: what a call is checked against."""

    positional: list[str]
    required: int
    keywords: list[str]
    varargs: bool
    varkw: bool


class Listed:
    """The committed list, read once when first asked."""

    @cached_property
    def _raw(self) -> dict[str, Any]:
        text = Path(__file__).with_name("cupy_names.json").read_text(encoding="ascii")
        return json.loads(text)  # type: ignore[no-any-return]

    @cached_property
    def functions(self) -> dict[str, Params]:
        """Functions by dotted name."""
        return {name: Params(*params) for name, params in self._raw["functions"].items()}

    @cached_property
    def methods(self) -> dict[str, Params]:
        """Methods of arrays."""
        return {name: Params(*params) for name, params in self._raw["methods"].items()}

    @cached_property
    def ufuncs(self) -> dict[str, list[str]]:
        """Ufuncs with their loops, such as 'ff->f'."""
        return self._raw["ufuncs"]  # type: ignore[no-any-return]

    @cached_property
    def values(self) -> frozenset[str]:
        """Constants, dtypes and classes."""
        return frozenset(self._raw["values"])


LISTED = Listed()


def check_call(name: str, params: Params, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise UnsupportedByDevice where CuPy's function takes no such arguments."""
    if len(args) > len(params.positional) and not params.varargs:
        # A method's array stands in front of its listed parameters, and is not among `args`.
        raise UnsupportedByDevice(
            f"CuPy's {name} takes {len(params.positional)} positional arguments ({', '.join(params.positional)}), "
            f"got {len(args)}"
        )
    if params.varkw:
        return
    for keyword in kwargs:
        if keyword not in params.positional and keyword not in params.keywords:
            known = ", ".join([*params.positional, *params.keywords])
            raise UnsupportedByDevice(f"CuPy's {name} has no argument {keyword!r}; it takes ({known})")


def argument(params: Params, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the argument called `name` of a call, wherever it stands; None where it is absent."""
    if name in kwargs:
        return kwargs[name]
    position = params.positional.index(name) if name in params.positional else len(args)
    return args[position] if position < len(args) else None
