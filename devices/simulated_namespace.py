"""The array namespace of a simulated GPU: NumPy's functions, no more of them and no wider than CuPy's.

Names that CuPy lacks raise AttributeError, keywords that it lacks TypeError; ufuncs take this device's arrays and
scalars only, and only dtypes that CuPy has a loop for. Plain functions are checked against the committed list and
launched; the exceptions (makers, questions that the host answers, functions that wait or write into an argument) are
named in the tables below.
"""

from __future__ import annotations

from functools import lru_cache, partial
from importlib import import_module
from typing import Any

import numpy as np

from .blas import one_thread
from .cupy_names import LISTED, Params, argument, check_call
from .errors import MissingFromDevice, UnsupportedByDevice
from .product import products
from .simulated_array import SimulatedArray
from .simulated_device import SimulatedDevice
from .simulated_indexing import device_key
from .simulated_kernels import ElementwiseLaunch, RawLaunch, StandIn
from .simulated_memory import poison

# Answered on the host from shapes and dtypes alone.
_HOST = frozenset(
    (
        "broadcast_shapes", "can_cast", "common_type", "iscomplexobj", "isdtype", "isfortran", "isrealobj", "isscalar",
        "issubdtype", "may_share_memory", "min_scalar_type", "ndim", "promote_types", "result_type", "shape",
        "shares_memory", "size", "typename",
    )
)
# Make arrays from shapes and numbers.
_MAKERS = frozenset(
    (
        "arange", "bartlett", "blackman", "diag_indices", "empty", "eye", "fft.fftfreq", "fft.rfftfreq", "full",
        "hamming", "hanning", "identity", "indices", "kaiser", "linspace", "logspace", "mask_indices", "ones", "tri",
        "tril_indices", "triu_indices", "zeros",
    )
)
_FROM_HOST = frozenset(
    ("array", "asanyarray", "asarray", "ascontiguousarray", "asfortranarray")
)
_UNINITIALISED = frozenset(("empty", "empty_like"))
# The host must see a result before the next kernel can be sized.
_WAITS = frozenset(
    (
        "allclose", "argwhere", "array_equal", "array_equiv", "bincount", "compress", "delete", "extract",
        "flatnonzero", "histogram", "in1d", "intersect1d", "isin", "lexsort", "linalg.lstsq", "linalg.matrix_rank",
        "nonzero", "setdiff1d", "setxor1d", "trim_zeros", "union1d", "unique", "unique_all", "unique_counts",
        "unique_inverse", "unique_values",
    )
)
_WRITES_FIRST = frozenset(
    (
        "copyto", "fill", "fill_diagonal", "partition", "place", "put", "put_along_axis", "putmask", "scatter_add",
        "scatter_max", "scatter_min", "sort",
    )
)
# The functions of these names return a new array; only the methods work in place.
_METHOD_ONLY = frozenset(("partition", "sort"))
_AT_DTYPES = {"add": "iIlLqQefd", "subtract": "iIlLqQefd", "maximum": "iIlLqQfd", "minimum": "iIlLqQfd"}
_UFUNC_KEYWORDS = frozenset(("out", "dtype", "casting"))
# What cupyx.scipy.special has of what ops use, by number of arguments.
SPECIAL_FUNCTIONS = {
    "betainc": 3, "digamma": 1, "erf": 1, "erfc": 1, "erfinv": 1, "gammainc": 2, "gammaincc": 2, "gammaln": 1, "i0": 1,
    "i0e": 1, "i1": 1, "i1e": 1, "ndtri": 1, "zeta": 2,
}  # fmt: skip


