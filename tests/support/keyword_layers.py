"""Keywords of what makes variables, given other values than their defaults: variables, layers, cells, optimisers, summaries."""

from __future__ import annotations

from typing import Any

import numpy as np

from .api_cases import Case, f, i
from .keywords import Late, vary

DOUBLE, HALF = Late(lambda tf: tf.float64), Late(lambda tf: tf.float16)
RELU, TANH, SIGMOID = Late(lambda tf: tf.nn.relu), Late(lambda tf: tf.nn.tanh), Late(lambda tf: tf.nn.sigmoid)
CLIP = Late(lambda tf: lambda v: tf.clip_by_value(v, -0.2, 0.2))
PENALTY = Late(lambda tf: lambda v: 0.5 * tf.reduce_sum(tf.square(v)))
HALVES = Late(lambda tf: tf.constant_initializer(0.5))


def starting(tf: Any) -> Any:
    """Return an initialiser whose values differ from each other, and do not depend on seeds."""

    def initializer(shape: Any, dtype: Any = tf.float32, partition_info: Any = None) -> Any:
        dims = tf.TensorShape(shape).as_list()
        return tf.constant(np.cos(np.arange(np.prod(dims or [1]))).reshape(dims), dtype)

    return initializer


WAVES = Late(starting)


def waved(*names: str, **given: Any) -> Case:
    """Return a call whose initialisers `names` do not depend on seeds."""
    return lambda tf: {**given, **{name: starting(tf) for name in names}}


# ---- variables ----
_KIND = {
    "synchronization": Late(lambda tf: tf.VariableSynchronization.ON_READ),
    "aggregation": Late(lambda tf: tf.VariableAggregation.SUM),
}
_OWN = {"trainable": False, "collections": ["mine"], "caching_device": "/cpu:0", "use_resource": True, **_KIND}
vary("Variable get_variable", constraint=CLIP, **_OWN)
vary("Variable", dtype=DOUBLE, validate_shape=False, name="named")
vary("Variable", {"shape": Late(lambda tf: tf.TensorShape([None])), "use_resource": True})
vary(
    "get_variable",
    dtype=HALF,
    initializer=HALVES,
    regularizer=PENALTY,
    base=waved("initializer", name="named", shape=[4]),
)
vary(
    "get_variable",
    {"initializer": Late(lambda tf: tf.placeholder_with_default(f(2), [None])), "shape": None, "validate_shape": False},
)
vary("get_variable", partitioner=Late(lambda tf: tf.fixed_size_partitioner(2)))
vary("get_variable", custom_getter=Late(lambda tf: lambda getter, *a, **k: getter(*a, **{**k, "trainable": False})))
for _name in ("assign", "assign_add"):
    _base = lambda tf: {"ref": tf.Variable(f(2)), "value": f(2)}  # noqa: E731
    vary(_name, use_locking=_name == "assign_add" or False, base=_base)
vary("assign", {"value": f(3), "validate_shape": False})

# ---- layers ----
_SHARED = {
    "activation": RELU, "use_bias": False, "bias_initializer": HALVES, "bias_regularizer": PENALTY, "bias_constraint": CLIP,
    "activity_regularizer": PENALTY, "trainable": False,
}  # fmt: skip
_KERNEL = {"kernel_initializer": HALVES, "kernel_regularizer": PENALTY, "kernel_constraint": CLIP}
for _name, _given in {
    "Dense": {"units": 2}, "dense": {"inputs": f(2, 5), "units": 3},
    "conv1d": {"inputs": f(2, 6, 2), "filters": 3, "kernel_size": 2},
    "conv2d": {"inputs": f(2, 6, 6, 2), "filters": 3, "kernel_size": 3},
    "conv2d_transpose": {"inputs": f(2, 5, 5, 2), "filters": 3, "kernel_size": 3},
}.items():  # fmt: skip
    vary(f"layers.{_name}", **_SHARED, **_KERNEL, base=waved("kernel_initializer", **_given))
_DEPTHS = {f"{_part}_{_what}": _value for _part in ("depthwise", "pointwise") for _what, _value in
           {"initializer": HALVES, "regularizer": PENALTY, "constraint": CLIP}.items()}  # fmt: skip
vary("layers.separable_conv2d", **_SHARED, **_DEPTHS, depth_multiplier=2,
     base=waved("depthwise_initializer", "pointwise_initializer", inputs=f(2, 6, 6, 2), filters=3, kernel_size=3))  # fmt: skip
