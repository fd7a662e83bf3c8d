"""The updates of large variables: an optimiser's formula as one pass over memory.

The formula is traced into a program. On the host that is compiled where the extra `fast` is installed, and then writes over
the variables themselves; until then, and without it, NumPy computes it by blocks into arrays that nobody else sees. On a GPU
it is one generated kernel. Invariant: variables are written over only while nobody but their cells refers to them, and
by code that nothing interrupts half-way; readers wait meanwhile (`Cell.claim`).

State: `_updates`, the programs by formula, attributes and dtypes, for the life of the process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ...devices.fusion import compiled, product_team, team
from ...devices.fusion.blocks import BLOCK, straight
from ...devices.fusion.cuda import can_generate
from ...devices.fusion.device_group import DeviceGroup
from ...devices.fusion.group import THREADED, FusedGroup
from ...devices.fusion.layout import FULL, SCALAR, Fit
from ...devices.fusion.program import Program, split_scalars
from ...devices.fusion.tracing import Untraceable, program_of
from ...devices.fusion.wholly import parts_of, run_wholly
from ...devices.types import Array, Namespace
from ..core.context import VariableCell
from ..core.templates import cuda_templates

Formula = Callable[..., tuple[Array, ...]]


class HostUpdate:
    """A formula for host arrays. `cells` variables change; a gradient and scalars follow them among its inputs."""

    def __init__(self, program: Program, cells: int) -> None:
        self._cells = cells
        given = len(program.inputs)
        head, body = split_scalars(program, frozenset(range(cells + 1, given)))
        self._prepare = straight(head, head.outputs)
        self._kinds = FULL * (cells + 1) + SCALAR * (len(body.inputs) - cells - 1)
        self._body = body
        self._group = FusedGroup(body, body.outputs)
        self._in_place: compiled.Request | None = None
        self._by_team: compiled.Request | None = None
        self._by_product: compiled.Request | None = None

    def items(self, values: Sequence[Array], grad: Array, scalars: Sequence[Array]) -> list[Any]:
        """Return what the body takes: arrays of one axis, then scalars, those that are computed once included."""
        return [*(array.reshape(-1) for array in (*values, grad)), *self.scalars(scalars)]

    def scalars(self, scalars: Sequence[Array]) -> list[Any]:
        """Return the scalars that the body takes, those that are computed once included."""
        given = [scalar[()] for scalar in scalars]
        return [*given, *self._prepare(*[None] * (self._cells + 1), *given)]

    def into(self, items: list[Any], results: list[Array]) -> None:
        """Compute the new values into `results`, by blocks."""
        size = items[0].size
        self._group.run(Fit((size,), self._kinds, items, size, 0), [result.reshape(-1) for result in results])

    def in_place(self) -> compiled.Kernel | None:
        """Return the compiled code that writes over the variables, or None until there is any."""
        if not compiled.available():
            return None
        if self._in_place is None:
            self._in_place = compiled.request(self._body, self._kinds, False, tuple(range(self._cells)))
        kernel: compiled.Kernel | None = self._in_place.ask()
        return kernel

    def by_team(self, kernel: compiled.Kernel) -> team.TeamKernel | None:
        """Return what runs that code on a team of threads, or None where, or until, there is none."""
        if not team.available():
            return None
        if self._by_team is None:
            self._by_team = team.request(self._body, self._kinds, kernel)
            # Who has come so far has updated large variables three times.
            self._by_team.ask()
        found: team.TeamKernel | None = self._by_team.ask()
        return found

    def by_product(self, kernel: compiled.Kernel) -> product_team.ProductTeam | None:
        """Return what runs that code on pieces of a product, or None where, or until, there is nothing."""
        if not team.available():
            return None
        if self._by_product is None:
            self._by_product = product_team.request(self._body, self._kinds, kernel, self._cells)
            self._by_product.ask()
        found: product_team.ProductTeam | None = self._by_product.ask()
        return found


_updates: dict[Any, Any] = {}


def _key_of(formula: Formula) -> Any:
    return (formula.func, tuple(formula.keywords.items())) if isinstance(formula, partial) else formula


def _found(key: Any, make: Callable[[], Any]) -> Any:
    if key not in _updates:
        _updates[key] = make()
    return _updates[key]


def _traced(formula: Formula, arrays: Sequence[Array]) -> Program | None:
    try:
        return program_of(formula, [array.dtype for array in arrays])
    except Untraceable:
        return None


def host_update(formula: Formula, values: Sequence[Array], grad: Array, scalars: Sequence[Array]) -> HostUpdate | None:
    """Return the update by a formula of arrays like these, or None where it cannot be traced."""
    arrays = (*values, grad, *scalars)

    def make() -> HostUpdate | None:
        program = _traced(formula, arrays)
        return None if program is None else HostUpdate(program, len(values))

    made: HostUpdate | None = _found((_key_of(formula), tuple(array.dtype for array in arrays)), make)
    return made


def over_themselves(
    update: HostUpdate, cells: Sequence[VariableCell], values: list[Array], grad: Array, scalars: Sequence[Array]
) -> bool:
    """Update variables in place, whose locks the caller holds; False where that may not be, and nothing has happened.

    `values` are the variables' arrays, to which nothing but that list and the cells may refer.
    """
    kernel = update.in_place()
    if kernel is None:
        return False
    code = kernel

    def compute() -> None:
        items = update.items(values, grad, scalars)
        size = items[0].size
        together = update.by_team(code) if size >= team.LEAST else None
        if together is not None:
            together.run(items)
        else:
            bounds = parts_of(size, BLOCK, THREADED)
            run_wholly(code.bind_in_place(items, bounds), len(bounds))

    return _claimed(cells, compute)


def by_product(
    update: HostUpdate, cells: Sequence[VariableCell], values: list[Array], left: Array, right: Array,
    scalars: Sequence[Array],
) -> bool:  # fmt: skip
    """Update variables in place by the gradient `left · right`, as `over_themselves` does by one that is there."""
    kernel = update.in_place()
    together = None if kernel is None or not product_team.takes(left, right) else update.by_product(kernel)
    if together is None:
        return False
    run = together.run
    return _claimed(cells, lambda: run([v.reshape(-1) for v in values], update.scalars(scalars), left, right))


def _claimed(cells: Sequence[VariableCell], compute: Callable[[], None]) -> bool:
    """Have the values of cells written over while readers wait; False, and nothing, where somebody refers to one."""
    try:
        if not all(cell.claim() for cell in cells):
            return False
        compute()
        for cell in cells:
            cell.spare = None
    finally:
        for cell in cells:
            cell.release()
    return True


def on_gpu(xp: Namespace, formula: Formula, arrays: Sequence[Array]) -> tuple[Array, ...]:
    """Return a formula's results for arrays of a GPU, by one kernel where it can be generated."""
    if not hasattr(xp, "elementwise_kernel"):
        return formula(xp, *arrays)

    def make() -> Any:
        program = _traced(formula, arrays)
        if program is None or not can_generate(program, cuda_templates()):
            return partial(formula, xp)
        return DeviceGroup(program, program.outputs, xp, cuda_templates())

    key = (_key_of(formula), tuple(array.dtype for array in arrays), id(xp))
    results: tuple[Array, ...] = _found(key, make)(*arrays)
    return results
