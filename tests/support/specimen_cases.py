"""Nodes that no op table has, and values to change attributes to: what tests/oracle/test_every_value.py compares besides.

`MORE` has (inputs, attributes) by op type, where an attribute says how many inputs there are or what shapes they have.
`VALUES` has values where one more or one less, or half as much, is none.
"""

from typing import Any

import numpy as np

import millstream as ms
from millstream.ops.core import dtypes
from millstream.ops.sparse.serial import packed

RNG = np.random.default_rng(17)


def floats(*dims: int) -> Any:
    """Return numbers between -2 and 2."""
    return RNG.uniform(-2, 2, dims).astype(np.float32)


def texts(*items: bytes) -> Any:
    made = np.empty(len(items), object)
    made[:] = items
    return made


def text(item: bytes) -> Any:
    return np.array(item, object)


def tensor_proto(value: Any) -> Any:
    return text(ms.make_tensor_proto(value).SerializeToString())


def _pooled() -> tuple[Any, Any, Any, Any]:
    """Return images, the greatest of each two by two, where they are, and a gradient of each."""
    images = RNG.permutation(96).reshape(2, 4, 6, 2).astype(np.float32)
    windows = images.reshape(2, 2, 2, 3, 2, 2).transpose(0, 1, 3, 5, 2, 4).reshape(2, 2, 3, 2, 4)
    best = windows.argmax(-1)
    b, i, j, c = np.ogrid[:2, :2, :3, :2]
    rows, columns = 2 * i + best // 2, 2 * j + best % 2
    places = (rows * 6 + columns) * 2 + c + 0 * b
    return images, windows.max(-1), places.astype(np.int64), np.abs(floats(2, 2, 3, 2)) + 1


IMAGES, GREATEST, PLACES, WEIGHTS = _pooled()
POOL = {"ksize": [1, 2, 2, 1], "strides": [1, 2, 2, 1], "padding": "VALID"}
TRUE = np.array([[1], [4]])
SAMPLER = {"num_true": 1, "num_sampled": 4, "unique": True, "range_max": 6, "seed": 5, "seed2": 7}
SPARSE = np.array([[0, 0], [0, 2], [1, 1]]), np.array([3, 4, 5]), np.array([2, 3])
ROW = {kind: packed(SPARSE[0], SPARSE[1].astype(kind), SPARSE[2], dtypes.as_dtype(kind)) for kind in ("int64", "float32")}
WORDS = np.array([[b"a", b"b"], [b"c", b"d"]], object)
NORM = (floats(2), floats(2), floats(2), np.abs(floats(2)) + 0.5)
CROSSED = {"hashed_output": True, "num_buckets": 100, "hash_key": 7, "out_type": dtypes.int64, "internal_type": dtypes.string}

SAME = ("bfloat16", "float32", "float64", "complex64", "complex128", "int16", "int32", "int64")
FED = np.array([[0, 0, 1, 1], [0, 0, 1, 0.9], [2, 2, 3, 3]], np.float32)
RANGES = np.array([-2, -1, -2, -1.5], np.float32), np.array([1, 2, 2, 1.5], np.float32)
EXPLICIT = {"padding": "EXPLICIT", "explicit_paddings": [0, 0, 1, 0, 0, 1, 0, 0], "strides": [1, 1, 1, 1]}
DILATED = {"padding": "VALID", "strides": [1, 1, 1, 1], "dilations": [1, 2, 2, 1]}
SINGLE = {"ksize": [1, 1, 1, 1], "strides": [1, 1, 1, 1], "padding": "VALID"}
SINGLE_3D = {"ksize": [1, 1, 1, 1, 1], "strides": [1, 1, 1, 1, 1], "padding": "SAME"}
VOLUME = RNG.permutation(48).reshape(1, 2, 4, 3, 2).astype(np.float32)

