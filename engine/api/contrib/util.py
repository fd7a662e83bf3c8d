"""`tf.contrib.util`."""

from ....ops.core.shape_rules import constant_value
from ....ops.core.tensor_proto import make_ndarray, make_tensor_proto

__all__ = ["constant_value", "make_ndarray", "make_tensor_proto"]
