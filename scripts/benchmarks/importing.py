"""Imports the module named on the command line in a fresh process; prints its seconds and the memory afterwards."""

import importlib
import json
import os
import sys
import time


def resident_megabytes() -> float:
    """Return the memory of this process in MB, or 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return 0.0


if __name__ == "__main__":
    began = time.perf_counter()
    importlib.import_module(sys.argv[1])
    print(json.dumps({"seconds": time.perf_counter() - began, "megabytes": resident_megabytes()}))
