"""Every whole program learns what it should, and learns the same spread over two GPUs.

The second run puts parts of the program on two simulated GPUs, without soft placement: what it asks for is where it runs.
"""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from programs.whole import PROGRAMS


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_program(tf, program) -> None:
    alone = np.asarray(program(tf, lambda part: contextlib.nullcontext()))
    assert np.isfinite(alone).all()
    if tf.__name__ != "millstream":
        return
    tf.reset_default_graph()
    used = set()

    def on_gpus(part):
        used.add(part % 2)
        return tf.device(f"/gpu:{part % 2}")

    with tf.devices.simulated_gpus(2):
        spread = program(tf, on_gpus)
    assert used == {0, 1}
    np.testing.assert_allclose(spread, alone, rtol=2e-3, atol=1e-4)
