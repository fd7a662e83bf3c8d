"""Every function that programs use is called with every keyword argument that TensorFlow documents, and its graph runs.

Arguments come from tables: a case's own, and for all others the default, passed by name.
"""

from __future__ import annotations

import pathlib

import pytest

import millstream as tf
from support import api_special_data  # noqa: F401  (enters its programs)
from support.api_calls import call, nodes, run, use
from support.api_cases import CASES
from support.api_special import SPECIAL, UNCALLED
from support.signatures import AWAITED, NAMES, resolve

PRESENT = [name for name, kind in NAMES.items() if kind in ("v1", "contrib") and name not in AWAITED]


@pytest.mark.parametrize("path", [name for name in CASES if name not in AWAITED])
def test_call(path: str) -> None:
    with tf.Graph().as_default():
        found = call(path, **CASES[path](tf))
        run(use(found) if not nodes(found) else found)


@pytest.mark.parametrize("program", dict.fromkeys(SPECIAL.values()), ids=lambda program: program.__name__)
def test_program(program, tmp_path: pathlib.Path) -> None:
    with tf.Graph().as_default():
        program(tmp_path)


def test_every_name_is_called() -> None:
    called = {*CASES, *SPECIAL, *UNCALLED}
    assert sorted(n for n in PRESENT if callable(resolve(n)) and n not in called) == []


def test_what_is_not_called_exists() -> None:
    assert sorted(n for n in UNCALLED if n not in NAMES) == []