vary("layers.conv1d layers.conv2d layers.separable_conv2d", dilation_rate=2)
vary("layers.conv1d layers.conv2d layers.separable_conv2d layers.conv2d_transpose", strides=2, padding="same")
vary(
    "layers.average_pooling2d layers.max_pooling2d",
    {"pool_size": 3, "strides": 2, "padding": "same"},
    padding="same",
    strides=1,
)
vary(
    "layers.batch_normalization",
    {"training": False},
    {"fused": False},
    {"axis": 1},
    {"axis": [1, 2], "fused": False},
    momentum=0.5,
    epsilon=0.1,
    center=False,
    scale=False,
    beta_initializer=HALVES,
    gamma_initializer=HALVES,
    moving_mean_initializer=HALVES,
    moving_variance_initializer=HALVES,
    beta_regularizer=PENALTY,
    gamma_regularizer=PENALTY,
    beta_constraint=CLIP,
    gamma_constraint=CLIP,
    trainable=False,
    fused=False,
    renorm=True,
)
vary("layers.batch_normalization", {"training": False, "trainable": False})
vary(
    "layers.batch_normalization",
    {"renorm": True, "renorm_clipping": {"rmax": 1.1, "rmin": 0.9, "dmax": 0.1}, "fused": False},
)
vary(
    "layers.batch_normalization",
    {"renorm": True, "renorm_momentum": 0.5, "fused": False},
    {"renorm": True, "fused": False},
)
vary("layers.batch_normalization", {"virtual_batch_size": 1, "fused": False})
vary(
    "layers.batch_normalization",
    {"adjustment": Late(lambda tf: lambda shape: (tf.ones([2]) * 2.0, tf.ones([2]) * 0.5)), "fused": False},
)
vary(
    "layers.dropout",
    {"training": True, "seed": 7},
    {"training": True, "seed": 7, "rate": 0.2},
    {"training": True, "seed": 7, "noise_shape": [3, 1]},
)
vary("layers.flatten", data_format="channels_first", base=lambda tf: {"inputs": f(2, 3, 4, 2)})

# ---- cells ----
for _name in ("BasicLSTMCell", "BasicRNNCell", "GRUCell", "LSTMCell"):
    vary(f"nn.rnn_cell.{_name}", activation=SIGMOID, dtype=DOUBLE, name="named")
vary("nn.rnn_cell.BasicLSTMCell", forget_bias=0.0, state_is_tuple=False)
vary("nn.rnn_cell.GRUCell", kernel_initializer=WAVES, bias_initializer=HALVES)
vary(
    "nn.rnn_cell.MultiRNNCell",
    base=lambda tf: {"cells": [tf.nn.rnn_cell.GRUCell(3), tf.nn.rnn_cell.GRUCell(2)]},
    state_is_tuple=False,
)
_WHOLE = {"seed": 7, "variational_recurrent": True, "dtype": Late(lambda tf: tf.float32)}
vary(
    "nn.rnn_cell.DropoutWrapper",
    {"seed": 7, "input_keep_prob": 0.5},
    {"seed": 7, "state_keep_prob": 0.5},
    {"seed": 9},
    {"seed": 7, "output_keep_prob": 0.2},
    {"seed": 7, "state_keep_prob": 0.5, "dropout_state_filter_visitor": lambda state: False},
    _WHOLE,
    {**_WHOLE, "input_size": 3, "input_keep_prob": 0.5},
    base=lambda tf: {
        "cell": tf.nn.rnn_cell.GRUCell(3, kernel_initializer=starting(tf)), "output_keep_prob": 0.5, "seed": 1,
    },
)  # fmt: skip
vary(
    "nn.rnn_cell.LSTMCell",
    {"num_proj": 2, "proj_clip": 0.01},
    use_peepholes=True,
    cell_clip=0.05,
    initializer=HALVES,
    num_proj=2,
    num_unit_shards=2,
    forget_bias=0.0,
    state_is_tuple=False,
    base=waved("initializer", num_units=3),
)
vary(
    "nn.rnn_cell.LSTMCell",
    {"num_proj": 2, "num_proj_shards": 2},
    {"use_peepholes": True, "num_proj": 2, "cell_clip": 0.05, "proj_clip": 0.02},
)
for _name in ("BasicLSTMCell", "BasicRNNCell"):
    vary(f"nn.rnn_cell.{_name}", trainable=False)

