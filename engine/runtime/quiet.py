"""Calling a plan's program with NumPy's floating-point warnings off, at little cost.

Entering `np.errstate` costs as much as several small ops. NumPy keeps its error state in a context variable, so a call
inside a Context in which it was set once has it for a fraction of that. Contexts are kept on a shelf: one is with one call
at a time, for a Context cannot be entered twice. Invariant: user code that a program calls never runs in such a Context,
for there it would miss the caller's own context variables; plans whose kernels may call it use `np.errstate`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from typing import Any

import numpy as np

_shelf: list[Context] = []


def _context() -> Context:
    context = Context()
    context.run(np.seterr, all="ignore")
    return context


def call_quietly(function: Callable[..., Any], *args: Any) -> Any:
    """Return `function(*args)`, called without floating-point warnings and outside the caller's context variables."""
    try:
        context = _shelf.pop()
    except IndexError:
        context = _context()
    try:
        return context.run(function, *args)
    finally:
        _shelf.append(context)


def call_in_place(function: Callable[..., Any], *args: Any) -> Any:
    """Return `function(*args)`, called without floating-point warnings, inside the caller's context variables."""
    with np.errstate(all="ignore"):
        return function(*args)
