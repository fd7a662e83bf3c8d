"""How an optimiser's step changes several variables at once: all of them or none.

A step is a formula `(xp, values, operands) -> new values`. Every new value is computed, into arrays that nobody else
sees, before the first one is stored, and the stores follow each other in one straight line: CPython looks for
signals at calls and at backward jumps only, so not even Ctrl-C comes between two of them. Large variables on the host may be
written over instead, by compiled code (`large.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core.context import VariableCell
from ..core.errors import InvalidArgumentError
from ..core.shapes import format_brackets
from .large import HostUpdate, by_product, host_update, on_gpu, over_themselves
from .products import Product
from .rows import check_rows

Cells = Sequence[VariableCell]
Formula = Callable[..., tuple[Array, ...]]

# Elements from which an update is worth more than its formula's calls.
_LARGE = 1 << 16


def commit(cells: Cells, values: Sequence[Array]) -> None:
    """Make `values` the new values of `cells` (four at most), whose locks the caller holds; nothing stops it half-way."""
    _COMMITS[len(cells)](*cells, *values)


def _commit_1(a: VariableCell, new_a: Array) -> None:
    a.replace(new_a)


def _commit_2(a: VariableCell, b: VariableCell, new_a: Array, new_b: Array) -> None:
    old = _kept(a), _kept(b)
    a.value = new_a
    b.value = new_b
    a.spare, b.spare = old


def _commit_3(a: VariableCell, b: VariableCell, c: VariableCell, new_a: Array, new_b: Array, new_c: Array) -> None:
    old = _kept(a), _kept(b), _kept(c)
    a.value = new_a
    b.value = new_b
    c.value = new_c
    a.spare, b.spare, c.spare = old


def _commit_4(
    a: VariableCell,
    b: VariableCell,
    c: VariableCell,
    d: VariableCell,
    new_a: Array,
    new_b: Array,
    new_c: Array,
    new_d: Array,
) -> None:
    old = _kept(a), _kept(b), _kept(c), _kept(d)
    a.value = new_a
    b.value = new_b
    c.value = new_c
    d.value = new_d
    a.spare, b.spare, c.spare, d.spare = old


_COMMITS: dict[int, Callable[..., None]] = {1: _commit_1, 2: _commit_2, 3: _commit_3, 4: _commit_4}


def _kept(cell: VariableCell) -> Array | None:
    return cell.value if cell.keeps(cell.value) else None


def holding(cells: Cells, action: Callable[[], None]) -> None:
    """Call `action` with every cell's lock held, taken in the order of their serial numbers."""
    _hold(sorted(cells, key=lambda cell: cell.serial), action)


def _hold(cells: Cells, action: Callable[[], None]) -> None:
    if not cells:
        return action()
    with cells[0].lock:
        return _hold(cells[1:], action)


def apply_dense(
    xp: Namespace, cells: Cells, formula: Formula, given: Array | Product, scalars: Sequence[Array]
) -> None:
    """Replace the cells' values by `formula(xp, *values, given, *scalars)`; `given`, the gradient, is of the cells' one shape.

    A gradient that is a product is not made as a whole where the variables can be updated piece by piece.

    Raises:
      InvalidArgumentError: when shapes differ. FailedPreconditionError: when a variable has no value.
    """

    def step() -> None:
        values = [cell.read() for cell in cells]
        _check_shapes(values, given)
        if isinstance(given, Product) and _update_by_product(cells, values, formula, given, scalars):
            return
        grad = given.array() if isinstance(given, Product) else given
        if xp is not np:
            return commit(cells, on_gpu(xp, formula, (*values, grad, *scalars)))
        if grad.size >= _LARGE and all(_plain(array) for array in (*values, grad)):
            update = host_update(formula, values, grad, scalars)
            if update is not None:
                return _update_large(update, cells, values, grad, scalars)
        commit(cells, formula(xp, *values, grad, *scalars))

    holding(cells, step)


def _update_by_product(
    cells: Cells, values: list[Array], formula: Formula, grad: Product, scalars: Sequence[Array]
) -> bool:
    """Update large variables without making their gradient; False where that may not be, and nothing has happened."""
    if not all(_plain(value) for value in values):
        return False
    update = host_update(formula, values, grad, scalars)
    return update is not None and by_product(update, cells, values, grad.left, grad.right, scalars)


def _plain(array: Array) -> bool:
    return bool(array.flags.c_contiguous)


