"""The maths of tensors: public names as people type them after `tf.`, with their declarations, kernels and gradients."""

from . import array_gradients as _array_gradients
from . import gradients_binary as _gradients_binary
from . import gradients_reductions as _gradients_reductions
from . import gradients_unary as _gradients_unary
from . import segment_means as _segment_means
from .add_n import accumulate_n, add_n
from .binary import (
    approximate_equal,
    atan2,
    bitwise_and,
    bitwise_or,
    bitwise_xor,
    equal,
    floor_div,
    floormod,
    greater,
    greater_equal,
    left_shift,
    less,
    less_equal,
    logical_and,
    logical_or,
    maximum,
    minimum,
    mul_no_nan,
    multiply,
    nextafter,
    not_equal,
    realdiv,
    right_shift,
    squared_difference,
    subtract,
    truncatediv,
    truncatemod,
    xdivy,
    xlog1py,
    xlogy,
)
from .casts import (
    cast,
    saturate_cast,
    to_bfloat16,
    to_complex64,
    to_complex128,
    to_double,
    to_float,
    to_int32,
    to_int64,
)
from .complex import abs, angle, complex, conj, imag, real, round
from .matmul import matmul
from .operators import add, div, div_no_nan, divide, floordiv, logical_xor, pow, scalar_mul, truediv
from .ranges import lin_space, linspace, range
from .reduce import (
    arg_max,
    arg_min,
    argmax,
    argmin,
    count_nonzero,
    norm,
    reduce_all,
    reduce_any,
    reduce_euclidean_norm,
    reduce_logsumexp,
    reduce_max,
    reduce_mean,
    reduce_min,
    reduce_prod,
    reduce_std,
    reduce_sum,
    reduce_variance,
)
from .scans import cumprod, cumsum, cumulative_logsumexp
from .segment_means import unsorted_segment_mean, unsorted_segment_sqrt_n
from .segments import (
    segment_max,
    segment_mean,
    segment_min,
    segment_prod,
    segment_sum,
    unsorted_segment_max,
    unsorted_segment_min,
    unsorted_segment_prod,
    unsorted_segment_sum,
)
from .select import clip_by_value, where, where_v2
from .sorting import bincount, cross, histogram_fixed_width
from .special import digamma, erf, erfc, erfinv, lgamma, ndtri
from .unary import (
    acos,
    acosh,
    asin,
    asinh,
    atan,
    atanh,
    ceil,
    cos,
    cosh,
    exp,
    expm1,
    floor,
    invert,
    is_finite,
    is_inf,
    is_nan,
    log,
    log1p,
    logical_not,
    negative,
    population_count,
    reciprocal,
    rint,
    rsqrt,
    sigmoid,
    sign,
    sin,
    sinh,
    sqrt,
    square,
    tan,
    tanh,
)

mod = floormod

_ATTACHED = (_gradients_binary, _gradients_reductions, _gradients_unary, _segment_means)

__all__ = [
    "abs", "accumulate_n", "acos", "acosh", "add", "add_n", "angle", "approximate_equal", "arg_max", "arg_min", "argmax",
    "argmin", "asin", "asinh", "atan", "atan2", "atanh", "bincount", "bitwise_and", "bitwise_or", "bitwise_xor", "cast", "ceil",
    "clip_by_value", "complex", "conj", "cos", "cosh", "count_nonzero", "cross", "cumprod", "cumsum", "cumulative_logsumexp",
    "digamma", "div", "div_no_nan", "divide", "equal", "erf", "erfc", "erfinv", "exp", "expm1", "floor", "floor_div",
    "floordiv", "floormod", "greater", "greater_equal",
    "histogram_fixed_width", "imag", "invert", "is_finite", "is_inf", "is_nan", "left_shift", "less", "less_equal", "lgamma", "lin_space",
    "linspace", "log", "log1p", "logical_and", "logical_not", "logical_or", "logical_xor", "matmul", "maximum", "minimum",
    "mod", "mul_no_nan", "multiply", "ndtri", "negative", "nextafter", "norm", "not_equal", "population_count", "pow",
    "range", "real", "realdiv", "reciprocal", "reduce_all", "reduce_any", "reduce_euclidean_norm", "reduce_logsumexp",
    "reduce_max", "reduce_mean", "reduce_min", "reduce_prod", "reduce_std", "reduce_sum", "reduce_variance",
    "right_shift", "rint", "round", "rsqrt", "saturate_cast", "scalar_mul", "segment_max", "segment_mean",
    "segment_min", "segment_prod", "segment_sum", "sigmoid", "sign", "sin", "sinh", "sqrt",
    "square", "squared_difference", "subtract", "tan", "tanh", "to_bfloat16", "to_complex128", "to_complex64",
    "to_double", "to_float", "to_int32", "to_int64", "truediv", "truncatediv", "truncatemod", "unsorted_segment_max",
    "unsorted_segment_mean", "unsorted_segment_min", "unsorted_segment_prod", "unsorted_segment_sqrt_n",
    "unsorted_segment_sum", "where", "where_v2",
    "xdivy", "xlog1py", "xlogy",
]  # fmt: skip
