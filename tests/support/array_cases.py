"""Calls of array functions whose shapes, dtypes and values are compared with TensorFlow's: edge cases, strings, old aliases.

Each takes the module (`millstream` or `tensorflow.compat.v1`) and returns a tensor or a list of them.
"""

import numpy as np

CASES = {
    "gather empty": lambda tf: tf.gather(tf.zeros([0, 3]), tf.zeros([0], tf.int32)),
    "gather str": lambda tf: tf.gather(["a", "b", "c"], [2, 0]),
    "str idx": lambda tf: tf.constant(["a", "b"])[1],
    "str concat": lambda tf: tf.concat([["a"], ["b"]], 0),
    "str stack": lambda tf: tf.stack(["a", "b"]),
    "str zeros": lambda tf: tf.zeros([2], tf.string),
    "str zeros_like": lambda tf: tf.zeros_like(tf.constant(["a"])),
    "str pad": lambda tf: tf.pad(tf.constant(["a"]), [[1, 0]]),
    "str tile": lambda tf: tf.tile(["a"], [2]),
    "str reshape": lambda tf: tf.reshape(["a", "b"], [2, 1]),
    "str transp": lambda tf: tf.transpose([["a", "b"]]),
    "str fill": lambda tf: tf.fill([2], "x"),
    "str unstack": lambda tf: tf.unstack(tf.constant(["a", "b"])),
    "str gathernd": lambda tf: tf.gather_nd(["a", "b"], [[1]]),
    "str gathernd0": lambda tf: tf.gather_nd(["a", "b"], [1]),
    "gathernd0": lambda tf: tf.gather_nd([1, 2], [1]),
    "str onehot": lambda tf: tf.one_hot([1], 2, "a", "b"),
    "str split": lambda tf: tf.split(["a", "b"], 2),
    "str unique": lambda tf: tf.unique(["a", "b", "a"]),
    "str scatter": lambda tf: tf.scatter_nd([[1]], ["q"], [3]),
    "str dynpart": lambda tf: tf.dynamic_partition(["a", "b"], [1, 0], 2),
    "str stitch": lambda tf: tf.dynamic_stitch([[1], [0]], [["a"], ["b"]]),
    "str squeeze": lambda tf: tf.squeeze([["a"]]),
    "str rev": lambda tf: tf.reverse(["a", "b"], [0]),
    "bool ones": lambda tf: tf.ones([2], tf.bool),
    "bool onehot": lambda tf: tf.one_hot([1], 2, True, False),
    "onehot neg": lambda tf: tf.one_hot([-1, 5], 3),
    "onehot dtype": lambda tf: tf.one_hot([1], 3, dtype=tf.int64),
    "onehot scalar": lambda tf: tf.one_hot(1, 3),
    "bf16": lambda tf: tf.cast(tf.concat([tf.ones([2], tf.bfloat16), tf.zeros([1], tf.bfloat16)], 0), tf.float32),
    "split dyn": lambda tf: tf.split(tf.zeros([4, 2]), tf.constant([1, 3]), 0),
    "split neg": lambda tf: tf.split(tf.zeros([2, 4]), 2, -1),
    "split -1": lambda tf: tf.split(tf.zeros([5]), [2, -1]),
    "unique v2": lambda tf: tf.unique_with_counts([5, 5, 1.0]),
    "uniq64": lambda tf: tf.unique([1, 2], tf.int64),
    "setdiff": lambda tf: tf.setdiff1d([1, 2, 3], [2]),
    "shape64": lambda tf: tf.shape(tf.zeros([2, 3]), out_type=tf.int64),
    "shape_n": lambda tf: tf.shape_n([tf.zeros([1]), tf.zeros([2, 3])]),
    "size0": lambda tf: tf.size(tf.zeros([0, 3])),
    "rank": lambda tf: tf.rank(tf.zeros([1, 2])),
    "reshape0": lambda tf: tf.reshape(tf.zeros([0, 3]), [-1, 3]),
    "reshape00": lambda tf: tf.reshape(tf.zeros([0, 3]), [3, 0]),
    "squeeze": lambda tf: tf.squeeze(tf.zeros([1, 2, 1]), -1),
    "expand": lambda tf: tf.expand_dims(3, 0),
    "pad mode": lambda tf: tf.pad([[1, 2, 3]], [[0, 0], [2, 2]], "REFLECT"),
    "pad sym": lambda tf: tf.pad([[1, 2, 3]], [[1, 1], [3, 3]], "symmetric"),
    "pad int": lambda tf: tf.pad([1, 2], [[1, 1]], constant_values=9),
    "pad big reflect": lambda tf: tf.pad([[1, 2, 3]], [[0, 0], [3, 2]], "REFLECT"),
    "tile0": lambda tf: tf.tile([1, 2], [0]),
    "bto": lambda tf: tf.broadcast_to(3, [2, 2]),
    "meshgrid": lambda tf: tf.meshgrid([1, 2], [3, 4, 5]),
    "meshgrid3": lambda tf: tf.meshgrid([1], [2], [3, 4], indexing="ij"),
    "seqmask": lambda tf: tf.sequence_mask([[1, 2], [0, 3]]),
    "seqmask2": lambda tf: tf.sequence_mask([1, 2], 4, tf.int32),
    "bmask": lambda tf: tf.boolean_mask([[1, 2], [3, 4]], [[True, False], [False, True]]),
    "bmask ax": lambda tf: tf.boolean_mask([[1, 2], [3, 4]], [True, False], axis=1),
    "diag": lambda tf: tf.diag([1, 2]),
    "diag_part": lambda tf: tf.diag_part([[1, 2], [3, 4]]),
    "mdiag": lambda tf: tf.matrix_diag([[1, 2], [3, 4]]),
    "mset": lambda tf: tf.matrix_set_diag([[1, 2, 3], [4, 5, 6]], [9, 8]),
    "band": lambda tf: tf.matrix_band_part([[1, 2], [3, 4]], 0, -1),
    "revseq": lambda tf: tf.reverse_sequence([[1, 2, 3], [4, 5, 6]], [2, 3], seq_axis=1),
    "revseq0": lambda tf: tf.reverse_sequence([[1, 2], [4, 5], [7, 8]], [3, 1], seq_axis=0, batch_axis=1),
    "roll": lambda tf: tf.roll([1, 2, 3, 4], 1, 0),
    "roll2": lambda tf: tf.roll([[1, 2], [3, 4]], [1, 1], [0, 1]),
    "s2b": lambda tf: tf.space_to_batch([[[[1], [2]], [[3], [4]]]], [[0, 0], [0, 0]], 2),
    "b2s": lambda tf: tf.batch_to_space([[[[1]]], [[[2]]], [[[3]]], [[[4]]]], [[0, 0], [0, 0]], 2),
    "s2bnd": lambda tf: tf.space_to_batch_nd(tf.reshape(tf.range(24), [2, 3, 4]), [3, 2], [[0, 0], [1, 1]]),
    "b2snd": lambda tf: tf.batch_to_space_nd(tf.reshape(tf.range(24), [6, 2, 2]), [3, 2], [[1, 0], [0, 1]]),
    "s2d": lambda tf: tf.space_to_depth(tf.reshape(tf.range(32), [1, 4, 4, 2]), 2),
    "d2s": lambda tf: tf.depth_to_space(tf.reshape(tf.range(32), [1, 2, 2, 8]), 2),
    "gather axis": lambda tf: tf.gather([[1, 2, 3], [4, 5, 6]], [[2, 0]], axis=1),
    "gather bd": lambda tf: tf.gather([[1, 2, 3], [4, 5, 6]], [[2, 0], [1, 1]], axis=1, batch_dims=1),
    "gather bd-1": lambda tf: tf.gather([[1, 2, 3], [4, 5, 6]], [[2, 0], [1, 1]], batch_dims=-1, axis=-1),
    "gathernd bd": lambda tf: tf.gather_nd([[1, 2], [3, 4]], [[1], [0]], batch_dims=1),
    "stitch dup": lambda tf: tf.dynamic_stitch([[0, 1], [1, 2]], [[1, 2], [3, 4]]),
    "scatter": lambda tf: tf.scatter_nd([[1], [1]], [2, 3], [4]),
    "scatter2": lambda tf: tf.scatter_nd([[0, 1]], [5.0], [2, 2]),
    "scatter bool": lambda tf: tf.scatter_nd([[1]], [True], [3]),
    "tsu": lambda tf: tf.tensor_scatter_update([1, 2, 3], [[0]], [9]),
    "scatter oob": lambda tf: tf.scatter_nd([[9]], [1], [4]),
    "bitcast": lambda tf: tf.bitcast(tf.constant([1.0, 2.0]), tf.int32),
    "bitcast2": lambda tf: tf.bitcast(tf.constant([1, 2], tf.int64), tf.int32),
    "invperm": lambda tf: tf.invert_permutation([2, 0, 1]),
    "transpose conj": lambda tf: tf.transpose([[1 + 2j]], conjugate=True),
    "zeros0": lambda tf: tf.zeros([]),
    "zeros np": lambda tf: tf.zeros(np.array([2, 3])),
    "zeros ts": lambda tf: tf.zeros(tf.TensorShape([2])),
    "ones cplx": lambda tf: tf.ones([1], tf.complex64),
    "parallel": lambda tf: tf.parallel_stack([[1, 2], [3, 4]]),
    "identity_n": lambda tf: tf.identity_n([1.0, 2]),
    "concat mixed": lambda tf: tf.concat([[1], [2.0]], 0),
    "stack mixed": lambda tf: tf.stack([1, 2.0]),
    "broadcast_static": lambda tf: tf.zeros(tf.broadcast_static_shape(tf.TensorShape([2, 1]), tf.TensorShape([3]))),
}


def outcome(tf, build):
    """Returns static shapes, dtypes and values of what a case makes, or the name of the error that it ends in."""
    with tf.Graph().as_default():
        try:
            made = build(tf)
            tensors = list(made) if isinstance(made, list | tuple) else [made]
            with tf.Session() as session:
                values = [np.asarray(value) for value in session.run(tensors)]
        except Exception as error:
            return type(error).__name__
    rows = zip(tensors, values, strict=True)
    return [[str(t.shape), str(v.dtype), repr(v.tolist())] for t, v in rows]
