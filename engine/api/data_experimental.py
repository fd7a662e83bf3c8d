"""`tf.data.experimental`."""

from ..data.experimental import (
    AUTOTUNE,
    Counter,
    OptimizationOptions,
    bucket_by_sequence_length,
    copy_to_device,
    enumerate_dataset,
    get_single_element,
    group_by_window,
    ignore_errors,
    map_and_batch,
    parallel_interleave,
    prefetch_to_device,
    scan,
    shuffle_and_repeat,
    unbatch,
)

__all__ = [
    "AUTOTUNE", "Counter", "OptimizationOptions", "bucket_by_sequence_length", "copy_to_device", "enumerate_dataset",
    "get_single_element", "group_by_window", "ignore_errors", "map_and_batch", "parallel_interleave", "prefetch_to_device",
    "scan", "shuffle_and_repeat", "unbatch",
]  # fmt: skip
