"""`tf.contrib.layers`: fully connected and other plain layers, as functions that take arg_scopes.

Variables are called `weights` and `biases` in the layer's scope, and are model variables. Outputs come in this order: product,
bias or normalisation, activation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...ops.array import concat, one_hot, reshape, transpose
from ...ops.core.convert import convert_to_tensor
from ...ops.core.node import Tensor
from ...ops.core.scopes import name_scope
from ...ops.layers.core_layers import Dense, Dropout, Flatten
from ...ops.layers.embedding import embedding_lookup
from ...ops.math import cast, reduce_sum, sqrt, square
from ...ops.nn import relu
from ...ops.nn import softmax as softmax_of
from ...ops.variables.initializers import Ones, Zeros
from ...ops.variables.scope import variable_scope
from .arg_scope import add_arg_scope
from .initializers import xavier_initializer
from .outputs import (
    activated,
    collect_named_outputs,
    collected_variables,
    get_variable_collections,
    layer_getter,
)
from .variables import model_variable

_XAVIER = xavier_initializer()
_ZEROS = Zeros()
_ONE = Ones()


@add_arg_scope
def fully_connected(
    inputs: Any, num_outputs: int, activation_fn: Any = relu, normalizer_fn: Any = None, normalizer_params: Any = None,
    weights_initializer: Any = _XAVIER, weights_regularizer: Any = None, biases_initializer: Any = _ZEROS,
    biases_regularizer: Any = None, reuse: Any = None, variables_collections: Any = None, outputs_collections: Any = None,
    trainable: bool = True, scope: Any = None,
) -> Tensor:  # fmt: skip
    """Return `activation_fn(inputs · weights + biases)`; with `normalizer_fn` it stands in for the biases.

    Args:
      inputs: of rank 2 or more; the last dimension is multiplied.
      num_outputs: the size of the last dimension of the outputs.
      activation_fn: relu by default; None for a linear layer.

    Raises:
      ValueError: when `num_outputs` is no int, or the inputs have no static last dimension.
    """
    if not isinstance(num_outputs, int):
        raise ValueError(f"num_outputs type should be one of [<class 'int'>], got {type(num_outputs)}.")
    getter = layer_getter({"bias": "biases", "kernel": "weights"})
    with variable_scope(scope, "fully_connected", [inputs], reuse=reuse, custom_getter=getter) as opened:
        layer = Dense(
            num_outputs, None, normalizer_fn is None and biases_initializer is not None, weights_initializer, biases_initializer,
            weights_regularizer, biases_regularizer, trainable=trainable, name=opened.name, _scope=opened, _reuse=reuse,
        )  # fmt: skip
        outputs = layer(convert_to_tensor(inputs))
        collected_variables(layer.kernel, variables_collections, "weights")
        if layer.bias is not None:
            collected_variables(layer.bias, variables_collections, "biases")
        outputs = activated(outputs, normalizer_fn, normalizer_params, activation_fn)
        return collect_named_outputs(outputs_collections, opened.name, outputs)


@add_arg_scope
def bias_add(
    inputs: Any, activation_fn: Any = None, initializer: Any = _ZEROS, regularizer: Any = None, reuse: Any = None,
    variables_collections: Any = None, outputs_collections: Any = None, trainable: bool = True, data_format: str = "NHWC",
    scope: Any = None,
) -> Tensor:  # fmt: skip
    """Return the inputs plus a new variable `biases`, one number a channel."""
    if data_format not in ("NHWC", "NCHW"):
        raise ValueError("data_format has to be either NCHW or NHWC.")
    with variable_scope(scope, "BiasAdd", [inputs], reuse=reuse) as opened:
        tensor = convert_to_tensor(inputs)
        dims = tensor.dims or ()
        channels = dims[1 if data_format == "NCHW" else -1]
        biases = model_variable(
            "biases", shape=[channels], dtype=tensor.dtype.base_dtype, initializer=initializer, regularizer=regularizer,
            collections=get_variable_collections(variables_collections, "biases"), trainable=trainable,
        )  # fmt: skip
        spread = [1, channels] + [1] * (len(dims) - 2) if data_format == "NCHW" else [channels]
        outputs = activated(tensor + reshape(biases, spread), None, None, activation_fn)
        return collect_named_outputs(outputs_collections, opened.name, outputs)


@add_arg_scope
def dropout(
    inputs: Any, keep_prob: Any = 0.5, noise_shape: Any = None, is_training: Any = True, outputs_collections: Any = None,
    scope: Any = None, seed: int | None = None,
) -> Tensor:  # fmt: skip
    """Return the inputs with each element kept with probability `keep_prob`, and scaled up, while training."""
    with variable_scope(scope, "Dropout", [inputs]) as opened:
        layer = Dropout(rate=1 - keep_prob, noise_shape=noise_shape, seed=seed, name=opened.name, _scope=opened)
        outputs: Tensor = layer(convert_to_tensor(inputs), training=is_training)
        return collect_named_outputs(outputs_collections, opened.name, outputs)


@add_arg_scope
def flatten(inputs: Any, outputs_collections: Any = None, scope: Any = None) -> Tensor:
    """Return [batch, the rest]: all dimensions but the first become one."""
    with name_scope(scope, "Flatten", [inputs]) as opened:
        outputs: Tensor = Flatten()(convert_to_tensor(inputs))
        return collect_named_outputs(outputs_collections, opened.removesuffix("/"), outputs)


@add_arg_scope
def one_hot_encoding(
    labels: Any, num_classes: int, on_value: float = 1.0, off_value: float = 0.0, outputs_collections: Any = None,
    scope: Any = None,
) -> Tensor:  # fmt: skip
    """Return rows with `on_value` at each label and `off_value` elsewhere."""
    with name_scope(scope, "OneHotEncoding", [labels]) as opened:
        found = convert_to_tensor(labels)
        if found.dtype.name == "int32":
            found = cast(found, "int64")
        outputs = one_hot(found, num_classes, on_value=on_value, off_value=off_value)
        return collect_named_outputs(outputs_collections, opened, outputs)


def embed_sequence(
    ids: Any, vocab_size: int | None = None, embed_dim: int | None = None, unique: bool = False, initializer: Any = None,
    regularizer: Any = None, trainable: bool = True, scope: Any = None, reuse: Any = None,
) -> Tensor:  # fmt: skip
    """Return rows [batch, length, embed_dim] of a new variable `embeddings` for a batch of sequences of ids.

    Raises:
      ValueError: when the sizes are missing, unless the variable is shared.
    """
    if not (reuse or (vocab_size and embed_dim)):
        raise ValueError(
            "Must specify vocab size and embedding dimension when not reusing. Got "
            f"vocab_size={vocab_size} and embed_dim={embed_dim}"
        )
    with variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        sizes = None if vocab_size is None or embed_dim is None else [vocab_size, embed_dim]
        embeddings = model_variable(
            "embeddings", shape=sizes, initializer=initializer, regularizer=regularizer, trainable=trainable
        )
        return embedding_lookup(embeddings, ids)


@add_arg_scope
def softmax(logits: Any, scope: Any = None) -> Tensor:
    """Return the softmax along the last dimension of logits of any rank."""
    with variable_scope(scope, "softmax", [logits]):
        outputs: Tensor = softmax_of(convert_to_tensor(logits), name="Reshape_1")
        return outputs


@add_arg_scope
def unit_norm(inputs: Any, dim: int, epsilon: float = 1e-7, scope: Any = None) -> Tensor:
    """Return the inputs with vectors along a dimension scaled to length 1."""
    with variable_scope(scope, "UnitNorm", [inputs]):
        tensor = convert_to_tensor(inputs)
        rank = len(tensor.dims or ())
        if not 0 <= dim < rank:
            raise ValueError("dim must be positive but smaller than the input rank.")
        lengths = sqrt(epsilon + reduce_sum(square(tensor), dim, keepdims=True))
        outputs: Tensor = tensor / lengths
        return outputs


def _scoped_name(layer: Any) -> str:
    return getattr(layer, "__name__", None) or getattr(getattr(layer, "func", None), "__name__", None) or "stack"


@add_arg_scope
def repeat(inputs: Any, repetitions: int, layer: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return the inputs behind `repetitions` layers of one kind, in scopes `SCOPE/SCOPE_1`, `SCOPE/SCOPE_2` and so on."""
    scope = kwargs.pop("scope", None)
    with variable_scope(scope, "Repeat", [inputs]):
        tensor = convert_to_tensor(inputs)
        prefix = scope if isinstance(scope, str) else _scoped_name(layer) if scope is None else scope.name
        for i in range(repetitions):
            tensor = layer(tensor, *args, **{**kwargs, "scope": f"{prefix.split('/')[-1]}_{i + 1}"})
        return tensor


