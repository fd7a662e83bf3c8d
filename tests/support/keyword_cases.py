"""Keywords of functions on arrays, given other values than their defaults: maths, images, random numbers, nets' functions."""

from __future__ import annotations

import numpy as np

from .api_cases import PIXELS, f, i
from .keywords import OMIT, Late, vary

SINGLE, HALF, DOUBLE, INT32, INT64, UINT8 = (
    Late(lambda tf, name=name: getattr(tf, name))
    for name in ("float32", "float16", "float64", "int32", "int64", "uint8")
)
GIVEN_SEED = 7


# ---- arrays ----
vary("IndexedSlices", dense_shape=Late(lambda tf: tf.constant([4, 3])))
vary("Print", first_n=2, summarize=1)
vary("argmax", axis=1, dimension=1)
vary("argmax arg_max arg_min", output_type=INT32)
vary(
    "assert_equal",
    data=["seen"],
    summarize=1,
    message="They differ.",
    base=lambda tf: {"x": tf.placeholder_with_default(f(3), [3]), "y": tf.placeholder_with_default(f(3), [3])},
)
vary("boolean_mask", axis=1, base=lambda tf: {"tensor": f(3, 3), "mask": [True, False, True]})
vary("clip_by_global_norm", use_norm=Late(lambda tf: tf.constant(2.0)))
vary("clip_by_norm", axes=[1])
vary("confusion_matrix", num_classes=5, dtype=SINGLE)
vary(
    "constant",
    {"value": f(3, 3), "dtype": DOUBLE},
    {"value": 2, "dtype": HALF},
    shape=[9],
)
vary("constant", {"value": f(3, 3), "shape": [3, 3], "verify_shape": True})
vary(
    "convert_to_tensor",
    {"value": 2, "dtype": SINGLE},
    {"value": 2, "preferred_dtype": HALF},
    {"value": 2, "dtype_hint": DOUBLE},
)
vary(
    "count_nonzero",
    {"input": f(3, 3), "input_tensor": OMIT},
    axis=1,
    keepdims=True,
    keep_dims=True,
    reduction_indices=[0],
    dtype=SINGLE,
)
vary("cumsum", axis=1, exclusive=True, reverse=True)
vary(
    "decode_csv",
    {"records": ["1;2.5"], "field_delim": ";"},
    {"records": ['1,"2"'], "use_quote_delim": False, "record_defaults": [[0], [""]]},
    {"records": ["-,2.5"], "na_value": "-"},
    base=lambda tf: {"records": ["1,2.5"], "record_defaults": [[0], [0.0]]},
)
vary("decode_csv", {"select_cols": [1], "record_defaults": [[0.0]]})
vary(
    "decode_raw",
    {"bytes": [b"\x01\x02"], "input_bytes": OMIT},
    {"out_type": INT32, "input_bytes": [b"\x01\x02\x03\x04"], "little_endian": False},
)
vary("expand_dims", {"axis": OMIT, "dim": 1}, axis=1)
vary("eye", num_columns=3, batch_shape=[2], dtype=DOUBLE)
vary("gather", axis=1, base=lambda tf: {"params": f(3, 3), "indices": i(0, 2)})
vary("gather", {"batch_dims": 1, "indices": np.array([[0, 1], [2, 2], [1, 0]], "i4"), "axis": 1})
vary("gather_nd", {"batch_dims": 1, "indices": [[0], [1], [1]]})
vary("linspace", num=5)
vary(
    "matmul",
    {"a": f(3, 2), "transpose_a": True},
    {"b": f(2, 3), "transpose_b": True},
    {"a": f(3, 2), "adjoint_a": True},
    {"b": f(2, 3), "adjoint_b": True},
    {"a": f(3, 2, dtype="complex64") * 1j, "b": f(3, 2, dtype="complex64"), "adjoint_a": True},
    a_is_sparse=True,
    b_is_sparse=True,
)
vary("matrix_inverse", adjoint=True, base=lambda tf: {"input": f(3, 3) + np.eye(3, dtype="f")})
vary(
    "norm",
    {"ord": 1},
    {"ord": np.inf},
    {"ord": 1, "axis": [0, 1]},
    {"ord": "fro", "axis": [0, 1]},
    axis=1,
    keepdims=True,
    keep_dims=True,
)
vary("one_hot", on_value=3.0, off_value=-1, axis=0, dtype=INT64)
vary("ones zeros", dtype=INT32)
vary("ones_like zeros_like", dtype=INT32)
vary("ones_like zeros_like", optimize=False)
vary(
    "pad",
    {"mode": "REFLECT", "paddings": [[1, 1], [0, 1]]},
    {"mode": "SYMMETRIC", "paddings": [[1, 1], [0, 1]]},
    constant_values=2.5,
)
vary("placeholder_with_default", shape=[2])
vary("range", {"dtype": DOUBLE}, limit=9, delta=3, dtype=SINGLE)
vary("range", {"start": 4, "limit": OMIT, "delta": OMIT}, {"start": 4, "limit": OMIT, "delta": OMIT, "dtype": INT64})
for _name in ("reduce_all", "reduce_any"):
    vary(
        _name,
        axis=1,
        keepdims=True,
        reduction_indices=0,
        keep_dims=True,
        base=lambda tf: {"input_tensor": [[True, False], [True, True]]},
    )
