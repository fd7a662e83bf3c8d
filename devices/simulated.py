"""A GPU for machines that have none: everything of a GPU but its speed.

Arrays live in a memory of their own with a limit, kernels take this device's arrays only, streams order what happens,
and moving data is explicit and really copies. All computing goes through `launch`, the one dispatch point: it checks
every array (device, life, order), lets NumPy compute, and wraps what comes out. Whatever a real GPU refuses is
refused here.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

from .cupy_names import LISTED
from .device import Device, MemoryStats, Pending, gpu_has
from .errors import CaptureError, DeviceMismatch, UnsupportedByDevice
from .simulated_array import SimulatedArray
from .simulated_capture import SimulatedCapture
from .simulated_clock import (
    BUS_BYTES_PER_US,
    COPY_US,
    DEVICE_BYTES_PER_US,
    KERNEL_US,
    Machine,
    Moment,
    SimulatedEvent,
    SimulatedStream,
)
from .simulated_indexing import device_key, is_mask
from .simulated_memory import Buffer, Memory
from .simulated_namespace import SimulatedNamespace, call
from .types import Array

_SCALARS = (bool, int, float, complex, np.generic)


class SimulatedGpu(Device):
    """One simulated GPU. `machine` is the host that it shares with its sisters; `memory` keeps its books."""

    kind = "GPU"
    simulated = True
    captures = True
    description = "simulated GPU"

    def __init__(self, index: int, machine: Machine, memory_limit: int | None = None) -> None:
        super().__init__(index, memory_limit)
        self.machine = machine
        self.memory = Memory(machine, self.name, self.memory_limit)
        self.compute_stream: SimulatedStream = SimulatedStream(machine, self.name, "compute")
        self.copy_stream: SimulatedStream = SimulatedStream(machine, self.name, "copy")
        self.xp = SimulatedNamespace(self)
        self._thread = threading.local()

    # Streams

    @property
    def stream(self) -> SimulatedStream:
        """The stream that this thread launches on."""
        return getattr(self._thread, "stream", self.compute_stream)

    @contextmanager
    def on(self, stream: SimulatedStream) -> Iterator[None]:
        """Launch on `stream` inside the block; ordering it is the caller's business."""
        before = self.stream
        self._thread.stream = stream
        try:
            yield
        finally:
            self._thread.stream = before

    def activate(self) -> AbstractContextManager[Any]:
        capture = self._capturing
        return self.on(self.compute_stream if capture is None else capture.stream)

    # Graphs

    @property
    def _capturing(self) -> SimulatedCapture | None:
        capture: SimulatedCapture | None = getattr(self._thread, "capture", None)
        return capture

    @contextmanager
    def capture(self) -> Iterator[SimulatedCapture]:
        if self._capturing is not None:
            raise CaptureError(f"A graph is being captured on {self.short_name} already")
        capture = self._thread.capture = SimulatedCapture(self)
        try:
            with self.on(capture.stream):
                yield capture
        finally:
            self._thread.capture = None
            capture.end()

    def _not_in_capture(self, what: str) -> None:
        capture = self._capturing
        if capture is not None:
            capture.refuse(what)

    def label(self, name: str) -> AbstractContextManager[Any]:
        return self.machine.label(name)

    def synchronize(self) -> None:
        self._not_in_capture("the host waits for work")
        self.compute_stream.synchronize()
        self.copy_stream.synchronize()
        self.memory.raise_late_errors()

    # Data in and out

    def put(self, array: np.ndarray[Any, Any]) -> Array:
        self.check_dtype(array.dtype, "put")
        self._not_in_capture("host memory is copied")
        self.copy_stream.wait(self.compute_stream.record())
        placed = self.wrap(np.array(array), {})
        self._copied(placed, "put", "host to device")
        return placed

    def get(self, array: Array) -> np.ndarray[Any, Any]:
        return self.get_async(array).wait()

    def get_async(self, array: Array) -> Pending:
        data = self.unwrap(array)
        self._not_in_capture("an array is copied to the host")
        self.copy_stream.wait(self.stream.record())
        array._buffer.check_read(self.copy_stream)
        cost = COPY_US + data.nbytes / BUS_BYTES_PER_US
        array._buffer.note_read(self.copy_stream.launch("get", "device to host", data.nbytes, cost))
        return _Arriving(self, array, np.array(data), self.copy_stream.record())

    def receive(self, array: Array, source: Device) -> Array:
        if not isinstance(source, SimulatedGpu) or source.machine is not self.machine:
            return self.put(source.get(array))
        data = source.unwrap(array)
        self._not_in_capture("an array is copied")
        self.copy_stream.wait(source.stream.record())
        self.copy_stream.wait(self.compute_stream.record())
        array._buffer.check_read(self.copy_stream)
        placed = self.wrap(np.array(data), {})
        array._buffer.note_read(self._copied(placed, "receive", "device to device"))
        source.compute_stream.wait(self.copy_stream.record())
        return placed

    def _copied(self, placed: Array, name: str, kind: str) -> Moment:
        """Queue a copy that makes `placed`, and let computing wait for it."""
        cost = COPY_US + placed.nbytes / BUS_BYTES_PER_US
        moment = self.copy_stream.launch(name, kind, placed.nbytes, cost)
        placed._buffer.note_write(moment)
        self.compute_stream.wait(self.copy_stream.record())
        return moment

    def refill(self, array: Array, values: np.ndarray[Any, Any]) -> None:
        self.compute_stream.wait(self.copy_stream.record())
        with self.on(self.compute_stream):
            self.overwrite(array, values)

    def references(self, array: Array) -> tuple[int, int]:
        return sys.getrefcount(array), sys.getrefcount(array._buffer)

    def same_memory(self, a: Array, b: Array) -> bool:
        return a._buffer is b._buffer

    def overwrite(self, array: Array, values: np.ndarray[Any, Any]) -> None:
        """Copy a NumPy array into an array of this device with the very same shape and dtype."""
        data = self.unwrap(array)
        self._not_in_capture("host memory is copied")
        if not isinstance(values, np.ndarray) or values.dtype != data.dtype or values.shape != data.shape:
            what = f"{getattr(values, 'dtype', type(values).__name__)}{list(np.shape(values))}"
            raise UnsupportedByDevice(f"set() takes a NumPy array of {data.dtype}{list(data.shape)}, got {what}")
        stream = self.stream
        array._buffer.check_write(stream)
        data[...] = values
        cost = COPY_US + data.nbytes / BUS_BYTES_PER_US
        array._buffer.note_write(stream.launch("set", "host to device", data.nbytes, cost))

    def fetch(self, array: Array, why: str) -> np.ndarray[Any, Any]:
        """Return the values for the host to look at, which waits for them."""
        data = self.unwrap(array)
        self._not_in_capture(f"the host waits for {why}")
        array._buffer.check_read(self.stream)
        self.machine.host_wait(self.stream.record(), why)
        return data

    # Memory

    def owns(self, array: Array) -> bool:
        return isinstance(array, SimulatedArray) and array.device is self

    def memory_stats(self) -> MemoryStats:
        return self.memory.stats()

    def free(self, array: Array) -> None:
        """Give the array's buffer back: every later use of it, also by views, is UseAfterFree."""
        self.unwrap(array)
        array._buffer.free()

    # Computing

    def launch(
        self,
        name: str,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any] | None = None,
        writes: tuple[Any, ...] = (),
    ) -> Any:
        """Run `function` on the NumPy arrays behind `args`; return its results as arrays of this device.

        `writes` are the arrays among the arguments that it writes to. Results that are views of an argument share its
        buffer and cost no kernel. DeviceMismatch, UseAfterFree, StreamOrderError or UnsupportedByDevice where an
        argument may not be used here; OutOfMemory where a result does not fit.
        """
        self.memory.raise_late_errors()
        capture = self._capturing
        if capture is not None:
            return capture.record(name, function, args, kwargs or {}, writes)
        stream = self.stream
        read: dict[int, Buffer] = {}
        outputs = {id(self.unwrap(array)): array for array in writes}
        host_args = self.unwrap_all(args, name, read)
        host_kwargs = {key: self.unwrap_all(value, name, read) for key, value in (kwargs or {}).items()}
        for buffer in read.values():
            buffer.check_read(stream)
        for array in writes:
            array._buffer.check_write(stream)
        with np.errstate(all="ignore"):
            result = function(*host_args, **host_kwargs)
        made: list[Buffer] = [array._buffer for array in writes]
        wrapped = self.wrap_all(result, read, outputs, made)
        if made:
            self._record(name, stream, read, made)
        return wrapped

    def _record(self, name: str, stream: SimulatedStream, read: dict[int, Buffer], made: list[Buffer]) -> None:
        nbytes = sum(buffer.nbytes for buffer in {*read.values(), *made})
        moment = stream.launch(name, "kernel", nbytes, KERNEL_US + nbytes / DEVICE_BYTES_PER_US)
        for buffer in read.values():
            buffer.note_read(moment)
        for buffer in made:
            buffer.note_write(moment)

    def call_method(self, name: str, array: Array, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a listed method of an array."""
        params = LISTED.methods[name]
        params = params._replace(positional=["self", *params.positional])
        return call(self, name, getattr(np.ndarray, name), (array, *args), kwargs, params)

    def getitem(self, array: Array, key: Any) -> Array:
        """Return `array[key]`: a view for slices, a gather for this device's index arrays."""
        shape = self.unwrap(array).shape
        if is_mask(key):
            self.fetch(array, "boolean mask")
        return self.launch("getitem", lambda data, key: data[device_key(key, shape)], (array, key))

    def setitem(self, array: Array, key: Any, value: Any) -> None:
        """Do `array[key] = value`; the value is a scalar or one of this device's arrays."""
        shape = self.unwrap(array).shape
        self.check_operand(value, "setitem")

        def assign(data: np.ndarray[Any, Any], key: Any, value: Any) -> None:
            data[device_key(key, shape)] = value

        self.launch("setitem", assign, (array, key, value), writes=(array,))

    # From arrays of this device to NumPy's and back

    def check_dtype(self, dtype: np.dtype[Any], name: str) -> None:
        """Raise UnsupportedByDevice for strings, objects, long doubles and other dtypes that GPUs have not."""
        if not gpu_has(dtype):
            raise UnsupportedByDevice(f"{name}: dtype {dtype} is not supported on {self.short_name}")

    def check_operand(self, value: Any, name: str) -> None:
        """Raise unless `value` is one of this device's arrays or a scalar."""
        if isinstance(value, SimulatedArray):
            self.unwrap(value)
        elif not isinstance(value, _SCALARS):
            raise UnsupportedByDevice(
                f"{name}: unsupported type {type(value)} on {self.short_name}; arrays are moved there explicitly"
            )

    def unwrap(self, array: Any) -> np.ndarray[Any, Any]:
        """Return the NumPy array behind one of this device's live arrays."""
        if not isinstance(array, SimulatedArray):
            raise UnsupportedByDevice(f"{self.short_name} takes its own arrays, got {type(array)}")
        if array.device is not self:
            raise DeviceMismatch(f"An array on {array.device.name} was used on {self.name}; copy it there first")
        array._buffer.check_alive()
        return array._data

    def unwrap_all(self, value: Any, name: str, read: dict[int, Buffer]) -> Any:
        if isinstance(value, SimulatedArray):
            data = self.unwrap(value)
            read[id(value._buffer.root)] = value._buffer
            return data
        if isinstance(value, tuple | list):
            return type(value)(self.unwrap_all(item, name, read) for item in value)
        if isinstance(value, np.ndarray):
            self.check_operand(value, name)
        return value

    def wrap_all(self, value: Any, read: dict[int, Buffer], outputs: dict[int, Array], made: list[Buffer]) -> Any:
        if isinstance(value, np.ndarray | np.generic):
            if id(value) in outputs:
                return outputs[id(value)]
            array = self.wrap(np.asarray(value), read)
            if array._buffer.written is None and array._buffer not in made:
                made.append(array._buffer)
            return array
        if isinstance(value, tuple | list):
            items = [self.wrap_all(item, read, outputs, made) for item in value]
            return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
        return value

    def wrap(self, data: np.ndarray[Any, Any], shared: dict[int, Buffer]) -> SimulatedArray:
        """Return an array of this device around `data`, in the buffer that it is a view of or in one of its own."""
        self.check_dtype(data.dtype, "result")
        root: Any = data
        while id(root) not in shared and getattr(root, "base", None) is not None:
            root = root.base
        buffer = shared.get(id(root))
        if buffer is None:
            buffer = Buffer(self.memory, root if isinstance(root, np.ndarray) else data, self.compute_stream)
        return SimulatedArray(self, data, buffer)


class _Arriving(Pending):
    """A copy to the host on a simulated GPU's copy stream; it holds the array that it reads."""

    def __init__(
        self, device: SimulatedGpu, source: Array, values: np.ndarray[Any, Any], event: SimulatedEvent
    ) -> None:
        self._device = device
        self._source: Array | None = source
        self._values = values
        self._event = event

    @property
    def done(self) -> bool:
        return self._event.done

    def wait(self) -> np.ndarray[Any, Any]:
        if self._source is not None:
            self._device.machine.host_wait(self._event, "get")
            self._source = None
        return self._values

    def __del__(self) -> None:
        # Nobody waited: memory that the copy still reads must not be handed out again. When the interpreter ends nothing is
        # handed out any more, and a thread that was stopped for good may hold the clock's lock.
        if self._source is not None and not sys.is_finalizing() and not self._event.done:
            self._device.machine.host_wait(self._event, "a copy that nobody waited for")
