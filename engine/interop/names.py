"""Where the modules inside TensorFlow that programs import have their names here: tables.

`PYTHON` lists, for the last part of a path under `tensorflow.python`, the namespaces of the package that are searched, in order;
"" is the top. `EXTRA` has the names that no public namespace offers.
"""

from __future__ import annotations

import contextlib
from typing import Any

from ...ops.array.shape_ops import shape_internal, size_internal
from ...ops.core import dtypes
from ...ops.core.convert import convert_n_to_tensor
from ...ops.core.shape_rules import constant_value, constant_value_as_shape
from ...ops.core.shapes import TensorShape
from ...ops.core.tensor_proto import make_ndarray
from ...ops.flow.cond import smart_cond, smart_constant_value
from ...ops.flow.switches import merge, ref_switch, switch
from ...ops.layers import convolution_layers
from ...ops.layers.distributions import RegisterKL, kl_divergence
from ...ops.layers.metrics.streams import spread
from ...ops.layers.rnn.dynamic import swap_batch_and_time
from ...ops.layers.rnn.state import zeros_of
from ...ops.signal import audio_spectrogram, mfcc
from ...ops.variables import initializers
from ...ops.variables.base import Variable
from ...ops.variables.partitioned import PartitionedVariable
from ...ops.variables.reference import RefVariable
from ...ops.variables.resource import ResourceVariable
from ..checkpoint.inspecting import print_tensors_in_checkpoint_file
from ..checkpoint.meta_graph import register_proto_function
from ..contrib import evaluation
from ..contrib.learn import csv_data
from ..data.dataset import Dataset
from ..program import log, nest, stripping, test_tools
from ..program.behaviour import executing_eagerly
from ..saved_model import freeze_graph
from ..train.moving_averages import assign_moving_average
from . import helpers, mnist
from .defun import Defun
from .events import EventsWriter
from .timeline import LocalDevice, Timeline, list_local_devices

_GROUPS = {
    "": "array_ops bitwise_ops check_ops clip_ops confusion_matrix constant_op control_flow_ops custom_gradient "
    "data_flow_ops device device_spec dtypes embedding_ops function functional_ops gen_array_ops gen_control_flow_ops "
    "gen_data_flow_ops gen_io_ops "
    "gen_logging_ops gen_math_ops gen_nn_ops gen_parsing_ops gen_random_ops gen_sparse_ops gen_state_ops gen_string_ops "
    "gradients gradients_impl gradients_util histogram_ops importer io_ops linalg_ops list_ops logging_ops map_fn math_ops "
    "math_grad nn_grad array_grad numerics op_def_library ops parsing_ops partitioned_variables random_ops "
    "random_seed resource_variable_ops resources script_ops session session_ops sparse_ops sparse_tensor special_math_ops "
    "standard_ops state_ops string_ops template tensor_array_ops tensor_shape tensor_spec tensor_util variable_scope "
    "variables versions context def_function control_flow_util",
    "nn": "nn nn_impl nn_ops nn_v2 candidate_sampling_ops ctc_ops rnn gen_candidate_sampling_ops gen_ctc_ops",
    "nn.rnn_cell": "rnn_cell rnn_cell_impl core_rnn_cell core_rnn_cell_impl",
    "layers": "base convolutional core input_spec layers normalization pooling",
    "initializers": "init_ops",
    "lookup": "lookup_ops",
    "train": "adadelta adagrad adagrad_da adam basic_session_run_hooks checkpoint_management checkpoint_utils coordinator "
    "device_setter ftrl gradient_descent input learning_rate_decay momentum monitored_session moving_averages optimizer "
    "proximal_adagrad proximal_gradient_descent "
    "summary_iterator queue_runner queue_runner_impl rmsprop saver server_lib session_manager session_run_hook "
    "slot_creator summary_io supervisor sync_replicas_optimizer training training_util train warm_starting_util "
    "pywrap_tensorflow learning_rate_schedule legacy_learning_rate_decay training",
    "losses": "losses losses_impl",
    "metrics": "metrics metrics_impl",
    "summary": "summary writer plugin_asset text_summary",
    "image": "image_ops image_ops_impl gen_image_ops",
    "linalg": "linalg linalg_impl linear_operator",
    "signal": "signal spectral_ops fft_ops",
    "audio": "audio_ops gen_audio_ops",
    "sets": "sets sets_impl",
    "contrib.training": "evaluation",
    "errors": "errors errors_impl",
    "gfile": "gfile",
    "io.gfile": "file_io",
    "logging": "tf_logging",
    "app": "app",
    "flags": "flags",
    "resource_loader": "resource_loader",
    "sysconfig": "sysconfig",
    "test": "googletest test test_lib test_util benchmark gradient_checker",
    "compat": "compat",
    "nest": "nest",
    "python_io": "tf_record python_io",
    "saved_model": "saved_model builder builder_impl loader loader_impl main_op signature_constants signature_def_utils "
    "simple_save tag_constants utils",
    "graph_util": "graph_util graph_util_impl",
    "data": "dataset_ops iterator_ops readers",
    "estimator": "estimator estimator_lib exporter model_fn run_config",
    "estimator.inputs": "inputs numpy_io pandas_io",
    "estimator.export": "export export_lib export_output",
    "feature_column": "feature_column feature_column_v2",
    "distributions": "bernoulli beta categorical dirichlet distribution distributions "
    "exponential gamma kullback_leibler laplace normal uniform",
    "keras": "keras",
    "keras.layers": "keras_layers",
    "keras.backend": "backend",
    "keras.utils": "np_utils",
    "profiler": "profiler model_analyzer option_builder tfprof_logger",
}
# Folders: they have no names of their own, only modules.
PACKAGES = frozenset({
    "client", "data", "data.ops", "eager", "estimator", "estimator.canned", "framework", "keras", "keras.engine",
    "layers", "lib", "lib.io", "ops", "ops.losses",
    "ops.distributions", "platform", "saved_model", "summary", "tools", "training", "util",
})  # fmt: skip
PYTHON = {leaf: (place, "", "nn") for place, leaves in _GROUPS.items() for leaf in leaves.split()}

