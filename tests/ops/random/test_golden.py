"""Every random op draws what TensorFlow's CPU kernel draws, run after run, on every device."""

import pathlib
from dataclasses import dataclass, field
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import millstream.devices as devices
from millstream.ops.core import dtypes
from millstream.ops.core.registry import REGISTRY
from millstream.ops.random import draw, gamma, multinomial, shuffle

GOLDEN = pathlib.Path(__file__).parents[2] / "golden" / "random_numbers.npz"
TABLE = dict(np.load(GOLDEN))
SEEDS = ("123/456", "0/7", "-5/1099511627779")
RUNS = 5
# Units in the last place by which a normal may differ: TensorFlow's own logarithm and sine are off by as much.
ULPS = {np.dtype(np.float32): 3, np.dtype(np.float64): 3, np.dtype(np.float16): 1, np.dtype(ml_dtypes.bfloat16): 1}
LOGITS = np.array([[0.0, 1.0, -1.0, 0.5], [3.0, 0.0, -np.inf, 1.0]], np.float32)
MODULES = (draw, gamma, multinomial, shuffle)  # imported for the ops that they declare


@dataclass
class Context:
    """What the kernels ask of a run: the device, and one state for the node."""

    device: Any
    node: Any = None
    state: list[Any] = field(default_factory=list)

    def node_state(self, make: Any) -> Any:
        if not self.state:
            self.state.append(make())
        return self.state[0]


def a_gpu() -> Any:
    with devices.simulated_gpus(1):
        return next(device for device in devices.local_devices() if device.kind == "GPU")


PLACES = {"CPU": lambda: devices.local_devices()[0], "GPU": a_gpu}


def draws(kind: str, op: str, inputs: list[Any], seeds: str, **attrs: Any) -> list[np.ndarray]:
    """Run the op's kernel RUNS times for one node on a new device of this kind."""
    decl, device = REGISTRY[op], PLACES[kind]()
    context = Context(device)
    seed, seed2 = map(int, seeds.split("/"))
    on_device = [
        value if kind == "CPU" or arg.name in decl.host else device.put(value)
        for arg, value in zip(decl.inputs, inputs, strict=True)
    ]
    kernel = decl.kernels_for(kind)[0].function
    found = [kernel(context, device.xp, *on_device, seed=seed, seed2=seed2, **attrs) for _ in range(RUNS)]
    host = kind == "CPU" or decl.outputs[0].name in decl.host
    return [value if host else device.get(value) for value in found]


def kept(sample: np.ndarray) -> np.ndarray:
    """Return the values of one run that the table keeps."""
    flat = sample.reshape(-1)
    return flat if flat.size <= 64 else np.concatenate([flat[:8], flat[8:-8:997], flat[-8:]])


def check(name: str, drawn: list[np.ndarray], ulps: int = 0) -> None:
    rows = np.stack([kept(sample) for sample in drawn])
    golden = TABLE[name]
    if rows.dtype == ml_dtypes.bfloat16:
        golden = golden.view(ml_dtypes.bfloat16)
    assert rows.dtype == golden.dtype and rows.shape == golden.shape
    if ulps:
        integers = np.dtype(f"i{rows.itemsize}")
        assert np.abs(rows.view(integers).astype(np.int64) - golden.view(integers)).max(initial=0) <= ulps
    else:
        np.testing.assert_array_equal(rows, golden)


def names(op: str) -> list[tuple[list[str], str]]:
    """Return the (parts, seeds) of the table's cases of an op."""
    cases = (name.split("/seeds/") for name in TABLE)
    return [(case.split("/"), seeds) for case, seeds in cases if case.split("/")[0] == op]


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("op", ["RandomUniform", "RandomStandardNormal", "TruncatedNormal"])
def test_floats(op: str, dtype: str, kind: str) -> None:
    wanted = dtypes.as_dtype(dtype)
    ulps = 0 if op == "RandomUniform" else ULPS[np.dtype(wanted.as_numpy_dtype)]
    cases = [(parts, seeds) for parts, seeds in names(op) if parts[1] == dtype]
    assert len(cases) == 11 * len(SEEDS)
    for parts, seeds in cases:
        drawn = draws(kind, op, [np.array([int(parts[2])], np.int32)], seeds, dtype=wanted)
        check("/".join((*parts, "seeds", seeds)), drawn, ulps)


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_integers(dtype: str, kind: str) -> None:
    for parts, seeds in (case for case in names("RandomUniformInt") if case[0][1] == dtype):
        size, low, high = parts[2:]
        inputs = [np.array([size], np.int64), np.array(low, dtype), np.array(high, dtype)]
        check("/".join((*parts, "seeds", seeds)), draws(kind, "RandomUniformInt", inputs, seeds))


@pytest.mark.parametrize("kind", PLACES)
def test_shuffles(kind: str) -> None:
    for parts, seeds in names("RandomShuffle"):
        shape = tuple(map(int, parts[1].split("x")))
        drawn = draws(kind, "RandomShuffle", [np.arange(np.prod(shape)).reshape(shape)], seeds)
        check("/".join((*parts, "seeds", seeds)), drawn)
        assert drawn[0].shape == shape


@pytest.mark.parametrize("kind", PLACES)
def test_multinomials(kind: str) -> None:
    for parts, seeds in names("Multinomial"):
        inputs = [LOGITS, np.array(parts[1], np.int32)]
        check("/".join((*parts, "seeds", seeds)), draws(kind, "Multinomial", inputs, seeds, output_dtype=dtypes.int64))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gammas(dtype: str) -> None:
    for parts, seeds in (case for case in names("RandomGamma") if case[0][1] == dtype):
        inputs = [np.array([9], np.int32), np.array([float(parts[2]), 4.0], dtype)]
        drawn = draws("CPU", "RandomGamma", inputs, seeds)
        assert drawn[0].shape == (9, 2)
        golden = TABLE["/".join((*parts, "seeds", seeds))]
        rows = np.stack([sample.reshape(-1) for sample in drawn])
        np.testing.assert_allclose(rows, golden, rtol=1e-6 if dtype == "float32" else 1e-12)
