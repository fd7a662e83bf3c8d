"""Makes random_numbers.npz: what TensorFlow's CPU kernels draw. Run it with a Python that has TensorFlow.

    python tests/golden/random_numbers.py tests/golden/random_numbers.npz

Every case runs one op several times in one session, so that the counters that runs reserve are golden too. Of long
samples only the ends and every 997th value are kept.
"""

from __future__ import annotations

import sys

import numpy as np
import tensorflow.compat.v1 as tf

SEEDS = ((123, 456), (0, 7), (-5, 2**40 + 3))
SIZES = (0, 1, 2, 3, 4, 5, 255, 256, 257, 1000, 100_000)
RUNS = 5
DTYPES = ("float32", "float64", "float16", "bfloat16")
FLOAT_OPS = ("RandomUniform", "RandomStandardNormal", "TruncatedNormal")
RANGES = {"int32": ((0, 10), (-(2**31), 2**31 - 1)), "int64": ((-3, 1000), (-(2**63), 2**63 - 1))}
SHUFFLES = ((1,), (2,), (5,), (257,), (4, 3), (100, 2))
LOGITS = [[0.0, 1.0, -1.0, 0.5], [3.0, 0.0, float("-inf"), 1.0]]


def kept(sample: np.ndarray) -> np.ndarray:
    """Return the values of one run that the table keeps."""
    flat = sample.reshape(-1)
    return flat if flat.size <= 64 else np.concatenate([flat[:8], flat[8:-8:997], flat[-8:]])


def cases(seed: int, seed2: int) -> dict[str, tf.Tensor]:
    """Build every case for one pair of seeds."""
    raw, seeds, found = tf.raw_ops, {"seed": seed, "seed2": seed2}, {}
    for size in SIZES:
        for dtype in DTYPES:
            for op in FLOAT_OPS:
                found[f"{op}/{dtype}/{size}"] = getattr(raw, op)(shape=[size], dtype=getattr(tf, dtype), **seeds)
        for dtype, ranges in RANGES.items():
            for low, high in ranges:
                bounds = {"minval": np.array(low, dtype), "maxval": np.array(high, dtype)}
                name = f"RandomUniformInt/{dtype}/{size}/{low}/{high}"
                found[name] = raw.RandomUniformInt(shape=[size], **bounds, **seeds)
    for shape in SHUFFLES:
        values = np.arange(np.prod(shape)).reshape(shape)
        found["RandomShuffle/" + "x".join(map(str, shape))] = raw.RandomShuffle(value=values, **seeds)
    for size in (1, 2, 7):
        found[f"Multinomial/{size}"] = raw.Multinomial(logits=LOGITS, num_samples=size, **seeds)
    for alpha in (0.3, 1.0, 2.5):
        for dtype in ("float32", "float64"):
            alphas = np.array([alpha, 4.0], dtype)
            found[f"RandomGamma/{dtype}/{alpha}"] = raw.RandomGamma(shape=[9], alpha=alphas, **seeds)
    return found


def main(path: str) -> None:
    """Write the table: one array (runs, kept values) a case; bfloat16 as its bits."""
    table = {}
    for seed, seed2 in SEEDS:
        with tf.Graph().as_default(), tf.Session() as session:
            for name, tensor in cases(seed, seed2).items():
                rows = np.stack([kept(session.run(tensor)) for _ in range(RUNS)])
                table[f"{name}/seeds/{seed}/{seed2}"] = rows.view(np.uint16) if tensor.dtype == tf.bfloat16 else rows
    np.savez_compressed(path, **table)


if __name__ == "__main__":
    main(sys.argv[1])
