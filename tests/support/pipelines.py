"""Pipelines for the comparison with TensorFlow."""

from typing import Any

import millstream as tf
from millstream.ops.core.registry import lookup

# Options as TensorFlow writes them: no tuning while a pipeline runs, no rewriting before.
NO_REWRITING = "\x1a\x02\x08\x00:\x02\x08\x00"


def as_it_is(dataset: Any) -> Any:
    """Return a dataset of one component that TensorFlow does not write as a graph to rewrite it.

    What it would write for some older ops are nodes of newer ones, which have other inputs.
    """
    component = dataset._components
    made = lookup("OptionsDataset")(
        dataset._variant_tensor,
        serialized_options=NO_REWRITING,
        output_types=[component.dtype],
        output_shapes=[component.dims],
    )
    return tf.data.Dataset(made, component)
