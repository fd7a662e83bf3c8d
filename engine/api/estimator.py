"""`tf.estimator`."""

from ..estimator import *  # noqa: F403
from ..estimator import __all__ as _estimator
from ..estimator import export as export
from .contrib import tpu

__all__ = [*_estimator, "export", "tpu"]
