"""What to give each function that programs use, so that a graph of it runs: only what has no default, or needs another.

`CASES` maps a name to a function from the module to its arguments; every other keyword is passed with its default, and what
comes back is run. Values of random arrays lie in (0, 1), so that every function is defined on them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Case = Callable[[Any], dict[str, Any]]


def f(*shape: int, dtype: str = "float32") -> Any:
    """Return numbers between 0 and 1, always the same."""
    return np.random.RandomState(len(shape)).uniform(0.1, 0.9, shape).astype(dtype)


def i(*values: int) -> Any:
    """Return a vector of int32."""
    return np.array(values, np.int32)


def _given(**arguments: Any) -> Case:
    return lambda tf: arguments


CASES: dict[str, Case] = {}

for _argument, _names in {
    "x": "abs cos erf exp floor is_finite log negative nn.sigmoid nn.tanh round rsqrt sigmoid sign sin sqrt square tanh "
    "to_float to_int32 to_int64",
    "features": "nn.elu nn.leaky_relu nn.relu nn.relu6 nn.softplus",
    "logits": "nn.log_softmax nn.softmax",
    "input_tensor": "count_nonzero reduce_max reduce_mean reduce_min reduce_prod reduce_sum",
    "input": "identity matrix_determinant matrix_inverse size shape stop_gradient nn.top_k squeeze argmax",
    "tensor": "norm ones_like zeros_like self_adjoint_eig",
    "inputs": "contrib.layers.flatten contrib.slim.flatten layers.flatten layers.dropout contrib.slim.dropout",
    "value": "nn.zero_fraction random_shuffle convert_to_tensor constant unstack",
    "t": "nn.l2_loss",
    "diagonal": "diag",
    "x y": "add div divide equal floor_div floordiv greater greater_equal less maximum minimum mod multiply not_equal pow "
    "squared_difference subtract truediv assert_equal",
}.items():
    for _name in _names.split():
        CASES[_name] = _given(**{one: f(3, 3) for one in _argument.split()})
for _name in ["logical_and", "logical_or"]:
    CASES[_name] = _given(x=[True, False], y=[True, True])
for _name in ["AdagradOptimizer", "AdamOptimizer", "GradientDescentOptimizer", "RMSPropOptimizer", "MomentumOptimizer"]:
    CASES[f"train.{_name}"] = _given(learning_rate=0.1, **({"momentum": 0.9} if _name == "MomentumOptimizer" else {}))
for _name in ["zeros", "ones", "random_normal", "random_uniform", "truncated_normal", "random.uniform"]:
    CASES[_name] = _given(shape=[2, 3])
for _name in [
    "constant_initializer",
    "ones_initializer",
    "zeros_initializer",
    "random_normal_initializer",
    "random_uniform_initializer",
    "truncated_normal_initializer",
    "variance_scaling_initializer",
    "contrib.layers.xavier_initializer",
    "contrib.layers.variance_scaling_initializer",
]:
    CASES[_name] = _given()
for _name in ("BasicLSTMCell", "BasicRNNCell", "GRUCell", "LSTMCell"):
    CASES[f"nn.rnn_cell.{_name}"] = CASES[f"contrib.rnn.{_name}"] = _given(num_units=3)
CASES["contrib.rnn.LayerNormBasicLSTMCell"] = _given(num_units=3)
for _space in ("nn.rnn_cell", "contrib.rnn"):
    CASES[f"{_space}.MultiRNNCell"] = lambda tf: {"cells": [tf.nn.rnn_cell.GRUCell(3), tf.nn.rnn_cell.LSTMCell(2)]}
    CASES[f"{_space}.DropoutWrapper"] = lambda tf: {
        "cell": tf.nn.rnn_cell.GRUCell(3),
        "output_keep_prob": 0.5,
        "seed": 1,
    }
for _space in ("contrib.layers", "contrib.slim"):
    CASES[f"{_space}.fully_connected"] = _given(inputs=f(2, 3), num_outputs=4)
    CASES[f"{_space}.conv2d"] = _given(inputs=f(2, 5, 5, 2), num_outputs=4, kernel_size=3)
    CASES[f"{_space}.batch_norm"] = _given(inputs=f(2, 5, 5, 2))
    CASES[f"{_space}.layer_norm"] = _given(inputs=f(2, 5))
    CASES[f"{_space}.max_pool2d"] = _given(inputs=f(2, 4, 4, 2), kernel_size=2)
    CASES[f"{_space}.l2_regularizer"] = _given(scale=0.1)
for _name in ["absolute_difference", "log_loss", "mean_squared_error"]:
    CASES[f"losses.{_name}"] = _given(labels=f(4, 2), predictions=f(4, 2), weights=f(4, 1))


def _lstm(tf: Any) -> Any:
    return tf.nn.rnn_cell.BasicLSTMCell(3)


CASES |= {
    "Print": _given(input_=f(2), data=[f(2)], message="seen: "),
    "SparseTensor": _given(indices=[[0, 1]], values=[1.0], dense_shape=[2, 2]),
    "IndexedSlices": lambda tf: {"values": tf.constant(f(2, 3)), "indices": tf.constant([0, 2])},
    "Variable": _given(initial_value=f(2)),
    "add_n": _given(inputs=[f(2), f(2)]),
    "arg_max": _given(input=f(2, 3), dimension=1),
    "arg_min": _given(input=f(2, 3), dimension=1),
    "assign": lambda tf: {"ref": tf.Variable(f(2)), "value": f(2)},
    "assign_add": lambda tf: {"ref": tf.Variable(f(2)), "value": f(2)},
    "boolean_mask": _given(tensor=f(3, 2), mask=[True, False, True]),
    "case": lambda tf: {"pred_fn_pairs": [(tf.constant(True), lambda: tf.constant(1))], "default": lambda: tf.constant(2)},
    "cast": _given(x=f(2), dtype="int32"),
    "clip_by_global_norm": _given(t_list=[f(2), f(3)], clip_norm=0.1),
    "clip_by_norm": _given(t=f(2, 2), clip_norm=0.1),
    "clip_by_value": _given(t=f(2), clip_value_min=0.2, clip_value_max=0.5),
    "compat.as_bytes": _given(bytes_or_text="text"),
    "compat.as_str": _given(bytes_or_text=b"text"),
    "concat": _given(values=[f(1, 2), f(3, 2)], axis=0),
    "cond": lambda tf: {"pred": tf.constant(True), "true_fn": lambda: tf.constant(1), "false_fn": lambda: tf.constant(2)},
    "confusion_matrix": _given(labels=i(0, 1, 2), predictions=i(0, 2, 1), weights=i(1, 2, 3)),
    "cumsum": _given(x=f(3, 2)),
    "decode_raw": _given(input_bytes=[b"\x01\x02"], out_type="uint8"),
    "distributions.Normal": _given(loc=0.0, scale=1.0),
    "expand_dims": _given(input=f(2), axis=0),
    "eye": _given(num_rows=2),
    "global_norm": _given(t_list=[f(2), f(3)]),
    "fill": _given(dims=[2, 2], value=1.0),
    "gather": _given(params=f(3, 2), indices=i(0, 2)),
    "gather_nd": _given(params=f(3, 2), indices=[[0, 1]]),
    "get_variable": _given(name="named", shape=[2]),
    "keras.layers.Conv2D": _given(filters=2, kernel_size=3),
    "keras.layers.Dense": _given(units=2),
    "layers.Dense": _given(units=2),
    "layers.average_pooling2d": _given(inputs=f(2, 4, 4, 1), pool_size=2, strides=2),
    "layers.batch_normalization": _given(inputs=f(2, 4, 4, 2), training=True),
    "layers.conv1d": _given(inputs=f(2, 6, 2), filters=3, kernel_size=2),
    "layers.conv2d": _given(inputs=f(2, 5, 5, 2), filters=3, kernel_size=3),
    "layers.conv2d_transpose": _given(inputs=f(2, 5, 5, 2), filters=3, kernel_size=3),
    "layers.dense": _given(inputs=f(2, 5), units=3),
    "layers.max_pooling2d": _given(inputs=f(2, 4, 4, 1), pool_size=2, strides=2),
    "layers.separable_conv2d": _given(inputs=f(2, 5, 5, 2), filters=3, kernel_size=3),
    "linspace": _given(start=0.0, stop=1.0, num=3),
    "logical_not": _given(x=[True, False]),
    "losses.sigmoid_cross_entropy": _given(multi_class_labels=[[0.0, 1.0]], logits=f(1, 2), label_smoothing=0.1),
    "losses.softmax_cross_entropy": _given(onehot_labels=[[0.0, 1.0]], logits=f(1, 2), label_smoothing=0.1),
    "losses.sparse_softmax_cross_entropy": _given(labels=i(1), logits=f(1, 2)),
    "map_fn": _given(fn=lambda x: x * 2.0, elems=f(3, 2)),
    "matmul": _given(a=f(2, 3), b=f(3, 2)),
    "matrix_band_part": _given(input=f(3, 3), num_lower=1, num_upper=0),
    "metrics.accuracy": _given(labels=i(0, 1), predictions=i(0, 0), weights=f(2)),
    "metrics.mean": _given(values=f(2), weights=f(2)),
    "multinomial": _given(logits=f(2, 3), num_samples=4),
    "nn.atrous_conv2d": _given(value=f(1, 7, 7, 2), filters=f(3, 3, 2, 2), rate=2, padding="SAME"),
    "nn.avg_pool": _given(value=f(1, 4, 4, 2), ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME"),
    "nn.batch_normalization": _given(x=f(4, 2), mean=f(2), variance=f(2), offset=f(2), scale=f(2), variance_epsilon=1e-3),
    "nn.bias_add": _given(value=f(4, 2), bias=f(2)),
    "nn.bidirectional_dynamic_rnn": lambda tf: {
        "cell_fw": _lstm(tf), "cell_bw": _lstm(tf), "inputs": f(2, 4, 2), "sequence_length": i(4, 2), "dtype": tf.float32,
    },
    "nn.conv1d": _given(value=f(2, 6, 2), filters=f(2, 2, 3), stride=1, padding="SAME"),
    "nn.conv2d": _given(input=f(1, 5, 5, 2), filter=f(3, 3, 2, 2), strides=[1, 1, 1, 1], padding="SAME"),
    "nn.conv2d_transpose": _given(
        value=f(1, 3, 3, 2), filter=f(2, 2, 4, 2), output_shape=[1, 6, 6, 4], strides=[1, 2, 2, 1]
    ),
    "nn.ctc_loss": lambda tf: {
        "labels": tf.SparseTensor([[0, 0], [0, 1]], i(1, 0), [1, 2]), "inputs": f(4, 1, 3), "sequence_length": i(4),
    },
    "nn.dropout": _given(x=f(3, 2), rate=0.5),
    "nn.dynamic_rnn": lambda tf: {
        "cell": _lstm(tf), "inputs": f(2, 4, 2), "sequence_length": i(4, 2), "dtype": tf.float32,
    },
    "nn.embedding_lookup": _given(params=f(5, 2), ids=i(0, 4)),
    "nn.in_top_k": _given(predictions=f(2, 3), targets=i(0, 1), k=2),
    "nn.l2_normalize": _given(x=f(2, 3), axis=1),
    "nn.lrn": _given(input=f(1, 2, 2, 6)),
    "nn.max_pool": _given(value=f(1, 4, 4, 2), ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME"),
    "nn.moments": _given(x=f(4, 2), axes=[0]),
    "nn.nce_loss": _given(
        weights=f(9, 3), biases=f(9), labels=np.array([[1], [2]]), inputs=f(2, 3), num_sampled=4, num_classes=9
    ),
    "nn.pool": _given(input=f(1, 4, 4, 2), window_shape=[2, 2], pooling_type="MAX", padding="SAME"),
    "nn.sampled_softmax_loss": _given(
        weights=f(9, 3), biases=f(9), labels=np.array([[1], [2]]), inputs=f(2, 3), num_sampled=4, num_classes=9
    ),
    "nn.sigmoid_cross_entropy_with_logits": _given(labels=f(2, 3), logits=f(2, 3)),
    "nn.softmax_cross_entropy_with_logits": _given(labels=f(2, 3), logits=f(2, 3)),
    "nn.softmax_cross_entropy_with_logits_v2": _given(labels=f(2, 3), logits=f(2, 3)),
    "nn.sparse_softmax_cross_entropy_with_logits": _given(labels=i(0, 2), logits=f(2, 3)),
    "nn.weighted_cross_entropy_with_logits": _given(labels=f(2, 3), logits=f(2, 3), pos_weight=2.0),
    "nn.static_rnn": lambda tf: {"cell": _lstm(tf), "inputs": [tf.constant(f(2, 3))] * 2, "dtype": tf.float32},
    "contrib.rnn.static_rnn": lambda tf: {"cell": _lstm(tf), "inputs": [tf.constant(f(2, 3))] * 2, "dtype": tf.float32},
    "contrib.rnn.static_bidirectional_rnn": lambda tf: {
        "cell_fw": _lstm(tf), "cell_bw": _lstm(tf), "inputs": [tf.constant(f(2, 3))] * 2, "dtype": tf.float32,
    },
    "nn.xw_plus_b": _given(x=f(2, 3), weights=f(3, 2), biases=f(2)),
    "no_op": _given(),
    "one_hot": _given(indices=i(0, 2), depth=3),
    "pad": _given(tensor=f(2, 2), paddings=[[1, 1], [0, 2]]),
    "placeholder_with_default": _given(input=f(2), shape=[None]),
    "py_func": _given(func=lambda x: x + x, inp=[f(2)], Tout="float32"),
    "random_crop": _given(value=f(5, 5, 3), size=[3, 3, 3]),
    "range": _given(start=0, limit=5, delta=2),
    "reduce_all": _given(input_tensor=[True, False]),
    "reduce_any": _given(input_tensor=[True, False]),
    "reshape": _given(tensor=f(2, 3), shape=[3, 2]),
    "sequence_mask": _given(lengths=i(1, 3)),
    "slice": _given(input_=f(3, 3), begin=[0, 1], size=[2, -1]),
    "sparse_retain": lambda tf: {
        "sp_input": tf.SparseTensor([[0, 1], [1, 0]], [1.0, 2.0], [2, 2]), "to_retain": [True, False],
    },
    "sparse_reshape": lambda tf: {"sp_input": tf.SparseTensor([[0, 1]], [1.0], [2, 2]), "shape": [4]},
    "sparse_tensor_dense_matmul": lambda tf: {"sp_a": tf.SparseTensor([[0, 1]], [1.0], [2, 2]), "b": f(2, 3)},
    "sparse_tensor_to_dense": lambda tf: {"sp_input": tf.SparseTensor([[0, 1]], [1.0], [2, 2])},
    "split": _given(value=f(4, 2), num_or_size_splits=2),
    "stack": _given(values=[f(2), f(2)]),
    "string_split": _given(source=["a b", "c"]),
    "summary.histogram": _given(name="named", values=f(3)),
    "summary.image": _given(name="named", tensor=f(1, 4, 4, 1)),
    "summary.scalar": _given(name="named", tensor=0.5),
    "summary.text": lambda tf: {"name": "named", "tensor": tf.constant("text")},
    "tensordot": _given(a=f(2, 3), b=f(3, 2), axes=1),
    "tile": _given(input=f(2, 2), multiples=[2, 1]),
    "train.exponential_decay": _given(learning_rate=0.1, global_step=5, decay_steps=2, decay_rate=0.9),
    "train.piecewise_constant": _given(x=5, boundaries=[1, 10], values=[0.1, 0.2, 0.3]),
    "train.polynomial_decay": _given(learning_rate=0.1, global_step=5, decay_steps=2),
    "transpose": _given(a=f(2, 3)),
    "unsorted_segment_sum": _given(data=f(3, 2), segment_ids=i(0, 1, 0), num_segments=2),
    "where": _given(condition=[True, False], x=f(2), y=f(2)),
    "while_loop": _given(cond=lambda n: n < 5, body=lambda n: n + 1, loop_vars=[0], maximum_iterations=3),
}  # fmt: skip

# Functions of images and of records, on one small picture and one serialised example.
for _name in ["random_flip_left_right", "rgb_to_grayscale", "per_image_standardization"]:
    CASES[f"image.{_name}"] = _given(image=f(6, 5, 3))
CASES["image.rgb_to_grayscale"] = _given(images=f(6, 5, 3))
for _name in ["random_contrast", "random_saturation"]:
    CASES[f"image.{_name}"] = _given(image=f(6, 5, 3), lower=0.5, upper=1.5)
for _name in ["random_brightness", "random_hue"]:
    CASES[f"image.{_name}"] = _given(image=f(6, 5, 3), max_delta=0.2)
for _name in ["resize_images", "resize_bilinear", "resize_nearest_neighbor"]:
    CASES[f"image.{_name}"] = _given(images=f(1, 6, 5, 3), size=[4, 4])
PIXELS = (f(6, 5, 3) * 255).astype("uint8")
CASES |= {
    "image.convert_image_dtype": _given(image=f(6, 5, 3), dtype="uint8"),
    "image.crop_to_bounding_box": _given(
        image=f(6, 5, 3), offset_height=1, offset_width=1, target_height=2, target_width=3
    ),
    "image.resize_image_with_crop_or_pad": _given(image=f(6, 5, 3), target_height=4, target_width=8),
    "image.encode_jpeg": _given(image=PIXELS),
    "image.encode_png": _given(image=PIXELS),
    "image.decode_jpeg": lambda tf: {"contents": tf.image.encode_jpeg(PIXELS)},
    "image.decode_png": lambda tf: {"contents": tf.image.encode_png(PIXELS)},
    "image.decode_image": lambda tf: {"contents": tf.image.encode_png(PIXELS)},
    "image.sample_distorted_bounding_box": _given(image_size=i(6, 5, 3), bounding_boxes=np.array([[[0.1, 0.1, 0.9, 0.9]]], "f4")),
    "decode_csv": _given(records=["1,2.5"], record_defaults=[[0], [0.0]]),
    "parse_single_example": lambda tf: {
        "serialized": tf.train.Example(
            features=tf.train.Features(feature={"a": tf.train.Feature(int64_list=tf.train.Int64List(value=[3]))})
        ).SerializeToString(),
        "features": {"a": tf.FixedLenFeature([], tf.int64)},
    },
}  # fmt: skip
