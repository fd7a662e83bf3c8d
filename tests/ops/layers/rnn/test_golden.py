"""Recurrent networks against TensorFlow: variables, values and gradients, on the CPU and on a simulated GPU."""

import importlib.util
import json
import pathlib
from typing import Any

import numpy as np
import pytest

import millstream as tf
from millstream.devices import simulated_gpus

GOLDEN = pathlib.Path(__file__).parents[3] / "golden"


def _maker() -> Any:
    spec = importlib.util.spec_from_file_location("recurrent_values", GOLDEN / "recurrent_values.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MAKER = _maker()
EXPECTED = json.loads((GOLDEN / "recurrent_values.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("gpus", [0, 1])
@pytest.mark.parametrize("expression", MAKER.EXPRESSIONS)
def test_as_in_tensorflow(expression: str, gpus: int) -> None:
    with simulated_gpus(gpus):
        found = MAKER.evaluate(tf, expression, "/gpu:0" if gpus and "DeviceWrapper" not in expression else None)
    expected = EXPECTED[expression]
    assert found["variables"] == expected["variables"]
    for value, wanted in zip(found["values"], expected["values"], strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-4, atol=1e-5)
