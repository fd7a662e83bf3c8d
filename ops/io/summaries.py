"""Summary ops: values as serialised Summary protos, which a FileWriter puts into event files that TensorBoard shows."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ...devices.types import Array, Namespace
from ..core import dtypes, errors, protos
from ..core.convert import convert_to_tensor
from ..core.graph import GraphKeys, get_default_graph
from ..core.node import Tensor
from ..core.registry import op
from ..core.scopes import name_scope
from ..core.shape_rules import scalar

_ILLEGAL = re.compile(r"[^-/\w.]")
_POSITIVE = np.append(np.multiply.accumulate([1e-12, *[1.1] * 773]), np.finfo(np.float64).max)
_EDGES = np.concatenate([-_POSITIVE[::-1], [0.0], _POSITIVE])


def serialised(*values: dict[str, Any]) -> Array:
    message = protos.Summary()
    for value in values:
        message.value.add(**value)
    result = np.empty((), object)
    result[()] = message.SerializeToString()
    return result


@op(
    "ScalarSummary", types="tags: string, values: T -> summary: string", T=dtypes.REAL, shape=scalar, devices="CPU",
    differentiable=False,
)  # fmt: skip
def scalar_summary(xp: Namespace, tags: Array, values: Array) -> Array:
    """Return a Summary with one simple value per tag."""
    tags, values = np.asarray(tags), np.asarray(values)
    if tags.shape != values.shape:
        raise errors.InvalidArgumentError(
            None, None, f"tags and values are not the same shape: {tags.shape} != {values.shape}"
        )
    pairs = zip(tags.ravel(), values.ravel(), strict=True)
    return serialised(*({"tag": tag.decode(), "simple_value": float(value)} for tag, value in pairs))


@op("HistogramSummary", types="tag: string, values: T -> summary: string", T=dtypes.REAL, shape=scalar, devices="CPU",
    defaults={"T": dtypes.float32}, differentiable=False)  # fmt: skip
def histogram_summary(xp: Namespace, tag: Array, values: Array) -> Array:
    """Return a Summary with the histogram of `values` over TensorFlow's buckets."""
    flat, name = np.asarray(values, np.float64).ravel(), bytes(np.asarray(tag)[()]).decode()
    if not np.isfinite(flat).all():
        raise errors.InvalidArgumentError(None, None, f"Nan in summary histogram for: {name}")
    return serialised({"tag": name, "histo": histogram(flat)})


def histogram(flat: Array) -> Any:
    """Return a HistogramProto of a flat float64 array; a run of empty buckets is written as one."""
    counts = np.bincount(np.searchsorted(_EDGES, flat, side="right"), minlength=len(_EDGES))[: len(_EDGES)]
    kept = (counts > 0) | np.append(counts[1:] > 0, True)
    return protos.HistogramProto(
        min=float(flat.min(initial=np.inf)), max=float(flat.max(initial=-np.inf)), num=float(flat.size), sum=float(flat.sum()),
        sum_squares=float(np.square(flat).sum()), bucket_limit=_EDGES[kept].tolist(),
        bucket=counts[kept].astype(float).tolist(),
    )  # fmt: skip


@op("MergeSummary", types="inputs: N*string -> summary: string", shape=scalar, devices="CPU", differentiable=False)
def merge_summary(xp: Namespace, inputs: list[Array]) -> Array:
    """Return one Summary with the values of all; InvalidArgumentError when two have one tag."""
    merged = protos.Summary()
    seen: set[str] = set()
    for item in inputs:
        for serialised in np.asarray(item, object).ravel():
            for value in protos.Summary.FromString(serialised).value:
                if value.tag in seen:
                    raise errors.InvalidArgumentError(None, None, f"Duplicate tag {value.tag} found in summary inputs")
                seen.add(value.tag)
                merged.value.add().CopyFrom(value)
    result = np.empty((), object)
    result[()] = merged.SerializeToString()
    return result


def add_to(summary: Tensor, collections: Any) -> Tensor:
    for key in (GraphKeys.SUMMARIES,) if collections is None else collections:
        get_default_graph().add_to_collection(key, summary)
    return summary


def scalar_(name: str, tensor: Any, collections: Any = None, family: str | None = None) -> Tensor:
    """Create a summary of one number; its tag is its node's name, before which `family` stands once more."""
    with scope_of(name, family) as scope:
        return add_to(scalar_summary(tag_of(scope, family), tensor, name=scope), collections)


def histogram_(name: str, values: Any, collections: Any = None, family: str | None = None) -> Tensor:
    """Create a summary of a tensor's histogram."""
    with scope_of(name, family) as scope:
        return add_to(histogram_summary(tag_of(scope, family), typed(values, "values"), name=scope), collections)


def typed(values: Any, name: str) -> Any:
    """Return an array as a tensor of its own type, which the ops' default type would replace; anything else as it is."""
    return convert_to_tensor(values, name=name) if isinstance(values, np.ndarray) else values


def scope_of(name: str, family: str | None) -> Any:
    """Open the scope of a summary; what a tag may not hold becomes an underscore, as in TensorFlow."""
    cleaned = _ILLEGAL.sub("_", name).lstrip("/")
    return get_default_graph().name_scope(cleaned if family is None else f"{family}/{cleaned}")


def tag_of(scope: str, family: str | None) -> str:
    return scope.rstrip("/") if family is None else f"{family}/{scope.rstrip('/')}"


def merge(inputs: Any, collections: Any = None, name: str | None = None) -> Tensor:
    """Create a summary of all summaries in `inputs`."""
    with name_scope(name, "Merge", inputs):
        merged: Tensor = merge_summary(list(inputs), name=name)
    for key in collections or ():
        get_default_graph().add_to_collection(key, merged)
    return merged


def merge_all(key: str = GraphKeys.SUMMARIES, scope: str | None = None, name: str | None = None) -> Tensor | None:
    """Create a summary of all summaries in a collection; None when it has none."""
    found = get_default_graph().get_collection(key, scope)
    return merge(found, name=name) if found else None
