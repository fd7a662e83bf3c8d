"""Runs every docstring's examples on the installed package, where each module has its real name."""

import doctest
import importlib
import pathlib
import pkgutil

import pytest

import millstream
from support.source import FLOORS

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
# Importing this starts a program.
UNIMPORTABLE = ("__main__",)


def module_names() -> list[str]:
    (root,) = millstream.__path__
    names = ["millstream"]
    for floor in FLOORS:
        if (pathlib.Path(root) / floor).is_dir():
            names.append(f"millstream.{floor}")
            found = pkgutil.walk_packages([str(pathlib.Path(root) / floor)], f"millstream.{floor}.")
            names += [info.name for info in found if info.name.rsplit(".")[-1] not in UNIMPORTABLE]
    return names


@pytest.mark.parametrize("name", module_names())
def test_examples_in_docstrings(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name), optionflags=OPTIONS)
    assert results.failed == 0
