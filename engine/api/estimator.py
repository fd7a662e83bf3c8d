"""`tf.estimator`."""

from ..estimator import *  # noqa: F403
from ..estimator import __all__ as _estimator
from ..estimator import export as export

__all__ = [*_estimator, "export"]
