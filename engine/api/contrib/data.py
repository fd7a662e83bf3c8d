"""`tf.contrib.data`."""

from ...data.experimental import (
    AUTOTUNE,
    Counter,
    assert_element_shape,
    batch_and_drop_remainder,
    bucket_by_sequence_length,
    copy_to_device,
    enumerate_dataset,
    get_single_element,
    group_by_window,
    ignore_errors,
    map_and_batch,
    padded_batch_and_drop_remainder,
    parallel_interleave,
    prefetch_to_device,
    scan,
    shuffle_and_repeat,
    sliding_window_batch,
    unbatch,
)

__all__ = [
    "AUTOTUNE", "Counter", "assert_element_shape", "batch_and_drop_remainder", "bucket_by_sequence_length", "copy_to_device",
    "enumerate_dataset", "get_single_element", "group_by_window", "ignore_errors", "map_and_batch",
    "padded_batch_and_drop_remainder", "parallel_interleave", "prefetch_to_device", "scan", "shuffle_and_repeat",
    "sliding_window_batch", "unbatch",
]  # fmt: skip
