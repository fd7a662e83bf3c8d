"""Makes losses.json.gz: what TensorFlow's losses give. Run it with a Python that has TensorFlow.

python tests/golden/losses.py
"""

import gzip
import json
import pathlib
import sys
import warnings

import tensorflow.compat.v1 as tf

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from support.loss_cases import results  # noqa: E402

if __name__ == "__main__":
    tf.disable_v2_behavior()
    warnings.simplefilter("ignore")
    text = json.dumps(results(tf), separators=(",", ":"), sort_keys=True)
    (HERE / "losses.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
