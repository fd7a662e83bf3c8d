"""`tf.contrib.framework`."""

from types import SimpleNamespace as _Namespace

from ....ops.core.sparse_tensor import convert_to_tensor_or_sparse_tensor
from ....ops.flow.cond import smart_cond, smart_constant_value
from ....ops.io.wav import decode_wav, encode_wav
from ....ops.layers.arranging import argsort, sort
from ....ops.layers.checks import assert_scalar
from ....ops.layers.numeric_checks import assert_same_float_dtype
from ....ops.signal import audio_spectrogram, mfcc
from ....ops.variables.initializers import Zeros as zero_initializer
from ...checkpoint.reader import init_from_checkpoint, list_variables, load_checkpoint, load_variable
from ...contrib.arg_scope import (
    add_arg_scope,
    arg_scope,
    arg_scope_func_key,
    arg_scoped_arguments,
    current_arg_scope,
    has_arg_scope,
)
from ...contrib.checkpoints import assign_from_checkpoint, assign_from_checkpoint_fn
from ...contrib.checks import assert_or_get_global_step, assert_scalar_int, get_name_scope, is_tensor, reduce_sum_n
from ...contrib.variables import (
    add_model_variable,
    assign_from_values,
    assign_from_values_fn,
    filter_variables,
    get_local_variables,
    get_model_variables,
    get_trainable_variables,
    get_unique_variable,
    get_variable_full_name,
    get_variables,
    get_variables_by_name,
    get_variables_by_suffix,
    get_variables_to_restore,
    global_variable,
    local_variable,
    model_variable,
    variable,
)
from ...program import nest
from ...train.training_util import assert_global_step, create_global_step, get_global_step, get_or_create_global_step

__all__ = [
    "add_arg_scope", "add_model_variable", "arg_scope", "arg_scope_func_key", "arg_scoped_arguments", "argsort",
    "assert_global_step", "assert_or_get_global_step", "assert_same_float_dtype", "assert_scalar", "assert_scalar_int",
    "assign_from_checkpoint",
    "assign_from_checkpoint_fn", "assign_from_values", "assign_from_values_fn", "convert_to_tensor_or_sparse_tensor",
    "create_global_step", "current_arg_scope", "filter_variables", "get_global_step", "get_local_variables",
    "get_model_variables", "get_name_scope", "get_or_create_global_step", "get_trainable_variables",
    "get_unique_variable", "get_variable_full_name", "get_variables", "get_variables_by_name",
    "get_variables_by_suffix", "get_variables_to_restore", "global_variable", "has_arg_scope", "init_from_checkpoint",
    "is_tensor", "list_variables", "load_checkpoint", "load_variable", "local_variable", "model_variable", "nest",
    "python", "reduce_sum_n", "smart_cond", "smart_constant_value", "sort", "variable", "zero_initializer",
]  # fmt: skip

# Programs reach into the package's files: `tf.contrib.framework.python.ops.arg_scope`.
_SOUND = _Namespace(audio_spectrogram=audio_spectrogram, decode_wav=decode_wav, encode_wav=encode_wav, mfcc=mfcc)
python = _Namespace(
    ops=_Namespace(**{name: value for name, value in globals().items() if name in __all__}, audio_ops=_SOUND)
)
