"""Makes sampled.npz: what TensorFlow's candidate samplers draw and sampled losses give. Run it with a Python that has TensorFlow.

python tests/golden/sampled.py
"""

import pathlib
import sys

import numpy as np
import tensorflow.compat.v1 as tf

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from support.sampled_cases import results  # noqa: E402

if __name__ == "__main__":
    tf.disable_v2_behavior()
    np.savez_compressed(HERE / "sampled.npz", **results(tf))
