"""`tf.bitwise`."""

from ...ops.math import bitwise_and as bitwise_and
from ...ops.math import bitwise_or as bitwise_or
from ...ops.math import bitwise_xor as bitwise_xor
from ...ops.math import invert as invert
from ...ops.math import left_shift as left_shift
from ...ops.math import right_shift as right_shift