Case = tuple[tuple[Any, ...], dict[str, Any]]
MORE: dict[str, list[Case]] = {
    "AccumulateNV2": [((floats(3), floats(3), floats(3)), {"N": 3, "shape": (3,)})],
    **{op: [((floats(2, 3, 3), floats(2, 3, 3)), {})] for op in ("BatchMatMul", "BatchMatMulV2")},
    "BatchMatMulV3": [
        ((floats(2, 3, 3).astype(kind), floats(2, 3, 3).astype(kind)), {"Tout": dtypes.as_dtype(out)})
        for kind, out in (*((name, name) for name in SAME), ("int8", "int32"), ("uint8", "int32"))
    ],
    "ComputeAccidentalHits": [((TRUE, np.array([5, 4, 1])), {"num_true": 1})],
    "Concat": [((np.array(0, np.int32), floats(2, 3), floats(1, 3), floats(2, 3)), {"N": 3})],
    "ConcatOffset": [((np.array(0, np.int32), *(np.array([n, 3], np.int32) for n in (2, 1, 4))), {"N": 3})],
    "ConcatV2": [((floats(2, 3), floats(1, 3), np.array(0, np.int32)), {"N": 2})],
    "DepthToSpace": [((floats(1, 2, 2, 9),), {"block_size": 3})],
    "SpaceToDepth": [((floats(1, 3, 6, 2),), {"block_size": 3})],
    "EncodeJpeg": [((np.zeros((4, 4, 1), np.uint8),), {"format": "grayscale"})],
    "FakeParam": [((), {"dtype": dtypes.float32, "shape": (2,)})],
    "StringFormat": [((np.array(3, np.int32),), {"T": [dtypes.int32], "template": "<#>", "placeholder": "#"})],
    "UnicodeDecodeWithOffsets": [((texts(b"a", b"bc"),), {"input_encoding": "UTF-8", "errors": "strict"})],
    "Unpack": [((floats(2, 3),), {"num": 2, "axis": 0})],
    "SplitV": [((floats(2, 6), np.array([1, 2, 3]), np.array(1, np.int32)), {"num_split": 3})],
    "Print": [((floats(2), np.array(3), text(b"a")), {"U": [dtypes.int64, dtypes.string], "message": "m"})],
    "DepthwiseConv2dNative": [
        ((floats(1, 4, 5, 2), floats(2, 2, 2, 1)), EXPLICIT), ((floats(1, 4, 5, 2), floats(2, 2, 2, 1)), DILATED),
    ],
    "DepthwiseConv2dNativeBackpropFilter": [
        ((floats(1, 4, 5, 2), np.array([2, 2, 2, 1], np.int32), floats(1, 4, 5, 2)), EXPLICIT),
    ],
    "DepthwiseConv2dNativeBackpropInput": [
        ((np.array([1, 4, 5, 2], np.int32), floats(2, 2, 2, 1), floats(1, 4, 5, 2)), EXPLICIT),
    ],
    "MaxPool": [((floats(1, 4, 5, 2),), {**EXPLICIT, "ksize": [1, 2, 2, 1]})],
    "DecodeRaw": [((texts(bytes(range(16)), bytes(range(40, 56))),), {"out_type": dtypes.int64, "little_endian": False})],
    **{
        op: [((np.stack([ROW[kind]] * 2),), {"dtype": dtypes.as_dtype(kind)}) for kind in ROW]
        for op in ("DeserializeManySparse", "DeserializeSparse")
    },
    **{
        op: [((*(np.array(n, np.int32) for n in ([0], [2], [1, 3])), floats(1, 2), floats(1, 2), floats(2, 2)), {"N": 3})]
        for op in ("DynamicStitch", "ParallelDynamicStitch")
    },
    "FixedUnigramCandidateSampler": [
        ((TRUE,), {**SAMPLER, "distortion": 1.0, "num_reserved_ids": 1, "unigrams": [1.0, 2.0, 3.0, 2.0, 1.0]}),
        ((np.array([[1], [2]]),), {**SAMPLER, "range_max": 3, "num_sampled": 2, "num_shards": 2, "shard": 1,
                                   "unigrams": [1.0, 2.0, 3.0, 2.0, 1.0, 4.0]}),
    ],
    **{
        f"{kind}CandidateSampler": [((TRUE,), SAMPLER)]
        for kind in ("LearnedUnigram", "LogUniform", "ThreadUnsafeUnigram", "Uniform")
    },
    "AllCandidateSampler": [((TRUE,), {"num_true": 1, "num_sampled": 6, "unique": True, "seed": 5, "seed2": 7})],
    **{
        op: [((floats(3, 4, 5, 2), *NORM), {"exponential_avg_factor": 0.75, "is_training": True})]
        for op in ("FusedBatchNorm", "FusedBatchNormV2")
    },
    "FusedBatchNormV3": [
        ((floats(3, 4, 5, 2), *NORM), {"exponential_avg_factor": 0.75, "is_training": True}),
        ((floats(2, 3, 4, 5, 2), *NORM), {"data_format": "NDHWC", "exponential_avg_factor": 0.75}),
        ((floats(2, 2, 3, 4, 5), *NORM), {"data_format": "NCDHW", "exponential_avg_factor": 0.75}),
    ],
    "FusedBatchNormGradV3": [
        ((floats(2, 3, 4, 5, 2), floats(2, 3, 4, 5, 2), NORM[0], *NORM[2:], floats(0)), {"data_format": "NDHWC"}),
        ((floats(2, 2, 3, 4, 5), floats(2, 2, 3, 4, 5), NORM[0], *NORM[2:], floats(0)), {"data_format": "NCDHW"}),
    ],
    "MaxPoolGrad": [((IMAGES, GREATEST, WEIGHTS), POOL)],
    "MaxPool3DGrad": [((VOLUME, VOLUME, VOLUME), SINGLE_3D)],
    "MaxPool3DGradGrad": [((VOLUME, VOLUME, VOLUME), SINGLE_3D)],
    "MaxPoolGradGrad": [((IMAGES, GREATEST, IMAGES + 1), POOL), ((IMAGES, IMAGES, IMAGES + 1), SINGLE)],
    "MaxPoolGradWithArgmax": [((IMAGES, WEIGHTS, PLACES), POOL)],
    "MaxPoolWithArgmax": [((IMAGES,), POOL)],
    "MergeSummary": [((np.array([b"", b""], object), np.array([b""], object), np.array([b""], object)), {"N": 3})],
    "NonMaxSuppression": [((FED, floats(3), np.array(3, np.int32)), {"iou_threshold": 0.95})],
    "ParseTensor": [
        ((tensor_proto(np.arange(3)),), {"out_type": dtypes.int64}),
        ((tensor_proto([b"a"]),), {"out_type": dtypes.string}),
    ],
    "QuantizeV2": [
        ((floats(3, 4), *RANGES), {"T": dtypes.qint8, "mode": "SCALED", "round_mode": "HALF_TO_EVEN", "axis": 1}),
    ],
    "Dequantize": [
        ((RNG.integers(-9, 9, (3, 4)).astype(np.int8).view(dtypes.qint8.np_dtype), *RANGES), {"mode": "SCALED", "axis": 1}),
    ],
    "ReverseSequence": [((floats(3, 2, 4), np.array([1, 3])), {"seq_dim": 0, "batch_dim": 1})],
    "SparseConcat": [((*(SPARSE[0],) * 3, *(SPARSE[1],) * 3, *(SPARSE[2],) * 3), {"N": 3, "concat_dim": 1})],
    "SparseCross": [((WORDS, WORDS), {**CROSSED, "N": 0, "sparse_types": [], "dense_types": [dtypes.string] * 2})],
    "SparseCrossV2": [((WORDS, WORDS, text(b"-")), {"N": 0, "sparse_types": [], "dense_types": [dtypes.string] * 2})],
    "SparseCrossHashed": [((WORDS, WORDS, np.array(100), np.array(True), np.array([3, 4])),
                           {"N": 0, "sparse_types": [], "dense_types": [dtypes.string] * 2})],
    "StringToNumber": [((texts(b"12", b"7"),), {"out_type": dtypes.int32})],
}  # fmt: skip