@add_arg_scope
def stack(inputs: Any, layer: Callable[..., Any], stack_args: Any, **kwargs: Any) -> Any:
    """Return the inputs behind one layer for each entry of `stack_args`, in scopes `SCOPE/SCOPE_1` and so on."""
    scope = kwargs.pop("scope", None)
    if not isinstance(stack_args, list | tuple):
        raise ValueError("stack_args need to be a list or tuple")
    with variable_scope(scope, "Stack", [inputs]):
        tensor = convert_to_tensor(inputs)
        prefix = _scoped_name(layer) if scope is None else scope if isinstance(scope, str) else scope.name
        for i, given in enumerate(stack_args):
            arguments = given if isinstance(given, list | tuple) else [given]
            tensor = layer(tensor, *arguments, **{**kwargs, "scope": f"{prefix.split('/')[-1]}_{i + 1}"})
        return tensor


def spatial_softmax(
    features: Any, temperature: Any = None, name: str | None = None, trainable: bool = True, data_format: str = "NHWC"
) -> Tensor:
    """Return [batch, channels * 2]: for each channel the mean place, from -1 to 1 in x and y, under its softmax."""
    with variable_scope(name, "spatial_softmax"):
        tensor = convert_to_tensor(features)
        if data_format == "NHWC":
            tensor = transpose(tensor, [0, 3, 1, 2])
        channels, height, width = (int(d or 0) for d in (tensor.dims or ())[1:])
        if temperature is None:
            temperature = model_variable("temperature", shape=(), initializer=_ONE, trainable=trainable)
        weights = softmax_of(reshape(tensor, [-1, height * width]) / temperature)
        ys, xs = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
        places = [
            reduce_sum(weights * convert_to_tensor(p.reshape(-1).astype("f4")), [1], keepdims=True) for p in (xs, ys)
        ]
        return reshape(concat(places, 1), [-1, channels * 2])
