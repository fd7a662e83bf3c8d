"""The ops that save and restore: what one writes, the other reads; names of files; mistakes that are told."""

import os

import numpy as np

import millstream as tf
from millstream.ops.core.registry import lookup
from support.opcheck_programs import Program, program_table, program_tests

X = np.arange(6, dtype=np.float32).reshape(2, 3)
SAVE, RESTORE = lookup("SaveV2"), lookup("RestoreV2")


def prefix_in(folder):
    return [np.array(str(folder / "model").encode(), object), X]


def saved(prefix, x):
    return SAVE.node(prefix, ["a", "b"], ["", "5 3 1,2:-"], [x, x])


def round_trip(prefix, x):
    with tf.control_dependencies([saved(prefix, x)]):
        whole = tf.identity(prefix)
    a, part = RESTORE(whole, ["a", "a"], ["", "2 3 -:1,2"], dtypes=[tf.float32, tf.float32])
    return a, part


def merged(prefix, x):
    parts = [prefix + "_part/one", prefix + "_part/two"]
    first = SAVE.node(parts[0], ["a"], [""], [x])
    with tf.control_dependencies([first]):
        second = SAVE.node(parts[1], ["b"], [""], [x + 1.0])
    with tf.control_dependencies([second]):
        merge = lookup("MergeV2Checkpoints").node(tf.stack(parts), prefix)
    with tf.control_dependencies([merge]):
        whole = tf.identity(prefix)
    return tuple(RESTORE(whole, ["a", "b"], ["", ""], dtypes=[tf.float32] * 2))


def merged_alone(values, arrays):
    prefix = arrays[0].item().decode()
    assert not os.path.exists(prefix + "_part")
    for value, wanted in zip(values, (X, X + 1), strict=True):
        np.testing.assert_array_equal(value, wanted)


def restored(prefix, name, kind):
    with tf.control_dependencies([SAVE.node(prefix, ["a"], [""], [tf.constant(X)])]):
        return RESTORE(tf.identity(prefix), [name], [""], dtypes=[kind])[0]


NAMES = [np.array(b"model", object)]
PROGRAMS = program_table(
    Program("SaveV2", round_trip, prefix_in, lambda prefix, x: (x, x[:, 1:3])),
    Program("RestoreV2", lambda p, x: restored(p, "missing", tf.float32), prefix_in,
            raises=(tf.errors.NotFoundError, "Key missing not found in checkpoint"), label="missing"),
    Program("RestoreV2", lambda p, x: restored(p, "a", tf.int32), prefix_in,
            raises=(tf.errors.InvalidArgumentError, "Expected dtype int32 for 'a', the checkpoint has float32"), label="dtype"),
    Program("MergeV2Checkpoints", merged, prefix_in, check=merged_alone),
    Program("ShardedFilename", lambda n: lookup("ShardedFilename")(n, 1, 4), NAMES,
            lambda n: np.array(b"model-00001-of-00004", object)),
    Program("ShardedFilespec", lambda n: lookup("ShardedFilespec")(n, 4), NAMES,
            lambda n: np.array(b"model-?????-of-00004", object)),
)  # fmt: skip

(test_program,) = program_tests(PROGRAMS)