def _check_shapes(values: Sequence[Array], grad: Array | Product) -> None:
    for array in (*values[1:], grad):
        if array.shape != values[0].shape:
            words = f"{format_brackets(values[0].shape)} {format_brackets(array.shape)}"
            raise InvalidArgumentError(None, None, f"var and delta do not have the same shape{words}")


def _update_large(update: HostUpdate, cells: Cells, values: list[Array], grad: Array, scalars: Sequence[Array]) -> None:
    """Compute in place where that may be, else into arrays that are then stored."""
    if over_themselves(update, cells, values, grad, scalars):
        return
    results = []
    for cell, value in zip(cells, values, strict=True):
        spare = cell.scratch()
        results.append(np.empty_like(value) if spare is None else spare)
    update.into(update.items(values, grad, scalars), results)
    commit(cells, results)


def apply_sparse(
    xp: Namespace, cells: Cells, formula: Formula, grad: Array, indices: Array, scalars: Sequence[Array], checked: bool
) -> None:
    """Replace the rows `indices` of the cells' values by `formula(xp, *rows, grad, *scalars)`.

    Where an index comes twice its rows are updated in turn, as if by one call for each, on the host; a GPU takes
    indices to be unique.

    Raises:
      InvalidArgumentError: when shapes differ or (where `checked`) an index is out of range.
    """

    def step() -> None:
        values = [cell.read() for cell in cells]
        _check_rows(values, grad, indices)
        if checked:
            check_rows(indices, values[0].shape[0])
        if not indices.size:
            return
        rounds = _rounds(indices) if checked else []
        where, rows = _in_rounds(values, formula, grad, indices, scalars, rounds) if len(rounds) > 1 else (
            indices, formula(xp, *[value[indices] for value in values], grad, *scalars)
        )  # fmt: skip
        values.clear()
        targets = [cell.writable() for cell in cells]
        _WRITES[len(cells)](where, *targets, *rows)
        commit(cells, targets)

    holding(cells, step)


def _write_1(where: Array, a: Array, rows_a: Array) -> None:
    a[where] = rows_a


def _write_2(where: Array, a: Array, b: Array, rows_a: Array, rows_b: Array) -> None:
    a[where] = rows_a
    b[where] = rows_b


def _write_3(where: Array, a: Array, b: Array, c: Array, rows_a: Array, rows_b: Array, rows_c: Array) -> None:
    a[where] = rows_a
    b[where] = rows_b
    c[where] = rows_c


def _write_4(
    where: Array, a: Array, b: Array, c: Array, d: Array, rows_a: Array, rows_b: Array, rows_c: Array, rows_d: Array
) -> None:
    a[where] = rows_a
    b[where] = rows_b
    c[where] = rows_c
    d[where] = rows_d


_WRITES: dict[int, Callable[..., None]] = {1: _write_1, 2: _write_2, 3: _write_3, 4: _write_4}


def _check_rows(values: Sequence[Array], grad: Array, indices: Array) -> None:
    _check_shapes(values, values[0])
    if indices.ndim != 1 or grad.shape != indices.shape[:1] + values[0].shape[1:]:
        found = (("indices", indices), ("grad", grad), ("var", values[0]))
        words = ", ".join(f"{name} {format_brackets(array.shape)}" for name, array in found)
        raise InvalidArgumentError(None, None, f"grad must be the same size as indices in the first dimension: {words}")


def _rounds(indices: Array) -> list[Any]:
    """Split the positions of `indices` into groups in each of which no index comes twice, earlier ones first."""
    order = np.argsort(indices, kind="stable")
    ranked = indices[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    if len(starts) == len(indices):
        return [slice(None)]
    nth = np.arange(len(indices)) - np.repeat(starts, np.diff(np.r_[starts, len(indices)]))
    return [np.sort(order[nth == turn]) for turn in range(int(nth.max()) + 1)]


def _in_rounds(
    values: Sequence[Array],
    formula: Formula,
    grad: Array,
    indices: Array,
    scalars: Sequence[Array],
    rounds: Sequence[Any],
) -> tuple[Array, list[Array]]:
    """Return the rows that change, each once, and what they become after every round, computed on copies of them."""
    where, position = np.unique(indices, return_inverse=True)
    results = [value[where] for value in values]
    for turn in rounds:
        at = position[turn]
        for result, new in zip(results, formula(np, *[r[at] for r in results], grad[turn], *scalars), strict=True):
            result[at] = new
    return where, results
