"""`tf.sets`: rows of tensors as sets, under 1.15's names and the older ones."""

from ...ops.sparse.sets import set_difference as difference
from ...ops.sparse.sets import set_difference as set_difference
from ...ops.sparse.sets import set_intersection as intersection
from ...ops.sparse.sets import set_intersection as set_intersection
from ...ops.sparse.sets import set_size as set_size
from ...ops.sparse.sets import set_size as size
from ...ops.sparse.sets import set_union as set_union
from ...ops.sparse.sets import set_union as union

__all__ = [
    "difference", "intersection", "set_difference", "set_intersection", "set_size", "set_union", "size", "union",
]  # fmt: skip
