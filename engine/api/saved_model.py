"""`tf.saved_model`, with its inner namespaces."""

from types import SimpleNamespace as _Namespace

from ..saved_model import loader as loader
from ..saved_model import main_op as main_op
from ..saved_model import names as _names
from ..saved_model import signatures as signature_def_utils
from ..saved_model.builder import SavedModelBuilder
from ..saved_model.builder import simple_save as simple_save
from ..saved_model.loader import contains_saved_model as contains_saved_model
from ..saved_model.loader import load as load
from ..saved_model.loader import maybe_saved_model_directory as maybe_saved_model_directory
from ..saved_model.main_op import main_op_with_restore as main_op_with_restore
from ..saved_model.signatures import build_signature_def as build_signature_def
from ..saved_model.signatures import build_tensor_info as build_tensor_info
from ..saved_model.signatures import classification_signature_def as classification_signature_def
from ..saved_model.signatures import get_tensor_from_tensor_info as get_tensor_from_tensor_info
from ..saved_model.signatures import is_valid_signature as is_valid_signature
from ..saved_model.signatures import predict_signature_def as predict_signature_def
from ..saved_model.signatures import regression_signature_def as regression_signature_def

Builder = SavedModelBuilder
builder = _Namespace(SavedModelBuilder=SavedModelBuilder)
utils = _Namespace(
    build_tensor_info=build_tensor_info,
    build_tensor_info_from_op=signature_def_utils.build_tensor_info_from_op,
    get_tensor_from_tensor_info=get_tensor_from_tensor_info,
)
constants = _Namespace(
    ASSETS_DIRECTORY=_names.ASSETS_DIRECTORY,
    ASSETS_KEY=_names.ASSETS_KEY,
    LEGACY_INIT_OP_KEY=_names.LEGACY_INIT_OP_KEY,
    MAIN_OP_KEY=_names.MAIN_OP_KEY,
    SAVED_MODEL_FILENAME_PB=_names.FILENAME_PB,
    SAVED_MODEL_FILENAME_PBTXT=_names.FILENAME_PBTXT,
    SAVED_MODEL_SCHEMA_VERSION=_names.SCHEMA_VERSION,
    VARIABLES_DIRECTORY=_names.VARIABLES_DIRECTORY,
    VARIABLES_FILENAME=_names.VARIABLES_FILENAME,
)
signature_constants = _Namespace(
    CLASSIFY_INPUTS="inputs",
    CLASSIFY_METHOD_NAME=_names.CLASSIFY,
    CLASSIFY_OUTPUT_CLASSES="classes",
    CLASSIFY_OUTPUT_SCORES="scores",
    DEFAULT_SERVING_SIGNATURE_DEF_KEY=_names.SERVING_DEFAULT,
    PREDICT_INPUTS="inputs",
    PREDICT_METHOD_NAME=_names.PREDICT,
    PREDICT_OUTPUTS="outputs",
    REGRESS_INPUTS="inputs",
    REGRESS_METHOD_NAME=_names.REGRESS,
    REGRESS_OUTPUTS="outputs",
)
tag_constants = _Namespace(
    EVAL=_names.EVAL, GPU=_names.GPU, SERVING=_names.SERVING, TPU=_names.TPU, TRAINING=_names.TRAINING
)
for _constants in (signature_constants, constants):
    globals().update(vars(_constants))
globals().update(vars(tag_constants))