vary(
    "reduce_max reduce_mean reduce_min reduce_prod reduce_sum",
    axis=1,
    keepdims=True,
    reduction_indices=0,
    keep_dims=True,
)
vary("sequence_mask", maxlen=5, dtype=SINGLE)
vary("shape size", out_type=INT64, base=lambda tf: {"input": tf.placeholder_with_default(f(3, 3), [None, 3])})
vary("sparse_tensor_dense_matmul", adjoint_a=True)
vary("sparse_tensor_dense_matmul", {"b": f(3, 2), "adjoint_b": True})
vary("sparse_tensor_to_dense", default_value=2.0, validate_indices=False)
vary("split", axis=1, num=2)
vary("split", {"num_or_size_splits": Late(lambda tf: tf.placeholder_with_default([1, 3], [None])), "num": 2})
vary("squeeze", axis=[0], squeeze_dims=[2], base=lambda tf: {"input": f(1, 3, 1)})
vary("stack", axis=1)
vary(
    "string_split",
    {"sep": ","},
    {"delimiter": "b"},
    {"source": ["a  b"], "skip_empty": False},
    {"result_type": "RaggedTensor"},
)
vary("string_split", {"delimiter": ", ", "source": ["a, b;c", ",d"]})
vary("transpose", {"a": f(2, 3, dtype="complex64") * (1 + 2j), "conjugate": True}, perm=[0, 1])
vary("unstack", num=3, axis=1)
vary("where", {"x": OMIT, "y": OMIT}, {"x": f(2) + 1.0}, {"y": f(2) + 1.0})
vary("multinomial", output_dtype=INT32)
vary("case", exclusive=True)
vary(
    "case",
    {
        "pred_fn_pairs": Late(lambda tf: [(tf.constant(True), lambda: [tf.constant(1)])]),
        "default": Late(lambda tf: lambda: [tf.constant(2)]),
        "strict": True,
    },
)
vary("case", {"default": OMIT, "exclusive": True})
vary(
    "cond",
    {"true_fn": OMIT, "false_fn": OMIT, "fn1": lambda: np.float32(1), "fn2": lambda: np.float32(2)},
    {
        "strict": True,
        "true_fn": Late(lambda tf: lambda: [tf.constant(1)]),
        "false_fn": Late(lambda tf: lambda: [tf.constant(2)]),
    },
)
vary(
    "map_fn",
    {"fn": Late(lambda tf: lambda x: tf.cast(x, tf.int32)), "dtype": INT32},
    infer_shape=False,
    parallel_iterations=2,
    back_prop=False,
)
vary(
    "while_loop",
    {
        "cond": lambda n, *_: n < 5,
        "body": Late(lambda tf: lambda n, x: [n + 1, tf.concat([x, x], 0)]),
        "loop_vars": Late(lambda tf: [tf.constant(0), tf.ones([1])]),
        "shape_invariants": Late(lambda tf: [tf.TensorShape([]), tf.TensorShape([None])]),
    },
    {"body": lambda n: [n + 1], "return_same_structure": True},
    back_prop=False,
    maximum_iterations=2,
    parallel_iterations=2,
)
vary("py_func", {"stateful": False}, base=lambda tf: {"func": lambda x: x + x, "inp": [f(2)], "Tout": "float32"})