class SimulatedNamespace:
    """`xp` of a simulated GPU. Attributes are made when first asked for."""

    def __init__(self, device: SimulatedDevice) -> None:
        self._device = device
        self.linalg = _Submodule(device, "linalg.")
        self.fft = _Submodule(device, "fft.")
        self.lib = _Library(device)
        self.special = _Special(device)
        self.ndarray = SimulatedArray

    def __getattr__(self, name: str) -> Any:
        value = _lookup(self._device, name)
        setattr(self, name, value)
        return value

    def asnumpy(self, a: Any) -> Any:
        """Copy one of the device's arrays to the host."""
        return self._device.get(a) if isinstance(a, SimulatedArray) else np.array(a)

    def get_array_module(self, *args: Any) -> Any:
        """Return this namespace for the device's arrays, NumPy for everything else."""
        return self if any(isinstance(arg, SimulatedArray) for arg in args) else np

    def raw_kernel(self, name: str, code: str, stand_in: StandIn) -> RawLaunch:
        """Return a launcher of CUDA code, which here calls `stand_in` with NumPy arrays."""
        return RawLaunch(self._device, name, code, stand_in)

    def elementwise_kernel(
        self, in_params: str, out_params: str, operation: str, name: str, stand_in: StandIn
    ) -> ElementwiseLaunch:
        """Return an element-wise kernel, which here computes with `stand_in` on NumPy arrays."""
        return ElementwiseLaunch(self._device, in_params, out_params, name, stand_in)

    def __repr__(self) -> str:
        return f"<array namespace of {self._device.short_name}>"


class _Submodule:
    """A module inside the namespace, such as linalg."""

    def __init__(self, device: SimulatedDevice, prefix: str) -> None:
        self._device = device
        self._prefix = prefix

    def __getattr__(self, name: str) -> Any:
        value = _lookup(self._device, self._prefix + name)
        setattr(self, name, value)
        return value


class _Special:
    """The special functions that CuPy has under SciPy's names, computed by SciPy."""

    def __init__(self, device: SimulatedDevice) -> None:
        self._device = device

    def __getattr__(self, name: str) -> Any:
        inputs = SPECIAL_FUNCTIONS.get(name)
        if inputs is None:
            raise MissingFromDevice(f"CuPy has no special function {name!r}")
        parameters = ", ".join(f"T x{i}" for i in range(inputs))
        launch = ElementwiseLaunch(self._device, parameters, "T y", name, partial(_from_scipy, name))
        setattr(self, name, launch)
        return launch


def _from_scipy(name: str, *args: Any) -> Any:
    return getattr(import_module("scipy.special"), name)(*args)


class _Library:
    """`xp.lib`, of which CuPy has stride_tricks only."""

    def __init__(self, device: SimulatedDevice) -> None:
        self.stride_tricks = _Submodule(device, "lib.stride_tricks.")


def _matmul(a: Any, b: Any, out: Any = None, **kwargs: Any) -> Any:
    """Multiply as GPUs do: 16-bit floats are summed in 32 bits; and without BLAS's threads."""
    if a.dtype.name not in ("float16", "bfloat16"):
        return _multiplied(a, b, **kwargs) if out is None else _quiet_matmul(a, b, out=out, **kwargs)
    made = _multiplied(a.astype("f4"), b.astype("f4"), **kwargs).astype(a.dtype)
    if out is None:
        return made
    out[...] = made
    return out


def _multiplied(a: Any, b: Any, **kwargs: Any) -> Any:
    return _quiet_matmul(a, b, **kwargs) if kwargs else products(a, b)


def _on_one_core(function: Any) -> Any:
    """Return a function that multiplies matrices by BLAS without its threads."""

    def call(*args: Any, **kwargs: Any) -> Any:
        with one_thread():
            return function(*args, **kwargs)

    return call


_quiet_matmul = _on_one_core(np.matmul)
# What NumPy computes in another way than GPUs, and what would wake BLAS's threads.
_PRODUCTS = ("dot", "einsum", "inner", "tensordot", "vdot")
_INSTEAD = {"matmul": _matmul, **{name: _on_one_core(getattr(np, name)) for name in _PRODUCTS}}


