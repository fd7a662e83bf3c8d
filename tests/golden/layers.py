"""Makes layers.json.gz: what TensorFlow's layers give. Run it with a Python that has TensorFlow and tf_keras.

TF_USE_LEGACY_KERAS=1 python tests/golden/layers.py
"""

import gzip
import json
import pathlib
import sys
import warnings

import tensorflow.compat.v1 as tf

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from support.layer_cases import results  # noqa: E402

if __name__ == "__main__":
    tf.disable_v2_behavior()
    warnings.simplefilter("ignore")
    text = json.dumps(results(tf), separators=(",", ":"), sort_keys=True)
    (HERE / "layers.json.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
