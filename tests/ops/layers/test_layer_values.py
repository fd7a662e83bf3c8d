"""Layers against TensorFlow's: values, gradients, static shapes, names and shapes of variables."""

import gzip
import json
import pathlib

import numpy as np
import pytest

import millstream as tf
from support.layer_cases import results

GOLDEN = json.loads(gzip.decompress((pathlib.Path(__file__).parents[2] / "golden" / "layers.json.gz").read_bytes()))


@pytest.fixture(scope="module")
def found() -> dict:
    return results(tf)


@pytest.mark.parametrize("case", GOLDEN)
def test_layer(case: str, found: dict) -> None:
    ours, theirs = found[case], GOLDEN[case]
    for exact in ("shape", "actual", "variables"):
        assert ours[exact] == theirs[exact]
    np.testing.assert_allclose(ours["value"], theirs["value"], rtol=2e-5, atol=2e-5)
    np.testing.assert_allclose(ours["slopes"], theirs["slopes"], rtol=1e-4)