# ---- strings and records ----
vary("compat.as_bytes", encoding="utf-16", base=lambda tf: {"bytes_or_text": "text"})
vary("compat.as_str", encoding="utf-16", base=lambda tf: {"bytes_or_text": b"text"})
vary("parse_single_example", example_names="first")

# ---- random numbers ----
_SPREAD = {"mean": 3.0, "stddev": 0.5, "dtype": DOUBLE, "seed": GIVEN_SEED}
vary("random_normal truncated_normal random_normal_initializer truncated_normal_initializer", **_SPREAD)
vary("random_normal truncated_normal random_normal_initializer truncated_normal_initializer", _SPREAD)
vary("random_uniform random.uniform", minval=-1.0, maxval=3.0, dtype=DOUBLE, seed=GIVEN_SEED)
vary("random_uniform random.uniform", {"minval": 2, "maxval": 90, "dtype": INT32, "seed": GIVEN_SEED})
vary("random_uniform_initializer", minval=-1.0, maxval=3.0, dtype=DOUBLE, seed=GIVEN_SEED)
vary("random_uniform_initializer", {"minval": 2, "maxval": 90, "dtype": INT32, "seed": GIVEN_SEED})
vary("random_crop random_shuffle multinomial", seed=GIVEN_SEED)
vary(
    "image.random_brightness image.random_contrast image.random_flip_left_right image.random_hue image.random_saturation",
    seed=GIVEN_SEED,
)
vary("constant_initializer", value=2.0, dtype=INT32)
vary(
    "constant_initializer",
    {"value": [1.0, 2.0], "dtype": DOUBLE},
    {"value": np.arange(12.0).reshape(3, 4), "verify_shape": True},
)
vary("zeros_initializer ones_initializer", dtype=INT32)
vary("variance_scaling_initializer", scale=2.0, mode="fan_out", distribution="uniform", seed=GIVEN_SEED, dtype=DOUBLE)
for _mode in ("fan_in", "fan_out", "fan_avg"):
    for _distribution in ("normal", "truncated_normal", "untruncated_normal", "uniform"):
        vary(
            "variance_scaling_initializer",
            {"scale": 3.0, "mode": _mode, "distribution": _distribution, "seed": GIVEN_SEED},
        )
vary("distributions.Normal", validate_args=True)

# ---- images ----
vary("image.convert_image_dtype", saturate=True)
vary("image.decode_image", channels=1, dtype=SINGLE, expand_animations=False)
vary("image.decode_image", {"channels": 4, "dtype": Late(lambda tf: tf.uint16)})
vary("image.decode_png", {"channels": 1}, {"channels": 4}, dtype=Late(lambda tf: tf.uint16))
vary(
    "image.decode_jpeg",
    channels=1,
    ratio=2,
    fancy_upscaling=False,
    try_recover_truncated=True,
    acceptable_fraction=0.5,
    dct_method="INTEGER_ACCURATE",
)
vary(
    "image.encode_jpeg",
    {"format": "grayscale", "image": PIXELS[..., :1]},
    format="rgb",
    quality=30,
    progressive=True,
    optimize_size=True,
    chroma_downsampling=False,
    density_unit="cm",
    x_density=72,
    y_density=96,
    xmp_metadata="<x/>",
)
vary("image.encode_png", compression=9)
vary("image.resize_bilinear image.resize_nearest_neighbor", align_corners=True, half_pixel_centers=True)
vary(
    "image.resize_images",
    {"method": 1, "align_corners": True},
    {"method": 2},
    {"method": 3},
    method=1,
    align_corners=True,
    preserve_aspect_ratio=True,
)
vary(
    "image.sample_distorted_bounding_box",
    {"seed": 7, "seed2": 8},
    seed=GIVEN_SEED,
    min_object_covered=0.9,
    aspect_ratio_range=[0.5, 2.0],
    area_range=[0.2, 0.3],
    max_attempts=3,
)
vary(
    "image.sample_distorted_bounding_box",
    {"bounding_boxes": np.zeros([1, 0, 4], "f4"), "use_image_if_no_bounding_boxes": True},
)

