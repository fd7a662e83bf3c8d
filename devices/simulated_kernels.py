"""Kernels written in CUDA, on a GPU that has no CUDA: the NumPy stand-in runs instead, under the same rules.

The arguments are checked as a launch would check them: arrays of this device, and NumPy scalars whose C type is known.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from .errors import UnsupportedByDevice
from .simulated_array import SimulatedArray

if TYPE_CHECKING:
    from .simulated import SimulatedGpu

StandIn: TypeAlias = Callable[..., Any]


class RawLaunch:
    """A CUDA kernel by its name: call it with grid, block and arguments, as CuPy's RawKernel."""

    def __init__(self, device: SimulatedGpu, name: str, stand_in: StandIn) -> None:
        self._device = device
        self._stand_in = stand_in
        self.name = name

    def __call__(
        self, grid: tuple[int, ...], block: tuple[int, ...], args: tuple[Any, ...], shared_mem: int = 0
    ) -> None:
        """Run the stand-in with the NumPy arrays behind `args`; it writes to its outputs in place."""
        for value in args:
            if not isinstance(value, SimulatedArray | np.generic):
                raise UnsupportedByDevice(
                    f"kernel {self.name}: got {type(value)}; pass arrays of {self._device.short_name} and NumPy "
                    "scalars, such as np.int32, whose C type is known"
                )
        arrays = tuple(value for value in args if isinstance(value, SimulatedArray))
        self._device.launch(self.name, self._run, args, writes=arrays)

    def _run(self, *args: Any) -> None:
        self._stand_in(*args)


class ElementwiseLaunch:
    """An element-wise kernel with typed parameters, such as 'float32 x, float32 y'."""

    def __init__(self, device: SimulatedGpu, in_params: str, out_params: str, name: str, stand_in: StandIn) -> None:
        self._device = device
        self._stand_in = stand_in
        self._inputs = _dtypes(in_params)
        self._outputs = _dtypes(out_params)
        self.name = name

    def __call__(self, *args: Any) -> Any:
        """Compute from the inputs; outputs are made, or given after the inputs. One array, or a tuple of several."""
        count = len(self._inputs)
        if len(args) not in (count, count + len(self._outputs)):
            raise UnsupportedByDevice(f"kernel {self.name} takes {count} inputs, got {len(args)} arguments")
        for value, dtype in zip(args, self._inputs, strict=False):
            self._device.check_operand(value, self.name)
            if dtype is not None and isinstance(value, SimulatedArray) and value.dtype != dtype:
                raise UnsupportedByDevice(f"kernel {self.name}: expected {dtype}, got {value.dtype}")
        return self._device.launch(self.name, self._run, args, writes=args[count:])

    def _run(self, *args: Any) -> Any:
        given = args[len(self._inputs) :]
        results = self._stand_in(*args[: len(self._inputs)])
        results = results if isinstance(results, tuple) else (results,)
        if given:
            for target, value in zip(given, results, strict=True):
                target[...] = value
            return given if len(given) > 1 else given[0]
        typed = tuple(np.asarray(value, dtype) for value, dtype in zip(results, self._outputs, strict=True))
        return typed if len(typed) > 1 else typed[0]


def _dtypes(params: str) -> list[np.dtype[Any] | None]:
    """Read the dtypes of a parameter list; None for a type variable such as T."""
    types = [param.split()[-2] for param in params.split(",") if param.strip()]
    return [None if len(name) == 1 else np.dtype(name) for name in types]
