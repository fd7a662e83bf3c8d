"""`tf.keras`."""

from types import SimpleNamespace as _Namespace

from ..keras import backend as _backend
from ..keras import callbacks, layers, models, optimizers
from ..keras import datasets as _datasets
from ..keras import functions as _functions
from ..keras import named as _named
from ..keras.layers import Input
from ..keras.models import Model, Sequential
from ..keras.progress import Progbar as _Progbar

backend = _Namespace(
    **_functions.ALIASES,
    **{name: getattr(module, name) for module in (_functions, _backend) for name in module.__all__},
)
activations = _Namespace(**_named.ACTIVATIONS)
datasets = _Namespace(mnist=_Namespace(load_data=_datasets.load_data))
initializers = _Namespace(**_named.INITIALIZERS)
losses = _Namespace(**_named.LOSSES)
regularizers = _Namespace(
    L1L2=_named.L1L2, Regularizer=_named.Regularizer, l1=_named.l1, l1_l2=_named.l1_l2, l2=_named.l2
)
utils = _Namespace(Progbar=_Progbar, get_file=_datasets.get_file, to_categorical=_datasets.to_categorical)

__all__ = [
    "Input", "Model", "Sequential", "activations", "backend", "callbacks", "datasets", "initializers", "layers", "losses",
    "models", "optimizers", "regularizers", "utils",
]  # fmt: skip
