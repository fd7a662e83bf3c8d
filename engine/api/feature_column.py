"""`tf.feature_column`."""

from ..feature_column import *  # noqa: F403
from ..feature_column import __all__ as __all__
