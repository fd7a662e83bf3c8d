"""Measures a training step's memory in fresh processes: its peak, its page faults a step, and the plan's lower bound.

    memory.py [--peer-python PATH] [--module NAME]     prints a table: one process a row and side
    memory.py --one ROW --module NAME                  measures one, prints JSON

What a step takes is the process's peak after some steps, less what it held before the graph was built; so it counts
variables, their slots, feeds, temporaries and what libraries keep. The bound is `session.plan(...).peak_bytes()` and variables.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from importing import resident_megabytes

ROWS = (
    "mnist_mlp_sgd",
    "mnist_mlp_adam",
    "large_mlp",
    "lenet_adam",
    "elementwise",
    "elementwise_gradient",
    "adam_update",
)
# What the rows feed where the graph leaves the batch open.
BATCHES = {"mnist_mlp_sgd": 128, "mnist_mlp_adam": 128, "large_mlp": 1024, "lenet_adam": 64}
WARM, COUNTED = 12, 5
SETTLING_SECONDS = 15.0
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}


def faults() -> int:
    """Return how many pages this process has been given so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def peak_megabytes() -> float:
    """Return the most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def settled_faults(step: Any) -> float:
    """Return the page faults of a step, once whatever compiles in the background has finished: the least that was seen."""
    until, least = time.monotonic() + SETTLING_SECONDS, float("inf")
    while time.monotonic() < until and least > 0:
        began = faults()
        for _ in range(COUNTED):
            step()
        least = min(least, (faults() - began) / COUNTED)
    return least


def bound_megabytes(row: str, sessions: list[Any]) -> float | None:
    """Return the least memory that the largest plan of the sessions can do with, in MB; None on other sides."""
    plans = [plan for session in sessions for plan in getattr(session, "_plans", {}).values()]
    if not plans:
        return None
    variables = sum(cell.value.nbytes for session in sessions for cell in session._variables if cell.value is not None)
    temporaries = max(plan.peak_bytes(unknown=BATCHES.get(row)) or 0 for plan in plans)
    return (variables + temporaries) / 1e6


def measure(row: str, module: str) -> dict[str, Any]:
    """Run one row's steps in this process."""
    tf = importlib.import_module(module)
    if hasattr(tf, "disable_v2_behavior"):
        tf.disable_v2_behavior()
    build = importlib.import_module("catalogue").BY_NAME[row].build
    sessions: list[Any] = []
    made = tf.Session

    def session(*args: Any, **kwargs: Any) -> Any:
        sessions.append(made(*args, **kwargs))
        return sessions[-1]

    tf.Session = session
    before = resident_megabytes()
    step = build(tf)
    for _ in range(WARM):
        step()
    counted = settled_faults(step)
    return {
        "before": before, "step": peak_megabytes() - before, "faults": counted, "bound": bound_megabytes(row, sessions),
    }  # fmt: skip


def fresh(python: str, row: str, module: str) -> dict[str, Any]:
    """Measure one row in a process of its own."""
    command = [python, str(Path(__file__)), "--one", row, "--module", module]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **QUIET}, check=False)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def text_of(found: dict[str, Any]) -> str:
    """Return the columns of one side."""
    if "error" in found:
        return found["error"]
    bound = "" if found["bound"] is None else f"{found['bound']:10.0f} MB"
    return f"{found['step']:8.0f} MB{found['faults']:10.0f}{bound}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the memory of training steps.")
    parser.add_argument("--peer-python", metavar="PATH")
    parser.add_argument("--one", metavar="ROW")
    parser.add_argument("--module", default="millstream")
    parser.add_argument("--only", default=",".join(ROWS), metavar="NAMES")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.module)))
        return
    print(f"{'':24}{'ours':>11}{'faults':>10}{'bound':>13}{'peer':>16}{'faults':>10}")
    for row in options.only.split(","):
        line = f"{row:24}{text_of(fresh(sys.executable, row, 'millstream'))}"
        if options.peer_python:
            line += "     " + text_of(fresh(options.peer_python, row, "tensorflow.compat.v1"))
        print(line, flush=True)


if __name__ == "__main__":
    main()
