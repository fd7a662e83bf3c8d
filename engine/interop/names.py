"""Where the modules inside TensorFlow that programs import have their names here: tables.

`PYTHON` lists, for the last part of a path under `tensorflow.python`, the namespaces of the package that are searched, in order;
"" is the top. `EXTRA` has the names that no public namespace offers.
"""

from __future__ import annotations

from typing import Any

from ...ops.core.shape_rules import constant_value, constant_value_as_shape
from ...ops.core.tensor_proto import make_ndarray
from ...ops.flow.switches import merge, ref_switch, switch
from ..checkpoint.inspecting import print_tensors_in_checkpoint_file
from ..contrib.learn import csv_data
from ..program import log, nest, stripping, test_tools
from ..saved_model import freeze_graph
from ..train.moving_averages import assign_moving_average
from . import mnist
from .timeline import LocalDevice, Timeline, list_local_devices

_GROUPS = {
    "": "array_ops bitwise_ops check_ops clip_ops constant_op control_flow_ops data_flow_ops dtypes errors_impl "
    "embedding_ops function functional_ops gen_array_ops gen_control_flow_ops gen_data_flow_ops gen_io_ops "
    "gen_logging_ops gen_math_ops gen_nn_ops gen_parsing_ops gen_random_ops gen_sparse_ops gen_state_ops gen_string_ops "
    "gradients gradients_impl histogram_ops importer init_ops io_ops linalg_ops list_ops logging_ops lookup_ops math_ops "
    "math_grad nn_grad array_grad numerics op_def_library ops parsing_ops partitioned_variables random_ops "
    "random_seed resource_variable_ops script_ops session session_ops sparse_ops sparse_tensor special_math_ops "
    "standard_ops state_ops string_ops template tensor_array_ops tensor_shape tensor_spec tensor_util variable_scope "
    "variables versions context def_function control_flow_util",
    "nn": "nn nn_impl nn_ops nn_v2 candidate_sampling_ops ctc_ops rnn gen_candidate_sampling_ops gen_ctc_ops",
    "nn.rnn_cell": "rnn_cell rnn_cell_impl core_rnn_cell core_rnn_cell_impl",
    "layers": "layers base core convolutional normalization pooling",
    "train": "adadelta adagrad adagrad_da adam basic_session_run_hooks checkpoint_management checkpoint_utils coordinator "
    "ftrl gradient_descent input learning_rate_decay momentum monitored_session moving_averages optimizer proximal_adagrad "
    "proximal_gradient_descent queue_runner queue_runner_impl rmsprop saver server_lib session_manager session_run_hook "
    "slot_creator summary_io supervisor sync_replicas_optimizer training_util train warm_starting_util "
    "pywrap_tensorflow learning_rate_schedule legacy_learning_rate_decay",
    "losses": "losses losses_impl",
    "metrics": "metrics metrics_impl",
    "summary": "summary writer plugin_asset text_summary",
    "image": "image_ops image_ops_impl gen_image_ops",
    "linalg": "linalg linalg_impl linear_operator",
    "signal": "signal spectral_ops fft_ops",
    "sets": "sets sets_impl",
    "errors": "errors",
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
    "estimator": "estimator model_fn run_config",
    "feature_column": "feature_column feature_column_v2",
    "distributions": "distributions normal categorical bernoulli distribution",
    "keras": "keras",
    "keras.layers": "keras_layers",
    "keras.backend": "backend",
    "profiler": "profiler model_analyzer option_builder tfprof_logger",
}
# Folders: they have no names of their own, only modules.
PACKAGES = frozenset({
    "client", "data", "data.ops", "eager", "estimator", "framework", "keras", "layers", "lib", "lib.io", "ops", "ops.losses",
    "ops.distributions", "platform", "saved_model", "summary", "tools", "training", "util",
})  # fmt: skip
PYTHON = {leaf: (place, "", "nn") for place, leaves in _GROUPS.items() for leaf in leaves.split()}

EXTRA: dict[str, dict[str, Any]] = {
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
