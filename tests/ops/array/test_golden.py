"""Array functions give TensorFlow's shapes, dtypes, values and errors; the table is made by tests/golden/array_values.py."""

import json
import pathlib

import pytest

import millstream as tf
from support.array_cases import CASES, outcome

GOLDEN = json.loads((pathlib.Path(__file__).parents[2] / "golden" / "array_values.json").read_text())


def test_every_case_is_in_the_table():
    assert sorted(GOLDEN) == sorted(CASES)


@pytest.mark.parametrize("name", CASES)
def test_as_tensorflow(name):
    assert outcome(tf, CASES[name]) == GOLDEN[name]