# What programs import at their top whether they use it or not: modules without a name in them, so that a program fails where
# it asks for a name, and not where it does not.
EMPTY = frozenset({
    "contrib.all_reduce", "contrib.autograph", "contrib.batching", "contrib.bayesflow", "contrib.boosted_trees",
    "contrib.checkpoint", "contrib.cloud", "contrib.cluster_resolver", "contrib.compiler",
    "contrib.constrained_optimization", "contrib.copy_graph", "contrib.distribute",
    "contrib.distributions.bijectors", "contrib.eager", "contrib.estimator", "contrib.ffmpeg",
    "contrib.gan", "contrib.graph_editor", "contrib.grid_rnn", "contrib.hooks", "contrib.image", "contrib.input_pipeline",
    "contrib.integrate", "contrib.kernel_methods", "contrib.linear_optimizer", "contrib.memory_stats",
    "contrib.mixed_precision", "contrib.model_pruning", "contrib.nccl", "contrib.nn", "contrib.quantize",
    "contrib.receptive_field", "contrib.recurrent", "contrib.resampler", "contrib.saved_model", "contrib.solvers",
    "contrib.sparsemax", "contrib.summary", "contrib.tensor_forest", "contrib.tensorrt", "contrib.testing", "contrib.text",
    "contrib.tfprof", "contrib.timeseries", "contrib.tpu.python", "python.autograph", "python.compiler", "python.debug",
    "python.distribute", "python.eager.backprop", "python.keras._impl", "python.ops.collective_ops",
    "python.ops.gen_nccl_ops", "python.ops.inplace_ops", "python.ops.nccl_ops", "python.ops.summary_ops_v2", "python.tpu",
})  # fmt: skip

_INITIALIZERS = {
    name: getattr(initializers, name)
    for name in (
        "Constant", "GlorotNormal", "GlorotUniform", "Identity", "Initializer", "Ones", "Orthogonal", "RandomNormal",
        "RandomUniform", "TruncatedNormal", "UniformUnitScaling", "VarianceScaling", "Zeros",
    )
}  # fmt: skip
_CONVOLUTIONS = {
    name.replace("Conv", "Convolution"): getattr(convolution_layers, name)
    for name in (
        "Conv1D",
        "Conv2D",
        "Conv2DTranspose",
        "Conv3D",
        "Conv3DTranspose",
        "SeparableConv1D",
        "SeparableConv2D",
    )
}
_PLAIN = (
    "bool", "complex64", "complex128", "float16", "float32", "float64", "int8", "int16", "int32", "int64", "string", "uint8",
    "uint16",
)  # fmt: skip
_REFS = {f"{dtype.name}_ref": dtype._as_ref for dtype in (getattr(dtypes, name) for name in _PLAIN)}
_SMART = {"smart_cond": smart_cond, "smart_constant_value": smart_constant_value}

