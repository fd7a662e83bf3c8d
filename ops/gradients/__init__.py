"""Differentiation: `gradients`, and how programs register gradients of their own."""

from ..core.indexed_slices import IndexedSlices, IndexedSlicesValue
from .aggregate import AggregationMethod
from .gradients import gradients
from .registry import NoGradient, NotDifferentiable, RegisterGradient

__all__ = [
    "AggregationMethod",
    "IndexedSlices",
    "IndexedSlicesValue",
    "NoGradient",
    "NotDifferentiable",
    "RegisterGradient",
    "gradients",
]
