"""Writes signatures.json.gz: the argument names of TensorFlow's v1 functions, classes and their methods.

Run with a Python that has TensorFlow: `python tests/golden/signatures.py`. Keys are names after `tf.`, a class's own name
stands for its constructor.
"""

import gzip
import inspect
import json
import os
import pathlib

SPACES = (
    "", "app", "bitwise", "compat", "data", "debugging", "distributions", "dtypes", "feature_column", "flags", "gfile",
    "graph_util", "image", "initializers", "io", "io.gfile", "layers", "linalg", "logging", "lookup", "losses", "manip",
    "math", "metrics", "nest", "nn", "nn.rnn_cell", "profiler", "python_io", "queue", "random", "resource_loader",
    "saved_model", "sets", "signal", "sparse", "spectral", "strings", "summary", "test", "train",
)  # fmt: skip


def reach(root, path):
    for part in path.split(".") if path else ():
        root = getattr(root, part, None)
    return root


def arguments(function, spec):
    return [name for name in (*spec(function).args, *spec(function).kwonlyargs) if name not in ("self", "cls")]


def found(tf, spec):
    names = {}
    for space in SPACES:
        for name, value in _members(reach(tf, space)):
            path = f"{space}.{name}" if space else name
            try:
                if inspect.isclass(value):
                    names[path] = arguments(value.__init__, spec)
                    for method, body in vars(value).items():
                        if not method.startswith("_") and inspect.isfunction(body):
                            names[f"{path}.{method}"] = arguments(body, spec)
                elif callable(value):
                    names[path] = arguments(value, spec)
            except (AttributeError, TypeError, ValueError):
                continue
    return names


def _members(space):
    if space is None:
        return []
    return [
        (n, getattr(space, n)) for n in dir(space) if not n.startswith("_") and not inspect.ismodule(getattr(space, n))
    ]


def main():
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tensorflow.compat.v1 as tf
    from tensorflow.python.util import tf_inspect

    names = found(tf, tf_inspect.getfullargspec)
    path = pathlib.Path(__file__).with_name("signatures.json.gz")
    text = json.dumps(dict(sorted(names.items())), separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{path}: {len(names)} signatures")


if __name__ == "__main__":
    main()