def _lookup(device: SimulatedDevice, name: str) -> Any:
    """Build what the namespace has under a dotted name; MissingFromDevice where CuPy has nothing there."""
    like_numpy: Any = np
    for part in name.split("."):
        like_numpy = getattr(like_numpy, part, None)
    listed = name in LISTED.functions or name in LISTED.ufuncs or name in LISTED.values
    if not listed:
        raise MissingFromDevice(f"CuPy has no {name!r}, so {device.short_name} has none")
    if name == "newaxis":
        return None
    if like_numpy is None:
        raise MissingFromDevice(f"{name!r} has no NumPy equal, so simulated {device.short_name} cannot offer it")
    if name in LISTED.ufuncs:
        return SimulatedUfunc(device, name, like_numpy)
    if name in LISTED.functions:
        return _Function(device, name, _INSTEAD.get(name, like_numpy))
    return like_numpy


class _Function:
    """A function of the namespace that is no ufunc."""

    def __init__(self, device: SimulatedDevice, name: str, function: Any) -> None:
        self._device = device
        self._function = function
        self._params = LISTED.functions[name]
        self.__name__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = self.__name__
        check_call(name, self._params, args, kwargs)
        if name in _FROM_HOST:
            return self._from_host(*args, **kwargs)
        if name in _HOST:
            return self._function(*map(_data, args), **kwargs)
        if name not in _MAKERS and not _has_array((args, kwargs)):
            raise UnsupportedByDevice(f"{name} takes arrays on {self._device.short_name}, got {_type_names(args)}")
        return call(self._device, name, self._function, args, kwargs, self._params, name not in _METHOD_ONLY)

    def _from_host(self, a: Any, dtype: Any = None, copy: Any = None, order: Any = None, **kwargs: Any) -> Any:
        """Make an array of this device from one of its own, or copy a NumPy array, a list or a number over."""
        options = {key: value for key, value in {"dtype": dtype, "order": order, **kwargs}.items() if value is not None}
        options.pop("blocking", None)
        if copy is None and self.__name__ == "array":
            copy = True
        if self.__name__ in ("array", "asarray"):
            options["copy"] = copy or None
        if _has_array(a):
            return self._device.launch(self.__name__, self._function, (a,), options)
        return self._device.put(np.asarray(self._function(a, **options)))

    def __repr__(self) -> str:
        return f"<{self.__name__} on {self._device.short_name}>"


