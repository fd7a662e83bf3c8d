"""`tf.contrib.deprecated`: summaries whose tags are said."""

from ....ops.io.tagged_summaries import *  # noqa: F403
from ....ops.io.tagged_summaries import __all__ as __all__
