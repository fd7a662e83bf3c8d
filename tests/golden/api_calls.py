"""Writes api_calls.json.gz: every argument of TensorFlow's v1 functions, in order, with its default.

Run with a Python that has TensorFlow: `python tests/golden/api_calls.py`. Keys are names after `tf.`; each argument is a
list of its name and, where it has one, its default as JSON; a third item tells that it goes by keyword only.
"""

import enum
import gzip
import inspect
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from signatures import SPACES, _members, reach


def plain(value):
    """Returns a default as JSON: scalars as they are, dtypes and functions by their names."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, enum.Enum):
        return f"enum {value.name}"
    if hasattr(value, "as_numpy_dtype"):
        return f"dtype {value.name}"
    return f"object {getattr(value, '__name__', type(value).__name__)}"


def arguments(function, spec):
    """Returns (name, default if any, "keyword" if it goes by keyword only) for each argument."""
    read = spec(function)
    names = [n for n in read.args if n not in ("self", "cls")]
    defaults = dict(zip(read.args[::-1], (read.defaults or ())[::-1], strict=False))
    positional = [[n, plain(defaults[n])] if n in defaults else [n] for n in names]
    keywords = [[n, plain((read.kwonlydefaults or {}).get(n)), "keyword"] for n in read.kwonlyargs]
    return positional + keywords


def found(tf, spec):
    """Returns the arguments of every function, constructor and public method."""
    names = {}
    for space in SPACES:
        for name, value in _members(reach(tf, space)):
            path = f"{space}.{name}" if space else name
            try:
                if inspect.isclass(value):
                    names[path] = arguments(value.__init__, spec)
                    for method in dir(value):
                        body = getattr(value, method)
                        if not method.startswith("_") and inspect.isfunction(body):
                            names[f"{path}.{method}"] = arguments(body, spec)
                elif callable(value):
                    names[path] = arguments(value, spec)
            except (AttributeError, TypeError, ValueError):
                continue
    return names


def main():
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tensorflow.compat.v1 as tf
    from tensorflow.python.util import tf_inspect

    names = found(tf, tf_inspect.getfullargspec)
    path = pathlib.Path(__file__).with_name("api_calls.json.gz")
    text = json.dumps(dict(sorted(names.items())), separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{path}: {len(names)} signatures")


if __name__ == "__main__":
    main()
