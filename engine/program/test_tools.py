"""`tf.test`'s functions: running tests, asking for GPUs, temporary folders, comparing graphs, and benchmarks."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
from absl.testing import absltest

from ...devices import local_devices
from ...ops.core.graph import get_default_graph
from .app import run

__all__ = [
    "Benchmark", "assert_equal_graph_def", "get_temp_dir", "gpu_device_name", "is_built_with_cuda",
    "is_built_with_gpu_support", "is_built_with_rocm", "is_gpu_available", "main", "test_src_dir_path",
]  # fmt: skip

_temp: list[str] = []


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the tests of the program, with the flags parsed."""

    def run_tests(rest: list[str]) -> None:
        absltest.main(argv=rest)

    run(main=run_tests, argv=argv)


def get_temp_dir() -> str:
    """Return a folder for temporary files, the same for the whole process."""
    if not _temp:
        _temp.append(tempfile.mkdtemp())
    return _temp[0]


def test_src_dir_path(relative_path: str) -> str:
    """Return the path of a file beside the program."""
    return os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), relative_path)


test_src_dir_path.__test__ = False  # type: ignore[attr-defined]


def _gpus() -> list[str]:
    return [device.name for device in local_devices() if device.kind == "GPU"]


def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: tuple[int, int] | None = None) -> bool:
    """Tell whether a session would have a GPU, real or simulated; every real one that is usable is CUDA's."""
    return bool(_gpus())


def gpu_device_name() -> str:
    """Return the name of the first GPU, '' when there is none."""
    return next((name[name.index("/device:") :] for name in _gpus()), "")


def is_built_with_cuda() -> bool:
    """Return True: GPUs are reached through CUDA."""
    return True


is_built_with_gpu_support = is_built_with_cuda


def is_built_with_rocm() -> bool:
    """Return False: ROCm is not used."""
    return False


def assert_equal_graph_def(actual: Any, expected: Any, checkpoint_v2: bool = False) -> None:
    """Raise AssertionError unless two GraphDefs have the same nodes, in any order."""
    for graph_def in (actual, expected):
        if type(graph_def).__name__ != "GraphDef":
            raise TypeError(f"Expected tf.GraphDef, got {type(graph_def).__name__}")
    ours, theirs = ({node.name: node for node in graph_def.node} for graph_def in (actual, expected))
    if ours.keys() != theirs.keys():
        raise AssertionError(f"Nodes only in one of the graphs: {sorted(ours.keys() ^ theirs.keys())}")
    for name, node in ours.items():
        if node != theirs[name]:
            raise AssertionError(f"The node {name} differs:\n{node}\nand\n{theirs[name]}")


class Benchmark:
    """Measures how long operations take, and prints a line for each measurement."""

    def run_op_benchmark(
        self, sess: Any, op_or_tensor: Any, feed_dict: Any = None, burn_iters: int = 2, min_iters: int = 10,
        store_trace: bool = False, store_memory_usage: bool = True, name: str | None = None, extras: Any = None,
        mbs: float = 0,
    ) -> dict[str, Any]:  # fmt: skip
        """Run operations `burn_iters` times, then `min_iters` times with a clock, and report; times are in seconds."""
        for _ in range(burn_iters):
            sess.run(op_or_tensor, feed_dict=feed_dict)
        deltas = np.zeros(max(1, min_iters))
        for i in range(len(deltas)):
            start = time.perf_counter()
            sess.run(op_or_tensor, feed_dict=feed_dict)
            deltas[i] = time.perf_counter() - start
        median = float(np.median(deltas))
        throughput = mbs / median if mbs else 0.0
        self.report_benchmark(len(deltas), median, wall_time=median, throughput=throughput, extras=extras, name=name)
        return {
            "iters": len(deltas),
            "wall_time": median,
            "extras": dict(extras or {}),
            "name": name,
            "throughput": throughput,
        }

    def report_benchmark(
        self, iters: int | None = None, cpu_time: float | None = None, wall_time: float | None = None,
        throughput: float | None = None, extras: Any = None, name: str | None = None, metrics: Any = None,
    ) -> None:  # fmt: skip
        """Print one measurement: times in seconds, throughput in MB a second."""
        label = f"{type(self).__name__}.{name or sys._getframe(1).f_code.co_name}"
        values = {
            "iters": iters, "cpu_time": cpu_time, "wall_time": wall_time, "throughput": throughput, **(extras or {}),
        }  # fmt: skip
        print(label, *(f"{key}={value}" for key, value in values.items() if value is not None))

    def evaluate(self, tensors: Any) -> Any:
        """Return the values of tensors in the default session."""
        return get_default_graph().session_for("eval", None).run(tensors)
