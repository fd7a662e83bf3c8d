"""What scripts/bench prints, keeps and checks: medians with their spread, ratios, and the committed table."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path
from statistics import median, quantiles
from typing import Any

# The sides besides ours and the peer, in the order of their columns.
OTHERS = ("torch", "graphs", "numpy", "cupy")
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
# The ratios to TensorFlow's times that this project aims at, by row; with the extras, as far as a row depends on them.
TARGETS = {
    "one_op": 0.05, "scalar_chain": 0.15, "vector_chain": 0.6, "while_loop": 0.15, "linear_regression": 0.06,
    "tiny_mlp_adam": 0.25, "mnist_mlp_sgd": 0.6, "mnist_mlp_adam": 0.6, "large_mlp": 1.0, "lenet_adam": 1.0, "lstm": 0.7,
    "word2vec": 0.3, "elementwise": 0.6, "elementwise_gradient": 0.6, "adam_update": 0.8, "matmul": 1.0,
    "feed_and_fetch": 1.0, "building": 0.06, "first_run": 0.6, "four_uniforms": 1.5, "many_normals": 1.5, "dropout": 1.5,
    "import": 0.08, "import_memory": 0.1,
}  # fmt: skip


def machine() -> dict[str, Any]:
    """Return what the figures depend on besides the two sides."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), model)
    except OSError:
        pass
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count()
    return {"system": platform.platform(terse=True), "processor": model, "cores": cores}


def blas_text(versions: dict[str, Any]) -> str:
    """Return the BLAS of one side in words."""
    pools = versions.get("blas") or []
    texts = [
        f"{p.get('internal_api')} {p.get('version')} (core {p.get('architecture')}, {p.get('num_threads')} threads)"
        for p in pools
    ]
    return ", ".join(texts) or "BLAS not reported"


def heading(result: dict[str, Any]) -> str:
    """Return the lines above the table."""
    about = result["machine"]
    lines = [f"{about['processor']}, {about['cores']} cores, {about['system']}"]
    for name, side in result["sides"].items():
        versions = f"{side['module']} {side['version']}, Python {side['python']}, NumPy {side['numpy']}"
        lines.append(", ".join(filter(None, [f"{name}: {versions}", blas_text(side), side.get("extras")])))
    others = "".join(f"{name:>12}{'ratio':>9}" for name in OTHERS if name in result["sides"])
    columns = f"{'':34}{'ours':>12}{'peer':>12}{'ratio':>9}{'target':>8}{others}"
    lines += ["", f"{columns}   quartiles of the first ratio; of our time"]
    return "\n".join(lines)


def quantity(value: float, unit: str) -> str:
    """Return seconds or megabytes with three digits."""
    if unit == "megabytes":
        return f"{value:.0f} MB"
    scale, name = next((pair for pair in UNITS if value >= pair[0]), UNITS[-1])
    return f"{value / scale:.3g} {name}"


def spread(values: list[float]) -> tuple[float, float]:
    """Return the quartiles."""
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = quantiles(values, n=4, method="inclusive")
    return low, high


def ratios(row: dict[str, Any], side: str = "peer") -> list[float]:
    """Return our time over another side's, turn by turn; empty where either is missing or failed."""
    values = row.get("seconds") or row.get("megabytes") or {}
    if not {"ours", side} <= values.keys() or {"ours", side} & row["errors"].keys():
        return []
    return [ours / other for ours, other in zip(values["ours"], values[side], strict=True)]


def cells(row: dict[str, Any], unit: str, side: str) -> str:
    """Return the time of a side and our ratio to it, as wide as their columns."""
    found = ratios(row, side)
    time = quantity(median(row[unit][side]), unit) if side in row[unit] else "–"
    return f"{time:>12}" + (f"{median(found):9.3f}" if found else f"{'':9}")


def line(row: dict[str, Any], sides: Any = ()) -> str:
    """Return a row of the table, with columns for the other `sides` that there are."""
    unit = "seconds" if "seconds" in row else "megabytes"
    ours = quantity(median(row[unit]["ours"]), unit) if "ours" in row[unit] else "–"
    others = "".join(cells(row, unit, side) for side in OTHERS if side in sides)
    target = TARGETS.get(row["name"], "")
    text = f"{row['title']:34}{ours:>12}{cells(row, unit, 'peer')}{target:>8}{others}   "
    found = ratios(row)
    if found:
        text += "{:.3f} to {:.3f}; ".format(*spread(found))
    if "ours" in row[unit]:
        low, high = spread(row[unit]["ours"])
        text += f"{quantity(low, unit)} to {quantity(high, unit)}"
    return text + "".join(f"\n    {side}: {error}" for side, error in row["errors"].items())


def placing_lines(seconds: dict[str, float]) -> str:
    """Return the placer's row: time for each size, and for each node, which stays the same when growth is linear."""
    if not seconds:
        return ""
    texts = [
        f"{int(n):,}: {quantity(took, 'seconds')} ({took / int(n) * 1e6:.1f} µs each)" for n, took in seconds.items()
    ]
    return f"placing, by number of nodes        {'; '.join(texts)}\n"


def save(result: dict[str, Any], table: Path) -> None:
    """Write the ratios of this run, with what they were measured on; rows that did not run keep their old ones."""
    kept = json.loads(table.read_text(encoding="utf-8"))["ratios"] if table.exists() else {}
    fresh = {row["name"]: round(median(ratios(row)), 4) for row in result["rows"] if ratios(row)}
    document = {"machine": result["machine"], "sides": result["sides"], "ratios": {**kept, **fresh}}
    table.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def check(result: dict[str, Any], table: Path, tolerance: float) -> int:
    """Print the rows that are worse than the committed ratios by more than the tolerance; return the exit status."""
    committed = json.loads(table.read_text(encoding="utf-8"))["ratios"]
    worse = []
    for row in result["rows"]:
        found, limit = ratios(row), committed.get(row["name"])
        if row["errors"]:
            worse.append(f"{row['title']}: {'; '.join(row['errors'].values())}")
        elif found and limit is not None and median(found) > limit * (1 + tolerance):
            worse.append(f"{row['title']}: ratio {median(found):.3f}, committed {limit:.3f}")
    print("\n".join(["", *(worse or ["no row is worse than the committed table allows"])]), file=sys.stderr)
    return 1 if worse else 0
