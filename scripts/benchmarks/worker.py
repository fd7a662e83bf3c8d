"""One side of scripts/bench: a process that imports one module as `tf` and times workloads when it is told to.

Requests come as lines of JSON on stdin, answers go as lines of JSON to the stdout that the process was given; what the
libraries print goes to stderr. While one side is asked, the other waits for its next line and takes no processor time.

State: `tf`, and the prepared workload with its step.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

# Seconds of running after which no program here asks to become another one, and how often that happens: what was compiled
# may ask for more, such as its loops on several threads.
_WARM_UP, _ROUNDS = 0.7, 3


class Worker:
    """Answers requests; every public method is one."""

    def __init__(self, module: str) -> None:
        # Before NumPy and what needs it: the module may choose the core that NumPy's BLAS takes.
        self.tf: Any = importlib.import_module(module)
        self.np = importlib.import_module("numpy")
        self.catalogue = importlib.import_module("catalogue")
        if hasattr(self.tf, "disable_v2_behavior"):
            self.tf.disable_v2_behavior()
        if "torch" in sys.modules:
            # Convolutions would round to 10 bits on newer cards, which is less work than the other sides do.
            sys.modules["torch"].backends.cudnn.allow_tf32 = False
        self._step: Callable[..., float] = float
        self._before: Callable[[Any], Any] | None = None

    def versions(self) -> dict[str, Any]:
        """Return what a reader of the table has to know of this side."""
        return {
            "module": self.tf.__name__, "version": getattr(self.tf, "__version__", "?"), "numpy": self.np.__version__,
            "python": ".".join(map(str, sys.version_info[:3])), "blas": blas(self.np),
            "extras": extras(self.tf),
        }  # fmt: skip

    def prepare(self, name: str) -> dict[str, Any]:
        """Build a workload, run it three times, and return its number and the seconds of the last run; nothing where it is not
        written for this side."""
        build = self.catalogue.build_of(self.tf, name)
        if build is None:
            return {}
        self._reset()
        self._step, self._before = build(), self.catalogue.BY_NAME[name].before
        first = self._timed(1)
        for _ in range(_ROUNDS):
            self._warm_up()
            settle(self.tf)
        second = self._timed(1)
        return {"value": first["value"], "seconds": second["seconds"]}

    def _warm_up(self) -> None:
        """Run the workload for as long as anything may still be learned from it, once at least."""
        until = time.perf_counter() + _WARM_UP
        self._timed(1)
        while self._before is None and time.perf_counter() < until:
            self._timed(1)

    def measure(self, calls: int) -> dict[str, Any]:
        """Return the seconds of one step, averaged over `calls` of them."""
        return self._timed(calls)

    def finish(self) -> dict[str, Any]:
        """Let go of the workload's memory."""
        self._step, self._before = float, None
        self._reset()
        return {}

    def _reset(self) -> None:
        if hasattr(self.tf, "reset_default_graph"):
            self.tf.reset_default_graph()
        gc.collect()

    def _timed(self, calls: int) -> dict[str, Any]:
        step, value = self._step, 0.0
        if self._before is not None:
            seconds = 0.0
            for _ in range(calls):
                prepared = self._before(self.tf)
                began = time.perf_counter()
                value = step(prepared)
                seconds += time.perf_counter() - began
            return {"value": value, "seconds": seconds / calls}
        began = time.perf_counter()
        for _ in range(calls):
            value = step()
        return {"value": value, "seconds": (time.perf_counter() - began) / calls}


def extras(module: Any) -> str:
    """Return what a side says of itself besides: this project of oneDNN and compiled groups, all of the GPU that they use."""
    describe = {"millstream": _of_millstream, "torch": _of_torch, "torch_graphs": _of_torch, "cupy": _of_cupy}
    return describe[module.__name__](module) if module.__name__ in describe else ""


def _of_millstream(module: Any) -> str:
    names = ("millstream.devices.onednn", "millstream.devices.fusion.compiled")
    gpus = [device.description for device in module.devices.local_devices() if device.kind == "GPU"]
    return ", ".join([*(str(importlib.import_module(name).description()) for name in names), *gpus])


def _of_torch(module: Any) -> str:
    torch = sys.modules["torch"]
    on = f"on {torch.cuda.get_device_name()}" if torch.cuda.is_available() else f"{torch.get_num_threads()} threads"
    return f"oneDNN {'in use' if torch.backends.mkldnn.is_available() else 'not in use'}, {on}"


def _of_cupy(module: Any) -> str:
    runtime = module.cuda.runtime
    return f"CUDA {runtime.runtimeGetVersion()}, on {runtime.getDeviceProperties(0)['name'].decode()}"


def settle(module: Any) -> None:
    """Wait for what this project compiles in the background: a row shows the speed that stays."""
    if module.__name__ == "millstream":
        importlib.import_module("millstream.devices.fusion.compiled").settle()


def blas(np: Any) -> list[dict[str, Any]]:
    """Return the BLAS libraries that are loaded, with their cores and threads, where threadpoolctl is installed."""
    try:
        threadpoolctl = importlib.import_module("threadpoolctl")
    except ImportError:
        return []
    np.dot(np.ones((2, 2)), np.ones((2, 2)))
    kept = ("internal_api", "version", "architecture", "num_threads", "threading_layer")
    found = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"]
    return [{key: pool[key] for key in kept if key in pool} for pool in found]


def main() -> None:
    module = sys.argv[1]
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    worker = Worker(module)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(worker, request.pop("do"))(**request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
