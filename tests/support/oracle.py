"""Running a graph of ours on TensorFlow: the same GraphDef, the same feeds, values and derivatives side by side.

Works where TensorFlow is installed beside this project; `available` tells. TensorFlow is imported by the first use only.
"""

import importlib.util
import os
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from millstream.ops.core.dtypes import DType
from millstream.ops.core.graph import Graph
from millstream.ops.io.python import _functions as registered_functions
from support import opdefs

available = importlib.util.find_spec("tensorflow") is not None
# Above all versions of GraphDefs.
NO_VERSION = 10**6
# What TensorFlow says where it has no CPU kernel for a dtype or an attribute: nothing to compare with.
NO_KERNEL = (
    "No OpKernel was registered",
    "has constraint on attr",
    "It has been removed in version",
    "Could not find device for node",
    "only supports",
    "not supported on CPU",
    "is not in the list of allowed values",
    "not implemented",
    "is not supported, DataType",
    "to avoid silently creating costly copies",
    "for now",
)


class NothingToCompare(Exception):
    """TensorFlow cannot run the case: it lacks the kernel, or refuses the dtype."""


@cache
def tensorflow() -> Any:
    """Return TensorFlow's v1 API, with graph rewriting off: what runs is what we wrote.

    Layers and cells of 1.15 are there if the package `tf_keras` is installed, too.
    """
    if importlib.util.find_spec("tf_keras") is not None:
        os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    import tensorflow.compat.v1 as tf

    tf.disable_v2_behavior()
    tf.logging.set_verbosity(tf.logging.ERROR)
    # A process keeps the threads of its first session, and what Multinomial draws for a row depends on how many there are.
    tf.Session(config=_config(tf)).close()
    return tf


def _config(tf: Any) -> Any:
    config = tf.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    config.graph_options.optimizer_options.opt_level = -1
    return config


class Peer:
    """Our graph, imported by TensorFlow."""

    def __init__(self, graph: Graph) -> None:
        self.tf = tf = tensorflow()
        self.functions = _lent_functions(graph)
        self.graph = tf.Graph()
        definition = tf.GraphDef.FromString(graph.as_graph_def().SerializeToString())
        definition.versions.producer = min([definition.versions.producer, *map(_last_version, definition.node)])
        with self.graph.as_default():
            try:
                tf.import_graph_def(definition, name="")
            except (ValueError, TypeError, tf.errors.OpError) as error:
                raise _unless_it_lacks_a_kernel(error) from error

    def run(self, names: list[str], feeds: dict[str, Any]) -> list[Any]:
        """Return the values of tensors by name."""
        return self.run_steps([names], feeds)[0]

    def run_steps(self, steps: list[list[str]], feeds: dict[str, Any]) -> list[list[Any]]:
        """Return the values of tensors and operations by name, step after step in one session."""
        tf = self.tf
        with self.graph.as_default(), tf.Session(config=_config(tf)) as session:
            try:
                return [list(session.run(names, feeds)) for names in steps]
            except (tf.errors.OpError, TypeError) as error:
                raise _unless_it_lacks_a_kernel(error) from error

    def gradients(self, ys: list[str], xs: list[str], weights: list[Any]) -> list[str | None] | None:
        """Add the derivatives of `ys`; return their names (None where unconnected), or None where TensorFlow refuses."""
        tf = self.tf
        get = self.graph.get_tensor_by_name
        with self.graph.as_default():
            try:
                found = tf.gradients([get(y) for y in ys], [get(x) for x in xs], [tf.constant(w) for w in weights])
            except (LookupError, NotImplementedError, TypeError, ValueError):
                return None
            return [None if g is None else tf.convert_to_tensor(g).name for g in found]


def _lent_functions(graph: Graph) -> list[Any]:
    """Let TensorFlow's nodes find our Python functions by their tokens, as long as what is returned lives."""
    from tensorflow.python.ops import script_ops

    eager = {op.attrs["token"]: op.attrs["Tout"] for op in graph.get_operations() if op.type == "EagerPyFunc"}
    lent = {
        token: _eager(script_ops, held.call, eager[token]) if token in eager else partial(held.call)
        for token, held in list(registered_functions.items())
    }
    script_ops._py_funcs._funcs.update(lent)
    return list(lent.values())


def _eager(script_ops: Any, function: Callable[..., Any], types: list[DType]) -> Any:
    """Return what TensorFlow calls with values that know how to be arrays."""
    return script_ops.EagerFunc(lambda *xs: function(*[x.numpy() for x in xs]), [dtype.name for dtype in types], False)


def _last_version(node: Any) -> int:
    """Return the newest version of GraphDefs that TensorFlow takes an op in: it computes old ones in old graphs."""
    return opdefs.load()[node.op].deprecated_since - 1 if opdefs.load()[node.op].deprecated_since else NO_VERSION


def _unless_it_lacks_a_kernel(error: Exception) -> Exception:
    text = str(error)
    return NothingToCompare(text) if any(words in text for words in NO_KERNEL) else error


def plain(value: Any) -> Any:
    """Return an array that NumPy can compare: narrow floats widened."""
    array = np.asarray(value)
    return array.astype(np.float32) if array.dtype.name in ("bfloat16", "float16") else array
