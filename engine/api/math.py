"""`tf.math`: the maths of the top level, with the names that only this namespace has."""

from ...ops.math import *  # noqa: F403
from ...ops.math import div_no_nan
from ...ops.nn import in_top_k as in_top_k
from ...ops.nn import l2_normalize as l2_normalize
from ...ops.nn import log_softmax as log_softmax
from ...ops.nn import softmax as softmax
from ...ops.nn import softplus as softplus
from ...ops.nn import softsign as softsign
from ...ops.nn import top_k as top_k
from ...ops.nn import zero_fraction as zero_fraction

divide_no_nan = div_no_nan
