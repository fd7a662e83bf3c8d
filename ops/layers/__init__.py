"""Functions that compose several families: layers, losses, dropout, clipping, embeddings, checks.

`__all__` holds what stands directly under `tf.`; `core_layers`, `losses` and `nn` hold what stands under `tf.layers`,
`tf.losses` and `tf.nn`.
"""

from .checks import (
    assert_equal,
    assert_greater,
    assert_greater_equal,
    assert_integer,
    assert_less,
    assert_less_equal,
    assert_near,
    assert_negative,
    assert_non_negative,
    assert_non_positive,
    assert_none_equal,
    assert_positive,
    assert_rank,
    assert_rank_at_least,
    assert_rank_in,
    assert_scalar,
    assert_type,
    is_numeric_tensor,
)
from .clip import clip_by_average_norm, clip_by_global_norm, clip_by_norm, global_norm
from .cropping import random_crop
from .metrics.confusion import confusion_matrix

__all__ = [
    "assert_equal", "assert_greater", "assert_greater_equal", "assert_integer", "assert_less", "assert_less_equal",
    "assert_near", "assert_negative", "assert_non_negative", "assert_non_positive", "assert_none_equal", "assert_positive",
    "assert_rank", "assert_rank_at_least", "assert_rank_in", "assert_scalar", "assert_type", "clip_by_average_norm",
    "clip_by_global_norm", "clip_by_norm", "confusion_matrix", "global_norm", "is_numeric_tensor", "random_crop",
]  # fmt: skip