# ---- optimisers ----
for _name in ("Adagrad", "Adam", "GradientDescent", "Momentum", "RMSProp"):
    vary(f"train.{_name}Optimizer", {"learning_rate": 0.3}, use_locking=True, name="named")
vary("train.AdagradOptimizer", initial_accumulator_value=0.5)
vary("train.AdamOptimizer", beta1=0.5, beta2=0.5, epsilon=0.1)
vary("train.MomentumOptimizer", use_nesterov=True)
vary("train.RMSPropOptimizer", decay=0.5, momentum=0.5, epsilon=0.1, centered=True)

# ---- summaries ----
vary("summary.histogram summary.image summary.scalar", collections=["mine"], family="kin")
vary("summary.text", collections=["mine"])
vary("summary.image", {"tensor": f(4, 2, 2, 1), "max_outputs": 2})
vary("summary.merge", collections=["mine"], name="named", base=lambda tf: {"inputs": [tf.summary.scalar("a", 1.0)]})
vary("nn.bidirectional_dynamic_rnn", base=lambda tf: {
    "cell_fw": tf.nn.rnn_cell.GRUCell(3, kernel_initializer=starting(tf)), "inputs": f(2, 4, 2),
    "cell_bw": tf.nn.rnn_cell.GRUCell(3, kernel_initializer=starting(tf)), "sequence_length": i(2, 1), "dtype": tf.float32,
})  # fmt: skip
vary(
    "nn.bidirectional_dynamic_rnn",
    {"initial_state_fw": f(2, 3)},
    {"initial_state_bw": f(2, 3)},
    {"inputs": Late(lambda tf: tf.constant(f(4, 2, 2))), "time_major": True},
)
vary(
    "nn.dynamic_rnn",
    {"initial_state": f(2, 3)},
    {"inputs": Late(lambda tf: tf.constant(f(4, 2, 2))), "time_major": True},
    sequence_length=i(1, 0),
    base=lambda tf: {
        "cell": tf.nn.rnn_cell.GRUCell(3, kernel_initializer=starting(tf)),
        "inputs": f(2, 4, 2),
        "dtype": tf.float32,
    },
)
vary("nn.static_rnn", {"initial_state": f(2, 3)}, sequence_length=i(1, 0), base=lambda tf: {
    "cell": tf.nn.rnn_cell.GRUCell(3, kernel_initializer=starting(tf)), "inputs": [tf.constant(f(2, 3))] * 2, "dtype": tf.float32,
})  # fmt: skip

# ---- channels first: on a CPU TensorFlow builds most of these, and computes few ----
_FIRST = {"inputs": f(2, 2, 6, 6), "data_format": "channels_first"}
vary(
    "layers.average_pooling2d layers.max_pooling2d layers.conv2d layers.conv2d_transpose layers.separable_conv2d",
    _FIRST,
)
vary("layers.conv1d", {"inputs": f(2, 2, 6), "data_format": "channels_first"})
vary(
    "nn.avg_pool nn.max_pool",
    {"value": f(1, 2, 4, 4), "ksize": [1, 1, 2, 2], "strides": [1, 1, 2, 2], "data_format": "NCHW"},
)
vary("nn.conv2d", {"input": f(1, 2, 5, 5), "data_format": "NCHW"})
vary("nn.conv2d_transpose", {
    "value": f(1, 2, 3, 3), "output_shape": [1, 4, 6, 6], "strides": [1, 1, 2, 2], "data_format": "NCHW",
})  # fmt: skip
vary("nn.pool", {"input": f(1, 2, 4, 4), "data_format": "NCHW"})

# ---- what stands alone in a graph ----
vary("placeholder", shape=[2, None], name="named", base=lambda tf: {"dtype": tf.float32})
vary("sparse_placeholder", shape=[2, None], name="named", base=lambda tf: {"dtype": tf.float32})
vary("read_file", name="named", base=lambda tf: {"filename": "file"})
vary("tables_initializer", name="named", base=lambda tf: {})
vary("variables_initializer", name="named", base=lambda tf: {"var_list": [tf.Variable(1.0)]})


def _summarised(tf: Any) -> dict[str, Any]:
    for scope, keys in (("one", None), ("two", ["mine"])):
        with tf.name_scope(scope):
            tf.summary.scalar("loss", 1.0, keys)
            tf.summary.scalar("other", 2.0)
    return {}


vary("summary.merge_all", key="mine", scope="two", name="named", base=_summarised)
vary("nn.conv1d", {"value": f(2, 2, 6), "data_format": "NCW"})