EXTRA: dict[str, dict[str, Any]] = {
    **{name: {"audio_spectrogram": audio_spectrogram, "mfcc": mfcc} for name in ("audio_ops", "gen_audio_ops")},
    "all_util": {"make_all": helpers.make_all, "remove_undocumented": helpers.remove_undocumented},
    "array_ops": {"shape_internal": shape_internal, "size_internal": size_internal},
    "context": {"in_eager_mode": executing_eagerly, "in_graph_mode": lambda: True},
    "deprecation": helpers.DEPRECATION,
    "function_utils": {"fn_args": helpers.fn_args, "has_kwargs": helpers.has_kwargs},
    "init_ops": _INITIALIZERS,
    "confusion_matrix": {"remove_squeezable_dimensions": helpers.remove_squeezable_dimensions},
    "decoder": {"_transpose_batch_time": swap_batch_and_time},
    "metrics_impl": {"metric_variable": helpers.variable_of_metric},
    "resource_variable_ops": {"ResourceVariable": ResourceVariable},
    "smart_cond": _SMART,
    "function": {"Defun": Defun},
    "ops": {
        "convert_n_to_tensor": convert_n_to_tensor, "prepend_name_scope": helpers.prepend_name_scope,
        "register_proto_function": register_proto_function,
        "strip_name_scope": helpers.strip_name_scope, "uid": helpers.uid,
    },
    "pywrap_tensorflow": {"EventsWriter": EventsWriter},
    "kullback_leibler": {"RegisterKL": RegisterKL, "kl_divergence": kl_divergence},
    "tensor_shape": {"as_shape": TensorShape},
    "session": {"register_session_run_conversion_functions": helpers.register_session_run_conversion_functions},
    "convolutional": _CONVOLUTIONS,
    "evaluation": {
        "_StopAfterNEvalsHook": evaluation.StopAfterNEvalsHook, "_evaluate_once": evaluation.evaluate_once,
        "_get_or_create_eval_step": evaluation.get_or_create_eval_step,
    },
    "dataset_ops": {"DatasetV1": Dataset, "DatasetV1Adapter": Dataset, "DatasetV2": Dataset},
    "util": {"fn_args": helpers.fn_args},
    "weights_broadcast_ops": {"broadcast_weights": spread},
    "rnn": {"_transpose_batch_time": swap_batch_and_time},
    "rnn_cell_impl": {"_zero_state_tensors": zeros_of},
    "dtypes": _REFS,
    "tf2": {"enabled": executing_eagerly},
    "tf_contextlib": {"contextmanager": contextlib.contextmanager},
    "tf_decorator": {"make_decorator": helpers.make_decorator, "unwrap": helpers.unwrap},
    "tf_export": {
        "estimator_export": helpers.exported, "keras_export": helpers.exported, "tf_export": helpers.exported,
    },
    "tf_inspect": helpers.TF_INSPECT,
    "utils": _SMART | {"constant_value": smart_constant_value},
    "variable_scope": {"variable": Variable},
    "variables": {"PartitionedVariable": PartitionedVariable, "RefVariable": RefVariable, "VariableV1": Variable},
    "control_flow_ops": {"switch": switch, "ref_switch": ref_switch, "merge": merge},
    "gen_control_flow_ops": {"switch": switch, "ref_switch": ref_switch, "merge": merge},
    "freeze_graph": {name: getattr(freeze_graph, name) for name in freeze_graph.__all__},
    "strip_unused_lib": {"strip_unused": stripping.strip_unused},
    "optimize_for_inference_lib": {
        name: getattr(stripping, name)
        for name in ("ensure_graph_is_valid", "fold_batch_norms", "node_name_from_input", "optimize_for_inference")
    },
    "device_lib": {"list_local_devices": list_local_devices, "LocalDevice": LocalDevice},
    "inspect_checkpoint": {"print_tensors_in_checkpoint_file": print_tensors_in_checkpoint_file},
    "timeline": {"Timeline": Timeline},
    "moving_averages": {"assign_moving_average": assign_moving_average},
    "tensor_util": {
        "MakeNdarray": make_ndarray, "constant_value": constant_value, "constant_value_as_shape": constant_value_as_shape,
    },
    "nest": {name: getattr(nest, name) for name in nest.__all__},
    "tf_logging": {name: getattr(log, name) for name in log.__all__},
    "googletest": {"main": test_tools.main, "GetTempDir": test_tools.get_temp_dir},
    "input_data": {name: getattr(mnist, name) for name in mnist.__all__},
    "mnist": {name: getattr(mnist, name) for name in mnist.__all__},
    "base": {name: getattr(csv_data, name) for name in csv_data.__all__},
}  # fmt: skip
