"""The functions of `tf.keras.backend` that make graphs: keras's names and defaults for what `tf` has under others.

Reductions and choices are a table; the rest says what keras does otherwise. Axes count from the end where keras's do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...ops import array, math, nn, random
from ...ops.core import dtypes
from ...ops.core.convert import constant, convert_to_tensor
from ...ops.core.dtypes import as_dtype
from ...ops.core.node import Tensor
from ...ops.core.scopes import name_scope
from ...ops.core.sparse_tensor import is_sparse
from ...ops.flow import cond, smart_cond
from ...ops.gradients import gradients as _gradients
from ...ops.sparse import sparse_placeholder
from ...ops.state.public import assign, assign_add, assign_sub
from ...ops.variables import Variable
from . import layers
from .named import binary_crossentropy as _binary
from .named import categorical_crossentropy as _categorical
from .named import sparse_categorical_crossentropy as _sparse_categorical
from .sessions import get_session

_FLOAT = "float32"
_make: Any = Variable


def _reduction(name: str, function: Any, floats: bool = False) -> Callable[..., Tensor]:
    """Return a reduction with keras's arguments; of bools as floats where `floats`."""

    def reduce(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
        tensor = convert_to_tensor(x)
        if floats and tensor.dtype.base_dtype is dtypes.bool:
            tensor = math.cast(tensor, _FLOAT)
        made: Tensor = function(tensor, axis, keepdims)
        return made

    reduce.__name__ = reduce.__qualname__ = name
    reduce.__doc__ = (
        f"Return the {name} of a tensor along `axis` (all of them when None), kept as size 1 where `keepdims`."
    )
    return reduce


all = _reduction("all", lambda x, axis, keep: math.reduce_all(math.cast(x, "bool"), axis, keep))
any = _reduction("any", lambda x, axis, keep: math.reduce_any(math.cast(x, "bool"), axis, keep))
max = _reduction("max", math.reduce_max)
mean = _reduction("mean", math.reduce_mean, floats=True)
min = _reduction("min", math.reduce_min)
prod = _reduction("prod", math.reduce_prod)
sum = _reduction("sum", math.reduce_sum)
logsumexp = _reduction("logsumexp", math.reduce_logsumexp)


def var(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the variance along `axis`."""
    centred = x - mean(x, axis, keepdims=True)
    return mean(math.square(centred), axis, keepdims)


def std(x: Any, axis: Any = None, keepdims: bool = False) -> Tensor:
    """Return the standard deviation along `axis`."""
    return math.sqrt(var(x, axis, keepdims))


def argmax(x: Any, axis: int = -1) -> Tensor:
    """Return the places of the greatest elements along `axis`."""
    return math.argmax(x, axis)


def argmin(x: Any, axis: int = -1) -> Tensor:
    """Return the places of the least elements along `axis`."""
    return math.argmin(x, axis)


def sqrt(x: Any) -> Tensor:
    """Return the square root, that of negative numbers being 0."""
    tensor = convert_to_tensor(x)
    return math.sqrt(math.maximum(tensor, array.zeros_like(tensor)))


def clip(x: Any, min_value: Any, max_value: Any) -> Tensor:
    """Return the elements within bounds; the upper one is not below the lower one."""
    if isinstance(min_value, int | float) and isinstance(max_value, int | float) and max_value < min_value:
        max_value = min_value
    clipped: Tensor = math.clip_by_value(
        x, -np.inf if min_value is None else min_value, np.inf if max_value is None else max_value
    )
    return clipped


def dot(x: Any, y: Any) -> Tensor:
    """Return the product over the last dimension of `x` and the last but one of `y`."""
    left, right = convert_to_tensor(x), convert_to_tensor(y)
    if left.dims is None or right.dims is None or (len(left.dims) == 2 and len(right.dims) == 2):
        return math.matmul(left, right)
    return math.tensordot(left, right, [[len(left.dims) - 1], [len(right.dims) - 2 if len(right.dims) > 1 else 0]])


def batch_flatten(x: Any) -> Tensor:
    """Return a matrix with a row for each example."""
    tensor = convert_to_tensor(x)
    rest = math.reduce_prod(array.shape(tensor)[1:])
    flat: Tensor = array.reshape(tensor, array.stack([-1, rest]))
    if tensor.dims is not None and None not in tensor.dims[1:]:
        flat.set_shape([tensor.dims[0], int(np.prod(tensor.dims[1:]))])  # type: ignore[arg-type]
    return flat


def flatten(x: Any) -> Tensor:
    """Return all elements in a row."""
    return array.reshape(x, [-1])


def concatenate(tensors: Any, axis: int = -1) -> Tensor:
    """Return tensors behind each other along `axis`."""
    return array.concat(tensors, axis)


def expand_dims(x: Any, axis: int = -1) -> Tensor:
    """Return a tensor with a dimension of size 1 more."""
    return array.expand_dims(x, axis)


def permute_dimensions(x: Any, pattern: Any) -> Tensor:
    """Return a tensor with its dimensions in another order."""
    return array.transpose(x, pattern)


def repeat_elements(x: Any, rep: int, axis: int) -> Tensor:
    """Return a tensor with each slice along `axis` repeated."""
    tensor = convert_to_tensor(x)
    count = tensor.shape.as_list()[axis]
    if count is None:
        raise ValueError(f"repeat_elements needs to know the size along axis {axis} of shape {tensor.shape}")
    return array.gather(tensor, np.repeat(np.arange(count), rep), axis=axis)


def repeat(x: Any, n: int) -> Tensor:
    """Return a matrix's rows `n` times each: (batch, n, columns)."""
    return array.tile(array.expand_dims(x, 1), [1, n, 1])


def reverse(x: Any, axes: Any) -> Tensor:
    """Return a tensor read backwards along axes."""
    return array.reverse(x, axes if isinstance(axes, list | tuple) else [axes])


def int_shape(x: Any) -> tuple[int | None, ...] | None:
    """Return the static shape, None where nothing of it is known."""
    dims = x.shape
    return tuple(dims.as_list()) if dims.ndims is not None else None


def ndim(x: Any) -> int | None:
    """Return the number of dimensions, None where it is not known."""
    found = x.shape.ndims
    return None if found is None else int(found)


def dtype(x: Any) -> str:
    """Return the name of a tensor's type."""
    return str(x.dtype.base_dtype.name)


def cast_to_floatx(x: Any) -> Any:
    """Return an array, or a tensor, as float32."""
    return math.cast(x, _FLOAT) if isinstance(x, Tensor | Variable) else np.asarray(x, np.float32)


def variable(value: Any, dtype: Any = None, name: str | None = None, constraint: Any = None) -> Any:
    """Return a variable with a first value; float32 unless `dtype` says otherwise."""
    start = value if isinstance(value, Tensor) else np.asarray(value, as_dtype(dtype or _FLOAT).as_numpy_dtype)
    return _make(start, dtype=as_dtype(dtype or _FLOAT), name=name, constraint=constraint)


def placeholder(
    shape: Any = None, ndim: int | None = None, dtype: Any = None, sparse: bool = False, name: str | None = None
) -> Any:
    """Return a placeholder of a shape, or of `ndim` unknown dimensions."""
    dims = [None] * ndim if shape is None and ndim is not None else shape
    if sparse:
        return sparse_placeholder(as_dtype(dtype or _FLOAT), dims, name=name)
    return array.placeholder(as_dtype(dtype or _FLOAT), dims, name=name)


def zeros(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Return a variable of zeros."""
    return variable(np.zeros(shape), dtype, name)


def ones(shape: Any, dtype: Any = None, name: str | None = None) -> Any:
    """Return a variable of ones."""
    return variable(np.ones(shape), dtype, name)


def random_normal(
    shape: Any, mean: float = 0.0, stddev: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Return draws from a normal distribution."""
    return random.random_normal(shape, mean, stddev, as_dtype(dtype or _FLOAT), seed)


def random_uniform(
    shape: Any, minval: float = 0.0, maxval: float = 1.0, dtype: Any = None, seed: int | None = None
) -> Tensor:
    """Return draws between two numbers."""
    return random.random_uniform(shape, minval, maxval, as_dtype(dtype or _FLOAT), seed)


def get_value(x: Any) -> Any:
    """Return the value of a variable or tensor in keras's session."""
    return get_session().run(x)


def batch_get_value(tensors: Any) -> list[Any]:
    """Return the values of several variables or tensors."""
    return list(get_session().run(list(tensors))) if tensors else []


def set_value(x: Any, value: Any) -> None:
    """Give a variable a value in keras's session."""
    x.load(np.asarray(value, x.dtype.base_dtype.as_numpy_dtype), get_session())


def batch_set_value(tuples: Any) -> None:
    """Give several variables values, as (variable, value) pairs."""
    for x, value in tuples:
        set_value(x, value)


def update(x: Any, new_x: Any) -> Any:
    """Return an operation that assigns."""
    return assign(x, new_x)


def update_add(x: Any, increment: Any) -> Any:
    """Return an operation that adds to a variable."""
    return assign_add(x, increment)


def update_sub(x: Any, decrement: Any) -> Any:
    """Return an operation that subtracts from a variable."""
    return assign_sub(x, decrement)


def gradients(loss: Any, variables: Any) -> list[Any]:
    """Return the gradients of a loss by variables."""
    return list(_gradients(loss, variables))


def switch(condition: Any, then_expression: Any, else_expression: Any) -> Any:
    """Return one of two expressions, tensors or functions without arguments; element by element for a condition with elements."""
    chosen = math.cast(condition, "bool")
    one, other = (x() if callable(x) and chosen.dims != () else x for x in (then_expression, else_expression))
    if chosen.dims != ():
        return math.where_v2(chosen, one, other)
    return cond(chosen, one if callable(one) else lambda: array.identity(one),
                other if callable(other) else lambda: array.identity(other))  # fmt: skip


def in_train_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Return `x` while keras trains, `alt` else; tensors or functions without arguments."""
    phase = layers.learning_phase() if training is None else training
    phase = bool(phase) if isinstance(phase, int) else phase
    return smart_cond(phase, x if callable(x) else lambda: convert_to_tensor(x),
                      alt if callable(alt) else lambda: convert_to_tensor(alt))  # fmt: skip


def in_test_phase(x: Any, alt: Any, training: Any = None) -> Any:
    """Return `x` while keras does not train, `alt` else."""
    return in_train_phase(alt, x, training)


def function(inputs: Any, outputs: Any, updates: Any = None) -> Callable[[Any], list[Any]]:
    """Return a Python function of arrays that runs the graph from `inputs` to `outputs`, and the updates with it."""
    extra = [pair if not isinstance(pair, tuple) else assign(*pair) for pair in updates or []]

    def run(values: Any) -> list[Any]:
        feeds = dict(zip(inputs, values, strict=True))
        return list(get_session().run([list(outputs), extra], feeds)[0])

    return run


def categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Tensor:
    """Return the cross entropy of one-hot targets and probabilities, or logits, along the last axis."""
    if axis not in (-1, len(output.dims or ()) - 1):
        raise ValueError(f"categorical_crossentropy: classes are along the last axis, not along axis {axis}")
    if from_logits:
        return nn.softmax_cross_entropy_with_logits_v2(labels=target, logits=output)
    return _categorical(target, output)


def sparse_categorical_crossentropy(target: Any, output: Any, from_logits: bool = False, axis: int = -1) -> Tensor:
    """Return the cross entropy of class indices and probabilities, or logits, along the last axis."""
    return _sparse_categorical(target, nn.softmax(output) if from_logits else output)


def binary_crossentropy(target: Any, output: Any, from_logits: bool = False) -> Tensor:
    """Return the cross entropy of each probability, or logit, with its target."""
    if from_logits:
        return nn.sigmoid_cross_entropy_with_logits(labels=target, logits=output)
    return _binary(array.expand_dims(target, -1), array.expand_dims(output, -1))


ALIASES: dict[str, Any] = {
    "abs": math.abs, "cast": math.cast, "constant": constant, "cos": math.cos, "cumprod": math.cumprod,
    "cumsum": math.cumsum, "elu": nn.elu, "equal": math.equal, "exp": math.exp, "gather": array.gather,
    "greater": math.greater, "greater_equal": math.greater_equal, "is_sparse": is_sparse, "l2_normalize": nn.l2_normalize,
    "less": math.less, "less_equal": math.less_equal, "log": math.log, "maximum": math.maximum, "minimum": math.minimum,
    "name_scope": name_scope, "not_equal": math.not_equal, "one_hot": array.one_hot, "ones_like": array.ones_like,
    "pow": math.pow, "relu": nn.relu, "reshape": array.reshape, "round": math.round, "shape": array.shape,
    "sigmoid": nn.sigmoid, "sign": math.sign, "sin": math.sin, "softmax": nn.softmax, "softplus": nn.softplus,
    "softsign": nn.softsign, "square": math.square, "squeeze": array.squeeze, "stack": array.stack,
    "stop_gradient": array.stop_gradient, "tanh": nn.tanh, "tile": array.tile, "transpose": array.transpose,
    "truncated_normal": random.truncated_normal, "zeros_like": array.zeros_like,
}  # fmt: skip

__all__ = [
    "all", "any", "argmax", "argmin", "batch_flatten", "batch_get_value", "batch_set_value", "binary_crossentropy",
    "cast_to_floatx", "categorical_crossentropy", "clip", "concatenate", "dot", "dtype", "expand_dims", "flatten",
    "function", "get_value", "gradients", "in_test_phase", "in_train_phase", "int_shape", "logsumexp", "max", "mean",
    "min", "ndim", "ones", "permute_dimensions", "placeholder", "prod", "random_normal", "random_uniform", "repeat",
    "repeat_elements", "reverse", "set_value", "sparse_categorical_crossentropy", "sqrt", "std", "sum", "switch",
    "update", "update_add", "update_sub", "var", "variable", "zeros",
]  # fmt: skip