# ---- losses and metrics ----
for _name in (
    "absolute_difference", "log_loss", "mean_squared_error", "sigmoid_cross_entropy", "softmax_cross_entropy",
    "sparse_softmax_cross_entropy",
):  # fmt: skip
    vary(f"losses.{_name}", scope="named", loss_collection="mine")
    for _reduction in ("NONE", "SUM", "MEAN", "SUM_OVER_BATCH_SIZE", "SUM_BY_NONZERO_WEIGHTS"):
        vary(f"losses.{_name}", {"reduction": Late(lambda tf, n=_reduction: getattr(tf.losses.Reduction, n))})
vary("losses.absolute_difference losses.mean_squared_error losses.log_loss", weights=0.0)
vary(
    "losses.absolute_difference losses.mean_squared_error losses.log_loss",
    weights=np.array([[1.0], [0.0], [2.0], [0.5]], "f4"),
)
vary("losses.log_loss", epsilon=1e-2)
vary("losses.sigmoid_cross_entropy losses.softmax_cross_entropy losses.sparse_softmax_cross_entropy", weights=2.0)
vary("losses.sigmoid_cross_entropy losses.softmax_cross_entropy", label_smoothing=0.3)
vary("losses.sparse_softmax_cross_entropy", {"labels": i(1, 0), "logits": f(2, 2), "weights": [0.5, 2.0]})
vary("metrics.accuracy metrics.mean", metrics_collections=["mine"], updates_collections=["mine"], weights=[0.5, 0.0])

