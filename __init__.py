"""Millstream: TensorFlow 1's programming model on NumPy and CuPy.

The public face: names only. `import millstream as tf` runs TF1 programs; nothing here touches CUDA, and the protos
(`ConfigProto`, `GraphDef` …) load when they are first named.
"""

from typing import Any as _Any

from . import devices as devices
from . import placement as placement
from .devices import DeviceSpec as DeviceSpec
from .devices import require_gpu as require_gpu
from .engine.api import bitwise as bitwise
from .engine.api import errors as errors
from .engine.api import initializers as initializers
from .engine.api import layers as layers
from .engine.api import losses as losses
from .engine.api import math as math
from .engine.api import nn as nn
from .engine.api import strings as strings
from .engine.api import summary as summary
from .engine.api import train as train
from .engine.api.core import *  # noqa: F403
from .engine.runtime.tracing import chrome_trace as chrome_trace
from .engine.runtime.tracing import write_chrome_trace as write_chrome_trace
from .engine.session import InteractiveSession as InteractiveSession
from .engine.session import Session as Session
from .engine.session import get_default_session as get_default_session
from .ops.array import *  # noqa: F403
from .ops.core import protos as _protos
from .ops.flow import *  # noqa: F403
from .ops.gradients import *  # noqa: F403
from .ops.io import *  # noqa: F403
from .ops.layers import *  # noqa: F403
from .ops.math import *  # noqa: F403
from .ops.random import *  # noqa: F403
from .ops.sparse import *  # noqa: F403
from .ops.state import *  # noqa: F403
from .ops.strings import *  # noqa: F403
from .ops.variables import *  # noqa: F403

__version__ = "0.1.0"

_PROTOS = (
    "AttrValue", "ConfigProto", "Event", "GPUOptions", "GraphDef", "GraphOptions", "HistogramProto", "LogMessage",
    "MetaGraphDef", "NameAttrList", "NodeDef", "OptimizerOptions", "RunMetadata", "RunOptions", "SessionLog", "Summary",
    "SummaryMetadata",
)  # fmt: skip



def __getattr__(name: str) -> _Any:
    if name in _PROTOS:
        return getattr(_protos, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
