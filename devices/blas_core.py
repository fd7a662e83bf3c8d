"""NumPy, loaded with the BLAS core that suits the CPU: imported before anything else of the package.

OpenBLAS takes its AVX2 core on AMD CPUs that have AVX-512, which halves the speed of matrix products. It reads the
choice from the environment once, while NumPy loads. Invariant: the environment is the same before and after, a choice
that the user made wins, and a process that has NumPy already is left alone.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import MutableMapping

VARIABLE = "OPENBLAS_CORETYPE"
WIDE_CORE = "SkylakeX"
_NEEDED = frozenset({"avx512f", "avx512dq", "avx512cd", "avx512bw", "avx512vl"})
# One processor's entry; the file has as many as there are processors.
_ENTRY = 1 << 14


def cpu_facts(path: str = "/proc/cpuinfo") -> tuple[str, frozenset[str]]:
    """Return the vendor and the flags of the first processor; ("", nothing) where the system does not tell."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read(_ENTRY).splitlines()
    except OSError:
        return "", frozenset()
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in reversed(lines))}
    return facts.get("vendor_id", ""), frozenset(facts.get("flags", "").split())


def better_core(vendor: str, flags: frozenset[str]) -> str | None:
    """Return the core that is faster than OpenBLAS's own choice on such a CPU, None where its choice is right."""
    return WIDE_CORE if vendor == "AuthenticAMD" and flags >= _NEEDED else None


def load_numpy(environment: MutableMapping[str, str]) -> None:
    """Import NumPy, with a better core than OpenBLAS would take where there is one."""
    core = None if "numpy" in sys.modules or environment.get(VARIABLE) else better_core(*cpu_facts())
    before = environment.get(VARIABLE)
    if core is not None:
        environment[VARIABLE] = core
    try:
        importlib.import_module("numpy")
    finally:
        if core is not None:
            if before is None:
                del environment[VARIABLE]
            else:
                environment[VARIABLE] = before


load_numpy(os.environ)
