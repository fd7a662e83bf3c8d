"""CUDA graphs of one GPU through CuPy: a stream and a memory pool of their own, and products that can be captured.

A capture goes on a stream that nobody else launches on, for whatever another thread put on the device's own stream meanwhile
would become part of the graph. What it allocates comes from a pool that nobody else uses and lives as long as the graph,
since the graph's kernels have the addresses built in. One capture at a time in a process.
"""

from __future__ import annotations

import threading
from typing import Any

from .cublas import Products
from .errors import CaptureError

CAPTURING = threading.Lock()


class GpuCapture:
    """A graph that is captured between `begin` and `end`. `raw` is its stream, `pool` its memory.

    Args:
      cp: the module cupy. target: the device's stream that the graph is launched on. copies: that of its copies to the
        host. Make it on the right device.
    """

    def __init__(self, cp: Any, target: Any, copies: Any) -> None:
        self._target, self._copies = target, copies
        self.raw = cp.cuda.Stream(non_blocking=True)
        self.pool = cp.cuda.MemoryPool()
        with cp.cuda.using_allocator(self.pool.malloc):
            self.products = Products(cp, self.raw)
        self._graph: Any = None

    def begin(self) -> None:
        """Begin to capture what is launched on `raw`."""
        self.raw.begin_capture()

    def end(self) -> None:
        """End the capture; CaptureError where something in it cannot be part of a graph."""
        try:
            self._graph = self.raw.end_capture()
        except Exception as error:  # CUDARuntimeError, of a module that is not imported here
            raise CaptureError(f"CUDA made no graph of what was captured: {error}") from error

    def launch(self) -> None:
        """Queue the graph on the device's compute stream."""
        # Copies to the host may still read what the graph writes to again.
        self._target.wait(self._copies.record())
        self._graph.launch(stream=self._target.raw)

    def __len__(self) -> int:
        return 0

    def __del__(self) -> None:
        self._graph = None
        products = getattr(self, "products", None)
        if products is not None:
            products.close()
            del products.workspace
            self.pool.free_all_blocks()
