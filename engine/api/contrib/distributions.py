"""`tf.contrib.distributions`: what `tf.distributions` has, and distributions of vectors."""

from ....ops.layers.distributions import *  # noqa: F403
from ....ops.layers.distributions import __all__ as _all
from ....ops.layers.distributions.vectors import MultivariateNormalDiag, MultivariateNormalDiagWithSoftplusScale

__all__ = [*_all, "MultivariateNormalDiag", "MultivariateNormalDiagWithSoftplusScale"]
