"""Writes array_values.json: what TensorFlow gives for tests/support/array_cases.py.

Run with TensorFlow's Python: `python tests/golden/array_values.py`.
"""

import json
import pathlib
import sys

import tensorflow.compat.v1 as tf

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from support.array_cases import CASES, outcome  # noqa: E402

tf.disable_v2_behavior()
table = {name: outcome(tf, build) for name, build in CASES.items()}
(HERE / "array_values.json").write_text(json.dumps(table, indent=0) + "\n")
