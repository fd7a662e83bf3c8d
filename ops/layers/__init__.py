"""Functions that compose several families: layers, losses, dropout, clipping, embeddings, checks.

`__all__` holds what stands directly under `tf.`; `core_layers`, `losses` and `nn` hold what stands under `tf.layers`,
`tf.losses` and `tf.nn`.
"""

from .arranging import argsort, batch_gather, repeat, sort
from .assertions import Assert
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
from .numeric_checks import (
    add_check_numerics_ops,
    assert_proper_iterable,
    assert_same_float_dtype,
    is_non_decreasing,
    is_strictly_increasing,
    verify_tensor_all_finite,
)
from .tables import initialize_all_tables, tables_initializer

__all__ = [
    "Assert",
    "add_check_numerics_ops",
    "argsort",
    "assert_equal",
    "assert_greater",
    "assert_greater_equal",
    "assert_integer",
    "assert_less",
    "assert_less_equal",
    "assert_near",
    "assert_negative",
    "assert_non_negative",
    "assert_non_positive",
    "assert_none_equal",
    "assert_positive",
    "assert_proper_iterable",
    "assert_rank",
    "assert_rank_at_least",
    "assert_rank_in",
    "assert_same_float_dtype",
    "assert_scalar",
    "assert_type",
    "batch_gather",
    "clip_by_average_norm",
    "clip_by_global_norm",
    "clip_by_norm",
    "confusion_matrix",
    "global_norm",
    "initialize_all_tables",
    "is_non_decreasing",
    "is_numeric_tensor",
    "is_strictly_increasing",
    "random_crop",
    "repeat",
    "sort",
    "tables_initializer",
    "verify_tensor_all_finite",
]  # fmt: skip