class SimulatedUfunc:
    """A ufunc of the namespace: takes the device's arrays and scalars, `out`, `dtype` and `casting`."""

    def __init__(self, device: SimulatedDevice, name: str, ufunc: Any) -> None:
        self._device = device
        self._ufunc = ufunc
        self.__name__ = self.name = name
        self.nin = getattr(ufunc, "nin", 1)
        self.nout = getattr(ufunc, "nout", 1)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        for keyword in kwargs.keys() - _UFUNC_KEYWORDS:
            raise UnsupportedByDevice(f"CuPy's ufunc {self.name} has no argument {keyword!r}")
        for value in args:
            self._device.check_operand(value, self.name)
        self._check_loop(args[: self.nin])
        outputs = args[self.nin :] or _writes(kwargs.pop("out", None))
        if outputs:
            kwargs["out"] = tuple(self._device.unwrap(o) for o in outputs)
        return self._device.launch(self.name, self._with_out(kwargs), args[: self.nin], writes=outputs)

    def _with_out(self, kwargs: dict[str, Any]) -> Any:
        if hasattr(self._ufunc, "nin"):
            return lambda *args: self._ufunc(*args, **kwargs)
        # NumPy has fix, sinc and i0 as functions: `out` is filled after.
        out = kwargs.pop("out", None)
        if out is None:
            return lambda *args: self._ufunc(*args, **kwargs)

        def fill(*args: Any) -> Any:
            out[0][...] = self._ufunc(*args, **kwargs)
            return out[0]

        return fill

    def _check_loop(self, args: tuple[Any, ...]) -> None:
        dtypes = tuple(arg.dtype.char for arg in args if isinstance(arg, SimulatedArray))
        if len(dtypes) == self.nin and not _has_loop(self.name, dtypes):
            names = ", ".join(np.dtype(char).name for char in dtypes)
            raise UnsupportedByDevice(f"CuPy's ufunc {self.name} has no loop for ({names})")

    def at(self, a: Any, indices: Any, b: Any = None) -> None:
        """Do the operation in place at indices, unbuffered; for the dtypes that GPUs have atomics for."""
        if a.dtype.char not in _AT_DTYPES.get(self.name, ""):
            raise UnsupportedByDevice(f"CuPy's {self.name}.at does not take {a.dtype}")
        if b is not None:
            self._device.check_operand(b, f"{self.name}.at")

        def scatter(data: Any, key: Any, *operand: Any) -> None:
            self._ufunc.at(data, device_key(key, data.shape), *operand)

        self._device.launch(f"{self.name}.at", scatter, (a, indices) if b is None else (a, indices, b), writes=(a,))

    def reduce(self, array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False) -> Any:
        """Reduce along axes; the result is an array also where it has no axes."""
        kwargs = {"axis": axis, "dtype": dtype, "keepdims": keepdims, **_out(out)}
        return self._device.launch(f"{self.name}.reduce", self._ufunc.reduce, (array,), kwargs, _writes(out))

    def accumulate(self, array: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        """Accumulate along an axis."""
        kwargs = {"axis": axis, "dtype": dtype, **_out(out)}
        return self._device.launch(f"{self.name}.accumulate", self._ufunc.accumulate, (array,), kwargs, _writes(out))

    def reduceat(self, array: Any, indices: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
        """Reduce slices between indices."""
        kwargs = {"axis": axis, "dtype": dtype, **_out(out)}
        args = (array, indices)
        return self._device.launch(f"{self.name}.reduceat", self._ufunc.reduceat, args, kwargs, _writes(out))

    def outer(self, a: Any, b: Any) -> Any:
        """Apply to all pairs of elements."""
        return self._device.launch(f"{self.name}.outer", self._ufunc.outer, (a, b))

    def __repr__(self) -> str:
        return f"<ufunc {self.name} on {self._device.short_name}>"


def call(
    device: SimulatedDevice,
    name: str,
    function: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    params: Params,
    in_place: bool = True,
) -> Any:
    """Launch a listed function or method with the waits and writes that it is known for."""
    out = argument(params, "out", args, kwargs)
    writes = _writes(out)
    if name in _WRITES_FIRST and in_place:
        writes = (args[0],)
    if name in _WAITS or (name == "where" and len(args) == 1) or (name == "repeat" and _has_array(args[1:])):
        device.machine.host_wait(device.stream.record(), name)
    if name in ("take", "put") and "mode" not in kwargs:
        kwargs = {**kwargs, "mode": "wrap"}
    result = device.launch(name, function, args, kwargs, writes)
    if name in _UNINITIALISED:
        poison(device.unwrap(result))
    return result


def _out(out: Any) -> dict[str, Any]:
    return {} if out is None else {"out": out}


def _writes(out: Any) -> tuple[Any, ...]:
    return () if out is None else tuple(out) if isinstance(out, tuple) else (out,)


@lru_cache(maxsize=4096)
def _has_loop(name: str, dtypes: tuple[str, ...]) -> bool:
    """Whether CuPy has a loop that these dtypes cast to safely. Dtypes beyond NumPy's own are left to NumPy."""
    if "E" in dtypes:
        return True
    loops = [loop.split("->")[0] for loop in LISTED.ufuncs[name] if "E" not in loop]
    return any(all(map(np.can_cast, dtypes, inputs)) for inputs in loops)


def _has_array(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return any(map(_has_array, value))
    if isinstance(value, dict):
        return any(map(_has_array, value.values()))
    return isinstance(value, SimulatedArray)


def _data(value: Any) -> Any:
    return value._data if isinstance(value, SimulatedArray) else value


def _type_names(args: tuple[Any, ...]) -> str:
    return ", ".join(type(arg).__name__ for arg in args)
