"""What tests/oracle/test_every_value.py does not compare, each with its reason.

Keys are (op type, attribute, value); "*" stands for all of them.
"""

_AGREE = "its inputs have to agree with each other"
_ORDER = "its inputs have to be in order"
_DEFINITE = "its matrices have to be of a kind"
# Op types, or nodes by the names of their rows, that are not given other numbers.
NO_MEASURE_OF_DRAWS = {
    **dict.fromkeys(("Cholesky", "BatchCholesky", "CholeskyGrad", "BatchCholeskyGrad"), _DEFINITE),
    **dict.fromkeys(("MaxPoolGrad", "MaxPoolGradGrad", "MaxPool3DGrad", "MaxPool3DGradGrad", "FractionalMaxPoolGrad"), _AGREE),
    **dict.fromkeys(("FractionalAvgPoolGrad", "MatrixSquareRoot"), _AGREE),
    **dict.fromkeys(("CTCLoss", "SparseAddGrad", "SparseSliceGrad"), _AGREE),
    **dict.fromkeys(("LowerBound", "UpperBound"), _ORDER),
    **dict.fromkeys(("SparseCross", "SparseCrossV2", "SparseCrossHashed", "SparseSoftmax", "SparseSplit"), _ORDER),
    **dict.fromkeys(("AddManySparseToTensorsMap", "SerializeManySparse"), _ORDER),
    "DecodeAndCropJpeg": "Pillow has one way to scale colours, and the window is chosen where it does not show",
}
_SIGNS = "of any sign or order, so their derivatives are; rows compare what is the same for all"
NO_MEASURE_OF_DERIVATIVES = dict.fromkeys(
    ("BatchSelfAdjointEig", "BatchSelfAdjointEigV2", "BatchSvd", "Eig", "SelfAdjointEig", "SelfAdjointEigV2", "Svd"), _SIGNS
) | {"DepthwiseConv2dNative-more-1": "TensorFlow's host kernels have no derivatives of dilated depthwise convolutions"}
# Op types, or nodes by the names of their rows, whose values are no measure.
NO_MEASURE_OF_VALUES = {
    "AllCandidateSampler-beyond": "TensorFlow 2 refuses candidates that 1.15 took",
    **dict.fromkeys(("PyFunc", "PyFuncStateless", "EagerPyFunc"), "what they call belongs to a graph; programs compare them"),
    **dict.fromkeys(("Assert", "PrintV2"), "they have no values; programs compare what they do"),
    **dict.fromkeys(("CTCLossV2", "MaxPoolGradGradWithArgmax"), "TensorFlow has kernels of them on GPUs only"),
    "BlockLSTM-peephole": "TensorFlow leaves what follows the last step as it finds it",
    "GetSessionHandle": "handles have names of their own; programs compare what is behind them",
    "EncodeJpegVariableQuality": "two libraries write other headers; tests decode what they write",
    "DecodeJSONExample": "the order of a map's entries is open; tests read what it makes",
}
# Changes that are not tried: TensorFlow reads beyond its arrays, or ends the process.
NOT_TRIED = {
    ("AvgPoolGrad", "padding"): "TensorFlow reads beyond a gradient of the wrong shape",
    ("AvgPool3DGrad", "padding"): "TensorFlow reads beyond a gradient of the wrong shape",
}
NOT_TRIED["UnicodeDecodeWithOffsets", "Tsplits"] = "TensorFlow's kernel ends the process"
_HANDLES = "handles pass through; programs compare what is behind them"
_GPU = "TensorFlow has the kernel on GPUs only"
_RANDOM = "without a seed, so there is nothing to compare"
_QUANTISED = ("qint8", "quint8", "qint16", "quint16", "qint32")
_SPEED = "says how fast, or how much is ready, not what comes out"
_ELEMENTS = "functions and elements of every kind: test_datasets.py and test_random_programs.py compare pipelines and branches"
_EXAMPLES = "features of every kind: tests of parsing hold them against what was written"
_ONE = "programs have one of it"
_EIGHT_BITS = ("float8_e4m3fn", "float8_e5m2")
_FOUR_BITS = ("float4_e2m1fn", "int2", "int4", "uint2", "uint4")
_QUANTITIES = "quantised numbers pass through; lists of them are compared"
_ANY_OP = {
    _SPEED: (
        "cpu_budget", "ram_budget", "algorithm", "slack_period", "buffer_size_min", "legacy_autotune", "timeout_ms", "capacity",
        "min_after_dequeue", "cardinality_options", "use_node_name_sharing", "max_load_factor", "debug_name", "allowed_devices",
        "tensor_array_name", "stack_name", "replicate_on_split", "optimization_configs", "deterministic", "encoding",
    ),
    _ELEMENTS: (
        "output_types", "output_shapes", "Toutput_types", "Targuments", "f", "predicate", "key_func", "init_func", "reduce_func",
        "finalize_func", "next_func", "window_size_func", "dataset_factory", "cond", "body", "then_branch", "else_branch", "Tin",
        "Tcond", "Tstate", "Tinit_func_args", "Tnext_func_args", "Tfinalize_func_args", "Tkey_func_other_arguments",
        "Tinit_func_other_arguments", "Treduce_func_other_arguments", "Tfinalize_func_other_arguments",
        "Twindow_size_func_other_arguments", "component_types", "shapes",
    ),
    _EXAMPLES: (
        "Nsparse", "Ndense", "sparse_keys", "dense_keys", "sparse_types", "Tdense", "dense_shapes", "ragged_keys",
        "ragged_value_types", "ragged_split_types",
        *(f"{kind}_{what}" for kind in ("context", "feature_list") for what in (
            "sparse_types", "ragged_value_types", "ragged_split_types", "dense_shapes")),
        "Tcontext_dense", "feature_list_dense_types",
        *(f"N{kind}_{what}" for kind in ("context", "feature_list") for what in ("sparse", "dense")),
    ),
}  # fmt: skip
UNCOVERED = {
    **{("*", name, "*"): reason for reason, names in _ANY_OP.items() for name in names},
    **{(op, name, "*"): reason for (op, name), reason in NOT_TRIED.items() if op.startswith("Unicode")},
    ("*", "*", "resource"): _HANDLES,
    ("*", "*", "variant"): _HANDLES,
    **{("AccumulateNV2", "T", kind): "TensorFlow has no kernel that adds them" for kind in _QUANTISED},
    ("ArgMax", "Tidx", "int16"): "TensorFlow reads the dimension as if it had 32 bits",
    **{(f"DepthwiseConv2dNative{what}", "data_format", "'NCHW'"): "TensorFlow's host kernel serves NHWC only"
       for what in ("", "BackpropFilter", "BackpropInput")},
    **{("DepthToSpace", "data_format", word): _GPU for word in ("'NCHW'", "'NCHW_VECT_C'")},
    **{("SpaceToDepth", "data_format", word): _GPU for word in ("'NCHW'", "'NCHW_VECT_C'")},
    **{(op, "uniform_noise", "True"): _RANDOM for op in ("ExtractGlimpse", "ExtractGlimpseV2")},
    **{(op, "noise", "*"): _RANDOM for op in ("ExtractGlimpse", "ExtractGlimpseV2")},
    **{(op, "deterministic", "False"): _RANDOM for op in ("FractionalAvgPool", "FractionalMaxPool")},
    ("FixedUnigramCandidateSampler", "vocab_file", "*"): "a program reads a file",
    ("MaxPool", "data_format", "'NCHW_VECT_C'"): _GPU,
    ("MaxPool3DGradGrad", "data_format", "'NCDHW'"): _GPU,
    ("MaxPoolGradGrad", "data_format", "'NCHW'"): _GPU,
    ("QuantizeV2", "T", "qint32"): "what is too great for 32 bits becomes the least number on TensorFlow",
    **{(op, "axis", "*"): "TensorFlow's host kernel takes one range only"
       for op in ("QuantizeAndDequantizeV2", "QuantizeAndDequantizeV3")},
    **{("Round", "T", kind): "TensorFlow 2.21 rounds whole numbers to 0" for kind in ("int32", "int64")},
    **{("SparseAdd", name, "*"): "TensorFlow reads the threshold as if it had the type of the values" for name in ("T", "Treal")},
    **{(f"{prefix}Accumulator{what}Gradient", "dtype", "*"): "TensorFlow has accumulators of three types, all compared"
       for prefix in ("", "Resource", "Sparse") for what in ("Apply", "Take")},
    **{(f"{prefix}ConditionalAccumulator", "shape", "*"): _ONE for prefix in ("", "Resource", "Sparse")},
    **{(op, "N", "*"): _ELEMENTS for op in ("DirectedInterleaveDataset", "ExperimentalDirectedInterleaveDataset",
                                            "PaddedBatchDataset", "PaddedBatchDatasetV2", "ZipDataset")},
    **{(op, "sloppy", "True"): "in any order" for op in ("ParallelInterleaveDatasetV2", "ParallelMapDataset")},
    **{(f"InitializeTableFromTextFile{suffix}", "*", "*"): "tests of lookup read files of every kind" for suffix in ("", "V2")},
    **{(op, "num_sparse", "*"): _EXAMPLES for op in ("ParseExampleV2", "ParseSingleExample")},
    **{(f"MutableHashTableOfTensors{suffix}", "value_shape", "*"): _ONE for suffix in ("", "V2")},
    **{(op, name, "*"): _ONE for op in ("Stage", "StagePeek", "Unstage") for name in ("dtypes", "memory_limit")},
    **{(op, name, kind): "came long after 1.15, and TensorFlow feeds none of it"
       for op, name, kinds in (("AssignVariableOp", "dtype", (*_EIGHT_BITS, *_FOUR_BITS)),
                               ("StridedSliceAssign", "T", _EIGHT_BITS), ("ResourceStridedSliceAssign", "T", _EIGHT_BITS))
       for kind in kinds},
    **{(op, name, kind): _QUANTITIES
       for op, name in (("ResourceGather", "dtype"), ("TensorArrayConcatV3", "dtype"), ("TensorArrayGatherV3", "dtype"),
                        ("StridedSliceAssign", "T"), ("ResourceStridedSliceAssign", "T"))
       for kind in ("qint8", "quint8", "qint32")},
    **{(op, name, "*"): _ONE for op, name in (
        ("PlaceholderV2", "*"), ("RefIdentity", "T"), ("RefSwitch", "T"), ("Variable", "*"), ("Merge", "T"),
        ("GetSessionTensor", "dtype"), ("StatelessIf", "Tout"), ("StatelessWhile", "T"), ("TensorArrayV3", "element_shape"),
        ("TFRecordReaderV2", "compression_type"), ("TensorArrayGradV3", "source"), ("TensorArrayGatherV3", "element_shape"),
        ("SparseTensorSliceDataset", "Tvalues"))},
    ("DestroyResourceOp", "ignore_lookup_error", "False"): "ends with an error, which programs compare",
    ("ExperimentalMapDataset", "*", "*"): "TensorFlow 2 has no kernel for it",
    **{(f"ResourceScatterNd{what}", "T", "bool"): "TensorFlow has no sums of truth values" for what in ("Add", "Sub")},
    ("RandomShuffleQueueV2", "seed", "*"): _ONE,
    ("RandomShuffleQueueV2", "seed2", "*"): _ONE,
    ("_Arg", "*", "*"): "stands in functions alone",
    ("TopK", "*", "*"): "TensorFlow has lost its kernel",
    ("TopKV2", "sorted", "False"): "in no order, any order will do",
    ("TridiagonalSolve", "perturb_singular", "True"): "TensorFlow's host kernel shifts what is singular by numbers of its own",
    ("QuantizeV2", "mode", "'MIN_FIRST'"): "TensorFlow's two kernels of QuantizeV2 round the lower bound differently",
    ("Where", "T", "float16"): "TensorFlow refuses it for its price",
    ("Switch", "T", "*"): "one output is dead; programs compare the other one",
    ("TakeManySparseFromTensorsMap", "dtype", "*"): "programs fill the map",
    **{(op, "dtypes", "*"): "programs fill the stage" for op in ("StageClear", "StageSize")},
    **{("DecodeAndCropJpeg", name, "*"): "Pillow has one way to scale colours" for name in ("fancy_upscaling", "dct_method")},
    **{(f"DepthwiseConv2dNativeBackprop{what}", "dilations", "*"): "TensorFlow's host kernel fails at it"
       for what in ("Filter", "Input")},
    ("MaxPoolGrad", "data_format", "'NCHW'"): _GPU,
    ("MaxPoolGrad", "padding", "'EXPLICIT'"): "TensorFlow's host kernel has no explicit padding for it",
    ("MaxPoolGrad", "explicit_paddings", "*"): "TensorFlow's host kernel has no explicit padding for it",
    **{("MaxPoolGrad", "T", kind): "tables hold signed numbers, whose sizes are not in their order"
       for kind in ("uint8", "uint16", "uint32", "uint64")},
    **{("MaxPool3DGrad", name, kind): _GPU for name in ("T", "TInput") for kind in ("bfloat16",)},
    ("MaxPool3DGrad", "data_format", "'NCDHW'"): _GPU,
    ("SparseCross", "internal_type", "string"): "the types of both outputs have to say the same",
    **{(op, "dtype", "float16"): "TensorFlow draws and weighs halves in half precision, from other bits"
       for op in ("ParameterizedTruncatedNormal", "StatelessParameterizedTruncatedNormal")},
}  # fmt: skip
