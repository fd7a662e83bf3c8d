"""`import millstream` stays light: it loads no module that is heavy or that touches a GPU."""

import subprocess
import sys

import pytest

HEAVY = ("cupy", "tensorboard", "tensorflow", "grpc", "rich", "sklearn", "scipy", "pynvml", "ray", "pytest")


def loaded_after(statement: str, folder: str) -> set[str]:
    """Returns the top-level names in sys.modules after `statement` ran in a fresh interpreter, warnings as errors."""
    program = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_import_loads_nothing_heavy(tmp_path) -> None:
    assert loaded_after("import millstream", str(tmp_path)) & set(HEAVY) == set()


@pytest.mark.parametrize("setting", ["enable", "disable"])
def test_import_leaves_the_collector_as_it_was(setting, tmp_path) -> None:
    program = f"import gc; gc.{setting}(); import millstream; print(gc.isenabled())"
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(setting == "enable")
