"""`tf.contrib.layers`' summaries of tensors, activations and collections."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ...ops.core.graph import GraphKeys, get_default_graph
from ...ops.core.node import Tensor
from ...ops.io.summaries import histogram_, scalar_
from ...ops.nn import zero_fraction

Summarizer = Callable[[Any], Tensor | None]


def _of(tensor: Any) -> Tensor:
    return tensor if isinstance(tensor, Tensor) else tensor.value()


def summarize_tensor(tensor: Any, tag: str | None = None) -> Tensor:
    """Write a scalar summary of a scalar, a histogram of anything else."""
    known = _of(tensor)
    write = scalar_ if known.dims == () else histogram_
    return write(tag or known.op.name, known)


def summarize_activation(op: Tensor) -> Tensor:
    """Write a histogram of an activation, and for relu and sigmoid how many elements are at the ends."""
    if op.op.type in ("Relu", "Softplus", "Relu6"):
        scalar_(f"{op.op.name}/zeros", zero_fraction(op))
    return histogram_(f"{op.op.name}/activation", op)


def summarize_tensors(tensors: Any, summarizer: Summarizer = summarize_tensor) -> list[Any]:
    """Write a summary of each tensor."""
    return [summarizer(tensor) for tensor in tensors]


def summarize_collection(
    collection: str, name_filter: str | None = None, summarizer: Summarizer = summarize_tensor
) -> list[Any]:
    """Write a summary of each tensor of a collection whose name matches a pattern."""
    return summarize_tensors(get_default_graph().get_collection(collection, name_filter), summarizer)


summarize_variables = functools.partial(summarize_collection, GraphKeys.GLOBAL_VARIABLES)
summarize_weights = functools.partial(summarize_collection, GraphKeys.WEIGHTS)
summarize_biases = functools.partial(summarize_collection, GraphKeys.BIASES)


def summarize_activations(name_filter: str | None = None, summarizer: Summarizer = summarize_activation) -> list[Any]:
    """Write a summary of each activation in the collection ACTIVATIONS."""
    return summarize_collection(GraphKeys.ACTIVATIONS, name_filter, summarizer)