VALUES: dict[tuple[str, str], list[Any]] = {
    ("DecodeAndCropJpeg", "channels"): [3],
    ("DecodeBmp", "channels"): [3],
    ("DecodeImage", "channels"): [3],
    ("DecodeAndCropJpeg", "dct_method"): ["INTEGER_ACCURATE", ""],
    ("DenseToSparseSetOperation", "set_operation"): ["a-b", "b-a"],
    ("EncodePng", "compression"): [1, 9],
    ("EncodeJpeg", "xmp_metadata"): ["<x/>"],
    ("EnsureShape", "shape"): [(None, 3, 4)],
    ("StringUpper", "encoding"): ["", "utf-8"],
    ("StringLower", "encoding"): ["", "utf-8"],
    ("StringNGrams", "separator"): ["-", "|"],
    ("PlaceholderWithDefault", "shape"): [(None, 3, 4), None],
    ("FractionalAvgPool", "pooling_ratio"): [[1.0, 2.0, 1.3, 1.0]],
    ("FractionalMaxPool", "pooling_ratio"): [[1.0, 2.0, 1.3, 1.0]],
    ("ImageSummary", "bad_color"): [np.array([0, 255, 9, 255], np.uint8)],
    ("MaxPoolWithArgmax", "ksize"): [[1, 1, 2, 1]],
    ("SampleDistortedBoundingBox", "aspect_ratio_range"): [[0.5, 2.0]],
    ("SampleDistortedBoundingBox", "area_range"): [[0.2, 0.75]],
    ("SampleDistortedBoundingBoxV2", "aspect_ratio_range"): [[0.5, 2.0]],
    ("SampleDistortedBoundingBoxV2", "area_range"): [[0.2, 0.75]],
    ("GatherNd", "bad_indices_policy"): ["ERROR"],
    ("ScatterNd", "bad_indices_policy"): ["ERROR"],
    ("ScatterNdNonAliasingAdd", "bad_indices_policy"): ["ERROR"],
    ("StaticRegexFullMatch", "pattern"): ["a.*"],
    ("StaticRegexReplace", "pattern"): ["[a-c]"],
    ("StaticRegexReplace", "rewrite"): ["<\\0>"],
    ("StringFormat", "template"): ["%s!"],
    ("StringFormat", "placeholder"): ["%s"],
    ("StringJoin", "separator"): ["--"],
    ("StringToHashBucketStrong", "key"): [[5, 6]],
    ("TensorSummary", "description"): ["d"],
    ("TensorSummary", "display_name"): ["n"],
    ("TensorSummary", "labels"): [["l"]],
    ("UnicodeEncode", "output_encoding"): ["UTF-16-BE"],
}