# ---- nets ----
_NCHW = {"data_format": "NCHW"}
vary("nn.avg_pool nn.max_pool", {"value": None, "input": f(1, 4, 4, 2)}, {"padding": "VALID", "ksize": [1, 3, 2, 1]})
vary("nn.bias_add", {"value": f(1, 2, 3, 4), **_NCHW})
vary("nn.bidirectional_dynamic_rnn", parallel_iterations=2, scope="named")
vary("nn.conv1d", {"value": OMIT, "input": f(2, 6, 2)}, dilations=2)
vary("nn.conv2d", {"filter": OMIT, "filters": f(3, 3, 2, 2)}, dilations=[1, 2, 2, 1], use_cudnn_on_gpu=False)
vary("nn.conv2d", {"padding": [[0, 0], [1, 2], [0, 1], [0, 0]]}, {"strides": 2}, {"dilations": 2})
vary(
    "nn.conv2d_transpose",
    {"value": OMIT, "input": f(1, 3, 3, 2)},
    {"filter": OMIT, "filters": f(2, 2, 4, 2)},
    {"strides": [1, 1, 1, 1], "output_shape": [1, 5, 5, 4], "dilations": [1, 2, 2, 1], "padding": "VALID"},
    padding="VALID",
)
vary(
    "nn.ctc_loss",
    {
        "labels": Late(lambda tf: tf.SparseTensor([[0, 0], [0, 1]], i(1, 1), [1, 2])),
        "preprocess_collapse_repeated": True,
    },
    {"inputs": OMIT, "logits": f(4, 1, 3)},
    {"inputs": f(1, 4, 3), "time_major": False},
    ctc_merge_repeated=False,
    ignore_longer_outputs_than_inputs=True,
)
vary(
    "nn.ctc_loss",
    {
        "labels": Late(lambda tf: tf.SparseTensor([[0, n] for n in range(6)], i(1, 0, 1, 0, 1, 0), [1, 6])),
        "ignore_longer_outputs_than_inputs": True,
    },
)
vary(
    "nn.dropout",
    {"rate": OMIT, "keep_prob": 0.4, "seed": GIVEN_SEED},
    {"rate": OMIT, "keep_prob": 0.4},
    noise_shape=[3, 1],
    seed=GIVEN_SEED,
    rate=0.25,
)
vary("nn.dropout", {"noise_shape": [3, 1], "seed": GIVEN_SEED})
vary("nn.dynamic_rnn", parallel_iterations=2, scope="named")
vary(
    "nn.embedding_lookup",
    {"params": [f(3, 2), f(2, 2) + 1.0], "partition_strategy": "div"},
    {"params": [f(3, 2), f(2, 2) + 1.0]},
    max_norm=0.3,
)
vary("nn.l2_normalize", {"axis": OMIT, "dim": 0}, {"axis": [0, 1]}, epsilon=3.0)
vary("nn.leaky_relu", alpha=0.7)
vary("nn.leaky_relu", {"features": -f(3, 3), "alpha": 0.7})
vary("nn.log_softmax nn.softmax", axis=0, dim=0)
vary("nn.lrn", depth_radius=1, bias=2.0, alpha=0.5, beta=0.9)
vary("nn.moments", keep_dims=True, keepdims=True)
_FALSE = Late(lambda tf: (tf.constant([3, 4, 5, 6], tf.int64), tf.constant(f(2, 1)), tf.constant(f(4))))
for _name in ("nce_loss", "sampled_softmax_loss"):
    vary(
        f"nn.{_name}",
        {
            "num_true": 2,
            "labels": np.array([[1, 3], [2, 0]]),
            "sampled_values": Late(
                lambda tf: (tf.constant([3, 4, 5, 6], tf.int64), tf.constant(f(2, 2)), tf.constant(f(4)))
            ),
        },
        {"sampled_values": _FALSE},
        {
            "sampled_values": Late(
                lambda tf: (tf.constant([1, 4, 2, 6], tf.int64), tf.constant(f(2, 1)), tf.constant(f(4)))
            ),
            "remove_accidental_hits": _name == "nce_loss",
        },
        {"sampled_values": _FALSE, "weights": [f(5, 3), f(4, 3)], "partition_strategy": "div"},
    )
    vary(
        f"nn.{_name}",
        {"num_true": 2, "labels": np.array([[1, 3], [2, 0]])},
        partition_strategy="div",
        remove_accidental_hits=_name == "nce_loss",
    )
vary("nn.sampled_softmax_loss", seed=GIVEN_SEED)
vary(
    "nn.pool",
    {"pooling_type": "AVG"},
    {"strides": [2, 1]},
    {"dilation_rate": [2, 1], "padding": "VALID"},
    {"strides": [1, 2]},
    {"padding": "VALID", "dilations": [1, 2]},
)
vary("nn.softmax_cross_entropy_with_logits", {"dim": None, "axis": 0}, dim=0)
vary("nn.softmax_cross_entropy_with_logits_v2", axis=0, dim=0)
vary("nn.static_rnn", scope="named")
vary("nn.top_k", k=2, sorted=False)
vary("nn.top_k", {"k": 2, "sorted": False})
vary("nn.weighted_cross_entropy_with_logits", {"labels": OMIT, "targets": f(2, 3)})
vary("train.exponential_decay", staircase=True)
vary("train.polynomial_decay", end_learning_rate=0.01, power=2.0, cycle=True)
vary("train.polynomial_decay", {"global_step": 1, "power": 2.0, "end_learning_rate": 0.05})
